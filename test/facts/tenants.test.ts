import fc from 'fast-check';
import t from 'tap';
import { createTenants, type Tenants } from '../../src/facts/tenants.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import { settings } from '../baseline/samples.ts';
import { type FakeClock, fakeClock } from '../client/fake-clock.ts';

const apiVersion = 'bulkhead.dev/v1alpha1';
const now = Date.UTC(2026, 10, 21);

interface More {
  readonly uid?: string;
  readonly generation?: number;
  readonly status?: object;
  /** The second in which it was made. */
  readonly made?: number;
  /** It is being deleted. */
  readonly terminating?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Followed {
  readonly tenants: Tenants;
  readonly clock: FakeClock;
  /** What was told, in order. */
  readonly told: string[];
  readonly logged: string[];
  /** The watch tells of a Tenant; a new spec is a new generation. */
  put(name: string, spec: object, more?: More): void;
}

function follow(): Followed {
  const clock = fakeClock();
  const told: string[] = [];
  const logged: string[] = [];
  const log = (_: unknown, message: string) => void logged.push(message);
  const tenants = createTenants({
    settings: settings([]),
    clock,
    log: { info: () => {}, warn: log, error: log },
    wallClock: () => now,
    onTenants: (refused) => void told.push(`tenants, ${refused} refused`),
    onObjects: () => void told.push('objects'),
  });
  let version = 1;
  return {
    tenants,
    clock,
    told,
    logged,
    put(
      name,
      spec,
      { uid = `uid-${name}`, generation = ++version, status, made = 0, terminating = false, labels } = {},
    ) {
      const deletionTimestamp = terminating ? { deletionTimestamp: '2026-11-21T01:00:00Z' } : {};
      const creationTimestamp = `2026-11-21T00:00:0${made}Z`;
      const metadata = { name, uid, generation, creationTimestamp, ...deletionTimestamp, ...(labels && { labels }) };
      const meta = { name, namespace: '', uid, resourceVersion: String(++version) };
      tenants.handler.changed({ metadata: meta, object: { apiVersion, kind: 'Tenant', metadata, spec, status } });
    },
  };
}

const names = (tenants: Tenants) => [...tenants.current().tenants.keys()];

t.test('until everything was told there are no tenants', async (t) => {
  const { tenants, clock, told, put } = follow();
  put('acme', {});
  clock.advance(60_000);
  t.strictSame([names(tenants), told, tenants.verdicts()], [[], [], []]);
  tenants.begin();
  t.strictSame([names(tenants), told], [['acme'], ['tenants, 0 refused', 'objects']]);
});

t.test('what is applied together is judged together', async (t) => {
  const { tenants, clock, told, put } = follow();
  tenants.begin();
  told.length = 0;
  put('acme', { namespaces: { prefix: 'acme-' } });
  put('beta', { namespaces: { prefix: 'beta-' } });
  t.strictSame([names(tenants), tenants.verdict('acme')], [[], undefined], 'not yet');
  clock.advance(20);
  t.strictSame(
    [names(tenants), told],
    [
      ['acme', 'beta'],
      ['tenants, 0 refused', 'objects'],
    ],
  );
  tenants.handler.removed({ namespace: '', name: 'beta', uid: 'uid-beta' });
  clock.advance(20);
  t.strictSame(names(tenants), ['acme']);
});

t.test('a bad version leaves the one before in force, and is logged once', async (t) => {
  const { tenants, clock, told, logged, put } = follow();
  put('acme', { mode: 'warn' });
  tenants.begin();
  put('acme', { mode: 'loud' });
  clock.advance(20);
  t.equal(tenants.current().tenants.get('acme')?.mode, 'warn');
  put('beta', {});
  clock.advance(20);
  t.strictSame(logged, ['tenants.bulkhead.dev/acme: spec.mode: "loud" is not one of enforce, warn, audit']);
  t.equal(told.at(-2), 'tenants, 1 refused');
  t.match(tenants.verdict('acme'), { inForce: { mode: 'warn' }, problems: [{ path: 'spec.mode' }] });
  t.match(tenants.verdict('beta'), { inForce: { name: 'beta' }, problems: [] });
});

t.test('an object that was made anew has no version before', async (t) => {
  const { tenants, clock, put } = follow();
  put('acme', { mode: 'warn' });
  tenants.begin();
  tenants.handler.removed({ namespace: '', name: 'acme', uid: 'uid-acme' });
  put('acme', { mode: 'loud' }, { uid: 'another' });
  clock.advance(20);
  t.match(tenants.verdict('acme'), { inForce: undefined, object: { uid: 'another' } });
  t.equal(tenants.current().tenants.get('acme')?.mode, 'enforce', 'it is closed');
});

t.test('a new status is not a new tenant', async (t) => {
  const { tenants, clock, told, put } = follow();
  put('acme', {}, { generation: 1 });
  tenants.begin();
  const tenant = tenants.current().tenants.get('acme');
  told.length = 0;
  put('acme', {}, { generation: 1, status: { namespaces: 1 } });
  clock.advance(1_000);
  t.equal(tenants.current().tenants.get('acme'), tenant);
  t.strictSame(told, ['objects']);
  t.match(tenants.verdict('acme'), { object: { status: { namespaces: 1 } } });
});

t.test('labels, which are no new generation, count at once', async (t) => {
  const { tenants, clock, put } = follow();
  put('acme', {}, { generation: 1 });
  tenants.begin();
  t.same(tenants.current().tenants.get('acme')?.labels, new Map());
  put('acme', {}, { generation: 1, labels: { tier: 'build' } });
  clock.advance(20);
  t.same(tenants.current().tenants.get('acme')?.labels, new Map([['tier', 'build']]));
});

t.test('after a restore of etcd the same generation can be another one', async (t) => {
  const { tenants, clock, put } = follow();
  put('acme', { mode: 'warn' }, { generation: 4 });
  put('beta', {}, { generation: 4 });
  tenants.begin();
  tenants.handler.forgetVersions?.();
  put('acme', {}, { generation: 4 });
  clock.advance(1_000);
  t.equal(tenants.current().tenants.get('acme')?.mode, 'enforce');
  t.strictSame(names(tenants), ['acme', 'beta'], 'what is not told of yet stays');
});

t.test('what the API server adds to an object is no unknown field', async (t) => {
  const { tenants, put } = follow();
  put('acme', { mode: 'enforce', isolation: 'hard' }, { status: { conditions: [] } });
  tenants.begin();
  t.match(tenants.verdict('acme'), { problems: [] });
});

t.test('settings that do not go together with the tenants in force are not taken over', async (t) => {
  const { tenants, put } = follow();
  put('acme', { namespaces: { prefix: 'acme-' } });
  tenants.begin();
  const before = tenants.current();
  const plain = settings([]);
  const conflicting = { ...plain, platform: { ...plain.platform, prefixes: ['acme-'] } };
  t.strictSame(tenants.settingsChanged(conflicting).map(formatProblem), [
    'tenants.bulkhead.dev/acme: spec.namespaces.prefix: acme- lies under acme-, which is reserved to the platform; choose a prefix that shares no names',
  ]);
  t.equal(tenants.current(), before);
  const other = { ...plain, tenantLabel: 'example.org/tenant' };
  t.strictSame(tenants.settingsChanged(other), []);
  t.equal(tenants.current().settings, other);
  t.strictSame(names(tenants), ['acme']);
});

t.test('a tenant that is being deleted is known to be, whichever version of it is in force', async (t) => {
  const rows: readonly [sentence: string, spec: object, mode: string][] = [
    ['as it is written', { mode: 'warn' }, 'warn'],
    ['where the version before stands in', { mode: 'loud' }, 'warn'],
    ['where it is closed', { mode: 'loud', namespaces: { prefix: 'acme-' } }, 'enforce'],
  ];
  for (const [sentence, spec, mode] of rows) {
    const { tenants, clock, told, put } = follow();
    const closed = 'namespaces' in spec;
    put('acme', closed ? spec : { mode: 'warn' }, { generation: 1 });
    tenants.begin();
    t.notOk(tenants.current().tenants.get('acme')?.terminating, `${sentence}: not yet`);
    told.length = 0;
    put('acme', spec, { generation: closed ? 1 : 2, terminating: true });
    clock.advance(20);
    t.match(tenants.current().tenants.get('acme'), { mode, terminating: true }, sentence);
    t.ok(told.length > 0, `${sentence}: it is told`);
  }
});

t.test(
  'a version that was in force for a moment is the one that stands in, however fast it was replaced',
  async (t) => {
    for (const pause of [0, 20]) {
      const { tenants, clock, put } = follow();
      put('acme', { mode: 'audit' });
      tenants.begin();
      put('acme', { mode: 'warn' });
      clock.advance(pause);
      put('acme', { mode: 'loud' });
      clock.advance(20);
      t.equal(tenants.current().tenants.get('acme')?.mode, 'warn', `${pause} ms`);
    }
  },
);

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const prefix = fc.constantFrom('s-', 's-x-', 's-x-y-', 't-', 't-x-', 'kube-', 'u-');
const writtenFields = { name, prefix, bad: fc.boolean(), made: fc.nat(1) };
const written = fc.record(writtenFields);
type Written = typeof written extends fc.Arbitrary<infer Value> ? Value : never;
const specOf = ({ prefix, bad }: { prefix: string; bad: boolean }) => ({
  namespaces: { prefix },
  ...(bad && { mode: 'loud' }),
});

/** What a replica makes of the tenants, to the last word. */
function outcome({ tenants }: Followed): string {
  const verdicts = tenants.verdicts().map(({ object, inForce, problems }) => [object.name, inForce, problems]);
  return JSON.stringify([[...tenants.current().tenants], verdicts.sort()]);
}

t.test('replicas that hear of the same objects, in any order and any crowds, make the same of them', async (t) => {
  const objects = fc.uniqueArray(written, { selector: ({ name }) => name, minLength: 2 });
  const orders = objects.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.shuffledSubarray(all, { minLength: all.length }),
      fc.infiniteStream(fc.boolean()),
      fc.nat(all.length),
    ),
  );
  let conflicts = 0;
  const property = fc.property(orders, ([all, arriving, pauses, listed]) => {
    const [restarted, running] = [follow(), follow()];
    for (const one of all) restarted.put(one.name, specOf(one), { made: one.made, generation: 1 });
    restarted.tenants.begin();
    for (const [index, one] of arriving.entries()) {
      if (index === listed) running.tenants.begin();
      running.put(one.name, specOf(one), { made: one.made, generation: 1 });
      if (pauses.next().value) running.clock.advance(20);
    }
    if (listed === all.length) running.tenants.begin();
    running.clock.advance(20);
    if (restarted.tenants.verdicts().some(({ object, problems }) => object.loaded.ok && problems.length > 0))
      conflicts++;
    return outcome(restarted) === outcome(running);
  });
  fc.assert(property, { numRuns: 500 });
  t.ok(conflicts > 50, 'many did not go together', { conflicts });
});

t.test(
  'whatever was written before, replicas agree which newest versions are in force, and why others are not',
  async (t) => {
    const events = fc.array(
      fc.record({
        ...writtenFields,
        deleted: fc.integer({ min: 0, max: 5 }).map((one) => one === 0),
        pause: fc.boolean(),
      }),
      { maxLength: 20, size: 'max' },
    );
    let standing = 0;
    const property = fc.property(events, (all) => {
      const [running, restarted] = [follow(), follow()];
      running.tenants.begin();
      const left = new Map<string, Written>();
      for (const [index, one] of all.entries()) {
        const made = left.get(one.name)?.made ?? one.made;
        if (one.deleted) {
          running.tenants.handler.removed({ namespace: '', name: one.name, uid: `uid-${one.name}` });
          left.delete(one.name);
        } else {
          running.put(one.name, specOf(one), { made, generation: index });
          left.set(one.name, { ...one, made });
        }
        if (one.pause) running.clock.advance(20);
      }
      running.clock.advance(20);
      for (const [name, one] of left) restarted.put(name, specOf(one), { made: one.made });
      restarted.tenants.begin();
      const told = ({ tenants }: Followed) =>
        JSON.stringify(
          tenants
            .verdicts()
            .map(({ object, problems }) => [object.name, problems])
            .sort(),
        );
      if (outcome(running) !== outcome(restarted)) standing++;
      return told(running) === told(restarted);
    });
    fc.assert(property, { numRuns: 500 });
    t.ok(standing > 50, 'many had a version before, and only one of the two knew it', { standing });
  },
);

t.test(
  'where no two want the same names, the same events in other crowds leave the same in force, also what stands in',
  async (t) => {
    const events = fc.array(fc.tuple(written, fc.boolean(), fc.boolean()), { maxLength: 20 });
    let standing = 0;
    const property = fc.property(events, (all) => {
      const [one, other] = [follow(), follow()];
      for (const [index, replica] of [one, other].entries()) {
        replica.tenants.begin();
        for (const [generation, [event, ...pauses]] of all.entries()) {
          replica.put(event.name, specOf({ ...event, prefix: `${event.name}-${event.prefix}` }), { generation });
          if (pauses[index]) replica.clock.advance(20);
        }
        replica.clock.advance(20);
      }
      if (one.tenants.verdicts().some(({ inForce, problems }) => inForce !== undefined && problems.length > 0))
        standing++;
      return outcome(one) === outcome(other);
    });
    fc.assert(property, { numRuns: 500 });
    t.ok(standing > 50, 'in many a version before stands in', { standing });
  },
);

t.test('after the end nothing is judged any more', async (t) => {
  const { tenants, clock, told, put } = follow();
  tenants.begin();
  put('acme', {});
  tenants.stop();
  told.length = 0;
  clock.advance(1_000);
  t.strictSame(told, []);
});
