import type { NamespaceKey } from '../admission/facts.ts';
import { type Tenants, type TenantVerdict, tenantsPath } from '../facts/tenants.ts';
import type { Problem } from '../tenancy/problem.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { BorderState } from './border-states.ts';
import { hashed, type NamespaceEvents } from './namespace-events.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';
import { refusal, statusOf, untilExpiry } from './tenant-status.ts';

export interface TenantStatusOptions extends StatusWriterOptions {
  /** Of the border in the network; undefined: the settings want none. */
  readonly borderOf: (tenant: Tenant) => BorderState | undefined;
  readonly tenants: Pick<Tenants, 'current' | 'verdicts' | 'verdict'>;
  readonly countOwned: (tenant: string) => number;
  /** Why the settings that were read last are not in force; empty when they are. */
  readonly rejectedSettings: () => readonly Problem[];
  /** Where Events go about objects that are not in force; undefined: it is not known. */
  readonly home: () => NamespaceKey | undefined;
  readonly events: Pick<NamespaceEvents, 'record'>;
}

/** Writes the status of Tenant objects, and an Event for each version that is not in force. */
export function createTenantStatusWriter({
  tenants,
  countOwned,
  borderOf,
  rejectedSettings,
  home,
  events,
  ...options
}: TenantStatusOptions): StatusWriter {
  /** By name, what an Event said last. */
  const reported = new Map<string, string>();

  function tell(name: string, verdict: TenantVerdict): void {
    const message = verdict.problems.length === 0 ? '' : `Tenant ${name}: ${refusal(verdict)}`;
    if (message === (reported.get(name) ?? '')) return;
    const place = home();
    // An Event that is left out, because there were too many, is written the next time.
    if (message !== '' && !(place && events.record(place, 'ConfigurationRejected', message, hashed(message)))) return;
    reported.set(name, message);
  }

  return createStatusWriter(options, {
    kind: 'Tenant',
    pathOf: (name) => `${tenantsPath}/${name}`,
    names: () => tenants.verdicts().map(({ object }) => object.name),
    look(name, now) {
      const verdict = tenants.verdict(name);
      if (verdict === undefined) {
        reported.delete(name);
        return undefined;
      }
      tell(name, verdict);
      const { uid, status: stored } = verdict.object;
      const border = verdict.inForce && borderOf(verdict.inForce);
      const status = statusOf(verdict, tenants.current(), countOwned(name), border, now, rejectedSettings());
      return { uid, status, stored, lasts: untilExpiry(verdict, tenants.current(), now) };
    },
  });
}
