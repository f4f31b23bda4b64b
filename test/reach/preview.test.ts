/** What an update of a policy opens and closes: exactly what a listing of all flows of a small world says, in few words. */
import fc from 'fast-check';
import t from 'tap';
import { ciliumNetworkPolicy } from '../../src/kinds/cilium-network-policy/cilium-network-policy.ts';
import { istioAuthorizationPolicy } from '../../src/kinds/istio-authorization-policy/istio-authorization-policy.ts';
import type { PolicyKind } from '../../src/kinds/kind.ts';
import { networkPolicy } from '../../src/kinds/network-policy/network-policy.ts';
import { matches } from '../../src/kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../../src/kubernetes/objects.ts';
import { additive, type InForce } from '../../src/reach/in-force.ts';
import { type Box, difference } from '../../src/reach/preview/box.ts';
import { boxesOf, sides } from '../../src/reach/preview/boxes-of-policy.ts';
import { previewOf } from '../../src/reach/preview/preview.ts';
import { label } from './world.ts';

const place = { namespace: 'acme-web', tenantLabel: label, tenant: 'acme' };
const read = (spec: object, kind: PolicyKind = networkPolicy): InForce => {
  const policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web', name: 'x' }, spec }));
  return kind.inForce?.(policy) ?? additive(kind.read(policy), 'any');
};
const preview = (old: object, updated: object, kind?: PolicyKind) =>
  previewOf(read(old, kind), read(updated, kind), place);

const db = { podSelector: { matchLabels: { app: 'db' } } };
const web = { podSelector: { matchLabels: { app: 'web' } } };
const port = (number: number | string, more: object = {}) => ({ port: number, ...more });
const from = (peers: readonly object[], ports?: readonly object[]) => ({ ...db, ingress: [{ from: peers, ports }] });

t.test('in words', async (t) => {
  const rows: readonly (readonly [sentence: string, old: object, updated: object, lines: readonly string[]])[] = [
    ['the same rules in other words', from([web], [port(80), port(81)]), from([web], [port(80, { endPort: 81 })]), []],
    ['a rule is split in two', from([web, db]), { ...db, ingress: [{ from: [db] }, { from: [web] }] }, []],
    [
      'a port more',
      from([web], [port(80)]),
      from([web], [port(80), port(443)]),
      ['opens 443/TCP from pods with app=web of this namespace to pods with app=db'],
    ],
    [
      'a port less, of several',
      from([web], [port(80, { endPort: 90 })]),
      from([web], [port(80)]),
      ['closes 81-90/TCP from pods with app=web of this namespace to pods with app=db'],
    ],
    [
      'a value more',
      from([{ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] } }]),
      from([{ podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] } }]),
      ['opens every port from pods with app=b of this namespace to pods with app=db'],
    ],
    [
      'from the own namespace to all of the tenant',
      from([{ podSelector: {} }]),
      from([{ namespaceSelector: { matchLabels: { [label]: 'acme' } } }]),
      [
        `opens every port from all pods of namespaces with ${label}=acme and ${namespaceNameLabel}!=acme-web to pods with app=db`,
      ],
    ],
    [
      'from everyone to some',
      { ...db, ingress: [{}] },
      from([web], [port(80)]),
      ['closes every port from everyone else to pods with app=db'],
    ],
    ['from everyone to none', { ...db, ingress: [{}] }, db, ['closes every port from everyone to pods with app=db']],
    [
      'addresses',
      { ...db, egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/25' } }] }] },
      { ...db, egress: [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] },
      ['opens every port to 192.0.2.128/25 from pods with app=db'],
    ],
    [
      'other pods are isolated',
      { ...db, policyTypes: ['Ingress'] },
      { ...web, policyTypes: ['Ingress'] },
      ['no longer isolates pods with app=db for ingress', 'isolates pods with app=web for ingress'],
    ],
    [
      'a named port',
      from([web], [port('http')]),
      from([web]),
      ['opens every port from pods with app=web of this namespace to pods with app=db'],
    ],
    [
      'more than three',
      { ...db, ingress: [{ from: [db] }] },
      {
        ...db,
        ingress: ['a', 'b', 'c', 'd', 'e'].map((app) => ({ from: [{ podSelector: { matchLabels: { app } } }] })),
      },
      [
        'opens every port from pods with app=a of this namespace to pods with app=db',
        'opens every port from pods with app=b of this namespace to pods with app=db',
        'and 4 more changes; bulkhead diff shows all of them',
      ],
    ],
  ];
  for (const [sentence, old, updated, lines] of rows) t.strictSame(preview(old, updated), lines, sentence);
});

t.test('other kinds', async (t) => {
  const every = { endpointSelector: {} };
  t.strictSame(
    preview(
      { ...every, ingress: [{}] },
      { ...every, ingress: [{}], ingressDeny: [{ fromEntities: ['world'] }] },
      ciliumNetworkPolicy,
    ),
    ['denies every port from entity world to all pods'],
  );
  t.strictSame(
    preview(
      { rules: [{ from: [{ source: { namespaces: ['acme-web'] } }] }] },
      { rules: [{ from: [{ source: { namespaces: ['acme-db'] } }] }] },
      istioAuthorizationPolicy,
    ),
    [
      'opens all/TCP from what spec.rules[0].from[0].source.namespaces[0] names to all pods',
      'closes all/TCP from what spec.rules[0].from[0].source.namespaces[0] names to all pods',
    ],
  );
});

t.test('what is too large is not compared', async (t) => {
  const large = (letter: string) =>
    from(
      Array.from({ length: 400 }, (_, index) => ({
        podSelector: { matchLabels: { [`${letter}${index % 20}`]: `${index}` } },
      })),
    );
  t.strictSame(preview(large('a'), large('b')), [
    'the update changes more than a warning compares; bulkhead diff shows all of it',
  ]);
});

const selector = fc.record(
  {
    matchLabels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 }),
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({
          key: fc.constantFrom('a', 'b'),
          operator: fc.constantFrom('In', 'NotIn'),
          values: fc.uniqueArray(fc.constantFrom('1', '2', '3'), { minLength: 1, maxLength: 2 }),
        }),
        fc.record({ key: fc.constantFrom('a', 'b'), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);
const ports = fc.option(
  fc.array(
    fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }), fc.constantFrom('TCP', 'UDP'))
      .map(([first, more, protocol]) => ({ port: first, endPort: first + more, protocol })),
    { minLength: 1, maxLength: 2 },
  ),
  { nil: undefined },
);
const peers = fc.array(
  fc.oneof(
    fc.record({ podSelector: selector }),
    fc.record({ namespaceSelector: selector, podSelector: selector }),
    fc.record({ ipBlock: fc.record({ cidr: fc.constantFrom('192.0.2.0/30', '192.0.2.0/31', '192.0.2.1/32') }) }),
  ),
  { maxLength: 3 },
);
const policy = fc.record({
  podSelector: selector,
  policyTypes: fc.constant(['Ingress']),
  ingress: fc.array(fc.record({ from: peers, ports }), { maxLength: 3 }),
});

const labelled = [undefined, '1', '2', '3', '4'].flatMap((a) =>
  [undefined, '1', '3'].map(
    (b) => new Map(Object.entries({ a, b }).flatMap(([key, value]) => (value ? [[key, value]] : []))),
  ),
);
const prefixed = (side: string, labels: ReadonlyMap<string, string>) =>
  [...labels].map(([key, value]) => [`${side}${key}`, value] as const);

/** All flows of a small world that at least one of the boxes has. */
function flowsOf(boxes: readonly Box[]): ReadonlySet<string> {
  const found = new Set<string>();
  const some = boxes.filter(({ frame }) => frame === 'opens ingress ');
  for (const subject of labelled.slice(0, 6))
    for (const pod of labelled.slice(0, 6))
      for (const [kind, where] of labelled
        .slice(0, 6)
        .flatMap((labels) => [['pod', labels] as const])
        .concat([
          [
            'own',
            new Map([
              [namespaceNameLabel, 'acme-web'],
              [label, 'acme'],
            ]),
          ],
        ] as never))
        for (const protocol of ['TCP', 'UDP'] as const)
          for (const number of [1, 3, 5, 7, 9]) {
            const all = new Map([
              ...prefixed(sides.subject, subject),
              ...prefixed(sides.pod, pod),
              ...prefixed(sides.namespace, where),
            ]);
            const isIn = some.some(
              (box) =>
                (box.peer === 'anyone' || box.peer.startsWith('selected')) &&
                matches(box.labels, all) &&
                box.ports.some(
                  (one) => 'first' in one && one.protocol === protocol && one.first <= number && number <= one.last,
                ),
            );
            if (isIn) found.add([kind, ...all, protocol, number].join());
          }
  for (const subject of labelled.slice(0, 6))
    for (const address of [0n, 1n, 2n, 3n]) {
      const at = (192n << 24n) + 512n + address;
      const isIn = some.some(
        (box) =>
          (box.peer === 'anyone' || box.peer === 'blocks') &&
          matches(box.labels, new Map(prefixed(sides.subject, subject))) &&
          (box.addresses?.some(({ first, last }) => first <= at && at <= last) ?? true) &&
          box.ports.some((one) => 'first' in one && one.protocol === 'TCP' && one.first <= 3 && 3 <= one.last),
      );
      if (isIn) found.add(`${[...subject].join()} ${at}`);
    }
  return found;
}

t.test('for random policies it is what listing every flow says', async () => {
  fc.assert(
    fc.property(policy, policy, (old, updated) => {
      const [before, after] = [boxesOf(read(old), place), boxesOf(read(updated), place)];
      const gained = difference(after, before, 10_000, 1_000_000);
      if (gained === undefined) return;
      const [was, is, more] = [flowsOf(before), flowsOf(after), flowsOf(gained)];
      const expected = is.difference(was);
      const wrong = [...more.symmetricDifference(expected)].filter((flow) => {
        // Of everyone, no part is taken away.
        return !(was.has(flow) && gained.some(({ peer }) => peer === 'anyone'));
      });
      if (wrong.length > 0) throw new Error(`${wrong[0]}: ${JSON.stringify(old)} ${JSON.stringify(updated)}`);
    }),
    { numRuns: 200 },
  );
});
