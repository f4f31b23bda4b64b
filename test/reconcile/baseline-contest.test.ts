/** Somebody undoes what was put in place, again and again: another replica, or the platform. */
import t, { type Test } from 'tap';
import type { Settings } from '../../src/tenancy/settings.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { settings, tenant } from '../baseline/samples.ts';
import { deny, type Kept, keep, label, namespace, own, policy } from './kept-baselines.ts';

const door = 'bulkhead-default-deny';
const quota = (pods: string) => tenant({ resourceQuota: { hard: { pods } } });

/** One namespace, and its baseline. */
async function keepOne(t: Test, tenants: readonly Tenant[], chance = 0): Promise<Kept> {
  const labels = { [label]: 'acme', 'other.dev/tenant': 'acme' };
  const kept = await keep(t, tenants, (server) => server.put('namespaces', namespace('acme-web', labels)), chance);
  await kept.settled();
  return kept;
}

const writesOf = ({ writes }: Kept, name: string) => writes().filter((write) => write.endsWith(`/${name}`)).length;
const stored = ({ server }: Kept, name: string) => server.get('networkpolicies', name, 'acme-web');

t.test('two replicas that read different tenants write an object nine times each in the first minute', async (t) => {
  const disputes: readonly [what: string, object: string, one: Tenant, other: Tenant][] = [
    ['what stands in it', 'bulkhead-allow-within', tenant({}), tenant({ within: 'namespace' })],
    ['whether it is there', 'bulkhead-allow-within', tenant({}), tenant({ within: 'none' })],
    ['the quota', 'bulkhead-quota', quota('5'), quota('6')],
  ];
  for (const [what, object, one, other] of disputes) {
    await t.test(what, async (t) => {
      const kept = await keepOne(t, [one]);
      const closed = stored(kept, door)?.metadata.resourceVersion;
      const joined = await kept.join([other]);
      const minutes: number[] = [];
      for (let minute = 0; minute < 3; minute++) {
        const before = writesOf(kept, object);
        for (let second = 0; second < 60; second++) {
          await kept.pass(1_000, 1_000);
          if (stored(kept, door)?.metadata.resourceVersion !== closed) t.fail('the closed door was touched');
        }
        minutes.push(writesOf(kept, object) - before);
      }
      t.equal(writesOf(kept, door), 1, 'the closed door is the same for both, and was written once');
      const [first = 0, second = 0, third = 0] = minutes;
      t.ok(
        first > 6 && first <= 2 * 9,
        `${minutes.join(', then ')} writes a minute: at first each what it sees, and eight times again`,
      );
      t.ok(second <= 2 * 2 && third <= 2 * 2 && second + third > 0, 'then twice a minute each');
      for (const replica of [kept, joined]) {
        t.equal(replica.reconciler.counters().conflicts, 1);
        t.equal(replica.reconciler.counters().failed, 0, 'and that is not a failure');
      }

      joined.replace([one]);
      await kept.pass(60_000, 1_000);
      const before = kept.writes().length;
      await kept.pass(120_000, 10_000);
      t.equal(kept.writes().length, before, 'they agree as soon as they have read the same');
      const names = kept.names('acme-web').filter((name) => name !== door);
      t.same(names, one.resourceQuota ? ['bulkhead-allow-within', object] : [object]);
      t.equal(kept.reconciler.counters().waiting, 0);
    });
  }
});

t.test('a default-deny policy that is gone or open is put back within a second, however often', async (t) => {
  const hurts: readonly [what: string, hurt: (kept: Kept) => void][] = [
    ['deleted', ({ server }) => server.remove('networkpolicies', door, 'acme-web')],
    ['opened', ({ server }) => server.put('networkpolicies', policy(door, { ...deny, ingress: [{}] }))],
    ['tied to another namespace', ({ server }) => server.put('networkpolicies', policy(door, deny))],
    ['unmarked', ({ server }) => server.put('networkpolicies', policy(door, deny, { [label]: 'acme' }))],
  ];
  for (const [what, hurt] of hurts) {
    const kept = await keepOne(t, [tenant({})]);
    for (let index = 0; index < 20; index++) {
      hurt(kept);
      await kept.settled();
      if (index >= 3) await kept.pass(1_000);
      if (JSON.stringify(stored(kept, door)?.spec) !== JSON.stringify(deny)) t.fail(`${what} for the ${index}th time`);
    }
    t.match(kept.reconciler.counters(), { healed: 20, conflicts: 1, waiting: 0 }, what);
  }
});

t.test(
  'a replica that takes for open what another takes for closed writes the door three times, and then twice a second at most',
  async (t) => {
    const kept = await keepOne(t, [tenant({})]);
    const before = writesOf(kept, door);
    for (let index = 0; index < 50; index++) {
      kept.server.put('networkpolicies', policy(door, deny));
      await kept.settled();
    }
    t.equal(writesOf(kept, door) - before, 3, 'without time that passes');
    for (let second = 0; second < 60; second++) {
      kept.server.put('networkpolicies', policy(door, deny));
      await kept.pass(1_000);
    }
    t.ok(writesOf(kept, door) - before <= 3 + 120, `${writesOf(kept, door) - before} in a minute`);
  },
);

t.test('what leaves the namespace closed is put back three times at once, and then ever less often', async (t) => {
  const kept = await keepOne(t, [tenant({})]);
  const { server, reconciler } = kept;
  const relabel = () => {
    const { metadata, ...rest } = stored(kept, door) ?? policy(door, deny);
    server.put('networkpolicies', { ...rest, metadata: { ...metadata, labels: { ...own, [label]: 'beta' } } });
  };
  const isWrong = () => stored(kept, door)?.metadata.labels?.[label] === 'beta';
  for (let index = 0; index < 3; index++) {
    relabel();
    await kept.settled();
    t.equal(isWrong(), false, 'at once');
  }
  relabel();
  await kept.pass(750);
  t.equal(isWrong(), true, 'not any more');
  t.equal(reconciler.counters().waiting, 1, 'the namespace waits');
  const before = kept.writes().length;
  for (let index = 0; index < 50; index++) {
    server.put('namespaces', namespace('acme-web', { [label]: 'acme', index: String(index) }));
    reconciler.expedite('acme-web');
  }
  await kept.settled();
  t.equal(kept.writes().length, before, 'whatever else happens');
  await kept.pass(250);
  t.equal(isWrong(), false, 'a second later');

  await t.test('nothing else of the namespace waits with it', async (t) => {
    relabel();
    await kept.settled();
    t.equal(isWrong(), true);
    server.remove('networkpolicies', 'bulkhead-allow-within', 'acme-web');
    await kept.settled();
    t.ok(stored(kept, 'bulkhead-allow-within'), 'it is put back at once');
    server.remove('networkpolicies', door, 'acme-web');
    await kept.settled();
    t.equal(stored(kept, door) !== undefined && !isWrong(), true, 'and so is the door itself once it is gone');
  });

  await t.test('after a calm time it is put back at once', async (t) => {
    await kept.pass(61_000, 1_000);
    relabel();
    await kept.settled();
    t.equal(isWrong(), false);
    t.equal(reconciler.counters().waiting, 0);
  });
});

t.test('a replica that takes the namespace for the platform\u2019s removes its door less and less often', async (t) => {
  const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')), 0);
  await kept.settled();
  await kept.join([tenant({})], { ...settings([]), tenantLabel: 'other.dev/tenant' });
  const removals = () => kept.writes().filter((write) => write.startsWith('DELETE') && write.endsWith(door)).length;
  const minutes: number[] = [];
  for (let minute = 0; minute < 2; minute++) {
    const before = removals();
    for (let second = 0; second < 60; second++) {
      await kept.pass(1_000, 1_000);
      if (stored(kept, door) === undefined) t.fail('the namespace stays open');
    }
    minutes.push(removals() - before);
  }
  const [first = 0, second = 0] = minutes;
  t.ok(first > 3 && first <= 8 && second <= 2, `it removes the door ${minutes.join(', then ')} times a minute`);
});

t.test('the log and an Event say who does it', async (t) => {
  const hurts: readonly [who: string, hurt: (kept: Kept) => void][] = [
    [
      'field manager kubectl-edit',
      ({ server }) => {
        const { metadata, ...rest } = policy('bulkhead-allow-within', deny);
        const managedFields = [{ manager: 'kubectl-edit', operation: 'Update', time: '2026-11-21T00:00:00Z' }];
        server.put('networkpolicies', { ...rest, metadata: { ...metadata, managedFields } });
      },
    ],
    ['a client that deleted it', ({ server }) => server.remove('networkpolicies', 'bulkhead-allow-within', 'acme-web')],
  ];
  for (const [who, hurt] of hurts) {
    const kept = await keepOne(t, [tenant({})]);
    const said = () => kept.events.filter((event) => event.includes('BaselineConflict'));
    for (let index = 0; index < 3; index++) {
      t.same(said(), [], 'not yet');
      hurt(kept);
      await kept.settled();
    }
    const what = `is changed or deleted again and again, last by ${who}`;
    t.match(said(), [`acme-web BaselineConflict: NetworkPolicy bulkhead-allow-within ${what}. `]);
    t.match(
      kept.logged.filter((line) => line.includes('again and again')),
      [`a part of the baseline ${what} {"namespace":"acme-web","object":"NetworkPolicy bulkhead-allow-within"`],
    );
  }
});

t.test('a refused object is not tried without end, and holds up no other', async (t) => {
  const refusals: readonly [what: string, retryAfter: object, most: number][] = [
    ['at most once a second', {}, 11 + 10],
    ['and never before the API server wants it', { retryAfter: 60 }, 1],
  ];
  for (const [what, retryAfter, most] of refusals) {
    const kept = await keep(t, [quota('5')]);
    const { server, reconciler } = kept;
    const refused = ({ path }: { path: string }) => path.endsWith('/bulkhead-quota');
    for (let index = 0; index < 1_000; index++)
      server.failNext({ kind: 'status', code: 403, reason: 'Forbidden', ...retryAfter }, refused);
    server.put('namespaces', namespace('acme-web'));
    for (let tenths = 0; tenths < 40; tenths++) {
      for (let index = 0; index < 3; index++) {
        const labels = { [label]: 'acme', index: `${tenths}-${index}` };
        server.put('namespaces', namespace('acme-web', labels));
        reconciler.expedite('acme-web');
        await kept.settled();
      }
      await kept.pass(250);
    }
    const tries = writesOf(kept, 'bulkhead-quota');
    t.ok(tries >= 1 && tries <= most, `${tries} tries in ten seconds with 120 changes: ${what}`);
    server.remove('networkpolicies', door, 'acme-web');
    server.remove('networkpolicies', 'bulkhead-allow-within', 'acme-web');
    await kept.settled();
    t.same(kept.names('acme-web'), ['bulkhead-allow-within', door], 'the others are put back at once');
    t.equal(reconciler.counters().healed, 2);
  }
});

t.test('a change outside has what was refused tried again within a second', async (t) => {
  const kept = await keep(t, [quota('5')], undefined, 0.99);
  const { server, reconciler } = kept;
  const refused = ({ path }: { path: string }) => path.endsWith('/bulkhead-quota');
  for (let index = 0; index < 15; index++) server.failNext({ kind: 'status', code: 500 }, refused);
  server.put('namespaces', namespace('acme-web'));
  await kept.settled();
  // No wait is longer than a minute, and each ends in a try.
  for (let index = 1; index < 15; index++) await kept.pass(60_000, 60_000);
  t.equal(reconciler.counters().failed, 15);
  await kept.pass(2_000);
  t.same(kept.names('acme-web').includes('bulkhead-quota'), false, 'it would wait for long');
  reconciler.expedite('acme-web');
  await kept.settled();
  t.ok(kept.names('acme-web').includes('bulkhead-quota'));
  t.equal(reconciler.counters().waiting, 0);
});

t.test('another key of the tenant label is put on every object, once', async (t) => {
  const kept = await keepOne(t, [tenant({})]);
  const given: Settings = { ...settings([]), tenantLabel: 'other.dev/tenant' };
  const joined = await kept.join([tenant({})]);
  joined.replace([tenant({})], given);
  await kept.settled();
  kept.replace([tenant({})], given);
  await kept.pass(61_000, 1_000);
  for (const name of [door, 'bulkhead-allow-within'])
    t.equal(stored(kept, name)?.metadata.labels?.['other.dev/tenant'], 'acme', `${name} carries it`);
  const before = kept.writes().length;
  await kept.pass(61_000, 1_000);
  t.equal(kept.writes().length, before, 'and that is the end of it');
});
