/** What an update of a policy opens and closes: exactly what a listing of all flows of a small world says, in few words. */
import fc from 'fast-check';
import t from 'tap';
import { calicoGroups } from '../../src/kinds/calico-groups.ts';
import { calicoNetworkPolicy } from '../../src/kinds/calico-network-policy/calico-network-policy.ts';
import { ciliumNetworkPolicy } from '../../src/kinds/cilium-network-policy/cilium-network-policy.ts';
import type { PolicyKind } from '../../src/kinds/kind.ts';
import { networkPolicy } from '../../src/kinds/network-policy/network-policy.ts';
import { matches } from '../../src/kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../../src/kubernetes/objects.ts';
import type { InForce } from '../../src/reach/in-force.ts';
import { type Box, difference } from '../../src/reach/preview/box.ts';
import { boxesOf, shortener, sides } from '../../src/reach/preview/boxes-of-policy.ts';
import { previewOf } from '../../src/reach/preview/preview.ts';
import { label } from './world.ts';

const place = { namespace: 'acme-web', tenantLabel: label, tenant: 'acme' };
const read = (spec: object, kind: PolicyKind = networkPolicy): InForce => {
  const policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web', name: 'x' }, spec }));
  const read = kind.inForce?.(policy);
  if (read === undefined) throw new Error(`${kind.kind} is not in force`);
  return read;
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
      ['may open every port from pods with app=web of this namespace to pods with app=db'],
    ],
    [
      'a name for a number, which may be the same port',
      from([web], [port('http')]),
      from([web], [port(80)]),
      [
        'may open 80/TCP from pods with app=web of this namespace to pods with app=db',
        'may close http/TCP from pods with app=web of this namespace to pods with app=db',
      ],
    ],
    [
      'rules of a direction without a type, which are not in force',
      { ...db, policyTypes: ['Ingress'] },
      { ...db, policyTypes: ['Ingress'], egress: [{}] },
      [],
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
      { ...every, egress: [{ toFQDNs: [{ matchName: 'a.example.org' }] }] },
      { ...every, egress: [{ toFQDNs: [{ matchPattern: '*.example.org' }] }] },
      ciliumNetworkPolicy,
    ),
    ['may open every port to *.example.org from all pods', 'may close every port to a.example.org from all pods'],
    'one name is among the others',
  );
  const toWeb = { fromEndpoints: [{ matchLabels: { app: 'web' } }] };
  t.strictSame(
    preview(
      { ...every, ingress: [{ fromEndpoints: [{ matchLabels: { app: 'db' } }] }], ingressDeny: [toWeb] },
      { ...every, ingress: [{ fromEndpoints: [{ matchLabels: { app: 'db' } }] }, toWeb], ingressDeny: [toWeb] },
      ciliumNetworkPolicy,
    ),
    [],
    'what the policy itself denies is not opened',
  );
});

t.test('Calico', async (t) => {
  const calico = calicoNetworkPolicy(calicoGroups[0]);
  const rule = (action: string, selector: string) => ({ action, source: { selector } });
  const spec = (ingress: readonly object[], more: object = {}) => ({
    ...{ selector: 'app == "db"', types: ['Ingress'], ingress },
    ...more,
  });
  const [web, cache] = [rule('Allow', 'app == "web"'), rule('Allow', 'app == "cache"')];
  t.strictSame(preview(spec([web, cache]), spec([cache, web]), calico), [], 'rules that all allow');
  t.strictSame(preview(spec([web]), spec([web, cache]), calico), [
    'may open every port from what spec.ingress[1].source names to pods that the policy selects',
  ]);
  const ordered = [
    'the order of the rules or of the policy counts, and a warning does not compare it; bulkhead diff does',
  ];
  const deny = rule('Deny', 'team == "a"');
  t.strictSame(preview(spec([deny, web]), spec([web, deny]), calico), ordered, 'another order');
  t.strictSame(preview(spec([web]), spec([web, rule('Pass', 'all()')]), calico), ordered, 'Pass opens nothing');
  t.strictSame(preview(spec([web], { order: 1 }), spec([web], { order: 2 }), calico), ordered, 'the order of policies');
  const but = (notPorts: readonly number[]) => spec([{ ...web, protocol: 'TCP', destination: { notPorts } }]);
  t.strictSame(preview(but([80]), but([81]), calico), [
    'may open all/TCP but 81/TCP from what spec.ingress[0].source names to pods that the policy selects',
    'may close all/TCP but 80/TCP from what spec.ingress[0].source names to pods that the policy selects',
  ]);
});

t.test('what is not understood is not compared', async (t) => {
  const wrong = { podSelector: { matchExpressions: [{ key: 'app', operator: 'Like', values: ['a'] }] } };
  const line = ['a part of the policy is not understood, so what the update opens and closes is not compared'];
  t.strictSame(preview(from([web]), from([wrong])), line, 'it would seem to close what it opens');
  t.strictSame(preview(from([wrong]), from([web])), line);
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
  const ports = (odd: number) => ({
    ...db,
    ingress: Array.from({ length: 40 }, (_, index) => ({
      from: [{ podSelector: { matchLabels: { app: 'web' } } }],
      ports: Array.from({ length: 25 }, (_, at) => port(1 + odd + 2 * (at + index * 25))),
    })),
  });
  t.match(preview(ports(0), ports(1)), [/changes more/], 'few rules, whose comparison would take seconds');
  const many = (first: number) =>
    from(Array.from({ length: 190 }, (_, index) => ({ podSelector: { matchLabels: { app: `${first + index}` } } })));
  t.strictSame(
    preview(many(0), many(1)),
    [
      'opens every port from pods with app=190 of this namespace to pods with app=db',
      'closes every port from pods with app=0 of this namespace to pods with app=db',
    ],
    'a small change of a large policy is',
  );
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
      const shorten = shortener();
      const [before, after] = [boxesOf(read(old), place, shorten), boxesOf(read(updated), place, shorten)];
      const gained = difference(after, before, { parts: 10_000, steps: 1_000_000 });
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
