/** The values of the chart: their schema, defaults and descriptions. values.yaml, values.schema.json and docs/helm-values.md follow. */
import { command as serve } from '../../src/commands/serve.ts';
import { exemptionSchema } from '../../src/exemptions/exemption-schema.ts';
import { labelName, objectName } from '../../src/tenancy/schema/names.ts';
import { settingsSchema } from '../../src/tenancy/schema/settings-schema.ts';
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';
import { defaultsOfBase, reportSchedule } from './base-defaults.ts';
import { type JsonSchema, specOf } from './json-schema.ts';

/** A group of values, or one value with its default. */
export type Value =
  | { readonly about: string; readonly values: Values }
  | { readonly about: string; readonly default: unknown; readonly schema: JsonSchema };

export type Values = Readonly<Record<string, Value>>;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const texts = { type: 'object', additionalProperties: text } as const;
/** Checked by the API server. */
const any = { type: 'object' } as const;
const secretName = { ...text, pattern: objectName.pattern, maxLength: objectName.maxLength } as const;
const configMap = { ...text, maxLength: 253, pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$' } as const;
const base = defaultsOfBase();
/** Names and figures, as in the default. */
const limits = serve.options.rotation.default.split(',').map((limit) => limit.split('=')[0]);
const limit = `(${limits.join('|')})=[1-9][0-9]*`;
/** The options of `serve` that a replica in a cluster starts with, beside those that the chart gives it. */
const extraArgument = `^--(log-level=(${serve.options['log-level'].choices?.join('|')})|rotation=${limit}(,${limit})*)$`;

export const values: Values = {
  image: {
    about: 'The image of Bulkhead.',
    values: {
      repository: {
        about: 'Its name, with the registry.',
        default: base.image,
        schema: { ...text, pattern: '^[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?$' },
      },
      tag: {
        about: 'Its tag; the version of the chart when empty. `latest` is refused.',
        default: '',
        schema: { ...text, pattern: '^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$' },
      },
      digest: {
        about: 'Its digest, `sha256:…`. With a digest, the tag is only for readers.',
        default: '',
        schema: { ...text, pattern: '^(sha256:[0-9a-f]{64})?$' },
      },
      pullPolicy: {
        about: 'When the kubelet pulls it; the default of Kubernetes when empty.',
        default: '',
        schema: { enum: ['', 'Always', 'IfNotPresent', 'Never'] },
      },
      pullSecrets: {
        about: 'Names of Secrets of `bulkhead-system` with which it is pulled.',
        default: [],
        schema: { type: 'array', items: secretName },
      },
    },
  },
  settings: {
    about:
      'The `spec` of the [settings](settings.md). Without `platform.identities`, only the group system:masters is the platform.',
    default: {},
    schema: specOf(settingsSchema),
  },
  existingSettings: {
    about: 'Settings that the chart does not hold, in place of `settings`.',
    values: {
      configMap: {
        about:
          'The ConfigMap of `bulkhead-system` whose key `bulkhead.yaml` has the settings. When empty, the chart makes one of `settings`.',
        default: '',
        schema: configMap,
      },
      clusterPolicy: {
        about: 'Whether they have `network.clusterPolicy`, for which Bulkhead needs further rights.',
        default: false,
        schema: flag,
      },
    },
  },
  tenancy: {
    about: 'The tenants and exemptions.',
    values: {
      from: {
        about:
          '`files`: those below. `objects`: the Tenant and Exemption objects of the API server, which the chart does not hold.',
        default: 'files',
        schema: { enum: ['files', 'objects'] },
      },
      tenants: {
        about: 'The `spec` of each [tenant](tenant.md), by its name.',
        default: {},
        schema: {
          type: 'object',
          patternProperties: { [labelName.pattern]: specOf(tenantSchema) },
          additionalProperties: false,
        },
      },
      exemptions: {
        about: 'The `spec` of each [exemption](exemption.md), by its name.',
        default: {},
        schema: {
          type: 'object',
          patternProperties: { [objectName.pattern]: specOf(exemptionSchema) },
          additionalProperties: false,
        },
      },
    },
  },
  certificates: {
    about: 'Who issues the [certificates](certificates.md) of the webhook.',
    values: {
      source: {
        about:
          '`selfManaged`: the replicas. `certManager`: cert-manager, which must be installed. `static`: you, in a Secret that exists.',
        default: 'selfManaged',
        schema: { enum: ['selfManaged', 'certManager', 'static'] },
      },
      secretName: {
        about:
          'With `certManager` and `static`: the Secret of `bulkhead-system` with `tls.crt`, `tls.key` and `ca.crt`.',
        default: base.certificateSecret,
        schema: secretName,
      },
      issuerRef: {
        about: 'With `certManager`: the issuer of your platform. When empty, the chart makes a CA of its own.',
        default: {},
        schema: { type: 'object', properties: { name: text, kind: text, group: text }, additionalProperties: false },
      },
    },
  },
  clientAuthority: {
    about:
      'The CA that signs the [client certificate](../manifests/base/README.md#client-certificates) of the API servers.',
    values: {
      configMap: {
        about:
          'The ConfigMap of `bulkhead-system` whose key `ca.crt` has it. When empty, clients are not authenticated.',
        default: '',
        schema: configMap,
      },
      names: {
        about: 'Common names or DNS names that are accepted; all of them when empty.',
        default: [],
        schema: { type: 'array', items: { ...text, minLength: 1 } },
      },
    },
  },
  replicas: {
    about: 'The number of pods. Use at least 2, so that one answers while the other is replaced.',
    default: base.replicas,
    schema: { type: 'integer', minimum: 1 },
  },
  resources: {
    about: 'Requests and limits of the container. A limit of CPU delays everyone who creates a pod.',
    default: base.resources,
    schema: {
      type: 'object',
      properties: { requests: any, limits: any, claims: { type: 'array' } },
      additionalProperties: false,
    },
  },
  priorityClassName: { about: 'The PriorityClass of the pods.', default: base.priorityClassName, schema: text },
  nodeSelector: { about: 'Labels of the nodes that the pods may run on.', default: {}, schema: texts },
  tolerations: { about: 'Taints that the pods tolerate.', default: [], schema: { type: 'array', items: any } },
  podAnnotations: { about: 'Further annotations of the pods.', default: {}, schema: texts },
  podLabels: { about: 'Further labels of the pods.', default: {}, schema: texts },
  extraArgs: {
    about:
      'Further arguments of [`bulkhead serve`](command-line.md): `--log-level=LEVEL`, and `--rotation=LIMITS` with `certificates.source=selfManaged`.',
    default: [],
    schema: { type: 'array', items: { ...text, pattern: extraArgument } },
  },
  apiServerPorts: {
    about: 'Ports of API servers, to which the network policy of Bulkhead allows egress.',
    default: base.apiServerPorts,
    schema: { type: 'array', items: { type: 'integer', minimum: 1, maximum: 65535 }, minItems: 1, uniqueItems: true },
  },
  namespace: {
    about: 'The namespace `bulkhead-system`. Its name cannot be changed.',
    values: {
      create: {
        about: 'Whether the chart creates it, with its Pod Security labels, and deletes it with the release.',
        default: true,
        schema: flag,
      },
    },
  },
  crds: {
    about: 'The CustomResourceDefinitions.',
    values: {
      install: {
        about: 'Whether the chart creates and upgrades them. It never deletes them.',
        default: true,
        schema: flag,
      },
    },
  },
  roles: {
    about: 'ClusterRoles for [people and tools](how-to/rights.md), which you bind.',
    values: { create: { about: 'Whether the chart creates them.', default: false, schema: flag } },
  },
  reports: {
    about:
      'What an audit finds, as [reports](how-to/audit.md#reports) in the namespaces of tenants. The cluster needs the CustomResourceDefinition `reports.openreports.io`.',
    values: {
      enabled: {
        about: 'Whether the chart creates the CronJob and its rights, among them the ClusterRole `bulkhead-auditor`.',
        default: false,
        schema: flag,
      },
      schedule: { about: 'When it runs, as a CronJob takes it.', default: reportSchedule(), schema: text },
    },
  },
  monitoring: {
    about: 'Objects for [Prometheus and Grafana](how-to/monitor.md).',
    values: {
      enabled: { about: 'Whether the chart creates them.', default: false, schema: flag },
      operator: {
        about: 'Whether the Prometheus operator is installed: a PodMonitor and a PrometheusRule are created.',
        default: true,
        schema: flag,
      },
      dashboard: { about: 'Whether the ConfigMap with the dashboard is created.', default: true, schema: flag },
      labels: {
        about: 'Further labels of the PodMonitor and the PrometheusRule, such as `release: kube-prometheus-stack`.',
        default: {},
        schema: texts,
      },
      prometheus: {
        about: 'The pods that may scrape Bulkhead.',
        values: {
          namespace: {
            about: 'Their namespace, which must be one of the platform.',
            default: base.prometheus.namespace,
            schema: { ...text, pattern: labelName.pattern, maxLength: labelName.maxLength },
          },
          podLabels: {
            about: 'Their labels.',
            default: base.prometheus.podLabels,
            schema: { ...texts, minProperties: 1 },
          },
        },
      },
    },
  },
  backstop: {
    about:
      'The [backstop](outage.md#the-backstop) that `bulkhead backstop` has printed for these settings. Give it with `--set-file backstop=FILE`.',
    default: '',
    schema: text,
  },
};
