import t from 'tap';
import { createLayer7, type Layer7 } from '../../src/connectivity/layer7/layer7.ts';
import { createParties, node, type Party, unnamedPod } from '../../src/connectivity/parties.ts';
import { portsText } from '../../src/connectivity/port-text.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import { namespace, plainTenancy, pod, policy } from './worlds.ts';

type Objects = Parameters<typeof readSnapshot>[0];

const mesh = { 'istio-injection': 'enabled' };
const base: Objects = [
  namespace('acme-web', 'acme', mesh),
  namespace('acme-db', 'acme', mesh),
  namespace('beta-web', 'beta', mesh),
  namespace('ambient', 'acme', { 'istio.io/dataplane-mode': 'ambient' }),
  namespace('behind', 'acme', { 'istio.io/dataplane-mode': 'ambient', 'istio.io/use-waypoint': 'waypoint' }),
  namespace('plain', undefined, { 'istio-injection': 'disabled' }),
  namespace('unlabelled'),
  ...['acme-web', 'acme-db', 'beta-web', 'ambient', 'behind', 'plain', 'unlabelled'].map((one) =>
    pod(`${one}/app`, { app: one }),
  ),
];
const authorization = (spec: object, place = 'acme-db/rules', annotations: object = {}) => {
  const made = policy(place, spec as Record<string, unknown>, 'AuthorizationPolicy', 'security.istio.io/v1');
  return { ...made, metadata: { ...(made.metadata as object), annotations } };
};
const moved = (rules: object, place: string) => authorization((rules as { readonly spec: object }).spec, place);
const mutualTls = (mode: string, more: object = {}, place = 'acme-db/default') =>
  policy(place, { mtls: { mode }, ...more }, 'PeerAuthentication', 'security.istio.io/v1');
const strict = (place?: string) => mutualTls('STRICT', {}, place);
const from = (...sources: readonly object[]) => ({ from: sources.map((source) => ({ source })) });
const to = (...operations: readonly object[]) => ({ to: operations.map((operation) => ({ operation })) });

const serviceAtWaypoint = (name: string): Objects => [
  {
    ...{ apiVersion: 'v1', kind: 'Service' },
    metadata: { namespace: 'ambient', name: 'app', labels: { 'istio.io/use-waypoint': name } },
    spec: { selector: { app: 'ambient' }, ports: [{ port: 80 }] },
  },
];

const outside: Party = { kind: 'address', range: knownRange('203.0.113.9/32') };

function asked(objects: Objects, caller: string | Party, callee = 'acme-db'): Layer7 | undefined {
  const snapshot = readSnapshot([...base, ...objects], plainTenancy, { hasPods: true, withBaseline: false });
  const parties = createParties(snapshot.namespaces, snapshot.workloads, plainTenancy);
  const podOf = (name: string) => {
    const [one] = parties.byName.get(name)?.classes ?? [];
    if (one === undefined) throw new Error(`no pod in ${name}`);
    return one;
  };
  const target = podOf(callee);
  return createLayer7(snapshot, plainTenancy.settings)(typeof caller === 'string' ? podOf(caller) : caller, target);
}

/** `sure / may` of TCP. */
function verdict(objects: Objects, caller: string | Party, callee?: string): string {
  const found = asked(objects, caller, callee);
  if (found === undefined) return 'nothing is said';
  const text = (ports: Layer7['may']) =>
    portsText(ports)
      .replace(', all/UDP, all/SCTP', '')
      .replace('all/UDP, all/SCTP', 'none')
      .replace('every port', 'all')
      .replace('all/TCP', 'all');
  return `${text(found.sure)} / ${text(found.may)}`;
}

const denyAll = authorization({});
const denyBeta = authorization({ action: 'DENY', rules: [from({ namespaces: ['beta-web'] })] });
const allButBeta = authorization({ rules: [from({ notNamespaces: ['beta-web'] })] });
const allowWeb = authorization({ rules: [from({ namespaces: ['acme-web'] })] });
const cases: readonly {
  readonly says: string;
  readonly objects: Objects;
  readonly caller: string | Party;
  readonly callee?: string;
  readonly verdict: string;
}[] = [
  { says: 'without policies', objects: [], caller: 'acme-web', verdict: 'nothing is said' },
  {
    says: 'a policy of other pods',
    objects: [authorization({ selector: { matchLabels: { app: 'x' } } })],
    caller: 'acme-web',
    verdict: 'nothing is said',
  },
  { says: 'a policy that allows nothing', objects: [denyAll], caller: 'acme-web', verdict: 'none / none' },
  {
    says: 'a dry run',
    objects: [authorization({}, 'acme-db/dry', { 'istio.io/dry-run': 'true' })],
    caller: 'acme-web',
    verdict: 'nothing is said',
  },
  { says: 'the namespace of the caller', objects: [strict(), allowWeb], caller: 'acme-web', verdict: 'all / all' },
  { says: 'another namespace', objects: [allowWeb], caller: 'beta-web', verdict: 'none / none' },
  {
    says: 'a caller outside of the mesh has no identity',
    objects: [allowWeb],
    caller: 'plain',
    verdict: 'none / none',
  },
  { says: 'an address has no identity', objects: [allowWeb], caller: outside, verdict: 'none / none' },
  {
    says: 'two policies add up',
    objects: [strict(), allowWeb, authorization({ rules: [from({ namespaces: ['beta-web'] })] }, 'acme-db/more')],
    caller: 'beta-web',
    verdict: 'all / all',
  },
  { says: 'an empty rule', objects: [authorization({ rules: [{}] })], caller: outside, verdict: 'all / all' },
  {
    says: 'a principal of another namespace',
    objects: [authorization({ rules: [from({ principals: ['cluster.local/ns/beta-web/sa/app'] })] })],
    caller: 'acme-web',
    verdict: 'none / none',
  },
  {
    says: 'a principal of the namespace, as accounts are not known',
    objects: [authorization({ rules: [from({ principals: ['cluster.local/ns/acme-web/sa/app'] })] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'any principal',
    objects: [strict(), authorization({ rules: [from({ principals: ['*'] })] })],
    caller: 'acme-web',
    verdict: 'all / all',
  },
  {
    says: 'ports',
    objects: [
      strict(),
      authorization({ rules: [{ ...from({ namespaces: ['acme-web'] }), ...to({ ports: ['5432', '80'] }) }] }),
    ],
    caller: 'acme-web',
    verdict: '80/TCP, 5432/TCP / 80/TCP, 5432/TCP',
  },
  {
    says: 'a condition on the port',
    objects: [authorization({ rules: [{ when: [{ key: 'destination.port', values: ['80'] }] }] })],
    caller: 'acme-web',
    verdict: '80/TCP / 80/TCP',
  },
  {
    says: 'methods',
    objects: [authorization({ rules: [{ ...from({ namespaces: ['acme-web'] }), ...to({ methods: ['GET'] }) }] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'a token',
    objects: [authorization({ rules: [from({ namespaces: ['acme-web'], requestPrincipals: ['*'] })] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'a denial by namespace',
    objects: [strict(), denyBeta],
    caller: 'beta-web',
    verdict: 'none / none',
  },
  {
    says: 'a denial of others',
    objects: [strict(), authorization({ action: 'DENY', rules: [from({ notNamespaces: ['acme-*'] })] })],
    caller: 'acme-web',
    verdict: 'all / all',
  },
  {
    says: 'a denial of others, for a caller without an identity',
    objects: [authorization({ action: 'DENY', rules: [from({ notNamespaces: ['acme-*'] })] })],
    caller: 'plain',
    verdict: 'none / none',
  },
  {
    says: 'a denial of some requests',
    objects: [authorization({ action: 'DENY', rules: [to({ paths: ['/admin*'] })] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'a denial wins',
    objects: [strict(), allowWeb, authorization({ action: 'DENY', rules: [to({ ports: ['80'] })] }, 'acme-db/deny')],
    caller: 'acme-web',
    verdict: '1-79/TCP, 81-65535/TCP / 1-79/TCP, 81-65535/TCP',
  },
  {
    says: 'a provider outside may deny',
    objects: [authorization({ action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'a policy of the root namespace',
    objects: [authorization({}, 'istio-system/all')],
    caller: 'acme-web',
    verdict: 'none / none',
  },
  { says: 'STRICT, for a caller outside of the mesh', objects: [strict()], caller: 'plain', verdict: 'none / none' },
  { says: 'STRICT, for an address', objects: [strict()], caller: outside, verdict: 'none / none' },
  { says: 'STRICT, for a caller in the mesh', objects: [strict()], caller: 'acme-web', verdict: 'all / all' },
  {
    says: 'STRICT, for a caller of whom no label says whether it is in the mesh',
    objects: [strict()],
    caller: 'unlabelled',
    verdict: 'none / all',
  },
  ...[node, unnamedPod].flatMap((caller) => [
    { says: `STRICT, for ${caller.kind}`, objects: [strict()], caller, verdict: 'none / all' },
    { says: `a namespace, for ${caller.kind}`, objects: [allowWeb], caller, verdict: 'none / all' },
    { says: `a denial by identity, for ${caller.kind}`, objects: [denyBeta], caller, verdict: 'none / all' },
    {
      says: `DISABLE, for ${caller.kind}`,
      objects: [mutualTls('DISABLE'), allowWeb],
      caller,
      verdict: 'none / none',
    },
  ]),
  {
    says: 'pods outside of the mesh have no proxy',
    objects: [authorization({}, 'plain/all')],
    caller: 'acme-web',
    callee: 'plain',
    verdict: 'all / all',
  },
  {
    says: 'pods of which no label says whether they have one',
    objects: [authorization({}, 'unlabelled/all')],
    caller: 'acme-web',
    callee: 'unlabelled',
    verdict: 'none / all',
  },
  {
    says: 'a policy of a waypoint, which is not examined',
    objects: [authorization({ targetRefs: [{ kind: 'Service', name: 'db' }], rules: [{}] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'an address of a block',
    objects: [authorization({ rules: [from({ ipBlocks: ['203.0.113.0/24'] })] })],
    caller: outside,
    verdict: 'all / all',
  },
  {
    says: 'an address outside of a block',
    objects: [authorization({ rules: [from({ ipBlocks: ['198.51.100.0/24'] })] })],
    caller: outside,
    verdict: 'none / none',
  },
  {
    says: 'a condition on the namespace',
    objects: [authorization({ rules: [{ when: [{ key: 'source.namespace', values: ['beta-web'] }] }] })],
    caller: 'acme-web',
    verdict: 'none / none',
  },
  {
    says: 'a condition on a header',
    objects: [authorization({ rules: [{ when: [{ key: 'request.headers[x]', values: ['1'] }] }] })],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  // No one demands that the caller proves who it is, so it may send plain text past its own proxy.
  ...[[], [mutualTls('PERMISSIVE')]].flatMap((permissive) =>
    [
      {
        says: 'a denial by identity, and plain text gets in',
        rules: denyBeta,
        caller: 'beta-web',
        verdict: 'none / all',
      },
      {
        says: 'all but one namespace, and plain text gets in',
        rules: allButBeta,
        caller: 'beta-web',
        verdict: 'none / all',
      },
      {
        says: 'one namespace alone, and plain text gets in',
        rules: allowWeb,
        caller: 'acme-web',
        verdict: 'none / all',
      },
      { says: 'another namespace alone', rules: allowWeb, caller: 'beta-web', verdict: 'none / none' },
      { says: 'all but another namespace', rules: allButBeta, caller: 'acme-web', verdict: 'all / all' },
    ].map(({ rules, ...one }) => ({ ...one, objects: [...permissive, rules] })),
  ),
  {
    says: 'STRICT, and all but one namespace',
    objects: [strict(), allButBeta],
    caller: 'beta-web',
    verdict: 'none / none',
  },
  {
    says: 'STRICT but for one port',
    objects: [mutualTls('STRICT', { portLevelMtls: { 80: { mode: 'DISABLE' } } }), denyBeta],
    caller: 'beta-web',
    verdict: 'none / all',
  },
  {
    says: 'DISABLE, and a denial by identity',
    objects: [mutualTls('DISABLE'), denyBeta],
    caller: 'beta-web',
    verdict: 'all / all',
  },
  {
    says: 'DISABLE, and one namespace alone',
    objects: [mutualTls('DISABLE'), allowWeb],
    caller: 'acme-web',
    verdict: 'none / none',
  },
  {
    says: 'DISABLE but for one port',
    objects: [
      mutualTls('DISABLE', {
        selector: { matchLabels: { app: 'acme-db' } },
        portLevelMtls: { 80: { mode: 'STRICT' } },
      }),
      allowWeb,
    ],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'DISABLE in ambient mode, which has no such mode',
    objects: [mutualTls('DISABLE', {}, 'ambient/default'), moved(allowWeb, 'ambient/rules')],
    caller: 'acme-web',
    callee: 'ambient',
    verdict: 'none / all',
  },
  {
    says: 'STRICT in ambient mode',
    objects: [strict('ambient/default'), moved(denyBeta, 'ambient/rules')],
    caller: 'beta-web',
    callee: 'ambient',
    verdict: 'none / none',
  },
  ...[denyBeta, allowWeb, allButBeta].map((rules) => ({
    says: 'a waypoint, which calls with its own identity',
    objects: [strict('behind/default'), moved(rules, 'behind/rules')],
    caller: 'beta-web',
    callee: 'behind',
    verdict: 'none / all',
  })),
  {
    says: 'a Service with a waypoint',
    objects: [...serviceAtWaypoint('waypoint'), moved(allowWeb, 'ambient/rules')],
    caller: 'beta-web',
    callee: 'ambient',
    verdict: 'none / all',
  },
  {
    says: 'a Service without one',
    objects: [...serviceAtWaypoint('none'), moved(allowWeb, 'ambient/rules')],
    caller: 'beta-web',
    callee: 'ambient',
    verdict: 'none / none',
  },
  ...[
    to({ methods: ['GET'] }),
    from({ requestPrincipals: ['*'] }),
    { when: [{ key: 'request.headers[x]', values: ['1'] }] },
  ].flatMap((rule) => [
    {
      says: 'a rule about HTTP allows nothing in ambient mode without a waypoint',
      objects: [authorization({ rules: [rule] }, 'ambient/rules')],
      ...{ caller: 'acme-web', callee: 'ambient', verdict: 'none / none' },
    },
    {
      says: 'a rule about HTTP denies everything in ambient mode without a waypoint',
      objects: [authorization({ action: 'DENY', rules: [rule] }, 'ambient/rules')],
      ...{ caller: 'acme-web', callee: 'ambient', verdict: 'none / none' },
    },
    {
      says: 'a rule about HTTP, behind a waypoint',
      objects: [authorization({ rules: [rule] }, 'behind/rules')],
      ...{ caller: 'acme-web', callee: 'behind', verdict: 'none / all' },
    },
  ]),
  {
    says: 'a denial about HTTP on one port in ambient mode',
    objects: [authorization({ action: 'DENY', rules: [to({ methods: ['GET'], ports: ['80'] })] }, 'ambient/rules')],
    ...{ caller: 'acme-web', callee: 'ambient', verdict: '1-79/TCP, 81-65535/TCP / 1-79/TCP, 81-65535/TCP' },
  },
  {
    says: 'a policy of the root namespace about waypoints, which is not examined',
    objects: [
      authorization(
        { targetRefs: [{ kind: 'GatewayClass', name: 'istio-waypoint' }], rules: [{}] },
        'istio-system/all',
      ),
      authorization({ rules: [{}] }),
    ],
    caller: 'acme-web',
    verdict: 'none / all',
  },
  {
    says: 'a policy of a gateway of the root namespace',
    objects: [
      authorization({ targetRefs: [{ kind: 'Gateway', name: 'ingress' }], rules: [{}] }, 'istio-system/all'),
      authorization({ rules: [{}] }),
    ],
    caller: 'acme-web',
    verdict: 'all / all',
  },
];
for (const { says, objects, caller, callee, verdict: expected } of cases)
  t.test(says, async (t) => {
    t.equal(verdict(objects, caller, callee), expected);
  });

t.test('each decision has its policy, its rule and what requests must have', async (t) => {
  const objects = [
    strict(),
    authorization({
      rules: [{ ...from({ namespaces: ['acme-web'] }), ...to({ methods: ['GET'], paths: ['/a', '/b'] }) }],
    }),
  ];
  t.match(asked(objects, 'acme-web')?.steps, [
    { says: 'allows', policy: { name: 'rules' }, path: 'spec.rules[0]', conditions: ['methods GET', 'paths /a, /b'] },
  ]);
});

t.test('what identity decides has its condition in words', async (t) => {
  const conditions = (rules: Objects[number], caller: string) => asked([rules], caller)?.steps[0]?.conditions;
  t.strictSame(conditions(denyBeta, 'beta-web'), ['mutual TLS']);
  t.strictSame(conditions(allowWeb, 'acme-web'), ['mutual TLS']);
  t.strictSame(conditions(allButBeta, 'beta-web'), ['no mutual TLS']);
});

t.test('a waypoint is named, and so are its policies in another namespace', async (t) => {
  const far = {
    'istio.io/dataplane-mode': 'ambient',
    'istio.io/use-waypoint': 'w',
    'istio.io/use-waypoint-namespace': 'gates',
  };
  const objects = [
    namespace('far', 'acme', far),
    pod('far/app', { app: 'far' }),
    authorization({ targetRefs: [{ kind: 'Gateway', name: 'w' }] }, 'gates/rules'),
  ];
  t.match(asked(objects, 'acme-web', 'far')?.steps, [
    { says: 'not examined', policy: { namespace: 'gates' } },
    { says: 'waypoint', policy: undefined },
  ]);
  t.equal(verdict(objects, 'acme-web', 'far'), 'none / all');
});

t.test('pods that may have no proxy say what holds with one', async (t) => {
  const found = asked([authorization({}, 'unlabelled/all')], 'acme-web', 'unlabelled');
  t.equal(portsText(found?.inMesh ?? []), 'all/UDP, all/SCTP');
  t.equal(asked([denyAll], 'acme-web')?.inMesh, undefined);
});

t.test('a policy without rules allows no caller, and a rule about HTTP says so', async (t) => {
  t.match(asked([denyAll], 'acme-web')?.steps, [{ says: 'allows none' }]);
  t.match(asked([strict(), allowWeb], 'beta-web')?.steps, [{ says: 'leaves out' }]);
  const reads = moved(authorization({ rules: [to({ methods: ['GET'] })] }), 'ambient/rules');
  t.match(asked([reads], 'acme-web', 'ambient')?.steps, [{ says: 'reads no HTTP' }]);
  const isHttp = (rule: object) => asked([authorization({ rules: [rule] })], 'acme-web')?.steps[0]?.isHttp;
  t.equal(isHttp(to({ paths: ['/a'] })), true);
  t.equal(isHttp({ when: [{ key: 'request.auth.claims[x]', values: ['1'] }] }), true);
  t.equal(isHttp(from({ namespaces: ['acme-web'] })), false);
});
