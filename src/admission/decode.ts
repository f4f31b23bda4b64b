/**
 * Bytes in, a typed request out, or a refusal. Source: admission.k8s.io/v1 AdmissionReview.
 * The API server sends what is documented. Any other client that can reach the port may send anything, so every field that is
 * read later is checked here, once. Unknown kinds, versions, subresources and operations are refused: a request that is
 * not understood is never admitted (ADM-07). Of the groups that carry network policy, every kind is decoded (decode-unread.ts).
 */
import type { Kind } from '../kinds/kind.ts';
import { kinds } from '../kinds/kinds.ts';
import { apiVersionsOf } from '../kinds/resource-name.ts';
import { isMap, type JsonMap } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { AdmissionRequest } from '../kubernetes/review.ts';
import { unreadRequest } from './decode-unread.ts';
import {
  agreed,
  groupVersionOf,
  objectAt,
  operationOf,
  optionalMap,
  optionalText,
  Refusal,
  readMetadata,
  stringMap,
  text,
  userOf,
} from './review-fields.ts';

/** `uid` is empty when the body gave none: then HTTP 400 is all that can be said. */
export type Decoded =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly uid: string; readonly reason: string };

interface Expected {
  readonly entry: Kind;
  readonly version: string;
  readonly apiVersion: string;
  /** With the plural, without the subresource. */
  readonly resource: string;
}

const reviewed: readonly (readonly [string, Expected])[] = kinds.flatMap((entry) =>
  entry.versions.flatMap((version, index) => {
    const apiVersion = apiVersionsOf(entry)[index] ?? version;
    const one: Expected = { entry, version, apiVersion, resource: `${apiVersion}/${entry.plural}` };
    const resources = new Set(entry.reviews.flatMap(({ resources }) => resources));
    return [...resources].map((resource) => [resource, one] as const);
  }),
);

/** Plural resource and subresource -> the kinds that may come with it, one for each group and version. Whole strings, never cut (TEN-14, TEN-18). */
const understood: ReadonlyMap<string, readonly Expected[]> = new Map(
  [...Map.groupBy(reviewed, ([resource]) => resource)].map(([resource, of]) => [resource, of.map(([, one]) => one)]),
);

/** Resource names with subresource, as webhook rules list them; the manifests are held against this. */
export const understoodResources: readonly string[] = reviewed.map(
  ([resource, { apiVersion }]) => `${apiVersion}/${resource}`,
);

export function decode(body: Buffer): Decoded {
  let review: unknown;
  try {
    review = JSON.parse(body.toString());
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
  const { group, version } = groupVersionOf(resource, 'request.resource');
  const plural = text(resource.resource, 'request.resource.resource');
  const expected = understood
    .get(subresource === '' ? plural : `${plural}/${subresource}`)
    ?.find((one) => one.entry.group === group && one.version === version);
  if (expected === undefined) {
    const unread = unreadRequest(uid, request);
    if (unread !== undefined) return unread;
    throw new Refusal(
      `${group === '' ? version : `${group}/${version}`} ${plural}${subresource && `/${subresource}`} is not a resource that Bulkhead understands`,
    );
  }
  const kind = objectAt(request.kind, 'request.kind');
  const { entry, apiVersion } = expected;
  const ofKind = groupVersionOf(kind, 'request.kind');
  if (kind.kind !== entry.kind || ofKind.group !== entry.group || ofKind.version !== version) {
    throw new Refusal(`request.kind is not the ${apiVersion} ${entry.kind} that belongs to ${plural}`);
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
  switch (entry.family) {
    case 'namespace':
      // The API server fills request.namespace of a Namespace with its name.
      agreed('namespace', requestNamespace, name);
      return { ...common, family: 'namespace', kind: 'Namespace', namespace: name };
    case 'tenant':
    case 'exemption':
      if (requestNamespace !== '') throw new Refusal(`a ${entry.kind} is in no namespace`);
      return entry.family === 'tenant'
        ? { ...common, family: 'tenant', kind: 'Tenant', namespace: '' }
        : { ...common, family: 'exemption', kind: 'Exemption', namespace: '' };
  }
  const inNamespace = agreed('namespace', requestNamespace, object.metadata?.namespace, stored?.metadata?.namespace);
  if (inNamespace === '') throw new Refusal('request.namespace is missing');
  switch (entry.family) {
    case 'pod':
      if (entry.judgedAs === undefined) return { ...common, family: 'pod', kind: 'Pod', namespace: inNamespace };
      return { ...common, family: 'pod', ...entry.judgedAs, namespace: inNamespace };
    case 'policy':
      return { ...common, family: 'policy', kind: entry.kind, namespace: inNamespace, resource: expected.resource };
    case 'gate':
      return { ...common, family: 'gate', kind: 'GateRequest', namespace: inNamespace };
    case 'quota':
      return { ...common, family: 'quota', kind: 'ResourceQuota', namespace: inNamespace };
    case 'neighbour': {
      const { kind, group, plural } = entry;
      const orphans = operation === 'DELETE' && isOrphaning(request.options);
      return {
        ...common,
        family: 'neighbour',
        kind,
        group,
        resource: plural,
        namespace: inNamespace,
        orphans,
      };
    }
    case 'workload':
      return { ...common, family: 'workload', kind: entry.kind, namespace: inNamespace };
  }
}

/** meta/v1 DeleteOptions. */
function isOrphaning(options: unknown): boolean {
  return isMap(options) && (options.propagationPolicy === 'Orphan' || options.orphanDependents === true);
}

function subjectAt(value: unknown, path: string, { entry, apiVersion }: Expected): KubernetesObject {
  const object = objectAt(value, path);
  if (object.kind !== entry.kind || object.apiVersion !== apiVersion) {
    throw new Refusal(`${path} is not a ${apiVersion} ${entry.kind}`);
  }
  readMetadata(objectAt(object.metadata, path, 'metadata'), path);
  optionalMap(object.spec, path, 'spec');
  if (entry.family === 'workload') readTemplate(object, path, entry.template);
  if (entry.stringMaps !== undefined) {
    for (const steps of entry.stringMaps) readStringMap(object, path, steps);
  }
  return object;
}

function readTemplate(workload: JsonMap, path: string, steps: readonly string[]): void {
  let template = workload;
  let at = path;
  for (const step of steps) {
    at = `${at}.${step}`;
    template = optionalMap(template[step], at);
  }
  readMetadata(optionalMap(template.metadata, at, 'metadata'), at);
  optionalMap(template.spec, at, 'spec');
}

function readStringMap(object: JsonMap, path: string, steps: readonly string[]): void {
  let value: unknown = object;
  let at = path;
  for (const step of steps) {
    value = optionalMap(value, at)[step];
    at = `${at}.${step}`;
  }
  stringMap(value, at);
}

function undecodable(uid: string, reason: string): Decoded {
  return { ok: false, uid, reason };
}
