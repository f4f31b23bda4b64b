/**
 * Objects of Istio as a tenant with acme's grants writes them every day, of the sort that Istio's documentation shows: by kind, their specs
 * in the namespace acme-web.
 */
const to = (host: string, more: object = {}, weight?: number) => ({
  destination: { host, ...more },
  ...(weight !== undefined && { weight }),
});
const port = (number: number) => ({ port: { number } });
const reviews = 'reviews.acme-web.svc.cluster.local';
const shared = ['ingress-nginx/shared'];
const at = (prefix: string) => [{ uri: { prefix } }];

export const ordinaryTraffic: Readonly<Record<string, readonly object[]>> = {
  VirtualService: [
    { hosts: ['reviews'], http: [{ route: [to('reviews', { subset: 'v1' })] }] },
    {
      hosts: ['reviews'],
      http: [{ route: [to('reviews', { subset: 'v1' }, 80), to('reviews', { subset: 'v2' }, 20)] }],
    },
    {
      hosts: [reviews],
      http: [
        { match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [to(reviews, { subset: 'v2' })] },
        { route: [to(reviews, { subset: 'v1' })] },
      ],
    },
    {
      hosts: ['ratings'],
      http: [{ fault: { delay: { percentage: { value: 10 }, fixedDelay: '5s' } }, route: [to('ratings')] }],
    },
    {
      hosts: ['ratings'],
      http: [{ timeout: '2s', retries: { attempts: 3, perTryTimeout: '500ms' }, route: [to('ratings')] }],
    },
    {
      hosts: ['shop.acme.example.com'],
      gateways: shared,
      http: [
        { match: at('/login'), route: [to('login', port(8080))] },
        { match: at('/'), rewrite: { uri: '/shop' }, route: [to('shop', port(8080))] },
      ],
    },
    {
      hosts: ['acme.example.com'],
      gateways: shared,
      http: [{ match: at('/old'), redirect: { uri: '/new', redirectCode: 301 } }],
    },
    {
      hosts: ['payments'],
      http: [{ route: [to('payments')], mirror: { host: 'payments-next' }, mirrorPercentage: { value: 5 } }],
    },
    {
      hosts: ['db.acme-db.svc.cluster.local'],
      tcp: [{ match: [{ port: 5432 }], route: [to('db.acme-db.svc.cluster.local', port(5432))] }],
    },
    {
      hosts: ['secure.acme.example.com'],
      gateways: [...shared, 'mesh'],
      tls: [{ match: [{ port: 443, sniHosts: ['secure.acme.example.com'] }], route: [to('secure', port(8443))] }],
    },
    {
      hosts: ['db.beta-data.svc.cluster.local'],
      exportTo: ['.'],
      tcp: [{ route: [to('db.beta-data.svc.cluster.local', port(5432))] }],
    },
    { http: [{ match: at('/reviews'), route: [to('reviews')] }] },
    {
      hosts: ['api.acme.example.com'],
      gateways: ['own'],
      http: [
        {
          corsPolicy: { allowOrigins: [{ exact: 'https://acme.example.com' }], allowMethods: ['GET'] },
          headers: { response: { set: { 'x-frame-options': 'DENY' } } },
          route: [to('api')],
        },
      ],
    },
  ],
  DestinationRule: [
    {
      host: 'reviews',
      subsets: [
        { name: 'v1', labels: { version: 'v1' } },
        { name: 'v2', labels: { version: 'v2' } },
      ],
    },
    { host: 'reviews', trafficPolicy: { loadBalancer: { simple: 'LEAST_REQUEST' } } },
    { host: reviews, trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } },
    {
      host: 'ratings',
      trafficPolicy: { connectionPool: { tcp: { maxConnections: 100 }, http: { http2MaxRequests: 1000 } } },
    },
    {
      host: 'ratings',
      trafficPolicy: { outlierDetection: { consecutive5xxErrors: 7, interval: '5m', baseEjectionTime: '15m' } },
    },
    { host: 'cart', trafficPolicy: { loadBalancer: { consistentHash: { httpCookie: { name: 'user', ttl: '0s' } } } } },
    { host: '*.acme-web.svc.cluster.local', trafficPolicy: { connectionPool: { tcp: { connectTimeout: '3s' } } } },
    {
      host: 'web',
      trafficPolicy: {
        portLevelSettings: [
          { port: { number: 80 }, loadBalancer: { simple: 'ROUND_ROBIN' } },
          { port: { number: 443 }, tls: { mode: 'SIMPLE' } },
        ],
      },
    },
    { host: 'db.beta-data.svc.cluster.local', exportTo: ['.'], trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } },
    {
      host: 'legacy',
      workloadSelector: { matchLabels: { app: 'web' } },
      trafficPolicy: { tls: { mode: 'MUTUAL', credentialName: 'client' } },
    },
    { host: 'shop.acme.example.com', trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: true } } } },
  ],
  ServiceEntry: [
    {
      hosts: ['vm.acme-web.svc.cluster.local'],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 }],
      workloadSelector: { labels: { app: 'vm' } },
    },
    {
      hosts: ['ledger.acme.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }],
      endpoints: [{ address: '203.0.113.7' }, { address: '203.0.113.8', weight: 2 }],
    },
    {
      hosts: ['db.acme.example.com'],
      exportTo: ['.'],
      resolution: 'STATIC',
      ports: [{ number: 5432, name: 'postgres', protocol: 'TCP' }],
      endpoints: [
        { address: '203.0.113.9', ports: { postgres: 15432 }, locality: 'eu/west', labels: { role: 'primary' } },
      ],
    },
    {
      hosts: ['mongo.acme.example.com'],
      addresses: ['198.51.100.7'],
      resolution: 'STATIC',
      ports: [{ number: 27017, name: 'mongo', protocol: 'MONGO' }],
      endpoints: [{ address: '203.0.113.10' }],
    },
    {
      hosts: ['*.acme.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'NONE',
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
    },
    {
      hosts: ['cache.acme-db.svc.cluster.local'],
      exportTo: ['.', 'acme-db'],
      resolution: 'DNS',
      ports: [{ number: 6379, name: 'redis', protocol: 'REDIS' }],
      endpoints: [{ address: 'redis.acme-db.svc.cluster.local' }],
    },
    {
      hosts: ['db.acme-web.svc.cluster.local'],
      exportTo: ['.'],
      resolution: 'DNS',
      ports: [{ number: 5432, name: 'postgres', protocol: 'TCP' }],
      endpoints: [{ address: 'db.beta-data.svc.cluster.local' }],
    },
    {
      hosts: ['grpc.acme.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [{ number: 50051, name: 'grpc', protocol: 'GRPC' }],
      endpoints: [{ address: '203.0.113.11' }],
      subjectAltNames: ['spiffe://cluster.local/ns/acme-web/sa/grpc'],
    },
    {
      hosts: ['any.acme-web.svc.cluster.local'],
      exportTo: ['.'],
      addresses: ['203.0.113.0/24'],
      resolution: 'NONE',
      ports: [{ number: 8443, name: 'tcp', protocol: 'TCP' }],
    },
    {
      hosts: ['one.acme.example.com', 'two.acme.example.com'],
      location: 'MESH_EXTERNAL',
      resolution: 'STATIC',
      ports: [
        { number: 80, name: 'http', protocol: 'HTTP' },
        { number: 443, name: 'https', protocol: 'HTTPS' },
      ],
      endpoints: [{ address: '203.0.113.12' }],
    },
  ],
};
