// Command cyclonus answers by the book, with the matcher of cyclonus, which flows a policy lets through: one JSON request a line in,
// one JSON answer a line out, the same as the other engines. test/engines/README.md describes both.
//
// With "oneByOne" each flow is answered by Policy.IsTrafficAllowed; else the targets that select the subject are looked for once.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

// Allowed flows of the world beyond these are not listed: one is enough to refute a proof.
const mostListed = 4

// What each kind of policy becomes. A kind is a file of its own.
var readers = map[string]func(json.RawMessage) ([]*networking.NetworkPolicy, error){
	"NetworkPolicy": readNetworkPolicy,
}

type request struct {
	Parties  []party `json:"parties"`
	Wires    []wire  `json:"wires"`
	Subjects []int   `json:"subjects"`
	// Objects in force beside each of the policies.
	Baseline []object `json:"baseline"`
	// Looked up for each policy that asks for them.
	Flows    []flow  `json:"flows"`
	Policies []asked `json:"policies"`
	OneByOne bool    `json:"oneByOne"`
	// The objects of the baseline are all that is asked about: one answer for each subject, with the flows of the request that are allowed.
	InForce bool `json:"inForce"`
	// All of that between every two subjects, and how long it takes.
	Matrix bool `json:"matrix"`
}

// For each wire and each source, one character for each destination: 1 where both sides let it through.
type matrix struct {
	Milliseconds float64    `json:"milliseconds"`
	Open         [][]string `json:"open"`
}

// A pod, an address, or one that only Cilium knows.
type party struct {
	Pod      *pod   `json:"pod"`
	Address  string `json:"address"`
	Reserved string `json:"reserved"`
}

type pod struct {
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
	// Empty: the cluster that the policies are of.
	Cluster string      `json:"cluster"`
	Address string      `json:"address"`
	Ports   []namedPort `json:"ports"`
}

type namedPort struct {
	Name string `json:"name"`
	wire
}

type wire struct {
	Protocol core.Protocol `json:"protocol"`
	Port     int           `json:"port"`
}

// Direction (0 ingress, 1 egress, as the subject sees it), party, wire.
type flow [3]int

type object struct {
	Kind   string          `json:"kind"`
	Object json.RawMessage `json:"object"`
}

type asked struct {
	object
	// In place of those of the request, unless empty.
	Subjects []int `json:"subjects"`
	// Whether the flows of the request are asked for.
	Common bool `json:"common"`
	// Beside those.
	Flows []flow `json:"flows"`
}

type answer struct {
	// Why the engine does not take the policy; it is then not in force.
	Error string `json:"error,omitempty"`
	// The flows of the request that are allowed: the first few of them.
	Common []flow `json:"common"`
	// Which of the policy's own flows are allowed.
	Own []int `json:"own"`
	// The first subject that the policy selects; -1: none.
	Subject int `json:"subject"`
	// Parties of this cluster beside the subjects that it selects.
	Others []int `json:"others"`
	Looked int   `json:"looked"`
}

func main() {
	debug.SetGCPercent(400)
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if len(line) > 1 {
			var asks request
			if err := json.Unmarshal(line, &asks); err != nil {
				fail(err)
			}
			var told any
			if asks.Matrix {
				told = worldOf(asks).matrix()
			} else {
				told = reply(asks)
			}
			if err := output.Encode(told); err != nil {
				fail(err)
			}
		}
		if err != nil {
			return
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Everything that is made once for a request.
type world struct {
	request
	baseline []*networking.NetworkPolicy
	peers    []*matcher.TrafficPeer
}

func worldOf(asks request) *world {
	made := &world{request: asks}
	for _, one := range asks.Baseline {
		read, err := readers[one.Kind](one.Object)
		if err != nil {
			fail(err)
		}
		made.baseline = append(made.baseline, read...)
	}
	for _, one := range asks.Parties {
		made.peers = append(made.peers, peerOf(one))
	}
	return made
}

func reply(asks request) []answer {
	made := worldOf(asks)
	if asks.InForce {
		return made.inForce()
	}
	answers := make([]answer, len(asks.Policies))
	for index, one := range asks.Policies {
		answers[index] = made.judge(one)
	}
	return answers
}

// Pods of other clusters, and what only Cilium knows, are not in the book.
func peerOf(one party) *matcher.TrafficPeer {
	switch {
	case one.Address != "":
		return &matcher.TrafficPeer{IP: one.Address}
	case one.Pod == nil || one.Pod.Cluster != "":
		return nil
	}
	return &matcher.TrafficPeer{
		IP: one.Pod.Address,
		Internal: &matcher.InternalPeer{
			PodLabels:       one.Pod.Labels,
			NamespaceLabels: one.Pod.NamespaceLabels,
			Namespace:       one.Pod.Namespace,
		},
	}
}

// Of all threads, as others on the machine take less from it than from the clock.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// As cyclonus asks its matcher: one connection after the other.
func (world *world) matrix() matrix {
	begin := processorTime()
	together := matcher.BuildNetworkPolicies(false, world.baseline)
	open := make([][]string, len(world.Wires))
	for at, wire := range world.Wires {
		for _, source := range world.Subjects {
			row := make([]byte, 0, len(world.Subjects))
			for _, target := range world.Subjects {
				allowed := together.IsTrafficAllowed(&matcher.Traffic{
					Source: world.peers[source], Destination: world.peers[target],
					ResolvedPort: wire.Port, ResolvedPortName: world.nameOf(target, wire), Protocol: wire.Protocol,
				})
				if allowed.Ingress.IsAllowed() && allowed.Egress.IsAllowed() {
					row = append(row, '1')
				} else {
					row = append(row, '0')
				}
			}
			open[at] = append(open[at], string(row))
		}
	}
	return matrix{Milliseconds: float64((processorTime() - begin).Microseconds()) / 1000, Open: open}
}

// What gets through to and from each subject with all of the policies.
func (world *world) inForce() []answer {
	answers := make([]answer, len(world.Subjects))
	together := matcher.BuildNetworkPolicies(false, world.baseline)
	for index, subject := range world.Subjects {
		result := answer{Common: []flow{}, Own: []int{}, Others: []int{}, Subject: subject, Looked: len(world.Flows)}
		allows := world.resolve(together, subject)
		for place, flow := range world.Flows {
			if allows(flow) {
				result.Own = append(result.Own, place)
			}
		}
		answers[index] = result
	}
	return answers
}

func (world *world) judge(one asked) (result answer) {
	result = answer{Common: []flow{}, Own: []int{}, Others: []int{}, Subject: -1}
	defer func() {
		if recovered := recover(); recovered != nil {
			result.Error = fmt.Sprint(recovered)
		}
	}()
	read, err := readers[one.Kind](one.Object)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	alone := matcher.BuildNetworkPolicies(false, read)
	selects := func(place int) bool {
		peer := world.peers[place]
		if peer == nil || peer.Internal == nil {
			return false
		}
		for _, ingress := range []bool{true, false} {
			if len(alone.TargetsApplyingToPod(ingress, peer.Internal.Namespace, peer.Internal.PodLabels)) > 0 {
				return true
			}
		}
		return false
	}
	subjects := world.Subjects
	if len(one.Subjects) > 0 {
		subjects = one.Subjects
	}
	isSubject := map[int]bool{}
	for _, list := range [][]int{world.Subjects, subjects} {
		for _, subject := range list {
			isSubject[subject] = true
		}
	}
	for _, subject := range subjects {
		if result.Subject < 0 && selects(subject) {
			result.Subject = subject
		}
	}
	for place := range world.peers {
		if !isSubject[place] && selects(place) {
			result.Others = append(result.Others, place)
		}
	}
	if result.Subject < 0 {
		return result
	}
	together := matcher.BuildNetworkPolicies(false, append(read, world.baseline...))
	allows := world.resolve(together, result.Subject)
	if one.Common {
		for _, flow := range world.Flows {
			result.Looked++
			if len(result.Common) < mostListed && allows(flow) {
				result.Common = append(result.Common, flow)
			}
		}
	}
	for index, flow := range one.Flows {
		result.Looked++
		if allows(flow) {
			result.Own = append(result.Own, index)
		}
	}
	return result
}

// Who is let through to and from a pod. A flow that the book does not know is not.
func (world *world) resolve(policies *matcher.Policy, subject int) func(flow) bool {
	pod := world.peers[subject]
	targets := [2][]*matcher.Target{
		policies.TargetsApplyingToPod(true, pod.Internal.Namespace, pod.Internal.PodLabels),
		policies.TargetsApplyingToPod(false, pod.Internal.Namespace, pod.Internal.PodLabels),
	}
	return func(one flow) bool {
		peer := world.peers[one[1]]
		if peer == nil {
			return false
		}
		ingress := one[0] == 0
		receiver := one[1]
		if ingress {
			receiver = subject
		}
		wire := world.Wires[one[2]]
		name := world.nameOf(receiver, wire)
		if world.OneByOne {
			traffic := &matcher.Traffic{Source: pod, Destination: peer, ResolvedPort: wire.Port, ResolvedPortName: name, Protocol: wire.Protocol}
			if ingress {
				traffic.Source, traffic.Destination = peer, pod
			}
			allowed := policies.IsTrafficAllowed(traffic)
			if ingress {
				return allowed.Ingress.IsAllowed()
			}
			return allowed.Egress.IsAllowed()
		}
		for _, target := range targets[one[0]] {
			if target.Allows(peer, wire.Port, name, wire.Protocol) {
				return true
			}
		}
		return len(targets[one[0]]) == 0
	}
}

func (world *world) nameOf(receiver int, asked wire) string {
	if pod := world.Parties[receiver].Pod; pod != nil {
		for _, port := range pod.Ports {
			if port.wire == asked {
				return port.Name
			}
		}
	}
	return ""
}
