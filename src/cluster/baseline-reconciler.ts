/**
 * Brings every tenant namespace to its baseline, and keeps it there. Each replica does so: applying the same twice changes
 * nothing, so that no leader is needed.
 */
import type { NamespaceRecord, TenancySource } from '../admission/facts.ts';
import { baselineOf, defaultDenyName, type ManagedObject } from '../baseline/baseline.ts';
import { namespaceUidOf, tiedTo } from '../baseline/closed-door.ts';
import { isManagedName } from '../baseline/managed.ts';
import type { Mode, Tenant } from '../tenancy/tenant.ts';
import { stateOf } from './baseline-state.ts';
import { createBaselineWriter, type Kind } from './baseline-writer.ts';
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import { describe, type Failure } from './failure.ts';
import type { Handler } from './list-watch.ts';
import type { Log } from './log.ts';
import type { NamespaceEvents } from './namespace-events.ts';
import { createWorkQueue, RetryLater } from './work-queue.ts';

/** Since the start, but for the last three, which are of now. */
export interface BaselineCounters {
  /** Objects put in place or brought up to date. */
  readonly applied: number;
  /** Objects that somebody had deleted or edited, and that were put back. */
  readonly healed: number;
  /** Objects removed because no tenant wants them any more. */
  readonly pruned: number;
  /** Tries that failed; each is tried again. */
  readonly failed: number;
  /** Namespaces that wait for their turn. */
  readonly waiting: number;
  /** How long the first of them has been waiting. */
  readonly longestWaitMilliseconds: number;
  /** Namespaces of tenants that get no baseline yet, because of their tenant's mode. */
  readonly withheld: number;
}

export interface BaselineReconciler {
  /** A namespace is new, changed or gone. */
  namespaceChanged(name: string): void;
  /** A pod waits for this namespace to be closed. */
  hurry(namespace: string): void;
  /** To be told of the objects that carry Bulkhead's managed-by label. */
  readonly handlers: Readonly<Record<Kind, Handler>>;
  /** Everything that exists was told: from now on the cluster is written to. */
  begin(): void;
  /** Tenants or settings are other ones now. */
  tenancyChanged(): void;
  counters(): BaselineCounters;
  stop(): Promise<void>;
}

/** How many namespaces are worked on at once; enough to hide the way to the API server, few enough not to crowd it. */
const concurrency = 8;

/** The watch tells of an own write within milliseconds. What it has not told after this long is looked at again. */
const echoLimit = 5_000;

/** An object as the watch has told of it. */
interface Observed {
  readonly kind: Kind;
  readonly name: string;
  readonly uid: string;
  readonly state: string;
  /** The namespace that a closed door is tied to. */
  readonly namespaceUid: string | undefined;
}

/** An own write that the watch has not told of yet. */
interface Written {
  readonly namespace: string;
  readonly state: string;
  readonly version: number;
  readonly at: number;
}

/**
 * @param namespaceOf what is known of a namespace; undefined when there is none of that name
 */
export function createBaselineReconciler(
  connection: Connection,
  clock: Clock,
  log: Log,
  tenancy: TenancySource,
  namespaceOf: (name: string) => NamespaceRecord | undefined,
  events: Pick<NamespaceEvents, 'record'>,
): BaselineReconciler {
  const writer = createBaselineWriter(connection, tenancy);
  const counters = { applied: 0, healed: 0, pruned: 0, failed: 0 };
  const namespaces = new Set<string>();
  /** By namespace. A few for each: a list takes a third of the memory of a map. */
  const observed = new Map<string, Observed[]>();
  const written = new Map<string, Written>();
  /** What somebody else deleted or edited, by namespace, until that is looked at. */
  const disturbed = new Map<string, Set<string>>();
  /** Which namespaces get no baseline, and because of which mode: said once. */
  const withheld = new Map<string, Mode>();
  let begun = false;
  let cancelCheck: (() => void) | undefined;

  const queue = createWorkQueue(concurrency, clock, reconcile, (namespace, error, wait) => {
    counters.failed++;
    const failure = error instanceof Error ? error.message : String(error);
    log.warn({ namespace, failure, wait: Math.round(wait) }, 'the baseline could not be applied and is tried again');
    const record = namespaceOf(namespace);
    if (record !== undefined)
      events.record(record, 'BaselineFailed', `the baseline could not be put in place: ${failure}`);
  });

  function look(namespace: string): void {
    if (begun) queue.add(namespace);
  }

  function lookAtAll(): void {
    for (const namespace of new Set([...namespaces, ...observed.keys()])) look(namespace);
  }

  function disturb(namespace: string, key: string): void {
    disturbed.set(namespace, (disturbed.get(namespace) ?? new Set()).add(key));
  }

  function handlerOf(kind: Kind): Handler {
    return {
      changed({ metadata: { namespace, name, uid, resourceVersion }, object }) {
        if (!isManagedName(name)) return;
        const key = keyOf(kind, name);
        const place = `${namespace}/${key}`;
        const state = stateOf(object, tenancy().settings.tenantLabel);
        const objects = observed.get(namespace) ?? [];
        const index = objects.findIndex((one) => one.kind === kind && one.name === name);
        const before = objects[index];
        const namespaceUid = name === defaultDenyName ? namespaceUidOf(object) : undefined;
        objects[index === -1 ? objects.length : index] = { kind, name, uid, state, namespaceUid };
        observed.set(namespace, objects);
        const own = written.get(place);
        if (own !== undefined && own.version <= Number(resourceVersion)) written.delete(place);
        // The status of a quota changes with every pod.
        if (before?.state === state) return;
        if (before !== undefined && own?.state !== state) disturb(namespace, key);
        look(namespace);
      },
      removed({ namespace, name }) {
        const objects = observed.get(namespace) ?? [];
        const others = objects.filter((one) => one.kind !== kind || one.name !== name);
        if (others.length === objects.length) return;
        if (others.length === 0) observed.delete(namespace);
        else observed.set(namespace, others);
        const key = keyOf(kind, name);
        written.delete(`${namespace}/${key}`);
        disturb(namespace, key);
        look(namespace);
      },
    };
  }

  /**
   * The mode of a tenant decides whether a baseline is begun. One that stands is kept whatever the mode is (decision 7): a
   * namespace is not opened by a change of mode, but by the platform, which deletes its closed door.
   */
  function isKept({ mode }: Tenant, { name, uid }: NamespaceRecord): boolean {
    if (mode === 'enforce') return true;
    const door = observed.get(name)?.find((one) => one.kind === 'NetworkPolicy' && one.name === defaultDenyName);
    return door !== undefined && (door.namespaceUid ?? uid) === uid;
  }

  /** A tenant in a mode that does not put baselines in place: says what it would be. */
  function withhold(
    namespace: NamespaceRecord,
    { name: tenant, mode }: Tenant,
    objects: readonly ManagedObject[],
  ): void {
    if (withheld.get(namespace.name) === mode) return;
    withheld.set(namespace.name, mode);
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    log.info(
      { namespace: namespace.name, tenant, mode, objects: names },
      'mode enforce would put the baseline in place',
    );
    if (mode === 'warn') {
      const message = `not closed while tenant ${tenant} is in mode warn; mode enforce puts in place: ${names.join(', ')}`;
      events.record(namespace, 'BaselineWithheld', message);
    }
  }

  async function reconcile(namespace: string, signal: AbortSignal): Promise<void> {
    const { settings, ownerByLabels } = tenancy();
    const hurt = disturbed.get(namespace);
    disturbed.delete(namespace);
    const record = namespaceOf(namespace);
    // Its end takes all objects with it, and lets none be made.
    if (record === undefined || record.terminating) {
      withheld.delete(namespace);
      return;
    }
    const owner = ownerByLabels(record.labels);
    const baseline = owner === 'platform' ? [] : baselineOf(namespace, owner, settings);
    const kept = owner === 'platform' || isKept(owner, record);
    if (kept) withheld.delete(namespace);
    else withhold(record, owner, baseline);
    const failures: Failure[] = [];
    const healed: string[] = [];
    const keys = new Set<string>();
    for (const object of kept ? baseline.map((one) => tiedTo(one, record.uid)) : []) {
      const key = keyOf(object.kind, object.metadata.name);
      keys.add(key);
      const place = `${namespace}/${key}`;
      const state = stateOf({ ...object }, settings.tenantLabel);
      const now = written.get(place)?.state ?? stateIn(namespace, key);
      if (now === state) continue;
      const answer = await writer.apply(object, state, signal);
      if (answer.ok) {
        written.set(place, { namespace, state, version: Number(answer.resourceVersion), at: clock.now() });
        cancelCheck ??= clock.after(echoLimit, checkEchoes);
        counters[hurt?.has(key) ? 'healed' : 'applied']++;
        if (hurt?.has(key)) healed.push(key);
      } else if (isEnding(answer)) {
        const known = namespaceOf(namespace);
        if (known === undefined || known.terminating) return;
        // The API server still speaks of the namespace that had this name before, or this watch has not heard of the end yet:
        // whoever is behind catches up, and until then the namespace is not given up.
        throw new RetryLater(describe(answer), 0);
      } else {
        failures.push(answer);
        if (hurt?.has(key)) disturb(namespace, key);
      }
    }
    if (healed.length > 0) {
      log.warn(
        { namespace, objects: healed },
        'somebody had deleted or changed a part of the baseline; it is put back',
      );
      events.record(record, 'BaselineHealed', `put back after somebody deleted or changed it: ${healed.join(', ')}`);
    }
    for (const { kind, name, uid } of [...(observed.get(namespace) ?? [])]) {
      if (keys.has(keyOf(kind, name))) continue;
      const answer = await writer.prune(kind, namespace, name, uid, signal);
      if (!answer.ok) failures.push(answer);
      else if (answer.pruned) counters.pruned++;
    }
    const [first] = failures;
    if (first === undefined) return;
    throw new RetryLater(describe(first), first.kind === 'refused' ? (first.retryAfter ?? 0) : 0);
  }

  function stateIn(namespace: string, key: string): string | undefined {
    return observed.get(namespace)?.find(({ kind, name }) => keyOf(kind, name) === key)?.state;
  }

  function checkEchoes(): void {
    cancelCheck = undefined;
    for (const [place, { namespace, at }] of written) {
      if (clock.now() - at < echoLimit) continue;
      written.delete(place);
      look(namespace);
    }
    if (written.size > 0) cancelCheck = clock.after(echoLimit, checkEchoes);
  }

  return {
    namespaceChanged(name) {
      if (namespaceOf(name) === undefined) {
        namespaces.delete(name);
        withheld.delete(name);
      } else namespaces.add(name);
      look(name);
    },
    hurry: queue.hurry,
    handlers: { NetworkPolicy: handlerOf('NetworkPolicy'), ResourceQuota: handlerOf('ResourceQuota') },
    begin() {
      begun = true;
      disturbed.clear();
      lookAtAll();
    },
    tenancyChanged: lookAtAll,
    counters: () => ({
      ...counters,
      waiting: queue.size(),
      longestWaitMilliseconds: queue.longestWait(),
      withheld: withheld.size,
    }),
    async stop() {
      cancelCheck?.();
      await queue.stop();
    },
  };
}

function keyOf(kind: Kind, name: string): string {
  return `${kind} ${name}`;
}

/** The namespace went away between the look at it and the write. */
function isEnding(failure: Failure): boolean {
  return failure.kind === 'refused' && (failure.status === 404 || failure.causes.includes('NamespaceTerminating'));
}
