import t from 'tap';
import { formatPath } from '../../src/kubernetes/field-path.ts';
import { formatRange } from '../../src/kubernetes/ip-range.ts';
import type { Selector } from '../../src/kubernetes/label-selector.ts';
import type { NetworkPolicy } from '../../src/kubernetes/objects.ts';
import { formatPort } from '../../src/kubernetes/port-range.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import type { Diagnostic } from '../../src/reach/model.ts';
import { type Part, partsOf } from './parts.ts';

/** One line for each part of what a spec comes to. */
function read(spec: unknown): string[] {
  const policy: NetworkPolicy = JSON.parse(JSON.stringify({ spec }));
  return partsOf(readNetworkPolicy(policy)).map(line);
}

function line(part: Part): string {
  const path = formatPath(part.path);
  if ('verdict' in part) return `${part.verdict} ${part.direction} ${part.kind} ${path}: ${part.reason}`;
  const ports = part.ports.map(formatPort).join();
  return `${part.direction} ${path}: ${describe(part)} on ${ports === 'all/TCP,all/UDP,all/SCTP' ? 'every port' : ports}`;
}

function describe({ peer }: Exclude<Part, Diagnostic>): string {
  if (peer.kind === 'any') return 'anybody';
  if (peer.kind === 'entity' || peer.kind === 'name' || peer.kind === 'expression' || peer.kind === 'identity')
    return peer.kind;
  if (peer.kind === 'ipBlock') return peer.addresses.map(formatRange).join();
  const labels = (selector: Selector) => [...selector.keys()].join() || 'all';
  return `pods ${labels(peer.pods)} of ${peer.namespaces === undefined ? 'the own namespace' : `namespaces ${labels(peer.namespaces)}`}`;
}

const anything = { podSelector: {} };
const everywhere = { namespaceSelector: {} };
const app = { matchLabels: { app: 'web' } };

t.test('a rule is about the pods that the policy selects, in its own namespace', (t) => {
  const subjectOf = (podSelector: unknown) => {
    return readNetworkPolicy(JSON.parse(JSON.stringify({ spec: { podSelector, ingress: [{}] } }))).rules[0]?.subject;
  };
  const labels = { matchLabels: { app: 'web' } };
  const expressions = { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] };
  for (const podSelector of [labels, expressions]) {
    const subject = subjectOf(podSelector);
    t.equal(subject?.namespaces, undefined);
    t.strictSame([...(subject?.pods.get('app')?.values ?? [])], ['web']);
    t.equal(subject && formatPath(subject.path), 'spec.podSelector');
  }
  for (const podSelector of [undefined, null, {}, { matchLabels: null }]) {
    t.equal(subjectOf(podSelector)?.pods.size, 0, `${JSON.stringify(podSelector)} is every pod`);
  }
  t.end();
});

t.test('a policy opens what the API says it opens', (t) => {
  const table: readonly [string, unknown, string[]][] = [
    ['no spec opens nothing', null, []],
    ['an empty spec opens nothing', {}, []],
    ['an empty list of rules closes the direction', { ingress: [], policyTypes: ['Ingress'] }, []],
    ['null lists are missing lists', { ingress: null, egress: null, policyTypes: null }, []],
    [
      'who can be nobody opens nothing, and what is wrong is wrong all the same',
      {
        podSelector: {
          matchLabels: { app: 'a' },
          matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }],
        },
        ingress: [{}, { from: [{}] }, { from: [everywhere] }],
      },
      [
        'nothing ingress any spec.podSelector: selects no pod, as no value of the label app meets all its requirements',
        'invalid ingress selector spec.ingress[1].from[0]: names no podSelector, namespaceSelector or ipBlock',
      ],
    ],
    [
      'a podSelector that is not understood',
      { podSelector: { matchNames: {} }, ingress: [{}] },
      [
        'invalid ingress any spec.podSelector: "matchNames" is not a field of a label selector',
        'ingress spec.ingress[0]: anybody on every port',
      ],
    ],
    ['an empty rule is everybody', { ingress: [{}] }, ['ingress spec.ingress[0]: anybody on every port']],
    ['from: [] is everybody', { ingress: [{ from: [] }] }, ['ingress spec.ingress[0]: anybody on every port']],
    ['from: null is everybody', { ingress: [{ from: null }] }, ['ingress spec.ingress[0]: anybody on every port']],
    [
      'only ports is everybody on them',
      { ingress: [{ ports: [{ port: 80 }] }] },
      ['ingress spec.ingress[0]: anybody on 80/TCP'],
    ],
    [
      'ports: [] is every port',
      { ingress: [{ from: [anything], ports: [] }] },
      ['ingress spec.ingress[0].from[0].podSelector: pods all of the own namespace on every port'],
    ],
    [
      'a port {} is all of TCP',
      { ingress: [{ from: [anything], ports: [{}] }] },
      ['ingress spec.ingress[0].from[0].podSelector: pods all of the own namespace on all/TCP'],
    ],
    [
      'ports keep their names',
      {
        egress: [
          {
            to: [anything],
            ports: [
              { port: 'dns', protocol: 'UDP' },
              { port: 1, endPort: 9 },
            ],
          },
        ],
      },
      ['egress spec.egress[0].to[0].podSelector: pods all of the own namespace on dns/UDP,1-9/TCP'],
    ],
    [
      'podSelector is the own namespace',
      { ingress: [{ from: [{ podSelector: app, namespaceSelector: null }] }] },
      ['ingress spec.ingress[0].from[0].podSelector: pods app of the own namespace on every port'],
    ],
    [
      'namespaceSelector is all its pods',
      { ingress: [{ from: [{ namespaceSelector: app, podSelector: null }] }] },
      ['ingress spec.ingress[0].from[0].namespaceSelector: pods all of namespaces app on every port'],
    ],
    [
      'both together are one peer',
      { ingress: [{ from: [{ namespaceSelector: {}, podSelector: app }] }] },
      ['ingress spec.ingress[0].from[0].namespaceSelector: pods app of namespaces all on every port'],
    ],
    [
      'two items are two peers',
      { ingress: [{ from: [everywhere, { podSelector: app }] }] },
      [
        'ingress spec.ingress[0].from[0].namespaceSelector: pods all of namespaces all on every port',
        'ingress spec.ingress[0].from[1].podSelector: pods app of the own namespace on every port',
      ],
    ],
    ['egress rules without policyTypes count', { egress: [{}] }, ['egress spec.egress[0]: anybody on every port']],
    [
      'so do ingress rules beside them',
      { egress: [{}], ingress: [{}] },
      ['ingress spec.ingress[0]: anybody on every port', 'egress spec.egress[0]: anybody on every port'],
    ],
    [
      'policyTypes: [] is no policyTypes',
      { egress: [{}], policyTypes: [] },
      ['egress spec.egress[0]: anybody on every port'],
    ],
    [
      'Ingress twice is Ingress',
      { ingress: [{}], policyTypes: ['Ingress', 'Ingress'] },
      ['ingress spec.ingress[0]: anybody on every port'],
    ],
    [
      'an ipBlock without its excepts',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/9', '10.128.0.0/10'] } }] }] },
      ['ingress spec.ingress[0].from[0].ipBlock: 10.192.0.0/10 on every port'],
    ],
    [
      'except: null excepts nothing',
      { ingress: [{ from: [{ ipBlock: { cidr: '::/0', except: null } }] }] },
      ['ingress spec.ingress[0].from[0].ipBlock: ::/0 on every port'],
    ],
  ];
  for (const [sentence, spec, expected] of table) t.same(read(spec), expected, sentence);
  t.end();
});

t.test('text that can never match is told', (t) => {
  const dead = (direction: string, type: string) =>
    `nothing ${direction} any spec.${direction}: is ignored by the API: policyTypes lacks ${type}; Cilium, OVN-Kubernetes, Antrea, AWS apply it`;
  const contradiction = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] };
  const why = 'matches nothing, as no value of the label app meets all its requirements';
  const table: readonly [string, unknown, string[]][] = [
    [
      'ingress rules of an egress policy, which some network plugins enforce',
      { policyTypes: ['Egress'], ingress: [{}] },
      [dead('ingress', 'Ingress'), 'ingress spec.ingress[0]: anybody on every port'],
    ],
    [
      'egress rules of an ingress policy',
      { policyTypes: ['Ingress'], egress: [{}] },
      [dead('egress', 'Egress'), 'egress spec.egress[0]: anybody on every port'],
    ],
    ['egress: [] does not make it an egress policy', { egress: [] }, [dead('egress', 'Egress')]],
    [
      'a podSelector that contradicts itself',
      { ingress: [{ from: [{ namespaceSelector: {}, podSelector: contradiction }] }] },
      [`nothing ingress selector spec.ingress[0].from[0].podSelector: ${why}`],
    ],
    [
      'so does a namespaceSelector',
      { egress: [{ to: [{ namespaceSelector: contradiction }] }] },
      [`nothing egress selector spec.egress[0].to[0].namespaceSelector: ${why}`],
    ],
    [
      'except takes everything away',
      { ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['128.0.0.0/1', '0.0.0.0/1'] } }] }] },
      ['nothing ingress ipBlock spec.ingress[0].from[0].ipBlock: matches nothing, as except leaves no address of cidr'],
    ],
  ];
  for (const [sentence, spec, expected] of table) t.same(read(spec), expected, sentence);
  t.end();
});

t.test('what the API does not say is invalid, at its field', (t) => {
  const from = (...peers: unknown[]) => ({ ingress: [{ from: peers }] });
  const to = (...peers: unknown[]) => ({ egress: [{ to: peers }] });
  const block = (ipBlock: unknown) => to({ ipBlock });
  const peer = 'spec.ingress[0].from[0]';
  const cidr = 'egress ipBlock spec.egress[0].to[0].ipBlock';
  const table: readonly [unknown, string][] = [
    ['open', 'ingress any spec: "open" is not a policy'],
    [[], 'ingress any spec: a list is not a policy'],
    [{ ingres: [{}] }, 'ingress any spec: "ingres" is not a field of a NetworkPolicy that is understood'],
    [
      JSON.parse('{"__proto__":{"ingress":[{}]}}'),
      'ingress any spec: "__proto__" is not a field of a NetworkPolicy that is understood',
    ],
    [{ ingress: {} }, 'ingress any spec.ingress: a map is not a list of rules'],
    [{ egress: 'all' }, 'egress any spec.egress: "all" is not a list of rules'],
    [{ policyTypes: 'Ingress' }, 'ingress any spec.policyTypes: "Ingress" is not a list'],
    [{ policyTypes: {} }, 'ingress any spec.policyTypes: a map is not a direction of a policy'],
    [{ policyTypes: ['ingress'] }, 'ingress any spec.policyTypes: "ingress" is not a direction of a policy'],
    [{ ingress: [null] }, 'ingress any spec.ingress[0]: null is not a rule'],
    [{ ingress: [[]] }, 'ingress any spec.ingress[0]: a list is not a rule'],
    [{ ingress: [{ to: [] }] }, 'ingress any spec.ingress[0]: "to" is not a field of an ingress rule'],
    [{ egress: [{ from: [] }] }, 'egress any spec.egress[0]: "from" is not a field of an egress rule'],
    [{ ingress: [{ from: {} }] }, 'ingress any spec.ingress[0].from: a map is not a list of peers'],
    [from(null), `ingress selector ${peer}: null is not a peer`],
    [from('acme'), `ingress selector ${peer}: "acme" is not a peer`],
    [from({}), `ingress selector ${peer}: names no podSelector, namespaceSelector or ipBlock`],
    [
      from({ podSelector: null, namespaceSelector: null, ipBlock: null }),
      `ingress selector ${peer}: names no podSelector, namespaceSelector or ipBlock`,
    ],
    [
      from({ podSelector: {}, serviceSelector: {} }),
      `ingress selector ${peer}: "serviceSelector" is not a field of a peer that is understood`,
    ],
    [from({ podSelector: 'app=web' }), `ingress selector ${peer}.podSelector: "app=web" is not a label selector`],
    [
      from({ podSelector: { matchLabels: { app: 1 } } }),
      `ingress selector ${peer}.podSelector.matchLabels: 1 is not a value of the label app, which is text`,
    ],
    [
      from({ namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] } }),
      `ingress selector ${peer}.namespaceSelector.matchExpressions[0].operator: "Gt" is not an operator of a label selector`,
    ],
    [
      from({
        podSelector: {
          matchExpressions: [
            { key: 'a', operator: 'Exists' },
            { key: 'a', operator: 'DoesNotExist' },
          ],
        },
        namespaceSelector: 7,
      }),
      `ingress selector ${peer}.namespaceSelector: 7 is not a label selector`,
    ],
    [
      to({ ipBlock: { cidr: '0.0.0.0/0' }, podSelector: {} }),
      'egress ipBlock spec.egress[0].to[0]: has an ipBlock beside a selector, and the two exclude each other',
    ],
    [
      to({ ipBlock: { cidr: '0.0.0.0/0' }, ports: [] }),
      'egress ipBlock spec.egress[0].to[0]: "ports" is not a field of a peer that is understood',
    ],
    [block('0.0.0.0/0'), `${cidr}: "0.0.0.0/0" is not an ipBlock`],
    [block({}), `${cidr}.cidr: undefined is not an IP range`],
    [block({ cidr: 10 }), `${cidr}.cidr: 10 is not an IP range`],
    [
      block({ cidr: '10.0.0.5/8' }),
      `${cidr}.cidr: "10.0.0.5/8" has bits set after its prefix, so readers disagree on whether it is an address or a range`,
    ],
    [block({ cidr: '10.0.0.0/8', excepts: [] }), `${cidr}: "excepts" is not a field of an ipBlock that is understood`],
    [block({ cidr: '10.0.0.0/8', except: '10.0.0.0/9' }), `${cidr}.except: "10.0.0.0/9" is not a list of ranges`],
    [block({ cidr: '10.0.0.0/8', except: [null] }), `${cidr}.except[0]: null is not an IP range`],
    [
      block({ cidr: '10.0.0.0/8', except: ['10.0.0.0/9', '010.1.0.0/16'] }),
      `${cidr}.except[1]: "010.1.0.0/16" has leading zeros, which some programs read as octal`,
    ],
    [
      block({ cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] }),
      `${cidr}.except[0]: "10.0.0.0/8" is not a part of "10.0.0.0/8" smaller than the whole`,
    ],
    [
      block({ cidr: '10.0.0.0/8', except: ['0.0.0.0/0'] }),
      `${cidr}.except[0]: "0.0.0.0/0" is not a part of "10.0.0.0/8" smaller than the whole`,
    ],
    [
      block({ cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] }),
      `${cidr}.except[0]: "11.0.0.0/16" is not a part of "10.0.0.0/8" smaller than the whole`,
    ],
    [
      block({ cidr: '10.0.0.0/8', except: ['2001:db8::/64'] }),
      `${cidr}.except[0]: "2001:db8::/64" is not a part of "10.0.0.0/8" smaller than the whole`,
    ],
  ];
  for (const [spec, expected] of table) t.same(read(spec), [`invalid ${expected}`], expected);
  t.end();
});

t.test('ports that are not understood count as every port', (t) => {
  for (const [ports, where] of [
    ['80', 'ports: "80" is not a list of ports'],
    [[null], 'ports[0]: null is not a port'],
    [
      [{ port: 443 }, { port: 'https', endPort: 444 }],
      'ports[1].endPort: endPort is the end of a range and needs a numeric port as its beginning',
    ],
  ]) {
    t.same(read({ ingress: [{ from: [anything], ports }] }), [
      `invalid ingress any spec.ingress[0].${where}`,
      'ingress spec.ingress[0].from[0].podSelector: pods all of the own namespace on every port',
    ]);
  }
  t.end();
});

t.test('policyTypes that are not understood leave no rule unread', (t) => {
  t.same(read({ policyTypes: ['Egress', 'Both'], ingress: [{}] }), [
    'invalid ingress any spec.policyTypes: "Both" is not a direction of a policy',
    'ingress spec.ingress[0]: anybody on every port',
  ]);
  t.end();
});

t.test('what is beyond the limits is not proven, and what is within them is read', (t) => {
  const list = <Item>(count: number, item: (at: number) => Item) => Array.from({ length: count }, (_, at) => item(at));
  const rule = { from: [anything] };
  const values = (count: number) => ({
    podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: list(count, (at) => `v${at}`) }] },
  });
  const holes = (count: number) => ({
    ipBlock: { cidr: '10.0.0.0/8', except: list(count, (at) => `10.${at >> 8}.${at & 255}.0/24`) },
  });
  const table: readonly [string, unknown, number, RegExp | undefined][] = [
    ['200 rules', { ingress: list(200, () => rule) }, 200, undefined],
    [
      '201 rules',
      { ingress: list(201, () => rule) },
      1,
      /^unproven ingress any spec\.ingress: goes beyond the 200 rules/,
    ],
    [
      '200 rules in both directions',
      { ingress: list(100, () => rule), egress: list(101, () => ({})) },
      101,
      /^unproven egress any spec\.egress: goes beyond the 200 rules/,
    ],
    ['1000 peers', { ingress: [{ from: list(1000, () => anything) }] }, 1000, undefined],
    [
      '1001 peers',
      { ingress: list(2, (at) => ({ from: list(500 + at, () => anything) })) },
      501,
      /^unproven ingress any spec\.ingress\[1\]\.from: goes beyond the 1000 peers/,
    ],
    [
      '1001 ports',
      { ingress: [{ from: [anything], ports: list(1001, () => ({ port: 80 })) }] },
      2,
      /^unproven ingress any spec\.ingress\[0\]\.ports: goes beyond the 1000 ports/,
    ],
    ['5000 excepts', { egress: [{ to: [holes(2500), holes(2500)] }] }, 2, undefined],
    [
      '5001 excepts',
      { egress: [{ to: [holes(2501), holes(2500), anything] }] },
      3,
      /^unproven egress ipBlock spec\.egress\[0\]\.to\[1\]: goes beyond the 5000 excepts/,
    ],
    ['100 values', { ingress: [{ from: [{ namespaceSelector: {}, ...values(100) }] }] }, 1, undefined],
    ['1000 values for pods of the own namespace', { ingress: [{ from: [values(1000)] }] }, 1, undefined],
    [
      '101 values',
      { ingress: [{ from: [{ namespaceSelector: {}, ...values(101) }] }] },
      1,
      /^unproven ingress selector spec\.ingress\[0\]\.from\[0\]\.podSelector: lists 101 values of the label app, and only 100 are examined/,
    ],
  ];
  for (const [sentence, spec, count, unproven] of table) {
    const lines = read(spec);
    t.equal(lines.length, count, sentence);
    const diagnostics = lines.filter((text) => text.startsWith('unproven'));
    if (unproven === undefined) t.same(diagnostics, [], `${sentence}: all examined`);
    else t.match(diagnostics, [unproven], `${sentence}: not all examined`);
  }
  t.end();
});

t.test('on Cilium, a cluster that is named in a podSelector is another one', (t) => {
  const key = 'io.cilium.k8s.policy.cluster';
  const table: readonly [unknown, string][] = [
    [{ matchLabels: { [key]: 'other' } }, 'escapes with a pod of the cluster other in the same mesh'],
    [{ matchExpressions: [{ key, operator: 'Exists' }] }, 'escapes with a pod of the cluster any in the same mesh'],
    [{ matchExpressions: [{ key, operator: 'NotIn', values: ['other'] }] }, 'unproven with undefined'],
    [{ matchExpressions: [{ key, operator: 'DoesNotExist' }] }, 'unproven with undefined'],
    [{ matchLabels: { [key]: '' } }, 'unproven with undefined'],
    [{ matchLabels: { [key]: 'other', 'io.kubernetes.pod.namespace': 'web' } }, 'unproven with undefined'],
  ];
  const other = { matchLabels: { [key]: 'other' } };
  const name = 'kubernetes.io/metadata.name';
  // In another cluster too, no namespace contradicts itself or lacks its name.
  const nowhere = [
    { matchLabels: { env: 'x' }, matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['x'] }] },
    { matchExpressions: [{ key: name, operator: 'DoesNotExist' }] },
    { matchLabels: { [name]: 'Not_a_name' } },
  ];
  const peers: readonly [unknown, string][] = [
    ...table.map(([podSelector, expected]): [unknown, string] => [{ podSelector }, expected]),
    [{ podSelector: other, namespaceSelector: { matchLabels: { [name]: 'web' } } }, table[0]?.[1] ?? ''],
    ...nowhere.map((namespaceSelector): [unknown, string] => [
      { podSelector: other, namespaceSelector },
      'unproven with undefined',
    ]),
  ];
  for (const [peer, expected] of peers) {
    const { diagnostics } = readNetworkPolicy(JSON.parse(JSON.stringify({ spec: { ingress: [{ from: [peer] }] } })));
    const [part] = diagnostics;
    if (part === undefined) t.fail(`${JSON.stringify(peer)} is taken for a peer`);
    else t.equal(`${part.verdict} with ${part.witness}`, expected, JSON.stringify(peer));
  }
  t.end();
});

t.test('keys that Cilium does not take for labels of the pod are not proven', (t) => {
  const keys = [
    'io.cilium.k8s.namespace.labels.bulkhead.dev/tenant',
    'io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name',
    'io.kubernetes.pod.namespace',
  ];
  for (const key of keys) {
    const pinned = { namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } };
    t.same(
      read({ ingress: [{ from: [{ ...pinned, podSelector: { matchLabels: { [key]: 'other' } } }] }] }),
      [
        `unproven ingress selector spec.ingress[0].from[0].podSelector: names "${key}", with which Cilium selects pods of other namespaces and clusters`,
      ],
      key,
    );
  }
  t.end();
});

t.test('a key of Cilium counts also where it excludes only values that no label can have', (t) => {
  // Cilium looks at the key alone, and then selects pods of every cluster in the mesh.
  const matchExpressions = [{ key: 'io.cilium.k8s.policy.cluster', operator: 'NotIn', values: ['x_'] }];
  const spec = { ingress: [{ from: [{ podSelector: { matchExpressions } }] }] };
  const [part, ...more] = partsOf(readNetworkPolicy(JSON.parse(JSON.stringify({ spec }))));
  t.match(part, { verdict: /^(?:unproven|invalid)$/ });
  t.same(more, []);
  t.end();
});

t.test('what Cilium replaces may take a contradiction with it', (t) => {
  const key = 'io.kubernetes.pod.namespace';
  const torn = { matchLabels: { [key]: 'x' }, matchExpressions: [{ key, operator: 'NotIn', values: ['x'] }] };
  t.same(
    read({ podSelector: torn, ingress: [{}], egress: [{}] }),
    ['ingress spec.ingress[0]: anybody on every port', 'egress spec.egress[0]: anybody on every port'],
    'of the pods that a policy is about',
  );
  const tenant = 'bulkhead.dev/tenant';
  const dead = {
    matchLabels: { [tenant]: 'x' },
    matchExpressions: [{ key: tenant, operator: 'NotIn', values: ['x'] }],
  };
  const revived = { matchLabels: { [`io.cilium.k8s.namespace.labels.${tenant}`]: 'beta' } };
  for (const from of [{ podSelector: torn }, { podSelector: revived, namespaceSelector: dead }]) {
    const said = read({ ingress: [{ from: [from] }] });
    t.match(said, [
      /^unproven ingress selector spec\.ingress\[0\]\.from\[0\]\.podSelector: .* with which Cilium selects pods/,
    ]);
  }
  t.end();
});
