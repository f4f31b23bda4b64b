/** What leads a tenant's traffic in Istio, with the real definitions and a real kubectl: attack stories, and what is ordinary. */
import { trafficShapes } from '../../src/kinds/istio-traffic/read-traffic.ts';
import type { Shape } from '../../src/kinds/istio-traffic/shape.ts';
import { isMap, valueAt } from '../../src/kubernetes/json.ts';
import { istioDefinitions } from '../apiserver/network-definitions.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { guard } from './guarded-cluster.ts';
import { ordinaryTraffic } from './istio-ordinary.ts';

type Kind =
  | 'VirtualService'
  | 'DestinationRule'
  | 'ServiceEntry'
  | 'Gateway'
  | 'Sidecar'
  | 'WorkloadEntry'
  | 'WorkloadGroup';
const object = (kind: Kind, spec: object, namespace = 'acme-web', version = 'v1') => ({
  apiVersion: `networking.istio.io/${version}`,
  kind,
  metadata: { name: 'tried', namespace },
  spec,
});
const to = (host: string, number?: number) => ({
  route: [{ destination: { host, ...(number !== undefined && { port: { number } }) } }],
});
const gateway = (more: object) => ({
  selector: { istio: 'ingressgateway' },
  servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['acme.example.com'], ...more }],
});
const tls = [{ number: 443, name: 'tls', protocol: 'TLS' }];

/** Properties that a schema has beside the fields of the shape. */
function* notUnderstood(schema: unknown, shape: Shape, path: string): Generator<string> {
  if (typeof shape === 'string') return;
  if (Array.isArray(shape)) return yield* notUnderstood(valueAt(schema, 'items'), shape[0], `${path}[]`);
  const properties = valueAt(schema, 'properties');
  if (!isMap(properties)) return yield `${path} has no properties`;
  for (const [field, inner] of Object.entries(properties)) {
    const known = (shape as Readonly<Record<string, Shape>>)[field];
    if (known === undefined) yield `${path}.${field}`;
    else yield* notUnderstood(inner, known, `${path}.${field}`);
  }
}

await networkKindsTest('what leads the traffic of a tenant in Istio', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const [alice, bob, platform] = await Promise.all(
    (['alice', 'bob', 'platform'] as const).map((one) => cluster.kubeconfig(one)),
  );
  const kubectl = (words: readonly string[], stdin?: object, kubeconfig = alice) =>
    plane.kubectl(kubeconfig ?? '', words, stdin === undefined ? {} : { stdin: JSON.stringify(stdin) });
  const create = ['create', '-f', '-'];
  const dryRun = ['create', '--dry-run=server', '-f', '-'];
  for (const [name, person] of [
    ['acme-web', alice],
    ['acme-db', alice],
    ['beta-data', bob],
  ] as const)
    t.match(await kubectl(create, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, person), { code: 0 });

  await t.test('every field that the real definitions have is understood', async (t) => {
    const definitions = await istioDefinitions();
    for (const [plural, shape] of Object.entries(trafficShapes)) {
      const found = definitions.find(({ metadata }) => metadata.name === `${plural}.networking.istio.io`);
      const versions: readonly object[] = valueAt(found, 'spec', 'versions') as readonly object[];
      t.ok(versions.length >= 3, plural);
      for (const version of versions) {
        const schema = valueAt(version, 'schema', 'openAPIV3Schema', 'properties', 'spec');
        t.strictSame([...notUnderstood(schema, shape, 'spec')], [], plural);
      }
    }
  });

  await t.test('SVC-11: a tenant takes the clients of another tenant, and is refused with the reason', async (t) => {
    const taken = object('VirtualService', { hosts: ['db.gamma-lab.svc.cluster.local'], http: [to('recorder')] });
    const { code, stderr } = await kubectl(create, taken);
    t.equal(code, 1);
    t.match(stderr, 'denied the request: VirtualService acme-web/tried: leads traffic of hosts that are not those of');
    t.match(stderr, 'is a host of namespace gamma-lab, which is not reserved for acme');
    t.match(
      stderr,
      'fix: write a host of a namespace that is reserved for acme, such as web.acme-web.svc.cluster.local',
    );
  });

  await t.test('every way to write it, in every version', async (t) => {
    const rows: readonly (readonly [kind: Kind, spec: object, says: RegExp])[] = [
      ['VirtualService', { hosts: ['db.gamma-lab'], http: [to('web')] }, /mesh-hosts, /],
      ['VirtualService', { hosts: ['api.example.org'], exportTo: ['*'], http: [to('web')] }, /exportTo names "\*"/],
      ['VirtualService', { hosts: ['web'], http: [to('db.gamma-lab.svc.cluster.local')] }, /route-references, /],
      [
        'VirtualService',
        { hosts: ['web'], http: [{ ...to('web'), mirror: { host: '10.96.0.1' } }] },
        /service network/,
      ],
      ['VirtualService', { hosts: ['web'], tcp: [to('db.beta-data.svc.cluster.local', 80)] }, /no gate for egress/],
      [
        'VirtualService',
        { hosts: ['beta.example.com'], gateways: ['ingress-nginx/shared'], http: [to('web')] },
        /route-hosts, /,
      ],
      ['VirtualService', { hosts: ['web'], gateways: ['gamma-lab/own'], http: [to('web')] }, /no gateway that/],
      [
        'VirtualService',
        { hosts: ['acme.example.com'], gateways: ['own'], http: [{ delegate: { name: 'x', namespace: 'gamma-lab' } }] },
        /say where requests go/,
      ],
      ['DestinationRule', { host: '*.local', trafficPolicy: { tls: { mode: 'DISABLE' } } }, /mesh-hosts, /],
      ['DestinationRule', { host: 'db.gamma-lab.svc.cluster.local', exportTo: ['.'] }, /no gate for egress agrees/],
      ['ServiceEntry', { hosts: ['db.gamma-lab.svc.cluster.local'], ports: tls }, /mesh-hosts, /],
      [
        'ServiceEntry',
        {
          hosts: ['web.acme-web.svc.cluster.local'],
          resolution: 'STATIC',
          ports: tls,
          endpoints: [{ address: '10.244.3.7' }],
        },
        /endpoint-addresses, /,
      ],
      [
        'ServiceEntry',
        { hosts: ['web.acme-web.svc.cluster.local'], addresses: ['10.96.0.1'], ports: tls },
        /service-addresses, /,
      ],
      [
        'ServiceEntry',
        { hosts: ['api.example.org'], exportTo: ['.'], ports: tls, resolution: 'DNS' },
        /network\.names/,
      ],
      ['Gateway', gateway({ hosts: ['*'] }), /every host includes hosts that are reserved/],
      ['Gateway', gateway({ hosts: ['beta-data/beta.example.com'] }), /reserved for another tenant/],
      ['Gateway', gateway({ port: { number: 5432, name: 'db', protocol: 'TCP' } }), /names no host/],
      ['Gateway', gateway({ bind: '10.244.0.5' }), /takes connections there from the servers of others/],
      ['Gateway', gateway({ defaultEndpoint: '127.0.0.1:15000' }), /at the gateways themselves/],
      [
        'Sidecar',
        { ingress: [{ port: { number: 80, protocol: 'HTTP', name: 'web' }, defaultEndpoint: '10.244.3.7:80' }] },
        /an address of the pod network/,
      ],
      [
        'Sidecar',
        { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'proxy.gamma-lab.svc.cluster.local' } } },
        /route-references, /,
      ],
      ['WorkloadEntry', { address: '10.244.3.7', labels: { app: 'web' } }, /endpoint-addresses, /],
      [
        'WorkloadGroup',
        { template: { serviceAccount: 'vm' } },
        /register themselves at any address.*unknown-policy-kind, /s,
      ],
    ];
    for (const [kind, spec, says] of rows)
      for (const version of ['v1', 'v1beta1', 'v1alpha3']) {
        const { code, stderr } = await kubectl(dryRun, object(kind, spec, 'acme-web', version));
        t.equal(code, 1, `${kind} ${JSON.stringify(spec)}`);
        t.match(stderr, says);
      }
  });

  await t.test('what is stored is judged when it changes, and not when only its labels do', async (t) => {
    const rule = object('DestinationRule', { host: 'web' });
    t.match(await kubectl(create, rule), { code: 0, stderr: '' });
    const patch = (spec: object) => [
      '-n',
      'acme-web',
      'patch',
      'destinationrule',
      'tried',
      '--type=merge',
      '-p',
      JSON.stringify(spec),
    ];
    t.match(await kubectl(patch({ spec: { host: '*.local' } })), { code: 1, stderr: /mesh-hosts, / });
    t.match(await kubectl(patch({ spec: { host: '*.local' } }), undefined, platform), { code: 0, stderr: '' });
    t.match(await kubectl(patch({ metadata: { labels: { team: 'web' } } })), { code: 0, stderr: '' });
    const marked = { metadata: { annotations: { 'internal.istio.io/parents': 'x' } } };
    t.match(await kubectl(patch(marked)), { code: 1, stderr: /marks what it has made itself/ });
    t.match(await kubectl(['-n', 'acme-web', 'delete', 'destinationrule', 'tried']), { code: 0 });
  });

  await t.test('SVC-02: the status, from which proxies read addresses, is the control plane’s', async (t) => {
    const entry = { hosts: ['vm.acme-web.svc.cluster.local'], exportTo: ['.'], ports: tls, resolution: 'NONE' };
    t.match(await kubectl(create, object('ServiceEntry', entry)), { code: 0, stderr: '' });
    const status = ['-n', 'acme-web', 'patch', 'serviceentry', 'tried', '--subresource=status', '--type=merge', '-p'];
    const said = JSON.stringify({ status: { addresses: [{ value: '10.96.0.1', host: entry.hosts[0] }] } });
    t.match(await kubectl([...status, said]), { code: 1, stderr: /proxies take traffic to it from the status/ });
    const istiod = await plane.kubeconfigFor({ user: 'system:serviceaccount:istio-system:istiod' });
    t.match(await kubectl([...status, said], undefined, istiod), { code: 0, stderr: '' });
  });

  await t.test('ten ordinary objects of each kind are admitted without a warning', async (t) => {
    for (const [kind, specs] of Object.entries(ordinaryTraffic)) {
      t.ok(specs.length >= 10, kind);
      for (const [index, spec] of specs.entries()) {
        const metadata = { name: `ordinary-${index}`, namespace: 'acme-web' };
        const answer = await kubectl(create, { apiVersion: 'networking.istio.io/v1', kind, metadata, spec });
        t.match(answer, { code: 0, stderr: '' }, `${kind} ${JSON.stringify(spec)}`);
      }
    }
  });
});
