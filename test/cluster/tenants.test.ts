import t from 'tap';
import { createTenants, type Tenants } from '../../src/cluster/tenants.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import { settings } from '../baseline/samples.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';

const apiVersion = 'bulkhead.dev/v1alpha1';
const now = Date.UTC(2026, 10, 21);

interface Followed {
  readonly tenants: Tenants;
  readonly clock: FakeClock;
  /** What was told, in order. */
  readonly told: string[];
  readonly logged: string[];
  /** The watch tells of a Tenant; a new spec is a new generation. */
  put(name: string, spec: object, more?: { uid?: string; generation?: number; status?: object }): void;
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
    put(name, spec, { uid = `uid-${name}`, generation = ++version, status } = {}) {
      const metadata = { name, uid, generation, creationTimestamp: '2026-11-21T00:00:00Z' };
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

t.test('after the end nothing is judged any more', async (t) => {
  const { tenants, clock, told, put } = follow();
  tenants.begin();
  put('acme', {});
  tenants.stop();
  told.length = 0;
  clock.advance(1_000);
  t.strictSame(told, []);
});
