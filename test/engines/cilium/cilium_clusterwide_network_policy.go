package main

import (
	"encoding/json"

	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/policy/utils"
)

func init() {
	readers["CiliumClusterwideNetworkPolicy"] = readCiliumClusterwideNetworkPolicy
}

// A policy of the platform, for pods of every namespace.
func readCiliumClusterwideNetworkPolicy(object json.RawMessage) (types.PolicyEntries, error) {
	var written v2.CiliumClusterwideNetworkPolicy
	if err := json.Unmarshal(object, &written); err != nil {
		return nil, err
	}
	rules, err := written.Parse(logger, cluster)
	if err != nil {
		return nil, err
	}
	return utils.RulesToPolicyEntries(rules), nil
}
