import t from 'tap';
import { createLayer7, type Layer7 } from '../../src/connectivity/layer7/layer7.ts';
import type { Party } from '../../src/connectivity/parties.ts';
import { createParties } from '../../src/connectivity/parties.ts';
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
  namespace('plain', undefined, { 'istio-injection': 'disabled' }),
  namespace('unlabelled'),
  ...['acme-web', 'acme-db', 'beta-web', 'plain', 'unlabelled'].map((one) => pod(`${one}/app`, { app: one })),
];
const authorization = (spec: object, place = 'acme-db/rules', annotations: object = {}) => {
  const made = policy(place, spec as Record<string, unknown>, 'AuthorizationPolicy', 'security.istio.io/v1');
  return { ...made, metadata: { ...(made.metadata as object), annotations } };
};
const strict = (place = 'acme-db/default') =>
  policy(place, { mtls: { mode: 'STRICT' } }, 'PeerAuthentication', 'security.istio.io/v1');
const from = (...sources: readonly object[]) => ({ from: sources.map((source) => ({ source })) });
const to = (...operations: readonly object[]) => ({ to: operations.map((operation) => ({ operation })) });

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
  return createLayer7(snapshot.mesh, plainTenancy.settings)(
    typeof caller === 'string' ? podOf(caller) : caller,
    target,
  );
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
  { says: 'the namespace of the caller', objects: [allowWeb], caller: 'acme-web', verdict: 'all / all' },
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
    objects: [allowWeb, authorization({ rules: [from({ namespaces: ['beta-web'] })] }, 'acme-db/more')],
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
    objects: [authorization({ rules: [from({ principals: ['*'] })] })],
    caller: 'acme-web',
    verdict: 'all / all',
  },
  {
    says: 'ports',
    objects: [authorization({ rules: [{ ...from({ namespaces: ['acme-web'] }), ...to({ ports: ['5432', '80'] }) }] })],
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
    objects: [authorization({ action: 'DENY', rules: [from({ namespaces: ['beta-web'] })] })],
    caller: 'beta-web',
    verdict: 'none / none',
  },
  {
    says: 'a denial of others',
    objects: [authorization({ action: 'DENY', rules: [from({ notNamespaces: ['acme-*'] })] })],
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
    objects: [allowWeb, authorization({ action: 'DENY', rules: [to({ ports: ['80'] })] }, 'acme-db/deny')],
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
];
for (const { says, objects, caller, callee, verdict: expected } of cases)
  t.test(says, async (t) => {
    t.equal(verdict(objects, caller, callee), expected);
  });

t.test('each decision has its policy, its rule and what requests must have', async (t) => {
  const objects = [
    authorization({
      rules: [{ ...from({ namespaces: ['acme-web'] }), ...to({ methods: ['GET'], paths: ['/a', '/b'] }) }],
    }),
  ];
  t.match(asked(objects, 'acme-web')?.steps, [
    { says: 'allows', policy: { name: 'rules' }, path: 'spec.rules[0]', conditions: ['methods GET', 'paths /a, /b'] },
  ]);
});
