/** What a mesh of Istio decides about the pods of a snapshot: whose requests they take, and whether callers must prove who they are. */
import { istioAuthorizationPolicy } from '../kinds/istio-authorization-policy/istio-authorization-policy.ts';
import { isDryRun } from '../kinds/istio-authorization-policy/read-policy.ts';
import { isMap, type JsonMap, listOf, valueAt } from '../kubernetes/json.ts';
import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { once } from '../kubernetes/once.ts';
import type { AllowRule } from '../reach/model.ts';
import type { Labels, PodClass } from './parties.ts';
import type { MeshPolicy, PolicyRef } from './snapshot.ts';
import { asksToken, isFilled } from './tokens.ts';

/** An AuthorizationPolicy that is in force, about pods. */
export interface Authorization {
  readonly ref: PolicyRef;
  readonly action: string;
  readonly pods: Selector;
  /** Of ALLOW: one for each caller that it names. */
  readonly opens: readonly AllowRule[];
  /** Methods that its rules ask for; undefined: a rule takes every method. */
  readonly methods: ReadonlySet<string> | undefined;
  /** A field that holds for callers without an identity when it should not: a DENY by identity, or a `not…`. */
  readonly passesUnknown: string | undefined;
  /** Each of its rules names callers by their identity; without rules it allows no caller. */
  readonly isByIdentity: boolean;
  /** It denies every caller without an identity, whatever the request is. */
  readonly deniesUnknown: boolean;
  readonly asksToken: boolean;
}

/** One that has rules about tokens. */
export interface RequestAuthentication {
  readonly ref: PolicyRef;
  /** Undefined: those of a gateway or waypoint. */
  readonly pods: Selector | undefined;
}

type Mode = 'STRICT' | 'PERMISSIVE' | 'DISABLE' | 'UNSET';

export interface PeerAuthentication {
  readonly ref: PolicyRef;
  /** Undefined: every pod of its namespace. */
  readonly pods: Selector | undefined;
  readonly mode: Mode;
  /** One of its ports demands less than mutual TLS. */
  readonly hasWeakPort: boolean;
  /** Ports have modes of their own. */
  readonly hasPorts: boolean;
}

export interface Mesh {
  readonly authorizations: readonly Authorization[];
  readonly peerAuthentications: readonly PeerAuthentication[];
  readonly requestAuthentications: readonly RequestAuthentication[];
  /** Namespaces with policies of gateways or waypoints that ask for a token. */
  readonly tokensAtWaypoints: ReadonlySet<string>;
  /** Namespaces with policies of gateways or waypoints. */
  readonly waypoints: ReadonlySet<string>;
}

export function readMesh(policies: readonly MeshPolicy[]): Mesh {
  const waypoints = policies.filter(({ ref, object }) => ref.kind === 'AuthorizationPolicy' && isOfWaypoint(object));
  return {
    waypoints: new Set(waypoints.map(({ ref }) => ref.namespace)),
    tokensAtWaypoints: new Set(
      waypoints.filter(({ object }) => asksToken(object.spec)).map(({ ref }) => ref.namespace),
    ),
    requestAuthentications: policies.flatMap(({ ref, object }) =>
      ref.kind === 'RequestAuthentication' && isFilled(valueAt(object.spec, 'jwtRules'))
        ? [
            {
              ref,
              pods: isOfWaypoint(object) ? undefined : (selectorOf(valueAt(object.spec, 'selector')) ?? new Map()),
            },
          ]
        : [],
    ),
    authorizations: policies.flatMap((one) => (one.ref.kind === 'AuthorizationPolicy' ? authorizationOf(one) : [])),
    peerAuthentications: policies.flatMap(({ ref, object }) =>
      ref.kind === 'PeerAuthentication' ? [peerAuthenticationOf(ref, object)] : [],
    ),
  };
}

/** Requests that share a list share what was read of it. */
const authorizationOf = once(({ ref, object }: MeshPolicy): readonly Authorization[] => {
  const spec = isMap(object.spec) ? object.spec : {};
  // Those of gateways and waypoints are about no pod.
  if (isDryRun(object) || isOfWaypoint(object)) return [];
  const action = typeof spec.action === 'string' ? spec.action : 'ALLOW';
  const { rules } = istioAuthorizationPolicy.read(object);
  return [
    {
      ...{ ref, action, pods: selectorOf(spec.selector) ?? new Map() },
      opens: rules.filter((rule) => rule.action !== 'deny'),
      ...{ methods: methodsOf(spec), passesUnknown: passesUnknown(spec, action) },
      isByIdentity: listOf(spec.rules).every(namesCallers),
      deniesUnknown: action === 'DENY' && listOf(spec.rules).some(isAboutUnknown),
      asksToken: asksToken(spec),
    },
  ];
});

export function isOfWaypoint({ spec }: JsonMap): boolean {
  return valueAt(spec, 'targetRef') !== undefined || listOf(valueAt(spec, 'targetRefs')).length > 0;
}

/** `notPrincipals: ["*"]`, and nothing that narrows it. */
function isAboutUnknown(rule: unknown): boolean {
  if (isFilled(valueAt(rule, 'to')) || isFilled(valueAt(rule, 'when'))) return false;
  return listOf(valueAt(rule, 'from')).some((one) => {
    const source = valueAt(one, 'source');
    return isMap(source) && Object.keys(source).length === 1 && listOf(source.notPrincipals).includes('*');
  });
}

function peerAuthenticationOf(ref: PolicyRef, { spec }: JsonMap): PeerAuthentication {
  const ports = valueAt(spec, 'portLevelMtls');
  const weak = isMap(ports) ? Object.values(ports).filter((one) => !['STRICT', 'UNSET'].includes(modeOf(one))) : [];
  const pods = selectorOf(valueAt(spec, 'selector'));
  return { ref, pods, mode: modeOf(valueAt(spec, 'mtls')), hasWeakPort: weak.length > 0, hasPorts: isMap(ports) };
}

/** What is not a mode counts as one that demands nothing. */
function modeOf(mtls: unknown): Mode {
  const mode = valueAt(mtls, 'mode') ?? 'UNSET';
  return mode === 'STRICT' || mode === 'UNSET' || mode === 'DISABLE' ? mode : 'PERMISSIVE';
}

export function selectorOf(selector: unknown): Selector | undefined {
  const labels = valueAt(selector, 'matchLabels');
  const entries = isMap(labels) ? Object.entries(labels) : [];
  if (entries.length === 0) return undefined;
  return new Map(
    entries.map(([key, value]) => [key, { absent: false, finite: true, values: new Set([String(value)]) }]),
  );
}

function methodsOf(spec: JsonMap): ReadonlySet<string> | undefined {
  const methods = new Set<string>();
  for (const rule of listOf(spec.rules)) {
    const operations = listOf(valueAt(rule, 'to')).map((one) => listOf(valueAt(one, 'operation', 'methods')));
    if (operations.length === 0 || operations.some((list) => list.length === 0)) return undefined;
    for (const method of operations.flat()) {
      if (typeof method !== 'string' || method.includes('*')) return undefined;
      methods.add(method.toUpperCase());
    }
  }
  return methods;
}

const identityFields = ['principals', 'namespaces', 'serviceAccounts', 'trustDomains'] as const;
const identityKeys = new Set(['source.principal', 'source.namespace', 'source.serviceAccount', 'source.trustDomain']);

function passesUnknown(spec: JsonMap, action: string): string | undefined {
  if (action !== 'ALLOW' && action !== 'DENY') return undefined;
  for (const [index, rule] of listOf(spec.rules).entries()) {
    const at = `spec.rules[${index}]`;
    for (const [place, one] of listOf(valueAt(rule, 'from')).entries()) {
      const source = valueAt(one, 'source');
      const positive = identityFields.find((name) => isFilled(valueAt(source, name)));
      const negative = identityFields.map(notField).find((name) => isFilled(valueAt(source, name)));
      const field = action === 'DENY' ? positive : positive === undefined ? negative : undefined;
      if (field !== undefined) return `${at}.from[${place}].source.${field}`;
    }
    for (const [place, one] of listOf(valueAt(rule, 'when')).entries())
      if (action === 'DENY' && identityKeys.has(String(valueAt(one, 'key'))) && isFilled(valueAt(one, 'values')))
        return `${at}.when[${place}].values`;
  }
  return undefined;
}

const narrowFields = ['principals', 'namespaces', 'serviceAccounts'] as const;

function namesCallers(rule: unknown): boolean {
  const from = listOf(valueAt(rule, 'from'));
  const isNarrow = (names: unknown): boolean => isFilled(names) && !listOf(names).includes('*');
  return from.length > 0 && from.every((one) => narrowFields.some((field) => isNarrow(valueAt(one, 'source', field))));
}

function notField(name: string): string {
  return `not${name[0]?.toUpperCase()}${name.slice(1)}`;
}

export type Membership = 'sidecar' | 'ambient' | 'outside' | 'unknown';

const dataPlane = 'istio.io/dataplane-mode';
const injection = 'sidecar.istio.io/inject';
const revision = 'istio.io/rev';

/** By the labels that put pods into the mesh, the pod's own before those of its namespace. Whether the proxy is there is not asked. */
export function membershipOf({ labels, namespace }: PodClass): Membership {
  return membershipOfLabels(labels, namespace.labels);
}

export function membershipOfLabels(labels: Labels, namespace: Labels): Membership {
  const own = labels.get(injection);
  if (own === 'true') return 'sidecar';
  const mode = labels.get(dataPlane) ?? namespace.get(dataPlane);
  if (mode === 'ambient') return 'ambient';
  if (own !== undefined) return 'outside';
  // Of these two, istio-injection counts where both are there.
  const written = namespace.get('istio-injection');
  if (written !== undefined) return written === 'enabled' ? 'sidecar' : 'outside';
  if (namespace.has(revision) || labels.has(revision)) return 'sidecar';
  return mode === 'none' ? 'outside' : 'unknown';
}

export function isAbout(pods: Selector, labels: Labels): boolean {
  return matches(pods, labels);
}

/** The PeerAuthentications about these pods, the nearest first; of several that stand beside each other, Istio takes the oldest. */
export function peerAuthenticationsFor(
  { labels, namespace }: PodClass,
  { peerAuthentications }: Mesh,
  root: string,
): readonly (readonly PeerAuthentication[])[] {
  const own = peerAuthentications.filter(({ ref }) => ref.namespace === namespace.name);
  return [
    own.filter(({ pods }) => pods !== undefined && matches(pods, labels)),
    own.filter(({ pods }) => pods === undefined),
    peerAuthentications.filter(({ ref, pods }) => ref.namespace === root && pods === undefined),
  ];
}
