/**
 * Objects of the Gateway API, Roles and RoleBindings as a tenant with acme's grants writes them every day: by kind, their
 * versions and what they say beside metadata, in the namespace acme-web.
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
  readonly objects: readonly object[];
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
