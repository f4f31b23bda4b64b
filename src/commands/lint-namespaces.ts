import type { NamespaceRecord, NamespaceSource } from '../admission/facts.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import type { Namespaces } from '../files/read-namespaces.ts';
import { sourceOf } from '../files/watch-namespaces.ts';
import { unselectedNamespaces } from '../kinds/selected-namespaces.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { assumedRecord } from './object-namespace.ts';

/** The namespaces that objects of files are in: those that exist, and those that the files create. */
export interface LintNamespaces {
  readonly source: NamespaceSource;
  /** Of a namespace that exists, or that the files create more than once: all but the first update it. */
  existing(name: string): NamespaceRecord | undefined;
  /** The files create it; what is in it is judged by these labels. */
  add(namespace: KubernetesObject): void;
  /** Those of the files that would not be created; nothing is known of them. */
  readonly refused: Set<string>;
  /** Namespaces that were asked for and whose owner is only known by their reserved name. */
  readonly assumed: ReadonlySet<string>;
  /** Whether the owner of the namespace is known; notes it where that is by its name alone. */
  knows(name: string): boolean;
  /** Whether the API server asks about what is inside: in mode enforce, not without the tenant label (docs/decisions/0030). */
  isSelected(name: string): boolean;
}

/** @param listed those that exist; a file cannot say that one of them has another owner */
export function createLintNamespaces(tenancy: Tenancy, listed: Namespaces): LintNamespaces {
  const store = createNamespaceStore(() => tenancy);
  store.replaceAll(listed.values());
  const assumed = new Set<string>();
  const lookup = (name: string) => store.lookup(name) ?? assumedRecord(name, tenancy);
  return {
    source: { ...sourceOf(store), lookup, fetch: async (name) => lookup(name) },
    existing: (name) => store.lookup(name),
    add({ metadata }) {
      const { name = '', labels } = metadata ?? {};
      if (name !== '' && store.lookup(name) === undefined)
        store.set({ name, uid: '', labels: labels ?? {}, terminating: false });
    },
    assumed,
    refused: new Set(),
    knows(name) {
      if (store.lookup(name) !== undefined) return true;
      if (assumedRecord(name, tenancy) === undefined) return false;
      if (tenancy.reservation(name) !== 'platform') assumed.add(name);
      return true;
    },
    isSelected(name) {
      if (unselectedNamespaces.includes(name)) return false;
      const record = lookup(name);
      return record === undefined || Object.hasOwn(record.labels, tenancy.settings.tenantLabel);
    },
  };
}
