import { excerpt, isMap, valueAt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { agreementWith } from './agreements.ts';
import { type Check, type Finding, nothing, type UnreadFacts } from './check.ts';
import { gates, inFixes, ofTenant } from './grants.ts';
import { agreeOn, canBeListed, namespacesOfHost, ownName, placeOfName } from './mesh-names.ts';
import { fieldOf } from './metadata-changes.ts';
import { type Audience, audienceOf } from './traffic-audience.ts';
import { type JudgedTraffic, trafficIn, trafficToJudge } from './traffic-objects.ts';
import { contentOfKind } from './unread-objects.ts';

/** More findings than these say nothing new. */
const mostFound = 32;

/** By these keys istiod marks objects that it has made from others. It believes them more than the object (pkg/config/constants). */
const internalKeys = 'internal.istio.io/';

/**
 * A tenant says for its own hosts alone what proxies of others do.
 * Reads    spec.hosts, spec.exportTo, sniHosts and tcp of VirtualServices for proxies beside pods; spec.host, exportTo and
 *          workloadSelector of DestinationRules; spec.hosts, exportTo, resolution and ports of ServiceEntries; port.protocol, bind and
 *          defaultEndpoint of Gateways; labels and annotations of internal.istio.io/.
 *          Fields that are not understood are refused
 * Allowed  hosts in namespaces of the tenant, and those that network.hosts lists, for everybody; for proxies of the tenant alone also hosts of
 *          shared services and of tenants with whom a gate agrees, and names that network.names grants; anything for the platform, and for
 *          tenants to whom network.policyKinds gives the kind
 * Why      Istio exports each object to all namespaces unless it says otherwise, and proxies of other tenants then send what they have for
 *          a host to where its author wants (SVC-11). ServiceEntries for the same host compete, and the oldest wins
 */
export const meshHosts: Check = {
  id: 'mesh-hosts',
  headline: 'leads traffic of hosts that are not those of its tenant',
  protects: 'border',
  grants: inFixes([...ofTenant('network.hosts', 'network.names'), gates]),
  needs: {
    namespacesNamedByUnread(request) {
      const traffic = trafficIn(request);
      if (traffic === undefined) return [];
      const names = [...traffic.hosts, ...traffic.destinations, ...traffic.endpoints];
      return [
        ...names.flatMap(({ text }) => namespacesOfHost(text)),
        ...traffic.references.map(({ namespace }) => namespace),
        ...(traffic.exportTo ?? []).map(({ text }) => text),
      ];
    },
  },
  unread(request, facts) {
    const judged = trafficToJudge(request, facts);
    const marks = judgedMarks(request, facts);
    if (judged === undefined) return marks;
    const audience = audienceOf(judged, request, facts);
    return [
      ...marks,
      ...judged.traffic.misfits,
      ...judgedHosts(judged, audience, request, facts),
      ...judgedWidth(judged, audience),
    ].slice(0, mostFound);
  },
};

function judgedHosts(
  { traffic, owner }: JudgedTraffic,
  audience: Audience,
  request: UnreadRequest,
  facts: UnreadFacts,
): readonly Finding[] {
  const ask = (name: string, field: string) =>
    `ask the platform team to list ${name} in network.${field} of ${owner.name}`;
  const own = ownName('write a host', request, facts);
  return traffic.hosts.flatMap(({ path, text, at }): readonly Finding[] => {
    if (at !== 'mesh') return nothing;
    const place = placeOfName(text, request, facts);
    const shown = excerpt(text);
    switch (place.kind) {
      case 'own':
        return nothing;
      case 'unclear':
        return [{ path, reason: place.reason, fix: own }];
      case 'address': {
        // Of an address it is not the name that proxies compare, so it is one that it takes.
        if (!audience.isForOthers) return nothing;
        const reason = `${shown} is an address, and ${audience.because}`;
        return [{ path, reason, fix: audience.fix ?? own }];
      }
      case 'namespace': {
        const where =
          place.namespace === '*' ? 'stands for hosts of every namespace' : `is a host of namespace ${place.namespace}`;
        const { agreed } = agreementWith(place.namespace, 'any', facts);
        if (audience.isForOthers) {
          const fix = agreed && audience.fix !== undefined ? audience.fix : own;
          return [
            {
              path,
              reason: `${shown} ${where}, which is not reserved for ${owner.name}, and ${audience.because}`,
              fix,
            },
          ];
        }
        if (agreed) return nothing;
        const reason = `${shown} ${where}, which is not reserved for ${owner.name}, and no gate for egress agrees to it`;
        return [{ path, reason, fix: `${own}${agreeOn(place.namespace, facts)}` }];
      }
      case 'granted': {
        if (!audience.isForOthers) return nothing;
        const fix = audience.fix ?? (canBeListed(text) ? ask(text, 'hosts') : own);
        return [{ path, reason: `${shown} is no host of ${owner.name} alone, and ${audience.because}`, fix }];
      }
      default: {
        const name = text.startsWith('*') ? `*${text}` : text;
        if (!audience.isForOthers)
          return [
            {
              path,
              reason: `${shown} lies outside the cluster, and network.names of ${owner.name} does not grant it`,
              fix: ask(name, 'names'),
            },
          ];
        const byPlatform = canBeListed(text) ? ask(text, 'hosts') : own;
        const fix = audience.fix === undefined ? byPlatform : `${audience.fix}, and ${ask(name, 'names')}`;
        return [{ path, reason: `${shown} is no host of ${owner.name}, and ${audience.because}`, fix }];
      }
    }
  });
}

function judgedWidth({ traffic }: JudgedTraffic, audience: Audience): readonly Finding[] {
  if (!audience.isForOthers) return nothing;
  return traffic.wide.map(({ path, reason, fix }) => ({
    path,
    reason: `${reason}; ${audience.because}`,
    fix: audience.fix === undefined ? fix : `${fix}, or ${audience.fix}`,
  }));
}

function judgedMarks(request: UnreadRequest, facts: UnreadFacts): readonly Finding[] {
  const { object, oldObject } = request;
  if (trafficIn(request) === undefined || contentOfKind(request, facts) === undefined) return nothing;
  return (['labels', 'annotations'] as const).flatMap((map) => {
    const written = valueAt(object, 'metadata', map);
    if (!isMap(written)) return nothing;
    return Object.keys(written)
      .filter(
        (key) =>
          key.startsWith(internalKeys) && entry(object.metadata?.[map], key) !== entry(oldObject?.metadata?.[map], key),
      )
      .map((key) => ({
        path: fieldOf({ map, key }),
        reason: 'is a key by which the control plane of the mesh marks what it has made itself',
        fix: 'remove it',
      }));
  });
}
