import { type Tenants, tenantsPath } from '../facts/tenants.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { BorderState } from './border-states.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';
import { statusOf, untilExpiry } from './tenant-status.ts';

export interface TenantStatusOptions extends StatusWriterOptions {
  /** Of the border in the network; undefined: the settings want none. */
  readonly borderOf: (tenant: Tenant) => BorderState | undefined;
  readonly tenants: Pick<Tenants, 'current' | 'verdicts' | 'verdict'>;
  readonly countOwned: (tenant: string) => number;
}

/** Writes the status of Tenant objects. */
export function createTenantStatusWriter({
  tenants,
  countOwned,
  borderOf,
  ...options
}: TenantStatusOptions): StatusWriter {
  return createStatusWriter(options, {
    kind: 'Tenant',
    pathOf: (name) => `${tenantsPath}/${name}`,
    names: () => tenants.verdicts().map(({ object }) => object.name),
    look(name, now) {
      const verdict = tenants.verdict(name);
      if (verdict === undefined) return undefined;
      const { uid, status: stored } = verdict.object;
      const border = verdict.inForce && borderOf(verdict.inForce);
      const status = statusOf(verdict, tenants.current(), countOwned(name), border, now);
      return { uid, status, stored, lasts: untilExpiry(verdict, tenants.current(), now) };
    },
  });
}
