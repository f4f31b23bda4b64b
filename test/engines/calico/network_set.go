package main

import (
	"encoding/json"
	"maps"
)

// The labels by which policies select the addresses of a NetworkSet: written from ConvertK8sResourceToCalicoResource, networksetprocessor.go
// and felix/labelindex, where its own labels come before those of its namespace. JSON is read by Go, as Calico does.

type networkSet struct {
	Metadata struct {
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
}

// Nil: Calico cannot read the object, and leaves it out.
func (set networkSet) labels() map[string]string {
	labels := map[string]string{}
	for key, value := range set.NamespaceLabels {
		labels["pcns."+key] = value
	}
	labels["pcns.projectcalico.org/name"] = set.Metadata.Namespace
	maps.Copy(labels, set.Metadata.Labels)
	if text, found := set.Metadata.Annotations["projectcalico.org/metadata"]; found {
		var stored struct {
			Labels map[string]string `json:"labels"`
		}
		if err := json.Unmarshal([]byte(text), &stored); err != nil {
			return nil
		}
		maps.Copy(labels, stored.Labels)
	}
	labels["projectcalico.org/namespace"] = set.Metadata.Namespace
	return labels
}
