import fc from 'fast-check';
import t from 'tap';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import { formatProblem, unlined } from '../../src/tenancy/problem.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import {
  type DeclaredTenant,
  locatedTenant,
  type Resolution,
  resolveTenants,
  tenantFile,
} from '../../src/tenancy/resolve-tenants.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { validateTenancy } from '../../src/tenancy/validate-tenancy.ts';

const now = Date.UTC(2026, 10, 21);
const settings = settingsWith({ podCIDRs: ['10.244.0.0/16'] });
const nothing: ReadonlyMap<string, Tenant> = new Map();

function settingsWith(network: object, platform: object = {}): Settings {
  const value = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Settings', spec: { network, platform } };
  const parsed = parseSettings({ value, locate: unlined('settings') });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.value;
}

/** @param made the second in which it was made */
function declared(name: string, made: number, spec: object): DeclaredTenant {
  const value = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec };
  return {
    name,
    created: new Date(now + made * 1000).toISOString(),
    loaded: parseTenant({ value, locate: unlined(tenantFile(name)) }),
    reserved: reservedIn(spec),
  };
}

const reserving = (name: string, made: number, prefix: string) => declared(name, made, { namespaces: { prefix } });

/** Everything that follows, one after the other, each upon what was in force before. */
function after(...states: readonly (readonly DeclaredTenant[])[]): Resolution {
  let resolution: Resolution = { inForce: nothing, closed: [], refused: new Map(), warnings: [] };
  for (const state of states) resolution = resolveTenants(state, resolution.inForce, settings, now);
  return resolution;
}

function prefixes({ inForce }: Resolution): Record<string, string | undefined> {
  return Object.fromEntries(
    [...inForce.values()].map(({ name, reserved }) => [name, [...reserved.keys()].join() || undefined]),
  );
}

function closedNames({ closed }: Resolution): Record<string, string | undefined> {
  return Object.fromEntries(closed.map(({ name, reserved }) => [name, [...reserved.keys()].join() || undefined]));
}

function told({ refused }: Resolution): string[] {
  return [...refused.values()].flat().map(formatProblem);
}

t.test('tenants that go together are all in force', async (t) => {
  const resolution = after([reserving('beta', 2, 'beta-'), reserving('acme', 1, 'acme-')]);
  t.strictSame(prefixes(resolution), { acme: 'acme-', beta: 'beta-' });
  t.strictSame([resolution.closed, told(resolution)], [[], []]);
});

t.test('a version that is bad by itself does not replace a good one, and stops nobody else', async (t) => {
  const bad = declared('acme', 1, { namespaces: { prefix: 'ac-' }, mode: 'loud' });
  const resolution = after([reserving('acme', 1, 'acme-')], [bad, reserving('beta', 2, 'beta-')]);
  t.strictSame(prefixes(resolution), { acme: 'acme-', beta: 'beta-' });
  t.strictSame(told(resolution), ['tenants.bulkhead.dev/acme: spec.mode: "loud" is not one of enforce, warn, audit']);
});

t.test('mended, it is in force again', async (t) => {
  const bad = declared('acme', 1, { mode: 'loud' });
  const resolution = after([reserving('acme', 1, 'acme-')], [bad], [reserving('acme', 1, 'ac-')]);
  t.strictSame([prefixes(resolution), told(resolution)], [{ acme: 'ac-' }, []]);
});

t.test('what was never good is closed: nobody speaks for it, and its names stay reserved', async (t) => {
  const member = { kind: 'User', name: 'alice' };
  const resolution = after([declared('acme', 1, { namespaces: { prefix: 'acme-' }, members: [member], mode: 'loud' })]);
  t.strictSame(prefixes(resolution), {});
  t.match(resolution.closed, [{ name: 'acme', members: [], mode: 'enforce', isolation: 'hard' }]);
  t.strictSame(closedNames(resolution), { acme: 'acme-' });
  const tenancy = createTenancy(settings, resolution.closed);
  t.match(tenancy.reservation('acme-web'), { name: 'acme' });
  t.strictSame(tenancy.requester({ username: 'alice', groups: [] }, undefined).tenants, []);
});

t.test('a version that is not in force has its turn for the names too: the older object gets them', async (t) => {
  const rows: readonly [sentence: string, spec: object][] = [
    ['it cannot be read', { mode: 'loud' }],
    ['it does not go together with the settings', { network: { egressCIDRs: ['10.244.7.0/24'] } }],
  ];
  for (const [sentence, wrong] of rows) {
    const bad = (made: number) => declared('acme', made, { namespaces: { prefix: 'shop-' }, ...wrong });
    const beta = reserving('beta', 2, 'shop-eu-');
    const older = after([bad(1), beta]);
    t.strictSame(prefixes(older), {}, `${sentence}, and is older`);
    t.strictSame(closedNames(older), { acme: 'shop-', beta: undefined });
    const younger = after([bad(3), beta]);
    t.strictSame(prefixes(younger), { beta: 'shop-eu-' }, `${sentence}, and is younger`);
    t.strictSame(closedNames(younger), { acme: undefined });
    const restarted = after([bad(1), beta]);
    const running = after([reserving('acme', 1, 'shop-')], [bad(1), beta]);
    t.strictSame(prefixes(running), { acme: 'shop-' }, `${sentence}: the version before keeps the names`);
    t.strictSame(told(running), told(restarted), `${sentence}: whether or not that one is known`);
  }
});

t.test('of two that are new and do not go together, the newer one is told', async (t) => {
  const older = reserving('zeta', 1, 'shop-eu-');
  const newer = reserving('acme', 2, 'shop-');
  for (const state of [
    [older, newer],
    [newer, older],
  ]) {
    const resolution = after(state);
    t.strictSame(prefixes(resolution), { zeta: 'shop-eu-' });
    t.strictSame(told(resolution), [
      'tenants.bulkhead.dev/acme: spec.namespaces.prefix: shop- covers shop-eu-, which is reserved to tenant zeta; choose a prefix that shares no names',
    ]);
  }
});

t.test('in the same second, the name decides', async (t) => {
  const resolution = after([reserving('beta', 1, 'shop-'), reserving('acme', 1, 'shop-')]);
  t.strictSame(prefixes(resolution), { acme: 'shop-' });
});

t.test('of two newest versions the older object keeps the names, whichever was in force first', async (t) => {
  const older = reserving('acme', 1, 'shop-');
  const beta = reserving('beta', 2, 'shop-');
  const alone = after([older, beta]);
  t.strictSame(prefixes(alone), { acme: 'shop-' });
  const rows: readonly [sentence: string, before: readonly DeclaredTenant[]][] = [
    ['the younger was', [beta]],
    ['the older had other names', [reserving('acme', 1, 'acme-'), beta]],
    ['the younger had other names', [older, reserving('beta', 2, 'beta-')]],
  ];
  for (const [sentence, before] of rows) {
    const resolution = after(before, [older, beta]);
    t.equal(prefixes(resolution).acme, 'shop-', sentence);
    t.strictSame(told(resolution), told(alone), `${sentence}: the same is told`);
  }
});

t.test('an earlier version stands in only where it takes nothing from a newest one', async (t) => {
  const rows: readonly [sentence: string, taken: string, stands: string | undefined][] = [
    ['its names are free', 'beta-', 'acme-'],
    ['another has them now, however young it is', 'acme-', undefined],
  ];
  for (const [sentence, taken, stands] of rows) {
    const bad = declared('acme', 1, { namespaces: { prefix: 'ac-' }, mode: 'loud' });
    const resolution = after([reserving('acme', 1, 'acme-')], [bad, reserving('beta', 2, taken)]);
    t.equal(prefixes(resolution).beta, taken, sentence);
    t.equal(prefixes(resolution).acme, stands, sentence);
    const closed = stands === undefined ? { acme: 'ac-' } : {};
    t.strictSame(closedNames(resolution), closed, `${sentence}: otherwise it is closed`);
  }
});

t.test('the place that one leaves another may take, in any order', async (t) => {
  const waiting = reserving('beta', 2, 'acme-');
  const moved = reserving('acme', 1, 'ac-');
  for (const state of [
    [moved, waiting],
    [waiting, moved],
  ]) {
    const resolution = after([reserving('acme', 1, 'acme-'), waiting], state);
    t.strictSame([prefixes(resolution), told(resolution)], [{ acme: 'ac-', beta: 'acme-' }, []]);
  }
  const resolution = after([reserving('acme', 1, 'acme-'), waiting], [waiting]);
  t.strictSame(prefixes(resolution), { beta: 'acme-' }, 'also when it is deleted');
});

t.test('a conflict with the platform is the tenant’s alone', async (t) => {
  const good = reserving('beta', 2, 'beta-');
  const resolution = after([reserving('acme', 1, 'kube-'), good]);
  t.strictSame(prefixes(resolution), { beta: 'beta-' });
  t.strictSame(closedNames(resolution), { acme: undefined });
});

t.test('what deserves a second look is in force, and said', async (t) => {
  const { warnings } = after([
    declared('acme', 1, { network: { gates: [{ tenant: 'nobody', direction: 'egress' }] } }),
  ]);
  t.match(warnings.map(formatProblem), [
    /^tenants.bulkhead.dev\/acme: spec.network.gates\[0\].tenant: nobody is not a declared/,
  ]);
});

t.test('names and prefixes are read only where they are such', async (t) => {
  for (const spec of [
    undefined,
    null,
    'x',
    {},
    { namespaces: [] },
    { namespaces: { prefix: 7 } },
    { namespaces: { prefix: 'acme' } },
    { namespaces: { prefix: `${'a'.repeat(70)}-` } },
    { namespaces: { prefixes: 'acme-', names: { 0: 'acme' } } },
    { namespaces: { prefixes: ['acme', 7, null], names: ['acme-', 'Acme', '', 'a'.repeat(64)] } },
  ])
    t.strictSame([...reservedIn(spec)], [], JSON.stringify(spec));
  const namespaces = { prefix: 'acme-', prefixes: ['ac', 'ac-', 'acme-'], names: [7, 'pay', 'acme-pay'] };
  const at = (...steps: (string | number)[]) => ['spec', 'namespaces', ...steps];
  t.strictSame(
    [...reservedIn({ namespaces, mode: 7 })],
    [
      ['acme-', at('prefix')],
      ['ac-', at('prefixes', 1)],
      ['pay', at('names', 1)],
      ['acme-pay', at('names', 2)],
    ],
  );
});

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const prefix = fc.constantFrom('s-', 's-x-', 's-x-y-', 't-', 't-x-', 'kube-', 'u-', 'v-', 'w-');
const names = fc.array(fc.constantFrom('s-x-y-z', 's-a', 's', 't-x-b', 'u', 'default', 'z-z'), { maxLength: 2 });
const claims = fc.record({ prefix, prefixes: fc.array(prefix, { maxLength: 1 }), names }, { requiredKeys: ['prefix'] });
const written = fc.tuple(claims, fc.constantFrom({}, {}, { mode: 7 }, { network: { egressCIDRs: ['10.244.7.0/24'] } }));
const specOf = ([namespaces, wrong]: readonly [object, object]) => ({ namespaces, ...wrong });
const byName = { selector: ([name]: readonly [string, ...unknown[]]) => name };
const state = fc
  .uniqueArray(fc.tuple(name, written, fc.nat(3)), byName)
  .map((some) => some.map(([name, written, made]) => declared(name, made, specOf(written))));
/** Versions that were in force once, each with its tenant. */
const memory = fc.uniqueArray(fc.tuple(name, written), byName).map((some) => {
  const remembered = some.map(([name, written]) => declared(name, 0, specOf(written)).loaded);
  return new Map(remembered.flatMap((one): [string, Tenant][] => (one.ok ? [[one.value.name, one.value]] : [])));
});

t.test('whatever is written: what is in force goes together, and nothing moves without being written', async (t) => {
  let moved = 0;
  const property = fc.property(fc.array(state, { maxLength: 5 }), (states) => {
    let before: ReadonlyMap<string, Tenant> = nothing;
    for (const objects of states) {
      const { inForce, closed, refused } = resolveTenants(objects, before, settings, now);
      const all = [...inForce.values(), ...closed];
      const { problems } = validateTenancy(settings, all.map(locatedTenant), now);
      if (problems.length > 0) return false;
      if (new Set(all.map((tenant) => tenant.name)).size !== objects.length || all.length !== objects.length)
        return false;
      for (const { name, loaded } of objects) {
        const [was, is] = [before.get(name), inForce.get(name)];
        if (is !== was) moved++;
        const newest = loaded.ok && is === loaded.value;
        // In force is the newest version, and nothing is said; or the one before, or none, and something is.
        if (newest === refused.has(name) || !(newest || is === was || is === undefined)) return false;
      }
      before = inForce;
    }
    return true;
  });
  fc.assert(property, { numRuns: 500 });
  t.ok(moved > 500, 'many came into force', { moved });
});

t.test(
  'which newest versions are in force is told by the objects alone: from the oldest, each that goes together',
  async (t) => {
    let refusing = 0;
    let parted = 0;
    const property = fc.property(
      state,
      memory,
      fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
      (objects, before, keys) => {
        const shuffled = objects.map((one, index) => ({ one, key: keys[index] ?? 0 })).sort((a, b) => a.key - b.key);
        const arrived = shuffled.map(({ one }) => one);
        const { inForce, refused } = resolveTenants(arrived, before, settings, now);
        const expected = new Set<Tenant>();
        const inOrder = objects.toSorted((a, b) => (`${a.created} ${a.name}` < `${b.created} ${b.name}` ? -1 : 1));
        for (const { name, loaded, reserved } of inOrder) {
          const fits = (one: Tenant) =>
            validateTenancy(settings, [...expected, one].map(locatedTenant), now).problems.length === 0;
          const closed = undeclaredTenant(name);
          const left = [...reserved].filter((claim) => fits({ ...closed, reserved: new Map([claim]) }));
          if (left.length > 0 && left.length < reserved.size) parted++;
          expected.add(loaded.ok && fits(loaded.value) ? loaded.value : { ...closed, reserved: new Map(left) });
        }
        if (objects.some(({ loaded }) => loaded.ok && !expected.has(loaded.value))) refusing++;
        return objects.every(({ name, loaded }) => {
          const newest = loaded.ok && expected.has(loaded.value);
          return refused.has(name) !== newest && (!newest || inForce.get(name) === (loaded.ok && loaded.value));
        });
      },
    );
    fc.assert(property, { numRuns: 1000 });
    t.ok(refusing > 100, 'many did not go together', { refusing });
    t.ok(parted > 20, 'many that cannot be in force keep a part of their names', { parted });
  },
);

t.test('what is told of an object does not depend on what was in force before', async (t) => {
  fc.assert(
    fc.property(state, memory, (objects, before) => {
      const [one, other] = [nothing, before].map((held) => [...resolveTenants(objects, held, settings, now).refused]);
      return JSON.stringify(one) === JSON.stringify(other);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test('the order in which objects are listed changes nothing', async (t) => {
  fc.assert(
    fc.property(state, fc.nat(), (objects, turn) => {
      const turned = [...objects.slice(turn % 5), ...objects.slice(0, turn % 5)];
      const [one, other] = [after(objects), after(turned)];
      return (
        JSON.stringify([one.inForce, one.closed].flatMap((part) => [...part])) ===
        JSON.stringify([other.inForce, other.closed].flatMap((part) => [...part]))
      );
    }),
    { numRuns: 300 },
  );
  t.pass();
});
