/** Shared services for some tenants, at addresses alone, and such that only policies of the tenants open. */
import t from 'tap';
import { baselineOf } from '../../src/baseline/baseline.ts';
import { parseSelector } from '../../src/kubernetes/parse-selector.ts';
import type { Settings, SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { border, dns, judge, nameLabel, range, settings, tcp, tenant } from './world.ts';

const north = { ...tenant('north'), labels: new Map([['tier', 'build']]) };
const south = tenant('south');
const selecting = (matchLabels: Record<string, string>): SharedService['tenants'] => {
  const parsed = parseSelector({ matchLabels });
  if (!parsed.ok) throw new Error(parsed.reason);
  return { labels: parsed.value };
};
const api: SharedService = {
  name: 'kubernetes-api',
  direction: 'egress',
  ports: [],
  addresses: [],
  endpoints: [
    { address: range('10.96.0.1/32'), ports: [tcp(443)] },
    { address: range('192.168.0.11/32'), ports: [tcp(6443)] },
  ],
  offer: 'policy',
};
const registry: SharedService = {
  name: 'registry',
  direction: 'egress',
  namespace: 'registry',
  podSelector: { matchLabels: { app: 'registry' } },
  ports: [tcp(5000)],
  addresses: [],
};
const where = (owner: Tenant, ...sharedServices: readonly SharedService[]) => {
  const platform = { ...settings.platform, namespaces: new Set(['registry', 'default']) };
  const changed: Settings = { ...settings, platform, sharedServices };
  return { ...border, tenant: owner, namespace: `${owner.name}-web`, tenancy: createTenancy(changed, [north, south]) };
};
const to = (peer: unknown, port: number) => ({ policyTypes: ['Egress'], egress: [{ to: [peer], ports: [{ port }] }] });
const block = (cidr: string) => ({ ipBlock: { cidr } });
const registryPods = {
  namespaceSelector: { matchLabels: { [nameLabel]: 'registry' } },
  podSelector: { matchLabels: { app: 'registry' } },
};
const policiesOf = (owner: Tenant, ...services: readonly SharedService[]) =>
  baselineOf('web', owner, { ...settings, sharedServices: services })
    .map(({ metadata }) => metadata.name)
    .filter((name) => !/-(default-deny|allow-within)$/.test(name));

t.test('a service is for the tenants that it names, or selects by their labels', (t) => {
  for (const tenants of [{ names: new Set(['north']) }, selecting({ tier: 'build' })]) {
    const service = { ...registry, ...(tenants && { tenants }) };
    t.same(judge(to(registryPods, 5000), where(north, service)), [], 'north');
    t.match(judge(to(registryPods, 5000), where(south, service)), [{ verdict: 'escapes' }], 'south');
    t.same(policiesOf(north, service), ['bulkhead-allow-registry']);
    t.same(policiesOf(south, service), []);
  }
  t.same(policiesOf(south, registry), ['bulkhead-allow-registry'], 'for every tenant when nothing is said');
  t.end();
});

t.test('a service at addresses alone is open on the ports of each address', (t) => {
  const open = where(north, api);
  t.same(judge(to(block('10.96.0.1/32'), 443), open), []);
  t.same(judge(to(block('192.168.0.11/32'), 6443), open), []);
  t.match(judge(to(block('10.96.0.1/32'), 6443), open), [{ verdict: 'escapes' }], 'the port of the other');
  t.match(judge(to(block('192.168.0.12/32'), 6443), open), [{ verdict: 'escapes' }], 'the address beside it');
  const some = { ...api, tenants: { names: new Set(['north']) } };
  t.match(judge(to(block('10.96.0.1/32'), 443), where(south, some)), [{ verdict: 'escapes' }], 'another tenant');
  t.end();
});

t.test('policy leaves it to policies of the tenant; baseline opens it in every namespace', (t) => {
  t.same(policiesOf(north, api), []);
  const [, opened] = baselineOf(
    'web',
    { ...north, network: { ...north.network, within: 'none' } },
    {
      ...settings,
      sharedServices: [{ ...api, offer: 'baseline' }],
    },
  );
  t.match(opened, {
    metadata: { name: 'bulkhead-allow-kubernetes-api' },
    spec: {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        { to: [{ ipBlock: { cidr: '10.96.0.1/32' } }], ports: [{ protocol: 'TCP', port: 443 }] },
        { to: [{ ipBlock: { cidr: '192.168.0.11/32' } }], ports: [{ protocol: 'TCP', port: 6443 }] },
      ],
    },
  });
  t.end();
});

t.test('a rule without peers is told the service that its ports are of', (t) => {
  const ports = (...numbers: number[]) => ({ egress: [{ ports: numbers.map((port) => ({ port })) }] });
  const fixOf = (spec: unknown, ...services: readonly SharedService[]) =>
    judge(spec, where(north, ...services))[0]?.fix;
  t.match(
    fixOf(ports(6443), api),
    /; for kubernetes-api write its peers: ipBlock 10\.96\.0\.1\/32 on 443\/TCP and ipBlock 192\.168\.0\.11\/32 on 6443\/TCP, each in a rule of its own$/,
  );
  t.match(fixOf(ports(6443)), /; for the Kubernetes API list its addresses, after the platform has granted them/);
  t.match(fixOf(ports(5000), registry), /; registry is open already, by bulkhead-allow-registry$/);
  t.match(
    fixOf(ports(53), dns),
    'remove the rule, as bulkhead-allow-dns opens dns already; or write its peers: namespaceSelector kubernetes.io/metadata.name: kube-system with podSelector {"matchLabels":{"k8s-app":"kube-dns"}}, or ipBlock 169.254.20.10/32',
  );
  t.notMatch(
    fixOf(ports(53), { ...dns, tenants: { names: new Set(['south']) } }),
    'bulkhead-allow-dns',
    'not for north',
  );
  t.notMatch(fixOf(ports(53), { ...dns, offer: 'policy' }), 'bulkhead-allow-dns', 'not in the baseline');
  t.match(
    judge({ ingress: [{ ports: [{ port: 9121 }] }] }, where(north))[0]?.fix,
    /^remove the rule if it is for pods of the tenant, which bulkhead-allow-within lets in already; else list peers/,
  );
  t.end();
});

t.test('the port of a name server is open by every protocol, as policies of Cilium open it', (t) => {
  const dnsPods = {
    namespaceSelector: { matchLabels: { [nameLabel]: 'kube-system' } },
    podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
  };
  const by = (protocol: string, port: number, peer: unknown = dnsPods) => ({
    policyTypes: ['Egress'],
    egress: [{ to: [peer], ports: [{ protocol, port }] }],
  });
  for (const protocol of ['TCP', 'UDP', 'SCTP']) {
    t.same(judge(by(protocol, 53), where(north, dns)), [], protocol);
    t.same(judge(by(protocol, 53, block('169.254.20.10/32')), where(north, dns)), [], `${protocol}, at its address`);
  }
  t.match(judge(by('SCTP', 54), where(north, dns)), [{ verdict: 'escapes' }], 'another port');
  const udp: SharedService = { ...registry, ports: [{ protocol: 'UDP', first: 53, last: 53 }] };
  t.same(judge(by('SCTP', 53, registryPods), where(north, udp)), [], 'a name server of the platform');
  t.match(
    judge(by('SCTP', 53, registryPods), where(north, { ...registry, ports: [tcp(53)] })),
    [{ verdict: 'escapes' }],
    'what listens on TCP alone is no name server',
  );
  const range: SharedService = { ...registry, ports: [{ protocol: 'UDP', first: 50, last: 60 }] };
  t.match(
    judge(by('SCTP', 53, registryPods), where(north, range)),
    [{ verdict: 'escapes' }],
    'nor is a range of ports',
  );
  const probes: SharedService = { ...udp, direction: 'ingress' };
  const from = { ingress: [{ from: [registryPods], ports: [{ protocol: 'SCTP', port: 53 }] }] };
  t.match(judge(from, where(north, probes)), [{ verdict: 'escapes' }], 'nor who is let in');
  t.match(
    judge({ egress: [{ ports: [{ protocol: 'SCTP', port: 53 }] }] }, where(north, dns))[0]?.fix,
    /^remove the rule, as bulkhead-allow-dns opens dns already/,
  );
  t.end();
});
