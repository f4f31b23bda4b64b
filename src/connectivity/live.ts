/**
 * A world that follows a cluster: objects come, change and go one by one, and each costs what it is about. Plans are made again when they are
 * asked for. Nothing is kept of a pod but what policies see of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { JsonMap } from '../kubernetes/json.ts';
import type { AddressGroup } from '../reach/dialects/cilium/referred.ts';
import { concernsGroup, concernsService, isAlike } from '../reach/dialects/cilium/referred-changes.ts';
import type { Referring } from '../reach/in-force.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { AddressSets } from './address-sets.ts';
import { type ClassChange, PartyStore } from './party-store.ts';
import { createObjectReader } from './read-object.ts';
import { textAt } from './read-pod.ts';
import type { Reading } from './readings.ts';
import { referred } from './references.ts';
import type { CalicoTier, SnapshotPolicy, SnapshotService, Workload } from './snapshot.ts';
import { createLiveWorld, type LiveWorld, type World } from './world.ts';

export interface Live {
  /** To be asked for again after each change. */
  readonly world: World;
  /** It is new, or has changed. */
  put(object: JsonMap): void;
  /** @param object as it last was */
  remove(object: JsonMap): void;
}

/** @param objects as a cluster lists them, pods and not what makes them */
export function createLive(objects: Iterable<JsonMap>, tenancy: Tenancy, reading: Reading): Live {
  const read = createObjectReader(tenancy, { hasPods: true, withBaseline: false });
  const parties = new PartyStore(tenancy);
  /** Of all namespaces, also of those that are not known yet. */
  const pods = new Map<string, Map<string, Workload>>();
  const policies = new Map<string, SnapshotPolicy>();
  const tiers = new Map<string, CalicoTier>();
  const sets = new AddressSets();
  const services = new Map<string, SnapshotService>();
  const groups = new Map<string, AddressGroup>();
  /** The keys of policies that refer to these. */
  const referring = new Set<string>();
  /** At first, those wait for all that they may refer to. */
  let waiting: Map<string, SnapshotPolicy> | undefined = new Map();
  const made = (): LiveWorld =>
    createLiveWorld([...policies.values()], tiers, sets, parties, tenancy.settings, reading);
  let world = made();

  const changed = (change: ClassChange | undefined): void => {
    if (change?.kind === 'other') world.changed(change.index);
  };

  const putNamespace = (name: string, labels: Readonly<Record<string, string>>): void => {
    const isNew = !parties.byName.has(name);
    const { classes } = parties.putNamespace({ name, labels });
    for (const { index } of classes) world.changed(index);
    if (isNew) for (const one of pods.get(name)?.values() ?? []) changed(parties.addWorkload(one));
  };
  const removeNamespace = (name: string): void => {
    for (const one of pods.get(name)?.values() ?? []) changed(parties.removeWorkload(one));
    parties.removeNamespace(name);
  };

  /** @param workload undefined: it is gone, or has ended */
  const putPod = (namespace: string, name: string, workload: Workload | undefined): void => {
    const own = pods.get(namespace) ?? new Map<string, Workload>();
    const known = own.get(name);
    if (isDeepStrictEqual(known, workload)) return;
    if (known !== undefined) changed(parties.removeWorkload(known));
    if (workload === undefined) own.delete(name);
    else {
      own.set(name, workload);
      changed(parties.addWorkload(workload));
    }
    if (own.size === 0) pods.delete(namespace);
    else pods.set(namespace, own);
  };

  const putPolicy = (key: string, written: SnapshotPolicy): void => {
    const known = policies.get(key);
    const policy = referred(written, { services, groups, isComplete: true });
    if (policy.written === undefined) referring.delete(key);
    else referring.add(key);
    if (known?.inForce === policy.inForce) return;
    if (known?.written !== undefined && known.written === policy.written && isAlike(known.inForce, policy.inForce))
      return;
    policies.set(key, policy);
    world.put(policy, known);
  };
  const removePolicy = (key: string): void => {
    const known = policies.get(key);
    if (known === undefined) return;
    policies.delete(key);
    referring.delete(key);
    world.remove(known);
  };
  /** A Service or group has changed: the policies that refer to it are resolved again. */
  const resolve = (isConcerned: (referring: readonly Referring[]) => boolean): void => {
    for (const key of waiting === undefined ? [...referring] : []) {
      const known = policies.get(key);
      if (known !== undefined && isConcerned(known.written?.referring ?? [])) putPolicy(key, known);
    }
  };
  /** @param service undefined: it is gone */
  const putService = (place: string, service: SnapshotService | undefined): void => {
    const known = services.get(place);
    if (isDeepStrictEqual(known, service)) return;
    if (service === undefined) services.delete(place);
    else services.set(place, service);
    const both = [known, service].filter((one) => one !== undefined);
    resolve((referring) => both.some((one) => concernsService(referring, one)));
  };
  /** @param group undefined: it is gone */
  const putGroup = (name: string, group: AddressGroup | undefined): void => {
    if (isDeepStrictEqual(groups.get(name), group)) return;
    if (group === undefined) groups.delete(name);
    else groups.set(name, group);
    resolve((referring) => concernsGroup(referring, name));
  };

  /** Tiers are about every policy. */
  const withTiers = (change: () => void): void => {
    change();
    if (reading.ordered) world = made();
  };

  const put = (object: JsonMap): void => {
    const one = read(object);
    const [namespace, name] = [textAt(object.metadata, 'namespace'), textAt(object.metadata, 'name')];
    switch (one?.kind) {
      case 'namespace':
        putNamespace(name, one.value.labels);
        break;
      case 'workload':
        putPod(namespace, name, one.value);
        break;
      case 'set':
        sets.put(one.value);
        break;
      case 'service':
        putService(`${namespace}/${name}`, one.value);
        break;
      case 'group':
        putGroup(name, one.value);
        break;
      case 'policy':
        if (one.value.inForce.referring === undefined || waiting === undefined) putPolicy(one.key, one.value);
        else waiting.set(one.key, one.value);
        break;
      case 'tier':
        withTiers(() => tiers.set(one.name, one.value));
        break;
      case undefined:
        if (object.kind === 'Pod') putPod(namespace, name, undefined);
    }
  };

  for (const object of objects) put(object);
  const loaded = waiting;
  waiting = undefined;
  for (const [key, one] of loaded) putPolicy(key, one);
  parties.trim();
  return {
    get world() {
      return world;
    },
    put,
    remove(object) {
      const [namespace, name] = [textAt(object.metadata, 'namespace'), textAt(object.metadata, 'name')];
      const one = read(object);
      if (object.kind === 'Pod') putPod(namespace, name, undefined);
      else if (one?.kind === 'namespace') removeNamespace(name);
      else if (one?.kind === 'policy') removePolicy(one.key);
      else if (one?.kind === 'set') sets.remove(one.value);
      else if (one?.kind === 'service') putService(`${namespace}/${name}`, undefined);
      else if (one?.kind === 'group') putGroup(name, undefined);
      else if (one?.kind === 'tier') withTiers(() => tiers.delete(name));
    },
  };
}
