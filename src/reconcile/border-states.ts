/** In which state the borders of tenants in the network are, and what keeps them back. */
import type { TenancySource } from '../admission/facts.ts';
import { dataPlaneBorder } from '../baseline/data-plane-border.ts';
import type { Log } from '../client/log.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { BorderTrouble } from './reconcile-border.ts';

/** Of one tenant. `Pending`: it is not yet as it should be. */
export interface BorderState {
  readonly reason: 'InPlace' | 'Pending' | 'Withheld' | 'NotServed' | BorderTrouble['reason'];
  readonly message: string;
}

export type BorderCounts = Readonly<Record<BorderState['reason'], number>>;

export interface BorderStates {
  names(): Iterable<string>;
  /** @param state undefined: it has no border, and is to have none */
  set(tenant: string, state: BorderState | undefined): void;
  /** Why no border can be put in place; undefined: nothing is known that keeps them back. */
  refuse(reason: string | undefined): void;
  refused(): string | undefined;
  /** Undefined: the settings want none. */
  of(tenant: Tenant): BorderState | undefined;
  counts(): BorderCounts;
  /** Logs what the next step of a rollout would put in place, once for each reason. */
  reportWithheld(): void;
}

export interface BorderStatesOptions {
  readonly tenancy: TenancySource;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Called after a change. */
  readonly onState: () => void;
}

export function createBorderStates({ tenancy, log, wallClock, onState }: BorderStatesOptions): BorderStates {
  const states = new Map<string, BorderState>();
  /** What was logged of a border that is kept back. */
  const withheld = new Map<string, string>();
  let refusal: string | undefined;

  function of(tenant: Tenant): BorderState | undefined {
    const { settings, declares } = tenancy();
    if (settings.clusterPolicy === undefined) return undefined;
    if (settings.enforcement === 'observe') return { reason: 'Withheld', message: 'the settings say observe' };
    if (declares(tenant) && tenant.mode !== 'enforce')
      return { reason: 'Withheld', message: `the tenant is in mode ${tenant.mode}` };
    if (refusal !== undefined) return { reason: 'NotServed', message: refusal };
    return states.get(tenant.name) ?? { reason: 'Pending', message: 'the border was not written yet' };
  }

  return {
    names: () => states.keys(),
    set(tenant, state) {
      const before = states.get(tenant);
      if (before?.reason === state?.reason && before?.message === state?.message) return;
      if (state === undefined) states.delete(tenant);
      else states.set(tenant, state);
      onState();
    },
    refuse(reason) {
      if (refusal === reason) return;
      refusal = reason;
      onState();
    },
    refused: () => refusal,
    of,
    counts() {
      const counts = { InPlace: 0, Pending: 0, Withheld: 0, NotServed: 0, NameTaken: 0, Failed: 0 };
      for (const tenant of tenancy().tenants.values()) {
        const state = of(tenant);
        if (state !== undefined) counts[state.reason]++;
      }
      return counts;
    },
    reportWithheld() {
      const now = tenancy();
      for (const tenant of now.tenants.values()) {
        const state = of(tenant);
        if (state?.reason !== 'Withheld') withheld.delete(tenant.name);
        else if (withheld.get(tenant.name) !== state.message) {
          withheld.set(tenant.name, state.message);
          const { passes, denies } = dataPlaneBorder(tenant, now, wallClock());
          const objects = [...passes, ...denies].map(({ metadata }) => metadata.name);
          log.info(
            { tenant: tenant.name, because: state.message, objects },
            'mode enforce would put these ClusterNetworkPolicies in place',
          );
        }
      }
      for (const name of withheld.keys()) if (!now.tenants.has(name)) withheld.delete(name);
    },
  };
}
