/**
 * Brings every tenant namespace to its baseline, and keeps it there. Each replica does so: applying the same twice changes
 * nothing, so that no leader is needed.
 */
import type { NamespaceRecord, TenancySource } from '../admission/facts.ts';
import { baselineOf, type ManagedObject } from '../baseline/baseline.ts';
import { isManagedName } from '../baseline/managed.ts';
import { stateOf } from './baseline-state.ts';
import type { Clock } from './clock.ts';
import type { Answer, Connection } from './connection.ts';
import { describe, type Failure } from './failure.ts';
import type { Handler } from './list-watch.ts';
import type { Log } from './log.ts';
import { decodeObject } from './wire.ts';
import { createWorkQueue, RetryLater } from './work-queue.ts';

type Kind = ManagedObject['kind'];

/** Since the start, but for `waiting`. */
export interface BaselineCounters {
  /** Objects put in place or brought up to date. */
  readonly applied: number;
  /** Objects that somebody had deleted or edited, and that were put back. */
  readonly healed: number;
  /** Objects removed because no tenant wants them any more. */
  readonly pruned: number;
  /** Tries that failed; each is tried again. */
  readonly failed: number;
  /** Namespaces that wait for their turn, now. */
  readonly waiting: number;
}

export interface BaselineReconciler {
  /** A namespace is new, changed or gone. */
  namespaceChanged(name: string): void;
  /** To be told of the objects that carry Bulkhead's managed-by label. */
  readonly handlers: Readonly<Record<Kind, Handler>>;
  /** Everything that exists was told: from now on the cluster is written to. */
  begin(): void;
  /** Tenants or settings are other ones now. */
  tenancyChanged(): void;
  counters(): BaselineCounters;
  stop(): Promise<void>;
}

const fieldManager = 'bulkhead';

/** Where objects of a kind live; `*` stands for the namespace. */
const collections: Readonly<Record<Kind, string>> = {
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/*/networkpolicies',
  ResourceQuota: '/api/v1/namespaces/*/resourcequotas',
};

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
): BaselineReconciler {
  const counters = { applied: 0, healed: 0, pruned: 0, failed: 0 };
  const namespaces = new Set<string>();
  /** By namespace, then by kind and name. */
  const observed = new Map<string, Map<string, Observed>>();
  const written = new Map<string, Written>();
  /** What somebody else deleted or edited, by namespace, until that is looked at. */
  const disturbed = new Map<string, Set<string>>();
  let begun = false;
  let cancelCheck: (() => void) | undefined;

  const queue = createWorkQueue(concurrency, clock, reconcile, (namespace, error, wait) => {
    counters.failed++;
    const failure = error instanceof Error ? error.message : String(error);
    log.warn({ namespace, failure, wait: Math.round(wait) }, 'the baseline could not be applied and is tried again');
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
        const inNamespace = observed.get(namespace) ?? new Map<string, Observed>();
        const before = inNamespace.get(key);
        observed.set(namespace, inNamespace.set(key, { kind, name, uid, state }));
        const own = written.get(place);
        if (own !== undefined && own.version <= Number(resourceVersion)) written.delete(place);
        // The status of a quota changes with every pod.
        if (before?.state === state) return;
        if (before !== undefined && own?.state !== state) disturb(namespace, key);
        look(namespace);
      },
      removed({ namespace, name }) {
        const key = keyOf(kind, name);
        const inNamespace = observed.get(namespace);
        if (!inNamespace?.delete(key)) return;
        if (inNamespace.size === 0) observed.delete(namespace);
        written.delete(`${namespace}/${key}`);
        disturb(namespace, key);
        look(namespace);
      },
    };
  }

  async function reconcile(namespace: string, signal: AbortSignal): Promise<void> {
    const { settings, ownerByLabels } = tenancy();
    const hurt = disturbed.get(namespace);
    disturbed.delete(namespace);
    const record = namespaceOf(namespace);
    // Its end takes all objects with it, and lets none be made.
    if (record === undefined || record.terminating) return;
    const owner = ownerByLabels(record.labels);
    const wanted = owner !== 'platform' && owner.mode === 'enforce' ? baselineOf(namespace, owner, settings) : [];
    const failures: Failure[] = [];
    const keys = new Set<string>();
    for (const object of wanted) {
      const key = keyOf(object.kind, object.metadata.name);
      keys.add(key);
      const place = `${namespace}/${key}`;
      const state = stateOf({ ...object }, settings.tenantLabel);
      const now = written.get(place)?.state ?? observed.get(namespace)?.get(key)?.state;
      if (now === state) continue;
      const failure = await apply(object, state, place, signal);
      if (failure === undefined) counters[hurt?.has(key) ? 'healed' : 'applied']++;
      else if (isEnding(failure)) return;
      else {
        failures.push(failure);
        if (hurt?.has(key)) disturb(namespace, key);
      }
    }
    for (const { kind, name, uid } of [...(observed.get(namespace)?.values() ?? [])]) {
      if (keys.has(keyOf(kind, name))) continue;
      const failure = await prune(kind, namespace, name, uid, signal);
      if (failure !== undefined) failures.push(failure);
    }
    const [first] = failures;
    if (first === undefined) return;
    throw new RetryLater(describe(first), first.kind === 'refused' ? (first.retryAfter ?? 0) : 0);
  }

  /** Server-side apply, and a plain update where that leaves something standing which others have added. */
  async function apply(
    object: ManagedObject,
    state: string,
    place: string,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const path = pathOf(object.kind, object.metadata.namespace, object.metadata.name);
    const query = `?fieldManager=${fieldManager}`;
    const contentType = 'application/apply-patch+yaml';
    let answer = await connection.request('PATCH', `${path}${query}&force=true`, { body: object, contentType, signal });
    let result = resultOf(answer);
    if (result !== undefined && result.state !== state) {
      const { resourceVersion } = result;
      const body = { ...object, metadata: { ...object.metadata, resourceVersion } };
      answer = await connection.request('PUT', `${path}${query}`, { body, signal });
      result = resultOf(answer);
    }
    if (!answer.ok) return answer;
    if (result === undefined || result.state !== state) {
      return {
        ok: false,
        kind: 'broken',
        message: `${place} was stored in another form; does a webhook change it?`,
      };
    }
    const { namespace } = object.metadata;
    written.set(place, { namespace, state, version: Number(result.resourceVersion), at: clock.now() });
    cancelCheck ??= clock.after(echoLimit, checkEchoes);
    return undefined;
  }

  function resultOf(answer: Answer): { readonly state: string; readonly resourceVersion: string } | undefined {
    const stored = answer.ok ? decodeObject(answer.body) : undefined;
    if (stored === undefined) return undefined;
    const state = stateOf(stored.object, tenancy().settings.tenantLabel);
    return { state, resourceVersion: stored.metadata.resourceVersion };
  }

  /** Only that very object: one that was made anew under its name is looked at first. */
  async function prune(
    kind: Kind,
    namespace: string,
    name: string,
    uid: string,
    signal: AbortSignal,
  ): Promise<Failure | undefined> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    const answer = await connection.request('DELETE', pathOf(kind, namespace, name), { body, signal });
    if (answer.ok) counters.pruned++;
    return answer.ok || (answer.kind === 'refused' && answer.status === 404) ? undefined : answer;
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
      if (namespaceOf(name) === undefined) namespaces.delete(name);
      else namespaces.add(name);
      look(name);
    },
    handlers: { NetworkPolicy: handlerOf('NetworkPolicy'), ResourceQuota: handlerOf('ResourceQuota') },
    begin() {
      begun = true;
      disturbed.clear();
      lookAtAll();
    },
    tenancyChanged: lookAtAll,
    counters: () => ({ ...counters, waiting: queue.size() }),
    async stop() {
      cancelCheck?.();
      await queue.stop();
    },
  };
}

function keyOf(kind: Kind, name: string): string {
  return `${kind} ${name}`;
}

function pathOf(kind: Kind, namespace: string, name: string): string {
  return `${collections[kind].replace('*', namespace)}/${name}`;
}

/** The namespace went away between the look at it and the write. */
function isEnding(failure: Failure): boolean {
  return failure.kind === 'refused' && (failure.status === 404 || failure.causes.includes('NamespaceTerminating'));
}
