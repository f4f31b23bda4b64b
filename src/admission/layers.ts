/** The written policy and those beside it, compared. Pure. */
import type { WrittenFinding, WrittenPolicy } from '../connectivity/layers/written.ts';
import { layersOfWritten } from '../connectivity/layers/written.ts';
import { readMesh } from '../connectivity/mesh.ts';
import { createObjectReader, type ReadObject } from '../connectivity/read-object.ts';
import { readingsOf } from '../connectivity/readings.ts';
import { refText, type SnapshotPolicy } from '../connectivity/snapshot.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import { valueAt } from '../kubernetes/json.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { once } from '../kubernetes/once.ts';
import type { PolicyRequest, UnreadRequest } from '../kubernetes/review.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { GatheredBeside, Skipped } from './beside.ts';
import type { NamespaceRecord } from './facts.ts';
import { valuesOf } from './preview.ts';

export interface Compared {
  readonly findings: readonly WrittenFinding[];
  /** `KIND NAMESPACE/NAME` of the policy that is written. */
  readonly object: string;
}

/** Of the comparison: about 20 ms. */
const mostSteps = 40_000;
/** Values in the policies of a namespace: about 250 policies, which are read in 40 ms, once for each list. */
const mostValues = 8_000;

export function comparedLayers({
  family,
  request,
  facts,
  beside,
}: GatheredBeside): Compared | { readonly skipped: Skipped } {
  const none: Compared = { findings: [], object: '' };
  if (beside === undefined || (family !== 'policy' && family !== 'unread')) return none;
  if ('skipped' in beside) return beside;
  const { tenancy, owner } = facts;
  const { namespace } = request;
  const reader = createObjectReader(tenancy, { hasPods: true, withBaseline: false });
  const written = reader(objectOf(request));
  if (written === undefined || (written.kind !== 'policy' && written.kind !== 'mesh')) return none;
  if (sizeOf(beside.objects).values + valuesOf(valueAt(request.object, 'spec'), mostValues) > mostValues)
    return { skipped: 'large' };
  const stored = storedKey(request);
  const others = readBeside(beside.objects)(tenancy).filter(({ key }) => key !== stored);
  const read = [...others.map(({ value }) => value), written];
  const mesh = readMesh(read.flatMap((one) => (one.kind === 'mesh' ? [one.value] : [])));
  const policy = writtenPolicy(written, mesh);
  if (policy === undefined) return none;
  const policies = read.flatMap((one): readonly SnapshotPolicy[] => (one.kind === 'policy' ? [one.value] : []));
  const { settings } = tenancy;
  const labelsOf = (record: Pick<NamespaceRecord, 'name' | 'labels'>) =>
    new Map([...Object.entries(record.labels), [namespaceNameLabel, record.name] as const]);
  const own = beside.namespaceOf(namespace);
  const findings = layersOfWritten(policy, {
    ...{ namespace, policies, mesh, budget: { steps: mostSteps } },
    readings: readingsOf(settings.plugin, policies),
    labels: labelsOf(own ?? { name: namespace, labels: {} }),
    services: read.flatMap((one) => (one.kind === 'service' ? [one.value] : [])),
    root: settings.istio?.rootNamespace ?? '',
    callerOf(name) {
      const record = beside.namespaceOf(name);
      // Of namespaces of others nothing is said.
      return record === undefined || tenancy.ownerByLabels(record.labels) !== owner
        ? undefined
        : { name, labels: labelsOf(record) };
    },
  });
  return findings === undefined ? { skipped: 'large' } : { findings, object: refText(written.value.ref) };
}

const sizeOf = once((objects: readonly JsonMap[]) => ({
  values: valuesOf(
    objects.map(({ spec, specs }) => [spec, specs]),
    mostValues,
  ),
}));

interface Known {
  readonly key: string;
  readonly value: ReadObject;
}

/** Requests that share a list share what was read of it. */
const readBeside = once((objects: readonly JsonMap[]) =>
  once((tenancy: Tenancy): readonly Known[] => {
    const reader = createObjectReader(tenancy, { hasPods: true, withBaseline: false });
    return objects.flatMap((object) => {
      const value = reader(object);
      return value === undefined ? [] : [{ key: keyOf(object), value }];
    });
  }),
);

/** Calico lists in one group what it takes in two. */
function keyOf(object: JsonMap): string {
  const [group = ''] = String(object.apiVersion).split('/');
  const { namespace, name } = (object.metadata ?? {}) as JsonMap;
  return `${group.replace(/^crd\./, '')} ${object.kind} ${namespace} ${name}`;
}

function storedKey(request: PolicyRequest | UnreadRequest): string {
  return keyOf(objectOf(request));
}

/** With the apiVersion that its resource has, and a name that is still to be generated. */
function objectOf(request: PolicyRequest | UnreadRequest): JsonMap {
  const { kind, namespace, name, object, family } = request;
  const [group, version] = family === 'unread' ? [request.group, 'v1'] : request.resource.split('/');
  const shown = name || `${String(valueAt(object, 'metadata', 'generateName') ?? '')}*`;
  return {
    ...object,
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { ...object.metadata, namespace, name: shown },
  };
}

function writtenPolicy(written: ReadObject, mesh: ReturnType<typeof readMesh>): WrittenPolicy | undefined {
  if (written.kind === 'policy') return { kind: 'network', policy: written.value };
  if (written.kind !== 'mesh') return undefined;
  const { ref } = written.value;
  const authorization = mesh.authorizations.find((one) => one.ref === ref);
  if (authorization !== undefined) return { kind: 'authorization', policy: authorization };
  const mutualTls = mesh.peerAuthentications.find((one) => one.ref === ref);
  if (mutualTls !== undefined) return { kind: 'mutual-tls', policy: mutualTls };
  const tokens = mesh.requestAuthentications.find((one) => one.ref === ref);
  return tokens && { kind: 'tokens', policy: tokens };
}
