/** Every fix of the border, followed to the letter, leaves nothing to be said about the policy. */
import { globSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { calicoGroups } from '../../src/kinds/calico-groups.ts';
import { calicoNetworkPolicy } from '../../src/kinds/calico-network-policy/calico-network-policy.ts';
import { calicoNetworkSet } from '../../src/kinds/calico-network-set/calico-network-set.ts';
import { calicoStagedPolicy } from '../../src/kinds/calico-staged-policy/calico-staged-policy.ts';
import { ciliumNetworkPolicy } from '../../src/kinds/cilium-network-policy/cilium-network-policy.ts';
import { fixText } from '../../src/kinds/fix-text.ts';
import { istioAuthorizationPolicy } from '../../src/kinds/istio-authorization-policy/istio-authorization-policy.ts';
import type { PolicyKind, PolicyVerdict } from '../../src/kinds/kind.ts';
import { networkPolicy } from '../../src/kinds/network-policy/network-policy.ts';
import { networkPolicyWords } from '../../src/kinds/network-policy/words.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/violation.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { applied, type Operation } from '../fixtures/json-patch.ts';
import { unnamedIn } from '../fixtures/unnamed.ts';
import { calicoRows } from './calico-rows.ts';
import { ciliumRows, type Row } from './cilium-rows.ts';
import { istioRows } from './istio-rows.ts';
import { asking } from './requests.ts';
import { acme, border as base, beta, dns, label, nameLabel, range, settings, tcp, tenant } from './world.ts';

const border: Border = { ...base, ownerByName: () => 'none' };
const metrics = {
  ...dns,
  name: 'metrics',
  podSelector: { matchLabels: { tier: 'x' } },
  ports: [tcp(9)],
  addresses: [],
};
const otherBorder = (change: Partial<Border>) => ({ where: { ...border, ...change } });
const grantedTo = (network: Partial<Tenant['network']>) => {
  const one = tenant('acme', network, 'acme-');
  return otherBorder({ tenant: one, tenancy: createTenancy(settings, [one]) });
};
const role = 'example.com/role';
const trusted: Border = {
  ...border,
  tenancy: createTenancy(
    {
      ...settings,
      trustedLabels: new Map([
        [
          role,
          new Map([
            ['ingress', new Set(['ingress-nginx'])],
            ['dns', new Set(['kube-system'])],
          ]),
        ],
      ]),
    },
    [acme, beta],
  ),
  isKept: () => true,
};
const withRole = (operator: string, ...values: string[]) =>
  namespaces({ matchExpressions: [{ key: role, operator, ...(values.length > 0 && { values }) }] });
const ungranted = { ...acme, network: { ...acme.network, egressRanges: [] } };

const from = (peer: unknown, ports?: unknown) => ({
  ingress: [{ from: [peer], ...(ports !== undefined && { ports }) }],
});
const to = (peer: unknown, ports?: unknown) => ({
  policyTypes: ['Egress'],
  egress: [{ to: [peer], ...(ports !== undefined && { ports }) }],
});
const namespaces = (namespaceSelector: unknown) => ({ namespaceSelector });
const block = (cidr: unknown, except?: unknown) => ({ ipBlock: { cidr, ...(except !== undefined && { except }) } });
const named = (...values: string[]) => namespaces({ matchExpressions: [{ key: nameLabel, operator: 'In', values }] });
const requires = (requirement: object) => from({ podSelector: { matchExpressions: [requirement] } });
const own = { matchLabels: { [label]: 'acme' } };
const inPeer = '/ingress/0/from/0';
const outPeer = '/egress/0/to/0';
const requirement = `${inPeer}/podSelector/matchExpressions/0`;
const kubeDns = { podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };

const rows: readonly Row[] = [
  ['no peers', { ingress: [{}] }, [['/ingress/0/from+', [{ podSelector: {} }]]]],
  ['no peers, the other way', { egress: [{}] }, [['/egress/0/to+', [namespaces(own)]]]],
  ['every namespace', from(namespaces({})), [[`${inPeer}/namespaceSelector/matchLabels+`, own.matchLabels]]],
  [
    'the name service in every namespace',
    to({ ...namespaces({}), ...kubeDns }),
    [
      [`${outPeer}/namespaceSelector/matchLabels+`, { [nameLabel]: 'kube-system' }],
      [
        '/egress/0/ports+',
        [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      ],
    ],
  ],
  [
    'namespaces of the platform',
    from(namespaces({ matchExpressions: [{ key: label, operator: 'DoesNotExist' }] })),
    [[`${inPeer}/namespaceSelector`, own]],
  ],
  ['another tenant', from(namespaces({ matchLabels: { [label]: 'nobody' } })), [[`${inPeer}/namespaceSelector`, own]]],
  [
    'more than the gate',
    to(namespaces({ matchLabels: { [label]: 'beta' } })),
    [['/egress/0/ports+', [{ port: 5432 }]]],
  ],
  ['an expired gate', from(namespaces({ matchLabels: { [label]: 'delta' } })), [['/ingress/0']]],
  [
    'more than the shared service',
    to(named('kube-system')),
    [
      [`${outPeer}/podSelector+`, { matchLabels: { 'k8s-app': 'kube-dns' } }],
      [
        '/egress/0/ports+',
        [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      ],
    ],
  ],
  ['a namespace of the platform', from(named('default')), [['/ingress/0']]],
  [
    'a namespace of the platform beside an own one',
    from(named('acme-db', 'default')),
    [[`${inPeer}/namespaceSelector/matchExpressions/0/values/1`]],
  ],
  ['a free name', from(named('shop')), [[`${inPeer}/namespaceSelector/matchLabels+`, own.matchLabels]]],
  [
    'a name of the own that somebody else has',
    from(named('acme-old')),
    [[`${inPeer}/namespaceSelector/matchLabels+`, own.matchLabels]],
    otherBorder({ ownerByName: () => 'platform' }),
  ],
  [
    'a name of the own that was not looked up',
    from(named('acme-old')),
    [[`${inPeer}/namespaceSelector/matchLabels+`, own.matchLabels]],
    otherBorder({ ownerByName: undefined }),
  ],
  [
    'any value of a platform label',
    from(withRole('Exists')),
    [[`${inPeer}/namespaceSelector`, { matchLabels: { [role]: 'ingress' } }]],
    { where: trusted },
  ],
  [
    'a value of a platform label that is not listed',
    from(withRole('In', 'ingress', 'monitoring')),
    [[`${inPeer}/namespaceSelector`, { matchLabels: { [role]: 'ingress' } }]],
    { where: trusted },
  ],
  [
    'a value of a platform label that no shared service is for',
    from(withRole('In', 'dns')),
    [['/ingress/0']],
    { where: trusted },
  ],
  [
    'more than the shared service, by a platform label',
    to(withRole('In', 'dns')),
    [
      [`${outPeer}/podSelector+`, { matchLabels: { 'k8s-app': 'kube-dns' } }],
      [
        '/egress/0/ports+',
        [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      ],
    ],
    { where: trusted },
  ],
  [
    'a platform label that a namespace has and must not',
    to({ ...withRole('In', 'dns'), ...kubeDns }, [{ port: 53 }]),
    [[`${outPeer}/namespaceSelector`, { matchLabels: { [nameLabel]: 'kube-system' } }]],
    { where: { ...trusted, isKept: () => false }, chosen: ['matchLabels', 'kube-system'] },
  ],
  ['a name that is none', from(named('No_Name')), [['/ingress/0']]],
  [
    'a contradiction',
    from({
      podSelector: {
        matchExpressions: [
          { key: 'a', operator: 'Exists' },
          { key: 'a', operator: 'DoesNotExist' },
        ],
      },
    }),
    [['/ingress/0']],
  ],
  [
    'several services that only together have the pods',
    to(
      {
        ...named('kube-system'),
        podSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['x', 'y'] }] },
      },
      [{ port: 9 }],
    ),
    [[`${outPeer}/podSelector`, metrics.podSelector]],
    {
      ...otherBorder({
        tenancy: createTenancy(
          {
            ...settings,
            sharedServices: [metrics, { ...metrics, name: 'traces', podSelector: { matchLabels: { tier: 'y' } } }],
          },
          [acme, beta],
        ),
      }),
      chosen: ['matchLabels', 'tier', 'x'],
    },
  ],
  [
    'a shared service and a gate in one peer',
    to(
      {
        namespaceSelector: {
          matchLabels: { [nameLabel]: 'kube-system' },
          matchExpressions: [{ key: label, operator: 'In', values: ['beta'] }],
        },
      },
      [{ protocol: 'UDP', port: 53 }],
    ),
    [[outPeer, { ...named('kube-system'), ...kubeDns }]],
    { chosen: ['podSelector', 'matchLabels', 'k8s-app', 'kube-dns'] },
  ],
  [
    'pods of other clusters',
    from({ podSelector: { matchLabels: { 'io.kubernetes.pod.namespace': 'x' } } }),
    [[`${inPeer}/podSelector/matchLabels/io.kubernetes.pod.namespace`]],
  ],
  [
    'addresses of the cluster',
    from(block('0.0.0.0/0')),
    [[`${inPeer}/ipBlock/except+`, ['10.244.0.0/16', '10.96.0.0/12', '192.168.0.0/20']]],
  ],
  [
    'addresses of the cluster of both families',
    from(block('::/0')),
    [[`${inPeer}/ipBlock/except+`, ['2001:db8:42::/56', '::/8']]],
  ],
  [
    'the IPv6 internet, where no range of the cluster lies in it',
    from(block('::/0')),
    [[`${inPeer}/ipBlock/cidr`, '2000::/3']],
    otherBorder({
      tenancy: createTenancy(
        { ...settings, protectedRanges: settings.protectedRanges.filter(({ text }) => !text.startsWith('2001:')) },
        [acme],
      ),
    }),
  ],
  [
    'addresses of the cluster in a family that is not listed',
    from(block('::/0')),
    [[inPeer, { podSelector: {} }]],
    otherBorder({ tenancy: createTenancy({ ...settings, unlistedFamilies: [6] }, [acme]) }),
  ],
  [
    'the IPv6 forms of the pods',
    from(block('64:ff9b::af4:0/112')),
    [[`${inPeer}/ipBlock/cidr`, '198.51.100.0/24']],
    { chosen: ['198.51.100.0/24'] },
  ],
  ['addresses of IPv6 that were not granted', to(block('::/0')), [[`${outPeer}/ipBlock/cidr`, '2001:db8:ffff::/48']]],
  ['a pod by its address', from(block('10.244.1.1/32')), [[inPeer, { podSelector: {} }]]],
  ['addresses that were not granted', to(block('0.0.0.0/0')), [[`${outPeer}/ipBlock/cidr`, '203.0.113.0/24']]],
  [
    'names, from anybody',
    { policyTypes: ['Egress'], egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }] },
    [['/egress/0']],
  ],
  [
    'names, from every namespace',
    to(namespaces({}), [{ port: 53, protocol: 'UDP' }]),
    [['/egress/0/to/0', { namespaceSelector: { matchLabels: { [nameLabel]: 'kube-system' } }, ...kubeDns }]],
  ],
  [
    'names, from the address of the service',
    to(block('10.96.0.10/32'), [{ port: 53, protocol: 'UDP' }]),
    [['/egress/0']],
  ],
  [
    'the internet with a private range',
    to(block('0.0.0.0/0', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])),
    [[`${outPeer}/ipBlock/except/-+`, '169.254.0.0/16']],
    grantedTo({ egress: [{ cidr: 'internet', except: [], ports: [] }] }),
  ],
  [
    'more ports than were granted',
    to(block('198.51.100.0/24')),
    [['/egress/0/ports+', [{ protocol: 'TCP', port: 443 }]]],
    grantedTo({ egress: [{ cidr: range('198.51.100.0/24'), except: [], ports: [tcp(443)] }] }),
  ],
  [
    'no addresses were granted',
    to(block('203.0.113.0/24')),
    [['/egress/0']],
    otherBorder({ tenant: ungranted, tenancy: createTenancy(settings, [ungranted]) }),
  ],
  [
    'the ranges of the cluster are not known',
    from(block('203.0.113.0/24')),
    [[inPeer, { podSelector: {} }]],
    otherBorder({ tenancy: createTenancy({ ...settings, unlistedFamilies: [4, 6] }, [acme]) }),
  ],
  ['addresses that are all taken out', from(block('10.0.0.0/8', ['10.0.0.0/9', '10.128.0.0/9'])), [['/ingress/0']]],
  [
    'a block that is none',
    from({ ipBlock: 7 }),
    [[`${inPeer}/ipBlock`, { cidr: '203.0.113.0/24' }]],
    { chosen: ['203.0.113.0/24'] },
  ],
  [
    'a field of a block that is none',
    from({ ipBlock: { cidr: '203.0.113.0/24', only: [] } }),
    [[`${inPeer}/ipBlock/only`]],
  ],
  ['exceptions that are no list', from(block('203.0.113.0/24', 7)), [[`${inPeer}/ipBlock/except`, []]]],
  ['an exception outside', from(block('203.0.113.0/24', ['8.8.8.8/32'])), [[`${inPeer}/ipBlock/except/0`]]],
  ['a range that is no text', from(block(7)), [[`${inPeer}/ipBlock/cidr`, '203.0.113.0/24']]],
  ['a range that is none', from(block('here')), [[`${inPeer}/ipBlock/cidr`, '203.0.113.0/24']]],
  ['a range with host bits', from(block('203.0.113.9/24')), [[`${inPeer}/ipBlock/cidr`, '203.0.113.0/24']]],
  ['a peer that is none', from(7), [[inPeer, { podSelector: {} }]]],
  ['a field of a peer that is none', from({ podSelector: {}, serviceAccounts: [] }), [[`${inPeer}/serviceAccounts`]]],
  ['a peer that names nothing', from({}), [[`${inPeer}/podSelector+`, {}]]],
  [
    'a block beside a selector',
    from({ ...block('203.0.113.0/24'), podSelector: {} }),
    [['/ingress/0/from/-+', block('203.0.113.0/24')], [`${inPeer}/ipBlock`]],
  ],
  [
    'a rule that is none',
    { ingress: [7] },
    [
      ['/ingress/0', { from: [] }],
      ['/ingress/0/from', [{ podSelector: {} }]],
    ],
  ],
  ['a field of a rule that is none', { ingress: [{ from: [{ podSelector: {} }], to: [] }] }, [['/ingress/0/to']]],
  [
    'peers that are no list',
    { ingress: [{ from: 7 }] },
    [
      ['/ingress/0/from', []],
      ['/ingress/0/from', [{ podSelector: {} }]],
    ],
  ],
  ['ports that are no list', from({ podSelector: {} }, 7), [['/ingress/0/ports', []]]],
  ['rules that are no list', { ingress: 7 }, [['/ingress', []]]],
  ['types that are no list', { policyTypes: 'Egress' }, [['/policyTypes', ['Egress']]]],
  ['a type that is none', { policyTypes: ['Both'] }, [['/policyTypes/0', 'Ingress']]],
  ['rules that the API never reads', { policyTypes: ['Egress'], ingress: [] }, [['/policyTypes/-+', 'Ingress']]],
  [
    'a value that no label can have',
    requires({ key: 'app', operator: 'In', values: ['no blanks'] }),
    [[`${requirement}/values/0`, 'no-blanks']],
    { chosen: ['no-blanks'] },
  ],
  ['a field of a spec that is none', { ingres: [] }, [['/ingres']]],
  ['a spec that is none', 7, [['', { podSelector: {} }]]],
  [
    'more peers than are examined',
    { ingress: [{ from: Array.from({ length: 1001 }, () => ({ podSelector: {} })) }] },
    [['/ingress/0/from/1000']],
  ],
  [
    'more values than are examined',
    from({
      namespaceSelector: own,
      podSelector: {
        matchExpressions: [
          { key: 'app', operator: 'In', values: Array.from({ length: 101 }, (_, index) => `v${index}`) },
        ],
      },
    }),
    [[`${requirement}/values/100`]],
  ],
  [
    'a port that is none',
    from({ podSelector: {} }, [7]),
    [['/ingress/0/ports/0', { protocol: 'TCP', port: 80 }]],
    { chosen: ['TCP', '80'] },
  ],
  ['a field of a port that is none', from({ podSelector: {} }, [{ range: 7 }]), [['/ingress/0/ports/0/range']]],
  [
    'a protocol that is none',
    from({ podSelector: {} }, [{ protocol: 'ICMP' }]),
    [['/ingress/0/ports/0/protocol', 'TCP']],
  ],
  ['a range without a beginning', from({ podSelector: {} }, [{ endPort: 9 }]), [['/ingress/0/ports/0/endPort']]],
  ['a number that is no port', from({ podSelector: {} }, [{ port: 0 }]), [['/ingress/0/ports/0/port', 65535]]],
  [
    'a range that ends before',
    from({ podSelector: {} }, [{ port: 9, endPort: 8 }]),
    [['/ingress/0/ports/0/endPort', 65535]],
  ],
  ['a number in quotes', from({ podSelector: {} }, [{ port: '80' }]), [['/ingress/0/ports/0/port', 80]]],
  [
    'a name that no port has',
    from({ podSelector: {} }, [{ port: 'Not a port' }]),
    [['/ingress/0/ports/0/port', 'web']],
    { chosen: ['web'] },
  ],
  ['a selector that is none', from({ podSelector: 7 }), [[`${inPeer}/podSelector`, { matchLabels: {} }]]],
  ['a field of a selector that is none', from({ podSelector: { labels: {} } }), [[`${inPeer}/podSelector/labels`]]],
  [
    'labels that are none',
    from({ podSelector: { matchLabels: 7 } }),
    [[`${inPeer}/podSelector/matchLabels`, { key: 'value' }]],
  ],
  [
    'a value that is no text',
    from({ podSelector: { matchLabels: { app: 7 } } }),
    [[`${inPeer}/podSelector/matchLabels/app`, '7']],
    { chosen: ['7'] },
  ],
  [
    'requirements that are no list',
    from({ podSelector: { matchExpressions: 7 } }),
    [[`${inPeer}/podSelector/matchExpressions`, []]],
  ],
  [
    'a requirement that is none',
    from({ podSelector: { matchExpressions: [7] } }),
    [[`${inPeer}/podSelector/matchExpressions/0`]],
  ],
  [
    'a field of a requirement that is none',
    requires({ key: 'app', operator: 'Exists', not: true }),
    [[`${requirement}/not`]],
  ],
  [
    'values that are no text',
    requires({ key: 'app', operator: 'In', values: [7] }),
    [[`${requirement}/values`, ['7']]],
    { chosen: ['7'] },
  ],
  ['an operator that is none', requires({ key: 'app', operator: 'Is' }), [[`${requirement}/operator`, 'Exists']]],
  [
    'no values where they are needed',
    requires({ key: 'app', operator: 'In' }),
    [[`${requirement}/values+`, ['web']]],
    { chosen: ['web'] },
  ],
  [
    'values where there are none',
    requires({ key: 'app', operator: 'Exists', values: ['x'] }),
    [[`${requirement}/values`]],
  ],
  ['a key that is none', requires({ key: 'not a key', operator: 'Exists' }), [[`${requirement}/key`, 'app']]],
];

/** Fixes that no change of the policy follows. */
const elsewhere: readonly Row[] = [
  ['half a gate', from(namespaces({ matchLabels: { [label]: 'gamma' } })), []],
  [
    'half of what two GateRequests open',
    to(namespaces({ matchLabels: { [label]: 'omega' } }), [{ port: 443 }]),
    [],
    otherBorder({ tenancy: { ...createTenancy(settings, [acme, beta]), requests: asking({ tenant: 'omega' }) } }),
  ],
];

const told: string[] = [];

function judged(object: KubernetesObject, where: Border, kind = networkPolicy): readonly PolicyVerdict[] {
  const verdicts = kind.worded(judgeBorder(kind.read(object), where), where);
  told.push(...verdicts.map(({ fix }) => fix));
  return verdicts;
}

async function follow(t: Test, kind: PolicyKind, all: readonly Row[]): Promise<void> {
  for (const [sentence, spec, steps, { where = border, chosen = [] } = {}] of all) {
    let object: KubernetesObject = JSON.parse(JSON.stringify({ spec, metadata: { namespace: 'acme-web' } }));
    t.not(judged(object, where, kind).length, 0, `${sentence}: something is to be said`);
    const findings: { check: string; path: string; why: string; fix: string }[] = [];
    for (const [path, value] of steps) {
      findings.push(
        ...judged(object, where, kind).map(({ path, reason, fix }) => ({ check: '', path, why: reason, fix })),
      );
      const operation = operationOf(path, value);
      const unnamed = unnamedIn(operation, object, undefined, findings).filter((word) => !chosen.includes(word));
      t.strictSame(unnamed, [], `${sentence}: the fix names it`, { findings });
      object = applied(object, [operation]);
    }
    t.strictSame(judged(object, where, kind), [], `${sentence}: is mended`);
  }
}

t.test('every fix of the border, followed to the letter, leaves nothing to be said', async (t) => {
  await follow(t, networkPolicy, rows);
  for (const [, spec, , { where = border } = {}] of elsewhere) judged(JSON.parse(JSON.stringify({ spec })), where);
  // No NetworkPolicy has a subject to correct: model.test.ts mends one.
  told.push(fixText({ id: 'select-own-pods' }, border, networkPolicyWords, 'ingress'));
});

t.test('the same for a CiliumNetworkPolicy', (t) => follow(t, ciliumNetworkPolicy, ciliumRows));

t.test('the same for a NetworkPolicy of Calico', async (t) => {
  await follow(t, calicoNetworkPolicy(calicoGroups[0]), calicoRows);
  const judgedAs = (kind: PolicyKind, metadata: object, spec: object, where = border) =>
    judged(JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web', ...metadata }, spec })), where, kind);
  const named = (name: string, where?: Border) => judgedAs(calicoNetworkPolicy(calicoGroups[0]), { name }, {}, where);
  const { settings } = border.tenancy;
  for (const name of ['knp.default.web', 'platform.web']) t.equal(named(name).length, 1, name);
  for (const tiers of [['teams'], []])
    named('platform.web', {
      ...border,
      tenancy: { ...border.tenancy, settings: { ...settings, calicoTiers: new Set(tiers) } },
    });
  const set = calicoNetworkSet(calicoGroups[1]);
  for (const metadata of [{ labels: { 'pcns.a': 'x' } }, { annotations: { 'projectcalico.org/metadata': '{' } }])
    t.equal(judgedAs(set, metadata, {}).length, 1);
  const staged = calicoStagedPolicy('StagedNetworkPolicy', calicoGroups[0]);
  t.equal(judgedAs(staged, {}, { stagedAction: 'Become' }).length, 1);
});

t.test('the same for an AuthorizationPolicy of Istio', (t) => follow(t, istioAuthorizationPolicy, istioRows));

t.test('no fix of the border is missing above', async (t) => {
  const files = globSync([
    'src/{reach,kinds/network-policy}/**/*.ts',
    'src/kinds/fix-*.ts',
    'src/kubernetes/{port-range,label-selector}.ts',
  ]);
  const verb = 'write|remove|correct|split|list|add|have|renew|leave|narrow|put|give|ask|make';
  const literal = new RegExp(`'((?:${verb}) [^'\\n]*)'|\`((?:${verb}) [^\`\\n]*)\``, 'g');
  let count = 0;
  for (const file of files) {
    for (const [, plain, template = ''] of readFileSync(file, 'utf8').matchAll(literal)) {
      const pattern = (plain ?? template.replace(/\$\{.*\}/g, '\0'))
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll('\0', '.*');
      t.ok(
        told.some((fix) => new RegExp(pattern).test(fix)),
        `${file}: ${plain ?? template}`,
      );
      count++;
    }
  }
  t.ok(count > 50, `${count} fixes were found`);
});

function operationOf(path: string, value: unknown): Operation {
  const place = `/spec${path.replace(/\+$/, '')}`;
  if (value === undefined) return { op: 'remove', path: place };
  return { op: path.endsWith('+') ? 'add' : 'replace', path: place, value };
}
