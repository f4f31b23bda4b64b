/** Bulkhead's webhook configurations in the cluster: admissionregistration.k8s.io/v1, as far as Bulkhead reads them. */
import { certificatesIn } from '../certificates/authorities.ts';
import { pathIn } from '../certificates/paths.ts';
import { type DecodedObject, type Fields, fieldsAt, isRecord } from '../client/decode.ts';
import { canonicalJson } from '../kubernetes/json.ts';
import { entry, namespaceNameLabel } from '../kubernetes/objects.ts';
import { defaultTenantLabel } from '../tenancy/default-settings.ts';

export type Phase = 'mutating' | 'validating';

/** Metrics use these names, too. */
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

/** The last word of the path by which the API server calls a webhook of Bulkhead. */
export type Endpoint = 'mutate' | 'validate' | 'warn';

export interface Webhook {
  readonly name: string;
  /** By the first word of the name; undefined: the webhook is not Bulkhead's. */
  readonly endpoint: Endpoint | undefined;
  readonly failurePolicy: string;
  /** `service NAMESPACE/NAME:PORT`, or the origin of a URL. */
  readonly address: string;
  readonly isService: boolean;
  /** For example `/validate`. */
  readonly path: string;
  /** As it is in the object; empty: the API server goes by its system roots, which issue for no Service. */
  readonly caBundle: string;
  /** The certificates in the caBundle, PEM. */
  readonly authorities: readonly string[];
  /** Whether Bulkhead has applied the caBundle, by metadata.managedFields. */
  readonly isInjected: boolean;
  /** As it is in the object: canonical JSON; empty where there is none. */
  readonly namespaceSelector: string;
  readonly rules: readonly Rule[];
}

/** One of Bulkhead's own. */
export interface OwnWebhook extends Webhook {
  readonly endpoint: Endpoint;
  /** The part of the path before the endpoint, see certificates/paths.ts. Undefined: the path does not lead to Bulkhead. */
  readonly segment: string | undefined;
}

export interface WebhookConfiguration {
  readonly name: ConfigurationName;
  readonly uid: string;
  readonly resourceVersion: string;
  /** All of them, in their order. */
  readonly webhooks: readonly Webhook[];
  readonly own: readonly OwnWebhook[];
  /** Its webhooks are written at once, so they share one. */
  readonly segment: string | undefined;
  /** The tenant labels by which it was written, in order: those of the annotation, otherwise those that its selectors require, and the default. */
  readonly tenantLabels: readonly string[];
}

/** The tenant labels in force, and those before that namespaces still carry. */
export const tenantLabelsAnnotation = 'bulkhead.dev/tenant-labels';

/** Not `bulkhead`, which applies baselines: an object loses the fields that its manager stops applying. */
export const bundleManager = 'bulkhead-trust';

/** `validating/bulkhead` -> what it is, and the name of the object. */
export function partsOf(name: ConfigurationName): readonly [phase: Phase, object: string] {
  const [phase, object = ''] = name.split('/');
  return [phase === 'mutating' ? 'mutating' : 'validating', object];
}

/** Undefined: it is not Bulkhead's. */
export function configurationNameOf(phase: Phase, object: string): ConfigurationName | undefined {
  return configurationNames.find((name) => name === `${phase}/${object}`);
}

/** The API server has validated the object; a missing field reads as empty. */
export function readConfiguration(name: ConfigurationName, { metadata, object }: DecodedObject): WebhookConfiguration {
  const managed = listAt(fieldsAt(object, 'metadata'), 'managedFields')
    .filter(isRecord)
    .filter(({ manager, operation }) => manager === bundleManager && operation === 'Apply');
  const webhooks = listAt(object, 'webhooks')
    .filter(isRecord)
    .map((webhook) => readWebhook(webhook, managed));
  const { uid, resourceVersion } = metadata;
  const own = webhooks.flatMap((webhook) => {
    const { endpoint, path } = webhook;
    return endpoint === undefined ? [] : [{ ...webhook, endpoint, segment: pathIn(path, endpoint) }];
  });
  const segment = own.find((one) => one.segment !== undefined)?.segment;
  const annotated = entry(fieldsAt(object, 'metadata', 'annotations'), tenantLabelsAnnotation);
  const tenantLabels =
    typeof annotated === 'string'
      ? annotated.split(' ').filter(Boolean)
      : [defaultTenantLabel, ...listAt(object, 'webhooks').flatMap(requiredLabels)];
  return { name, uid, resourceVersion, webhooks, own, segment, tenantLabels: [...new Set(tenantLabels)].sort() };
}

export function endpointOf({ name }: Pick<Webhook, 'name'>): Endpoint | undefined {
  const [, word] =
    /^(\w+)\.(?:filtered\.|network\.|services\.|routes\.|mesh\.|rights\.)?bulkhead\.dev$/.exec(name) ?? [];
  return word === 'mutate' || word === 'validate' || word === 'warn' ? word : undefined;
}

function readWebhook(webhook: Fields, managed: readonly Fields[]): Webhook {
  const client = fieldsAt(webhook, 'clientConfig');
  const url = URL.parse(textAt(client, 'url'));
  const service = fieldsAt(client, 'service');
  const { namespace, name: serviceName, port } = { namespace: '', name: '', port: 443, ...service };
  const name = textAt(webhook, 'name');
  const caBundle = textAt(client, 'caBundle');
  const bundleField = ['fieldsV1', 'f:webhooks', `k:${JSON.stringify({ name })}`, 'f:clientConfig'];
  return {
    name,
    endpoint: endpointOf({ name }),
    failurePolicy: textAt(webhook, 'failurePolicy'),
    isService: url === null,
    address: url === null ? `service ${namespace}/${serviceName}:${port}` : url.origin,
    path: url === null ? textAt(service, 'path') : url.pathname,
    caBundle,
    authorities: certificatesIn(Buffer.from(caBundle, 'base64').toString('latin1')),
    isInjected: managed.some((one) => entry(fieldsAt(one, ...bundleField), 'f:caBundle') !== undefined),
    namespaceSelector: canonicalJson(entry(webhook, 'namespaceSelector')) ?? '',
    rules: listAt(webhook, 'rules').filter(isRecord).map(readRule),
  };
}

/** The keys that a namespace must have, besides its name. */
function requiredLabels(webhook: unknown): readonly string[] {
  const expressions = listAt(fieldsAt(webhook, 'namespaceSelector'), 'matchExpressions').filter(isRecord);
  return expressions
    .filter((one) => textAt(one, 'operator') === 'Exists')
    .map((one) => textAt(one, 'key'))
    .filter((key) => key !== namespaceNameLabel);
}

function readRule(rule: Fields): Rule {
  const texts = (field: string): string[] => listAt(rule, field).filter((one) => typeof one === 'string');
  return {
    apiGroups: texts('apiGroups'),
    apiVersions: texts('apiVersions'),
    resources: texts('resources'),
    operations: texts('operations'),
    scope: textAt(rule, 'scope') || '*',
  };
}

function listAt(holder: Fields, field: string): readonly unknown[] {
  const value = entry(holder, field);
  return Array.isArray(value) ? value : [];
}

function textAt(holder: Fields, field: string): string {
  const value = entry(holder, field);
  return typeof value === 'string' ? value : '';
}
