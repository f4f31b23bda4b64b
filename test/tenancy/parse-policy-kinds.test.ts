/** network.policyKinds and platform.networkAgents of the settings. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { builtInAgents } from '../../src/tenancy/network-agents.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { platformKinds } from '../../src/tenancy/platform-kinds.ts';
import { policyGroupNames, policyGroups } from '../../src/tenancy/policy-groups.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { documentIn, problemLines, warningLines } from './documents.ts';

const document = (spec: string) => documentIn(`apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec: ${spec}`);
const kind = (resource: string) => document(`{ network: { policyKinds: [{ resource: ${resource} }] } }`);
const agent = (fields: string) => document(`{ platform: { networkAgents: [{ ${fields} }] } }`);
const account = 'kind: ServiceAccount, namespace: mesh, name: robot';

t.test('what a list may say', async (t) => {
  const rows: readonly [says: string, document: ReturnType<typeof document>, problems: readonly RegExp[]][] = [
    ['a resource', kind('virtualservices.networking.istio.io'), []],
    ['a kind of Cilium that can be given', kind('ciliumenvoyconfigs.cilium.io'), []],
    ['a group that is not reviewed', kind('widgets.example.com'), [/is in none of the API groups/]],
    [
      'a near miss',
      kind('virtualservices.networking.istio.oi'),
      [/did you mean virtualservices.networking.istio.io\?/],
    ],
    ['no group', kind('virtualservices'), [/is not a resource with its API group/]],
    ['a pattern', kind('"*.networking.istio.io"'), [/is not a resource with its API group/]],
    ['what agents write, and tenants may', kind('serviceimports.multicluster.x-k8s.io'), []],
    ['what agents write', kind('ciliumendpoints.cilium.io'), [/is written by the platform and the agents/]],
    ['a kind of the platform', kind('egressips.k8s.ovn.org'), [/is written by the platform and the agents/]],
    ['an agent', agent(`subjects: [{ ${account} }], groups: [networking.istio.io]`), []],
    [
      'a group of users',
      agent('subjects: [{ kind: Group, name: all }], groups: [kuma.io]'),
      [/subjects\[0\]\.kind: .*ServiceAccount/],
    ],
    ['an unknown API group', agent(`subjects: [{ ${account} }], groups: [istio.io]`), [/groups\[0\]/]],
    ['everybody', agent('subjects: [{ kind: User, name: system:anonymous }], groups: [kuma.io]'), [/is everybody/]],
  ];
  for (const [says, written, problems] of rows) {
    const parsed = parseSettings(written);
    t.match(parsed.ok ? [] : problemLines(parsed), problems, says);
    t.equal(parsed.ok, problems.length === 0, says);
  }
});

t.test('an upgrade: what is read now is no longer given unread', async (t) => {
  const policies = 'authorizationpolicies.security.istio.io';
  const rows: readonly [says: string, spec: string, warnings: readonly RegExp[]][] = [
    [
      'AuthorizationPolicies where a mesh is configured',
      `{ istio: {}, network: { policyKinds: [{ resource: other.kuma.io }, { resource: ${policies}, tenants: [acme] }] } }`,
      [
        /^t\.yaml:3:.*: spec\.network\.policyKinds\[1\]\.resource: authorizationpolicies\.security\.istio\.io is read and judged, as the settings have a section istio, so this entry admits nothing; remove it; /,
      ],
    ],
    ['they are still given where none is', `{ network: { policyKinds: [{ resource: ${policies} }] } }`, []],
    [
      'policies of Cilium',
      '{ network: { policyKinds: [{ resource: ciliumnetworkpolicies.cilium.io }] } }',
      [/ciliumnetworkpolicies\.cilium\.io is read and judged, so this entry admits nothing; remove it/],
    ],
    [
      'a kind that is not read',
      '{ istio: {}, network: { policyKinds: [{ resource: sidecars.networking.istio.io }] } }',
      [],
    ],
  ];
  for (const [says, spec, warnings] of rows) {
    const told = warningLines(parseSettings(document(spec))).filter((line) => line.includes('policyKinds'));
    t.match(told, warnings, says);
    t.equal(told.length, warnings.length, says);
  }
});

t.test('no tenant becomes an agent', async (t) => {
  const parsed = parseSettings(agent(`subjects: [{ ${account} }], groups: [networking.istio.io]`));
  if (!parsed.ok) throw new Error(problemLines(parsed).join());
  const { reservation } = createTenancy(parsed.value, []);
  for (const { subjects } of parsed.value.platform.networkAgents)
    for (const subject of subjects)
      t.ok(
        subject.kind === 'ServiceAccount'
          ? reservation(subject.namespace) === 'platform'
          : /^(system|eks):/.test(subject.name),
        subject.name,
      );
  const tenant = documentIn(
    `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: acme }\nspec: { members: [{ kind: ServiceAccount, namespace: cilium, name: cilium }], namespaces: { names: [calico-system] } }`,
  );
  t.match(problemLines(loadTenancy(document('{}'), [tenant], 0)), [
    /ServiceAccount cilium is in platform.networkAgents/,
    /calico-system is a namespace of the platform/,
  ]);
});

t.test('an agent writes what is its own', async (t) => {
  const parsed = parseSettings(agent(`subjects: [{ ${account} }], groups: [cilium.io], every: true`));
  if (!parsed.ok) throw new Error(problemLines(parsed).join());
  const { isAgentsWrite } = createTenancy(parsed.value, []);
  const rows: readonly [user: string, write: string, subresource: string, namespace: string, may: boolean][] = [
    ['kube-system:cilium', 'ciliumnodes.cilium.io', '', '', true],
    ['kube-system:cilium', 'ciliumclusterwidenetworkpolicies.cilium.io', '', '', false],
    ['kube-system:cilium', 'ciliumclusterwidenetworkpolicies.cilium.io', 'status', '', true],
    ['kube-system:cilium', 'ciliumenvoyconfigs.cilium.io', '', 'acme-web', true],
    ['kube-system:cilium', 'networkpolicies.crd.projectcalico.org', '', 'acme-web', false],
    ['kube-system:cilium2', 'ciliumnodes.cilium.io', '', '', false],
    ['acme-web:cilium', 'ciliumnodes.cilium.io', '', '', false],
    ['calico-apiserver:calico-apiserver', 'globalnetworkpolicies.crd.projectcalico.org', '', '', true],
    ['kube-system:calico-node', 'globalnetworkpolicies.crd.projectcalico.org', '', '', false],
    ['kube-system:calico-node', 'ipamblocks.crd.projectcalico.org', '', '', true],
    // RKE2's default plugin: Calico for policies, under an account of its own.
    ['kube-system:canal', 'felixconfigurations.crd.projectcalico.org', '', '', true],
    ['kube-system:canal', 'globalnetworkpolicies.crd.projectcalico.org', '', '', false],
    ['calico-system:calico-typha', 'clusterinformations.crd.projectcalico.org', '', '', true],
    // These controllers write what they have assigned to the object itself.
    ['openshift-ovn-kubernetes:ovn-kubernetes-control-plane', 'egressips.k8s.ovn.org', '', '', true],
    ['kube-system:antrea-controller', 'egresses.crd.antrea.io', '', '', true],
    ['kube-system:antrea-controller', 'clusternetworkpolicies.crd.antrea.io', '', '', false],
    ['kube-system:cilium-operator', 'ciliumcidrgroups.cilium.io', '', '', true],
    ['kube-system:ovn', 'ovn-eips.kubeovn.io', '', '', true],
    ['kuma-system:kuma-control-plane', 'meshes.kuma.io', '', '', true],
    ['mesh:robot', 'ciliumclusterwidenetworkpolicies.cilium.io', '', '', true],
    ['mesh:robot', 'virtualservices.networking.istio.io', '', 'acme-web', false],
  ];
  for (const [user, written, subresource, namespace, may] of rows) {
    const [resource = '', ...group] = written.split('.');
    const write = { group: group.join('.'), resource, subresource, namespace };
    const asked = { username: `system:serviceaccount:${user}`, groups: [] };
    t.equal(isAgentsWrite(asked, write), may, `${user} ${written} ${subresource} ${namespace}`);
  }
});

t.test('the tables agree', async (t) => {
  for (const name of platformKinds.keys()) {
    const group = name.slice(name.indexOf('.') + 1);
    t.ok(policyGroupNames.has(group), name);
  }
  t.equal(policyGroups.length, policyGroupNames.size, 'each group stands once');
  for (const { groups } of builtInAgents) for (const group of groups) t.ok(policyGroupNames.has(group), group);
});

t.test('the pages name every group and every account', async (t) => {
  const page = readFileSync('docs/checks/unknown-policy-kind.md', 'utf8');
  for (const { group } of policyGroups) t.ok(page.includes(`\`${group}\``), group);
  const accounts = readFileSync('docs/how-to/network-plugins.md', 'utf8');
  for (const { groups, subjects, every } of builtInAgents) {
    const names = subjects.map((one) => `\`${one.kind === 'ServiceAccount' ? `${one.namespace}/` : ''}${one.name}\``);
    const row = `| ${groups.map((group) => `\`${group}\``).join(', ')} | ${names.join(', ')}${every ? ' ¹' : ''} |`;
    t.ok(accounts.includes(row), row);
  }
});

t.test('the tiers of Calico', async (t) => {
  const tiersIn = (network: string) => {
    const parsed = parseSettings(document(`{ network: ${network} }`));
    if (!parsed.ok) throw new Error(problemLines(parsed).join('\n'));
    return [...parsed.value.calicoTiers];
  };
  t.strictSame(tiersIn('{}'), ['default']);
  t.strictSame(tiersIn('{ calico: {} }'), ['default']);
  t.strictSame(tiersIn('{ calico: { tiers: [teams, default] } }'), ['teams', 'default']);
  t.strictSame(tiersIn('{ calico: { tiers: [] } }'), [], 'none at all');
  for (const tiers of ['[Default]', '[a.b]', 'default', "['']"])
    t.match(problemLines(parseSettings(document(`{ network: { calico: { tiers: ${tiers} } } }`))), [
      /spec\.network\.calico\.tiers/,
    ]);
});
