import { type Tenants, tenantsPath } from '../facts/tenants.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';
import { statusOf, untilExpiry } from './tenant-status.ts';

export interface TenantStatusOptions extends StatusWriterOptions {
  readonly tenants: Pick<Tenants, 'current' | 'verdicts' | 'verdict'>;
  readonly countOwned: (tenant: string) => number;
}

/** Writes the status of Tenant objects. */
export function createTenantStatusWriter({ tenants, countOwned, ...options }: TenantStatusOptions): StatusWriter {
  return createStatusWriter(options, {
    kind: 'Tenant',
    pathOf: (name) => `${tenantsPath}/${name}`,
    names: () => tenants.verdicts().map(({ object }) => object.name),
    look(name, now) {
      const verdict = tenants.verdict(name);
      if (verdict === undefined) return undefined;
      const { uid, status: stored } = verdict.object;
      const status = statusOf(verdict, tenants.current(), countOwned(name), now);
      return { uid, status, stored, lasts: untilExpiry(verdict, tenants.current(), now) };
    },
  });
}
