/** Where network policies and policies of Istio contradict each other: each contradiction is told with both fields, and consistent pairs with none. */
import t from 'tap';
import type { LayerFinding } from '../../src/connectivity/layers/context.ts';
import { layersOf } from '../../src/connectivity/layers/layers.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { readingsOf } from '../../src/connectivity/readings.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { unlined } from '../../src/tenancy/problem.ts';

const loaded = loadTenancy(
  {
    value: { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Settings', spec: { istio: {} } },
    locate: unlined('test'),
  },
  [
    {
      value: {
        apiVersion: 'bulkhead.dev/v1alpha1',
        kind: 'Tenant',
        metadata: { name: 'acme' },
        spec: { members: [{ kind: 'User', name: 'alice' }], namespaces: { names: ['acme-web', 'acme-db'] } },
      },
      locate: unlined('test'),
    },
  ],
  0,
);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const { value: tenancy } = loaded;

const sidecar = { 'istio-injection': 'enabled' };
const ambient = { 'istio.io/dataplane-mode': 'ambient' };
const space = (name: string, labels: object = sidecar) => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name, labels: { 'bulkhead.dev/tenant': 'acme', 'kubernetes.io/metadata.name': name, ...labels } },
});
const pod = (namespace: string, app: string, labels: object = {}, ports: readonly object[] = []) => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name: app, namespace, labels: { app, ...labels } },
  spec: { containers: [{ ports }] },
});
const of = (apiVersion: string, kind: string, name: string, spec: object, namespace = 'acme-db') => ({
  ...{ apiVersion, kind, spec },
  metadata: { name, namespace },
});
const policy = (name: string, spec: object) => of('networking.k8s.io/v1', 'NetworkPolicy', name, spec);
const authorization = (name: string, spec: object, namespace?: string) =>
  of('security.istio.io/v1', 'AuthorizationPolicy', name, spec, namespace);
const tls = (mode: string, spec: object = {}, namespace?: string) =>
  of('security.istio.io/v1', 'PeerAuthentication', 'default', { mtls: { mode }, ...spec }, namespace);
const service = (name: string, app: string, port: number, targetPort: number | string) =>
  of('v1', 'Service', name, { selector: { app }, ports: [{ port, targetPort }] });

const headless = (name: string, app: string, port: number, targetPort: number) =>
  of('v1', 'Service', name, { clusterIP: 'None', selector: { app }, ports: [{ port, targetPort }] });
const onNode = (namespace: string, app: string) => {
  const { spec, ...more } = pod(namespace, app);
  return { ...more, spec: { ...spec, hostNetwork: true } };
};
const post = (namespace: string) =>
  authorization('post', { rules: [{ to: [{ operation: { methods: ['POST'] } }] }] }, namespace);

const fromWeb = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-web' } } };
const toDbPods = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-db' } } };
const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: 'TCP', port }));
const toDb = (ports: readonly object[], from: readonly object[] = [fromWeb], app = 'db') =>
  policy('to-db', { podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'], ingress: [{ from, ports }] });
const webCalls = (ports: readonly object[], to: readonly object[] = [toDbPods]) =>
  of(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    'out',
    { podSelector: {}, policyTypes: ['Egress'], egress: [{ to, ports }] },
    'acme-web',
  );
const dbSelector = { selector: { matchLabels: { app: 'db' } } };
const webMayCall = (more: object = {}, ports?: readonly string[]) =>
  authorization('db', {
    ...{ ...dbSelector, action: 'ALLOW' },
    rules: [
      { from: [{ source: { namespaces: ['acme-web'] } }], ...(ports && { to: [{ operation: { ports } }] }), ...more },
    ],
  });
const world = (labels: object = sidecar) => [
  ...[space('acme-web', labels), space('acme-db', labels)],
  ...[pod('acme-web', 'web'), pod('acme-db', 'db')],
];

function found(...objects: readonly object[]): readonly LayerFinding[] {
  const snapshot = readSnapshot(JSON.parse(JSON.stringify(objects)), tenancy, { hasPods: true, withBaseline: false });
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const worlds = readingsOf(tenancy.settings.plugin, snapshot.policies).map((reading) =>
    createWorld(snapshot, parties, tenancy.settings, reading),
  );
  return layersOf(snapshot, worlds, tenancy.settings);
}

const told = (...objects: readonly object[]) =>
  found(...objects).map(({ check, object, path }) => `${check}: ${object} ${path}`);
const source = 'spec.rules[0].from[0].source.namespaces[0]';
const calico = (http: object) =>
  of('projectcalico.org/v3', 'NetworkPolicy', 'http', {
    selector: 'app == "db"',
    types: ['Ingress'],
    ingress: [
      { action: 'Allow', protocol: 'TCP', source: { namespaceSelector: 'all()' }, destination: { ports: [80] }, http },
    ],
  });
const tokens = (more: object = dbSelector, namespace?: string) =>
  of('security.istio.io/v1', 'RequestAuthentication', 'jwt', { ...more, jwtRules: [{ issuer: 'acme' }] }, namespace);
const users = (rule: object, more: object = {}) => authorization('users', { ...dbSelector, ...more, rules: [rule] });
const onMethods = (...methods: string[]) => webMayCall({ to: [{ operation: { methods } }] });

const anyUser = { from: [{ source: { requestPrincipals: ['*'] } }] };

const contradictions: readonly (readonly [sentence: string, objects: readonly object[], lines: readonly string[]])[] = [
  [
    'a port that is not open',
    [webMayCall({}, ['5432']), toDb(tcp(80))],
    [`l7-dead: AuthorizationPolicy acme-db/db ${source}`],
  ],
  [
    'callers that are not let in',
    [webMayCall(), toDb(tcp(5432), [{ podSelector: {} }])],
    [`l7-dead: AuthorizationPolicy acme-db/db ${source}`],
  ],
  [
    'pods that no policy guards',
    [
      ...[pod('acme-db', 'cache'), webMayCall()],
      policy('all', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [fromWeb] }] }),
    ],
    ['l4-unguarded: NetworkPolicy acme-db/all spec.ingress[0].from[0].namespaceSelector'],
  ],
  [
    'the port of a Service',
    [webMayCall({}, ['80']), service('db', 'db', 80, 5432), toDb(tcp(80, 5432))],
    [
      `port-mismatch: AuthorizationPolicy acme-db/db ${source}`,
      'port-mismatch: NetworkPolicy acme-db/to-db spec.ingress[0].from[0].namespaceSelector',
    ],
  ],
  [
    'the port of a Service, which no network policy opens',
    [webMayCall({}, ['80']), service('db', 'db', 80, 5432), toDb(tcp(5432))],
    [`port-mismatch: AuthorizationPolicy acme-db/db ${source}`],
  ],
  [
    'the port of a Service, whose target has a name',
    [
      pod('acme-db', 'db', {}, [{ name: 'postgres', containerPort: 5432 }]),
      ...[webMayCall({}, ['80']), service('db', 'db', 80, 'postgres'), toDb(tcp(5432))],
    ],
    [`port-mismatch: AuthorizationPolicy acme-db/db ${source}`],
  ],
  [
    'pods that have left the mesh',
    [webMayCall({}, ['5432']), toDb(tcp(5432)), pod('acme-db', 'db', { 'sidecar.istio.io/inject': 'false' })],
    ['outside-the-mesh: AuthorizationPolicy acme-db/db spec.selector'],
  ],
  [
    'methods that exclude each other',
    [onMethods('GET'), calico({ methods: ['POST'] })],
    ['calico-http: NetworkPolicy acme-db/http spec.ingress[0].source'],
  ],
  [
    'a denial by identity without mutual TLS',
    [
      tls('PERMISSIVE'),
      authorization('deny', {
        ...dbSelector,
        action: 'DENY',
        rules: [{ from: [{ source: { namespaces: ['acme-web'] } }] }],
      }),
    ],
    ['permissive-hole: AuthorizationPolicy acme-db/deny spec.rules[0].from[0].source.namespaces'],
  ],
  ['tokens that no policy asks for', [tokens()], ['token-optional: RequestAuthentication acme-db/jwt spec.jwtRules']],
  [
    'tokens that a policy for other pods asks for',
    [
      ...[tokens(), authorization('web', { selector: { matchLabels: { app: 'web' } }, rules: [anyUser] })],
      users({ from: [{ source: { notRequestPrincipals: ['*'] } }] }, { action: 'ALLOW' }),
    ],
    ['token-optional: RequestAuthentication acme-db/jwt spec.jwtRules'],
  ],
  [
    'callers that are left out, without mutual TLS',
    [
      tls('DISABLE', {}, 'istio-system'),
      authorization('not', { rules: [{ from: [{ source: { notNamespaces: ['acme-web'] } }] }] }),
    ],
    ['permissive-hole: AuthorizationPolicy acme-db/not spec.rules[0].from[0].source.notNamespaces'],
  ],
];

for (const [sentence, objects, lines] of contradictions)
  t.test(`it is told: ${sentence}`, async (t) => {
    const all = found(...world(), ...objects);
    t.strictSame(
      all.map(({ check, object, path }) => `${check}: ${object} ${path}`),
      lines,
    );
    for (const { other, reason, fix } of all) t.ok(other !== '' && reason !== '' && fix !== '', reason);
  });

const others: readonly (readonly [sentence: string, objects: readonly object[], other: string])[] = [
  [
    'the rule that lets the callers in on another port',
    [webMayCall({}, ['5432']), toDb(tcp(80))],
    'NetworkPolicy acme-db/to-db isolates them for ingress (spec.ingress[0].ports)',
  ],
  [
    'the policy that has no rule for the callers',
    [webMayCall(), toDb(tcp(5432), [{ podSelector: {} }])],
    'NetworkPolicy acme-db/to-db isolates them for ingress (spec.ingress)',
  ],
  [
    'egress of the callers, where the pods let them in',
    [webMayCall({}, ['5432']), toDb(tcp(5432)), webCalls(tcp(80))],
    'NetworkPolicy acme-web/out isolates Pod web of acme-web for egress (spec.egress[0].ports)',
  ],
  [
    'egress of the callers to others alone',
    [webMayCall({}, ['5432']), toDb(tcp(5432)), webCalls(tcp(5432), [{ podSelector: {} }])],
    'NetworkPolicy acme-web/out isolates Pod web of acme-web for egress (spec.egress)',
  ],
  [
    'ingress, where both sides close',
    [webMayCall({}, ['5432']), toDb(tcp(80)), webCalls(tcp(80))],
    'NetworkPolicy acme-db/to-db isolates them for ingress (spec.ingress[0].ports)',
  ],
  [
    'the target of the Service',
    [webMayCall({}, ['80']), service('db', 'db', 80, 5432), toDb(tcp(5432))],
    'Service acme-db/db (spec.ports[0].targetPort)',
  ],
  [
    'the selectors that leave the pods out',
    [
      ...[pod('acme-db', 'cache'), webMayCall()],
      policy('all', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [fromWeb] }] }),
    ],
    'Pod cache is selected by none of AuthorizationPolicy acme-db/db (spec.selector)',
  ],
  [
    'the labels of pods that left the mesh',
    [webMayCall({}, ['5432']), toDb(tcp(5432)), pod('acme-db', 'db', { 'sidecar.istio.io/inject': 'false' })],
    'Pod db (metadata.labels)',
  ],
  [
    'the methods of the mesh',
    [onMethods('GET'), calico({ methods: ['POST'] })],
    'AuthorizationPolicy acme-db/db (spec.rules[0].to[0].operation.methods)',
  ],
];

for (const [sentence, objects, other] of others)
  t.test(`the other side is named with its field: ${sentence}`, async (t) => {
    const last = found(...world(), ...objects).at(-1);
    t.equal(last?.other, other);
  });

t.test('the labels of a namespace that left the mesh are named', async (t) => {
  const [one] = found(...world({ 'istio-injection': 'disabled' }), webMayCall({}, ['5432']), toDb(tcp(5432)));
  t.equal(one?.other, 'Namespace acme-db (metadata.labels)');
});

t.test('of two labels of a namespace, istio-injection decides', async (t) => {
  const labels = { 'istio-injection': 'disabled', 'istio.io/rev': 'stable' };
  t.strictSame(told(...world(labels), webMayCall({}, ['5432']), toDb(tcp(5432))), [
    'outside-the-mesh: AuthorizationPolicy acme-db/db spec.selector',
  ]);
});

t.test('ambient: what comes through the mesh comes on port 15008', async (t) => {
  const line = `port-mismatch: AuthorizationPolicy acme-db/db ${source}`;
  t.strictSame(told(...world(ambient), webMayCall({}, ['5432']), toDb(tcp(5432))), [line]);
  t.strictSame(told(...world(ambient), webMayCall({}, ['5432']), toDb(tcp(5432, 15008))), []);
  t.strictSame(told(...world(ambient), webMayCall({}, ['5432']), toDb(tcp(15008))), [], 'it is open through the mesh');
  t.strictSame(told(...world(ambient), webMayCall({}, ['5432']), toDb(tcp(80))), [
    line.replace('port-mismatch', 'l7-dead'),
  ]);
});

const consistent: readonly (readonly [sentence: string, objects: readonly object[]])[] = [
  ['the same callers and ports', [webMayCall({}, ['5432']), toDb(tcp(5432))]],
  ['network policies open more', [webMayCall({}, ['5432']), toDb(tcp(5432, 9090), [{ namespaceSelector: {} }])]],
  ['no network policy isolates the pods', [webMayCall()]],
  [
    'a namespace that has no pods yet',
    [authorization('db', { rules: [{ from: [{ source: { namespaces: ['later'] } }] }] }), toDb(tcp(1))],
  ],
  ['an ALLOW without rules guards everything', [authorization('none', {}), toDb(tcp(5432))]],
  [
    'a dry run decides nothing',
    [
      {
        ...webMayCall({}, ['1']),
        metadata: { name: 'x', namespace: 'acme-db', annotations: { 'istio.io/dry-run': 'true' } },
      },
      toDb(tcp(5432)),
    ],
  ],
  [
    'a policy of the mesh guards the pods',
    [
      webMayCall(),
      pod('acme-db', 'cache'),
      authorization('all', { rules: [{}] }, 'istio-system'),
      policy('all', { podSelector: {}, ingress: [{ from: [fromWeb] }] }),
    ],
  ],
  ['the port of the pods', [webMayCall({}, ['5432']), service('db', 'db', 80, 5432), toDb(tcp(5432))]],
  [
    'the port of the pods, which has no name, is also the port of a Service',
    [
      pod('acme-db', 'shop', {}, [{ containerPort: 80 }, { containerPort: 8080 }]),
      authorization('shop', {
        selector: { matchLabels: { app: 'shop' } },
        rules: [{ from: [{ source: { namespaces: ['acme-web'] } }], to: [{ operation: { ports: ['80', '8080'] } }] }],
      }),
      ...[service('shop', 'shop', 80, 8080), toDb(tcp(80, 8080), [fromWeb], 'shop')],
    ],
  ],
  [
    'nothing is allowed but what the next policy allows',
    [authorization('allow-nothing', {}), webMayCall({}, ['5432']), toDb(tcp(5432))],
  ],
  [
    'one method for readers, another for writers, by their service accounts',
    [
      authorization('readers', {
        ...dbSelector,
        rules: [
          {
            from: [{ source: { principals: ['cluster.local/ns/acme-web/sa/reader'] } }],
            to: [{ operation: { methods: ['GET'], paths: ['/reviews*'] } }],
          },
          {
            from: [{ source: { principals: ['cluster.local/ns/acme-web/sa/writer'] } }],
            to: [{ operation: { methods: ['POST'] } }],
          },
        ],
      }),
      toDb(tcp(9080)),
    ],
  ],
  [
    'ports of TCP for callers of two namespaces, which are let in on both',
    [
      authorization('tcp', {
        ...dbSelector,
        rules: [
          {
            from: [{ source: { namespaces: ['acme-web', 'acme-db'] } }],
            to: [{ operation: { ports: ['9000', '9001'] } }],
          },
        ],
      }),
      toDb(tcp(9000, 9001), [fromWeb, { podSelector: {} }]),
    ],
  ],
  [
    'a token of one issuer is required, with a claim',
    [
      tokens(),
      authorization('jwt', {
        ...dbSelector,
        rules: [
          {
            from: [{ source: { requestPrincipals: ['acme/*'], namespaces: ['acme-web'] } }],
            when: [{ key: 'request.auth.claims[groups]', values: ['admins'] }],
          },
        ],
      }),
      toDb(tcp(5432)),
    ],
  ],
  [
    'the monitoring scrapes one path, which network policies open to every namespace',
    [
      authorization('scrape', {
        ...dbSelector,
        rules: [{ to: [{ operation: { ports: ['15020'], paths: ['/stats/prometheus'], methods: ['GET'] } }] }],
      }),
      policy('scrape', {
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ namespaceSelector: {} }], ports: tcp(15020) }],
      }),
    ],
  ],
  [
    'the gateway of the mesh calls, on the port of the pods',
    [
      authorization('gateway', {
        ...dbSelector,
        rules: [
          {
            from: [{ source: { principals: ['cluster.local/ns/istio-system/sa/istio-ingressgateway'] } }],
            to: [{ operation: { ports: ['8080'] } }],
          },
        ],
      }),
      ...[service('db', 'db', 443, 8080)],
      toDb(tcp(8080), [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'istio-system' } } }]),
    ],
  ],
  [
    'addresses of clients are denied, and callers of the tenant allowed',
    [
      authorization('clients', {
        ...dbSelector,
        action: 'DENY',
        rules: [{ from: [{ source: { remoteIpBlocks: ['192.0.2.0/24'] } }] }],
      }),
      ...[webMayCall({}, ['5432']), toDb(tcp(5432))],
    ],
  ],
  [
    'ambient: callers and pods of the mesh, with the port of the tunnel beside',
    [
      ...world(ambient),
      ...[tls('STRICT'), webMayCall({}, ['5432']), toDb(tcp(5432, 15008)), webCalls(tcp(5432, 15008))],
    ],
  ],
  ['the same port in both', [webMayCall({}, ['80']), service('db', 'db', 80, 80), toDb(tcp(80))]],
  ['a method that both let through', [onMethods('GET', 'POST'), calico({ methods: ['POST'] })]],
  ['Calico takes every method', [onMethods('GET'), calico({ paths: [{ prefix: '/' }] })]],
  [
    'mutual TLS is strict',
    [tls('STRICT'), authorization('deny', { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['x'] } }] }] })],
  ],
  ['an ALLOW by identity refuses who has none', [tls('PERMISSIVE'), webMayCall({}, ['5432']), toDb(tcp(5432))]],
  [
    'the nearest PeerAuthentication decides',
    [
      tls('PERMISSIVE', {}, 'istio-system'),
      tls('STRICT'),
      authorization('deny', { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['x'] } }] }] }),
    ],
  ],
  [
    'one of very many callers is let in',
    [
      ...Array.from({ length: 120 }, (_, index) => pod('acme-web', `a${index}`)),
      pod('acme-web', 'zz', { calls: 'db' }),
      webMayCall({}, ['5432']),
      toDb(tcp(5432), [{ ...fromWeb, podSelector: { matchLabels: { calls: 'db' } } }]),
    ],
  ],
  [
    'more callers than are asked about',
    [
      ...Array.from({ length: 120 }, (_, index) => pod('acme-web', `a${index}`)),
      ...[webMayCall({}, ['5432']), toDb(tcp(80))],
    ],
  ],
  [
    'more pairs of callers and pods of a namespace than are asked about',
    [
      ...Array.from({ length: 97 }, (_, index) => pod('acme-web', `a${index}`)),
      // The first pods use up what may be asked; what would be told is about the last.
      ...Array.from({ length: 100 }, (_, index) =>
        authorization(`may-${index}`, {
          selector: { matchLabels: { team: 'a' } },
          rules: [{ from: [{ source: { namespaces: ['acme-web'] } }] }],
        }),
      ),
      ...Array.from({ length: 24 }, (_, index) => pod('acme-db', `b${index}`, { team: 'a' })),
      pod('acme-web', 'last', { calls: 'db' }),
      policy('team', {
        podSelector: { matchLabels: { team: 'a' } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ ...fromWeb, podSelector: { matchLabels: { calls: 'db' } } }] }],
      }),
      authorization('last', {
        selector: { matchLabels: { app: 'zz' } },
        rules: [{ from: [{ source: { namespaces: ['acme-web'] } }], to: [{ operation: { ports: ['5432'] } }] }],
      }),
      pod('acme-db', 'zz'),
      policy('zz', { podSelector: { matchLabels: { app: 'zz' } }, policyTypes: ['Ingress'], ingress: [] }),
    ],
  ],
  [
    'a caller on the network of its node, about which no policy of pods decides',
    [onNode('acme-web', 'agent'), webMayCall({}, ['5432']), toDb(tcp(5432), [{ podSelector: {} }])],
  ],
  ['a headless Service', [webMayCall({}, ['80']), headless('db', 'db', 80, 5432), toDb(tcp(80))]],
  [
    'a port by a name that the pods do not have',
    [webMayCall({}, ['80']), service('db', 'db', 80, 'postgres'), toDb(tcp(80))],
  ],
  [
    'a label of ambient mode on pods with a sidecar',
    [pod('acme-db', 'db', { 'istio.io/dataplane-mode': 'none' }), webMayCall({}, ['5432']), toDb(tcp(5432))],
  ],
  [
    'a DENY guards the other pods',
    [
      ...[pod('acme-db', 'cache'), webMayCall()],
      authorization('cache', {
        selector: { matchLabels: { app: 'cache' } },
        action: 'DENY',
        rules: [{ from: [{ source: { notNamespaces: ['acme-web'] } }] }],
      }),
      policy('all', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [fromWeb] }] }),
    ],
  ],
  [
    'a waypoint guards the other pods',
    [
      ...[pod('acme-db', 'cache'), webMayCall()],
      authorization('cache', {
        targetRefs: [{ group: '', kind: 'Service', name: 'cache' }],
        rules: [{ from: [{ source: { namespaces: ['acme-web'] } }] }],
      }),
      policy('all', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [fromWeb] }] }),
    ],
  ],
  [
    'the mesh lets the methods of Calico through',
    [onMethods('GET'), post('istio-system'), calico({ methods: ['POST'] })],
  ],
  ['an ALLOW that lets nothing through', [authorization('none', dbSelector), calico({ methods: ['POST'] })]],
  [
    'an ALLOW by identity stands beside the denial',
    [
      tls('PERMISSIVE'),
      ...[webMayCall({}, ['5432']), toDb(tcp(5432))],
      authorization('deny', { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['acme-old'] } }] }] }),
    ],
  ],
  [
    'callers without an identity are denied',
    [
      tls('PERMISSIVE'),
      authorization('known', { action: 'DENY', rules: [{ from: [{ source: { notPrincipals: ['*'] } }] }] }),
      authorization('deny', { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['acme-old'] } }] }] }),
    ],
  ],
  ['an ALLOW asks for a token', [tokens(), users(anyUser)]],
  [
    'a condition asks for a token',
    [tokens(), users({ when: [{ key: 'request.auth.claims[groups]', values: ['admins'] }] })],
  ],
  [
    'requests without a token are denied',
    [tokens(), users({ from: [{ source: { notRequestPrincipals: ['*'] } }] }, { action: 'DENY' })],
  ],
  ['the mesh asks for a token', [tokens(), authorization('users', { rules: [anyUser] }, 'istio-system')]],
  ['a policy for some of the pods asks for a token', [tokens({}), users(anyUser)]],
  [
    'a waypoint asks for a token',
    [
      tokens({ targetRefs: [{ group: '', kind: 'Service', name: 'db' }] }),
      authorization('users', { targetRefs: [{ group: '', kind: 'Service', name: 'db' }], rules: [anyUser] }),
    ],
  ],
  ['tokens of the mesh', [tokens({}, 'istio-system')]],
  ['no rules about tokens', [of('security.istio.io/v1', 'RequestAuthentication', 'none', dbSelector)]],
  ['no policy of a mesh', [toDb(tcp(5432)), service('db', 'db', 80, 5432)]],
];
for (const [sentence, objects] of consistent)
  t.test(`nothing is told: ${sentence}`, async (t) => {
    t.strictSame(told(...world(), ...objects), []);
  });
