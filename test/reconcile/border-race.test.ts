/**
 * Two replicas keep the border of one tenant in an API server that answers late and refuses at times, while others delete and change its
 * objects: no deny is created before everything passes, no object of another author is written, and in the end all is as it should be.
 */
import t from 'tap';
import { dataPlaneBorder } from '../../src/baseline/data-plane-border.ts';
import type { Answer, Connection } from '../../src/client/connection.ts';
import { decodeObject } from '../../src/client/decode.ts';
import { broken } from '../../src/client/failure.ts';
import { createBorderStore } from '../../src/reconcile/border-store.ts';
import { createBorderWriter } from '../../src/reconcile/reconcile-border.ts';
import { defaultSettings, defaultTenantLabel } from '../../src/tenancy/default-settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Gate, Tenant } from '../../src/tenancy/tenant.ts';
import { fakeClock } from '../client/fake-clock.ts';
import { type Random, randomFrom } from '../engines/random.ts';

interface Stored {
  readonly kind?: string;
  readonly metadata: { name: string; uid: string; resourceVersion: string; labels?: Record<string, string> };
  readonly spec: { readonly ingress?: unknown; readonly priority?: number };
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const never = new AbortController().signal;
const gate = (tenant: string, direction: 'ingress' | 'egress'): Gate => ({
  ...{ tenant, direction, ports: [], expires: undefined },
});
const acmeWith = (...others: string[]): Tenant => {
  const acme = undeclaredTenant('acme');
  return { ...acme, network: { ...acme.network, gates: others.map((other) => gate(other, 'ingress')) } };
};
const tenancy = createTenancy(
  defaultSettings,
  ['beta', 'gamma', 'delta'].map((name) => {
    const one = undeclaredTenant(name);
    return { ...one, network: { ...one.network, gates: [gate('acme', 'egress')] } };
  }),
);
const bordersOf = (...others: string[]) => {
  const acme = acmeWith(...others);
  const all = createTenancy(defaultSettings, [acme, ...tenancy.tenants.values()]);
  return dataPlaneBorder(acme, all, 0);
};
type Border = ReturnType<typeof bordersOf>;

function refused(status: number): Answer {
  return { ...broken(new Error(`answered ${status}`)), kind: 'refused', status };
}

/** An API server of one kind, and its watches. */
function createServer(random: Random) {
  const objects = new Map<string, Stored>();
  const watchers: {
    readonly handler: ReturnType<typeof createBorderStore>['handler'];
    readonly queue: (() => void)[];
  }[] = [];
  const faults = { on: true };
  const seen: { method: string; name: string; wanted: string[]; passes: string[] }[] = [];
  let version = 1;
  let uids = 1;

  function tell(object: Stored, isGone: boolean): void {
    for (const { handler, queue } of watchers)
      queue.push(() => {
        const decoded = decodeObject(JSON.parse(JSON.stringify(object)));
        if (decoded === undefined) throw new Error('not an object');
        if (isGone) handler.removed({ namespace: '', name: object.metadata.name, uid: object.metadata.uid });
        else handler.changed(decoded);
      });
  }
  const put = (name: string, uid: string, body: object): Stored => {
    const written = JSON.parse(JSON.stringify(body));
    const stored: Stored = {
      ...written,
      metadata: { ...written.metadata, name, uid, resourceVersion: String(++version) },
    };
    objects.set(name, stored);
    tell(stored, false);
    return stored;
  };
  const remove = (name: string): void => {
    const stored = objects.get(name);
    objects.delete(name);
    if (stored !== undefined) tell(stored, true);
  };
  const create = (name: string, body: object) => put(name, `uid-${++uids}`, body);
  const late = async () => {
    for (let turns = random.below(6); turns > 0; turns--) await Promise.resolve();
  };
  const connectionOf = (wanted: () => Border): Connection => ({
    async request(method, path, { body }) {
      await late();
      const name = path.split('?')[0]?.split('/')[5] ?? (body as Stored | undefined)?.metadata.name ?? '';
      const known = objects.get(name);
      if (faults.on && random.below(12) === 0) return refused(500);
      seen.push({
        ...{ method, name, wanted: wanted().passes.map(({ metadata }) => metadata.name) },
        passes: [...objects.keys()],
      });
      const answer = ((): Answer => {
        switch (method) {
          case 'POST':
            return known === undefined ? { ok: true, body: create(name, body as object) } : refused(409);
          case 'PUT': {
            const { uid, resourceVersion } = (body as Stored).metadata;
            if (known === undefined) return refused(404);
            if (known.metadata.uid !== uid || known.metadata.resourceVersion !== resourceVersion) return refused(409);
            return { ok: true, body: put(name, uid, body as object) };
          }
          case 'DELETE': {
            const { preconditions } = body as { preconditions: { uid: string } };
            if (known === undefined) return refused(404);
            if (known.metadata.uid !== preconditions.uid) return refused(409);
            remove(name);
            return { ok: true, body: {} };
          }
          default:
            if (name === '')
              return {
                ok: true,
                body: { metadata: { resourceVersion: String(version) }, items: [...objects.values()] },
              };
            return known === undefined ? refused(404) : { ok: true, body: known };
        }
      })();
      await late();
      return answer;
    },
    open: () => Promise.reject(new Error('no watch is opened here')),
    close() {},
  });
  return { objects, watchers, faults, seen, create, put, remove, connectionOf };
}

const foreign = { metadata: { labels: {} }, spec: { tier: 'Baseline', priority: 7 } };

async function run(seed: number) {
  const random = randomFrom(seed);
  const server = createServer(random);
  const clock = fakeClock();
  const taken = seed % 5 === 0 ? 'bulkhead-acme.gate.gamma' : undefined;
  if (taken !== undefined) server.create(taken, foreign);
  const victims = new Set<string>();
  const choices = [bordersOf('beta', 'gamma'), bordersOf('beta'), bordersOf('delta', 'gamma'), bordersOf()];
  let border: Border | undefined = choices[0];
  const wanted = () => border ?? { passes: [], denies: [] };
  const replicas = [0, 1].map(() => {
    const store = createBorderStore(
      () => defaultTenantLabel,
      () => {},
    );
    const watcher = { handler: store.handler, queue: [] as (() => void)[] };
    server.watchers.push(watcher);
    const connection = server.connectionOf(wanted);
    const writer = createBorderWriter({ connection, clock, log: silent }, store, () => {});
    return { writer, watcher };
  });
  for (const stored of server.objects.values()) {
    for (const { watcher } of replicas) {
      const decoded = decodeObject(stored);
      if (decoded !== undefined) watcher.handler.changed(decoded);
    }
  }
  const round = async (drains: boolean) => {
    await Promise.all(
      replicas.map(async ({ writer, watcher }) => {
        for (let count = drains ? watcher.queue.length : random.below(watcher.queue.length + 1); count > 0; count--)
          watcher.queue.shift()?.();
        await writer.reconcile('acme', border, never);
      }),
    );
    clock.advance(120_000);
  };
  for (let step = 0; step < 12; step++) {
    if (random.below(3) === 0) border = random.pick([choices[0], choices[1], choices[2], choices[3], undefined]);
    const names = [...server.objects.keys()].filter((name) => name !== taken);
    const victim = names[random.below(Math.max(1, names.length))];
    const stored = victim === undefined ? undefined : server.objects.get(victim);
    if (victim !== undefined && stored !== undefined && random.below(3) === 0) {
      if (random.below(2) === 0) {
        victims.add(victim);
        server.remove(victim);
      } else server.put(victim, stored.metadata.uid, { ...stored, spec: { ...stored.spec, priority: 1 } });
    }
    await round(false);
  }
  server.faults.on = false;
  for (let step = 0; step < 8; step++) await round(true);
  return { server, taken, border, victims };
}

t.test('two replicas, in 400 random histories', async (t) => {
  let [creations, conflicts] = [0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const { server, taken, border, victims } = await run(seed);
    for (const { method, name, wanted, passes } of server.seen) {
      if (method === 'GET') conflicts++;
      if (taken === name && (method === 'PUT' || method === 'DELETE')) throw new Error(`${seed}: ${method} of ${name}`);
      if (method !== 'POST' || !name.endsWith('.deny')) continue;
      // One that was there before is restored whatever became of the rest.
      if (victims.has(name)) continue;
      creations++;
      // A replica may not know yet what others have deleted.
      const missing = wanted.filter((one) => !passes.includes(one) && !victims.has(one));
      if (missing.length > 0) throw new Error(`${seed}: a deny without ${missing}`);
    }
    if (taken !== undefined) {
      const left = server.objects.get(taken);
      if (left?.spec.priority !== 7) throw new Error(`${seed}: ${taken} was changed`);
    }
    const expected = [...(border?.passes ?? []), ...(border?.denies ?? [])].map(({ metadata, spec }) => [
      metadata.name,
      spec,
    ]);
    const found = [...server.objects.values()].filter(({ metadata }) => metadata.name !== taken);
    const isTaken = taken !== undefined && expected.some(([name]) => name === taken);
    const want = expected.filter(([name]) => name !== taken && !(isTaken && name === 'bulkhead-acme.deny')).sort();
    const have = found
      .map(({ metadata, spec }) => [metadata.name, spec])
      .filter(([name]) => !(isTaken && name === 'bulkhead-acme.deny'))
      .sort();
    if (JSON.stringify(want) !== JSON.stringify(have)) {
      t.strictSame(have, want, `seed ${seed}`);
      return;
    }
  }
  t.ok(creations > 300, `${creations} denies were created`);
  t.ok(conflicts > 50, `${conflicts} times an object was there already`);
});

t.test('a replica with older settings keeps a border that a newer one gives up, or the other way around', async (t) => {
  const border = bordersOf('beta', 'gamma');
  const names = border.passes.map(({ metadata }) => metadata.name);
  let denied = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = randomFrom(seed);
    const server = createServer(random);
    server.faults.on = false;
    const still = fakeClock();
    const clock = { ...still, random: () => random.below(1_000) / 1_000 };
    const replicas = [0, 1].map(() => {
      const store = createBorderStore(
        () => defaultTenantLabel,
        () => {},
      );
      const watcher = { handler: store.handler, queue: [] as (() => void)[] };
      server.watchers.push(watcher);
      const connection = server.connectionOf(() => border);
      return { writer: createBorderWriter({ connection, clock, log: silent }, store, () => {}), watcher };
    });
    const round = async (wanted: readonly (Border | undefined)[], milliseconds: number) => {
      await Promise.all(
        replicas.map(async ({ writer, watcher }, index) => {
          for (const handle of watcher.queue.splice(0)) handle();
          await writer.reconcile('acme', wanted[index], never);
        }),
      );
      clock.advance(milliseconds);
    };
    const before = seed % 2 === 0 ? border : undefined;
    const after = seed % 2 === 0 ? undefined : border;
    for (let step = 0; step < 3; step++) await round([before, before], 1_000);
    // As long as a rollout takes.
    for (let step = 0; step < 240; step++) {
      await round([before, after], 500);
      for (const { passes } of server.seen.splice(0)) {
        if (!passes.includes('bulkhead-acme.deny')) continue;
        denied++;
        const missing = names.filter((name) => !passes.includes(name));
        if (missing.length > 0) throw new Error(`${seed}: after ${step / 2} s it denies without ${missing}`);
      }
    }
    for (let step = 0; step < 200; step++) await round([after, after], 1_000);
    t.strictSame([...server.objects.keys()].sort(), after === undefined ? [] : [...names, 'bulkhead-acme.deny'].sort());
  }
  t.ok(denied > 600, `${denied} requests found it denying`);
});
