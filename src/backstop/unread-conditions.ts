/**
 * The match conditions of the webhooks for kinds that the table does not read (docs/decisions/0034): what their rules name, and the API
 * server does not send. manifests/base has those of the built-in agents.
 */
import { readResources } from '../kinds/unread-kinds.ts';
import { agentsWriteIn } from '../tenancy/policy-groups.ts';
import type { NetworkAgent } from '../tenancy/settings.ts';
import { nameOf } from '../tenancy/subjects.ts';
import { allOf, anyOf, literal } from './expressions.ts';

export interface MatchCondition {
  readonly name: string;
  /** For the comment above it. */
  readonly why: string;
  readonly expression: string;
}

/** All must hold for a request that is sent. */
export function unreadConditions(agents: readonly NetworkAgent[]): readonly MatchCondition[] {
  return [...notRead(), ...notByAgents(agents)];
}

const subresource = 'request.?subResource.orValue("")';

/** A kind that gets an entry in the table has webhooks of its own. */
function notRead(): readonly MatchCondition[] {
  const read = [...readResources()].map(([group, resources]) => allOf(isGroup(group), isResource(resources)));
  if (read.length === 0) return [];
  const why = 'What Bulkhead reads is sent by the rules of its kind.';
  return [{ name: 'not-read', why, expression: `!(${anyOf(...read)})` }];
}

const isGroup = (group: string): string => `request.resource.group == ${literal(group)}`;
const isResource = (plurals: readonly string[]): string => `request.resource.resource in ${literal([...plurals])}`;

/** One for each set of groups: what agents of these write by exact name, and every status. */
function notByAgents(agents: readonly NetworkAgent[]): readonly MatchCondition[] {
  const accounts = new Map<string, { readonly groups: readonly string[]; readonly users: string[] }>();
  for (const { groups, subjects } of agents) {
    const key = groups.join();
    const { users = [] } = accounts.get(key) ?? {};
    accounts.set(key, { groups, users: [...users, ...subjects.map(nameOf)] });
  }
  return [...accounts.values()].map(({ groups, users }, index) => {
    const written = groups.flatMap((group) => {
      const resources = agentsWriteIn(group);
      return resources.length === 0 ? [] : [allOf(isGroup(group), isResource(resources))];
    });
    const own = anyOf(`${subresource} == "status" && request.resource.group in ${literal([...groups])}`, ...written);
    return {
      name: `not-by-agents-of-${groups[0]}`,
      why: index === 0 ? whyAgents : '',
      expression: `!(${allOf(`request.userInfo.username in ${literal(users)}`, own)})`,
    };
  });
}

const whyAgents =
  "The agents of network plugins write endpoints, identities and addresses, and without these no pod starts. They are recognized by their whole user names, whose namespaces are the platform's; what they write is known by its exact name. Everything else that they write is sent.";
