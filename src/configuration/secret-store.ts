/** The Secret in which replicas share their certificates: read, created, and replaced only in the version that was read. */
import { isComplete, type Remains, type RotationState, readState, writeState } from '../certificates/rotation-state.ts';
import type { Answer, Connection } from '../client/connection.ts';
import { type DecodedObject, decodeObject, fieldsAt } from '../client/decode.ts';
import { broken, type Failure } from '../client/failure.ts';

/** `kubectl annotate secret ... bulkhead.dev/rotate=now` asks for another authority. Taken away when it is begun. */
export const rotateAnnotation = 'bulkhead.dev/rotate';

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

export interface StoredSecret {
  readonly resourceVersion: string;
  readonly remains: Remains;
  /** All of it, when it is whole. */
  readonly state: RotationState | undefined;
  /** Another authority is asked for. */
  readonly asked: boolean;
  readonly object: Readonly<Record<string, unknown>>;
}

export type Read = { readonly ok: true; readonly secret: StoredSecret | undefined } | Failure;
/** `conflict`: another replica has written first. */
export type Written = { readonly ok: true; readonly secret: StoredSecret } | 'conflict' | Failure;

export interface SecretStore {
  /** The newest state. */
  read(signal: AbortSignal): Promise<Read>;
  /**
   * @param before  as it was read; undefined: there is none
   * @param granted whether the request for another authority is done with
   */
  write(
    before: StoredSecret | undefined,
    state: RotationState,
    granted: boolean,
    signal: AbortSignal,
  ): Promise<Written>;
}

export function createSecretStore(connection: Connection, { namespace, name }: SecretName): SecretStore {
  const collection = secretsPath(namespace);
  const path = `${collection}/${name}`;

  return {
    async read(signal) {
      const answer = await connection.request('GET', path, { signal });
      if (!answer.ok)
        return answer.kind === 'refused' && answer.status === 404 ? { ok: true, secret: undefined } : answer;
      const object = decodeObject(answer.body);
      return object === undefined ? unreadable() : { ok: true, secret: readSecret(object) };
    },
    async write(before, state, granted, signal) {
      const { managedFields: _, ...metadata } = fieldsAt(before?.object ?? {}, 'metadata');
      const annotations = { ...fieldsAt(metadata, 'annotations') };
      if (granted) delete annotations[rotateAnnotation];
      const body = {
        type: 'Opaque',
        ...before?.object,
        apiVersion: 'v1',
        kind: 'Secret',
        metadata:
          before === undefined
            ? { namespace, name, labels: { 'app.kubernetes.io/name': 'bulkhead' } }
            : { ...metadata, annotations, resourceVersion: before.resourceVersion },
        data: encoded(fieldsAt(before?.object ?? {}, 'data'), state),
      };
      const answer =
        before === undefined
          ? await connection.request('POST', collection, { body, signal })
          : await connection.request('PUT', path, { body, signal });
      return written(answer);
    },
  };
}

export function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}

export function readSecret({ metadata, object }: DecodedObject): StoredSecret {
  const data = new Map(
    Object.entries(fieldsAt(object, 'data')).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, Buffer.from(value, 'base64').toString('latin1')] as const] : [],
    ),
  );
  const remains = readState(data);
  const annotations = fieldsAt(fieldsAt(object, 'metadata'), 'annotations');
  return {
    resourceVersion: metadata.resourceVersion,
    remains,
    state: isComplete(remains) ? remains : undefined,
    asked: Object.hasOwn(annotations, rotateAnnotation),
    object,
  };
}

/** What is not of the state stays as it is. */
function encoded(data: Readonly<Record<string, unknown>>, state: RotationState): Readonly<Record<string, unknown>> {
  const result = new Map(Object.entries(data));
  for (const [key, value] of Object.entries(writeState(state))) {
    if (value === undefined) result.delete(key);
    else result.set(key, Buffer.from(value, 'latin1').toString('base64'));
  }
  return Object.fromEntries(result);
}

function written(answer: Answer): Written {
  // 409: it has another version; it is there already. 404: it is gone.
  if (!answer.ok)
    return answer.kind === 'refused' && (answer.status === 409 || answer.status === 404) ? 'conflict' : answer;
  const object = decodeObject(answer.body);
  return object === undefined ? unreadable() : { ok: true, secret: readSecret(object) };
}

function unreadable(): Failure {
  return broken(new Error('the answer is not a Secret'));
}
