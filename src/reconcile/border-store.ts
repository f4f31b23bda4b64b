/** The ClusterNetworkPolicies that are named as those of a border: as the watch reported them, and as they were written since. */
import { isDenyName, tenantOfName } from '../baseline/data-plane-border.ts';
import { managedByLabel, managedByValue } from '../baseline/managed.ts';
import { type DecodedObject, decodeObject } from '../client/decode.ts';
import type { Handler } from '../client/list-watch.ts';
import { valueAt } from '../kubernetes/json.ts';
import { stateOf } from './baseline-state.ts';
import { lastManagerOf } from './field-manager.ts';

export interface StoredBorderPolicy {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Whether Bulkhead put it in place: it has the label of what is managed, or had it here. Another one is not touched. */
  readonly own: boolean;
  /** Whether it is one of those that deny. */
  readonly denies: boolean;
  /** What must be as it is (baseline-state.ts), with that label. */
  readonly state: string;
}

/** A change of an object by another client, until it is put back. */
export interface BorderDrift {
  /** From managedFields; undefined: it was deleted, or they do not say. */
  readonly manager: string | undefined;
}

export interface BorderStore {
  readonly handler: Handler;
  tenants(): Iterable<string>;
  /** Own and foreign ones, by name. */
  of(tenant: string): ReadonlyMap<string, StoredBorderPolicy>;
  find(name: string): StoredBorderPolicy | undefined;
  drift(name: string): BorderDrift | undefined;
  /** It is as it should be. */
  clearDrift(name: string): void;
  /** The answer to a write of Bulkhead, which is its own whatever it says; undefined: it is no such object. */
  wrote(body: unknown): StoredBorderPolicy | undefined;
  /** What a GET has found. */
  read(body: unknown): StoredBorderPolicy | undefined;
  /** Bulkhead deleted it, or a GET has not found it. */
  gone(name: string): void;
  /** What the API server stores of such an object. */
  stateOf(object: Readonly<Record<string, unknown>>): string;
}

/**
 * @param tenantLabel the key of the tenant label, now
 * @param look called for a tenant whose border may have to be reconciled
 */
export function createBorderStore(tenantLabel: () => string, look: (tenant: string) => void): BorderStore {
  const byTenant = new Map<string, Map<string, StoredBorderPolicy>>();
  const drifts = new Map<string, BorderDrift>();
  const none: ReadonlyMap<string, StoredBorderPolicy> = new Map();

  const isLabelled = (object: Readonly<Record<string, unknown>>) =>
    valueAt(object, 'metadata', 'labels', managedByLabel) === managedByValue;
  const state = (object: Readonly<Record<string, unknown>>): string =>
    `${isLabelled(object)} ${stateOf(object, tenantLabel())}`;

  function find(name: string): StoredBorderPolicy | undefined {
    return byTenant.get(tenantOfName(name) ?? '')?.get(name);
  }

  function put({ metadata, object }: DecodedObject): StoredBorderPolicy | undefined {
    const { name, uid, resourceVersion } = metadata;
    const tenant = tenantOfName(name);
    if (tenant === undefined) return undefined;
    const before = find(name);
    const own = isLabelled(object) || (before?.own === true && before.uid === uid);
    const stored = { name, uid, resourceVersion, own, denies: isDenyName(name), state: state(object) };
    byTenant.set(tenant, (byTenant.get(tenant) ?? new Map()).set(name, stored));
    return stored;
  }

  function remove(name: string): void {
    const tenant = tenantOfName(name) ?? '';
    const policies = byTenant.get(tenant);
    policies?.delete(name);
    if (policies?.size === 0) byTenant.delete(tenant);
  }

  /** An answer to a request, beside what the watch brings. */
  function answered(body: unknown): StoredBorderPolicy | undefined {
    const decoded = decodeObject(body);
    return decoded && put(decoded);
  }

  return {
    handler: {
      changed(object) {
        const { name, uid, resourceVersion } = object.metadata;
        const tenant = tenantOfName(name);
        if (tenant === undefined) return;
        const before = find(name);
        const isSame = before?.uid === uid;
        // The watch may be behind an own write.
        if (isSame && Number(resourceVersion) <= Number(before.resourceVersion)) return;
        const stored = put(object);
        if (isSame && before.own && before.state !== stored?.state)
          drifts.set(name, { manager: lastManagerOf(object.object) });
        if (before?.state !== stored?.state || !isSame) look(tenant);
      },
      removed({ name, uid }) {
        const before = find(name);
        if (before?.uid !== uid) return;
        remove(name);
        if (before.own) drifts.set(name, { manager: undefined });
        look(tenantOfName(name) ?? '');
      },
      // After a restore of etcd, versions begin anew. The list that follows brings the right ones.
      forgetVersions() {
        for (const policies of byTenant.values())
          for (const [name, stored] of policies) policies.set(name, { ...stored, resourceVersion: '0' });
      },
    },
    tenants: () => byTenant.keys(),
    of: (tenant) => byTenant.get(tenant) ?? none,
    find,
    drift: (name) => drifts.get(name),
    clearDrift: (name) => drifts.delete(name),
    wrote(body) {
      const stored = answered(body);
      if (stored !== undefined) drifts.delete(stored.name);
      return stored;
    },
    read: answered,
    gone(name) {
      drifts.delete(name);
      remove(name);
    },
    stateOf: state,
  };
}
