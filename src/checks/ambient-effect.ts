/** Policies of Istio in ambient mode. */
import { policyKindOf } from '../kinds/policy-kind.ts';
import { excerpt, fieldOf, isGiven, isMap, listOf, valueAt } from '../kubernetes/json.ts';
import type { PolicyRequest, UnreadRequest } from '../kubernetes/review.ts';
import { type Facts, type Finding, nothing } from './check.ts';
import { resourceOf } from './unread-objects.ts';
import { textOf } from './written-endpoints.ts';

/** More findings than these say nothing new. */
const mostFound = 8;

/**
 * What has no effect in ambient mode, or another one than it seems to have: waypoints read policies with targetRefs alone, and ztunnel knows
 * callers and ports. Empty unless the settings say that pods are in that mode.
 */
export function effectsOfPolicy(request: PolicyRequest, facts: Facts): readonly Finding[] {
  if (!isInAmbient(request, facts) || policyKindOf(request).kind !== 'AuthorizationPolicy') return nothing;
  return judgedPolicy(valueAt(request.object, 'spec'), request, facts).slice(0, mostFound);
}

/** The same of RequestAuthentications and Sidecars. */
export function effectsOfUnread(request: UnreadRequest, facts: Facts): readonly Finding[] {
  if (!isInAmbient(request, facts)) return nothing;
  const spec = valueAt(request.object, 'spec');
  const resource = resourceOf(request);
  if (resource === 'sidecars.networking.istio.io') {
    const reason = 'ztunnel and waypoints read no Sidecars, so it counts for pods with a sidecar alone';
    return [{ path: 'kind', reason, fix: 'remove it, unless pods of the namespace have sidecars' }];
  }
  if (resource !== 'requestauthentications.security.istio.io' || !isGiven(spec)) return nothing;
  if (isTargeted(spec)) return judgedTargets(spec, request, facts).slice(0, mostFound);
  const reason = 'waypoints read policies with targetRefs alone, and ztunnel reads no tokens, so none is checked';
  return [{ path: isGiven(fieldOf(spec, 'selector')) ? 'spec.selector' : 'spec', reason, fix: toWaypoint }];
}

const toWaypoint =
  'write targetRefs with a Gateway, Service or ServiceEntry that has a waypoint, unless its pods have sidecars';

function isInAmbient({ operation }: PolicyRequest | UnreadRequest, { owner, requester, tenancy }: Facts): boolean {
  return (
    operation !== 'DELETE' && owner !== 'platform' && !requester.platform && tenancy.settings.istio?.ambient === true
  );
}

function isTargeted(spec: unknown): boolean {
  return listOf(fieldOf(spec, 'targetRefs')).length > 0 || isGiven(fieldOf(spec, 'targetRef'));
}

/** pkg/config/validation, allowedTargetRefs. */
const targets: ReadonlySet<string> = new Set([
  '/Service',
  'core/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
]);

function judgedTargets(
  spec: unknown,
  { namespace }: { readonly namespace: string },
  { tenancy }: Facts,
): readonly Finding[] {
  const written: readonly (readonly [path: string, reference: unknown])[] = [
    ...(isGiven(fieldOf(spec, 'targetRef')) ? [['spec.targetRef', fieldOf(spec, 'targetRef')] as const] : []),
    ...listOf(fieldOf(spec, 'targetRefs')).map((one, index) => [`spec.targetRefs[${index}]`, one] as const),
  ];
  return written.flatMap(([path, reference]): readonly Finding[] => {
    const kind = `${textOf(fieldOf(reference, 'group'))}/${textOf(fieldOf(reference, 'kind'))}`;
    if (targets.has(kind)) return nothing;
    const isClass = kind === 'gateway.networking.k8s.io/GatewayClass';
    if (isClass && namespace === tenancy.settings.istio?.rootNamespace) return nothing;
    const reason = isClass
      ? 'is a GatewayClass, which counts in the root namespace of the mesh alone'
      : `${excerpt(kind)} is no kind to which a policy can be attached`;
    return [{ path, reason, fix: 'name a Gateway, a Service or a ServiceEntry of the same namespace' }];
  });
}

/** Only those are sent to ztunnel that have no targetRefs (pilot/pkg/serviceregistry/ambient, convertAuthorizationPolicy). */
function judgedPolicy(spec: unknown, request: PolicyRequest, facts: Facts): readonly Finding[] {
  if (isTargeted(spec)) return judgedTargets(spec, request, facts);
  const action = textOf(fieldOf(spec, 'action')) || 'ALLOW';
  if (action !== 'ALLOW' && action !== 'DENY')
    return [
      {
        path: 'spec.action',
        reason: `ztunnel knows no action ${action}, and waypoints read policies with targetRefs alone`,
        fix: toWaypoint,
      },
    ];
  const does =
    action === 'ALLOW' ? 'so the rule admits no caller' : 'so the rule denies whatever its other fields match';
  return listOf(fieldOf(spec, 'rules')).flatMap((rule, index): readonly Finding[] => {
    const path = httpIn(rule, `spec.rules[${index}]`);
    return path === undefined ? nothing : [{ path, reason: `ztunnel knows no HTTP, ${does}`, fix: toWaypoint }];
  });
}

const httpOperations = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'];
const httpSources = ['remoteIpBlocks', 'notRemoteIpBlocks', 'requestPrincipals', 'notRequestPrincipals'];
const conditions: ReadonlySet<string> = new Set([
  ...['source.ip', 'source.namespace', 'source.principal', 'destination.ip', 'destination.port'],
]);

/** The first field that is about HTTP. */
function httpIn(rule: unknown, path: string): string | undefined {
  const inLists = (list: 'to' | 'from', part: 'operation' | 'source', fields: readonly string[]) =>
    listOf(fieldOf(rule, list)).flatMap((one, index) =>
      fields
        .filter((field) => listOf(valueAt(one, part, field)).length > 0)
        .map((field) => `${path}.${list}[${index}].${part}.${field}`),
    );
  const when = listOf(fieldOf(rule, 'when')).flatMap((one, index) =>
    isMap(one) && !conditions.has(textOf(one.key)) ? [`${path}.when[${index}].key`] : [],
  );
  return [...inLists('to', 'operation', httpOperations), ...inLists('from', 'source', httpSources), ...when][0];
}
