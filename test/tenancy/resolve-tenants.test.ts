import fc from 'fast-check';
import t from 'tap';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import { formatProblem, unlined } from '../../src/tenancy/problem.ts';
import {
  type DeclaredTenant,
  locatedTenant,
  prefixIn,
  type Resolution,
  resolveTenants,
  tenantFile,
} from '../../src/tenancy/resolve-tenants.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
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
    prefix: prefixIn(spec),
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
  return Object.fromEntries([...inForce.values()].map(({ name, prefix }) => [name, prefix]));
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
  t.match(resolution.closed, [{ name: 'acme', prefix: 'acme-', members: [], mode: 'enforce', isolation: 'hard' }]);
  const tenancy = createTenancy(settings, resolution.closed);
  t.match(tenancy.reservation('acme-web'), { name: 'acme' });
  t.strictSame(tenancy.requester({ username: 'alice', groups: [] }, undefined).tenants, []);
});

t.test('a closed tenant takes no names from one that is in force', async (t) => {
  const bad = declared('acme', 1, { namespaces: { prefix: 'shop-' }, mode: 'loud' });
  const resolution = after([bad, reserving('beta', 2, 'shop-')]);
  t.strictSame(prefixes(resolution), { beta: 'shop-' });
  t.match(resolution.closed, [{ name: 'acme', prefix: undefined }]);
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

t.test('what is in force keeps its place, whoever is older', async (t) => {
  const beta = reserving('beta', 2, 'shop-');
  const resolution = after([reserving('acme', 1, 'acme-'), beta], [reserving('acme', 1, 'shop-'), beta]);
  t.strictSame(prefixes(resolution), { acme: 'acme-', beta: 'shop-' });
  t.match(told(resolution), [/^tenants.bulkhead.dev\/acme: spec.namespaces.prefix: shop- is reserved to tenant beta/]);
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
  t.match(resolution.closed, [{ name: 'acme', prefix: undefined }]);
});

t.test('what deserves a second look is in force, and said', async (t) => {
  const { warnings } = after([
    declared('acme', 1, { network: { gates: [{ tenant: 'nobody', direction: 'egress' }] } }),
  ]);
  t.match(warnings.map(formatProblem), [
    /^tenants.bulkhead.dev\/acme: spec.network.gates\[0\].tenant: nobody is not a declared/,
  ]);
});

t.test('a prefix is read only where it is one', async (t) => {
  for (const spec of [
    undefined,
    null,
    'x',
    {},
    { namespaces: [] },
    { namespaces: { prefix: 7 } },
    { namespaces: { prefix: 'acme' } },
    { namespaces: { prefix: `${'a'.repeat(70)}-` } },
  ])
    t.equal(prefixIn(spec), undefined, JSON.stringify(spec));
  t.equal(prefixIn({ namespaces: { prefix: 'acme-' }, mode: 7 }), 'acme-');
});

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const prefix = fc.constantFrom('s-', 's-x-', 's-x-y-', 't-', 't-x-', 'kube-', 'u-', 'v-', 'w-');
const state = fc
  .uniqueArray(fc.tuple(name, prefix, fc.boolean(), fc.nat(3)), { selector: ([name]) => name })
  .map((some) =>
    some.map(([name, prefix, bad, made]) => declared(name, made, { ...(bad && { mode: 7 }), namespaces: { prefix } })),
  );

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
        // In force is the newest version, and nothing is said; or the one before, and something is.
        if (newest === refused.has(name) || !(newest || is === was)) return false;
      }
      const again = resolveTenants(objects.toReversed(), inForce, settings, now);
      if (JSON.stringify([...again.inForce].sort()) !== JSON.stringify([...inForce].sort())) return false;
      before = inForce;
    }
    return true;
  });
  fc.assert(property, { numRuns: 500 });
  t.ok(moved > 500, 'many came into force', { moved });
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
