/** What leads traffic in Istio, under settings that the cases of test/fixtures do not have. */
import fc from 'fast-check';
import t from 'tap';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { IstioSettings } from '../../src/tenancy/istio-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn, warningsIn } from '../fixtures/denial.ts';
import { createReview, type Response, submit } from '../fixtures/review.ts';
import { createWorld, settings } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();

async function answered(
  object: KubernetesObject,
  istio: Partial<IstioSettings> | undefined,
  user: Role = 'acme developer',
): Promise<Response> {
  const known = settings.istio;
  if (known === undefined) throw new Error('the settings of the cases have a section istio');
  const created = createTenancy({ ...settings, istio: istio && { ...known, ...istio } }, [...tenancy.tenants.values()]);
  const review = createReview(created, namespaces);
  return submit(review, { user: cast[user], operation: 'CREATE', object });
}

/** `CHECK PATH` of each finding. */
async function found(
  object: KubernetesObject,
  istio: Partial<IstioSettings> | undefined,
  user: Role = 'acme developer',
): Promise<readonly string[]> {
  const { status } = await answered(object, istio, user);
  if (status?.message.includes('could not be decided')) throw new Error(status.message);
  return findingsIn(status?.message ?? '').map(({ check, path }) => `${check} ${path}`);
}

const object = (kind: string, spec: unknown, namespace = 'acme-web') =>
  ({
    ...{ apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'tried', namespace } },
    spec,
  }) as KubernetesObject;
const tls = [{ number: 443, name: 'tls', protocol: 'TLS' }];
const partner = (more: object = {}) =>
  object('ServiceEntry', { hosts: ['api.partner.example'], resolution: 'DNS', ports: tls, ...more }, 'payments');
const gate = (more: object = {}) => object('DestinationRule', { host: 'db.beta-data.svc.cluster.local', ...more });

t.test('without a section istio, tenants write none of them', async (t) => {
  for (const kind of ['VirtualService', 'DestinationRule', 'ServiceEntry', 'Gateway', 'Sidecar', 'WorkloadEntry'])
    t.strictSame(await found(object(kind, {}), undefined), ['unknown-policy-kind kind'], kind);
});

t.test('an object without a spec leads nothing', async (t) => {
  for (const kind of ['VirtualService', 'ServiceEntry', 'Gateway', 'Sidecar'])
    for (const spec of [undefined, null, {}]) t.strictSame(await found(object(kind, spec), {}), [], kind);
  t.strictSame(await found(object('DestinationRule', {}), {}), ['mesh-hosts spec.host']);
  t.strictSame(await found(object('WorkloadEntry', {}), {}), ['endpoint-addresses spec.address']);
});

t.test('a spec that is no map is refused', async (t) => {
  for (const spec of ['text', 7, [], true])
    t.match(await found(object('Sidecar', spec), {}), ['mesh-hosts spec'], JSON.stringify(spec));
});

t.test('the default of exportTo', async (t) => {
  t.strictSame(await found(partner(), { defaultExportTo: ['.'] }), []);
  t.strictSame(await found(partner(), { defaultExportTo: ['*'] }), ['mesh-hosts spec.hosts[0]']);
  t.strictSame(await found(partner(), { defaultExportTo: ['.', 'beta-data'] }), ['mesh-hosts spec.hosts[0]']);
  t.strictSame(await found(partner({ exportTo: ['*'] }), { defaultExportTo: ['.'] }), ['mesh-hosts spec.hosts[0]']);
});

t.test('in ambient mode exportTo counts for nothing', async (t) => {
  for (const exportTo of [['.'], ['~'], ['payments']])
    t.strictSame(await found(partner({ exportTo }), { ambient: true }), ['mesh-hosts spec.hosts[0]']);
  t.strictSame(await found(gate({ exportTo: ['.'] }), { ambient: true }), ['mesh-hosts spec.host']);
  t.strictSame(await found(gate({ workloadSelector: {} }), { ambient: true }), ['mesh-hosts spec.host']);
  t.strictSame(await found(object('DestinationRule', { host: 'web' }), { ambient: true }), []);
  const taken = object('ServiceEntry', {
    ...{ hosts: ['db.acme-web.svc.cluster.local'], exportTo: ['.'], addresses: ['10.96.0.1'] },
    ports: [{ number: 5432, name: 'db', protocol: 'TCP' }],
  });
  t.strictSame(await found(taken, { ambient: true }), ['service-addresses spec.addresses[0]']);
});

t.test('a name of a namespace is never told to be listed in network.hosts, which cannot list it', async (t) => {
  const fixOf = async (host: string) =>
    findingsIn(
      (await answered(object('VirtualService', { hosts: [host], http: [] }), { ambient: true })).status?.message ?? '',
    )[0]?.fix;
  t.match(
    await fixOf('shop.bank.example'),
    /^ask the platform team to list shop\.bank\.example in network\.hosts of acme$/,
  );
  t.match(
    await fixOf('api.acme-web.svc.bank.example'),
    /^write a host of a namespace that is reserved for acme, such as web\.acme-web\.svc\./,
  );
});

t.test('the domain of the cluster', async (t) => {
  const named = (host: string) => object('DestinationRule', { host });
  const rows: readonly (readonly [host: string, domain: string, isOwn: boolean])[] = [
    ['web.acme-web.svc.cluster.local', 'cluster.local', true],
    ['web.acme-web.svc.corp.example', 'corp.example', true],
    ['web.acme-web.svc', 'corp.example', true],
    ['web', 'corp.example', true],
    ['WEB.Acme-Web.SVC.cluster.local.', 'cluster.local', true],
    ['web.acme-web.svc.corp.example', 'cluster.local', false],
    ['web.acme-web.svc.cluster.local.attacker.example', 'cluster.local', false],
    ['DB.Gamma-Lab.svc.cluster.local', 'cluster.local', false],
    ['web.acme-web.svc.cluster.local.', 'corp.example', false],
  ];
  for (const [host, domain, isOwn] of rows)
    t.equal((await found(named(host), { domain })).length === 0, isOwn, `${host} in ${domain}`);
});

t.test('texts that are no name of a host', async (t) => {
  for (const host of [
    '',
    'a b',
    'http://web',
    'web:80',
    '*',
    '*.',
    '**.acme-web.svc',
    'web.*.svc',
    '.',
    'a..b',
    '0x7f.1',
    '::',
  ])
    t.not((await found(object('DestinationRule', { host }), {})).length, 0, host);
});

t.test('hosts of objects that hold thousands are refused with the first', async (t) => {
  const hosts = Array.from({ length: 5000 }, (_, index) => `db-${index}.gamma-lab.svc.cluster.local`);
  const { length } = await found(object('VirtualService', { hosts, http: [{}] }), {});
  t.ok(length > 0 && length <= 32, `${length} findings`);
});

t.test('more own namespaces than are looked up are not proven', async (t) => {
  const hosts = (count: number) => Array.from({ length: count }, (_, index) => `web.acme-${index}.svc.cluster.local`);
  t.strictSame(await found(object('VirtualService', { hosts: hosts(64), http: [{}] }), {}), []);
  t.not((await found(object('VirtualService', { hosts: hosts(65), http: [{}] }), {})).length, 0);
});

t.test('whatever is written, it is judged', async (t) => {
  const { nested } = fc.letrec((tie) => ({
    nested: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(null, '', '*', 'web', 'db.beta-data.svc', '10.0.0.1', 'a/b', 'mesh', 7, true, '::', '.'),
      fc.array(tie('nested'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          ...[
            'hosts',
            'http',
            'tls',
            'tcp',
            'match',
            'route',
            'destination',
            'host',
            'gateways',
            'exportTo',
            'servers',
          ],
          ...['port', 'ports', 'number', 'protocol', 'endpoints', 'address', 'addresses', 'resolution', 'sniHosts'],
          ...['ingress', 'defaultEndpoint', 'trafficPolicy', 'credentialName', 'subsets', 'delegate', 'constructor'],
        ),
        tie('nested'),
        { maxKeys: 4 },
      ),
    ),
  }));
  const kinds = fc.constantFrom(
    'VirtualService',
    'DestinationRule',
    'ServiceEntry',
    'Gateway',
    'Sidecar',
    'WorkloadEntry',
  );
  await fc.assert(
    fc.asyncProperty(kinds, nested, async (kind, spec) => {
      // A check that fails is a defect, which throws.
      await found(object(kind, JSON.parse(JSON.stringify(spec))), {});
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('what has no effect in ambient mode is warned of, where the settings say that mode', async (t) => {
  const security = (kind: string, spec: object): KubernetesObject => ({
    ...object(kind, spec),
    apiVersion: 'security.istio.io/v1',
  });
  const policy = (spec: object) => security('AuthorizationPolicy', spec);
  const tokens = (spec: object) =>
    security('RequestAuthentication', { ...spec, jwtRules: [{ issuer: 'acme', jwks: '{}' }] });
  const source = { namespaces: ['acme-web'] };
  const from = [{ source }];
  const get = [{ operation: { methods: ['GET'] } }];
  const when = [
    { key: 'source.namespace', values: ['acme-web'] },
    { key: 'request.headers[a]', values: ['b'] },
  ];
  const withToken = [{ source: { ...source, requestPrincipals: ['*'] } }];
  const target = (kind: string, group = '') => ({ targetRefs: [{ group, kind, name: 'web' }] });
  const gatewayApi = 'gateway.networking.k8s.io';
  const inNobody = 'ztunnel knows no HTTP, so the rule admits no caller';
  const selector = { matchLabels: { app: 'web' } };
  const rows: readonly (readonly [says: string, object: KubernetesObject, warning?: string])[] = [
    ['callers and ports', policy({ rules: [{ from, to: [{ operation: { ports: ['80'] } }] }] })],
    ['methods for a waypoint', policy({ ...target('Service'), rules: [{ from, to: get }] })],
    ['a gateway', policy({ ...target('Gateway', gatewayApi), rules: [{ from }] })],
    ['a ServiceEntry', policy({ ...target('ServiceEntry', 'networking.istio.io'), rules: [{ from }] })],
    [
      'methods for ztunnel',
      policy({ rules: [{ from }, { from, to: get }] }),
      `spec.rules[1].to[0].operation.methods ${inNobody}`,
    ],
    [
      'a denial of methods for ztunnel',
      policy({ action: 'DENY', selector, rules: [{ to: get }] }),
      'spec.rules[0].to[0].operation.methods ztunnel knows no HTTP, so the rule denies',
    ],
    ['a condition about a header', policy({ rules: [{ from, when }] }), `spec.rules[0].when[1].key ${inNobody}`],
    [
      'tokens for ztunnel',
      policy({ rules: [{ from: withToken }] }),
      `spec.rules[0].from[0].source.requestPrincipals ${inNobody}`,
    ],
    ['an audit', policy({ action: 'AUDIT', rules: [{}] }), 'spec.action ztunnel knows no action AUDIT'],
    [
      'a Deployment',
      policy({ ...target('Deployment', 'apps'), rules: [{ from }] }),
      'spec.targetRefs[0] "apps/Deployment" is no kind to which a policy can be attached',
    ],
    [
      'a class',
      policy({ ...target('GatewayClass', gatewayApi), rules: [{ from }] }),
      'spec.targetRefs[0] is a GatewayClass, which counts in the root namespace of the mesh alone',
    ],
    ['tokens of a workload', tokens({ selector }), 'spec.selector waypoints read policies with targetRefs alone'],
    ['tokens for a waypoint', tokens(target('Service'))],
    ['a Sidecar', object('Sidecar', { egress: [{ hosts: ['./*'] }] }), 'kind ztunnel and waypoints read no Sidecars'],
  ];
  for (const [says, written, warning] of rows) {
    const { allowed, warnings = [] } = await answered(written, { ambient: true });
    t.ok(allowed, says);
    const told = warningsIn(warnings).map((one) => one.told);
    if (warning === undefined) t.strictSame(told, [], says);
    else {
      t.equal(told.length, 1, says);
      t.match(told[0], `dead-rule: ${warning}`, says);
    }
    for (const ambient of [false, undefined])
      t.strictSame((await answered(written, { ambient })).warnings ?? [], [], `${says}, with ambient ${ambient}`);
  }
});

t.test('until the settings say that no pod is in ambient mode, exportTo counts for nothing', async (t) => {
  t.strictSame(await found(partner({ exportTo: ['.'] }), { ambient: undefined }), ['mesh-hosts spec.hosts[0]']);
});
