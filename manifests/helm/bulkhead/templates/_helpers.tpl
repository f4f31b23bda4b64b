{{- /*
The image. A tag that moves would bring another version at the next start of a pod, without an upgrade and without a rollback.
*/}}
{{- define "bulkhead.image" -}}
{{- $image := .Values.image }}
{{- $tag := $image.tag | default .Chart.AppVersion }}
{{- if and (eq $tag "latest") (not $image.digest) }}
{{- fail "image.tag is latest, which names another image later: name a version, or image.digest" }}
{{- end }}
{{- printf "%s:%s" $image.repository $tag }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /*
What Bulkhead has written into the webhooks of a configuration that is in the cluster, by their names: failurePolicy and namespaceSelector.
Empty where there is none: before an installation, and in `helm template`.
*/}}
{{- define "bulkhead.written" -}}
{{- $written := dict }}
{{- range (lookup "admissionregistration.k8s.io/v1" .kind "" .name).webhooks }}
{{- $_ := set $written .name (pick . "failurePolicy" "namespaceSelector") }}
{{- end }}
{{- toJson $written }}
{{- end }}

{{- /*
The spec of the settings in a ConfigMap of the cluster, as YAML. Empty in `helm template`.
*/}}
{{- define "bulkhead.settingsIn" -}}
{{- toYaml (lookup "v1" "ConfigMap" "bulkhead-system" . | dig "data" "bulkhead.yaml" "" | fromYaml).spec }}
{{- end }}

{{- /*
Values that the schema takes and that make no sense together.
*/}}
{{- define "bulkhead.checked" -}}
{{- if and .Values.namespace.create (eq .Release.Namespace "bulkhead-system") }}
{{- fail "the release cannot be in bulkhead-system, which this chart creates and deletes: give --namespace with another namespace of the platform, such as kube-system; or create bulkhead-system yourself, and set namespace.create=false" }}
{{- end }}
{{- $existing := .Values.existingSettings.configMap }}
{{- if and $existing .Values.settings }}
{{- fail "settings and existingSettings.configMap are both given: remove one of them" }}
{{- end }}
{{- if has $existing (list "bulkhead-settings" "bulkhead-tenants" "bulkhead-dashboard") }}
{{- fail (printf "existingSettings.configMap is %s, which this chart creates and deletes: give your ConfigMap another name" $existing) }}
{{- end }}
{{- /* Where the namespace is, the ConfigMap can be, too. Without it new pods would wait, and bulkhead-settings would be gone for those that start again. */}}
{{- if and $existing (lookup "v1" "Namespace" "" "bulkhead-system") }}
{{- if not (lookup "v1" "ConfigMap" "bulkhead-system" $existing | dig "data" "bulkhead.yaml" "") }}
{{- fail (printf "existingSettings.configMap is %s, and bulkhead-system has no ConfigMap of this name with the key bulkhead.yaml, so no pod could start: apply it first, or correct the name" $existing) }}
{{- end }}
{{- end }}
{{- if and .Values.existingSettings.clusterPolicy (not $existing) }}
{{- fail "existingSettings.clusterPolicy needs existingSettings.configMap; without it, settings.network.clusterPolicy decides" }}
{{- end }}
{{- /* The labels of the namespace, and existing settings, are known to an installation, and not to `helm template`. */}}
{{- $settings := .Values.settings }}
{{- with $existing }}
{{- $settings = include "bulkhead.settingsIn" . | fromYaml }}
{{- end }}
{{- $label := $settings.tenantLabel | default "bulkhead.dev/tenant" }}
{{- with lookup "v1" "Namespace" "" .Release.Namespace | dig "metadata" "labels" $label "" }}
{{- fail (printf "the release cannot be in %s, a namespace of tenant %s: members who write the Secret of a release decide what a rollback applies. Give --namespace with a namespace of the platform, such as kube-system" $.Release.Namespace .) }}
{{- end }}
{{- if eq .Values.tenancy.from "objects" }}
{{- range $field := list "tenants" "exemptions" }}
{{- if get $.Values.tenancy $field }}
{{- fail (printf "tenancy.%s has no effect with tenancy.from=objects: apply them as objects, and remove them from the values" $field) }}
{{- end }}
{{- end }}
{{- end }}
{{- /* An upgrade without the values of before would start pods that know no tenant, and no platform. */}}
{{- $again := "an upgrade needs all your values again: give --values FILE, or --reset-then-reuse-values. To drop them on purpose, delete the ConfigMap %s of bulkhead-system first" }}
{{- $mounted := "bulkhead-settings" }}
{{- range lookup "apps/v1" "Deployment" "bulkhead-system" "bulkhead" | dig "spec" "template" "spec" "volumes" list }}
{{- if eq .name "settings" }}
{{- $mounted = dig "configMap" "name" $mounted . }}
{{- end }}
{{- end }}
{{- if not (or .Values.settings $existing) }}
{{- if include "bulkhead.settingsIn" $mounted | fromYaml }}
{{- fail (printf "settings is empty, and the settings in force are not; %s" (printf $again $mounted)) }}
{{- end }}
{{- end }}
{{- $tenants := lookup "v1" "ConfigMap" "bulkhead-system" "bulkhead-tenants" | dig "data" dict }}
{{- if and $tenants (eq .Values.tenancy.from "files") (not .Values.tenancy.tenants) }}
{{- fail (printf "tenancy.tenants is empty, and there are tenants in force; %s" (printf $again "bulkhead-tenants")) }}
{{- end }}
{{- if hasKey .Values.podLabels "app.kubernetes.io/name" }}
{{- fail "podLabels cannot set app.kubernetes.io/name, by which the Service finds the pods: remove it" }}
{{- end }}
{{- if and .Values.clientAuthority.names (not .Values.clientAuthority.configMap) }}
{{- fail "clientAuthority.names needs clientAuthority.configMap, the ConfigMap with the CA that signs their certificates" }}
{{- end }}
{{- if ne .Values.certificates.source "selfManaged" }}
{{- range .Values.extraArgs }}
{{- if hasPrefix "--rotation=" . }}
{{- fail "extraArgs: --rotation needs certificates.source=selfManaged, whose certificates Bulkhead renews itself" }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.certificates.issuerRef (ne .Values.certificates.source "certManager") }}
{{- fail (printf "certificates.issuerRef has no effect with certificates.source=%s: set certManager, or remove it" .Values.certificates.source) }}
{{- end }}
{{- end }}
