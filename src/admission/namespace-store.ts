import { entry } from '../kubernetes/objects.ts';
import { misplacedKeys } from '../tenancy/trusted-labels.ts';
import type { NamespaceRecord, NamespaceSource, TenancySource } from './facts.ts';

/** The namespaces that are known, in memory. Their source writes; admission reads. */
export interface NamespaceStore
  extends Pick<NamespaceSource, 'lookup' | 'countOwned' | 'namesOwned' | 'isKept' | 'all'> {
  /** Adds the namespace, or replaces what was known of it. */
  set(record: NamespaceRecord): void;
  /** A name that is not known is no mistake. */
  delete(name: string): void;
  /** From now on these are all there are. */
  replaceAll(records: Iterable<NamespaceRecord>): void;
}

const none: ReadonlySet<string> = new Set();

/**
 * Every operation takes constant time, however many namespaces there are; only replaceAll is linear. Namespaces are indexed as they
 * come and go, by the value of the tenant label and by the platform labels that they must not have. If other settings name other
 * labels, the first operation that needs the index builds it again, once.
 */
export function createNamespaceStore(tenancy: TenancySource): NamespaceStore {
  let records = new Map<string, NamespaceRecord>();
  let owned = new Map<string, Set<string>>();
  /** By key of the platform label. */
  let misplaced = new Map<string, Set<string>>();
  let sortedBy = tenancy().settings;

  const add = (record: NamespaceRecord) => {
    const tenant = entry(record.labels, sortedBy.tenantLabel);
    if (tenant !== undefined) put(owned, tenant, record.name);
    for (const key of misplacedKeys(record, sortedBy)) put(misplaced, key, record.name);
  };
  const remove = (record: NamespaceRecord | undefined) => {
    if (record === undefined) return;
    const tenant = entry(record.labels, sortedBy.tenantLabel);
    if (tenant !== undefined) take(owned, tenant, record.name);
    for (const key of misplacedKeys(record, sortedBy)) take(misplaced, key, record.name);
  };
  const sortAnew = () => {
    [owned, misplaced] = [new Map(), new Map()];
    sortedBy = tenancy().settings;
    for (const record of records.values()) add(record);
  };
  const isSorted = ({ tenantLabel, trustedLabels } = tenancy().settings) =>
    sortedBy.tenantLabel === tenantLabel && sortedBy.trustedLabels === trustedLabels;
  const namesOwned = (tenant: string): ReadonlySet<string> => {
    if (!isSorted()) sortAnew();
    return owned.get(tenant) ?? none;
  };

  return {
    lookup: (name) => records.get(name),
    countOwned: (tenant) => namesOwned(tenant).size,
    namesOwned,
    isKept(key) {
      if (!isSorted()) sortAnew();
      return !misplaced.has(key);
    },
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

function put(sets: Map<string, Set<string>>, key: string, name: string): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(name));
}

function take(sets: Map<string, Set<string>>, key: string, name: string): void {
  const names = sets.get(key);
  names?.delete(name);
  if (names?.size === 0) sets.delete(key);
}
