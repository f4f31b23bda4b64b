/** The objects of baselines: as the watches reported them, as they were written since, and their drift. */
import { defaultDenyName } from '../baseline/baseline.ts';
import { namespaceIsolatedBy, namespaceUidOf } from '../baseline/default-deny.ts';
import { isManagedName } from '../baseline/managed.ts';
import type { Clock } from '../client/clock.ts';
import type { Handler } from '../client/list-watch.ts';
import { stateOf } from './baseline-state.ts';
import type { Kind, Stored } from './baseline-writer.ts';
import { lastManagerOf } from './field-manager.ts';

/** An object as the watch reported it. */
export interface Observed {
  readonly kind: Kind;
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  readonly state: string;
  /** The uid of the namespace that a default-deny policy is tied to, whatever it does. */
  readonly namespaceUid: string | undefined;
  /** The uid of the namespace that it isolates; undefined: it isolates none. */
  readonly isolates: string | undefined;
}

/** A change of an object by another client. */
export interface Drift {
  /** From managedFields; undefined: it was deleted, or they do not say. */
  readonly manager: string | undefined;
  /** The version that it had afterwards, or the uid of what was deleted. */
  readonly left: { readonly version: number } | { readonly deleted: string };
}

/** The key of an object in its namespace: kind and name. */
export type Key = `${Kind} ${string}`;

export interface ManagedStore {
  /** For the objects with Bulkhead's managed-by label. */
  readonly handlers: Readonly<Record<Kind, Handler>>;
  namespaces(): Iterable<string>;
  all(namespace: string): readonly Observed[];
  find(namespace: string, key: Key): Observed | undefined;
  /** Of an object, with own writes that the watch has not reported yet; undefined: there is none. */
  state(namespace: string, key: Key): string | undefined;
  /** Until the object is put back. */
  drift(namespace: string, key: Key): Drift | undefined;
  /** @param answered the drift that was known before the write */
  wrote(namespace: string, key: Key, stored: Written, answered: Drift | undefined): void;
  /** Forgets the drift of these objects. */
  clearDrift(namespace: string, isCleared: (key: Key) => boolean): void;
  stop(): void;
}

/** The watch reports an own write within milliseconds. A write that it has not reported after this long is looked at again. */
const echoLimit = 5_000;

export interface Written extends Stored {
  readonly state: string;
}

/** An own write that the watch has not reported yet. */
interface Awaited extends Written {
  readonly namespace: string;
  readonly at: number;
}

export function keyOf({ kind, name }: { readonly kind: Kind; readonly name: string }): Key {
  return `${kind} ${name}`;
}

/**
 * @param tenantLabel the key of the tenant label, now
 * @param look called for a namespace that may have to be reconciled; `gone`: an object was deleted
 */
export function createManagedStore(
  clock: Clock,
  tenantLabel: () => string,
  look: (namespace: string, gone: boolean) => void,
): ManagedStore {
  /** By namespace. A few for each: a list takes a third of the memory of a map. */
  const observed = new Map<string, Observed[]>();
  const written = new Map<string, Awaited>();
  const drifts = new Map<string, Map<Key, Drift>>();
  let cancelCheck: (() => void) | undefined;

  function setDrift(namespace: string, key: Key, drift: Drift): void {
    drifts.set(namespace, (drifts.get(namespace) ?? new Map()).set(key, drift));
  }

  function find(namespace: string, key: Key): Observed | undefined {
    return observed.get(namespace)?.find((one) => keyOf(one) === key);
  }

  function set(namespace: string, object: Observed): void {
    const objects = observed.get(namespace) ?? [];
    const index = objects.findIndex(({ kind, name }) => kind === object.kind && name === object.name);
    objects[index === -1 ? objects.length : index] = object;
    observed.set(namespace, objects);
  }

  function handlerOf(kind: Kind): Handler {
    return {
      changed({ metadata: { namespace, name, uid, resourceVersion }, object }) {
        if (!isManagedName(name)) return;
        const key = keyOf({ kind, name });
        const version = Number(resourceVersion);
        const state = stateOf(object, tenantLabel());
        const before = find(namespace, key);
        const isDefaultDeny = name === defaultDenyName;
        const namespaceUid = isDefaultDeny ? namespaceUidOf(object) : undefined;
        const isolates = isDefaultDeny ? namespaceIsolatedBy(object) : undefined;
        set(namespace, { kind, name, uid, version, state, namespaceUid, isolates });
        const own = written.get(placeOf(namespace, key));
        if (own !== undefined && own.version <= version) written.delete(placeOf(namespace, key));
        // The status of a quota changes with every pod.
        if (before?.state === state) return;
        if (before !== undefined && own?.state !== state)
          setDrift(namespace, key, { manager: lastManagerOf(object), left: { version } });
        look(namespace, false);
      },
      removed({ namespace, name, uid }) {
        const key = keyOf({ kind, name });
        if (find(namespace, key) === undefined) return;
        const others = observed.get(namespace)?.filter((one) => keyOf(one) !== key) ?? [];
        if (others.length === 0) observed.delete(namespace);
        else observed.set(namespace, others);
        written.delete(placeOf(namespace, key));
        setDrift(namespace, key, { manager: undefined, left: { deleted: uid } });
        look(namespace, true);
      },
    };
  }

  /** Whether it came after the write, to the very object that was written; the watch can be faster than the answer. */
  function isLater({ left }: Drift, { uid, version }: Stored): boolean {
    return 'deleted' in left ? left.deleted === uid : left.version > version;
  }

  function clearDrift(namespace: string, isCleared: (key: Key) => boolean): void {
    const some = drifts.get(namespace);
    for (const key of some?.keys() ?? []) if (isCleared(key)) some?.delete(key);
    if (some?.size === 0) drifts.delete(namespace);
  }

  function checkEchoes(): void {
    cancelCheck = undefined;
    for (const [place, { namespace, at }] of written) {
      if (clock.now() - at < echoLimit) continue;
      written.delete(place);
      look(namespace, false);
    }
    if (written.size > 0) cancelCheck = clock.after(echoLimit, checkEchoes);
  }

  return {
    handlers: {
      NetworkPolicy: handlerOf('NetworkPolicy'),
      ResourceQuota: handlerOf('ResourceQuota'),
      LimitRange: handlerOf('LimitRange'),
    },
    namespaces: () => observed.keys(),
    all: (namespace) => observed.get(namespace) ?? [],
    find,
    state: (namespace, key) => written.get(placeOf(namespace, key))?.state ?? find(namespace, key)?.state,
    drift: (namespace, key) => drifts.get(namespace)?.get(key),
    wrote(namespace, key, stored, answered) {
      const drift = drifts.get(namespace)?.get(key);
      if (drift !== undefined && drift !== answered && isLater(drift, stored)) return;
      clearDrift(namespace, (one) => one === key);
      const known = find(namespace, key);
      // The watch was faster than the answer; or nothing had to be written, and then it reports nothing.
      if (known?.uid === stored.uid && known.version === stored.version)
        set(namespace, { ...known, state: stored.state });
      else {
        written.set(placeOf(namespace, key), { ...stored, namespace, at: clock.now() });
        cancelCheck ??= clock.after(echoLimit, checkEchoes);
      }
    },
    clearDrift,
    stop: () => cancelCheck?.(),
  };
}

function placeOf(namespace: string, key: Key): string {
  return `${namespace}/${key}`;
}
