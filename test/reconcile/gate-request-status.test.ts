import t from 'tap';
import type { GateRequestObject } from '../../src/facts/gate-requests.ts';
import { agree } from '../../src/gates/agreement.ts';
import { parseGateRequest } from '../../src/gates/parse-gate-request.ts';
import { gateRequestStatusOf } from '../../src/reconcile/gate-request-status.ts';
import { gateStatuses, gatesCondition } from '../../src/reconcile/gate-status.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { settings } from '../baseline/samples.ts';

const now = Date.UTC(2027, 0, 1);
const day = 24 * 3_600_000;
const gates = {
  from: 'tenants' as const,
  ports: [{ protocol: 'TCP' as const, first: 1, last: 9_000 }],
  between: undefined,
};

interface Written {
  readonly key: string;
  readonly tenant: string;
  readonly direction?: string;
  readonly ports?: readonly number[];
  /** Days from now. */
  readonly lasts?: number;
  readonly label?: string;
  readonly terminating?: boolean;
}

function request({
  key,
  tenant,
  direction = 'egress',
  ports = [443],
  lasts = 30,
  ...more
}: Written): GateRequestObject {
  const [namespace = '', name = ''] = key.split('/');
  const expires = new Date(now + lasts * day).toISOString();
  const spec = { tenant, direction, ports: ports.map((port) => ({ port })), expires };
  const value = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest', metadata: { name }, spec };
  return {
    ...{ namespace, name, uid: 'uid', generation: 3, created: '', labelKey: '', status: undefined },
    label: more.label ?? ownerOf(namespace),
    terminating: more.terminating ?? false,
    loaded: parseGateRequest({ value, locate: unlined('gaterequests.bulkhead.dev/a') }),
  };
}

function ownerOf(namespace: string): string | undefined {
  return namespace.startsWith('kube') ? undefined : namespace.split('-')[0];
}

const own: Written = { key: 'acme-web/a', tenant: 'beta' };
const mirror: Written = { key: 'beta-data/a', tenant: 'acme', direction: 'ingress' };

const cases: readonly (readonly [
  reason: string,
  ready: string,
  message: RegExp,
  own: Written,
  others: readonly Written[],
  ports?: string,
])[] = [
  ['Open', 'True', /^what both requests name is open$/, own, [mirror], '443/TCP'],
  ['Open', 'True', /^spec\.ports open 443\/TCP alone/, { ...own, ports: [443, 80] }, [mirror], '443/TCP'],
  ['EndsSoon', 'True', /^spec\.expires is within a week/, { ...own, lasts: 3 }, [mirror], '443/TCP'],
  [
    'HalfOpen',
    'False',
    /^spec\.tenant has no request that mirrors this one.*have members of beta write a GateRequest with tenant: acme and direction: ingress on 443\/TCP$/,
    own,
    [],
  ],
  [
    'Mismatched',
    'False',
    /^spec\.ports open nothing, as the requests that mirror this one name 80\/TCP/,
    own,
    [{ ...mirror, ports: [80] }],
  ],
  ['Expired', 'False', /^spec\.expires has passed/, { ...own, lasts: -1 }, [mirror]],
  ['Expired', 'False', /^spec\.tenant has let every request/, own, [{ ...mirror, lasts: -1 }]],
  ['NotAllowed', 'False', /does not leave these ports/, { ...own, ports: [9_001] }, [mirror]],
  ['OtherTenant', 'False', /its tenant label is not the tenant/, { ...own, label: 'beta' }, [mirror]],
  ['NoTenant', 'False', /belongs to no tenant/, { ...own, key: 'kube-public/a', label: 'acme' }, [mirror]],
  ['Deleted', 'False', /is being deleted/, { ...own, terminating: true }, [mirror]],
  ['Invalid', 'False', /^spec\.ports: lists nothing/, { ...own, ports: [] }, [mirror]],
  ['Invalid', 'False', /is the tenant of the namespace itself/, { ...own, tenant: 'acme' }, [mirror]],
];
for (const [reason, status, message, written, others, ports] of cases) {
  t.test(`${reason}: ${message.source}`, async (t) => {
    const object = request(written);
    const agreement = agree([object, ...others.map(request)], { gates }, ownerOf);
    const { status: seen } = gateRequestStatusOf(object, agreement, written.key, now) ?? {};
    t.match(seen, { observedGeneration: 3, conditions: [{ type: 'Ready', status, reason, message }] });
    t.equal(seen?.ports.join(), ports ?? '');
  });
}

t.test('GAT-07: nothing tells a tenant that does not exist from one without requests', async (t) => {
  const object = request(own);
  const of = (others: readonly Written[]) =>
    gateRequestStatusOf(object, agree([object, ...others.map(request)], { gates }, ownerOf), own.key, now)?.status;
  t.strictSame(
    of([]),
    of([
      { ...mirror, tenant: 'gamma' },
      { ...mirror, key: 'beta-data/b', direction: 'egress' },
    ]),
  );
});

t.test('a status lasts until something ends', async (t) => {
  const lasts = (written: Written, others: readonly Written[]) => {
    const object = request(written);
    const agreement = agree([object, ...others.map(request)], { gates }, ownerOf);
    return (gateRequestStatusOf(object, agreement, written.key, now)?.lasts ?? 0) / day;
  };
  t.equal(lasts(own, [mirror]), 23, 'a week before its own end');
  t.equal(lasts({ ...own, lasts: 3 }, [mirror]), 3);
  t.equal(lasts(own, [{ ...mirror, lasts: 1 }]), 1, 'or until the other one ends');
  t.equal(lasts({ ...own, lasts: -1 }, [{ ...mirror, lasts: -1 }]), Number.POSITIVE_INFINITY);
});

t.test('the gates of both tenants show the requests', async (t) => {
  const names = ['acme', 'beta', 'gamma'];
  const written: readonly Written[] = [own, mirror, { key: 'acme-web/b', tenant: 'gamma', ports: [80] }];
  const agreement = agree(written.map(request), { gates }, ownerOf);
  const tenancy = {
    ...createTenancy({ ...settings([]), gates }, names.map(undeclaredTenant)),
    requests: agreement.requests,
  };
  const seen = (name: string) => gateStatuses(undeclaredTenant(name), tenancy, now);
  t.strictSame(seen('acme'), [
    { tenant: 'beta', direction: 'egress', state: 'Open', ports: ['443/TCP'], request: 'acme-web/a' },
    { tenant: 'gamma', direction: 'egress', state: 'HalfOpen', request: 'acme-web/b' },
  ]);
  t.strictSame(seen('beta'), [
    { tenant: 'acme', direction: 'ingress', state: 'Open', ports: ['443/TCP'], request: 'beta-data/a' },
  ]);
  t.strictSame(seen('gamma'), [{ tenant: 'acme', direction: 'ingress', state: 'Asked' }], 'who is asked sees it');
  const object = { generation: 1, status: undefined };
  t.match(gatesCondition(object, seen('acme'), now), [
    { type: 'GatesOpen', status: 'False', reason: 'HalfOpen', message: 'egress with gamma (acme-web/b) is HalfOpen' },
  ]);
  t.match(gatesCondition(object, seen('beta'), now), [{ status: 'True', reason: 'Open' }]);
  t.strictSame(gatesCondition(object, seen('gamma'), now), [], 'what others ask is no fault of a tenant');
});

t.test('GAT-06: a tenant that is asked by many shows a few', async (t) => {
  const written = Array.from({ length: 500 }, (_, index) => ({ key: `t${index}-web/a`, tenant: 'gamma' }));
  const { requests } = agree(written.map(request), { gates }, ownerOf);
  const tenancy = { ...createTenancy({ ...settings([]), gates }, [undeclaredTenant('gamma')]), requests };
  t.equal(gateStatuses(undeclaredTenant('gamma'), tenancy, now).length, 32);
});
