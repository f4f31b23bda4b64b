/** Bulkhead's webhook configurations as they stand in the cluster: admissionregistration.k8s.io/v1, as far as Bulkhead reads them. */

import { type DecodedObject, isRecord } from '../client/decode.ts';
import { entry } from '../kubernetes/objects.ts';

export type Phase = 'mutating' | 'validating';

/** By these names they are known, in metrics too; there are no others. */
export const configurationNames = [
  'mutating/bulkhead',
  'mutating/bulkhead-namespaces',
  'validating/bulkhead',
  'validating/bulkhead-namespaces',
  'validating/bulkhead-workloads',
] as const;

export type ConfigurationName = (typeof configurationNames)[number];

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  /** `Cluster`, `Namespaced` or `*`. */
  readonly scope: string;
}

export interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  /** Where the API server sends its reviews, the path apart: as text, to be compared. */
  readonly address: string;
  /** For example `/validate`. */
  readonly path: string;
  /** Base64 of PEM; empty: the authorities that the API server trusts anyway, which issue for no Service. */
  readonly caBundle: string;
  readonly rules: readonly Rule[];
}

export interface Configuration {
  readonly name: ConfigurationName;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly webhooks: readonly Webhook[];
}

const group = '/apis/admissionregistration.k8s.io/v1';
export const configurationPaths: Readonly<Record<Phase, string>> = {
  mutating: `${group}/mutatingwebhookconfigurations`,
  validating: `${group}/validatingwebhookconfigurations`,
};

export const configurationKinds: Readonly<Record<Phase, string>> = {
  mutating: 'MutatingWebhookConfiguration',
  validating: 'ValidatingWebhookConfiguration',
};

/** `validating/bulkhead` -> what it is, and the name of the object. */
export function partsOf(name: ConfigurationName): readonly [phase: Phase, object: string] {
  const [phase, object = ''] = name.split('/');
  return [phase === 'mutating' ? 'mutating' : 'validating', object];
}

/** Undefined: it is not Bulkhead's. */
export function configurationNameOf(phase: Phase, object: string): ConfigurationName | undefined {
  return configurationNames.find((name) => name === `${phase}/${object}`);
}

/** The API server has checked what it holds; a field that is not there reads as empty. */
export function readConfiguration(name: ConfigurationName, { metadata, object }: DecodedObject): Configuration {
  const webhooks = listAt(object, 'webhooks').filter(isRecord).map(readWebhook);
  return { name, uid: metadata.uid, resourceVersion: metadata.resourceVersion, webhooks };
}

function readWebhook(webhook: Readonly<Record<string, unknown>>): Webhook {
  const client = recordAt(webhook, 'clientConfig');
  const url = URL.parse(textAt(client, 'url'));
  const service = recordAt(client, 'service');
  const { namespace, name, port } = { namespace: '', name: '', port: 443, ...service };
  return {
    name: textAt(webhook, 'name'),
    failurePolicy: textAt(webhook, 'failurePolicy'),
    address: url === null ? `service ${namespace}/${name}:${port}` : url.origin,
    path: url === null ? textAt(service, 'path') : url.pathname,
    caBundle: textAt(client, 'caBundle'),
    rules: listAt(webhook, 'rules').filter(isRecord).map(readRule),
  };
}

function readRule(rule: Readonly<Record<string, unknown>>): Rule {
  const texts = (field: string): string[] => listAt(rule, field).filter((one) => typeof one === 'string');
  return {
    apiGroups: texts('apiGroups'),
    apiVersions: texts('apiVersions'),
    resources: texts('resources'),
    operations: texts('operations'),
    scope: textAt(rule, 'scope') || '*',
  };
}

function listAt(holder: Readonly<Record<string, unknown>>, field: string): readonly unknown[] {
  const value = entry(holder, field);
  return Array.isArray(value) ? value : [];
}

function recordAt(holder: Readonly<Record<string, unknown>>, field: string): Readonly<Record<string, unknown>> {
  const value = entry(holder, field);
  return isRecord(value) ? value : {};
}

function textAt(holder: Readonly<Record<string, unknown>>, field: string): string {
  const value = entry(holder, field);
  return typeof value === 'string' ? value : '';
}
