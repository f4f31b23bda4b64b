/** Values whose defaults stand in manifests/base and its components. */
import { parse, parseAllDocuments } from 'yaml';
import { patchValues, source } from './sources.ts';

interface Deployment {
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: {
        readonly priorityClassName: string;
        readonly containers: readonly [{ readonly image: string; readonly resources: object }];
      };
    };
  };
}

interface NetworkPolicy {
  readonly kind: string;
  readonly spec: {
    readonly egress: readonly [{ readonly ports: readonly { readonly port: number }[] }];
    readonly ingress: readonly [
      {
        readonly from: readonly [
          {
            readonly namespaceSelector: { readonly matchLabels: Readonly<Record<string, string>> };
            readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
          },
        ];
      },
    ];
  };
}

interface SecretVolume {
  readonly secret: { readonly secretName: string };
}

export function defaultsOfBase() {
  const deployment: Deployment = parseAllDocuments(source('base/deployment.yaml'))[0]?.toJS();
  const { replicas, template } = deployment.spec;
  const [{ image, resources }] = template.spec.containers;
  const policies: NetworkPolicy[] = parseAllDocuments(source('base/network.yaml')).map((document) => document.toJS());
  const own = policies.find(({ kind }) => kind === 'NetworkPolicy');
  const scrape: NetworkPolicy = parse(source('overlays/prometheus/network-policy.yaml'));
  const [{ namespaceSelector, podSelector }] = scrape.spec.ingress[0].from;
  const volume = patchValues('components/certificate-files').get('/spec/template/spec/volumes/-') as SecretVolume;
  const [repository = '', tag = ''] = image.split(':');
  return {
    image: repository,
    tag,
    replicas,
    resources,
    priorityClassName: template.spec.priorityClassName,
    apiServerPorts: own?.spec.egress[0].ports.map(({ port }) => port) ?? [],
    certificateSecret: volume.secret.secretName,
    prometheus: {
      namespace: namespaceSelector.matchLabels['kubernetes.io/metadata.name'] ?? '',
      podLabels: podSelector.matchLabels,
    },
  };
}

export function reportSchedule(): string {
  const job: { readonly spec: { readonly schedule: string } } = parse(source('components/reports/cron-job.yaml'));
  return job.spec.schedule;
}
