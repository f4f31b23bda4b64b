/** The objects of manifests/base as they stand in its files; test/e2e/install.test.ts applies what kustomize makes of them. */
import { globSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { Rule } from '../../src/configuration/webhook-configuration.ts';

interface BaseObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface Webhook {
  readonly name: string;
  readonly clientConfig: { readonly service: { name: string; namespace: string; port: number; path?: string } };
  readonly namespaceSelector?: unknown;
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
  readonly rules: readonly Rule[];
}

export interface WebhookConfiguration extends BaseObject {
  readonly webhooks: readonly [Webhook, ...Webhook[]];
}

interface Ports {
  readonly ports: readonly { readonly protocol?: string; readonly port: number }[];
}

/** The fields that the tests look at. */
interface Kinds {
  Namespace: BaseObject & { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
  ResourceQuota: BaseObject;
  ServiceAccount: BaseObject;
  ClusterRole: BaseObject & { readonly rules: readonly Readonly<Record<string, readonly string[]>>[] };
  ClusterRoleBinding: BaseObject & { readonly subjects: readonly unknown[]; readonly roleRef: unknown };
  Deployment: BaseObject & { readonly spec: DeploymentSpec };
  PodDisruptionBudget: BaseObject & { readonly spec: { minAvailable: number; selector: { matchLabels: unknown } } };
  Service: BaseObject & {
    readonly spec: { selector: unknown; ports: readonly { port: number; targetPort: string }[] };
  };
  NetworkPolicy: BaseObject & {
    readonly spec: {
      readonly podSelector: { readonly matchLabels: unknown };
      readonly policyTypes: readonly string[];
      readonly ingress: readonly Ports[];
      readonly egress: readonly Ports[];
    };
  };
  MutatingWebhookConfiguration: WebhookConfiguration;
  ValidatingWebhookConfiguration: WebhookConfiguration;
}

export interface DeploymentSpec {
  readonly replicas: number;
  readonly template: {
    readonly metadata: { readonly labels: unknown };
    readonly spec: {
      readonly serviceAccountName: string;
      readonly priorityClassName: string;
      readonly terminationGracePeriodSeconds: number;
      readonly securityContext: Readonly<Record<string, unknown>>;
      readonly topologySpreadConstraints: readonly { topologyKey: string; whenUnsatisfiable: string }[];
      readonly containers: readonly [Container];
    };
  };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold?: number;
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: unknown;
}

const objects: readonly BaseObject[] = globSync('manifests/base/*.yaml', {
  exclude: ['**/kustomization.yaml', '**/bulkhead.yaml'],
}).flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS()));

export const kinds: readonly string[] = objects.map(({ kind }) => kind);

export function all<Kind extends keyof Kinds>(kind: Kind): Kinds[Kind][] {
  return objects.filter((object): object is Kinds[Kind] => object.kind === kind);
}

/** The only object of its kind. */
export function only<Kind extends keyof Kinds>(kind: Kind): Kinds[Kind] {
  const [object, ...others] = all(kind);
  if (object === undefined || others.length > 0) throw new Error(`manifests/base has ${others.length + 1} of ${kind}`);
  return object;
}
