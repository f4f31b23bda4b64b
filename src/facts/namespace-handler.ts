/** What a change of a namespace means to the rest: its record, who owns it, and labels that policies must not rely on. */
import type { NamespaceRecord, TenancySource } from '../admission/facts.ts';
import type { NamespaceStore } from '../admission/namespace-store.ts';
import type { Handler } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import { fixOfMisplaced, misplacedKeys } from '../tenancy/trusted-labels.ts';
import { namespaceRecord } from './namespaces.ts';

export interface NamespaceHandlerOptions {
  readonly store: NamespaceStore;
  readonly tenancy: TenancySource;
  readonly ownerLabel: (record: NamespaceRecord) => string | undefined;
  readonly log: Log;
  /** An owner, or a label that policies may rely on: stored policies are to be judged again. */
  labelsMoved(): void;
  /** @param concernsTenants whether it came, went, begins to end, or has another owner */
  changed(name: string, affectsTenants: boolean): void;
}

export function namespaceHandler(options: NamespaceHandlerOptions): Handler {
  const { store, tenancy, ownerLabel, log } = options;
  const misplacedOn = (one: NamespaceRecord | undefined) =>
    one === undefined ? [] : misplacedKeys(one, tenancy().settings);

  return {
    changed(object) {
      const record = namespaceRecord(object);
      const before = store.lookup(record.name);
      store.set(record);
      const [was, is] = [misplacedOn(before), misplacedOn(record)];
      const isMoved = before !== undefined && ownerLabel(before) !== ownerLabel(record);
      if (isMoved || was.join() !== is.join()) options.labelsMoved();
      for (const key of is)
        if (!was.includes(key))
          log.error(
            { namespace: record.name },
            `no policy can rely on the label ${key}, as a namespace has it that the settings do not list: ${fixOfMisplaced(record.name, key)}`,
          );
      options.changed(record.name, before === undefined || isMoved || before.terminating !== record.terminating);
    },
    removed({ name }) {
      if (misplacedOn(store.lookup(name)).length > 0) options.labelsMoved();
      store.delete(name);
      options.changed(name, true);
    },
  };
}
