/**
 * What a mesh of Istio says of one connection, after network policies have: mutual TLS, then CUSTOM, DENY and ALLOW (istio.io, "Implicit
 * enablement"). What a request alone decides stays open, and is named. Pure.
 */
import { isDryRun } from '../../kinds/istio-authorization-policy/read-policy.ts';
import { isMap, type JsonMap, listOf } from '../../kubernetes/json.ts';
import { matches, type Selector } from '../../kubernetes/label-selector.ts';
import type { Settings } from '../../tenancy/settings.ts';
import { isOfWaypoint, type Mesh, membershipOf, readMesh, selectorOf } from '../mesh.ts';
import type { Party, PodClass } from '../parties.ts';
import { differenceOf, everyPort, noPorts, type PortSet, unionOf } from '../port-set.ts';
import type { MeshPolicy, PolicyRef, Snapshot } from '../snapshot.ts';
import { isFilled } from '../tokens.ts';
import type { Caller, Sure } from './callers.ts';
import { isAboutHttp } from './http.ts';
import { callerOf, demandOf, throughWaypoint } from './mutual-proof.ts';
import { everyTcpPort, matchRules } from './rules.ts';
import { createWaypoints } from './waypoints.ts';

/**
 * denies         a rule denies what matches
 * asks           a provider outside decides about what matches
 * allows         a rule allows what matches
 * leaves out     it allows others alone
 * allows none    it has no rules, and allows no caller
 * reads no HTTP  it allows by rules about HTTP, and no proxy here reads it
 * demands        mutual TLS, which the caller does not speak, or is not known to
 * not examined   a policy of a gateway or waypoint, which may deny more
 * waypoint       it stands before the pods, and calls them with its own identity
 * no proxy       the pods are outside of the mesh, so nothing is decided there
 * perhaps        no label says whether the pods are in the mesh
 */
export type Layer7Says =
  | 'denies'
  | 'asks'
  | 'allows'
  | 'leaves out'
  | 'allows none'
  | 'reads no HTTP'
  | 'demands'
  | 'not examined'
  | 'waypoint'
  | 'no proxy'
  | 'perhaps';

export interface Layer7Step {
  readonly says: Layer7Says;
  /** Undefined: no policy. */
  readonly policy: PolicyRef | undefined;
  /** Of the rule; empty: the policy as a whole. */
  readonly path: string;
  readonly ports: PortSet;
  /** What a request must have to match; empty: each does. */
  readonly conditions: readonly string[];
  /** Some are about HTTP: where the traffic is TCP, ALLOW never matches, and DENY matches without them. */
  readonly isHttp: boolean;
}

export interface Layer7 {
  /** What it lets through whatever the request is. */
  readonly sure: PortSet;
  /** What it lets through of some requests. */
  readonly may: PortSet;
  /** Where no label says whether the pods are in the mesh: what it lets through of some requests if they are. */
  readonly inMesh?: PortSet;
  /** Whether the called pods know who calls. */
  readonly identity: Sure;
  /** In the order in which they decide. */
  readonly steps: readonly Layer7Step[];
}

/** Undefined: no policy of a mesh is about the pods. */
export type Layer7Of = (from: Party, to: PodClass) => Layer7 | undefined;

interface Policy {
  readonly ref: PolicyRef;
  readonly spec: JsonMap;
  readonly action: string;
  readonly pods: Selector;
}

export function createLayer7(
  { mesh: policies, services }: Pick<Snapshot, 'mesh' | 'services'>,
  { istio }: Settings,
): Layer7Of {
  if (policies === undefined || policies.length === 0) return () => undefined;
  const root = istio?.rootNamespace ?? 'istio-system';
  const domains = istio?.trustDomains ?? new Set(['cluster.local']);
  const byNamespace = Map.groupBy(policies, ({ ref }) => ref.namespace);
  const waypoints = createWaypoints(policies, services, root);
  const known = new Map<string, Near>();
  const nearOf = (namespace: string): Near => {
    const others = namespace === root ? [] : (byNamespace.get(root) ?? []);
    const near = known.get(namespace) ?? readNear([...(byNamespace.get(namespace) ?? []), ...others]);
    known.set(namespace, near);
    return near;
  };
  return (from, to) => {
    const { mesh, all } = nearOf(to.namespace.name);
    const about = all.filter((one) => matches(one.pods, to.labels));
    const unexamined = waypoints.policiesFor(to);
    const demand = demandOf(to, mesh, root);
    const strict = demand?.mode === 'STRICT' ? demand.ref : undefined;
    if (about.length + unexamined.length === 0 && strict === undefined) return undefined;
    const membership = membershipOf(to);
    if (membership === 'outside') return open([note('no proxy', about[0]?.ref ?? strict ?? unexamined[0]?.ref)]);
    const isBehind = waypoints.before(to).size > 0;
    const caller = isBehind ? throughWaypoint(domains) : callerOf(from, domains, demand?.mode, membership);
    const decided = decide(about, caller, strict, membership === 'ambient' && !isBehind);
    const steps = [
      ...decided.steps,
      ...unexamined.map(({ ref }) => note('not examined', ref)),
      ...(isBehind ? [note('waypoint', undefined)] : []),
      ...(membership === 'unknown' ? [note('perhaps', undefined)] : []),
    ];
    return {
      sure: isBehind || unexamined.length > 0 ? differenceOf(decided.sure, everyTcpPort) : decided.sure,
      ...(membership === 'unknown' ? { may: everyPort, inMesh: decided.may } : { may: decided.may }),
      identity: caller.hasIdentity,
      steps,
    };
  };
}

/** What holds for pods of one namespace: its own policies, and those of the root namespace. */
interface Near {
  readonly mesh: Mesh;
  /** None of a gateway or waypoint. */
  readonly all: readonly Policy[];
}

function readNear(policies: readonly MeshPolicy[]): Near {
  const all = policies.flatMap(({ ref, object }): readonly Policy[] => {
    if (ref.kind !== 'AuthorizationPolicy' || isDryRun(object) || isOfWaypoint(object)) return [];
    const spec = isMap(object.spec) ? object.spec : {};
    const action = typeof spec.action === 'string' ? spec.action : 'ALLOW';
    return [{ ref, spec, action, pods: selectorOf(spec.selector) ?? new Map() }];
  });
  return { mesh: readMesh(policies), all };
}

function open(steps: readonly Layer7Step[]): Layer7 {
  return { sure: everyPort, may: everyPort, identity: 'no', steps };
}

function note(says: Layer7Says, policy: PolicyRef | undefined): Layer7Step {
  return { says, policy, path: '', ports: everyTcpPort, conditions: [], isHttp: false };
}

/** @param isTcp the proxy reads no HTTP, as ztunnel */
function decide(
  about: readonly Policy[],
  caller: Caller,
  strict: PolicyRef | undefined,
  isTcp: boolean,
): Pick<Layer7, 'sure' | 'may' | 'steps'> {
  const steps: Layer7Step[] = [];
  /** Denied for sure, and for some requests. */
  const denied = { sure: noPorts, may: noPorts };
  const deny = (sure: PortSet, may: PortSet): void => {
    denied.sure = unionOf(denied.sure, sure);
    denied.may = unionOf(denied.may, may);
  };
  if (strict !== undefined && caller.hasIdentity !== 'yes') {
    const isSure = caller.hasIdentity === 'no';
    deny(isSure ? everyTcpPort : noPorts, everyTcpPort);
    steps.push({ ...note('demands', strict), conditions: isSure ? [] : ['mutual TLS'] });
  }
  for (const action of ['CUSTOM', 'DENY'])
    for (const { ref, spec } of about.filter((one) => one.action === action))
      for (const { path, sure, may, conditions, isHttp } of matchRules(spec, caller, ref.namespace, isTcp)) {
        deny(action === 'DENY' ? sure : noPorts, may);
        steps.push({ says: action === 'DENY' ? 'denies' : 'asks', policy: ref, path, ports: may, conditions, isHttp });
      }
  const allowing = about.filter((one) => one.action === 'ALLOW');
  let allowed = {
    sure: allowing.length === 0 ? everyTcpPort : noPorts,
    may: allowing.length === 0 ? everyTcpPort : noPorts,
  };
  for (const { ref, spec } of allowing) {
    const found = matchRules(spec, caller, ref.namespace, isTcp);
    for (const { path, sure, may, conditions, isHttp } of found) {
      allowed = { sure: unionOf(allowed.sure, sure), may: unionOf(allowed.may, may) };
      steps.push({ says: 'allows', policy: ref, path, ports: may, conditions, isHttp });
    }
    if (found.length === 0) steps.push(note(withoutMatch(spec, isTcp), ref));
  }
  const others = differenceOf(everyPort, everyTcpPort);
  return {
    sure: unionOf(others, differenceOf(allowed.sure, denied.may)),
    may: unionOf(others, differenceOf(allowed.may, denied.sure)),
    steps,
  };
}

/** Why a policy of ALLOW has no rule that matches. */
function withoutMatch({ rules }: JsonMap, isTcp: boolean): Layer7Says {
  if (!isFilled(rules)) return 'allows none';
  return isTcp && listOf(rules).some(isAboutHttp) ? 'reads no HTTP' : 'leaves out';
}
