package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/projectcalico/calico/libcalico-go/lib/selector/parser"
)

// Which flows a NetworkPolicy of Calico lets through, as test/engines/protocol.ts asks: written from Calico's documentation and
// felix/rules, which cannot be built, one packet and one rule at a time. Selectors are Calico's own code. Pass counts as an allow: behind the
// last tier the profile of a namespace allows everything.

type party struct {
	Pod      *pod   `json:"pod"`
	Address  string `json:"address"`
	Reserved string `json:"reserved"`
	// Of a host endpoint.
	Labels map[string]string `json:"labels"`
}

type pod struct {
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
	Cluster         string            `json:"cluster"`
	Address         string            `json:"address"`
	Ports           []namedPort       `json:"ports"`
	// The addresses of a NetworkSet.
	Set bool `json:"set"`
}

type namedPort struct {
	Name string `json:"name"`
	wire
}

type wire struct {
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
}

// Direction (0 ingress, 1 egress, as the subject sees it), party, wire.
type flow [3]int

type asked struct {
	Kind     string `json:"kind"`
	Object   policy `json:"object"`
	Subjects []int  `json:"subjects"`
	Common   bool   `json:"common"`
	Flows    []flow `json:"flows"`
}

type flows struct {
	Error   string `json:"error,omitempty"`
	Common  []flow `json:"common"`
	Own     []int  `json:"own"`
	Subject int    `json:"subject"`
	Others  []int  `json:"others"`
	Looked  int    `json:"looked"`
}

type policy struct {
	Metadata struct {
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Selector string `json:"selector"`
		// Missing: those that have rules.
		Types                  []string `json:"types"`
		ServiceAccountSelector string   `json:"serviceAccountSelector"`
		Ingress                []rule   `json:"ingress"`
		Egress                 []rule   `json:"egress"`
	} `json:"spec"`
}

type rule struct {
	Action      string          `json:"action"`
	Protocol    json.RawMessage `json:"protocol"`
	NotProtocol json.RawMessage `json:"notProtocol"`
	Source      side            `json:"source"`
	Destination side            `json:"destination"`
}

type side struct {
	entity
	Nets     []string          `json:"nets"`
	NotNets  []string          `json:"notNets"`
	Ports    []json.RawMessage `json:"ports"`
	NotPorts []json.RawMessage `json:"notPorts"`
	// Its addresses are what EndpointSlices say, and those can say anything: everybody.
	Services *struct{} `json:"services"`
}

// What Calico knows of one end of a packet.
type end struct {
	labels  map[string]string
	address netip.Addr
	ports   []namedPort
	// No endpoint and no network set has this address.
	unknown bool
}

const mostListed = 4

func endOf(one party) end {
	switch {
	case one.Reserved != "":
		// A host endpoint, or a set of addresses of the whole cluster: with the labels that it is given, and in no namespace.
		return end{labels: maps.Clone(one.Labels)}
	case one.Address != "":
		return end{address: netip.MustParseAddr(one.Address), unknown: true}
	case one.Pod.Cluster != "":
		return end{address: addressOf(one.Pod), unknown: true}
	}
	labels := map[string]string{}
	for key, value := range one.Pod.Labels {
		if !strings.HasPrefix(key, "pcns.") {
			labels[key] = value
		}
	}
	for key, value := range one.Pod.NamespaceLabels {
		labels["pcns."+key] = value
	}
	labels["pcns.projectcalico.org/name"] = one.Pod.Namespace
	labels["projectcalico.org/namespace"] = one.Pod.Namespace
	if one.Pod.Set {
		return end{labels: labels, address: addressOf(one.Pod)}
	}
	labels["projectcalico.org/orchestrator"] = "k8s"
	// A witness says these of the account of the pod.
	if labels["projectcalico.org/serviceaccount"] == "" {
		labels["projectcalico.org/serviceaccount"] = "default"
	}
	return end{labels: labels, address: addressOf(one.Pod), ports: one.Pod.Ports}
}

func addressOf(one *pod) netip.Addr {
	address, err := netip.ParseAddr(one.Address)
	if err != nil {
		panic(err)
	}
	return address
}

func (r request) judge(one asked) (result flows) {
	result = flows{Common: []flow{}, Own: []int{}, Others: []int{}, Subject: -1}
	defer func() {
		if recovered := recover(); recovered != nil {
			result.Error = fmt.Sprint(recovered)
		}
	}()
	spec := one.Object.Spec
	namespace := one.Object.Metadata.Namespace
	selects := func(place int) bool {
		of := r.ends[place]
		return !of.unknown && of.labels["projectcalico.org/namespace"] == namespace && matches(spec.Selector, of.labels)
	}
	subjects := r.Subjects
	if len(one.Subjects) > 0 {
		subjects = one.Subjects
	}
	for place := range r.ends {
		if !selects(place) {
			continue
		}
		if slices.Contains(subjects, place) {
			if result.Subject < 0 {
				result.Subject = place
			}
		} else if !slices.Contains(r.Subjects, place) {
			result.Others = append(result.Others, place)
		}
	}
	for _, place := range subjects {
		if selects(place) {
			result.Subject = place
			break
		}
	}
	if result.Subject < 0 {
		return result
	}
	allows := func(one flow) bool {
		if len(spec.Types) > 0 && !slices.Contains(spec.Types, typeNames[one[0]]) {
			return false
		}
		own, other, wire := r.ends[result.Subject], r.ends[one[1]], r.Wires[one[2]]
		if one[0] == 0 {
			return decide(spec.Ingress, other, own, wire, namespace)
		}
		return decide(spec.Egress, own, other, wire, namespace)
	}
	concerned := [2]bool{len(spec.Ingress) > 0, len(spec.Egress) > 0}
	if one.Common {
		for _, flow := range r.Flows {
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

var typeNames = [2]string{"Ingress", "Egress"}

// A match of HTTP requests closes no port: some request gets through.
func decide(rules []rule, source, destination end, on wire, namespace string) bool {
	for _, one := range rules {
		if !one.matches(source, destination, on, namespace) {
			continue
		}
		switch one.Action {
		case "Allow", "Pass":
			return true
		case "Deny":
			return false
		case "Log":
		default:
			panic("no action")
		}
	}
	return false
}

func (one rule) matches(source, destination end, on wire, namespace string) bool {
	if len(one.Protocol) > 0 && !isProtocol(one.Protocol, on.Protocol) {
		return false
	}
	if len(one.NotProtocol) > 0 && isProtocol(one.NotProtocol, on.Protocol) {
		return false
	}
	return one.Source.has(source, namespace) && one.Destination.has(destination, namespace) &&
		one.Destination.opens(on, destination.ports) && len(one.Source.Ports) == 0
}

var numbers = map[string]string{"6": "TCP", "17": "UDP", "132": "SCTP"}

func isProtocol(written json.RawMessage, protocol string) bool {
	text := strings.Trim(string(written), `"`)
	if name, found := numbers[text]; found {
		text = name
	}
	return text == protocol
}

func (one side) has(who end, namespace string) bool {
	own := one.entity
	own.Namespace = namespace
	if selector := own.effective(); selector != "" && (who.unknown || !matches(selector, who.labels)) {
		return false
	}
	if one.NotSelector != "" && !who.unknown && matches(one.NotSelector, who.labels) {
		return false
	}
	if len(one.Nets) > 0 && !isIn(one.Nets, who.address) {
		return false
	}
	return len(one.NotNets) == 0 || !isIn(one.NotNets, who.address)
}

func isIn(nets []string, address netip.Addr) bool {
	for _, text := range nets {
		if !strings.Contains(text, "/") {
			if netip.MustParseAddr(text) == address {
				return true
			}
		} else if netip.MustParsePrefix(text).Contains(address) {
			return true
		}
	}
	return false
}

func (one side) opens(on wire, names []namedPort) bool {
	return (len(one.Ports) == 0 || isOn(one.Ports, on, names)) && (len(one.NotPorts) == 0 || !isOn(one.NotPorts, on, names))
}

func isOn(ports []json.RawMessage, on wire, names []namedPort) bool {
	for _, written := range ports {
		text := strings.Trim(string(written), `"`)
		first, last, isRange := strings.Cut(text, ":")
		if !isRange {
			last = first
		}
		begin, err := strconv.Atoi(first)
		if err != nil {
			for _, one := range names {
				if one.Name == text && one.wire == on {
					return true
				}
			}
			continue
		}
		end, err := strconv.Atoi(last)
		if err != nil {
			panic(err)
		}
		if begin <= on.Port && on.Port <= end {
			return true
		}
	}
	return false
}

// Parsed once.
var selectors = map[string]parser.Selector{}

func matches(text string, labels map[string]string) bool {
	selector, found := selectors[text]
	if !found {
		parsed, err := parser.Parse(text)
		if err != nil {
			panic(err)
		}
		if len(selectors) > 100_000 {
			clear(selectors)
		}
		selectors[text] = parsed
		selector = parsed
	}
	return selector.Evaluate(labels)
}
