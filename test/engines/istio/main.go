// Command istio answers, with Istio's own translation of policies, whom an AuthorizationPolicy lets in: one JSON request a line in, one
// JSON answer a line out, the same as the other engines. test/engines/README.md describes both.
//
// A policy becomes Envoy's RBAC filters, once for HTTP and once for TCP, by the code of istiod; evaluate.go asks them. The policy is taken
// for the only one that allows, beside one that allows nothing: somebody is let in when its ALLOW rules match. What it means for ztunnel
// is not asked: it knows fewer wildcards (ambient/authorization.go of the same version).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"

	"istio.io/istio/pkg/log"
)

// Allowed flows of the world beyond these are not listed: one is enough to refute a proof.
const mostListed = 4

// What each kind of policy becomes: who gets in on a port. A kind is a file of its own.
var readers = map[string]func(json.RawMessage) (func(*caller, int) bool, error){
	"AuthorizationPolicy": readAuthorizationPolicy,
}

type request struct {
	Parties  []party `json:"parties"`
	Wires    []wire  `json:"wires"`
	Subjects []int   `json:"subjects"`
	// Looked up for each policy that asks for them.
	Flows    []flow  `json:"flows"`
	Policies []asked `json:"policies"`
	// One for each party. Nil: Istio does not know it.
	callers []*caller
}

// A pod, or an address without an identity of the mesh. What only Cilium knows is neither.
type party struct {
	Pod     *pod   `json:"pod"`
	Address string `json:"address"`
}

type pod struct {
	Namespace string `json:"namespace"`
	Address   string `json:"address"`
	// Of another cluster, whose pods Istio knows by their trust domain alone.
	Cluster string `json:"cluster"`
	// Empty: default.
	ServiceAccount string `json:"serviceAccount"`
	// Empty: cluster.local.
	TrustDomain string `json:"trustDomain"`
	// It speaks without TLS, and so has no identity.
	Plain bool `json:"plain"`
}

type wire struct {
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
}

// Direction (0 ingress, 1 egress, as the subject sees it), party, wire.
type flow [3]int

type asked struct {
	Kind     string          `json:"kind"`
	Object   json.RawMessage `json:"object"`
	Subjects []int           `json:"subjects"`
	Common   bool            `json:"common"`
	Flows    []flow          `json:"flows"`
}

type answer struct {
	Error   string `json:"error,omitempty"`
	Common  []flow `json:"common"`
	Own     []int  `json:"own"`
	Subject int    `json:"subject"`
	Others  []int  `json:"others"`
	Looked  int    `json:"looked"`
}

func main() {
	debug.SetGCPercent(400)
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	// istiod's own packages say on standard output what they do not understand.
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	for {
		line, err := input.ReadBytes('\n')
		if len(line) > 1 {
			var asks request
			if err := json.Unmarshal(line, &asks); err != nil {
				fail(err)
			}
			asks.callers = make([]*caller, len(asks.Parties))
			for index, one := range asks.Parties {
				asks.callers[index] = callerOf(one)
			}
			answers := make([]answer, len(asks.Policies))
			for index, one := range asks.Policies {
				answers[index] = asks.judge(one)
			}
			if err := output.Encode(answers); err != nil {
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

func (asks *request) judge(one asked) (result answer) {
	result = answer{Common: []flow{}, Own: []int{}, Others: []int{}, Subject: -1}
	defer func() {
		if recovered := recover(); recovered != nil {
			result.Error = fmt.Sprint(recovered)
		}
	}()
	admits, err := readers[one.Kind](one.Object)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	// Which pods a policy is about narrows nothing: it is tried on one that it selects.
	subjects := one.Subjects
	if len(subjects) == 0 {
		subjects = asks.Subjects
	}
	if len(subjects) > 0 {
		result.Subject = subjects[0]
	}
	// The policy is about requests that come in, by TCP.
	allows := func(one flow) bool {
		wire, from := asks.Wires[one[2]], asks.callers[one[1]]
		return one[0] == 0 && from != nil && wire.Protocol == "TCP" && admits(from, wire.Port)
	}
	if one.Common {
		for _, flow := range asks.Flows {
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

func callerOf(one party) *caller {
	switch {
	case one.Address != "":
		return &caller{address: addressOf(one.Address)}
	case one.Pod == nil || one.Pod.Cluster != "":
		return nil
	case one.Pod.Plain:
		return &caller{address: addressOf(one.Pod.Address)}
	}
	account, domain := one.Pod.ServiceAccount, one.Pod.TrustDomain
	if account == "" {
		account = "default"
	}
	if domain == "" {
		domain = "cluster.local"
	}
	return &caller{
		identity: fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", domain, one.Pod.Namespace, account),
		address:  addressOf(one.Pod.Address),
	}
}

// What is no address is in no range.
func addressOf(text string) netip.Addr {
	address, _ := netip.ParseAddr(text)
	return address
}
