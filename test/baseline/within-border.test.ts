/** What Bulkhead puts in place would pass its own checks: no baseline opens the border of its tenant. */
import fc from 'fast-check';
import t from 'tap';
import { baselineOf } from '../../src/baseline/baseline.ts';
import type { IpRange } from '../../src/kubernetes/ip-range.ts';
import type { LabelSelector } from '../../src/kubernetes/label-selector.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { settings, tenant } from './samples.ts';

const name = fc.constantFrom('dns', 'ingress', 'monitoring', 'within');
const labels = fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('a', 'b'), { maxKeys: 2 });
const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom('app', 'zone'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
  }),
  fc.record({ key: fc.constantFrom('app', 'zone'), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record(
  { matchLabels: labels, matchExpressions: fc.array(requirement, { maxLength: 2 }) },
  { requiredKeys: [] },
);
const ports: fc.Arbitrary<PortRange[]> = fc.array(
  fc
    .tuple(
      fc.constantFrom('TCP', 'UDP', 'SCTP'),
      fc.integer({ min: 1, max: 65535 }),
      fc.integer({ min: 1, max: 65535 }),
    )
    .map(([protocol, one, other]) => ({ protocol, first: Math.min(one, other), last: Math.max(one, other) })),
  { maxLength: 3 },
);
/** One address each: the settings hold blocks only, and this is the simplest. */
const address: fc.Arbitrary<IpRange> = fc.bigInt({ min: 0xa9fe0000n, max: 0xa9feffffn }).map((number) => ({
  family: 4,
  first: number,
  last: number,
}));
const service: fc.Arbitrary<SharedService> = fc.record({
  name,
  direction: fc.constantFrom('ingress', 'egress'),
  namespace: fc.constantFrom('kube-system', 'monitoring'),
  podSelector: selector,
  ports,
  addresses: fc.array(address, { maxLength: 2 }),
});

t.test('the border of the tenant contains every policy of its baseline', async (t) => {
  fc.assert(
    fc.property(
      fc.array(service, { maxLength: 4 }),
      fc.constantFrom('none', 'namespace', 'tenant'),
      (services, within) => {
        const owner = tenant({ within });
        const tenancy = createTenancy(settings(services), [owner, tenant({ name: 'beta' })]);
        const border = { tenant: owner, namespace: 'acme-web', tenancy, now: 0 };
        for (const object of baselineOf('acme-web', owner, tenancy.settings)) {
          if (object.kind !== 'NetworkPolicy') continue;
          const escapes = judgeBorder(readNetworkPolicy(object), border).filter(({ verdict }) => verdict !== 'nothing');
          if (escapes.length > 0) throw new Error(`${object.metadata.name}: ${JSON.stringify(escapes)}`);
        }
      },
    ),
    { numRuns: 500 },
  );
  t.pass('whatever services there are');
});
