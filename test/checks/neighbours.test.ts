/** What tenants try with Services and routes, and what the API server would refuse already: another version, or a forged review. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { byNamespace } from '../../src/exemptions/load-exemptions.ts';
import { parseExemption } from '../../src/exemptions/parse-exemption.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { UserInfo } from '../../src/kubernetes/user.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { createReview, type Sent, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);
const user = cast['acme developer'];
const metadata = { name: 'x', namespace: 'acme-web' };
type Fields = Readonly<Record<string, unknown>>;
const object = (apiVersion: string, kind: string, fields: Fields): KubernetesObject => ({
  apiVersion,
  kind,
  metadata,
  ...fields,
});
const slice = (addressType: unknown, addresses: unknown, ports: unknown = [{ port: 80 }]) =>
  object('discovery.k8s.io/v1', 'EndpointSlice', { addressType, endpoints: [{ addresses }], ports });
const alias = (externalName: unknown) => object('v1', 'Service', { spec: { type: 'ExternalName', externalName } });
const route = (spec: Fields) => object('gateway.networking.k8s.io/v1', 'HTTPRoute', { spec });
const inHost = (host: unknown) =>
  object('networking.k8s.io/v1', 'Ingress', { spec: { ingressClassName: 'nginx', rules: [{ host }] } });

const addresses: readonly (readonly [sentence: string, type: string, address: unknown, reason: RegExp])[] = [
  [
    'an address of a pod in the form of IPv6',
    'IPv6',
    '::ffff:10.244.3.7',
    /^is 10\.244\.3\.7, an address of the pod network/,
  ],
  ['the same in hexadecimal', 'IPv6', '::ffff:af4:307', /an address of the pod network/],
  ['leading zeros', 'IPv4', '0203.0.113.7', /not an address that all programs read alike/],
  ['three parts', 'IPv4', '127.1', /not an address that all programs read alike/],
  ['a zone', 'IPv6', 'fe80::1%eth0', /not an address that all programs read alike/],
  ['a range', 'IPv4', '203.0.113.0/24', /not an address that all programs read alike/],
  ['blanks', 'IPv4', ' 203.0.113.7', /not an address that all programs read alike/],
  ['the loopback', 'IPv4', '127.0.0.53', /where each program that connects answers itself/],
  ['no address', 'IPv4', '0.0.0.0', /where each program that connects answers itself/],
  ['the loopback of IPv6', 'IPv6', '::1', /where each program that connects answers itself/],
  ['a number in place of a text', 'IPv4', 7, /not an address that all programs read alike/],
  ['the metadata service', 'IPv4', '169.254.169.254', /an address of the metadata service/],
  ['another family than it says', 'IPv6', '10.244.3.7', /an address of the pod network/],
];

const refused: readonly (readonly [sentence: string, object: KubernetesObject, path: string, reason: RegExp])[] = [
  ...addresses.map(
    ([sentence, type, address, reason]) =>
      [sentence, slice(type, [address]), 'endpoints[0].addresses[0]', reason] as const,
  ),
  ['an unknown type of addresses', slice('FQDNv2', ['db.example.org']), 'addressType', /no type of addresses/],
  ['no type of addresses', slice(undefined, ['203.0.113.7']), 'addressType', /no type of addresses/],
  ...['DB.Beta-Data.SVC.Cluster.LOCAL.', 'db.beta-data.svc.cluster.local', 'a.b.db.beta-data.svc.cluster.local.'].map(
    (name) => [name, alias(name), 'spec.externalName', /^leads to namespace beta-data/] as const,
  ),
  ...['127.1', '2130706433', '0x7f.1', '010.0.0.1', '10.0.0.1.'].map(
    (name) => [name, alias(name), 'spec.externalName', /is an address and not a name/] as const,
  ),
  ...['', 'a..b', '*.example.org', 'http://db.example.org', '[::1]', 7].map(
    (name) => [`no name: ${name}`, alias(name), 'spec.externalName', /is not a DNS name/] as const,
  ),
  ['a host in capitals, with a dot', inHost('Beta.Example.COM.'), 'spec.rules[0].host', /reserved for another tenant/],
  ['a star alone', inHost('*'), 'spec.rules[0].host', /includes hosts that are reserved/],
  ['a star in the middle', inHost('a.*.beta.example.com'), 'spec.rules[0].host', /is no host name/],
  ['two stars', inHost('*.*.example.com'), 'spec.rules[0].host', /is no host name/],
  ['a host with a port', inHost('beta.example.com:80'), 'spec.rules[0].host', /is no host name/],
  [
    'a reference in a field that is not known yet',
    route({ hostnames: ['acme.example.com'], later: { deep: [{ targetRef: { name: 'a', namespace: 'gamma-lab' } }] } }),
    'spec.later.deep[0].targetRef.namespace',
    /^leads traffic to namespace gamma-lab/,
  ],
  [
    'a parent that is a Service of another tenant',
    route({
      hostnames: ['acme.example.com'],
      parentRefs: [{ kind: 'Service', group: '', name: 'a', namespace: 'gamma-lab' }],
    }),
    'spec.parentRefs[0].namespace',
    /^attaches to a in namespace gamma-lab/,
  ],
];

for (const [sentence, written, path, reason] of refused)
  t.test(`refused: ${sentence}`, async (t) => {
    const { allowed, status } = await submit(review, { user, operation: 'CREATE', object: written });
    const findings = findingsIn(status?.message ?? '');
    t.notOk(allowed);
    t.ok(
      findings.some((one) => one.path === path && reason.test(one.why)),
      path,
      { findings },
    );
  });

const service = (spec: Fields, more: Fields = {}) => ({ ...object('v1', 'Service', { spec }), ...more });
const selecting = service({ selector: { app: 'web' } });

const changes: readonly (readonly [sentence: string, sent: Partial<Sent>, admitted: boolean])[] = [
  ['an empty selector in place of one', { object: service({ selector: {} }), oldObject: selecting }, false],
  ['a selector that becomes null', { object: service({ selector: null }), oldObject: selecting }, false],
  ['a selector is added', { object: selecting, oldObject: service({}) }, true],
  [
    'the status says what it said before',
    {
      subresource: 'status',
      object: service({}, { status: { loadBalancer: { ingress: [{ ip: '10.96.0.10' }] } } }),
      oldObject: service({}, { status: { loadBalancer: { ingress: [{ ip: '10.96.0.10' }] } } }),
    },
    true,
  ],
  [
    'the status gets a host name',
    {
      subresource: 'status',
      object: service({}, { status: { loadBalancer: { ingress: [{ hostname: 'a.example' }] } } }),
      oldObject: service({}),
    },
    false,
  ],
  [
    'the ports of an address change',
    {
      subresource: 'status',
      object: service({}, { status: { loadBalancer: { ingress: [{ ip: '10.96.0.10', ipMode: 'VIP' }] } } }),
      oldObject: service({}, { status: { loadBalancer: { ingress: [{ ip: '10.96.0.10', ipMode: 'Proxy' }] } } }),
    },
    false,
  ],
  [
    'an owner of a slice with addresses of pods is removed',
    {
      object: slice('IPv4', ['10.244.3.7']),
      oldObject: {
        ...slice('IPv4', ['10.244.3.7']),
        metadata: { ...metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'u' }] },
      },
    },
    false,
  ],
  [
    'a finalizer of such a slice is removed',
    {
      object: slice('IPv4', ['10.244.3.7']),
      oldObject: { ...slice('IPv4', ['10.244.3.7']), metadata: { ...metadata, finalizers: ['example.com/a'] } },
    },
    true,
  ],
];

for (const [sentence, sent, admitted] of changes)
  t.test(`${admitted ? 'admitted' : 'refused'}: ${sentence}`, async (t) => {
    const { allowed, status } = await submit(review, { user, operation: 'UPDATE', ...sent });
    t.equal(allowed, admitted, sentence, { status });
  });

for (const [module, written] of [
  ['services', alias('db.beta-data.svc.cluster.local')],
  ['routes', inHost('beta.example.com')],
] as const)
  t.test(`${module} that are switched off are not judged`, async (t) => {
    const settings = { ...tenancy.settings, [module]: { ...tenancy.settings[module], judged: false } };
    const without = createAdmission({ tenancy: () => ({ ...tenancy, settings }), namespaces, onDefect: () => {} });
    t.equal((await submit(review, { user, operation: 'CREATE', object: written })).allowed, false);
    t.equal((await submit(without, { user, operation: 'CREATE', object: written })).allowed, true);
  });

const strict = createTenancy(
  {
    ...tenancy.settings,
    services: {
      ...tenancy.settings.services,
      externalNames: 'granted',
      loadBalancerSourceRanges: [knownRange('192.0.2.0/24')],
    },
  },
  [...tenancy.tenants.values()],
);
const strictly = createAdmission({ tenancy: () => strict, namespaces, onDefect: () => {} });
const balancer = (loadBalancerSourceRanges?: readonly string[]) =>
  service({
    type: 'LoadBalancer',
    allocateLoadBalancerNodePorts: false,
    selector: { app: 'web' },
    loadBalancerSourceRanges,
  });

const byStrictSettings: readonly (readonly [sentence: string, object: KubernetesObject, reason?: string])[] = [
  ['an alias outside that nothing grants', alias('db.example.org'), 'network.names of acme does not grant it'],
  ['an alias for a Service of its own', alias('web.acme-web.svc.cluster.local')],
  ['a load balancer for every source', balancer(), 'the load balancer is open to every address'],
  ['one for no source', balancer([]), 'the load balancer is open to every address'],
  ['one for sources within', balancer(['192.0.2.0/25', ' 192.0.2.128/25 '])],
  ['one for more', balancer(['192.0.2.0/25', '192.0.0.0/16']), 'lies outside the sources'],
  ['one for every address of IPv6', balancer(['::/0']), 'lies outside the sources'],
  ['a Service without load balancer', selecting],
];

for (const [sentence, written, reason] of byStrictSettings)
  t.test(`with strict settings, ${sentence}`, async (t) => {
    const { allowed, status } = await submit(strictly, { user, operation: 'CREATE', object: written });
    t.equal(allowed, reason === undefined, sentence, { status });
    if (reason !== undefined) t.match(status?.message, reason);
    const free = await submit(review, { user, operation: 'CREATE', object: written });
    t.match(free, { allowed: true }, 'the settings decide');
  });

t.test(
  'the operator of a database may be exempted: it writes the address of its own pod, as Patroni does',
  async (t) => {
    const account = { username: 'system:serviceaccount:acme-web:patroni', groups: [] };
    const parsed = parseExemption({
      value: {
        apiVersion: 'bulkhead.dev/v1alpha1',
        kind: 'Exemption',
        metadata: { name: 'patroni' },
        spec: {
          ...{ tenant: 'acme', namespace: 'acme-web', checks: ['endpoint-addresses'], reason: 'leader', owner: 'dba' },
          match: {
            kinds: ['Endpoints'],
            requesters: [{ kind: 'ServiceAccount', namespace: 'acme-web', name: 'patroni' }],
          },
          expires: '2090-01-01T00:00:00Z',
        },
      },
      locate: unlined('patroni'),
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const exempted = { ...tenancy, exemptions: byNamespace([parsed.value]) };
    const reviewed = createAdmission({ tenancy: () => exempted, namespaces, onDefect: () => {} });
    const leader = object('v1', 'Endpoints', {
      subsets: [{ addresses: [{ ip: '10.244.3.7' }], ports: [{ port: 5432 }] }],
    });
    const send = (user: UserInfo, written: KubernetesObject) =>
      submit(reviewed, { user, operation: 'CREATE', object: written });
    t.match(await send(account, leader), { allowed: true, auditAnnotations: { exemptions: 'patroni' } });
    t.match(await send(user, leader), { allowed: false }, 'no other account');
    t.match(await send(account, slice('IPv4', ['10.244.3.7'])), { allowed: false }, 'no other kind');
  },
);

t.test('an account that the settings list is believed only from a namespace of the platform', async (t) => {
  const listed = (namespace: string) => {
    const controllers = [{ kind: 'ServiceAccount', namespace, name: 'endpoints' } as const];
    const settings = { ...tenancy.settings, services: { ...tenancy.settings.services, controllers } };
    const known = createTenancy(settings, [...tenancy.tenants.values()]);
    const reviewed = createAdmission({ tenancy: () => known, namespaces, onDefect: () => {} });
    const account = { username: `system:serviceaccount:${namespace}:endpoints`, groups: [] };
    return submit(reviewed, { user: account, operation: 'CREATE', object: slice('IPv4', ['10.244.3.7']) });
  };
  t.match(await listed('ingress-nginx'), { allowed: true });
  t.match(await listed('acme-web'), { allowed: false });
});

t.test('SVC-14: the setting decides who joins Services of several clusters', async (t) => {
  const imports = object('multicluster.x-k8s.io/v1alpha1', 'ServiceImport', {
    spec: { type: 'ClusterSetIP', ports: [{ port: 80 }] },
  });
  const giving = (tenants: readonly string[]) => {
    const policyKinds = [{ resource: 'serviceimports.multicluster.x-k8s.io', tenants: new Set(tenants) }];
    const settings = { ...tenancy.settings, policyKinds };
    return createAdmission({ tenancy: () => ({ ...tenancy, settings }), namespaces, onDefect: () => {} });
  };
  const sent = { user, operation: 'CREATE', object: imports } as const;
  t.match(
    (await submit(review, sent)).status?.message,
    'serviceimports.multicluster.x-k8s.io may open or redirect traffic',
  );
  t.match(await submit(giving(['beta']), sent), { allowed: false });
  t.match(await submit(giving(['acme']), sent), { allowed: true });
});

const ofCloud = 'service.beta.kubernetes.io/aws-load-balancer-internal';
const ofGroup = 'alb.ingress.kubernetes.io/group.name';
const byKeys: readonly (readonly [field: 'serviceKeys' | 'routeKeys', entry: string, object: KubernetesObject])[] = [
  [
    'serviceKeys',
    'service.beta.kubernetes.io/',
    {
      ...service({ type: 'ClusterIP', selector: { app: 'web' } }),
      metadata: { ...metadata, annotations: { [ofCloud]: 'true' } },
    },
  ],
  [
    'routeKeys',
    'alb.ingress.kubernetes.io/group.',
    { ...inHost('acme.example.com'), metadata: { ...metadata, annotations: { [ofGroup]: 'shared' } } },
  ],
];

for (const [field, entry, written] of byKeys)
  t.test(`SVC-06: reserved.${field} keeps ${entry} for the platform`, async (t) => {
    const parsed = parseSettings({
      value: {
        ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Settings' },
        spec: { reserved: { [field]: [entry] } },
      },
      locate: unlined('settings'),
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const { reservedServiceKeys, reservedRouteKeys } = parsed.value;
    const known = createTenancy({ ...tenancy.settings, reservedServiceKeys, reservedRouteKeys }, [
      ...tenancy.tenants.values(),
    ]);
    const reviewed = createAdmission({ tenancy: () => known, namespaces, onDefect: () => {} });
    const sent = { user, operation: 'CREATE', object: written } as const;
    t.match(await submit(review, sent), { allowed: true }, 'it is free unless it is listed');
    const { allowed, status } = await submit(reviewed, sent);
    t.equal(allowed, false);
    t.match(status?.message, /metadata\.annotations\[.*\]\n.*would be set.*\n.*\n.*reserved-labels/);
  });

const spelled: readonly (readonly [name: string, reason?: RegExp])[] = [
  ['10-96-0-10.nip.io', /"10-96-0-10.nip.io" is 10\.96\.0\.10, an address of the service network/],
  ['10.96.0.10.nip.io', /is 10\.96\.0\.10, an address of the service network/],
  ['web.10-244-3-7.sslip.io', /is 10\.244\.3\.7, an address of the pod network/],
  ['app-10-244-3-7-x.NIP.io.', /is 10\.244\.3\.7, an address of the pod network/],
  ['1-10-244-3-7.nip.io', /is 10\.244\.3\.7, an address of the pod network/],
  ['0af40307.nip.io', /is 10\.244\.3\.7, an address of the pod network/],
  ['169-254-169-254.sslip.io', /an address of the metadata service/],
  ['127.0.0.1.nip.io', /where each program that connects answers itself/],
  ['--ffff-10-244-3-7.sslip.io', /an address of the pod network/],
  [`${'a-'.repeat(31)}a.nip.io`, /spells so many addresses that nothing proves which one it has/],
  ['1-2-3-4-5-6-7-8.sslip.io'],
  ['203-0-113-9.nip.io'],
  ['www.nip.io'],
  ['a-b.sslip.io'],
  ['300-96-0-10.nip.io'],
  ['10-96-0-10.example.org'],
];

for (const [name, reason] of spelled)
  t.test(
    `SVC-05: the alias ${name} ${reason === undefined ? 'is admitted' : 'spells an address of the cluster'}`,
    async (t) => {
      const { allowed, status } = await submit(review, { user, operation: 'CREATE', object: alias(name) });
      t.equal(allowed, reason === undefined, name, { status });
      if (reason !== undefined) t.match(status?.message, reason);
    },
  );

t.test('an alias spells an address of IPv6 with hyphens', async (t) => {
  const range = {
    ...(tenancy.settings.protectedRanges[0] ?? {}),
    range: knownRange('fd00:1::/64'),
    text: 'fd00:1::/64',
  };
  const send = async (settings: object, name: string) => {
    const known = { ...tenancy, settings: { ...tenancy.settings, ...settings } } as typeof tenancy;
    const reviewed = createAdmission({ tenancy: () => known, namespaces, onDefect: () => {} });
    return (await submit(reviewed, { user, operation: 'CREATE', object: alias(name) })).status?.message ?? 'admitted';
  };
  const listed = { protectedRanges: [...tenancy.settings.protectedRanges, range] };
  t.match(await send(listed, 'fd00-1--10.sslip.io'), 'is fd00:1::10, an address of the pod network');
  t.match(await send(listed, 'a.www-fd00-1--10-x.sslip.io'), 'is fd00:1::10, an address of the pod network');
  t.equal(await send(listed, '2001-db8--10.sslip.io'), 'admitted');
  t.match(await send({ unlistedFamilies: [6] }, '2001-db8--10.sslip.io'), 'may be an address of the cluster');
});

t.test('a route that names no host takes a listener that the platform has given its tenant', async (t) => {
  const tcp = (name: string) =>
    object('gateway.networking.k8s.io/v1', 'TCPRoute', {
      spec: { parentRefs: [{ name, namespace: 'ingress-nginx' }], rules: [] },
    });
  const withRoutes = (gateways: readonly { readonly namespace: string; readonly name: string | undefined }[]) => {
    const tenants = [...tenancy.tenants.values()].map((one) => {
      const { network } = one;
      const none = { hosts: [], ingressClasses: new Set<string>(), gatewayClasses: new Set<string>(), gateways: [] };
      return one.name === 'acme'
        ? { ...one, network: { ...network, routes: { ...(network.routes ?? none), gateways } } }
        : one;
    });
    const known = createTenancy(tenancy.settings, tenants);
    return createAdmission({ tenancy: () => known, namespaces, onDefect: () => {} });
  };
  const sent = (name: string) => ({ user, operation: 'CREATE', object: tcp(name) }) as const;
  const one = withRoutes([{ namespace: 'ingress-nginx', name: 'of-acme' }]);
  t.match(await submit(one, sent('of-acme')), { allowed: true });
  const { allowed, status } = await submit(one, sent('shared'));
  t.equal(allowed, false);
  t.match(status?.message, 'list ingress-nginx/shared in network.routes.gateways of acme');
  t.match(await submit(withRoutes([{ namespace: 'ingress-nginx', name: undefined }]), sent('shared')), {
    allowed: true,
  });
});

t.test('where no hosts are reserved, a route that names none takes a shared listener', async (t) => {
  const routes = { ...tenancy.settings.routes, platformHosts: [] };
  const tenants = [...tenancy.tenants.values()].map((one) => {
    const { routes: _, ...network } = one.network;
    return { ...one, network };
  });
  const known = createTenancy({ ...tenancy.settings, routes }, tenants);
  const reviewed = createAdmission({ tenancy: () => known, namespaces, onDefect: () => {} });
  const parentRefs = [{ name: 'shared', namespace: 'ingress-nginx' }];
  const written = object('gateway.networking.k8s.io/v1', 'TCPRoute', { spec: { parentRefs, rules: [] } });
  t.match(await submit(reviewed, { user, operation: 'CREATE', object: written }), { allowed: true });
  t.match(await submit(review, { user, operation: 'CREATE', object: written }), { allowed: false });
});

const attaching = createAdmission({
  tenancy: () => ({
    ...tenancy,
    settings: { ...tenancy.settings, attachmentTypes: new Set(['ipvlan', 'tuning', 'flannel', 'corp-ipam']) },
  }),
  namespaces,
  onDefect: () => {},
});
const attachments: readonly (readonly [sentence: string, config: string | undefined, reason?: string])[] = [
  ['one plugin that is listed', '{"type":"ipvlan","master":"eth1"}'],
  ['a list of such', '{"cniVersion":"1.0.0","plugins":[{"type":"ipvlan"},{"type":"tuning"}]}'],
  ['another plugin', '{"type":"host-device"}', 'runs the plugin "host-device"'],
  ['another in a list', '{"plugins":[{"type":"ipvlan"},{"type":"macvlan"}]}', 'runs the plugin "macvlan"'],
  ['no plugin', '{"plugins":[]}', 'runs the plugin'],
  ['the config of a node', undefined, 'the config of a node would count'],
  ['no JSON', '{', 'the config of a node would count'],
  ['a type in capitals, which Go reads as well', '{"type":"ipvlan","Type":"bridge"}', 'has the field "Type"'],
  ['such a type in a list', '{"plugins":[{"type":"ipvlan","TYPE":"bridge"}]}', 'has the field "TYPE"'],
  ['a type beside a list', '{"type":"bridge","plugins":[{"type":"ipvlan"}]}', 'runs the plugin "bridge"'],
  ['delegates', '{"type":"ipvlan","delegates":[{"type":"bridge"}]}', 'runs the plugin "bridge"'],
  ['a delegate that is listed', '{"type":"flannel","delegate":{"type":"ipvlan"}}'],
  ['a delegate that is not', '{"type":"flannel","delegate":{"type":"bridge"}}', 'runs the plugin "bridge"'],
  ['a delegate without a type, which is a bridge', '{"type":"flannel","delegate":{}}', 'runs the plugin undefined'],
  ['a delegate in other letters', '{"type":"flannel","Delegate":{}}', 'has the field "Delegate"'],
  ['delegates of the cluster', '{"type":"flannel","clusterNetwor\u212a":"x"}', 'has the field "clusterNetwor'],
  ['addresses of the plugin host-local', '{"type":"ipvlan","ipam":{"type":"host-local","subnet":"192.168.7.0/24"}}'],
  [
    'addresses of the plugin static',
    '{"type":"ipvlan","ipam":{"type":"static","addresses":[{"address":"192.168.7.4/24"}]}}',
  ],
  ['addresses of the plugin dhcp', '{"type":"ipvlan","ipam":{"type":"dhcp"}}'],
  ['addresses of the plugin whereabouts', '{"type":"ipvlan","ipam":{"type":"whereabouts","range":"192.168.7.0/24"}}'],
  ['addresses of a plugin that is listed', '{"type":"ipvlan","ipam":{"type":"corp-ipam"}}'],
  ['no addresses', '{"type":"ipvlan","ipam":{}}'],
  ['no addresses, written as null', '{"plugins":[{"type":"ipvlan","ipam":null}]}'],
  ['colons and quotes in texts', '{"type":"ipvlan","master":"a:\\"b:c\\\\"}'],
  [
    'another program in ipam',
    '{"type":"ipvlan","ipam":{"type":"host-device"}}',
    'has ipam run "host-device" on the node',
  ],
  ['such a program in a list', '{"plugins":[{"type":"ipvlan","ipam":{"type":"sh"}}]}', 'has ipam run "sh" on the node'],
  ['a path in ipam', '{"type":"ipvlan","ipam":{"type":"../host-local"}}', 'has ipam run "../host-local"'],
  ['a type that is no text', '{"type":"ipvlan","ipam":{"type":null}}', 'has ipam run null on the node'],
  ['ipam that is no map', '{"type":"ipvlan","ipam":["sh"]}', 'has ipam run undefined on the node'],
  ['ipam in capitals', '{"type":"ipvlan","IPAM":{"type":"sh"}}', 'has the field "IPAM"'],
  ['a type in capitals in ipam', '{"type":"ipvlan","ipam":{"Type":"sh"}}', 'has the field "Type" in ipam'],
  ['the long s in place of an s', '{"type":"ipvlan","plugin\u017f":[{"type":"sh"}]}', 'has the field "plugin'],
  [
    'one field twice, of which Go keeps the first',
    '{"type":"ipvlan","ipam":{"type":"sh"},"ipam":{}}',
    'has one field twice',
  ],
];

for (const [sentence, config, reason] of attachments)
  t.test(`SVC-13: a NetworkAttachmentDefinition with ${sentence}`, async (t) => {
    const written = object('k8s.cni.cncf.io/v1', 'NetworkAttachmentDefinition', { spec: { config } });
    const { allowed, status } = await submit(attaching, { user, operation: 'CREATE', object: written });
    t.equal(allowed, reason === undefined, sentence, { status });
    if (reason !== undefined) t.match(status?.message, reason);
    t.match(await submit(review, { user, operation: 'CREATE', object: written }), { allowed: false }, 'by the setting');
  });
