/**
 * Objects of the Gateway API, of networks and services beyond the cluster, Roles and RoleBindings as they are written every day in the
 * namespace acme-web: by kind, their version and what they say.
 */
const own = [{ name: 'own' }];
const shared = [{ name: 'shared', namespace: 'ingress-nginx' }];
const to = (...names: readonly string[]) => [{ backendRefs: names.map((name) => ({ name, port: 8080 })) }];
const weighed = [{ backendRefs: [80, 20].map((weight, index) => ({ name: `web-v${index}`, port: 8080, weight })) }];
const inDb = [{ backendRefs: [{ name: 'db', namespace: 'acme-db', port: 5432 }] }];
const certificate = { mode: 'Terminate', certificateRefs: [{ name: 'shop' }] };
const http = { name: 'http', port: 80, protocol: 'HTTP' };
const https = { name: 'https', port: 443, protocol: 'HTTPS', hostname: 'shop.acme.example.com', tls: certificate };
const tcp = { name: 'tcp', port: 5432, protocol: 'TCP' };
const gateway = (...listeners: readonly object[]) => ({ spec: { gatewayClassName: 'shared', listeners } });
const spec = (one: object) => ({ spec: one });
const calls = (method: object) => [{ matches: [{ method }], backendRefs: [{ name: 'web', port: 8080 }] }];

/** Of TCP and UDP: they name no host, so they attach to a Gateway of their own. */
const hostless: readonly object[] = [
  { parentRefs: own, rules: to('web') },
  { parentRefs: own, rules: to('web', 'web-v2') },
  { parentRefs: own, rules: weighed },
  { parentRefs: own, rules: inDb },
  { parentRefs: [{ name: 'own', sectionName: 'tcp' }], rules: to('db') },
  { parentRefs: [{ name: 'own', port: 5432 }], rules: to('db') },
  { parentRefs: [{ name: 'own', namespace: 'acme-web' }], rules: to('db') },
  { parentRefs: [{ name: 'edge', namespace: 'acme-db' }], rules: to('db') },
  { parentRefs: [...own, { name: 'other' }], rules: to('db') },
  { parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'own' }], rules: to('db') },
];

/** The Gateway belongs to somebody else as a rule: the platform, or another namespace of the tenant. */
const listenerSets = [
  [shared[0], https],
  [shared[0], { ...http, hostname: 'shop.acme.example.com' }],
  [shared[0], { ...https, hostname: '*.acme.example.com' }],
  [shared[0], { ...http, hostname: 'acme.example.com' }, { ...https, name: 'shop' }],
  [
    { group: 'gateway.networking.k8s.io', kind: 'Gateway', ...shared[0] },
    { ...https, port: 8443 },
  ],
  [shared[0], { ...https, protocol: 'TLS', tls: { mode: 'Passthrough' } }],
  [shared[0], { ...https, allowedRoutes: { namespaces: { from: 'Same' }, kinds: [{ kind: 'HTTPRoute' }] } }],
  [own[0], http],
  [own[0], { ...http, port: 8080, allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }],
  [{ name: 'edge', namespace: 'acme-db' }, tcp],
].map(([parentRef, ...listeners]) => ({ spec: { parentRef, listeners } }));

const port = { name: 'http', port: 80, protocol: 'TCP' };
/** @param config of a plugin, or a list of them */
const network = (config: object, metadata?: object) => ({
  ...(metadata && { metadata }),
  spec: { config: JSON.stringify({ cniVersion: '1.0.0', ...config }) },
});
const second = { type: 'ipvlan', master: 'eth1' };
const range = { type: 'whereabouts', range: '192.168.7.0/24' };

const allowed = (from: object, more: object = {}) => ({ from: [from], to: [{ group: '', kind: 'Service', ...more }] });
const routesOf = (kind: string, namespace = 'acme-db') => ({ group: 'gateway.networking.k8s.io', kind, namespace });
const rule = (resources: readonly string[], verbs: readonly string[], apiGroups: readonly string[] = ['']) => ({
  apiGroups,
  resources,
  verbs,
});
const bound = (subject: object, role = 'view', kind = 'ClusterRole') => ({
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
  subjects: [subject],
});
const group = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
const account = (name: string, namespace = 'acme-web') => ({ kind: 'ServiceAccount', name, namespace });

export interface Ordinary {
  readonly apiVersion: string;
  readonly plural: string;
  readonly objects: readonly Readonly<Record<string, unknown> & { readonly metadata?: object }>[];
}

/** What network of the settings must say beside that of manifests/overlays/example. */
export const attachmentTypes: readonly string[] = ['ipvlan', 'macvlan', 'sriov', 'tuning'];
export const imports = { resource: 'serviceimports.multicluster.x-k8s.io', tenants: ['acme'] };

export function ordinaryObjects(kind: string, { apiVersion, objects }: Ordinary) {
  return objects.map((one, index) => {
    const metadata = { ...one.metadata, name: `ordinary-${index}`, namespace: 'acme-web' };
    return { apiVersion, kind, ...one, metadata };
  });
}

const v1 = 'gateway.networking.k8s.io/v1';

export const ordinaryNeighbours: Readonly<Record<string, Ordinary>> = {
  Gateway: {
    ...{ apiVersion: v1, plural: 'gateways' },
    objects: [
      gateway(http),
      gateway(https),
      gateway(http, https),
      gateway({ ...http, hostname: '*.acme.example.com' }),
      gateway({ ...http, allowedRoutes: { namespaces: { from: 'Same' } } }),
      gateway({ ...http, allowedRoutes: { kinds: [{ kind: 'HTTPRoute' }] } }),
      gateway({ ...https, name: 'tls', protocol: 'TLS', tls: { mode: 'Passthrough' } }),
      gateway(tcp),
      gateway({ ...http, port: 8080 }),
      { spec: { ...gateway(http).spec, infrastructure: { labels: { team: 'shop' } } } },
    ],
  },
  ListenerSet: { apiVersion: v1, plural: 'listenersets', objects: listenerSets },
  XListenerSet: { apiVersion: 'gateway.networking.x-k8s.io/v1alpha1', plural: 'xlistenersets', objects: listenerSets },
  GRPCRoute: {
    ...{ apiVersion: v1, plural: 'grpcroutes' },
    objects: [
      { parentRefs: own, rules: to('web') },
      { parentRefs: own, hostnames: ['grpc.acme.example.com'], rules: to('web') },
      { parentRefs: shared, hostnames: ['grpc.acme.example.com'], rules: to('web') },
      { parentRefs: shared, hostnames: ['*.acme.example.com'], rules: weighed },
      { parentRefs: own, rules: calls({ service: 'shop.Cart' }) },
      { parentRefs: own, rules: calls({ service: 'shop.Cart', method: 'Add' }) },
      { parentRefs: own, rules: calls({ type: 'RegularExpression', service: 'shop\\..+' }) },
      { parentRefs: own, rules: [{ matches: [{ headers: [{ name: 'env', value: 'test' }] }], ...to('web')[0] }] },
      { parentRefs: own, rules: inDb },
      { parentRefs: [{ name: 'own', sectionName: 'https' }], rules: to('web', 'web-v2') },
    ].map(spec),
  },
  TCPRoute: { apiVersion: v1, plural: 'tcproutes', objects: hostless.map(spec) },
  UDPRoute: { apiVersion: v1, plural: 'udproutes', objects: hostless.map(spec) },
  TLSRoute: {
    ...{ apiVersion: v1, plural: 'tlsroutes' },
    objects: hostless.map((one, index) =>
      spec({
        ...one,
        hostnames: [index % 2 === 0 ? 'db.acme.example.com' : '*.acme.example.com'],
        ...(index < 3 && { parentRefs: shared }),
      }),
    ),
  },
  ReferenceGrant: {
    ...{ apiVersion: v1, plural: 'referencegrants' },
    objects: [
      ...['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute', 'UDPRoute', 'Gateway'].map((kind) =>
        allowed(routesOf(kind)),
      ),
      allowed(routesOf('HTTPRoute'), { name: 'web' }),
      allowed(routesOf('HTTPRoute', 'acme-web')),
      allowed(routesOf('Gateway'), { kind: 'Secret', name: 'shop' }),
      { ...allowed(routesOf('HTTPRoute')), from: [routesOf('HTTPRoute'), routesOf('GRPCRoute')] },
    ].map(spec),
  },
  ServiceExport: {
    ...{ apiVersion: 'multicluster.x-k8s.io/v1alpha1', plural: 'serviceexports' },
    objects: [
      {},
      { spec: {} },
      { metadata: { labels: { app: 'shop' } } },
      { metadata: { labels: { 'app.kubernetes.io/name': 'shop', 'app.kubernetes.io/part-of': 'store' } } },
      { metadata: { annotations: { 'example.com/owner': 'shop team' } } },
      { metadata: { labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
      { spec: { exportedLabels: { team: 'shop' } } },
      { spec: { exportedAnnotations: { 'example.com/contact': 'shop@example.com' } } },
      { spec: { exportedLabels: { team: 'shop' }, exportedAnnotations: { 'example.com/tier': 'front' } } },
      { metadata: { labels: { app: 'db' } }, spec: { exportedLabels: { tier: 'data' } } },
    ],
  },
  ServiceImport: {
    ...{ apiVersion: 'multicluster.x-k8s.io/v1alpha1', plural: 'serviceimports' },
    objects: [
      { type: 'ClusterSetIP', ports: [port] },
      { type: 'ClusterSetIP', ports: [port], ipFamilies: ['IPv4'] },
      { type: 'ClusterSetIP', ports: [port, { name: 'metrics', port: 9090, protocol: 'TCP' }] },
      { type: 'ClusterSetIP', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
      { type: 'ClusterSetIP', ports: [{ ...port, appProtocol: 'kubernetes.io/h2c' }] },
      { type: 'ClusterSetIP', ports: [port], sessionAffinity: 'ClientIP' },
      {
        ...{ type: 'ClusterSetIP', ports: [port], sessionAffinity: 'ClientIP' },
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
      },
      { type: 'Headless', ports: [port] },
      { type: 'Headless', ports: [{ name: 'db', port: 5432, protocol: 'TCP' }] },
      { type: 'Headless', ports: [] },
    ].map(spec),
  },
  NetworkAttachmentDefinition: {
    ...{ apiVersion: 'k8s.cni.cncf.io/v1', plural: 'network-attachment-definitions' },
    objects: [
      network(second),
      network({ ...second, mode: 'l2', ipam: { type: 'host-local', subnet: '192.168.7.0/24' } }),
      network({ ...second, mode: 'l3', ipam: { type: 'static', addresses: [{ address: '192.168.7.4/24' }] } }),
      network({ type: 'macvlan', master: 'eth1', mode: 'bridge', ipam: { type: 'dhcp' } }),
      network({ type: 'macvlan', master: 'eth1.20', mtu: 9000, ipam: range }),
      network({ type: 'macvlan', master: 'eth2', ipam: { ...range, exclude: ['192.168.7.1/32'] } }),
      network({ name: 'storage', plugins: [{ ...second, ipam: range }] }),
      network({ name: 'tuned', plugins: [second, { type: 'tuning', sysctl: { 'net.core.somaxconn': '512' } }] }),
      network({ type: 'sriov', vlan: 20, ipam: range }, { annotations: { 'example.com/purpose': 'video' } }),
      network({ ...second, ipam: {} }, { labels: { app: 'storage' } }),
    ],
  },
  Role: {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'roles' },
    objects: [
      rule(['pods'], ['get', 'list', 'watch']),
      rule(['configmaps'], ['get']),
      rule(['secrets'], ['get']),
      rule(['services', 'endpoints'], ['get', 'list', 'watch']),
      rule(['events'], ['create', 'patch']),
      rule(['leases'], ['get', 'create', 'update'], ['coordination.k8s.io']),
      rule(['deployments', 'deployments/scale'], ['get', 'patch'], ['apps']),
      rule(['jobs'], ['create', 'delete', 'get'], ['batch']),
      rule(['pods/log'], ['get']),
      rule(['networkpolicies'], ['*'], ['networking.k8s.io']),
      rule(['*/scale'], ['get', 'update', 'patch'], ['*']),
      rule(['*'], ['*'], ['apps']),
      rule(['*'], ['delete'], ['', 'apps']),
    ].map((one) => ({ rules: [one] })),
  },
  RoleBinding: {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings' },
    objects: [
      bound(group('Group', 'acme-developers')),
      bound(group('User', 'alice')),
      bound(account('default')),
      bound(account('web')),
      bound(account('web', 'acme-db')),
      bound(account('web'), 'leader', 'Role'),
      bound(account('operator'), 'edit'),
      bound(group('Group', 'acme-developers'), 'edit'),
      bound(group('Group', 'system:serviceaccounts:acme-web')),
      { ...bound(account('web')), subjects: [account('web'), account('job')] },
    ],
  },
};
