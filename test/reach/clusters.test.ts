/** Clusters of a mesh of Cilium that a CiliumNetworkPolicy names: the own one, and those for which the platform grants something. */
import t from 'tap';
import { ciliumNetworkPolicy } from '../../src/kinds/cilium-network-policy/cilium-network-policy.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import { overBroadSelectors } from '../../src/reach/over-broad.ts';
import type { Border } from '../../src/reach/violation.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { acme, beta, border, dns, gate, label, nameLabel, settings, tcp, tenant } from './world.ts';

const key = 'io.cilium.k8s.policy.cluster';
const ofNamespace = (name: string) => `k8s:io.cilium.k8s.namespace.labels.${name}`;
const west = new Set(['west']);

function where({
  network = {},
  ...changed
}: Partial<Settings> & { network?: Partial<Tenant['network']> } = {}): Border {
  const own = { ...acme, network: { ...acme.network, ...network } };
  return { ...border, tenant: own, tenancy: createTenancy({ ...settings, ...changed }, [own, beta, tenant('gamma')]) };
}

const rule = (clusters: readonly string[], labels: Record<string, string> = {}, port = 5432) => ({
  toEndpoints: [{ matchLabels: labels, matchExpressions: [{ key, operator: 'In', values: clusters }] }],
  toPorts: [{ ports: [{ port: String(port), protocol: 'TCP' }] }],
});

function read(egress: object) {
  const policy = {
    metadata: { name: 'asked', namespace: 'acme-web' },
    spec: { endpointSelector: {}, egress: [egress] },
  };
  return ciliumNetworkPolicy.read(JSON.parse(JSON.stringify(policy)));
}

const judged = (egress: object, at: Border) => ciliumNetworkPolicy.worded(judgeBorder(read(egress), at), at);

t.test("a cluster whose namespaces are the tenant's own is no example of a stranger in a NetworkPolicy", (t) => {
  const podSelector = { matchLabels: { 'io.cilium.k8s.policy.cluster': 'west' } };
  const read = readNetworkPolicy({ spec: { egress: [{ to: [{ podSelector }] }] } });
  const told = (at: Border) => judgeBorder(read, at).map(({ verdict, witness }) => [verdict, witness]);
  t.same(told(where()), [['escapes', 'a pod of the cluster west in the same mesh']]);
  t.same(told(where({ network: { clusters: west } })), [['unproven', undefined]], 'it is granted to the tenant');
  t.same(told(where({ clusterName: 'west' })), [['unproven', undefined]], 'it is this cluster');
  t.end();
});

t.test('the own cluster may be named where the settings know its name', (t) => {
  t.same(judged(rule(['here']), where({ clusterName: 'here' })), [], 'the own namespace');
  const ours = { [ofNamespace(label)]: 'acme' };
  t.same(judged(rule(['here'], ours), where({ clusterName: 'here' })), [], 'the own tenant');
  t.match(judged(rule(['here'], { [ofNamespace(label)]: 'gamma' }), where({ clusterName: 'here' })), [
    { verdict: 'escapes', reason: /^matches namespaces of tenant "gamma"/ },
  ]);
  t.match(
    judged(rule(['here']), where()),
    [{ verdict: 'escapes', fix: /if it is the own one, ask for network\.clusterName/ }],
    'nobody knows its name',
  );
  t.match(
    judged(rule(['here', 'west']), where({ clusterName: 'here' })),
    [
      {
        verdict: 'escapes',
        witness: 'a pod of the cluster west in the same mesh',
        fix: /network\.clusters of tenant acme/,
      },
    ],
    'and another one',
  );
  t.end();
});

t.test('the own tenant is in the clusters that are listed for it', (t) => {
  const at = where({ network: { clusters: west } });
  t.same(judged(rule(['west']), at), [], 'the namespace of the same name');
  t.same(judged(rule(['west'], { [ofNamespace(label)]: 'acme' }), at), []);
  t.same(judged(rule(['west'], { [ofNamespace(nameLabel)]: 'acme-data' }), at), [], 'a reserved name');
  t.match(judged(rule(['north']), at), [
    { verdict: 'escapes', witness: 'a pod of the cluster north in the same mesh' },
  ]);
  t.match(judged(rule(['west'], { [ofNamespace(label)]: 'gamma' }), at), [
    { verdict: 'escapes', reason: /, in the cluster west$/, witness: 'a pod of the cluster west in the same mesh' },
  ]);
  t.match(judged(rule(['west'], { [ofNamespace('env')]: 'x' }), at), [{ verdict: 'escapes' }]);
  t.match(judged(rule(['west'], { [ofNamespace(nameLabel)]: 'shop' }), at), [{ verdict: 'escapes' }], 'no assumption');
  t.end();
});

t.test('a gate and a shared service hold in the clusters that they list', (t) => {
  const theirs = { [ofNamespace(label)]: 'beta' };
  const gates = [{ ...gate('beta', 'egress', [tcp(5432)]), clusters: west }, gate('beta', 'egress', [tcp(9000)])];
  t.same(judged(rule(['west'], theirs), where({ network: { gates } })), []);
  t.match(
    judged(rule(['west'], theirs, 9000), where({ network: { gates } })),
    [{ verdict: 'escapes' }],
    'another gate',
  );
  t.match(judged(rule(['north'], theirs), where({ network: { gates } })), [{ verdict: 'escapes' }], 'another cluster');
  t.match(
    judged(rule(['north'], theirs), where({ network: { gates, clusters: new Set(['north']) } })),
    [
      {
        reason: /the gate of acme for egress does not list that cluster, in the cluster north$/,
        fix: /list north in /,
      },
    ],
    'another cluster in which the tenant is, too',
  );
  const expired = [{ ...gate('beta', 'egress', [tcp(5432)]), clusters: west, expires: 0 }];
  t.match(judged(rule(['west'], theirs), where({ network: { gates: expired, clusters: west } })), [
    { reason: /has expired, in the cluster west$/ },
  ]);
  const names = { [ofNamespace(nameLabel)]: 'kube-system', 'k8s-app': 'kube-dns' };
  const sharedServices = [{ ...dns, clusters: west }];
  t.same(judged(rule(['west'], names, 53), where({ sharedServices })), []);
  t.match(judged(rule(['west'], names, 53), where()), [{ verdict: 'escapes' }]);
  t.end();
});

t.test('a half that was agreed on by requests completes no gate of another cluster', (t) => {
  const theirs = { [ofNamespace(label)]: 'beta' };
  const agreed = { agreed: true, expires: border.now + 1 } as const;
  const own = {
    ...acme,
    network: { ...acme.network, gates: [{ ...gate('beta', 'egress', [tcp(5432)]), clusters: west }] },
  };
  const partner = tenant('beta', { gates: [{ ...gate('acme', 'ingress', [tcp(5432)]), ...agreed }] });
  const at = { ...border, tenant: own, tenancy: createTenancy(settings, [own, partner]) };
  t.match(judged(rule(['west'], theirs), at), [
    { verdict: 'escapes', reason: /the other half of the gate is missing: .* 5432\/TCP, in the cluster west$/ },
  ]);
  const declared = tenant('beta', { gates: [gate('acme', 'ingress', [tcp(5432)])] });
  t.same(judged(rule(['west'], theirs), { ...at, tenancy: createTenancy(settings, [own, declared]) }), []);
  t.end();
});

t.test('a label that is trusted here proves nothing there, and nothing is narrowed there', (t) => {
  const trustedLabels = new Map([['group', new Map([['dns', new Set(['kube-system'])]])]]);
  const at = { ...where({ trustedLabels, network: { clusters: west } }), isKept: () => true };
  t.match(judged(rule(['west'], { [ofNamespace('group')]: 'dns' }, 53), at), [{ verdict: 'unproven' }]);
  const wide = { [ofNamespace('env')]: 'x' };
  t.equal(overBroadSelectors(read({ ...rule([], wide, 1234), toEndpoints: [{ matchLabels: wide }] }), at).length, 1);
  t.equal(overBroadSelectors(read(rule(['west'], wide, 1234)), at).length, 0);
  t.end();
});

t.test('clusters with the same grants are judged once, however many a selector names', (t) => {
  const granted = Array.from({ length: 60 }, (_, index) => `granted-${index}`);
  const at = where({ clusterName: 'here', network: { clusters: new Set(['west', ...granted]) } });
  let looks = 0;
  const counted: Border = {
    ...at,
    tenancy: Object.create(at.tenancy, {
      settings: {
        get() {
          looks++;
          return at.tenancy.settings;
        },
      },
    }),
  };
  const dead = { [ofNamespace(nameLabel)]: 'Never' };
  const all = (count: number) => ['here', 'west', ...Array.from({ length: count }, (_, index) => `other-${index}`)];
  t.match(judgeBorder(read(rule(all(0), dead)), counted), [{ verdict: 'nothing' }]);
  const few = looks;
  looks = 0;
  t.match(judgeBorder(read(rule(all(10_000), dead)), counted), [{ verdict: 'nothing' }]);
  t.ok(few > 0 && looks <= 2 * few, `${looks} looks at the settings, and ${few} for two clusters`);
  const ours = { [ofNamespace(nameLabel)]: 'acme-data' };
  looks = 0;
  t.same(judgeBorder(read(rule(['west'], ours)), counted), []);
  const one = looks;
  looks = 0;
  t.same(judgeBorder(read(rule(['west', ...granted], ours)), counted), []);
  t.ok(one > 0 && looks <= 2 * one, `${looks} looks at the settings, and ${one} for one cluster`);
  t.match(
    judgeBorder(read(rule(['west', ...granted, 'north'], ours)), counted),
    [{ verdict: 'escapes', witness: 'a pod of the cluster north in the same mesh' }],
    'each that has other grants is judged',
  );
  const gates = [{ ...gate('beta', 'egress', [tcp(5432)]), clusters: west }];
  const mixed = where({ network: { gates, clusters: new Set(['west', 'north']) } });
  t.match(
    judged(rule(['west', 'north'], { [ofNamespace(label)]: 'beta' }), mixed),
    [{ verdict: 'escapes', witness: 'a pod of the cluster north in the same mesh' }],
    'a gate in one of them',
  );
  const shared = where({
    sharedServices: [{ ...dns, clusters: west }],
    network: { clusters: new Set(['west', 'north']) },
  });
  t.match(
    judged(rule(['west', 'north'], { [ofNamespace(nameLabel)]: 'kube-system', 'k8s-app': 'kube-dns' }, 53), shared),
    [{ verdict: 'escapes', witness: 'a pod of the cluster north in the same mesh' }],
    'a service in one of them',
  );
  t.end();
});
