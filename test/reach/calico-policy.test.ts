/** NetworkPolicies of Calico: which are contained, which are not, and why. Most are worked cases of what was read in Calico's own code. */
import t from 'tap';
import { calicoGroups } from '../../src/kinds/calico-groups.ts';
import { calicoNetworkPolicy } from '../../src/kinds/calico-network-policy/calico-network-policy.ts';
import { calicoNetworkSet } from '../../src/kinds/calico-network-set/calico-network-set.ts';
import type { PolicyVerdict } from '../../src/kinds/kind.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/violation.ts';
import { border } from './world.ts';

const kind = calicoNetworkPolicy(calicoGroups[0]);

function judge(spec: unknown, of: Border = border): readonly PolicyVerdict[] {
  const policy = { spec, metadata: { name: 'asked', namespace: of.namespace } };
  return kind.worded(judgeBorder(kind.read(JSON.parse(JSON.stringify(policy))), of), of);
}

const told = (verdicts: readonly PolicyVerdict[]) =>
  verdicts.map(({ verdict, path, reason }) => `${verdict} ${path}: ${reason}`);

/** A rule with this source, let in; and the same as a destination, let out. */
const ingress = (source: unknown, more: object = {}) => ({ ingress: [{ action: 'Allow', source, ...more }] });
const egress = (destination: unknown, more: object = {}) => ({ egress: [{ action: 'Allow', destination, ...more }] });

const tenant = 'bulkhead.dev/tenant';
const own = `${tenant} == "acme"`;

/** Alone in a rule, in both directions. Undefined: contained. */
const entities: readonly {
  readonly says: string;
  readonly entity: unknown;
  readonly verdict?: string;
  readonly reason?: RegExp;
}[] = [
  { says: 'X01 any selector is of the own namespace', entity: { selector: 'all()' } },
  { says: 'X02 ports alone are of everybody', entity: { ports: [80] }, verdict: 'escapes', reason: /lists no peers/ },
  { says: 'an empty entity is everybody', entity: {}, verdict: 'escapes' },
  { says: 'an empty selector says nothing', entity: { selector: '' }, verdict: 'escapes' },
  { says: 'an empty serviceAccounts is everybody', entity: { serviceAccounts: {} }, verdict: 'escapes' },
  { says: 'a name of a service account is of the own namespace', entity: { serviceAccounts: { names: ['web'] } } },
  { says: 'a selector of service accounts too', entity: { serviceAccounts: { selector: 'team == "a"' } } },
  {
    says: 'in all namespaces it proves nothing',
    entity: { serviceAccounts: { names: ['web'] }, namespaceSelector: 'all()' },
    verdict: 'escapes',
  },
  {
    says: 'a name that is more than a name',
    entity: { serviceAccounts: { names: ["a' } || all() || x in {'b"] } },
    verdict: 'invalid',
  },
  {
    says: 'X04 global() is what is in no namespace',
    entity: { namespaceSelector: 'global()' },
    verdict: 'escapes',
    reason: /in no namespace/,
  },
  { says: 'X05 the own tenant', entity: { namespaceSelector: own } },
  {
    says: 'X07 the own tenant is left of two',
    entity: { namespaceSelector: `${tenant} in {"acme","beta"} && ${tenant} != "beta"` },
  },
  { says: 'X08 negated twice', entity: { namespaceSelector: `!(${tenant} != "acme")` } },
  {
    says: 'X10 tenants but one',
    entity: { namespaceSelector: `has(${tenant}) && ${tenant} != "beta"` },
    verdict: 'escapes',
  },
  {
    says: 'X11 tenants by the beginning of their name',
    entity: { namespaceSelector: `${tenant} starts with "acme"` },
    verdict: 'escapes',
  },
  { says: 'X13 one of none', entity: { namespaceSelector: `${tenant} in {}` }, verdict: 'nothing' },
  { says: 'X14 all but none', entity: { namespaceSelector: `${tenant} not in {}` }, verdict: 'escapes' },
  {
    says: 'X16 && binds before ||',
    entity: { namespaceSelector: `has(shared) || has(x) && ${own}` },
    verdict: 'escapes',
  },
  { says: 'X17 with parentheses', entity: { namespaceSelector: `(has(shared) || has(x)) && ${own}` } },
  {
    says: 'X19 !all() is global()',
    entity: { namespaceSelector: '!all()' },
    verdict: 'escapes',
    reason: /in no namespace/,
  },
  {
    says: 'X20 another namespace beside the own',
    entity: { selector: 'projectcalico.org/namespace == "beta-dev"' },
    verdict: 'nothing',
  },
  { says: 'X22 all but some of the own namespace', entity: { notSelector: 'app == "x"' } },
  { says: 'X23 global() with more', entity: { namespaceSelector: 'global() && all()' }, verdict: 'invalid' },
  { says: 'global() of endpoints', entity: { selector: 'global()' }, verdict: 'invalid' },
  {
    says: 'X25 a line break',
    entity: { namespaceSelector: `${own}\n&& has(x)` },
    verdict: 'invalid',
    reason: /line break/,
  },
  {
    says: 'a line break that newer versions cannot read, so that nothing is left of the selector',
    entity: { namespaceSelector: `has(\n${tenant}) && ${own}` },
    verdict: 'invalid',
  },
  { says: 'the same in an operator', entity: { namespaceSelector: `${own} && a not\nin {"b"}` }, verdict: 'invalid' },
  { says: 'X26 notin in one word', entity: { namespaceSelector: `${tenant} notin{"beta"}` }, verdict: 'escapes' },
  { says: 'X28 two branches', entity: { namespaceSelector: `${own} || ${own} && has(y)` } },
  {
    says: 'a selector that closes the parentheses of another',
    entity: { selector: 'has(a)) || (has(b)' },
    verdict: 'invalid',
  },
  { says: 'all namespaces', entity: { namespaceSelector: 'all()' }, verdict: 'escapes' },
  { says: 'blanks are all()', entity: { namespaceSelector: ' ' }, verdict: 'escapes' },
  { says: 'a label of the namespace in the selector', entity: { namespaceSelector: 'all()', selector: `pcns.${own}` } },
  {
    says: 'a label of a pod with the name of the tenant label',
    entity: { namespaceSelector: 'all()', selector: own },
    verdict: 'escapes',
  },
  {
    says: 'not every tenant but the own',
    entity: { namespaceSelector: 'all()', notSelector: `pcns.${tenant} != "acme"` },
  },
  { says: 'the own namespace by its name', entity: { namespaceSelector: 'projectcalico.org/name == "acme-web"' } },
  {
    says: 'a namespace of the platform by its name',
    entity: { namespaceSelector: 'projectcalico.org/name == "kube-public"' },
    verdict: 'escapes',
  },
  {
    says: 'a name that anybody can take',
    entity: { namespaceSelector: 'kubernetes.io/metadata.name == "free"' },
    verdict: 'conditional',
  },
  {
    says: 'names by their beginning',
    entity: { namespaceSelector: 'projectcalico.org/name starts with "acme-"' },
    verdict: 'unproven',
  },
  {
    says: 'a wrong label in the namespace',
    entity: { namespaceSelector: `has(${'k'.repeat(400)})` },
    verdict: 'invalid',
  },
  {
    says: 'X31 a Service of another namespace',
    entity: { services: { name: 'db', namespace: 'beta-dev' } },
    verdict: 'escapes',
    reason: /not the policy's own/,
  },
  { says: 'a Service of the own namespace', entity: { services: { name: 'db' } }, verdict: 'unproven' },
  { says: 'nets of the cluster', entity: { nets: ['10.244.0.0/16'] }, verdict: 'escapes' },
  { says: 'nets that Calico could not read', entity: { nets: ['010.0.0.0/8'] }, verdict: 'invalid' },
  { says: 'nets joined with a selector of the own namespace', entity: { nets: ['10.244.0.0/16'], selector: 'all()' } },
  {
    says: 'nets joined with a selector of everybody',
    entity: { nets: ['10.244.0.0/16'], namespaceSelector: 'all()' },
    verdict: 'unproven',
  },
  { says: 'all addresses but some', entity: { notNets: ['10.0.0.0/8'] }, verdict: 'escapes' },
  { says: 'no address is left', entity: { nets: ['10.1.0.0/16'], notNets: ['10.0.0.0/8'] }, verdict: 'nothing' },
  { says: 'a field that is not known', entity: { selector: 'all()', domains: ['example.org'] }, verdict: 'invalid' },
  {
    says: 'a text of more than 1,024 characters',
    entity: { selector: `has(a) || ${' '.repeat(1024)} has(b)` },
    verdict: 'unproven',
  },
];

for (const { says, entity, verdict, reason } of entities) {
  t.test(says, async (t) => {
    for (const spec of [ingress(entity), egress(entity)]) {
      const verdicts = judge(spec);
      t.strictSame(
        verdicts.map((one) => one.verdict),
        verdict === undefined ? [] : [verdict],
        told(verdicts).join('\n'),
      );
      if (reason !== undefined) t.match(verdicts[0]?.reason, reason);
      if (verdict === 'escapes') t.ok(verdicts[0]?.witness, 'with a witness');
      if (verdict !== undefined) t.ok(verdicts[0]?.fix !== '', 'with a fix');
    }
  });
}

const inside = { selector: 'all()' };

/** Whole specifications. */
const specs: readonly { readonly says: string; readonly spec: unknown; readonly told: readonly RegExp[] }[] = [
  { says: 'no specification', spec: undefined, told: [] },
  {
    says: 'X32 Pass lets through',
    spec: { ingress: [{ action: 'Pass' }] },
    told: [/^escapes spec.ingress\[0\]: lists no peers/],
  },
  {
    says: 'Deny and Log open nothing',
    spec: { ingress: [{ action: 'Deny' }, { action: 'Log' }], egress: [{ action: 'Deny' }] },
    told: [],
  },
  {
    says: 'an earlier Deny takes nothing away',
    spec: { ingress: [{ action: 'Deny' }, { action: 'Allow' }] },
    told: [/^escapes spec.ingress\[1\]/],
  },
  { says: 'no action', spec: { ingress: [{ source: inside }] }, told: [/^invalid spec.ingress\[0\].action/] },
  {
    says: 'an action in small letters',
    spec: { ingress: [{ action: 'allow', source: inside }] },
    told: [/^invalid spec.ingress\[0\].action/],
  },
  {
    says: 'X35 HTTP of a rule that denies',
    spec: { ingress: [{ action: 'Deny', http: { methods: ['GET'] } }] },
    told: [/^invalid spec.ingress\[0\].http/],
  },
  {
    says: 'HTTP proves nothing',
    spec: ingress({}, { protocol: 'TCP', http: { methods: ['GET'] } }),
    told: [/^escapes/],
  },
  {
    says: 'the local side narrows nothing',
    spec: { ingress: [{ action: 'Allow', destination: inside }] },
    told: [/^escapes/],
  },
  {
    says: 'the local side must be understood',
    spec: { ingress: [{ action: 'Allow', source: inside, destination: { selector: 'a=' } }] },
    told: [/^invalid spec.ingress\[0\].destination.selector/],
  },
  { says: 'another tier', spec: { tier: 'platform', ...ingress(inside) }, told: [/^unproven spec.tier/] },
  {
    says: 'the default tier',
    spec: { tier: 'default', order: 10.5, types: ['Ingress'], ...ingress(inside) },
    told: [],
  },
  { says: 'an order that is no number', spec: { order: '10', ...ingress(inside) }, told: [/^invalid spec.order/] },
  {
    says: 'fields of host endpoints',
    spec: { doNotTrack: true, ...ingress(inside) },
    told: [/^invalid spec.doNotTrack/],
  },
  {
    says: 'a namespaceSelector of the policy',
    spec: { namespaceSelector: 'all()' },
    told: [/^invalid spec.namespaceSelector/],
  },
  { says: 'a field that is not known', spec: { stage: 1 }, told: [/^invalid spec: "stage"/] },
  { says: 'a selector of the policy that is none', spec: { selector: 'a == b' }, told: [/^invalid spec.selector/] },
  { says: 'types that are none', spec: { types: ['ingress'] }, told: [/^invalid spec.types/] },
  {
    says: 'rules of a direction that types leaves out',
    spec: { types: ['Egress'], ...ingress({}) },
    told: [/^escapes/],
  },
  {
    says: 'a port that is read as another',
    spec: egress({ selector: 'all()', ports: ['010'] }, { protocol: 'TCP' }),
    told: [/^invalid .*destination.ports\[0\]/],
  },
  {
    says: 'DNS of the cluster',
    spec: egress(
      { namespaceSelector: 'projectcalico.org/name == "kube-system"', selector: 'k8s-app == "kube-dns"', ports: [53] },
      { protocol: 'UDP' },
    ),
    told: [],
  },
  {
    says: 'DNS of the cluster, on every port',
    spec: egress({ namespaceSelector: 'projectcalico.org/name == "kube-system"', selector: 'k8s-app == "kube-dns"' }),
    told: [/^escapes/],
  },
  {
    says: 'DNS by a number of the protocol, and a range',
    spec: egress(
      {
        namespaceSelector: 'projectcalico.org/name == "kube-system"',
        selector: 'k8s-app == "kube-dns"',
        ports: ['53:53'],
      },
      { protocol: 17 },
    ),
    told: [],
  },
  {
    says: 'pods that begin like those of DNS',
    spec: egress(
      {
        namespaceSelector: 'projectcalico.org/name == "kube-system"',
        selector: 'k8s-app starts with "kube-dns"',
        ports: [53],
      },
      { protocol: 'UDP' },
    ),
    told: [/^escapes/],
  },
  { says: 'a granted range', spec: egress({ nets: ['203.0.113.0/24'] }), told: [] },
  {
    says: 'ICMP of everybody',
    spec: { ingress: [{ action: 'Allow', protocol: 'ICMP', icmp: { type: 8 } }] },
    told: [/^escapes/],
  },
  {
    says: 'a port of the source that Calico cannot read, and with it the list of all policies',
    spec: ingress({ selector: 'all()', ports: ['1:2:3'] }, { protocol: 'TCP' }),
    told: [/^invalid .*source.ports\[0\]/],
  },
  {
    says: 'no port of the source',
    spec: ingress({ selector: 'all()', notPorts: [70000] }, { protocol: 'TCP' }),
    told: [/^invalid .*source.notPorts\[0\]/],
  },
  {
    says: 'a type of ICMP that the kernel does not know',
    spec: ingress(inside, { protocol: 'ICMP', icmp: { type: 255 } }),
    told: [/^invalid .*icmp.type/],
  },
  {
    says: 'a code of ICMP that is none',
    spec: ingress(inside, { protocol: 'ICMP', notICMP: { type: 8, code: 1.5 } }),
    told: [/^invalid .*notICMP.code/],
  },
  {
    says: 'more annotations than a line of iptables has place for',
    spec: ingress(inside, {
      metadata: { annotations: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`a${at}`, 'x'])) },
    }),
    told: [/^invalid .*metadata.annotations/],
  },
  { says: 'an annotation of a rule', spec: ingress(inside, { metadata: { annotations: { why: 'web' } } }), told: [] },
  { says: 'rules that are no list', spec: { ingress: {} }, told: [/^invalid spec.ingress/] },
];

for (const { says, spec, told: expected } of specs) {
  t.test(says, async (t) => {
    const verdicts = told(judge(spec));
    t.equal(verdicts.length, expected.length, verdicts.join('\n'));
    for (const [index, pattern] of expected.entries()) t.match(verdicts[index], pattern);
  });
}

t.test('a name that Calico takes for more than a name', async (t) => {
  const named = (name: string) => {
    const policy = { spec: ingress(inside), metadata: { name, namespace: border.namespace } };
    return told(kind.worded(judgeBorder(kind.read(JSON.parse(JSON.stringify(policy))), border), border));
  };
  for (const name of ['web', 'default.web', 'default.web.v2']) t.strictSame(named(name), [], name);
  t.match(named('knp.default.bulkhead-default-deny'), [/^unproven metadata.name: is the name by which Calico keeps/]);
  t.match(named('kcnp.kube-admin.deny'), [/^unproven metadata.name: is the name by which Calico keeps/]);
});

t.test('a tier must be one of the settings, whether the field or the name says it', async (t) => {
  const within = (tiers: readonly string[]): Border => {
    const { tenancy } = border;
    return { ...border, tenancy: { ...tenancy, settings: { ...tenancy.settings, calicoTiers: new Set(tiers) } } };
  };
  const judged = (tier: unknown, name: string, of: Border) => {
    const policy = { spec: { tier, ...ingress(inside) }, metadata: { name, namespace: border.namespace } };
    return kind.worded(judgeBorder(kind.read(JSON.parse(JSON.stringify(policy))), of), of);
  };
  for (const [tier, name] of [
    [undefined, 'web'],
    ['', 'web'],
    ['default', 'default.web'],
  ] as const) {
    t.strictSame(judged(tier, name, border), []);
    t.match(judged(tier, name, within(['teams'])), [
      { verdict: 'unproven', path: 'spec.tier', reason: /^"default" is a tier in which/ },
    ]);
  }
  for (const [tier, name] of [
    ['teams', 'web'],
    ['teams', 'teams.web'],
  ] as const)
    t.strictSame(judged(tier, name, within(['teams'])), [], 'a tier that is listed');
  t.match(judged('platform', 'platform.web', border), [
    {
      path: 'spec.tier',
      fix: 'write tier: default, or ask the platform to list the tier (settings: network.calico.tiers)',
    },
  ]);
  t.match(judged(undefined, 'platform.web', border), [{ path: 'metadata.name', reason: /^"platform" is a tier/ }]);
  t.match(judged('teams', 'platform.web', within(['teams'])), [
    { path: 'metadata.name', fix: /^choose another name, that begins with teams\., or/ },
  ]);
  t.match(judged('default', 'web', within([])), [{ fix: /^ask the platform to list the tier/ }]);
  t.match(judged(7, 'web', border), [{ verdict: 'invalid', path: 'spec.tier' }]);
});

t.test('a gate opens its ports to the tenant that agreed', async (t) => {
  const beta = { namespaceSelector: `${tenant} == "beta" || ${own}`, ports: [5432] };
  t.strictSame(told(judge(egress(beta, { protocol: 'TCP' }))), []);
  t.match(told(judge(egress({ ...beta, ports: [5433] }, { protocol: 'TCP' }))), [/^escapes .*tenant "beta"/]);
});

t.test('a fix for every address but some can be followed, which leaves IPv6 out', (t) => {
  for (const more of [{}, { ipVersion: 4 }]) {
    const [verdict] = judge(ingress({ notNets: ['10.0.0.0/8'] }, more));
    const fix = verdict?.fix ?? '';
    t.match(fix, /^leave out [0-9., /and]+ with notNets beside nets 0\.0\.0\.0\/0, or select pods /);
    const notNets = fix.split(' with notNets')[0]?.match(/[0-9./]+\/[0-9]+/g);
    t.match(told(judge(ingress({ notNets }, more))), [/covers addresses/], 'notNets alone');
    t.strictSame(told(judge(ingress({ nets: ['0.0.0.0/0'], notNets }, more))), [], fix);
  }
  const listed = judge(ingress({ nets: ['0.0.0.0/0'] }));
  t.match(listed, [{ fix: /with notNets, or select pods/ }], 'where nets is written, it stays');
  t.match(judge(ingress({ notNets: ['0.0.0.0/0'] })), [{ fix: /^(?!.*beside nets)/ }], 'of IPv6 alone');
  t.end();
});

t.test('a fix is written in the language of Calico', async (t) => {
  const [verdict] = judge(ingress({ namespaceSelector: 'has(team)' }));
  t.match(verdict, {
    path: 'spec.ingress[0].source.namespaceSelector',
    witness: 'a namespace with the labels bulkhead.dev/tenant=not-acme-2, team=any',
    fix: /^add bulkhead.dev\/tenant == "acme" to its namespaceSelector with &&/,
  });
  t.strictSame(told(judge(ingress({ namespaceSelector: `has(team) && ${own}` }))), []);
});

t.test('which pods a policy isolates', async (t) => {
  const isolated = (spec: unknown) =>
    kind.read(JSON.parse(JSON.stringify({ spec }))).isolates.map(({ directions }) => directions.join());
  t.strictSame(isolated({ selector: 'all()' }), ['ingress']);
  t.strictSame(isolated(egress(inside)), ['egress'], 'X34 only egress where only egress has rules');
  t.strictSame(isolated({ ...egress(inside), ...ingress(inside) }), ['ingress,egress']);
  t.strictSame(isolated({ types: ['Ingress', 'Egress'] }), ['ingress,egress']);
  t.strictSame(isolated({ selector: 'app == "web"' }), []);
  t.strictSame(isolated({ tier: 'teams' }), [], 'another tier may pass on what no rule decides');
});

t.test('a NetworkSet opens its addresses', async (t) => {
  const set = calicoNetworkSet(calicoGroups[0]);
  const judged = (spec: unknown, metadata: object = {}) => {
    const object = { spec, metadata: { name: 'asked', namespace: border.namespace, ...metadata } };
    return told(set.worded(judgeBorder(set.read(JSON.parse(JSON.stringify(object))), border), border));
  };
  t.strictSame(judged({ nets: ['203.0.113.0/24', '203.0.113.9'] }), [], 'that are granted');
  t.strictSame(judged({}), [], 'it has none');
  t.strictSame(judged(undefined, { labels: { app: 'partner', [tenant]: 'acme' } }), []);
  t.match(judged({ nets: ['0.0.0.0/0'] }), [/^escapes spec.nets/, /^escapes spec.nets/], 'of everybody');
  t.match(judged({ nets: ['198.51.100.0/24'] }), [/^escapes spec.nets: .*network.egress/], 'outside, and not granted');
  t.match(judged({ nets: ['10.244.1.0/24'] }), [/^escapes spec.nets: .*pod network/, /^escapes/], 'of pods');
  t.match(judged({ nets: ['010.0.0.0/8'] }), [/^invalid spec.nets\[0\]/]);
  t.match(judged({ nets: [], more: 1 }), [/^invalid spec/]);
  for (const key of [`pcns.${tenant}`, 'pcsa.team', 'projectcalico.org/orchestrator']) {
    t.match(judged({}, { labels: { [key]: 'beta' } }), [/^escapes metadata.labels: has the label/], key);
    const annotations = { 'projectcalico.org/metadata': JSON.stringify({ labels: { [key]: 'beta' } }) };
    t.match(judged({}, { annotations }), [/^escapes metadata.annotations/], `${key} as it is stored`);
  }
  const plain = { 'projectcalico.org/metadata': JSON.stringify({ labels: { app: 'web' } }) };
  t.strictSame(judged({}, { annotations: plain }), []);
  t.match(judged({}, { annotations: { 'projectcalico.org/metadata': '{' } }), [/^invalid metadata.annotations/]);
  const forged = `{"pcns.${tenant}":"beta"}`;
  for (const text of [
    `{"Labels":${forged}}`,
    `{"label\u017f":${forged}}`,
    `{"labels":${forged},"labels":{"app":"web"}}`,
    `{"l\\u0061bels":${forged},"labels":{}}`,
    '[]',
  ])
    t.match(
      judged({}, { annotations: { 'projectcalico.org/metadata': text } }),
      [/^invalid metadata.annotations/],
      text,
    );
  const written = JSON.stringify({
    labels: { 'a:b': '":{"' },
    annotations: { last: '{"labels":{"a\\"":":"}}' },
    ownerReferences: [{}],
  });
  t.strictSame(judged({}, { annotations: { 'projectcalico.org/metadata': written } }), [], 'as Calico writes it');
  const nested = `{"annotations":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  t.strictSame(judged({}, { annotations: { 'projectcalico.org/metadata': nested } }), [], 'however deep');
  const one = { metadata: { name: 'a', labels: { app: 'x' } }, spec: { nets: [] } };
  t.equal(set.unchanged(one, { ...one, metadata: { name: 'a', labels: { app: 'y' } } }), false, 'labels are looked at');
  t.equal(set.unchanged(one, JSON.parse(JSON.stringify(one))), true);
});

t.test('what goes beyond the limits is said once', async (t) => {
  const rules = Array.from({ length: 1000 }, () => ({
    action: 'Allow',
    source: { namespaceSelector: `has(${'a'.repeat(300)})` },
  }));
  const beyond = told(judge({ ingress: rules })).filter((one) => !/^escapes/.test(one));
  t.match(beyond, [/^unproven spec.ingress\[\d+\].source: goes beyond the 4000 labels/]);
  t.equal(beyond.length, 1);
});

t.test('the largest policies are judged in little time', async (t) => {
  const own = `(has(a) || has(b)) && ${tenant} == "acme"`;
  const hard = Array.from({ length: 28 }, (_, index) => `(a${index} == "x" || b${index} == "y")`).join(' && ');
  const many = (count: number, source: (index: number) => object, more: (index: number) => object = () => ({})) =>
    Array.from({ length: count }, (_, index) => ({ action: 'Allow', source: source(index), ...more(index) }));
  const policies = {
    'many simple rules': many(900, () => ({ namespaceSelector: own })),
    'rules that all differ': many(900, (index) => ({ namespaceSelector: own.replace('has(b)', `has(b${index})`) })),
    'parts of values': many(1000, () => ({ namespaceSelector: 'a contains "ab" && !(a contains "z")' })),
    'ports that a gate shuts': many(
      1000,
      () => ({ namespaceSelector: `${tenant} == "beta"` }),
      (index) => ({
        protocol: 'TCP',
        destination: { ports: [1000 + index, 3000 + index, 5000 + index, 7000 + index] },
      }),
    ),
    'a net in each rule': many(1000, (index) => ({ nets: [`20.${index >> 8}.${index & 255}.0/25`] })),
    'hard selectors': many(60, () => ({ namespaceSelector: hard })),
    'too much text': many(1000, () => ({ namespaceSelector: hard })),
  };
  for (const [says, rules] of Object.entries(policies)) {
    const policy = JSON.parse(JSON.stringify({ spec: { ingress: rules }, metadata: { namespace: border.namespace } }));
    const times = Array.from({ length: 30 }, () => {
      const before = process.cpuUsage();
      judgeBorder(kind.read(policy), border);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    }).toSorted((one, other) => one - other);
    t.ok((times[0] ?? 99) <= 20, `${says}: ${times[0]} ms, at most ${times.at(-1)}`);
  }
});
