/**
 * Bytes in, a typed request out, or a refusal. Source: admission.k8s.io/v1 AdmissionReview.
 * The API server sends what is documented; anybody else who can reach the port may send anything, so every field that is
 * read later is checked here, once. Unknown kinds, versions, subresources and operations are refused: a request that is
 * not understood is not waved through (ADM-07).
 */
import { isMap, type JsonMap } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { AdmissionRequest, Operation } from '../kubernetes/review.ts';
import { templatePath, type WorkloadKind } from '../kubernetes/workload.ts';

/** `uid` is empty when the body gave none: then there is nobody to answer to, and HTTP 400 is all that can be said. */
export interface Undecodable {
  readonly uid: string;
  readonly reason: string;
}

export type Decoded =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly undecodable: Undecodable };

interface Expected {
  /** The kind in the review, which differs from the subject for a Binding. */
  readonly kind: string;
  readonly apiVersion: string;
  readonly subject: AdmissionRequest['kind'];
  /** Of a workload: the way to the template of its pods. */
  readonly template?: readonly string[];
}

const namespace: Expected = { kind: 'Namespace', apiVersion: 'v1', subject: 'Namespace' };
const pod: Expected = { kind: 'Pod', apiVersion: 'v1', subject: 'Pod' };
const binding: Expected = { kind: 'Binding', apiVersion: 'v1', subject: 'Pod' };
const networkPolicy: Expected = { kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', subject: 'NetworkPolicy' };
const resourceQuota: Expected = { kind: 'ResourceQuota', apiVersion: 'v1', subject: 'ResourceQuota' };
const tenant: Expected = { kind: 'Tenant', apiVersion: 'bulkhead.dev/v1alpha1', subject: 'Tenant' };

/** A workload: its group and version, its plural, its kind. */
const workloads = [
  ['apps/v1', 'deployments', 'Deployment'],
  ['apps/v1', 'statefulsets', 'StatefulSet'],
  ['apps/v1', 'daemonsets', 'DaemonSet'],
  ['apps/v1', 'replicasets', 'ReplicaSet'],
  ['batch/v1', 'jobs', 'Job'],
  ['batch/v1', 'cronjobs', 'CronJob'],
  ['v1', 'replicationcontrollers', 'ReplicationController'],
] as const satisfies readonly (readonly [apiVersion: string, plural: string, kind: WorkloadKind])[];

/** What is understood: API version, plural resource and subresource -> the kind that must come with it. Whole strings, never cut (TEN-14, TEN-18). */
const understood: ReadonlyMap<string, Expected> = new Map([
  ['v1/namespaces', namespace],
  ['v1/namespaces/status', namespace],
  ['v1/namespaces/finalize', namespace],
  ['v1/pods', pod],
  ['v1/pods/status', pod],
  ['v1/pods/ephemeralcontainers', pod],
  ['v1/pods/resize', pod],
  ['v1/pods/binding', binding],
  ['v1/bindings', binding],
  ['networking.k8s.io/v1/networkpolicies', networkPolicy],
  ['v1/resourcequotas', resourceQuota],
  ['v1/resourcequotas/status', resourceQuota],
  ['bulkhead.dev/v1alpha1/tenants', tenant],
  ['bulkhead.dev/v1alpha1/tenants/status', tenant],
  ...workloads.map(([apiVersion, plural, kind]): [string, Expected] => [
    `${apiVersion}/${plural}`,
    { kind, apiVersion, subject: kind, template: templatePath(kind).split('.') },
  ]),
]);

/** Resource names with subresource, as webhook rules list them; the manifests are held against this. */
export const understoodResources: readonly string[] = [...understood.keys()];

class Refusal extends Error {}

export function decode(body: Uint8Array): Decoded {
  let review: unknown;
  try {
    review = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undecodable('', 'the body is not JSON');
  }
  if (!isMap(review) || !isMap(review.request))
    return undecodable('', 'the body is not an AdmissionReview with a request');
  const { request } = review;
  const uid = typeof request.uid === 'string' && request.uid.length <= 256 ? request.uid : '';
  if (uid === '') return undecodable('', 'request.uid is missing');
  if (review.apiVersion !== 'admission.k8s.io/v1' || review.kind !== 'AdmissionReview') {
    return undecodable(uid, 'only admission.k8s.io/v1 AdmissionReview is understood');
  }
  try {
    return { ok: true, request: requestOf(uid, request) };
  } catch (error) {
    if (error instanceof Refusal) return undecodable(uid, error.message);
    throw error;
  }
}

function requestOf(uid: string, request: JsonMap): AdmissionRequest {
  const resource = objectAt(request.resource, 'request.resource');
  const subresource = optionalText(request.subResource, 'request.subResource');
  const apiVersion = apiVersionOf(resource, 'request.resource');
  const plural = text(resource.resource, 'request.resource.resource');
  const expected = understood.get(
    subresource === '' ? `${apiVersion}/${plural}` : `${apiVersion}/${plural}/${subresource}`,
  );
  if (expected === undefined)
    throw new Refusal(
      `${apiVersion} ${plural}${subresource && `/${subresource}`} is not a resource that Bulkhead understands`,
    );
  const kind = objectAt(request.kind, 'request.kind');
  if (kind.kind !== expected.kind || apiVersionOf(kind, 'request.kind') !== expected.apiVersion) {
    throw new Refusal(`request.kind is not the ${expected.apiVersion} ${expected.kind} that belongs to ${plural}`);
  }

  const operation = operationOf(request.operation);
  const newest = operation === 'DELETE' ? undefined : subjectAt(request.object, 'request.object', expected);
  const stored = operation === 'CREATE' ? undefined : subjectAt(request.oldObject, 'request.oldObject', expected);
  const object = newest ?? stored;
  if (object === undefined) throw new Refusal('the request carries no object');

  const name = agreed(
    'name',
    optionalText(request.name, 'request.name'),
    object.metadata?.name,
    stored?.metadata?.name,
  );
  const requestNamespace = optionalText(request.namespace, 'request.namespace');
  const common = {
    uid,
    operation,
    subresource,
    name,
    user: userOf(request.userInfo),
    dryRun: request.dryRun === true,
    object,
    oldObject: operation === 'UPDATE' ? stored : undefined,
  };
  if (expected.subject === 'Namespace') {
    // The API server fills request.namespace of a Namespace with its name.
    agreed('namespace', requestNamespace, name);
    return { ...common, kind: 'Namespace', namespace: name };
  }
  if (expected.subject === 'Tenant') {
    if (requestNamespace !== '') throw new Refusal('a Tenant is in no namespace');
    return { ...common, kind: 'Tenant', namespace: '' };
  }
  const inNamespace = agreed('namespace', requestNamespace, object.metadata?.namespace, stored?.metadata?.namespace);
  if (inNamespace === '') throw new Refusal('request.namespace is missing');
  // A Binding posted to /bindings or /pods/NAME/binding is one subresource of the pod: what it writes, it writes to the pod.
  if (expected === binding) return { ...common, kind: 'Pod', namespace: inNamespace, subresource: 'binding' };
  return { ...common, kind: expected.subject, namespace: inNamespace };
}

/** The one value that all sources that name one agree on (ADM-15); empty when none does. */
function agreed(what: string, ...sources: readonly (string | undefined)[]): string {
  let value = '';
  for (const source of sources) {
    if (source === undefined || source === '' || source === value) continue;
    if (value !== '') throw new Refusal(`the request and its objects disagree about the ${what}`);
    value = source;
  }
  return value;
}

function subjectAt(value: unknown, path: string, expected: Expected): KubernetesObject {
  const object = objectAt(value, path);
  if (object.kind !== expected.kind || object.apiVersion !== expected.apiVersion) {
    throw new Refusal(`${path} is not a ${expected.apiVersion} ${expected.kind}`);
  }
  readMetadata(objectAt(object.metadata, `${path}.metadata`), `${path}.metadata`);
  const spec = optionalMap(object.spec, `${path}.spec`);
  if (expected.template !== undefined) readTemplate(object, path, expected.template);
  if (expected === resourceQuota) {
    const status = optionalMap(object.status, `${path}.status`);
    stringMap(spec.hard, `${path}.spec.hard`);
    for (const field of ['hard', 'used'] as const) stringMap(status[field], `${path}.status.${field}`);
  }
  return object;
}

function readMetadata(metadata: JsonMap, path: string): void {
  for (const field of ['name', 'generateName', 'namespace'] as const) optionalText(metadata[field], `${path}.${field}`);
  for (const field of ['labels', 'annotations'] as const) stringMap(metadata[field], `${path}.${field}`);
  for (const field of ['ownerReferences', 'finalizers', 'managedFields'] as const)
    optionalList(metadata[field], `${path}.${field}`);
}

function readTemplate(workload: JsonMap, path: string, steps: readonly string[]): void {
  let template = workload;
  let at = path;
  for (const step of steps) {
    at = `${at}.${step}`;
    template = optionalMap(template[step], at);
  }
  readMetadata(optionalMap(template.metadata, `${at}.metadata`), `${at}.metadata`);
  optionalMap(template.spec, `${at}.spec`);
}

function userOf(value: unknown): AdmissionRequest['user'] {
  const user = objectAt(value, 'request.userInfo');
  const groups = optionalList(user.groups, 'request.userInfo.groups');
  return {
    username: optionalText(user.username, 'request.userInfo.username'),
    groups: groups.map((group) => text(group, 'request.userInfo.groups')),
  };
}

function operationOf(value: unknown): Operation {
  if (value === 'CREATE' || value === 'UPDATE' || value === 'DELETE') return value;
  throw new Refusal('request.operation is none of CREATE, UPDATE, DELETE');
}

function apiVersionOf(value: JsonMap, path: string): string {
  const group = optionalText(value.group, `${path}.group`);
  const version = text(value.version, `${path}.version`);
  return group === '' ? version : `${group}/${version}`;
}

function undecodable(uid: string, reason: string): Decoded {
  return { ok: false, undecodable: { uid, reason } };
}

function objectAt(value: unknown, path: string): JsonMap {
  if (!isMap(value)) throw new Refusal(`${path} is not an object`);
  return value;
}

function optionalMap(value: unknown, path: string): JsonMap {
  return value === undefined || value === null ? {} : objectAt(value, path);
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw new Refusal(`${path} is not a string`);
  return value;
}

function optionalText(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new Refusal(`${path} is not a string`);
  return value;
}

function optionalList(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refusal(`${path} is not a list`);
  return value;
}

function stringMap(value: unknown, path: string): void {
  if (value === undefined || value === null) return;
  for (const entry of Object.values(objectAt(value, path))) {
    if (typeof entry !== 'string') throw new Refusal(`${path} holds something that is not a string`);
  }
}
