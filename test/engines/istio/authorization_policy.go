package main

import (
	"encoding/json"
	"fmt"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbac "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbachttp "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	rbactcp "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	security "istio.io/api/security/v1beta1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/security/authz/builder"
	"istio.io/istio/pilot/pkg/security/trustdomain"
)

var domains = trustdomain.NewBundle("cluster.local", nil)

type written struct {
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec json.RawMessage `json:"spec"`
}

func readAuthorizationPolicy(object json.RawMessage) (func(*caller, int) bool, error) {
	var policy written
	if err := json.Unmarshal(object, &policy); err != nil {
		return nil, err
	}
	spec := &security.AuthorizationPolicy{}
	if len(policy.Spec) > 0 {
		if err := spec.UnmarshalJSON(policy.Spec); err != nil {
			return nil, err
		}
	}
	nobody := func(*caller, int) bool { return false }
	// DENY and AUDIT let nobody in, and CUSTOM only asks once more.
	if spec.Action != security.AuthorizationPolicy_ALLOW {
		return nobody, nil
	}
	one := model.AuthorizationPolicy{
		Name:        policy.Metadata.Name,
		Namespace:   policy.Metadata.Namespace,
		Annotations: policy.Metadata.Annotations,
		Spec:        spec,
	}
	built := builder.New(domains, nil, model.AuthorizationPoliciesResult{Allow: []model.AuthorizationPolicy{one}}, builder.Option{})
	var askers []asker
	for _, filter := range built.BuildHTTP() {
		read, err := ofHTTP(filter)
		if err != nil {
			return nil, err
		}
		askers = append(askers, askersOf(read)...)
	}
	for _, filter := range built.BuildTCP() {
		read, err := ofTCP(filter)
		if err != nil {
			return nil, err
		}
		askers = append(askers, askersOf(read)...)
	}
	return func(from *caller, port int) bool {
		for index := range askers {
			if askers[index].admits(from, port) {
				return true
			}
		}
		return false
	}, nil
}

// Without rules (a dry-run has only shadow rules) the filter enforces nothing, and the policy opens nothing.
func ofHTTP(filter *hcm.HttpFilter) (*rbac.RBAC, error) {
	config := &rbachttp.RBAC{}
	if err := filter.GetTypedConfig().UnmarshalTo(config); err != nil {
		return nil, fmt.Errorf("%s: %w", filter.GetName(), err)
	}
	return config.GetRules(), nil
}

func ofTCP(filter *listener.Filter) (*rbac.RBAC, error) {
	config := &rbactcp.RBAC{}
	if err := filter.GetTypedConfig().UnmarshalTo(config); err != nil {
		return nil, fmt.Errorf("%s: %w", filter.GetName(), err)
	}
	return config.GetRules(), nil
}
