/** The borders of tenants in the network, with their Events in Bulkhead's own namespace. */
import type { NamespaceSource, TenancySource } from '../admission/facts.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import { type DataPlaneBorders, keepDataPlaneBorders } from './data-plane-borders.ts';
import { hashed, type NamespaceEvents } from './namespace-events.ts';
import type { StatusWriterOptions } from './status-writer.ts';

export interface BordersOptions extends StatusWriterOptions {
  readonly tenancy: TenancySource;
  readonly follow: (path: string, handler: Handler) => ListWatch;
  readonly namespaces: Pick<NamespaceSource, 'lookup' | 'countOwned'>;
  readonly events: Pick<NamespaceEvents, 'record'>;
  readonly ownNamespace: string;
  /** The state of a border may be another. */
  readonly onState: () => void;
}

export function keepBorders({ namespaces, events, ownNamespace, ...options }: BordersOptions): DataPlaneBorders {
  return keepDataPlaneBorders({
    ...options,
    countOwned: (tenant) => namespaces.countOwned(tenant),
    tell(reason, about, message) {
      const home = namespaces.lookup(ownNamespace);
      if (home !== undefined) events.record(home, reason, message, about === '' ? undefined : hashed(about));
    },
  });
}
