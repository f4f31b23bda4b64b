package main

import (
	"encoding/json"

	"github.com/cilium/cilium/pkg/identity"
	constants "github.com/cilium/cilium/pkg/k8s/apis/cilium.io"
	slim_core "github.com/cilium/cilium/pkg/k8s/slim/k8s/api/core/v1"
	"github.com/cilium/cilium/pkg/k8s/utils"
	"github.com/cilium/cilium/pkg/labels"
)

// What Cilium takes a pod for beside a pod of its namespace, by the questions that its own code asks about labels. Empty: nothing else.
func takenFor(written json.RawMessage) string {
	var pod slim_core.Pod
	if err := json.Unmarshal(written, &pod); err != nil {
		fail(err)
	}
	var namespace slim_core.Namespace
	namespace.Name = pod.Namespace
	of := labels.Map2Labels(utils.SanitizePodLabels(pod.Labels, &namespace, pod.Spec.ServiceAccountName, cluster), labels.LabelSourceK8s)
	if one := identity.LookupReservedIdentityByLabels(of); one != nil {
		return one.ID.String()
	}
	if identity.ScopeForLabels(of) != identity.IdentityScopeGlobal {
		return "an identity of another scope"
	}
	for _, one := range []struct {
		name string
		is   bool
	}{
		{"reserved", of.IsReserved()},
		{labels.LabelKeyFixedIdentity, of.HasFixedIdentityLabel()},
		{labels.IDNameHost, of.HasHostLabel()},
		{labels.IDNameInit, of.HasInitLabel()},
		{labels.IDNameHealth, of.HasHealthLabel()},
		{labels.IDNameIngress, of.HasIngressLabel()},
		{labels.IDNameRemoteNode, of.HasRemoteNodeLabel()},
		{labels.IDNameKubeAPIServer, of.HasKubeAPIServerLabel()},
		{labels.IDNameWorld, of.HasWorldLabel() || of.HasLabelWithKey(labels.IDNameWorld)},
		{labels.IDNameWorldIPv4, of.HasLabelWithKey(labels.IDNameWorldIPv4)},
		{labels.IDNameWorldIPv6, of.HasLabelWithKey(labels.IDNameWorldIPv6)},
		{"a pod of another namespace", of[constants.PodNamespaceLabel].Value != pod.Namespace},
		{"a pod of another cluster", of[constants.PolicyLabelCluster].Value != cluster},
	} {
		if one.is {
			return one.name
		}
	}
	return ""
}
