/** Writes single objects of a baseline: puts one in place, or takes one away. */
import type { ManagedObject } from '../baseline/baseline.ts';
import type { Answer, Connection } from '../client/connection.ts';
import { decodeObject } from '../client/decode.ts';
import { broken, type Failure } from '../client/failure.ts';
import { valueAt } from '../kubernetes/json.ts';
import { stateOf } from './baseline-state.ts';
import { fieldManager } from './field-manager.ts';

export type Kind = ManagedObject['kind'];

export interface BaselineWriter {
  /**
   * Makes an object as it is given, whichever client has created or changed it.
   *
   * @param tenantLabel the key of the tenant label
   */
  apply(object: ManagedObject, tenantLabel: string, signal: AbortSignal): Promise<Applied | Failure>;
  /** Only the object with this uid. Gone already is no failure. */
  prune(kind: Kind, namespace: string, name: string, uid: string, signal: AbortSignal): Promise<Gone | Failure>;
}

/** An object as the API server has it. */
export interface Stored {
  readonly uid: string;
  readonly version: number;
}

interface Applied extends Stored {
  readonly ok: true;
}

interface Gone {
  readonly ok: true;
  readonly pruned: boolean;
}

/** Where objects of a kind live; `*` stands for the namespace. */
const collections: Readonly<Record<Kind, string>> = {
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/*/networkpolicies',
  ResourceQuota: '/api/v1/namespaces/*/resourcequotas',
};

export function createBaselineWriter(connection: Connection): BaselineWriter {
  /** Server-side apply, and a plain update where that leaves fields which other clients have added. */
  async function applyOnce(object: ManagedObject, tenantLabel: string, signal: AbortSignal) {
    const { name, namespace } = object.metadata;
    const path = `${pathOf(object.kind, namespace, name)}?fieldManager=${fieldManager}`;
    const contentType = 'application/apply-patch+yaml';
    const answer = await connection.request('PATCH', `${path}&force=true`, { body: object, contentType, signal });
    const stored = readStored(answer, tenantLabel);
    if (stored === undefined || stored.state === stateOf({ ...object }, tenantLabel)) return { answer, stored };
    const { resourceVersion } = stored;
    const body = { ...object, metadata: { ...object.metadata, resourceVersion } };
    const updated = await connection.request('PUT', path, { body, signal });
    return { answer: updated, stored: readStored(updated, tenantLabel) };
  }

  return {
    async apply(object, tenantLabel, signal) {
      let { answer, stored } = await applyOnce(object, tenantLabel, signal);
      // It was terminating, and the update removed its finalizer, so it is gone now.
      if (stored?.ending) ({ answer, stored } = await applyOnce(object, tenantLabel, signal));
      if (!answer.ok) return answer;
      if (stored?.state === stateOf({ ...object }, tenantLabel))
        return { ok: true, uid: stored.uid, version: Number(stored.resourceVersion) };
      const { kind, metadata } = object;
      return broken(new Error(`${kind} ${metadata.name} was stored in another form; does a webhook change it?`));
    },
    async prune(kind, namespace, name, uid, signal) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
      const answer = await connection.request('DELETE', pathOf(kind, namespace, name), { body, signal });
      if (!answer.ok && answer.status === 404) return { ok: true, pruned: false };
      return answer.ok ? { ok: true, pruned: true } : answer;
    },
  };
}

function readStored(answer: Answer, tenantLabel: string) {
  const stored = answer.ok ? decodeObject(answer.body) : undefined;
  if (stored === undefined) return undefined;
  return {
    state: stateOf(stored.object, tenantLabel),
    uid: stored.metadata.uid,
    resourceVersion: stored.metadata.resourceVersion,
    ending: typeof valueAt(stored.object, 'metadata', 'deletionTimestamp') === 'string',
  };
}

function pathOf(kind: Kind, namespace: string, name: string): string {
  return `${collections[kind].replace('*', namespace)}/${name}`;
}
