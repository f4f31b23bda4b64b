// Command cilium answers with Cilium's own policy code which flows a policy lets through: one JSON request a line in, one JSON answer
// a line out. test/engines/README.md describes both.
//
// It is built for many policies in one world: the repository, the identities and the baseline are made once for each request, and each
// policy is put into them, resolved once for one of the pods that it selects, and taken out again. The map of verdicts that comes of
// it is what the data plane reads, and every flow is one look-up in it. With "oneByOne" each flow is answered by policy.LookupFlow
// instead, which resolves all policies for every flow: slow, and Cilium's own way to answer in its tests.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	envoy "github.com/cilium/cilium/pkg/envoy/policy"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	ipcache "github.com/cilium/cilium/pkg/ipcache/types"
	constants "github.com/cilium/cilium/pkg/k8s/apis/cilium.io"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/policy/types"
	metrics "github.com/cilium/cilium/pkg/testutils/policy"
	named "github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"
)

// The name of the cluster that policies are of.
const cluster = "here"

// Allowed flows of the world beyond these are not listed: one is enough to refute a proof.
const mostListed = 4

var logger = slog.New(slog.DiscardHandler)

// What each kind of policy becomes. A kind is a file of its own.
var readers = map[string]func(json.RawMessage) (types.PolicyEntries, error){
	"CiliumNetworkPolicy":  readCiliumNetworkPolicy,
	"ClusterNetworkPolicy": readClusterNetworkPolicy,
	"NetworkPolicy":        readNetworkPolicy,
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
}

// A pod, an address, or one that Cilium has a fixed identity for.
type party struct {
	Pod      *pod   `json:"pod"`
	Address  string `json:"address"`
	Reserved string `json:"reserved"`
	// Of a node.
	Labels map[string]string `json:"labels"`
	// The DNS gives the address for these.
	Names []string `json:"names"`
	// A CiliumCIDRGroup or a cloud lists the address.
	Group *group `json:"group"`
}

type group struct {
	Name     string            `json:"name"`
	Labels   map[string]string `json:"labels"`
	External []api.Groups      `json:"external"`
}

type pod struct {
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
	// Missing: the cluster that the policies are of. The name may be empty.
	Cluster *string     `json:"cluster"`
	Ports   []namedPort `json:"ports"`
}

type namedPort struct {
	Name string `json:"name"`
	wire
}

type wire struct {
	Protocol string `json:"protocol"`
	Port     uint16 `json:"port"`
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
	// Of a pod: what it is taken for beside a pod of its namespace.
	TakenFor string `json:"takenFor,omitempty"`
}

func main() {
	// A world is made and thrown away many times a second.
	debug.SetGCPercent(400)
	policy.SetPolicyEnabled(option.DefaultEnforcement)
	option.Config.EnableIPv4 = true
	option.Config.EnableIPv6 = true
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if len(line) > 1 {
			var asks request
			if err := json.Unmarshal(line, &asks); err != nil {
				fail(err)
			}
			if err := output.Encode(reply(asks)); err != nil {
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
	repository *policy.Repository
	manager    identitymanager.IDManager
	identities []*identity.Identity
	// By numeric identity, the place among the parties.
	places map[identity.NumericIdentity]int
	// Why one of the policies in force is not taken.
	refused error
}

func reply(asks request) []answer {
	world := build(asks)
	if asks.InForce {
		return world.inForce()
	}
	answers := make([]answer, len(asks.Policies))
	for index, one := range asks.Policies {
		answers[index] = world.judge(one)
	}
	return answers
}

func build(asks request) *world {
	manager := identitymanager.NewIDManager(logger)
	made := &world{request: asks, manager: manager, places: map[identity.NumericIdentity]int{}}
	known := identity.IdentityMap{}
	patterns := namesIn(asks)
	ports := named.NewNamedPortMultiMap()
	for index, one := range asks.Parties {
		id := identityOf(one, index, patterns)
		made.identities = append(made.identities, id)
		made.places[id.ID] = index
		known[id.ID] = id.LabelArray
		if one.Pod != nil {
			own := named.NamedPortMap{}
			for _, port := range one.Pod.Ports {
				if err := own.AddPort(port.Name, int(port.Port), port.Protocol); err != nil {
					fail(err)
				}
			}
			ports.Update(id.ID, nil, own)
		}
	}
	made.repository = policy.NewPolicyRepository(logger, maps.Clone(known), nil, envoy.NewEnvoyL7RulesTranslator(logger, nil), manager,
		metrics.NewPolicyMetricsNoop())
	made.repository.SetNamedPortsGetter(portsOfAll{ports})
	made.repository.UpdateIdentities(known, nil)
	for index, one := range asks.Baseline {
		entries, err := readers[one.Kind](one.Object)
		if err != nil && asks.InForce {
			made.refused = err
			return made
		}
		if err != nil {
			fail(err)
		}
		made.repository.ReplaceByResource(entries, resource(entries, fmt.Sprint("baseline-", index)))
	}
	return made
}

// Numbers as Cilium gives them: the range says what kind of peer it is, and data plane and map of verdicts depend on that.
func identityOf(one party, index int, patterns []api.FQDNSelector) *identity.Identity {
	switch {
	case one.Reserved == labels.IDNameRemoteNode && one.Labels != nil:
		// As the manager of nodes labels them.
		of := labels.Map2Labels(one.Labels, labels.LabelSourceNode)
		of.MergeLabels(labels.LabelRemoteNode)
		of.MergeLabels(labels.Map2Labels(map[string]string{constants.PolicyLabelCluster: cluster}, labels.LabelSourceK8s))
		return identity.NewIdentity(identity.IdentityScopeRemoteNode+identity.NumericIdentity(1000+index), of)
	case one.Reserved != "":
		number := identity.GetReservedID(one.Reserved)
		if number == identity.IdentityUnknown {
			fail(fmt.Errorf("%q is no identity", one.Reserved))
		}
		return identity.LookupReservedIdentity(number)
	case one.Address != "":
		address := netip.MustParseAddr(one.Address)
		number := identity.IdentityScopeLocal + identity.NumericIdentity(1000+index)
		of := labels.GetCIDRLabels(netip.PrefixFrom(address, address.BitLen()))
		of.MergeLabels(labels.FromSlice(append(labelsOfNames(one.Names, patterns), one.Group.labels()...)))
		return identity.NewIdentity(number, of)
	}
	of := map[string]string{}
	for key, value := range one.Pod.Labels {
		// Cilium takes no label of a pod for one of its own.
		if !strings.HasPrefix(key, constants.LabelPrefix) {
			of[key] = value
		}
	}
	of[constants.PodNamespaceLabel] = one.Pod.Namespace
	of[constants.PolicyLabelCluster] = cluster
	of[constants.PolicyLabelServiceAccount] = "default"
	number := identity.NumericIdentity(1000 + index)
	if one.Pod.Cluster != nil {
		of[constants.PolicyLabelCluster] = *one.Pod.Cluster
		number += 1 << 16
	}
	for key, value := range one.Pod.NamespaceLabels {
		of[constants.PodNamespaceMetaLabelsPrefix+key] = value
	}
	return identity.NewIdentity(number, labels.Map2Labels(of, labels.LabelSourceK8s))
}

// What gets through to and from each subject with all of the policies.
func (world *world) inForce() []answer {
	answers := make([]answer, len(world.Subjects))
	for index, subject := range world.Subjects {
		result := answer{Common: []flow{}, Own: []int{}, Others: []int{}, Subject: subject, Looked: len(world.Flows)}
		if world.refused != nil {
			result.Error = world.refused.Error()
		} else if allows, err := world.resolve(subject); err != nil {
			result.Error = err.Error()
		} else {
			for place, flow := range world.Flows {
				if allows(flow) {
					result.Own = append(result.Own, place)
				}
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
	if one.Kind == "Pod" {
		result.TakenFor = takenFor(one.Object)
		return result
	}
	entries, err := readers[one.Kind](one.Object)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	if len(entries) == 0 {
		return result
	}
	name := resource(entries, "asked")
	selected, _, _ := world.repository.ReplaceByResource(entries, name)
	defer world.repository.ReplaceByResource(nil, name)
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
		if result.Subject < 0 && selected.Has(world.identities[subject].ID) {
			result.Subject = subject
		}
	}
	for id := range selected.Members() {
		place := world.places[id]
		if pod := world.Parties[place].Pod; !isSubject[place] && (pod == nil || pod.Cluster == nil) {
			result.Others = append(result.Others, place)
		}
	}
	slices.Sort(result.Others)
	if result.Subject < 0 {
		return result
	}
	// In a direction without entries the policy changes nothing, and the baseline alone is no question about the policy.
	var concerned [2]bool
	for _, entry := range entries {
		if entry.Ingress {
			concerned[0] = true
		} else {
			concerned[1] = true
		}
	}
	allows, err := world.resolve(result.Subject)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	if one.Common {
		for _, flow := range world.Flows {
			if !concerned[flow[0]] {
				continue
			}
			result.Looked++
			if len(result.Common) < mostListed && allows(flow) {
				result.Common = append(result.Common, flow)
			}
		}
	}
	for index, flow := range one.Flows {
		if !concerned[flow[0]] {
			continue
		}
		result.Looked++
		if allows(flow) {
			result.Own = append(result.Own, index)
		}
	}
	return result
}

// Who is let through to and from a pod with the policies of now.
func (world *world) resolve(subject int) (func(flow) bool, error) {
	id := world.identities[subject]
	endpoint := endpoint{number: uint64(id.ID), ports: world.Parties[subject].Pod.Ports}
	if world.OneByOne {
		return func(one flow) bool { return world.lookUp(subject, one) }, nil
	}
	resolved, _, err := world.repository.ComputeSelectorPolicy(id)
	if err != nil {
		return nil, err
	}
	// Whatever its rules for layer 7 say, some request gets through: what goes to the proxy counts as open.
	distilled := resolved.DistillPolicy(logger, endpoint, map[string]uint16{policy.FallbackRedirectID: 1})
	if err := distilled.Ready(); err != nil {
		return nil, err
	}
	distilled.Detach(logger)
	resolved.Supersede()
	return func(one flow) bool {
		key := policy.IngressKey()
		if one[0] == 1 {
			key = policy.EgressKey()
		}
		wire := world.Wires[one[2]]
		entry, _, _ := distilled.Lookup(key.WithIdentity(world.identities[one[1]].ID).WithPortProto(protocols[wire.Protocol], wire.Port))
		return entry.IsAllow()
	}, nil
}

// One flow as Cilium's own tests look it up.
func (world *world) lookUp(subject int, one flow) bool {
	pod := world.identities[subject]
	peer := world.identities[one[1]]
	wire := world.Wires[one[2]]
	asked := types.Flow{From: peer, To: pod, Proto: protocols[wire.Protocol], Dport: wire.Port}
	receiver := subject
	if one[0] == 1 {
		asked.From, asked.To = pod, peer
		receiver = one[1]
	}
	asked.NamedPortsTCP, asked.NamedPortsUDP = map[string]uint16{}, map[string]uint16{}
	if pod := world.Parties[receiver].Pod; pod != nil {
		for _, port := range pod.Ports {
			switch port.Protocol {
			case "TCP":
				asked.NamedPortsTCP[port.Name] = port.Port
			case "UDP":
				asked.NamedPortsUDP[port.Name] = port.Port
			}
		}
	}
	verdict, _, _, err := policy.LookupFlow(logger, world.repository, world.manager, asked)
	if err != nil {
		panic(err)
	}
	if one[0] == 1 {
		return verdict.Egress == types.DecisionAllowed
	}
	return verdict.Ingress == types.DecisionAllowed
}

var protocols = map[string]u8proto.U8proto{"TCP": u8proto.TCP, "UDP": u8proto.UDP, "SCTP": u8proto.SCTP}

// Cilium finds the policies of a pod by the namespace in the name of their resource.
func resource(entries types.PolicyEntries, name string) ipcache.ResourceID {
	namespace := ""
	for _, entry := range entries {
		for _, label := range entry.Labels {
			if label.Key == constants.PolicyLabelNamespace {
				namespace = label.Value
			}
		}
	}
	return ipcache.NewResourceID(ipcache.ResourceKindNetpol, namespace, name)
}

// The named ports of all pods, for what policies say of ports of their peers.
type portsOfAll struct{ ports named.NamedPortMultiMap }

func (all portsOfAll) GetNamedPorts() named.NamedPortMultiMap { return all.ports }

// The pod whose policies are resolved.
type endpoint struct {
	number uint64
	ports  []namedPort
}

func (one endpoint) GetID() uint64              { return one.number }
func (one endpoint) IsHost() bool               { return false }
func (one endpoint) PolicyDebug(string, ...any) {}
func (one endpoint) PreviousMapStateSizes() policy.MapStateSizes {
	return policy.MapStateSizes{}
}
func (one endpoint) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	closed := make(chan bool)
	close(closed)
	return closed
}
func (one endpoint) GetIngressNamedPort(name string, protocol u8proto.U8proto) uint16 {
	for _, port := range one.ports {
		if port.Name == name && protocols[port.Protocol] == protocol {
			return port.Port
		}
	}
	return 0
}
