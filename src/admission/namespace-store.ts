import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRecord, NamespaceSource, TenancySource } from './facts.ts';

/** The namespaces that are known, in memory. Whoever follows them writes; admission reads. */
export interface NamespaceStore extends Pick<NamespaceSource, 'lookup' | 'countOwned' | 'namesOwned' | 'all'> {
  /** Adds the namespace, or replaces what was known of it. */
  set(record: NamespaceRecord): void;
  /** A name that is not known is no mistake. */
  delete(name: string): void;
  /** From now on these are all there are. */
  replaceAll(records: Iterable<NamespaceRecord>): void;
}

const none: ReadonlySet<string> = new Set();

/**
 * Every operation takes constant time, however many namespaces there are; only replaceAll is linear. Namespaces are sorted as they
 * come and go, by the value of the tenant label. When the settings name another label, that says nothing any more: the first
 * operation that needs it sorts anew, once.
 */
export function createNamespaceStore(tenancy: TenancySource): NamespaceStore {
  let records = new Map<string, NamespaceRecord>();
  let owned = new Map<string, Set<string>>();
  let sortedBy = tenancy().settings.tenantLabel;

  const add = ({ name, labels }: NamespaceRecord) => {
    const tenant = entry(labels, sortedBy);
    if (tenant !== undefined) owned.set(tenant, (owned.get(tenant) ?? new Set()).add(name));
  };
  const remove = (record: NamespaceRecord | undefined) => {
    const tenant = entry(record?.labels, sortedBy);
    if (record === undefined || tenant === undefined) return;
    const names = owned.get(tenant);
    names?.delete(record.name);
    if (names?.size === 0) owned.delete(tenant);
  };
  const sortAnew = () => {
    owned = new Map();
    sortedBy = tenancy().settings.tenantLabel;
    for (const record of records.values()) add(record);
  };
  const namesOwned = (tenant: string): ReadonlySet<string> => {
    if (sortedBy !== tenancy().settings.tenantLabel) sortAnew();
    return owned.get(tenant) ?? none;
  };

  return {
    lookup: (name) => records.get(name),
    countOwned: (tenant) => namesOwned(tenant).size,
    namesOwned,
    all: () => records.values(),
    set(record) {
      remove(records.get(record.name));
      records.set(record.name, record);
      add(record);
    },
    delete(name) {
      remove(records.get(name));
      records.delete(name);
    },
    replaceAll(all) {
      records = new Map();
      for (const record of all) records.set(record.name, record);
      sortAnew();
    },
  };
}
