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

const server = (number: number, protocol: string, hosts: readonly string[], tls?: object) => ({
  port: { number, protocol, name: `${protocol.toLowerCase()}-${number}` },
  hosts,
  ...(tls !== undefined && { tls }),
});
const gateway = (...servers: object[]) => ({ selector: { istio: 'ingressgateway' }, servers });
const ingress = (more: object) => ({
  ingress: [{ port: { number: 9080, protocol: 'HTTP', name: 'web' }, ...more }],
  egress: [{ hosts: ['./*'] }],
});

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
  Gateway: [
    gateway(server(443, 'HTTPS', ['shop.acme.example.com'], { mode: 'SIMPLE', credentialName: 'shop' })),
    gateway(server(80, 'HTTP', ['acme.example.com'])),
    gateway(
      server(80, 'HTTP', ['acme.example.com'], { httpsRedirect: true }),
      server(443, 'HTTPS', ['acme.example.com'], { mode: 'SIMPLE', credentialName: 'acme' }),
    ),
    gateway(server(443, 'HTTPS', ['*.acme.example.com'], { mode: 'MUTUAL', credentialName: 'clients' })),
    gateway(server(443, 'TLS', ['secure.acme.example.com'], { mode: 'PASSTHROUGH' })),
    gateway(
      server(443, 'HTTPS', ['./api.acme.example.com', 'acme-db/db.acme.example.com'], {
        mode: 'SIMPLE',
        credentialNames: ['rsa', 'ecdsa'],
      }),
    ),
    gateway(server(8443, 'GRPC', ['grpc.acme.example.com'])),
    gateway(server(15443, 'TLS', ['*.acme-web.svc.cluster.local'], { mode: 'AUTO_PASSTHROUGH' })),
    gateway(
      server(443, 'HTTPS', ['old.acme.example.com'], {
        mode: 'SIMPLE',
        credentialName: 'old',
        minProtocolVersion: 'TLSV1_2',
      }),
    ),
    gateway(server(80, 'HTTP2', ['h2.acme.example.com'])),
  ],
  Sidecar: [
    { egress: [{ hosts: ['./*', 'istio-system/*'] }] },
    { egress: [{ hosts: ['./*', 'acme-db/*', 'beta-data/db.beta-data.svc.cluster.local'] }] },
    { workloadSelector: { labels: { app: 'ratings' } }, egress: [{ hosts: ['./*'] }] },
    { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' }, egress: [{ hosts: ['*/*'] }] },
    { outboundTrafficPolicy: { mode: 'ALLOW_ANY' } },
    ingress({ defaultEndpoint: '127.0.0.1:8080' }),
    ingress({ defaultEndpoint: 'unix:///var/run/web.sock' }),
    ingress({ captureMode: 'NONE', bind: '0.0.0.0', defaultEndpoint: '0.0.0.0:8080' }),
    { inboundConnectionPool: { http: { http1MaxPendingRequests: 20 } }, egress: [{ hosts: ['./*'] }] },
    {
      egress: [
        { port: { number: 9080, protocol: 'HTTP', name: 'egress' }, bind: '127.0.0.1', hosts: ['acme-db/*'] },
        { hosts: ['./*'] },
      ],
    },
  ],
  WorkloadEntry: [
    { address: '203.0.113.20' },
    { address: '203.0.113.21', labels: { app: 'details', version: 'v1' } },
    { address: '203.0.113.22', serviceAccount: 'details' },
    { address: '203.0.113.23', ports: { http: 8080 } },
    { address: '203.0.113.24', ports: { http: 8080, grpc: 9090 }, weight: 2 },
    { address: '203.0.113.25', locality: 'eu/west/a' },
    { address: '203.0.113.26', network: 'vm-net' },
    { address: 'db.acme-db.svc.cluster.local', labels: { app: 'db' } },
    { address: 'details.acme-web.svc.cluster.local', ports: { http: 80 } },
    {
      address: '203.0.113.27',
      labels: { app: 'legacy' },
      serviceAccount: 'legacy',
      network: 'vm-net',
      locality: 'eu/west/b',
      weight: 1,
    },
  ],
};
