package main

import (
	"encoding/json"

	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A NetworkPolicy as the API means it, in the words that cyclonus takes in the same sense: in its matcher NotIn asks that the label is
// there (pkg/kube/labelselector.go), while for the API an object without the label matches too. So each selector with NotIn becomes
// several, one of them with DoesNotExist, and their union is what is meant. And an empty value in matchLabels matches an object without
// the label there, while for the API it must be there: such a value becomes an In.
func readNetworkPolicy(object json.RawMessage) ([]*networking.NetworkPolicy, error) {
	var written networking.NetworkPolicy
	if err := json.Unmarshal(object, &written); err != nil {
		return nil, err
	}
	for index := range written.Spec.Ingress {
		written.Spec.Ingress[index].From = alternativePeers(written.Spec.Ingress[index].From)
	}
	for index := range written.Spec.Egress {
		written.Spec.Egress[index].To = alternativePeers(written.Spec.Egress[index].To)
	}
	var policies []*networking.NetworkPolicy
	for _, subject := range alternatives(&written.Spec.PodSelector) {
		one := written.DeepCopy()
		one.Spec.PodSelector = *subject
		policies = append(policies, one)
	}
	return policies, nil
}

func alternativePeers(written []networking.NetworkPolicyPeer) []networking.NetworkPolicyPeer {
	var peers []networking.NetworkPolicyPeer
	for _, peer := range written {
		for _, namespaces := range alternatives(peer.NamespaceSelector) {
			for _, pods := range alternatives(peer.PodSelector) {
				peers = append(peers, networking.NetworkPolicyPeer{PodSelector: pods, NamespaceSelector: namespaces, IPBlock: peer.IPBlock})
			}
		}
	}
	return peers
}

// Selectors of which at least one matches whatever the written one matches, and none matches anything else.
func alternatives(written *meta.LabelSelector) []*meta.LabelSelector {
	if written == nil {
		return []*meta.LabelSelector{nil}
	}
	first := &meta.LabelSelector{MatchLabels: map[string]string{}}
	for key, value := range written.MatchLabels {
		if value != "" {
			first.MatchLabels[key] = value
			continue
		}
		empty := meta.LabelSelectorRequirement{Key: key, Operator: meta.LabelSelectorOpIn, Values: []string{""}}
		first.MatchExpressions = append(first.MatchExpressions, empty)
	}
	all := []*meta.LabelSelector{first}
	for _, requirement := range written.MatchExpressions {
		choices := []meta.LabelSelectorRequirement{requirement}
		if requirement.Operator == meta.LabelSelectorOpNotIn {
			choices = append(choices, meta.LabelSelectorRequirement{Key: requirement.Key, Operator: meta.LabelSelectorOpDoesNotExist})
		}
		var more []*meta.LabelSelector
		for _, one := range all {
			for _, choice := range choices {
				longer := one.DeepCopy()
				longer.MatchExpressions = append(longer.MatchExpressions, choice)
				more = append(more, longer)
			}
		}
		all = more
	}
	return all
}
