package main

import (
	"encoding/json"

	"github.com/cilium/cilium/pkg/k8s"
	networking "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/networking/v1"
	"github.com/cilium/cilium/pkg/policy/types"
)

// A NetworkPolicy as Cilium's agent reads it from the API server.
func readNetworkPolicy(object json.RawMessage) (types.PolicyEntries, error) {
	var written networking.NetworkPolicy
	if err := json.Unmarshal(object, &written); err != nil {
		return nil, err
	}
	return k8s.ParseNetworkPolicy(logger, cluster, &written)
}
