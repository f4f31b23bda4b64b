/** What pods may ask for is what the settings, and the grants of their tenant, say. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import type { PodSpec } from '../../src/kubernetes/objects.ts';
import type { Settings, SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { submit } from '../fixtures/review.ts';
import { createWorld, settings } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld('enforce');

/** The findings that a developer of acme is told of a pod. */
async function told(spec: PodSpec, changed: Partial<Settings> = {}) {
  const world = createTenancy({ ...settings, ...changed }, [...tenancy.tenants.values()]);
  const onDefect = (error: unknown) => {
    throw error;
  };
  const review = createAdmission({ tenancy: () => world, namespaces, onDefect });
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'acme-web' }, spec };
  const { status } = await submit(review, { user: cast['acme developer'], operation: 'CREATE', object });
  return findingsIn(status?.message ?? '');
}

const safe = [
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_notsent_lowat',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_slow_start_after_idle',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];
const others = ['kernel.shm_rmid_forced', 'kernel/shm_rmid_forced', 'fs.mqueue.msg_max', 'kernel.net.x', 'network'];
const unsafe = [
  'net.core.somaxconn',
  'net.ipv4.conf.all.accept_local',
  'net.ipv4.conf.eth0/100.rp_filter',
  'net/ipv4/conf/eth0.100/rp_filter',
  'net.ipv4.ip_forward',
  'net.ipv4/ip_forward',
  'net/ipv4.ip_forward',
  'net.ipv4.tcp_syncookies.x',
  'net.ipv6.conf.default.accept_ra',
  'net.netfilter.nf_conntrack_max',
  'net.constructor',
];

t.test('kernel settings of the network are the safe ones and those that the platform allows (POD-04)', async (t) => {
  const asks = (name: string, sysctls: readonly string[] = []) =>
    told({ securityContext: { sysctls: [{ name }] } }, { pods: { ...settings.pods, sysctls: new Set(sysctls) } });
  for (const name of [...safe, ...others]) {
    t.strictSame(await asks(name), [], `${name} is admitted`);
    t.strictSame(await asks(name.replaceAll('.', '/')), [], `${name} is admitted with slashes`);
  }
  for (const name of unsafe) {
    const found = await asks(name);
    t.match(found, [{ check: 'sysctls', path: 'spec.securityContext.sysctls[0].name' }], `${name} is refused`);
    t.equal(found.length, 1);
  }
  for (const name of ['net.core.somaxconn', 'net/core/somaxconn']) {
    t.strictSame(await asks(name, ['net.core.somaxconn']), [], `${name} is admitted where it is allowed`);
  }
});

function service(direction: SharedService['direction'], protocol: 'TCP' | 'UDP', port: number): SharedService {
  const addresses = [range('169.254.20.10/32')];
  return { ...dns, direction, ports: [{ protocol, first: port, last: port }], addresses };
}

const dns: SharedService = {
  name: 'dns',
  direction: 'egress',
  namespace: 'kube-system',
  podSelector: {},
  ports: [],
  addresses: [],
};

function range(text: string) {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

const management = {
  name: 'management network',
  range: range('203.0.113.128/25'),
  text: '203.0.113.128/25',
  kind: 'cluster',
} as const;
const apiServer = { name: 'API server', range: range('10.96.0.1/32'), text: '10.96.0.1/32', kind: 'cluster' } as const;

t.test('name servers are those that the tenant may reach (POD-05)', async (t) => {
  const rows: readonly [what: string, server: string, why: string | undefined, changed?: Partial<Settings>][] = [
    ['the pod itself', '127.0.0.53', undefined],
    ['the pod itself, in IPv6', '0:0:0:0:0:0:0:1', undefined],
    ['the pod itself, mapped', '::ffff:127.0.0.1', undefined],
    ['a Service', '10.96.0.10', undefined],
    ['a pod', '10.244.3.7', undefined],
    ['a granted address', '203.0.113.53', undefined],
    ['a granted address, mapped', '::ffff:203.0.113.53', undefined],
    ['a neighbour of what was granted', '203.0.114.0', '^is 203.0.114.0, which network.egress of acme does not'],
    ['an address outside', '2606:4700:4700::1111', '^is 2606:4700:4700::1111, which network.egress of acme'],
    [
      'an address outside, mapped',
      '::ffff:8.8.8.8',
      '^is 8.8.8.8, which network.egress of acme does not grant at 53/UDP$',
    ],
    ['a node', '192.168.0.1', '^is 192.168.0.1, an address of the node network$'],
    ['a link-local address', 'fe80::1', '^is fe80::1, an address of the link-local network$'],
    ['leading zeros', '010.96.0.10', '^"010.96.0.10" is not an address that all programs read alike$'],
    ['no address', 'dns.example', '^"dns.example" is not an address'],
    ['a range', '10.96.0.0/12', '^"10.96.0.0/12" is not an address'],
    ['a DNS cache on the node', '169.254.20.10', '^is 169.254.20.10, an address of the metadata service$'],
    ['one that is listed', '169.254.20.10', undefined, { sharedServices: [service('egress', 'UDP', 53)] }],
    ['its neighbour', '169.254.20.11', 'metadata', { sharedServices: [service('egress', 'UDP', 53)] }],
    ['one at another port', '169.254.20.10', 'metadata', { sharedServices: [service('egress', 'UDP', 5300)] }],
    ['one that only asks', '169.254.20.10', 'metadata', { sharedServices: [service('ingress', 'UDP', 53)] }],
    ['a protected part of what was granted', '203.0.113.200', 'management network', { protectedRanges: [management] }],
    [
      'a protected Service',
      '10.96.0.1',
      '^is 10.96.0.1, an address of the API server$',
      { protectedRanges: [...settings.protectedRanges, apiServer] },
    ],
    [
      'a Service, where nobody has said which addresses those are',
      '10.96.0.10',
      '^is 10.96.0.10, which network.egress of acme does not grant at 53/UDP$',
      { protectedRanges: [] },
    ],
  ];
  for (const [what, server, why, changed] of rows) {
    const found = await told({ dnsConfig: { nameservers: [server] } }, changed);
    const expected = { check: 'name-servers', path: 'spec.dnsConfig.nameservers[0]' };
    t.match(found, why === undefined ? [] : [{ ...expected, why: new RegExp(why) }], `${what}: ${server}`);
    t.equal(found.length, why === undefined ? 0 : 1, what);
  }
});

t.test('runtime classes are free until the platform lists them (POD-17)', async (t) => {
  const rows: readonly [what: string, classes: readonly string[] | undefined, fix: string | undefined][] = [
    ['no list', undefined, undefined],
    ['a list with it', ['gvisor', 'kata'], undefined],
    ['a list without it', ['gvisor'], 'remove runtimeClassName, or name one of these: gvisor'],
    ['an empty list', [], 'remove runtimeClassName'],
    [
      'a long list',
      ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
      'remove runtimeClassName, or name one of these: a, b, c, d, e and 2 more',
    ],
  ];
  for (const [what, classes, fix] of rows) {
    const pods = { ...settings.pods, runtimeClasses: classes && new Set(classes) };
    const found = await told({ runtimeClassName: 'kata' }, { pods });
    t.match(found, fix === undefined ? [] : [{ check: 'runtime-class', path: 'spec.runtimeClassName', fix }], what);
    t.equal(found.length, fix === undefined ? 0 : 1, what);
  }
});

t.test('in every container, probe and hook the kubelet connects to the pod alone (POD-21)', async (t) => {
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const place of [
      'livenessProbe',
      'readinessProbe',
      'startupProbe',
      'lifecycle.postStart',
      'lifecycle.preStop',
    ]) {
      for (const action of ['httpGet', 'tcpSocket']) {
        const [probe = '', hook] = place.split('.');
        for (const host of ['10.0.0.1', '127.0.0.1', 'localhost', ' ', '', null, undefined]) {
          const handler = { [action]: { host, port: 80 } };
          const container = { name: 'main', [probe]: hook === undefined ? handler : { [hook]: handler } };
          const found = await told({ [list]: [{ name: 'first' }, container] });
          const path = `spec.${list}[1].${place}.${action}.host`;
          t.strictSame(
            found.map((finding) => [finding.check, finding.path]),
            host ? [['probe-host', path]] : [],
            `${path}: ${host}`,
          );
        }
      }
    }
  }
  t.strictSame(await told({ containers: [{ name: 'main', livenessProbe: null, lifecycle: null }] }), []);
});

t.test('a host is shown in quotes and shortened', async (t) => {
  const host = `${'x'.repeat(100)}\n`;
  const [finding] = await told({ containers: [{ name: 'main', livenessProbe: { httpGet: { host } } }] });
  t.match(finding?.why, `is "${'x'.repeat(60)}...": `);
});
