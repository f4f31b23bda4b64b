/**
 * Worked cases of Istio about what no policy says by itself: the namespace that it is in, and kinds that only checks read. A member of the
 * tenant creates such objects, in a mesh that asks for mutual TLS, and all checks judge them.
 */
import { decode } from '../../src/admission/decode.ts';
import { type Judged, judge } from '../../src/checks/judge.ts';
import { isMap } from '../../src/kubernetes/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { bytesOf, reviewOf } from '../fixtures/review.ts';
import { type Assumptions, type WorkedCase, worldOf } from './worked-cases.ts';

const rootNamespace = 'istio-system';
const kinds = ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'] as const;
/** What a tenant may write of each kind in its own namespace. */
const harmless: Readonly<Record<(typeof kinds)[number], object>> = {
  AuthorizationPolicy: {},
  PeerAuthentication: { mtls: { mode: 'STRICT' } },
  RequestAuthentication: { jwtRules: [{ issuer: 'issuer', jwks: '{"keys":[]}' }] },
};

/**
 * REJECT: refused in every way that the case can be written. n/a: nothing refuses it.
 *
 * @returns what is found instead; undefined when the case holds
 */
export function judgeMeshCase(
  { engine, input, verdict, reserved }: WorkedCase,
  assume: Assumptions,
): string | undefined {
  const sentence = typeof input === 'string' ? input : '';
  const named =
    sentence === ''
      ? kinds.filter((kind) => engine.endsWith(kind.slice(1)))
      : kinds.filter((kind) => sentence.includes(kind));
  const namespace = sentence.includes('root namespace') ? rootNamespace : assume.policyNamespace;
  const refusals = named.map((kind) => {
    const object = {
      ...{ apiVersion: 'security.istio.io/v1', kind, metadata: { name: 'case', namespace } },
      spec: isMap(input) ? input : harmless[kind],
    };
    return judgedAt(namespace, object, reserved, assume);
  });
  const found =
    refusals.length === 0
      ? 'INVALID'
      : refusals.every(isRefused)
        ? 'REJECT'
        : refusals.some(isRefused)
          ? 'some'
          : 'n/a';
  const said = refusals.flat().map(({ path, reason }) => `${path} ${reason}`);
  return found === verdict ? undefined : [`is ${found} and should be ${verdict}`, ...said].join(': ');
}

const isRefused = (judged: readonly Judged[]) => judged.some(({ refuses }) => refuses);

function judgedAt(
  namespace: string,
  object: KubernetesObject,
  reserved: boolean,
  assume: Assumptions,
): readonly Judged[] {
  const { border } = worldOf(assume, reserved);
  const { tenant, now } = border;
  const istio = {
    ...{
      rootNamespace,
      trustDomains: new Set(['cluster.local']),
      providers: [],
      domain: 'cluster.local',
      ambient: false,
    },
    ...{ mtls: 'strict' as const, mtlsGrants: [], defaultExportTo: ['*'] },
  };
  const settings = { ...border.tenancy.settings, istio };
  const tenancy = createTenancy(settings, [{ ...tenant, members: [{ kind: 'User', name: 'member' }] }]);
  const user = { username: 'member', groups: ['system:authenticated'] };
  const decoded = decode(bytesOf(reviewOf({ user, operation: 'CREATE', object })));
  if (!decoded.ok) throw new Error(decoded.reason);
  const { request } = decoded;
  const owner = namespace === rootNamespace ? ('platform' as const) : tenant;
  const facts = {
    tenancy,
    requester: tenancy.requester(user, undefined),
    owner,
    now,
    ownerByName: () => 'none' as const,
  };
  if (request.family === 'policy')
    return judge({ family: 'policy', request, facts: { ...facts, namespaceEmptied: false } });
  if (request.family === 'unread') return judge({ family: 'unread', request, facts: { ...facts, byAgent: false } });
  throw new Error(`${request.kind} is no policy of a mesh`);
}
