/** README.md of this folder: every check of the catalogue, in its order. */
import { catalogue } from '../../src/checks/catalogue.ts';
import type { Check } from '../../src/checks/check.ts';
import { fieldsOf, isExemptable } from './grants-section.ts';

const enforced = { identity: 'always', node: 'always, exemptable', border: 'by mode', intent: 'as a warning' } as const;

export function checksPage(): string {
  return `${head}${catalogue.map(row).join('')}`;
}

const head = `# Checks

<!-- Made by \`npm run pages\` from src/checks/catalogue.ts. -->

A check is one rule. Its page has the rule, a rejected and an admitted sample, the fix, and the settings. \`npm test\` runs the samples.

| enforced | meaning |
|---|---|
| always | The proofs of all tenants depend on the check, so no mode turns it off. Only [keys of the tenant's own protection](reserved-labels.md) follow the mode. |
| always, exemptable | The check keeps tenants off nodes that they share, so no mode turns it off. The platform can [exempt](../exemptions.md) one workload. Privileged containers count too, also in [network-capabilities](network-capabilities.md) and [ephemeral-containers](ephemeral-containers.md). |
| by mode | The check protects the tenant's own border. \`enforce\` rejects, \`warn\` admits with a warning, \`audit\` only records. The platform can [exempt](../exemptions.md) one workload from checks on pods and policies. |
| as a warning | The check warns of a probable mistake. It never rejects. |

A policy may depend on a gate, a prefix or a range. It stays in place when that is removed or expires.
Then the log, an Event and [a metric](../metrics.md) report it.

Workloads (Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs, ReplicationControllers) are never rejected.
Their author gets a warning at once if their pods would be rejected.

The checks are listed in the order in which their findings are reported.

| check | about | a finding says that the object | enforced | granted by |
|---|---|---|---|---|
`;

function row(check: Check): string {
  const { id, headline, protects } = check;
  return `| [${id}](${id}.md) | ${kindsOf(check).join(', ')} | ${headline} | ${enforced[protects]} | ${waysOf(check)} |\n`;
}

function waysOf(check: Check): string {
  const tenant = fieldsOf(check, 'tenant');
  const settings = fieldsOf(check, 'settings');
  return [
    ...(tenant === '' ? [] : [`${tenant} of the tenant`]),
    ...(settings === '' ? [] : [`${settings} of the settings`]),
    ...(isExemptable(check) ? ['exemption'] : []),
  ].join('; ');
}

/** A check has one function for each kind of object, named after the kind. */
function kindsOf(check: Check): string[] {
  return Object.entries(check)
    .filter(([, judge]) => typeof judge === 'function')
    .map(([name]) => name.replace(/^./, (letter) => letter.toUpperCase()));
}
