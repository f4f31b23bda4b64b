/** The objects of a collection that are known, with their versions. A handler gets every difference. */
import type { DecodedMetadata, DecodedObject } from './decode.ts';

/** Called with every change, in the order of the server, one at a time. */
export interface Handler {
  /** It is new or changed. The first list comes this way too. */
  changed(object: DecodedObject): void;
  /** It is gone. An object that was created anew under its name in between is first `removed`, then `changed`. */
  removed(object: { readonly namespace: string; readonly name: string; readonly uid: string }): void;
  /**
   * For handlers that remember versions or generations. A list begins, and everything in it is handled, in whatever version: after a
   * restore of etcd an object has an older one, or the same one with another content.
   */
  forgetVersions?(): void;
}

/** A list that is being read. */
export interface Listing {
  each(object: DecodedObject): void;
  end(): void;
}

export interface ObjectCache {
  size(): number;
  handlerErrors(): number;
  put(object: DecodedObject): void;
  remove(object: Pick<DecodedMetadata, 'namespace' | 'name'>): void;
  /**
   * Objects that are already known in their version are not handled again; those that are not in the list are gone. A list that
   * breaks off leaves objects of different moments behind; the next one puts that right.
   */
  replace(): Listing;
  /** Whatever is listed next is handled, in whatever version. */
  forgetVersions(): void;
}

/** @param onError called with what the handler throws; the next change is handled all the same */
export function createObjectCache(handler: Handler, onError: (error: unknown) => void): ObjectCache {
  /** Tens of thousands of them: a version takes no memory of its own as a number, which it is (KEP-5504). */
  const known = new Map<string, { readonly uid: string; readonly version: number }>();
  let handlerErrors = 0;

  function guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      handlerErrors++;
      onError(error);
    }
  }

  function put(object: DecodedObject): void {
    const key = keyOf(object.metadata);
    const { uid } = object.metadata;
    const version = Number(object.metadata.resourceVersion);
    const before = known.get(key);
    if (before?.version === version && before.uid === uid) return;
    if (before !== undefined && before.uid !== uid) remove(key);
    known.set(key, { uid, version });
    guarded(() => handler.changed(object));
  }

  function remove(key: string): void {
    const before = known.get(key);
    if (before === undefined) return;
    known.delete(key);
    const slash = key.indexOf('/');
    guarded(() => handler.removed({ namespace: key.slice(0, slash), name: key.slice(slash + 1), uid: before.uid }));
  }

  return {
    size: () => known.size,
    handlerErrors: () => handlerErrors,
    put,
    remove: (object) => remove(keyOf(object)),
    replace() {
      const listed = new Set<string>();
      return {
        each(object) {
          listed.add(keyOf(object.metadata));
          put(object);
        },
        end() {
          for (const key of known.keys()) if (!listed.has(key)) remove(key);
        },
      };
    },
    forgetVersions() {
      for (const [key, { uid }] of known) known.set(key, { uid, version: Number.NaN });
      guarded(() => handler.forgetVersions?.());
    },
  };
}

/** Neither a namespace nor a name holds a slash. Joined, because what a template makes keeps its parts in memory. */
function keyOf({ namespace, name }: Pick<DecodedMetadata, 'namespace' | 'name'>): string {
  return [namespace, name].join('/');
}
