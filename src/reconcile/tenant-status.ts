/**
 * The status of Tenant objects. Every replica writes it, by server-side apply: what is written already is not written again,
 * so that the first one writes and the others see that it is done.
 *
 * Replicas that see a tenant differently (one has newer settings) must not overwrite each other for ever. So a replica writes
 * what it sees when that changes, and what it has once written again only after minutes.
 */

import { type Clock, pause } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { createRateLimits, type RateLimitOptions } from '../client/rate-limits.ts';
import { createWorkQueue, RetryLater } from '../client/work-queue.ts';
import { type Tenants, type TenantVerdict, tenantsPath } from '../facts/tenants.ts';
import { isMap } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import { formatPort, type PortRange } from '../kubernetes/port-range.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Gate, Tenant } from '../tenancy/tenant.ts';

export interface GateStatus {
  readonly tenant: string;
  readonly direction: 'ingress' | 'egress';
  /** `HalfOpen`: the other tenant does not declare the mirror image. `Expired`: this half or the other is. */
  readonly state: 'Open' | 'HalfOpen' | 'Expired';
  /** What is open, `5432/TCP`; left out: every port, or none where the state is not `Open`. */
  readonly ports?: readonly string[];
}

/** The status of bulkhead.dev/v1alpha1 Tenant. */
export interface TenantStatus {
  readonly observedGeneration: number;
  readonly namespaces: number;
  readonly conditions: readonly [
    {
      readonly type: 'Ready';
      readonly status: 'True' | 'False';
      readonly observedGeneration: number;
      /** RFC 3339. */
      readonly lastTransitionTime: string;
      readonly reason: 'InForce' | 'Invalid' | 'Conflict';
      readonly message: string;
    },
  ];
  readonly gates: readonly GateStatus[];
}

/** The API server takes 32 KiB; nobody reads more than this. */
const longestMessage = 2_000;

/** @param now milliseconds since the epoch */
export function statusOf(
  { object, inForce, problems }: TenantVerdict,
  tenancy: Tenancy,
  namespaces: number,
  now: number,
): TenantStatus {
  const { generation } = object;
  const ready = problems.length === 0;
  const status = ready ? 'True' : 'False';
  const before = readyConditionOf(object.status);
  const since = before?.status === status ? entry(before, 'lastTransitionTime') : undefined;
  return {
    observedGeneration: generation,
    namespaces,
    conditions: [
      {
        type: 'Ready',
        status,
        observedGeneration: generation,
        lastTransitionTime:
          typeof since === 'string' ? since : `${new Date(now).toISOString().slice(0, -'.000Z'.length)}Z`,
        reason: ready ? 'InForce' : object.loaded.ok ? 'Conflict' : 'Invalid',
        message: ready ? 'what is written is in force' : refusal(problems, inForce),
      },
    ],
    gates: inForce?.network.gates.map((gate) => gateStatus(gate, inForce.name, tenancy, now)) ?? [],
  };
}

function refusal(problems: TenantVerdict['problems'], inForce: Tenant | undefined): string {
  const lines = problems.map((problem) => formatProblem({ ...problem, file: '' }));
  const meanwhile =
    inForce === undefined
      ? 'until this is mended nobody speaks for the tenant, and its namespaces stay closed'
      : 'until this is mended the version before stays in force';
  return `${lines.join('\n').slice(0, longestMessage)}\n${meanwhile}`;
}

/** The same rule as in Tenancy.gates: a gate opens what both tenants declare, while neither half has expired. */
function gateStatus({ tenant, direction, ports, expires }: Gate, own: string, { tenants }: Tenancy, now: number) {
  const isOpen = (until: number | undefined) => until === undefined || now < until;
  const mirrors = (tenants.get(tenant)?.network.gates ?? []).filter(
    (gate) => gate.tenant === own && gate.direction !== direction,
  );
  const common = { tenant, direction };
  const open = mirrors.filter((mirror) => isOpen(mirror.expires));
  if (!isOpen(expires) || (mirrors.length > 0 && open.length === 0)) return { ...common, state: 'Expired' } as const;
  const both = open.map((mirror) => commonPorts(ports, mirror.ports));
  if (both.includes('all')) return { ...common, state: 'Open' } as const;
  const named = [...new Set(both.flatMap((some) => (some === 'all' ? [] : some.map(formatPort))))];
  if (named.length === 0) return { ...common, state: 'HalfOpen' } as const;
  return { ...common, state: 'Open', ports: named } as const;
}

/** An empty list of a gate is every port. */
function commonPorts(some: readonly PortRange[], others: readonly PortRange[]): readonly PortRange[] | 'all' {
  if (some.length === 0) return others.length === 0 ? 'all' : others;
  if (others.length === 0) return some;
  return some.flatMap(({ protocol, first, last }) =>
    others.flatMap((other) => {
      const range = { protocol, first: Math.max(first, other.first), last: Math.min(last, other.last) };
      return other.protocol === protocol && range.first <= range.last ? [range] : [];
    }),
  );
}

function readyConditionOf(status: unknown): Readonly<Record<string, unknown>> | undefined {
  const conditions = isMap(status) ? entry(status, 'conditions') : undefined;
  if (!Array.isArray(conditions)) return undefined;
  return conditions.find((condition) => isMap(condition) && condition.type === 'Ready');
}

/** What a status says, but for the moment it was first said: two with the same text need no write. */
function textOf(status: unknown): string {
  const { type: _, lastTransitionTime: __, ...ready } = readyConditionOf(status) ?? {};
  const { conditions: ___, ...rest } = isMap(status) ? status : {};
  return JSON.stringify([ready, rest], sortKeys);
}

/** For JSON.stringify: objects with their keys in order. */
function sortKeys(_key: string, value: unknown): unknown {
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Since the start. */
export interface TenantStatusCounters {
  readonly written: number;
  /** Tries that failed; each is tried again. */
  readonly failed: number;
}

export interface TenantStatusWriter {
  /** Everything that exists is known: from now on the cluster is written to. */
  begin(): void;
  /** Tenants, their objects, or their namespaces have changed. */
  changed(): void;
  counters(): TenantStatusCounters;
  stop(): Promise<void>;
}

export interface TenantStatusOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly tenants: Pick<Tenants, 'current' | 'verdicts' | 'verdict'>;
  /** How many namespaces a tenant has. */
  readonly countOwned: (tenant: string) => number;
}

/** Changes come in crowds; what they came to is written. Spread, so that of several replicas one is the first. */
const settling = { least: 300, most: 1_500 };

/** No replica writes more often than twenty times a second, however many tenants there are. */
const spacing = 50;

/** What was written once is written again after five to ten minutes, if somebody has replaced it. */
const repeatLimits: RateLimitOptions = { free: 1, first: 600_000, limit: 600_000 };

/** How often that is looked for. */
const lookEvery = 300_000;

export function createTenantStatusWriter(options: TenantStatusOptions): TenantStatusWriter {
  const { connection, clock, log, wallClock, tenants, countOwned } = options;
  const counters = { written: 0, failed: 0 };
  /** What this replica last wrote, or saw to be written, of an object. */
  const settled = new Map<string, { readonly uid: string; readonly text: string }>();
  /** By name, since it was settled. */
  const repeats = createRateLimits(repeatLimits, clock);
  let begun = false;
  let next: { readonly at: number; readonly cancel: () => void } | undefined;

  const queue = createWorkQueue(1, clock, write, (tenant, error, wait) => {
    counters.failed++;
    const failure = error instanceof Error ? error.message : String(error);
    log.warn({ tenant, failure, wait: Math.round(wait) }, 'the status could not be written and is tried again');
  });

  function lookIn(milliseconds: number): void {
    const at = clock.now() + milliseconds;
    if (next !== undefined && next.at <= at) return;
    next?.cancel();
    next = { at, cancel: clock.after(milliseconds, look) };
  }

  function look(): void {
    next = undefined;
    const now = wallClock();
    const names = new Set<string>();
    let wait = lookEvery;
    for (const verdict of tenants.verdicts()) {
      const { name } = verdict.object;
      names.add(name);
      if (due(verdict, statusAt(verdict, now))) queue.add(name);
      for (const { expires } of verdict.inForce?.network.gates ?? [])
        if (expires !== undefined && expires > now) wait = Math.min(wait, expires - now);
    }
    for (const name of settled.keys()) if (!names.has(name)) settled.delete(name);
    lookIn(wait);
  }

  function statusAt(verdict: TenantVerdict, now: number): TenantStatus {
    return statusOf(verdict, tenants.current(), countOwned(verdict.object.name), now);
  }

  function settle(name: string, uid: string, text: string): void {
    settled.set(name, { uid, text });
    repeats.forget(name);
    repeats.begin(name);
  }

  function due({ object: { name, uid, status } }: TenantVerdict, wanted: TenantStatus): boolean {
    const text = textOf(wanted);
    if (text === textOf(status)) {
      settle(name, uid, text);
      return false;
    }
    const before = settled.get(name);
    return before?.uid !== uid || before.text !== text || repeats.left(name) === 0;
  }

  async function write(name: string, signal: AbortSignal): Promise<undefined> {
    const verdict = tenants.verdict(name);
    if (verdict === undefined) return;
    const status = statusAt(verdict, wallClock());
    if (!due(verdict, status)) return;
    const { uid } = verdict.object;
    const path = `${tenantsPath}/${name}/status?fieldManager=bulkhead&force=true`;
    const body = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name, uid }, status };
    const answer = await connection.request('PATCH', path, {
      body,
      contentType: 'application/apply-patch+yaml',
      signal,
    });
    // 404: it is gone. 409: another object has its name. The watch tells of both.
    const outdated = !answer.ok && [404, 409].includes(answer.status);
    if (!answer.ok && !outdated) throw new RetryLater(describe(answer), answer.retryAfter);
    if (answer.ok) {
      counters.written++;
      settle(name, uid, textOf(status));
    }
    await pause(clock, spacing, signal);
  }

  function changed(): void {
    if (begun) lookIn(settling.least + clock.random() * (settling.most - settling.least));
  }

  return {
    begin() {
      begun = true;
      changed();
    },
    changed,
    counters: () => ({ ...counters }),
    async stop() {
      begun = false;
      next?.cancel();
      await queue.stop();
    },
  };
}
