/** What the author of a GateRequest is told, where that depends on more than the request. */
import t from 'tap';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { warningsIn } from '../fixtures/denial.ts';
import { createReview, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const day = 24 * 3_600_000;

interface Written {
  readonly tenant?: string;
  readonly direction?: string;
  readonly ports?: readonly number[];
  /** Days from now. */
  readonly lasts?: number;
}

function send(
  { tenant = 'beta', direction = 'egress', ports = [5432], lasts = 30 }: Written,
  known: Tenancy = tenancy,
  role: Role = 'acme developer',
) {
  const review = createReview(known, namespaces);
  const spec = {
    ...{ tenant, direction, ports: ports.map((port) => ({ port })) },
    expires: new Date(Date.now() + lasts * day).toISOString(),
  };
  const metadata = { name: 'to-beta', namespace: 'acme-web' };
  const object = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest', metadata, spec };
  return submit(review, { user: cast[role], operation: 'CREATE', object });
}

async function told(written: Written, role?: Role): Promise<readonly string[]> {
  const { allowed, warnings = [] } = await send(written, tenancy, role);
  if (!allowed) throw new Error('it is refused');
  return warningsIn(warnings).map((one) => one.told);
}

const warned: readonly (readonly [sentence: string, written: Written, expected: readonly string[]])[] = [
  ['one that opens a gate', {}, []],
  [
    'one half',
    { direction: 'ingress' },
    ['gate-request: spec.tenant has no request that mirrors this one, which opens nothing until then'],
  ],
  [
    'other ports',
    { ports: [443] },
    ['gate-request: spec.ports open nothing, as the requests that mirror this one name 5432/TCP'],
  ],
  [
    'more ports',
    { ports: [443, 5432] },
    ['gate-request: spec.ports open 5432/TCP alone, as the requests that mirror this one name no more'],
  ],
  ['one that has expired', { lasts: -1 }, ['gate-request: spec.expires has passed, so the request opens nothing']],
  ['one that ends soon', { lasts: 6 }, ['gate-request: spec.expires is within a week; from then on the gate is shut']],
];
for (const [sentence, written, expected] of warned)
  t.test(`a warning: ${sentence}`, async (t) => t.strictSame(await told(written), expected));

t.test('GAT-07: a tenant that does not exist reads like one without requests', async (t) => {
  const about = async (tenant: string, role?: Role) =>
    (await told({ tenant, ports: [443] }, role)).join().replaceAll(tenant, 'X');
  t.notOk(tenancy.tenants.has('omega'));
  t.ok(tenancy.tenants.has('iota'));
  t.equal(await about('omega'), await about('iota'));
  t.equal(
    await about('omega', 'platform admin'),
    'gate-request: spec.tenant X is not a declared tenant',
    'but to the platform',
  );
});

const { requests } = tenancy;
const closed: readonly (readonly [sentence: string, known: Tenancy, reason: RegExp])[] = [
  [
    'gates come from the platform alone',
    { ...tenancy, settings: { ...tenancy.settings, gates: { ...tenancy.settings.gates, from: 'platform' } } },
    /the whole object\n {4}opens nothing, as gates come from the platform alone\n {4}fix: ask the platform to declare the gate in both Tenants\n/,
  ],
  ['tenants come from files', { ...tenancy, requests: undefined }, /is not read, as tenants come from files here/],
  ['the tenant is not in force', { ...tenancy, declares: () => false }, /has tenant acme, which is not in force/],
];
for (const [sentence, known, reason] of closed) {
  t.test(`a request is refused while ${sentence}`, async (t) => {
    const { allowed, status } = await send({}, known);
    t.notOk(allowed);
    t.match(status?.message, reason);
  });
}

t.test('GAT-06: no more are taken than count', async (t) => {
  if (requests === undefined) return t.fail('there are none');
  const counted = (count: object) => ({
    ...tenancy,
    requests: { ...requests, count: () => ({ namespace: 0, tenant: 0, gate: 0, ...count }) },
  });
  const refusal = async (count: object) => (await send({}, counted(count))).status?.message ?? 'admitted';
  t.equal(await refusal({ namespace: 15, tenant: 63, gate: 3 }), 'admitted');
  t.match(await refusal({ namespace: 16 }), /namespace acme-web has 16 GateRequests already/);
  t.match(await refusal({ tenant: 64 }), /tenant acme has 64 GateRequests already/);
  return t.match(await refusal({ gate: 4 }), /tenant acme has 4 GateRequests for egress with that tenant already/);
});
