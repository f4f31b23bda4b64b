/** Writes single objects of a baseline: puts one in place, or takes one away. */
import type { TenancySource } from '../admission/facts.ts';
import type { ManagedObject } from '../baseline/baseline.ts';
import { stateOf } from './baseline-state.ts';
import type { Answer, Connection } from './connection.ts';
import { broken, type Failure } from './failure.ts';
import { decodeObject, isRecord } from './wire.ts';

export type Kind = ManagedObject['kind'];

export interface BaselineWriter {
  /**
   * Makes an object be as it is given, whoever has made or changed what stands there.
   *
   * @param state its {@link stateOf}
   */
  apply(object: ManagedObject, state: string, signal: AbortSignal): Promise<Stored | Failure>;
  /** Only that very object: one that was made anew under its name stays. Gone already is no failure. */
  prune(kind: Kind, namespace: string, name: string, uid: string, signal: AbortSignal): Promise<Gone | Failure>;
}

interface Stored {
  readonly ok: true;
  readonly resourceVersion: string;
}

interface Gone {
  readonly ok: true;
  readonly pruned: boolean;
}

const fieldManager = 'bulkhead';

/** Where objects of a kind live; `*` stands for the namespace. */
const collections: Readonly<Record<Kind, string>> = {
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/*/networkpolicies',
  ResourceQuota: '/api/v1/namespaces/*/resourcequotas',
};

export function createBaselineWriter(connection: Connection, tenancy: TenancySource): BaselineWriter {
  function readStored(answer: Answer) {
    const stored = answer.ok ? decodeObject(answer.body) : undefined;
    if (stored === undefined) return undefined;
    const { metadata } = stored.object;
    return {
      state: stateOf(stored.object, tenancy().settings.tenantLabel),
      resourceVersion: stored.metadata.resourceVersion,
      ending: isRecord(metadata) && typeof metadata.deletionTimestamp === 'string',
    };
  }

  /** Server-side apply, and a plain update where that leaves something standing which others have added. */
  async function applyOnce(object: ManagedObject, state: string, signal: AbortSignal) {
    const { name, namespace } = object.metadata;
    const path = `${pathOf(object.kind, namespace, name)}?fieldManager=${fieldManager}`;
    const contentType = 'application/apply-patch+yaml';
    const answer = await connection.request('PATCH', `${path}&force=true`, { body: object, contentType, signal });
    const stored = readStored(answer);
    if (stored === undefined || stored.state === state) return { answer, stored };
    const { resourceVersion } = stored;
    const body = { ...object, metadata: { ...object.metadata, resourceVersion } };
    const updated = await connection.request('PUT', path, { body, signal });
    return { answer: updated, stored: readStored(updated) };
  }

  return {
    async apply(object, state, signal) {
      let { answer, stored } = await applyOnce(object, state, signal);
      // It was on its way out and hung on a finalizer. The update took that off, so it is gone now.
      if (stored?.ending) ({ answer, stored } = await applyOnce(object, state, signal));
      if (!answer.ok) return answer;
      if (stored?.state === state) return { ok: true, resourceVersion: stored.resourceVersion };
      const { kind, metadata } = object;
      return broken(new Error(`${kind} ${metadata.name} was stored in another form; does a webhook change it?`));
    },
    async prune(kind, namespace, name, uid, signal) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
      const answer = await connection.request('DELETE', pathOf(kind, namespace, name), { body, signal });
      if (!answer.ok && answer.kind === 'refused' && answer.status === 404) return { ok: true, pruned: false };
      return answer.ok ? { ok: true, pruned: true } : answer;
    },
  };
}

function pathOf(kind: Kind, namespace: string, name: string): string {
  return `${collections[kind].replace('*', namespace)}/${name}`;
}
