/** The templates of the chart that follow from the manifests. */
import { basename } from 'node:path';
import { defaultsOfBase, reportSchedule } from './base-defaults.ts';
import { deploymentEdits, settingsVolume } from './deployment-edits.ts';
import { type Edit, edit } from './edit.ts';
import { labelled, resources } from './sources.ts';
import { webhookTemplate } from './webhook-template.ts';

export interface File {
  readonly file: string;
  readonly text: string;
}

const webhooks = resources('base').filter((path) => path.startsWith('base/webhooks-'));
const prometheus = 'overlays/prometheus';

export function templateFiles(): readonly File[] {
  const [namespace = '', ...others] = labelled('base', 'base/namespace.yaml');
  const clusterPolicyAccess = 'components/cluster-policy/access.yaml';
  const certificateAccess = 'overlays/self-managed/access.yaml';
  return [
    template('crds.yaml', 'crds', when('.Values.crds.install', resources('crds').flatMap(definition))),
    template(
      'namespace.yaml',
      'base/namespace.yaml',
      when('.Values.namespace.create', [namespace]) + edit('base/namespace.yaml', joined(others), [onlyInstalled]),
    ),
    template('access.yaml', 'base/access.yaml', joined(labelled('base', 'base/access.yaml'))),
    template(
      'cluster-policy.yaml',
      clusterPolicyAccess,
      // With false, the rights stay until the objects are removed.
      when(
        'or .Values.existingSettings.clusterPolicy (hasKey (default dict .Values.settings.network) "clusterPolicy")',
        labelled('components/cluster-policy', clusterPolicyAccess),
      ),
    ),
    template('deployment.yaml', 'base/deployment.yaml', edited('base', 'base/deployment.yaml', deploymentEdits())),
    template('network.yaml', 'base/network.yaml', edited('base', 'base/network.yaml', [apiServerPorts])),
    template(
      'certificates-self-managed.yaml',
      certificateAccess,
      when('eq .Values.certificates.source "selfManaged"', labelled('overlays/self-managed', certificateAccess)),
    ),
    template('certificates-cert-manager.yaml', 'overlays/cert-manager/certificate.yaml', certManager()),
    template('roles.yaml', 'components/roles', roles()),
    template('reports.yaml', 'components/reports', reports()),
    template('monitoring-network-policy.yaml', `${prometheus}/network-policy.yaml`, scrapers()),
    template('monitoring-operator.yaml', prometheus, operated()),
    ...webhooks.map((path) => template(basename(path), path, joined(labelled('base', path).map(webhookTemplate)))),
  ];
}

function template(file: string, from: string, content: string): File {
  return { file, text: `{{- /* Made by npm run manifests from manifests/${from}. */ -}}\n${content}` };
}

function when(condition: string, documents: readonly string[]): string {
  return `{{- if ${condition} }}\n${joined(documents)}{{- end }}\n`;
}

function joined(documents: readonly string[]): string {
  return documents.map((document) => `---\n${document}`).join('');
}

function edited(folder: string, path: string, edits: readonly Edit[]): string {
  return edit(path, joined(labelled(folder, path)), edits);
}

/** Deleting a definition deletes all objects of its kind, so Helm never does. */
function definition(path: string): readonly string[] {
  const keep: Edit = { find: 'metadata:', put: 'metadata:\n  annotations:\n    helm.sh/resource-policy: keep' };
  return labelled('base', path).map((text) => editFirst(path, text, keep));
}

/** The schema of a definition has lines like those of its own head. */
function editFirst(path: string, text: string, change: Edit): string {
  const end = text.indexOf('\nspec:');
  return edit(path, text.slice(0, end), [change]) + text.slice(end);
}

/** The reports need the role of auditors. */
function roles(): string {
  const own = resources('components/roles');
  const isOfReports = (path: string) => path.endsWith('/auditor.yaml');
  const documents = (paths: readonly string[]) => paths.flatMap((path) => labelled('components/roles', path));
  return (
    when('or .Values.roles.create .Values.reports.enabled', documents(own.filter(isOfReports))) +
    when('.Values.roles.create', documents(own.filter((path) => !isOfReports(path))))
  );
}

function reports(): string {
  const folder = 'components/reports';
  const tenants = (find: string): Edit => ({
    find,
    put: `{{- if eq .Values.tenancy.from "files" }}\n${find}\n{{- end }}`,
  });
  const { image, tag } = defaultsOfBase();
  const job = `${folder}/cron-job.yaml`;
  const edits: readonly Edit[] = [
    { find: `schedule: "${reportSchedule()}"`, put: 'schedule: {{ .Values.reports.schedule | quote }}' },
    {
      find: `# The image of the Deployment.\nimage: ${image}:${tag}`,
      put: `image: {{ include "bulkhead.image" . | quote }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}`,
    },
    {
      find: 'restartPolicy: Never',
      put: `restartPolicy: Never
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}`,
    },
    tenants('- --tenants=/etc/bulkhead/tenants'),
    tenants('- { name: tenants, mountPath: /etc/bulkhead/tenants, readOnly: true }'),
    tenants('- name: tenants\n  configMap: { name: bulkhead-tenants }'),
    settingsVolume,
  ];
  return when('.Values.reports.enabled', [
    ...labelled(folder, `${folder}/access.yaml`),
    ...labelled(folder, job).map((text) => edit(job, text, edits)),
  ]);
}

/**
 * Bulkhead reviews quotas of this namespace, as it has the tenant label. Helm 4 writes every object with each upgrade, also if nothing changes.
 * So an upgrade that repairs Bulkhead would be refused while it is down. As a hook, the quota is written by an installation alone.
 */
const onlyInstalled: Edit = {
  find: 'metadata:\n  name: no-pods',
  put: 'metadata:\n  annotations:\n    helm.sh/hook: post-install\n  name: no-pods',
};

const apiServerPorts: Edit = {
  find: [443, 6443, 8443].map((port) => `- { protocol: TCP, port: ${port} }`).join('\n'),
  put: ['{{- range .Values.apiServerPorts }}', '- { protocol: TCP, port: {{ . }} }', '{{- end }}'].join('\n'),
};

/** With an issuer of the platform, only the last document is left. */
function certManager(): string {
  const folder = 'overlays/cert-manager';
  const path = `${folder}/certificate.yaml`;
  const documents = labelled(folder, path);
  const certificate = edit(path, documents.at(-1) ?? '', [
    {
      find: 'secretName: bulkhead-certificate-files',
      put: 'secretName: {{ .Values.certificates.secretName | quote }}',
    },
    {
      find: 'issuerRef: { kind: Issuer, name: bulkhead-authority }',
      put: [
        '{{- with .Values.certificates.issuerRef }}',
        'issuerRef: {{ toJson . }}',
        '{{- else }}',
        'issuerRef: { kind: Issuer, name: bulkhead-authority }',
        '{{- end }}',
      ].join('\n'),
    },
  ]);
  const own = when('not .Values.certificates.issuerRef', documents.slice(0, -1));
  return `{{- if eq .Values.certificates.source "certManager" }}\n${own}${joined([certificate])}{{- end }}\n`;
}

function scrapers(): string {
  const path = `${prometheus}/network-policy.yaml`;
  const documents = labelled(prometheus, path).map((text) =>
    edit(path, text, [
      {
        find: 'kubernetes.io/metadata.name: monitoring',
        put: 'kubernetes.io/metadata.name: {{ .Values.monitoring.prometheus.namespace | quote }}',
      },
      {
        find: '  app.kubernetes.io/name: prometheus',
        put: '  {{- toYaml .Values.monitoring.prometheus.podLabels | nindent 14 }}',
      },
    ]),
  );
  return when('.Values.monitoring.enabled', documents);
}

function operated(): string {
  const more: Edit = {
    find: '  labels:',
    put: '  labels:\n  {{- with .Values.monitoring.labels }}\n  {{- toYaml . | nindent 4 }}\n  {{- end }}',
  };
  const documents = ['pod-monitor', 'prometheus-rule'].flatMap((name) => {
    const path = `${prometheus}/${name}.yaml`;
    return labelled(prometheus, path).map((text) => editFirst(path, text, more));
  });
  return when('and .Values.monitoring.enabled .Values.monitoring.operator', documents);
}
