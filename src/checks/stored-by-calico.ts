import { isMap, type JsonMap } from '../kubernetes/json.ts';
import type { PolicyRequest } from '../kubernetes/review.ts';
import { metadataAnnotation, storedMetadata } from '../reach/dialects/calico/stored-metadata.ts';
import type { Change } from './metadata-changes.ts';

/**
 * What Calico's own API server adds to the policies that it stores: the metadata that it shows, in an annotation, and the tier. Both may be
 * written by every user: neither changes what a policy does, and of a NetworkSet the check cross-tenant-ingress reads the metadata. Metadata
 * that Calico could not read is left to the check: Calico would leave out the object.
 */
export function isStoredByCalico(
  map: 'labels' | 'annotations',
  { key, after }: Pick<Change, 'key' | 'after'>,
  { resource }: Pick<PolicyRequest, 'resource'>,
): boolean {
  if (map === 'labels') return key === 'projectcalico.org/tier' && /^(?:crd\.)?projectcalico\.org\//.test(resource);
  if (key !== metadataAnnotation || !resource.startsWith('crd.projectcalico.org/')) return false;
  if (after === undefined || resource.endsWith('/networksets')) return true;
  const metadata = storedMetadata(after);
  return metadata !== undefined && isShaped(metadata, objectMeta);
}

type Shapes = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isTime = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value));
const isTextMap = (value: unknown): boolean => isMap(value) && Object.values(value).every(isText);
const isListOf =
  (isOne: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isOne);

function isShaped(value: JsonMap, shapes: Shapes): boolean {
  return Object.entries(value).every(([key, one]) => Object.hasOwn(shapes, key) && shapes[key]?.(one));
}

const texts = (...keys: readonly string[]): Shapes => Object.fromEntries(keys.map((key) => [key, isText]));

const owner: Shapes = {
  ...texts('apiVersion', 'kind', 'name', 'uid'),
  ...{ controller: isFlag, blockOwnerDeletion: isFlag },
};

const manager: Shapes = {
  ...texts('manager', 'operation', 'apiVersion', 'fieldsType', 'subresource'),
  ...{ time: isTime, fieldsV1: isMap },
};

/** ObjectMeta of meta/v1. */
const objectMeta: Shapes = {
  ...texts('name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion'),
  generation: Number.isSafeInteger,
  creationTimestamp: isTime,
  deletionTimestamp: isTime,
  deletionGracePeriodSeconds: Number.isSafeInteger,
  labels: isTextMap,
  annotations: isTextMap,
  ownerReferences: isListOf((one) => isMap(one) && isShaped(one, owner)),
  finalizers: isListOf(isText),
  managedFields: isListOf((one) => isMap(one) && isShaped(one, manager)),
};
