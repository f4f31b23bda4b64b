package main

import (
	"encoding/json"

	"github.com/cilium/cilium/pkg/k8s"
	"github.com/cilium/cilium/pkg/policy/types"
	"sigs.k8s.io/network-policy-api/apis/v1alpha2"
)

// A ClusterNetworkPolicy as Cilium's agent reads it from the API server.
func readClusterNetworkPolicy(object json.RawMessage) (types.PolicyEntries, error) {
	var written v1alpha2.ClusterNetworkPolicy
	if err := json.Unmarshal(object, &written); err != nil {
		return nil, err
	}
	return k8s.ParseClusterNetworkPolicy(logger, cluster, &written)
}
