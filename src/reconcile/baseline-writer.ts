/** Writes single objects of a baseline: puts one in place, or takes one away. */
import type { ManagedObject } from '../baseline/baseline.ts';
import type { Answer, Connection } from '../client/connection.ts';
import { decodeObject } from '../client/decode.ts';
import { broken, type Failure } from '../client/failure.ts';
import { valueAt } from '../kubernetes/json.ts';
import { stateOf } from './baseline-state.ts';
import { fieldManager } from './field-manager.ts';

export type Kind = ManagedObject['kind'];

/** An object as the API server has it. */
export interface Stored {
  readonly uid: string;
  readonly version: number;
}

const collections: Readonly<Record<Kind, (namespace: string) => string>> = {
  NetworkPolicy: (namespace) => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
  ResourceQuota: (namespace) => `/api/v1/namespaces/${namespace}/resourcequotas`,
  LimitRange: (namespace) => `/api/v1/namespaces/${namespace}/limitranges`,
};

/**
 * Makes an object as it is given, whichever client has created or changed it.
 *
 * @param tenantLabel the key of the tenant label
 */
export async function applyObject(
  connection: Connection,
  object: ManagedObject,
  tenantLabel: string,
  signal: AbortSignal,
): Promise<(Stored & { readonly ok: true }) | Failure> {
  const { kind, metadata } = object;
  const path = `${collections[kind](metadata.namespace)}/${metadata.name}?fieldManager=${fieldManager}`;
  const wanted = stateOf({ ...object }, tenantLabel);

  /** Server-side apply, and a plain update where that leaves fields which other clients have added. */
  async function applyOnce() {
    const contentType = 'application/apply-patch+yaml';
    const answer = await connection.request('PATCH', `${path}&force=true`, { body: object, contentType, signal });
    const stored = readStored(answer, tenantLabel);
    if (stored === undefined || stored.state === wanted) return { answer, stored };
    const body = { ...object, metadata: { ...metadata, resourceVersion: stored.resourceVersion } };
    const updated = await connection.request('PUT', path, { body, signal });
    return { answer: updated, stored: readStored(updated, tenantLabel) };
  }

  let { answer, stored } = await applyOnce();
  // It was terminating, and the update removed its finalizer, so it is gone now.
  if (stored?.ending) ({ answer, stored } = await applyOnce());
  if (!answer.ok) return answer;
  if (stored?.state === wanted) return { ok: true, uid: stored.uid, version: Number(stored.resourceVersion) };
  return broken(new Error(`${kind} ${metadata.name} was stored in another form; does a webhook change it?`));
}

/** Deletes the object with this uid; `pruned` is false where it was gone already. */
export async function pruneObject(
  connection: Connection,
  { kind, name, uid }: { readonly kind: Kind; readonly name: string; readonly uid: string },
  namespace: string,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly pruned: boolean } | Failure> {
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
  const answer = await connection.request('DELETE', `${collections[kind](namespace)}/${name}`, { body, signal });
  if (!answer.ok && answer.status !== 404) return answer;
  return { ok: true, pruned: answer.ok };
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
