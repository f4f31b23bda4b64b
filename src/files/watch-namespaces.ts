import type { NamespaceSource, TenancySource } from '../admission/facts.ts';
import { createNamespaceStore, type NamespaceStore } from '../admission/namespace-store.ts';
import type { Loaded } from '../tenancy/problem.ts';
import { noFiles } from './read-files.ts';
import { type Namespaces, namespacesOf } from './read-namespaces.ts';
import { type Follower, type Watch, watchFiles } from './watch-files.ts';

export interface NamespaceWatch extends Watch<Namespaces> {
  /** The last good state, for admission. */
  readonly source: NamespaceSource;
}

/** Namespaces for where no API server is: see {@link sourceOf}. */
export async function watchNamespaces(
  path: string,
  tenancy: TenancySource,
  follower: Follower<Namespaces>,
): Promise<Loaded<NamespaceWatch>> {
  const store = createNamespaceStore(tenancy);
  const watch = await watchFiles([path], ([texts = noFiles]) => namespacesOf(texts, path), {
    ...follower,
    onChange: (namespaces, warnings) => {
      store.replaceAll(namespaces.values());
      follower.onChange(namespaces, warnings);
    },
  });
  if (!watch.ok) return watch;
  store.replaceAll(watch.value.current().values());
  return { ...watch, value: { ...watch.value, source: sourceOf(store) } };
}

/** There are no others. None counts as emptied, so that what only an emptied namespace allows stays refused. */
export function sourceOf(store: NamespaceStore): NamespaceSource {
  return {
    ...store,
    isFree: (name) => store.lookup(name) === undefined,
    fetch: async (name) => store.lookup(name),
    hasPods: async () => true,
  };
}
