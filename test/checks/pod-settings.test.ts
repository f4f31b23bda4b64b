/** What pods may ask for is what the settings, and the grants of their tenant, say. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import type { PodSpec, ResourceRequirements, Toleration, Volume } from '../../src/kubernetes/objects.ts';
import type { Settings, SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { submit } from '../fixtures/review.ts';
import { createWorld, settings } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld('enforce');

/** The findings that a developer of acme is told of a pod. */
function told(spec: PodSpec, changed: Partial<Settings> = {}) {
  return findingsOf(spec, changed);
}

/** @param declared acme, where it is another than in the examples */
async function findingsOf(spec: PodSpec, changed: Partial<Settings>, declared?: Tenant) {
  const tenants = [...tenancy.tenants.values()].map((tenant) => (tenant.name === declared?.name ? declared : tenant));
  const world = createTenancy({ ...settings, ...changed }, tenants);
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

t.test(
  'the node mounts from addresses that the tenant may reach, and by drivers that it may use (POD-23)',
  async (t) => {
    const rows: readonly [what: string, volume: Volume, why: string | undefined, changed?: Partial<Settings>][] = [
      ['a granted server', { nfs: { server: '203.0.113.9' } }, undefined],
      ['translated', { nfs: { server: '64:ff9b::203.0.113.9' } }, undefined],
      ['mapped', { nfs: { server: '::ffff:203.0.113.9' } }, ' is not an address'],
      ['mapped, in another spelling', { nfs: { server: '0:0::FFFF:cb00:7109' } }, ' is not an address'],
      [
        'a neighbour',
        { nfs: { server: '203.0.114.0' } },
        '^is 203.0.114.0, which network.egress of acme does not grant at',
      ],
      ['with a port', { nfs: { server: '203.0.113.9:2049' } }, ' is not an address'],
      ['in brackets', { nfs: { server: '[64:ff9b::203.0.113.9]' } }, ' is not an address'],
      ['none', { nfs: {} }, '^"" is not an address'],
      ['leading zeros', { nfs: { server: '203.0.113.09' } }, ' is not an address'],
      ['the loopback, translated', { nfs: { server: '64:ff9b::127.8.8.8' } }, 'where the node itself answers$'],
      ['the loopback of IPv6', { nfs: { server: '::1' } }, 'where the node itself answers$'],
      ['no address at all', { nfs: { server: '0.0.0.0' } }, 'where the node itself answers$'],
      ['nor that of IPv6', { nfs: { server: '::' } }, 'where the node itself answers$'],
      ['link-local', { nfs: { server: 'fe80::1' } }, 'an address of the link-local network'],
      ['a zone', { nfs: { server: 'fe80::1%eth0' } }, ' is not an address'],
      ['two', { nfs: { server: '203.0.113.9,10.96.0.10' } }, ' is not an address'],
      ['a portal', { iscsi: { targetPortal: '203.0.113.9' } }, undefined],
      ['with its port', { iscsi: { targetPortal: '203.0.113.9:860' } }, undefined],
      ['translated', { iscsi: { targetPortal: '[64:ff9b::203.0.113.9]:3260' } }, undefined],
      ['without brackets', { iscsi: { targetPortal: '64:ff9b::cb00:7109' } }, ' is not an address'],
      ['with a group', { iscsi: { targetPortal: '203.0.113.9:3260,1' } }, ' is not an address'],
      ['a port that is none', { iscsi: { targetPortal: '203.0.113.9:65536' } }, ' is not an address'],
      ['a path', { rbd: { monitors: ['203.0.113.9:6789:/'] } }, ' is not an address'],
      ['monitors', { rbd: { monitors: ['203.0.113.9', '203.0.113.10:6789'] } }, undefined],
      [
        'one of the ports of a monitor',
        { cephfs: { monitors: ['169.254.20.10'] } },
        'metadata',
        { sharedServices: [service('egress', 'TCP', 6789)] },
      ],
      [
        'that port',
        { cephfs: { monitors: ['169.254.20.10:6789'] } },
        undefined,
        { sharedServices: [service('egress', 'TCP', 6789)] },
      ],
      [
        'a service at UDP',
        { nfs: { server: '169.254.20.10' } },
        'metadata',
        { sharedServices: [service('egress', 'UDP', 2049)] },
      ],
      ['at TCP', { nfs: { server: '169.254.20.10' } }, undefined, { sharedServices: [service('egress', 'TCP', 2049)] }],
      [
        'a family that is not listed',
        { nfs: { server: '203.0.113.9' } },
        'which may be an address of the cluster, as the settings do not list its IPv4 pod',
        { unlistedFamilies: [4] },
      ],
      [
        'a driver for all',
        { csi: { driver: 'a.example' } },
        undefined,
        drivers([{ driver: 'a.example', tenants: undefined }]),
      ],
      [
        'for this tenant',
        { csi: { driver: 'a.example' } },
        undefined,
        drivers([{ driver: 'a.example', tenants: new Set(['acme']) }]),
      ],
      [
        'for another',
        { csi: { driver: 'a.example' } },
        'does not allow acme',
        drivers([{ driver: 'a.example', tenants: new Set(['beta']) }]),
      ],
      [
        'for this one as well',
        { flexVolume: { driver: 'example/a' } },
        undefined,
        drivers([
          { driver: 'example/a', tenants: new Set(['beta']) },
          { driver: 'example/a', tenants: new Set(['acme']) },
        ]),
      ],
      [
        'a share of Azure',
        { azureFile: {} },
        undefined,
        drivers([{ driver: 'file.csi.azure.com', tenants: undefined }]),
      ],
      ['no driver', { csi: {} }, 'names driver ""'],
      ['none listed', { csi: { driver: 'csi.cert-manager.io' } }, 'does not allow acme', drivers([])],
      ['glusterfs', { glusterfs: {} }, 'names no address'],
      ['gitRepo', { gitRepo: {} }, 'names no address'],
      ['quobyte', { quobyte: {} }, 'names no address'],
      ['scaleIO', { scaleIO: {} }, 'names no address'],
      ['storageos', { storageos: {} }, 'names no address'],
      [
        'null',
        { nfs: null, iscsi: null, cephfs: null, rbd: null, csi: null, flexVolume: null, azureFile: null },
        undefined,
      ],
    ];
    for (const [what, volume, why, changed] of rows) {
      const found = await told({ volumes: [{ name: 'data', ...volume }] }, changed);
      t.match(found, why === undefined ? [] : [{ check: 'network-volumes', why: new RegExp(why) }], what);
      t.equal(found.length, why === undefined ? 0 : 1, `${what}: ${JSON.stringify(volume)}`);
    }
  },
);

function drivers(csiDrivers: Settings['pods']['csiDrivers']): Partial<Settings> {
  return { pods: { ...settings.pods, csiDrivers } };
}

t.test('the internet grants no volume, a range of it does (POD-23)', async (t) => {
  const acme = tenancy.tenants.get('acme') ?? undeclaredTenant('acme');
  const everywhere = { cidr: 'internet', except: [], ports: [] } as const;
  const file = {
    cidr: range('198.51.101.0/24'),
    except: [],
    ports: [{ protocol: 'TCP', first: 2049, last: 2049 }],
  } as const;
  const volumes = [{ name: 'data', nfs: { server: '198.51.101.7' } }];
  const told = (egress: Tenant['network']['egress']) =>
    findingsOf({ volumes }, {}, { ...acme, network: { ...acme.network, egress } });
  t.match(await told([everywhere]), [{ why: /as part of the internet alone/, fix: /in network.egress of acme$/ }]);
  t.strictSame(await told([everywhere, file]), []);
  t.strictSame(await told([file]), []);
});

t.test('reserved taints are tolerated by those that the settings list, all others by everybody (POD-24)', async (t) => {
  const mine = new Set(['acme']);
  const others = new Set(['beta']);
  const tolerations: Settings['pods']['tolerations'] = [
    { key: 'platform', value: undefined, tenants: new Set() },
    { key: 'mine', value: undefined, tenants: mine },
    { key: 'theirs', value: undefined, tenants: others },
    { key: 'by-value', value: 'acme', tenants: mine },
    { key: 'by-value', value: 'beta', tenants: others },
    { key: 'by-value', value: 'both', tenants: others },
    { key: 'by-value', value: 'both', tenants: mine },
    { key: 'by-value', value: '', tenants: mine },
    { key: 'mixed', value: 'beta', tenants: others },
    { key: 'mixed', value: undefined, tenants: mine },
  ];
  const rows: readonly [Toleration, why?: string, fix?: string][] = [
    [{ key: 'free', operator: 'Exists' }],
    [{ key: 'constructor', operator: 'Exists' }],
    [{ key: 'platform', value: 'x' }, '^tolerates platform=x, which the platform reserves and has not given acme$'],
    [{ key: 'mine', operator: 'Exists' }],
    [
      { key: 'theirs', operator: 'Equal', value: 'x' },
      '^tolerates theirs=x,',
      '^remove it; or ask the platform to list acme in',
    ],
    [{ key: 'by-value', value: 'acme' }],
    [{ key: 'by-value' }],
    [{ key: 'by-value', operator: 'Equal', value: 'both' }],
    [{ key: 'by-value', value: 'beta' }, 'by-value=beta', ' with a value of acme: acme, both and ""; or ask'],
    [{ key: 'by-value', value: 'constructor' }, 'by-value=constructor'],
    [{ key: 'by-value', operator: 'Exists' }, '^tolerates more than one value of by-value,'],
    [{ key: 'by-value', operator: 'Gt', value: '1' }, '^tolerates more than one value of by-value,'],
    [{ key: 'mixed', operator: 'Exists' }],
    [{ key: 'mixed', value: 'beta' }],
    [{ operator: 'Exists' }, '^tolerates every taint, also'],
    [{ key: '', operator: 'Exists', effect: 'NoExecute' }, '^tolerates every taint with effect NoExecute, also'],
    [{ key: null, operator: null }, '^tolerates every taint'],
  ];
  for (const [asked, why, fix = ''] of rows) {
    const found = await told({ tolerations: [asked] }, { pods: { ...settings.pods, tolerations } });
    const expected = {
      check: 'tolerations',
      path: 'spec.tolerations[0]',
      why: new RegExp(why ?? ''),
      fix: new RegExp(fix),
    };
    t.match(found, why === undefined ? [] : [expected], JSON.stringify(asked));
    t.equal(found.length, why === undefined ? 0 : 1, JSON.stringify(asked));
  }
});

t.test('reserved devices are for those that the settings list, all others for everybody (POD-26)', async (t) => {
  const devices: Settings['pods']['devices'] = [
    { resource: 'example.com/nic', deviceClass: undefined, tenants: new Set(['beta']) },
    { resource: 'example.com/fpga', deviceClass: undefined, tenants: new Set(['beta']) },
    { resource: 'example.com/fpga', deviceClass: undefined, tenants: new Set(['acme']) },
    { resource: 'example.com/bus', deviceClass: undefined, tenants: new Set() },
  ];
  const requests = { cpu: 1, memory: '1Mi' };
  const rows: readonly [what: string, resources: ResourceRequirements | null, place?: string][] = [
    ['none', null],
    ['one that is free', { requests: { ...requests, 'example.com/gpu': 1, 'hugepages-2Mi': '2Mi' } }],
    ['a name of JavaScript', { requests: { ...requests, constructor: 1 } }],
    ['its own', { requests, limits: { 'example.com/fpga': '1' } }],
    ['one of another', { requests, limits: { 'example.com/nic': 1 } }, 'limits[example.com/nic]'],
    ['one of the platform', { requests: { ...requests, 'example.com/bus': '1' } }, 'requests[example.com/bus]'],
    [
      'twice',
      { limits: { 'example.com/nic': '1' }, requests: { ...requests, 'example.com/nic': '1' } },
      'limits[example.com/nic]',
    ],
    [
      'in requests',
      { limits: { 'example.com/nic': '0' }, requests: { ...requests, 'example.com/nic': '1' } },
      'requests[example.com/nic]',
    ],
    ['none of it', { limits: { 'example.com/nic': 0 }, requests: { ...requests, 'example.com/nic': '0' } }],
  ];
  for (const [what, resources, place] of rows) {
    const pods = { ...settings.pods, devices };
    const found = (await told({ containers: [{ name: 'main', resources }] }, { pods })).map(({ check, path }) => [
      check,
      path,
    ]);
    const path = `spec.containers[0].resources.${place}`;
    t.strictSame(found, place === undefined ? [] : [['reserved-devices', path]], what);
  }
});

t.test('claims are free unless they may be of a class of others (POD-26)', async (t) => {
  const acme = tenancy.tenants.get('acme') ?? undeclaredTenant('acme');
  const of = (deviceClass: string, ...tenants: string[]) => ({
    resource: undefined,
    deviceClass,
    tenants: new Set(tenants),
  });
  const quota = (hard: object) => ({ ...acme, resourceQuota: { hard } });
  const none = { 'nic.deviceclass.resource.k8s.io/devices': '0' };
  const rows: readonly [
    what: string,
    devices: Settings['pods']['devices'],
    why?: string | undefined,
    tenant?: Tenant,
  ][] = [
    ['no class is reserved', [{ ...of('x'), resource: 'a/b', deviceClass: undefined }]],
    ['one is its own', [of('nic', 'beta'), of('nic', 'acme')]],
    ['one is for others', [of('gpu', 'acme'), of('nic', 'beta')], 'of class nic, which'],
    ['and its quota has none', [of('gpu', 'acme'), of('nic', 'beta')], undefined, quota(none)],
    ['or some', [of('nic', 'beta')], 'of class nic, which', quota({ 'nic.deviceclass.resource.k8s.io/devices': '1' })],
    ['two are', [of('nic', 'beta'), of('rdma')], 'of class nic and rdma, which'],
    ['one of the two has a quota', [of('nic', 'beta'), of('rdma')], 'of class rdma, which', quota(none)],
  ];
  for (const [what, devices, why, tenant] of rows) {
    const found = await findingsOf(
      { resourceClaims: [{ name: 'a' }] },
      { pods: { ...settings.pods, devices } },
      tenant,
    );
    t.match(
      found,
      why === undefined ? [] : [{ check: 'reserved-devices', path: 'spec.resourceClaims', why: new RegExp(why) }],
      what,
    );
    t.equal(found.length, why === undefined ? 0 : 1, what);
  }
});
