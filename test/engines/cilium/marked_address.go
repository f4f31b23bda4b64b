package main

import (
	"encoding/json"
	"strings"

	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/policy/api"
)

// The labels that an address has beside those of its CIDR. Cilium's agent learns of the names from its DNS proxy, and of the groups from
// the API server; both end as labels of the identity.

// The names that the policies of a request ask for.
func namesIn(asks request) []api.FQDNSelector {
	var found []api.FQDNSelector
	for _, one := range asks.Policies {
		if one.Kind != "CiliumNetworkPolicy" || !strings.Contains(string(one.Object), "toFQDNs") {
			continue
		}
		type spec struct {
			Egress []struct {
				ToFQDNs []api.FQDNSelector `json:"toFQDNs"`
			} `json:"egress"`
		}
		var written struct {
			Spec  spec   `json:"spec"`
			Specs []spec `json:"specs"`
		}
		if err := json.Unmarshal(one.Object, &written); err != nil {
			continue
		}
		for _, spec := range append(written.Specs, written.Spec) {
			for _, rule := range spec.Egress {
				found = append(found, rule.ToFQDNs...)
			}
		}
	}
	return found
}

// What the manager of names does with an answer of the DNS (pkg/fqdn/namemanager).
func labelsOfNames(names []string, patterns []api.FQDNSelector) labels.LabelArray {
	found := labels.LabelArray{}
	for _, pattern := range patterns {
		matcher, err := pattern.ToRegex()
		if err != nil {
			continue
		}
		for _, name := range names {
			if matcher.MatchString(name + ".") {
				found = append(found, pattern.IdentityLabel())
				break
			}
		}
	}
	return found
}

func (one *group) labels() labels.LabelArray {
	found := labels.LabelArray{}
	if one == nil {
		return found
	}
	found = append(found, api.LabelForCIDRGroupRef(one.Name))
	for key, value := range one.Labels {
		// Whether the key is there; its values are in the other form.
		found = append(found, labels.NewLabel(key, value, labels.LabelSourceCIDRGroup))
		found = append(found, labels.EncodedCIDRGroupLabel(key, value, labels.LabelSourceCIDRGroup))
	}
	for _, external := range one.External {
		found = append(found, labels.NewLabel(external.LabelKey(), "", labels.LabelSourceCIDRGroup))
	}
	return found
}
