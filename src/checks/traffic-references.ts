/** Where objects of Istio lead traffic, and on which other objects they rest. */
import type { Destination, Reference } from '../kinds/istio-traffic/traffic.ts';
import { excerpt } from '../kubernetes/json.ts';
import { allPorts, formatPort } from '../kubernetes/port-range.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { listedPorts } from '../reach/listed.ts';
import { agreementWith } from './agreements.ts';
import { ofPods, type Violation, violationAt } from './carried-addresses.ts';
import { type Finding, nothing, type UnreadFacts } from './check.ts';
import { agreeOn, ownName, placeOfName } from './mesh-names.ts';
import { isOwnNamespace } from './own-namespace.ts';
import { violationOfGateway } from './parent-gateways.ts';
import { trafficToJudge } from './traffic-objects.ts';

/** Without a ReferenceGrant: Istio has none. */
export function judgedReferences(request: UnreadRequest, facts: UnreadFacts): readonly Finding[] {
  const judged = trafficToJudge(request, facts);
  if (judged === undefined) return nothing;
  const { destinations, references } = judged.traffic;
  const found = (path: string, violation: Violation | undefined): readonly Finding[] =>
    violation === undefined ? nothing : [{ path, ...violation }];
  return [
    ...references.flatMap((one) => found(one.path, violationOfReference(one, request, facts))),
    ...destinations.flatMap((one) => found(one.path, violationOfDestination(one, request, facts))),
  ];
}

function violationOfReference(
  { namespace, name, role }: Reference,
  request: UnreadRequest,
  facts: UnreadFacts,
): Violation | undefined {
  const { owner } = facts;
  if (owner === 'platform' || isOwnNamespace(namespace, request, facts)) return undefined;
  if (role === 'gateway') return violationOfGateway({ namespace, name }, facts);
  if (role === 'secret')
    return {
      reason: `has proxies use a Secret of namespace ${namespace}, which is not reserved for ${owner.name}`,
      fix: `write ${name}, the name alone`,
    };
  // Of its ports nothing is known here.
  if (agreementWith(namespace, undefined, facts).agreed) return undefined;
  return {
    reason: `has ${name} in namespace ${namespace}, which is not reserved for ${owner.name}, say where requests go, and no gate for egress agrees to every port`,
    fix: `name a namespace that is reserved for ${owner.name}, such as ${request.namespace}${agreeOn(namespace, facts)}`,
  };
}

/** The same at every proxy: a gateway or another tenant's proxy connects with its own rights, past every policy of the author. */
export function violationOfDestination(
  { text, port }: Pick<Destination, 'text' | 'port'>,
  request: UnreadRequest,
  facts: UnreadFacts,
): Violation | undefined {
  const { owner, tenancy, now } = facts;
  if (owner === 'platform') return undefined;
  const place = placeOfName(text, request, facts);
  const own = ownName('name a Service', request, facts);
  switch (place.kind) {
    case 'own':
    case 'granted':
      return undefined;
    case 'unclear':
      return { reason: place.reason, fix: own };
    case 'address': {
      const violation = violationAt(text, port === undefined ? allPorts : [port], { tenant: owner, tenancy, now });
      return violation && { ...violation, fix: violation.fix.replace(ofPods, own) };
    }
    case 'namespace': {
      const { agreed, open } = agreementWith(place.namespace, port, facts);
      if (agreed) return undefined;
      if (open.length > 0) {
        const to = port === undefined ? 'every port' : `port ${formatPort(port)}`;
        const reason = `leads traffic to ${to} in namespace ${place.namespace}, and no gate for egress agrees to that`;
        return { reason, fix: `write port ${listedPorts(open)}, which the gate opens, as port.number` };
      }
      const reason = `leads traffic to ${place.namespace === '*' ? 'every namespace' : `namespace ${place.namespace}`}, which is not reserved for ${owner.name}, and no gate for egress agrees to it`;
      return { reason, fix: `${own}${agreeOn(place.namespace, facts)}` };
    }
    default: {
      const ask = `ask the platform team to list ${text.startsWith('*') ? `*${text}` : text} in network.names of ${owner.name}`;
      return {
        reason: `leads to whatever address ${excerpt(text)} has, and network.names of ${owner.name} does not grant it`,
        fix: `${own}, or ${ask}`,
      };
    }
  }
}
