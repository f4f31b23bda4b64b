/** What the values change in the Deployment of manifests/base. */
import { stringify } from 'yaml';
import { defaultsOfBase } from './base-defaults.ts';
import type { Edit } from './edit.ts';
import { patchValues } from './sources.ts';

const container = '/spec/template/spec/containers/0';

/** Of the Deployment, and of the CronJob for reports. */
export const settingsVolume: Edit = {
  find: '- name: settings\n  configMap: { name: bulkhead-settings }',
  put: '- name: settings\n  configMap: { name: {{ .Values.existingSettings.configMap | default "bulkhead-settings" | quote }} }',
};

export function deploymentEdits(): readonly Edit[] {
  const { image, tag, replicas, priorityClassName } = defaultsOfBase();
  const files = patchValues('components/certificate-files');
  const replica = patchValues('overlays/self-managed');
  const volume = item(files.get('/spec/template/spec/volumes/-')).replace(
    'secretName: bulkhead-certificate-files',
    'secretName: {{ .Values.certificates.secretName | quote }}',
  );
  const tenants = (lines: string): Edit => ({
    find: lines,
    put: `{{- if eq .Values.tenancy.from "files" }}\n${lines}\n{{- end }}`,
  });
  const after = (line: string, put: string): Edit => ({ find: line, put: `${line}\n${put}` });
  return [
    { find: `replicas: ${replicas}`, put: 'replicas: {{ .Values.replicas }}' },
    {
      find: '  labels: *pods',
      put: `{{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 8 }}
{{- end }}
  labels:
    app.kubernetes.io/name: bulkhead
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 8 }}
    {{- end }}`,
    },
    {
      find: `priorityClassName: ${priorityClassName}`,
      put: `{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 8 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 8 }}
{{- end }}`,
    },
    {
      find: `# Built from the Dockerfile; name your registry with \`images:\` in an overlay.\nimage: ${image}:${tag}`,
      put: `image: {{ include "bulkhead.image" . | quote }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}`,
    },
    tenants('- --tenants=/etc/bulkhead/tenants'),
    {
      find: '# Where certificates come from is said by the overlay.\n- --webhook-configurations',
      put: '- --webhook-configurations',
    },
    after(
      '- --host=$(POD_IP)',
      `{{- if eq .Values.certificates.source "selfManaged" }}
${item(replica.get(`${container}/args/-`))}
{{- else }}
${item(files.get(`${container}/args/-`))}
{{- end }}
{{- if .Values.clientAuthority.configMap }}
- --client-ca=/etc/bulkhead/client-authority/ca.crt
{{- range .Values.clientAuthority.names }}
- {{ printf "--client-name=%s" . | quote }}
{{- end }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}`,
    ),
    {
      find: `  # No limit of CPU: being throttled would be waited for by everybody who creates a pod.
  requests: { cpu: 100m, memory: 192Mi }
  limits: { memory: 512Mi }`,
      put: '  {{- toYaml .Values.resources | nindent 12 }}',
    },
    tenants('- { name: tenants, mountPath: /etc/bulkhead/tenants, readOnly: true }'),
    after(
      '- { name: settings, mountPath: /etc/bulkhead/settings, readOnly: true }',
      `{{- if ne .Values.certificates.source "selfManaged" }}
${item(files.get(`${container}/volumeMounts/-`))}
{{- end }}
{{- if .Values.clientAuthority.configMap }}
- { name: client-authority, mountPath: /etc/bulkhead/client-authority, readOnly: true }
{{- end }}`,
    ),
    tenants('- name: tenants\n  configMap: { name: bulkhead-tenants }'),
    {
      find: settingsVolume.find,
      put: `${settingsVolume.put}
{{- if ne .Values.certificates.source "selfManaged" }}
${volume}
{{- end }}
{{- with .Values.clientAuthority.configMap }}
- name: client-authority
  configMap: { name: {{ . | quote }} }
{{- end }}`,
    },
    {
      find: 'minAvailable: 1',
      put: '# One replica alone must not keep a node from being drained.\nminAvailable: {{ gt (int .Values.replicas) 1 | ternary 1 0 }}',
    },
  ];
}

/** A value that a JSON patch appends to a list, as an item of that list. */
function item(value: unknown): string {
  return stringify([value], { lineWidth: 0 }).trimEnd();
}
