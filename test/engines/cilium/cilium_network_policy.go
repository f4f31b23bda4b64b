package main

import (
	"encoding/json"

	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy/api"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/policy/utils"
)

// Every part of the language is on, and the name of the cluster is known.
func init() {
	api.InitEntities(cluster)
	option.Config.EnableNonDefaultDenyPolicies = true
	option.Config.EnableL7Proxy = true
	option.Config.EnableICMPRules = true
	option.Config.EnableExtendedIPProtocols = true
	option.Config.EnableNodeSelectorLabels = true
}

// A CiliumNetworkPolicy as Cilium's agent reads it from the API server, but for toServices, which it looks up in the cluster.
func readCiliumNetworkPolicy(object json.RawMessage) (types.PolicyEntries, error) {
	var written v2.CiliumNetworkPolicy
	if err := json.Unmarshal(object, &written); err != nil {
		return nil, err
	}
	rules, err := written.Parse(logger, cluster)
	if err != nil {
		return nil, err
	}
	return utils.RulesToPolicyEntries(rules), nil
}
