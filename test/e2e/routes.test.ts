/** Ingresses, the Gateway API and other neighbours with their real definitions, a real API server and a real kubectl: attacks, and ordinary objects (SVC-07, SVC-08). */
import { readFile, writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { guard } from './guarded-cluster.ts';
import { attachmentTypes, imports, ordinaryNeighbours, ordinaryObjects } from './neighbours-ordinary.ts';

const namespace = 'acme-web';
const backend = { service: { name: 'web', port: { number: 80 } } };
const rule = (host?: string) => ({
  ...(host !== undefined && { host }),
  http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
});
const ingress = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace, ...metadata },
  spec,
});
const ofGateway = (kind: string, name: string, spec: object, version = 'v1') => ({
  apiVersion: `gateway.networking.k8s.io/${version}`,
  kind,
  metadata: { name, namespace },
  spec,
});
const listOf = (items: readonly object[]) => ({ apiVersion: 'v1', kind: 'List', items });
const shared = [{ name: 'shared', namespace: 'ingress-nginx' }];
const route = (name: string, more: object = {}) =>
  ofGateway('HTTPRoute', name, {
    hostnames: [`${name}.acme.example.com`],
    parentRefs: shared,
    rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    ...more,
  });
const listener = (more: object = {}) => ({ name: 'http', port: 80, protocol: 'HTTP', ...more });
const gateway = (name: string, listeners: readonly object[], more: object = {}) =>
  ofGateway('Gateway', name, { gatewayClassName: 'shared', listeners, ...more });

await networkKindsTest('Ingresses and routes of a tenant', async (t, plane) => {
  const config = `${plane.directory}/settings.json`;
  const settings = parse(await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8'));
  settings.spec.network.attachmentTypes = attachmentTypes;
  settings.spec.network.policyKinds.push(imports);
  await writeFile(config, JSON.stringify(settings));
  const cluster = await guard(plane, undefined, undefined, { config });
  t.teardown(() => cluster.stop());
  const alice = await cluster.kubeconfig('alice');
  const run = (words: readonly string[], object?: object) =>
    plane.kubectl(alice, words, object === undefined ? {} : { stdin: JSON.stringify(object) });
  const create = (object: object) => run(['create', '-f', '-'], object);
  const patch = (what: string, change: object, ...more: string[]) =>
    run(['-n', namespace, 'patch', ...what.split(' '), '--type=merge', '-p', JSON.stringify(change), ...more]);
  t.match(await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }), { code: 0 });

  await t.test('ten ordinary Ingresses are admitted without a warning', async (t) => {
    const host = 'shop.acme.example.com';
    const ordinary = [
      ingress('web', { rules: [rule(host)] }),
      ingress('class', { ingressClassName: 'nginx', rules: [rule(host)] }),
      ingress('tls', { rules: [rule(host)], tls: [{ hosts: [host], secretName: 'tls' }] }),
      ingress('wildcard', { rules: [rule('*.acme.example.com')] }),
      ingress('several', { rules: [rule(host), rule('acme.example.com')] }),
      ingress('of-nobody', { rules: [rule('shop.example.org')] }),
      ingress(
        'size',
        { rules: [rule(host)] },
        { annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' } },
      ),
      ingress('issuer', { rules: [rule(host)] }, { annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' } }),
      ingress(
        'record',
        { rules: [rule(host)] },
        { annotations: { 'external-dns.alpha.kubernetes.io/hostname': host } },
      ),
      ingress('path', { rules: [{ host, http: { paths: [{ path: '/a', pathType: 'Exact', backend }] } }] }),
    ];
    t.match(await create(listOf(ordinary)), { code: 0, stderr: '' });
  });

  await t.test('ordinary objects of the Gateway API are admitted without a warning', async (t) => {
    const match = { path: { type: 'PathPrefix', value: '/' } };
    const ordinary = [
      ...Array.from({ length: 10 }, (_, index) =>
        route(`web-${index}`, { rules: [{ matches: [match], backendRefs: [{ name: 'web', port: 8000 + index }] }] }),
      ),
      gateway('own', [listener()]),
      gateway('hosts', [listener({ hostname: 'acme.example.com', allowedRoutes: { namespaces: { from: 'Same' } } })]),
      route('at-own', { hostnames: undefined, parentRefs: [{ name: 'own' }] }),
      ofGateway('GRPCRoute', 'grpc', {
        parentRefs: [{ name: 'own' }],
        rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
      }),
      ofGateway('TCPRoute', 'tcp', {
        parentRefs: [{ name: 'own' }],
        rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
      }),
      ofGateway('ReferenceGrant', 'inside', {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'acme-db' }],
        to: [{ group: '', kind: 'Service' }],
      }),
    ];
    t.match(await create(listOf(ordinary)), { code: 0, stderr: '' });
  });

  await t.test('ten ordinary objects of each other kind are admitted without a warning', async (t) => {
    for (const [kind, ordinary] of Object.entries(ordinaryNeighbours)) {
      t.ok(ordinary.objects.length >= 10, kind);
      t.match(await create(listOf(ordinaryObjects(kind, ordinary))), { code: 0, stderr: '' }, kind);
    }
  });

  await t.test("an attack: an Ingress on another tenant's host", async (t) => {
    const { code, stderr } = await create(ingress('theirs', { rules: [rule('beta.example.com')] }));
    t.equal(code, 1);
    t.match(stderr, `Ingress ${namespace}/theirs: asks for traffic of hosts that are not those of its tenant`);
    t.match(stderr, 'spec.rules[0].host');
    t.match(stderr, '"beta.example.com" is reserved for another tenant or the platform');
    t.match(stderr, 'fix: write a host of acme, or ask the platform team to list it in network.hosts of acme');
    t.notMatch(stderr, /tenant beta/, 'it does not say whose');
  });

  await t.test('an attack: an HTTPRoute through a ReferenceGrant', async (t) => {
    const bob = await cluster.kubeconfig('bob');
    const theirs = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'gamma-lab', labels: { 'bulkhead.dev/tenant': 'gamma' } },
    };
    t.match(await plane.kubectl(plane.adminKubeconfig, ['create', '-f', '-'], { stdin: JSON.stringify(theirs) }), {
      code: 0,
    });
    const grant = {
      ...ofGateway('ReferenceGrant', 'open', {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace }],
        to: [{ group: '', kind: 'Service' }],
      }),
      metadata: { name: 'open', namespace: 'gamma-lab' },
    };
    for (const apiVersion of ['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1']) {
      const granted = await plane.kubectl(bob, ['create', '-f', '-'], {
        stdin: JSON.stringify({ ...grant, apiVersion }),
      });
      t.equal(granted.code, 1);
      t.match(
        granted.stderr,
        'lets routes of others lead traffic to gamma from namespace acme-web, which is not reserved for gamma',
      );
    }
    const { code, stderr } = await create(
      route('through', { rules: [{ backendRefs: [{ name: 'api', namespace: 'gamma-lab', port: 80 }] }] }),
    );
    t.equal(code, 1);
    t.match(stderr, `HTTPRoute ${namespace}/through: refers to namespaces that its tenant has no part in`);
    t.match(
      stderr,
      'leads traffic to namespace gamma-lab, which is not reserved for acme, and no gate for egress agrees to it',
    );
    t.match(stderr, 'fix: name a namespace that is reserved for acme, or agree on a gate with the other tenant');
  });

  const refused = async (name: string, answer: Promise<{ code: number; stderr: string }>, reason: string) => {
    const { code, stderr } = await answer;
    t.equal(code, 1, name);
    t.match(stderr, reason, `${name}: ${reason}`);
  };
  const reserved = 'reserved for another tenant or the platform';
  const host = { spec: { rules: [rule('beta.example.com')] } };
  await refused('a patch', patch('ingress web', host), reserved);
  await refused(
    'server-side apply',
    run(['apply', '--server-side', '--force-conflicts', '-f', '-'], ingress('web', host.spec)),
    reserved,
  );
  await refused(
    'a generated name',
    create({ ...ingress('x', host.spec), metadata: { namespace, generateName: 'x-' } }),
    reserved,
  );
  await refused(
    'a wildcard',
    create(ingress('all', { rules: [rule('*.example.com')] })),
    'includes hosts that are reserved',
  );
  await refused('no host', create(ingress('all', { rules: [rule()] })), 'every host includes hosts that are reserved');
  await refused('a default backend', create(ingress('all', { defaultBackend: backend })), 'spec.defaultBackend');
  await refused(
    'an annotation by way of the status',
    patch(
      'ingress web',
      { metadata: { annotations: { 'nginx.ingress.kubernetes.io/server-snippet': 'return 200;' } } },
      '--subresource=status',
    ),
    'puts text into the configuration of a controller',
  );
  await refused('a class', patch('ingress web', { spec: { ingressClassName: 'internal' } }), 'names class "internal"');
  await refused(
    'a route of another version',
    create({ ...route('old', { hostnames: ['beta.example.com'] }), apiVersion: 'gateway.networking.k8s.io/v1beta1' }),
    reserved,
  );
  await refused(
    'a route without hosts',
    patch('httproute web-0', { spec: { hostnames: null } }),
    'every host includes hosts that are reserved',
  );
  await refused(
    'a mirror',
    patch('httproute web-1', {
      spec: {
        rules: [
          {
            filters: [
              {
                type: 'RequestMirror',
                requestMirror: { backendRef: { name: 'api', namespace: 'gamma-lab', port: 80 } },
              },
            ],
          },
        ],
      },
    }),
    'requestMirror.backendRef.namespace',
  );
  await refused(
    'a Gateway of another tenant',
    patch('httproute web-2', { spec: { parentRefs: [{ name: 'theirs', namespace: 'beta-data' }] } }),
    'attaches to theirs in namespace beta-data',
  );
  await refused(
    'a certificate',
    patch('gateway hosts', {
      spec: {
        listeners: [
          listener({
            protocol: 'HTTPS',
            port: 443,
            tls: { certificateRefs: [{ name: 'tls', namespace: 'gamma-lab' }] },
          }),
        ],
      },
    }),
    'certificateRefs[0].namespace',
  );
  await refused(
    'a backend by its host name',
    patch('httproute web-4', {
      spec: {
        rules: [
          {
            backendRefs: [
              { group: 'networking.istio.io', kind: 'Hostname', name: 'api.gamma-lab.svc.cluster.local', port: 80 },
            ],
          },
        ],
      },
    }),
    'leads to namespace gamma-lab of this cluster',
  );
  await refused(
    'the gateways of the platform, by their name',
    patch('gateway own', {
      spec: { addresses: [{ type: 'Hostname', value: 'gateway.ingress-nginx.svc.cluster.local' }] },
    }),
    'leads to namespace ingress-nginx of this cluster',
  );
  await refused(
    'the address of the DNS',
    patch('gateway own', { spec: { addresses: [{ type: 'IPAddress', value: '10.96.0.10' }] } }),
    'an address of the service network',
  );
  await refused(
    'keys for the Service of a Gateway',
    patch('gateway own', { spec: { infrastructure: { annotations: { 'service.cilium.io/global': 'true' } } } }),
    'spec.infrastructure.annotations[service.cilium.io/global]',
  );
  await refused(
    'a Secret of another tenant',
    patch('ingress web', {
      metadata: { annotations: { 'nginx.ingress.kubernetes.io/auth-tls-secret': 'gamma-lab/ca' } },
    }),
    'has the controller read a Secret or ConfigMap of namespace gamma-lab',
  );
  await refused(
    'a UDPRoute',
    create(
      ofGateway('UDPRoute', 'udp', {
        parentRefs: [{ name: 'own' }],
        rules: [{ backendRefs: [{ name: 'dns', namespace: 'gamma-lab', port: 53 }] }],
      }),
    ),
    'leads traffic to namespace gamma-lab',
  );

  await t.test('a status of a controller, and everyday changes, pass', async (t) => {
    const status = { loadBalancer: { ingress: [{ ip: '198.51.100.9' }] } };
    t.match(await patch('ingress web', { status }, '--subresource=status'), { code: 0, stderr: '' });
    t.match(await patch('httproute web-3', { metadata: { labels: { team: 'web' } } }), { code: 0, stderr: '' });
    t.match(await run(['-n', namespace, 'delete', 'ingress,httproute,gateway', '--all']), { code: 0, stderr: '' });
  });
});
