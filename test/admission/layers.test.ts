/** What is answered when a policy is written that contradicts others of its namespace, by the policies and Services alone. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { Beside, BesideSource } from '../../src/admission/beside.ts';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import type { JsonMap } from '../../src/kubernetes/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { bytesOf, farDeadline, responseOf, reviewOf, type Sent } from '../fixtures/review.ts';
import { createWorld, settings } from '../fixtures/world.ts';

const user = cast['acme developer'];
const world = createWorld();

type Lister = BesideSource['list'];
type Written = KubernetesObject & { readonly kind: string };

interface Asked {
  readonly beside?: readonly object[] | Lister;
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly tenancy?: Tenancy;
  readonly sent?: Partial<Sent>;
  readonly phase?: 'mutate' | 'validate';
  /** Whether there is time, each time that it is asked. */
  readonly times?: boolean[];
}

async function write(
  object: object,
  { beside = [], labels = {}, tenancy = world.tenancy, sent, phase = 'validate', times = [] }: Asked = {},
) {
  const lists: Parameters<Lister>[0][] = [];
  const defects: unknown[] = [];
  const charged: string[] = [];
  const lookup = (name: string): NamespaceRecord | undefined => {
    const record = world.namespaces.lookup(name);
    return record && { ...record, labels: { ...record.labels, ...labels[name] } };
  };
  const review = createAdmission({
    tenancy: () => tenancy,
    namespaces: { ...world.namespaces, lookup },
    beside: {
      list: async (asked, signal): Promise<Beside> => {
        lists.push(asked);
        return typeof beside === 'function' ? beside(asked, signal) : { objects: beside as readonly JsonMap[] };
      },
      skip: (skipped) => ({ skipped }),
      hasTime: (tenant) => tenant === 'acme' && (times.shift() ?? true),
      charge: (tenant, milliseconds) => charged.push(`${tenant} ${milliseconds >= 0}`),
    },
    onDefect: (error) => defects.push(error),
  });
  const body = bytesOf(reviewOf({ user, operation: 'CREATE', object: labelled(object) as Written, ...sent }));
  const {
    allowed,
    warnings = [],
    auditAnnotations,
    status,
  } = responseOf((await review(phase, body, farDeadline())).body);
  t.strictSame(defects, []);
  t.ok(charged.every((one) => one === 'acme true'));
  return { allowed, warnings, auditAnnotations, lists, message: status?.message };
}

/** As the mutating webhook leaves it. */
function labelled(object: object): object {
  const metadata: object = Reflect.get(object, 'metadata');
  return { ...object, metadata: { ...metadata, labels: { 'bulkhead.dev/tenant': 'acme' } } };
}

const of = (apiVersion: string, kind: string, name: string, spec: object, namespace = 'acme-db') => ({
  ...{ apiVersion, kind, spec },
  metadata: { name, namespace },
});
const authorization = (spec: object, name = 'db', namespace?: string) =>
  of('security.istio.io/v1', 'AuthorizationPolicy', name, spec, namespace);
const db = { selector: { matchLabels: { app: 'db' } } };
const webCalls = (to?: object, more: object = db) =>
  authorization({
    ...more,
    rules: [{ from: [{ source: { namespaces: ['acme-web'] } }], ...(to && { to: [{ operation: to }] }) }],
  });
const network = (ports: readonly number[], podSelector: object = { matchLabels: { app: 'db' } }, name = 'to-db') =>
  of('networking.k8s.io/v1', 'NetworkPolicy', name, {
    ...{ podSelector, policyTypes: ['Ingress'] },
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-web' } } }],
        ports: ports.map((port) => ({ protocol: 'TCP', port })),
      },
    ],
  });
const service = (port: number, targetPort: number | string) =>
  of('v1', 'Service', 'db', { selector: { app: 'db' }, ports: [{ port, targetPort }] });
const calico = (methods: readonly string[], selector = 'app == "db"') =>
  of('projectcalico.org/v3', 'NetworkPolicy', 'http', {
    ...{ selector, types: ['Ingress'] },
    ingress: [
      {
        ...{ action: 'Allow', protocol: 'TCP', http: { methods } },
        source: { namespaceSelector: 'kubernetes.io/metadata.name == "acme-web"' },
      },
    ],
  });
const tls = (mode: string, namespace?: string) =>
  of('security.istio.io/v1', 'PeerAuthentication', 'default', { mtls: { mode } }, namespace);
const deny = authorization(
  { ...db, action: 'DENY', rules: [{ from: [{ source: { namespaces: ['acme-web'] } }] }] },
  'deny',
);
const jwt = of('security.istio.io/v1', 'RequestAuthentication', 'jwt', {
  ...db,
  jwtRules: [{ issuer: 'acme', jwks: '{}' }],
});
const users = authorization({
  ...db,
  rules: [{ from: [{ source: { requestPrincipals: ['*'], namespaces: ['acme-web'] } }] }],
});
const ambient = { 'istio.io/dataplane-mode': 'ambient' };
const inAmbient = { 'acme-web': ambient, 'acme-db': ambient };

const source = 'spec.rules[0].from[0].source.namespaces[0]';
const peer = 'spec.ingress[0].from[0].namespaceSelector';
const at = (object: string, path: string) => `${object} ${path}`;
const onAuthorization = at('AuthorizationPolicy acme-db/db', source);

interface Row extends Omit<Asked, 'beside'> {
  readonly says: string;
  readonly writes: object;
  readonly beside: readonly object[];
  /** The beginning of each warning but the fixes. */
  readonly warns: readonly string[];
}

const contradictions: readonly Row[] = [
  {
    says: 'l7-dead, as the policy of the mesh is written',
    writes: webCalls({ ports: ['5432'] }),
    beside: [network([80])],
    warns: [`l7-dead: ${source} lets namespace acme-web in on 5432/TCP`],
  },
  {
    says: 'l7-dead, as the network policy is written',
    writes: network([80]),
    beside: [webCalls({ ports: ['5432'] })],
    warns: [`l7-dead: ${onAuthorization} lets`],
  },
  {
    says: 'l7-dead, by another policy that isolates the pods',
    writes: webCalls({ ports: ['5432'] }),
    beside: [
      of('networking.k8s.io/v1', 'NetworkPolicy', 'none', { podSelector: {}, policyTypes: ['Ingress'] }),
      network([5432], { matchLabels: { app: 'web' } }),
    ],
    warns: [`l7-dead: ${source} lets`, 'l4-unguarded: NetworkPolicy acme-db/to-db'],
  },
  {
    says: 'l4-unguarded, as the network policy is written',
    writes: network([80], { matchLabels: { app: 'cache' } }),
    beside: [webCalls()],
    warns: [`l4-unguarded: ${peer} opens ports of pods that no AuthorizationPolicy selects`],
  },
  {
    says: 'l4-unguarded, as the first policy that allows is written',
    writes: webCalls(),
    beside: [network([80], { matchLabels: { app: 'cache' } }, 'cache')],
    warns: [`l4-unguarded: ${at('NetworkPolicy acme-db/cache', peer)} opens`],
  },
  {
    says: 'port-mismatch, of a Service',
    writes: webCalls({ ports: ['80'] }),
    beside: [service(80, 5432), network([80])],
    warns: [`port-mismatch: ${source} is about port 80 of Service db`],
  },
  {
    says: 'port-mismatch, of a Service in a network policy',
    writes: network([80]),
    beside: [service(80, 5432), webCalls()],
    warns: [`port-mismatch: ${peer} is about port 80 of Service db`],
  },
  {
    says: 'port-mismatch, of the tunnel',
    writes: webCalls({ ports: ['5432'] }),
    beside: [network([5432])],
    labels: inAmbient,
    warns: [`port-mismatch: ${source} lets namespace acme-web in through the mesh, on port 15008`],
  },
  {
    says: 'outside-the-mesh, by labels of the namespace',
    writes: webCalls(),
    beside: [],
    labels: { 'acme-db': { 'istio-injection': 'disabled' } },
    warns: ['outside-the-mesh: spec.selector selects pods that have left the mesh, unless'],
  },
  {
    says: 'outside-the-mesh, by labels of the selector',
    writes: webCalls(undefined, { selector: { matchLabels: { 'sidecar.istio.io/inject': 'false' } } }),
    beside: [],
    warns: ['outside-the-mesh: spec.selector selects pods that have left the mesh'],
  },
  {
    says: 'calico-http, as the policy of the mesh is written',
    writes: webCalls({ methods: ['GET'] }),
    beside: [calico(['POST'])],
    warns: ['calico-http: NetworkPolicy acme-db/http spec.ingress[0].source lets POST through'],
  },
  {
    says: 'calico-http, as the policy of Calico is written',
    writes: calico(['POST']),
    beside: [webCalls({ methods: ['GET'] })],
    warns: ['calico-http: spec.ingress[0].source lets POST through, and Istio GET'],
  },
  {
    says: 'permissive-hole, as the policy is written',
    writes: deny,
    beside: [tls('PERMISSIVE')],
    warns: ['permissive-hole: spec.rules[0].from[0].source.namespaces denies callers by identity'],
  },
  {
    says: 'permissive-hole, by the mesh',
    writes: deny,
    beside: [tls('PERMISSIVE', 'istio-system')],
    warns: ['permissive-hole: spec.rules[0].from[0].source.namespaces denies'],
  },
  {
    says: 'permissive-hole, as mutual TLS is loosened',
    writes: tls('PERMISSIVE'),
    beside: [deny],
    tenancy: loosened(),
    warns: ['permissive-hole: AuthorizationPolicy acme-db/deny spec.rules'],
  },
  {
    says: 'token-optional, as the tokens are written',
    writes: jwt,
    beside: [],
    warns: ['token-optional: spec.jwtRules checks the tokens'],
  },
  {
    says: 'token-optional, as a policy is written that asks for none',
    writes: webCalls(),
    beside: [jwt],
    warns: ['token-optional: RequestAuthentication acme-db/jwt spec.jwtRules checks'],
  },
];

/** Tenants may loosen mutual TLS. */
function loosened(): Tenancy {
  const { istio } = settings;
  if (istio === undefined) throw new Error('the example has a mesh');
  return createTenancy({ ...settings, istio: { ...istio, mtls: 'permissive' } }, [...world.tenancy.tenants.values()]);
}

for (const { says, writes, warns, ...asked } of contradictions)
  t.test(`it is warned: ${says}`, async (t) => {
    const { allowed, warnings, auditAnnotations } = await write(writes, asked);
    t.ok(allowed);
    const found = warnings.filter((_, index) => index % 2 === 0);
    t.equal(found.length, warns.length, found.join('\n'));
    for (const [index, line] of warns.entries())
      t.ok(found[index]?.startsWith(line), `${found[index]} begins with ${line}`);
    for (const line of warnings) t.ok(line.length <= 256, `${line.length}`);
    for (const [index, line] of warnings.entries())
      if (index % 2 === 1) t.match(line, /^[a-z0-9-]+: fix: .+; other side: .+$/, 'the fix is whole');
    t.equal(auditAnnotations.layers, warns.map((line) => line.split(':')[0]).join(','));
    const dryRun = await write(writes, { ...asked, sent: { dryRun: true } });
    t.strictSame(dryRun.warnings, warnings, 'a dry run says the same');
  });

const consistent: readonly Omit<Row, 'warns'>[] = [
  { says: 'the same callers and ports', writes: webCalls({ ports: ['5432'] }), beside: [network([5432])] },
  {
    says: 'the same, as the network policy is written',
    writes: network([5432]),
    beside: [webCalls({ ports: ['5432'] })],
  },
  { says: 'nothing isolates the pods', writes: webCalls(), beside: [] },
  {
    says: 'the pods may have a label by which a port is opened',
    writes: webCalls({ ports: ['5432'] }),
    beside: [network([80]), network([5432], { matchLabels: { tier: 'a' } }, 'tier')],
  },
  {
    says: 'only some of the pods may be isolated',
    writes: webCalls({ ports: ['5432'] }),
    beside: [network([80], { matchLabels: { app: 'db', tier: 'a' } })],
  },
  {
    says: 'callers of another tenant',
    writes: network([80]),
    beside: [authorization({ ...db, rules: [{ from: [{ source: { namespaces: ['beta-data'] } }] }] })],
  },
  {
    says: 'callers that are not known',
    writes: webCalls(),
    beside: [
      authorization({ rules: [{ from: [{ source: { namespaces: ['acme-later'] } }] }] }, 'later'),
      network([80]),
    ],
  },
  { says: 'pods that may be selected', writes: network([80], { matchLabels: { tier: 'a' } }), beside: [webCalls()] },
  {
    says: 'a policy of the mesh guards all pods',
    writes: network([80], { matchLabels: { app: 'cache' } }),
    beside: [webCalls(), authorization({ rules: [{}] }, 'all', 'istio-system')],
  },
  {
    says: 'a waypoint guards the other pods',
    writes: network([80], { matchLabels: { app: 'cache' } }),
    beside: [webCalls(), authorization({ targetRefs: [{ kind: 'Service', name: 'x' }], rules: [{}] }, 'waypoint')],
  },
  { says: 'the port of the pods', writes: webCalls({ ports: ['5432'] }), beside: [service(80, 5432), network([5432])] },
  { says: 'a port by name', writes: webCalls({ ports: ['80'] }), beside: [service(80, 'http'), network([80])] },
  {
    says: 'the port and the tunnel',
    writes: webCalls({ ports: ['5432'] }),
    beside: [network([5432, 15008])],
    labels: inAmbient,
  },
  {
    says: 'a caller outside of ambient mode',
    writes: webCalls({ ports: ['5432'] }),
    beside: [network([5432])],
    labels: { 'acme-db': ambient },
  },
  {
    says: 'a namespace of the mesh',
    writes: webCalls(),
    beside: [],
    labels: { 'acme-db': { 'istio-injection': 'enabled' } },
  },
  { says: 'a common method', writes: webCalls({ methods: ['GET'] }), beside: [calico(['GET', 'POST'])] },
  { says: 'methods of other pods', writes: webCalls({ methods: ['GET'] }), beside: [calico(['POST'], 'app == "web"')] },
  {
    says: 'methods of some of the pods',
    writes: webCalls({ methods: ['GET'] }),
    beside: [calico(['POST'], 'tier == "a"')],
  },
  {
    says: 'another policy lets the method through',
    writes: webCalls({ methods: ['GET'] }),
    beside: [
      calico(['POST']),
      authorization(
        { rules: [{ from: [{ source: { namespaces: ['acme-web'] } }], to: [{ operation: { methods: ['POST'] } }] }] },
        'post',
      ),
    ],
  },
  { says: 'mutual TLS is strict', writes: deny, beside: [tls('STRICT')] },
  {
    says: 'mutual TLS is strict in the namespace',
    writes: deny,
    beside: [tls('STRICT'), tls('PERMISSIVE', 'istio-system')],
  },
  { says: 'an ALLOW by identity refuses who has none', writes: deny, beside: [tls('PERMISSIVE'), webCalls()] },
  { says: 'a token is asked for', writes: jwt, beside: [users] },
  { says: 'a token is asked for, as the policy is written', writes: users, beside: [jwt] },
  {
    says: 'tokens of other pods',
    writes: webCalls(undefined, { selector: { matchLabels: { app: 'web' } } }),
    beside: [jwt],
  },
  { says: 'no policy of the mesh', writes: network([80]), beside: [service(80, 5432)] },
  {
    says: 'a dry run of a policy',
    writes: {
      ...webCalls({ ports: ['5432'] }),
      metadata: { name: 'db', namespace: 'acme-db', annotations: { 'istio.io/dry-run': 'true' } },
    },
    beside: [network([80])],
  },
];
for (const { says, writes, ...asked } of consistent)
  t.test(`nothing is said: ${says}`, async (t) => {
    const { allowed, warnings, auditAnnotations, lists, message } = await write(writes, asked);
    t.ok(allowed, message ?? '');
    t.strictSame(warnings, []);
    t.equal(lists.length, 1, 'it was compared');
    t.notOk('layers' in auditAnnotations);
  });

t.test('the stored version of what is written does not count', async (t) => {
  const stored = network([80]);
  const updated = { writes: network([5432]), beside: [stored, webCalls({ ports: ['5432'] })] };
  const { warnings } = await write(updated.writes, {
    ...updated,
    sent: { operation: 'UPDATE', oldObject: labelled(stored) as Written },
  });
  t.strictSame(
    warnings.filter((line) => !line.startsWith('preview')),
    [],
  );
});

const account = (namespace: string) => ({ username: `system:serviceaccount:${namespace}:x`, groups: [] });

t.test('only what may contradict is listed for', async (t) => {
  const rows: readonly (readonly [says: string, writes: object, asked: Asked, lists: number])[] = [
    ['a policy', network([80]), {}, 1],
    ['the mutating phase', network([80]), { phase: 'mutate' }, 0],
    ['a pod', of('v1', 'Pod', 'web', { containers: [{ name: 'web', image: 'web' }] }), {}, 0],
    ['a Service', service(80, 80), {}, 0],
    [
      'a delete',
      network([80]),
      { sent: { operation: 'DELETE', object: undefined, oldObject: labelled(network([80])) as Written } },
      0,
    ],
    [
      'an update of labels',
      network([80]),
      { sent: { operation: 'UPDATE', oldObject: labelled(network([80])) as Written } },
      0,
    ],
    ['a namespace of the platform', { ...network([80]), metadata: { name: 'x', namespace: 'default' } }, {}, 0],
    ['a kind of another group', of('networking.istio.io/v1', 'VirtualService', 'x', {}), {}, 0],
    ['a staged policy', of('projectcalico.org/v3', 'StagedNetworkPolicy', 'x', { selector: 'all()' }), {}, 0],
    [
      'without a mesh',
      network([80]),
      { tenancy: createTenancy({ ...settings, istio: undefined }, [...world.tenancy.tenants.values()]) },
      0,
    ],
    ['in a mode that is not listed', network([80]), { tenancy: createWorld('audit').tenancy }, 0],
    ['by a member of another tenant', network([80]), { sent: { user: cast['beta developer'] } }, 0],
    ['by an account of another tenant', network([80]), { sent: { user: account('beta-data') } }, 0],
    ['by an account of the tenant', network([80]), { sent: { user: account('acme-web') } }, 1],
    ['by an account of the platform', network([80]), { sent: { user: account('default') } }, 1],
    ['in mode warn', network([80]), { tenancy: createWorld('warn').tenancy }, 1],
  ];
  for (const [says, writes, asked, lists] of rows) t.equal((await write(writes, asked)).lists.length, lists, says);
});

t.test('what is listed: the namespace, and the root namespace of the mesh', async (t) => {
  const { lists } = await write(jwt);
  const [asked] = lists;
  t.match(asked, { namespace: 'acme-db', tenant: 'acme', isOfMesh: true });
  t.strictSame(
    [asked?.first, ...(asked?.others ?? [])].map((one) => one?.paths[0]),
    [
      '/apis/security.istio.io/v1/namespaces/acme-db/authorizationpolicies',
      '/apis/security.istio.io/v1/namespaces/acme-db/peerauthentications',
      '/apis/security.istio.io/v1/namespaces/acme-db/requestauthentications',
      '/api/v1/namespaces/acme-db/services',
      '/apis/networking.k8s.io/v1/namespaces/acme-db/networkpolicies',
      '/apis/cilium.io/v2/namespaces/acme-db/ciliumnetworkpolicies',
      '/apis/projectcalico.org/v3/namespaces/acme-db/networkpolicies',
      '/apis/security.istio.io/v1/namespaces/istio-system/authorizationpolicies',
      '/apis/security.istio.io/v1/namespaces/istio-system/peerauthentications',
    ],
  );
  const plugged = createTenancy({ ...settings, plugin: 'cilium' }, [...world.tenancy.tenants.values()]);
  const ofCilium = await write(network([80]), { tenancy: plugged });
  t.match(ofCilium.lists, [{ isOfMesh: false }]);
  t.notMatch(JSON.stringify(ofCilium.lists), /calico/);
});

const tooMany =
  'layers: not compared with the other policies of the namespace, as it holds too many; ask bulkhead audit';

t.test('what cannot be listed is said, and decides nothing', async (t) => {
  for (const skipped of ['late', 'busy', 'often', 'large', 'failed'] as const) {
    const { allowed, warnings, auditAnnotations } = await write(network([80]), { beside: async () => ({ skipped }) });
    t.ok(allowed);
    const said = skipped === 'large' ? [tooMany] : [];
    t.strictSame(warnings, said, 'what passes by itself is for the audit log');
    t.ok(tooMany.length <= 120);
    t.equal(auditAnnotations.layers, `skipped: ${skipped}`);
  }
  const late: Lister = (_, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ skipped: 'late' })));
  const begun = performance.now();
  const alive = setTimeout(() => {}, 5_000);
  const { allowed } = await write(network([80]), { beside: late });
  clearTimeout(alive);
  t.ok(allowed);
  t.ok(performance.now() - begun < 1500, 'the wait has a bound');
});

t.test('without time left nothing is listed, and what was listed is not compared', async (t) => {
  const beside = [webCalls({ ports: ['5432'] })];
  const before = await write(network([80]), { beside, times: [false] });
  t.match(before, { allowed: true, warnings: [], lists: [], auditAnnotations: { layers: 'skipped: often' } });
  const after = await write(network([80]), { beside, times: [true, false] });
  t.match(after, { allowed: true, warnings: [], lists: [{}], auditAnnotations: { layers: 'skipped: often' } });
});

t.test('what is refused is refused without hints', async (t) => {
  const { allowed, warnings } = await write(authorization({ rules: [{}] }), { beside: [network([80])] });
  t.notOk(allowed);
  t.strictSame(warnings, []);
});

t.test('hostile neighbours: the answer stays short and in time', async (t) => {
  const long = 'x'.repeat(253);
  const many = Array.from({ length: 500 }, (_, index) =>
    authorization(
      {
        ...db,
        rules: Array.from({ length: 20 }, () => ({
          from: [{ source: { namespaces: ['acme-web'] } }],
          to: [{ operation: { ports: ['5432'] } }],
        })),
      },
      `${long.slice(5)}-${index}`,
    ),
  );
  const begun = performance.now();
  const { allowed, warnings, auditAnnotations } = await write(network([80]), { beside: many });
  const took = performance.now() - begun;
  t.ok(allowed);
  t.ok(took < 2000, `${Math.round(took)} ms`);
  t.ok(warnings.length <= 7);
  t.ok(warnings.every((line) => line.length <= 256));
  t.ok(JSON.stringify(auditAnnotations).length < 4096, 'the annotation is short');
  const odd = [
    { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: null, spec: null },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      spec: { rules: [null, { from: [null, { source: null }], to: [null], when: [null] }] },
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 7 },
      spec: { selector: [], mtls: 'x', portLevelMtls: [] },
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'RequestAuthentication',
      metadata: { name: 'x\u202e\u001b[31m', namespace: 'acme-db' },
      spec: { jwtRules: [{}] },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: {},
      spec: { ingress: [null], podSelector: 'x' },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {},
      spec: { ports: [null, { port: {} }], selector: { constructor: 'x' } },
    },
  ];
  const answered = await write(webCalls(), { beside: odd });
  t.ok(answered.allowed);
  for (const line of answered.warnings) t.notOk(line.includes('\u202e') || line.includes('\u001b'), line);
});
