/** docs/kinds.md, from the table of kinds. */
import type { Kind, ReviewRule } from '../../src/kinds/kind.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { apiVersionsOf } from '../../src/kinds/resource-name.ts';
import { policyGroupNames } from '../../src/tenancy/policy-groups.ts';

const head = `# Kinds

The API server sends objects of these kinds for review. This page is made from \`src/kinds/\`: run \`npm run manifests\` after a change there.

- **Changed**, **judged**: the requests that the mutating and the validating webhooks receive. Match conditions leave out updates and deletes
  that no check reads ([decision 22](decisions/0022-what-is-not-sent.md)).
- **Warned about**: the author reads what Bulkhead will refuse; nothing is refused.
- **Bulkhead may**: the verbs of its ClusterRole.

| kind | API versions | written by | requests | Bulkhead may |
|---|---|---|---|---|
`;

const words: Readonly<Record<ReviewRule['phase'], string>> = {
  mutate: 'changed',
  validate: 'judged',
  warn: 'warned about',
};

export function kindsPage(): string {
  return `${head}${kinds.map(rowOf).join('')}\n${others}${[...policyGroupNames].map((group) => `- \`${group}\`\n`).join('')}`;
}

const others = `## Kinds that are not read

The API server also sends CREATE and UPDATE of all other resources and subresources of these API groups, in every version.
Tenants may not write them ([unknown-policy-kind](checks/unknown-policy-kind.md), [platform-kinds](checks/platform-kinds.md)).
Two kinds of Istio are judged by what they say: PeerAuthentication and RequestAuthentication ([how](kinds/istio.md)).
What agents of the network write is not sent ([network plugins](how-to/network-plugins.md)).

`;

function rowOf(kind: Kind): string {
  const requests = (['mutate', 'validate', 'warn'] as const).flatMap((phase) => {
    const found = requestsOf(kind, phase);
    return found === '' ? [] : [`${words[phase]}: ${found}`];
  });
  const rights = kind.rights.map(({ resources, names, verbs }) =>
    [...resources, ...(names ? [`(${names.join(', ')})`] : []), verbs.join(', ')].join(' '),
  );
  const cells = [kind.kind, apiVersionsOf(kind).join(', '), kind.writers, requests.join('; '), rights.join('; ')];
  return `| ${cells.join(' | ')} |\n`;
}

/** `pods CREATE, UPDATE; pods/status UPDATE` */
function requestsOf({ reviews }: Kind, phase: ReviewRule['phase']): string {
  const operationsOf = new Map<string, readonly string[]>();
  for (const { resources, operations } of reviews.filter((review) => review.phase === phase))
    for (const resource of resources)
      operationsOf.set(resource, [...(operationsOf.get(resource) ?? []), ...operations]);
  return [...operationsOf].map(([resource, operations]) => `${resource} ${operations.join(', ')}`).join('; ');
}
