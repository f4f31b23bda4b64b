import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRecord, NamespaceSource, TenancySource } from './facts.ts';

/** The namespaces that are known, in memory. Whoever follows them writes; admission reads. */
export interface NamespaceStore extends Pick<NamespaceSource, 'lookup' | 'countOwned'> {
  /** Adds the namespace, or replaces what was known of it. */
  set(record: NamespaceRecord): void;
  /** A name that is not known is no mistake. */
  delete(name: string): void;
  /** From now on these are all there are. */
  replaceAll(records: Iterable<NamespaceRecord>): void;
}

/**
 * Every operation takes constant time, however many namespaces there are; only replaceAll is linear. Namespaces are counted as they
 * come and go, by the value of the tenant label. When the settings name another label, the counts say nothing any more: the first
 * operation that needs them counts anew, once.
 */
export function createNamespaceStore(tenancy: TenancySource): NamespaceStore {
  let records = new Map<string, NamespaceRecord>();
  let counts = new Map<string, number>();
  let countedBy = tenancy().settings.tenantLabel;

  const count = (record: NamespaceRecord | undefined, step: 1 | -1) => {
    const tenant = entry(record?.labels, countedBy);
    if (tenant === undefined) return;
    const number = (counts.get(tenant) ?? 0) + step;
    if (number === 0) counts.delete(tenant);
    else counts.set(tenant, number);
  };
  const countAnew = () => {
    counts = new Map();
    countedBy = tenancy().settings.tenantLabel;
    for (const record of records.values()) count(record, 1);
  };

  return {
    lookup: (name) => records.get(name),
    countOwned(tenant) {
      if (countedBy !== tenancy().settings.tenantLabel) countAnew();
      return counts.get(tenant) ?? 0;
    },
    set(record) {
      count(records.get(record.name), -1);
      records.set(record.name, record);
      count(record, 1);
    },
    delete(name) {
      count(records.get(name), -1);
      records.delete(name);
    },
    replaceAll(all) {
      records = new Map();
      for (const record of all) records.set(record.name, record);
      countAnew();
    },
  };
}
