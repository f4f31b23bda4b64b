/** doctor.md of this folder: what `bulkhead doctor` looks at, and every finding of its checks. */

import { attacksOn } from '../../src/doctor/attacks.ts';
import { checks } from '../../src/doctor/checks.ts';
import { advisoriesAsOf, knownAdvisories } from '../../src/doctor/known-advisories.ts';
import { programs } from '../../src/doctor/programs.ts';

export function doctorPage(): string {
  return `${head}${findings()}${advisories()}${selfTest()}${json}`;
}

const head = `# Find what gets past Bulkhead

<!-- Made by \`npm run pages\` from docs/how-to/doctor-page.ts and src/doctor. -->

Bulkhead guards what is written to the API server. Its promises rest on more: on a network plugin that enforces policies, on webhook configurations,
on complete address ranges, and on RBAC. \`bulkhead doctor\` looks at all of it. It writes nothing, and reads no Secret.

\`\`\`sh
bulkhead doctor --kubeconfig admin.kubeconfig --config bulkhead.yaml
\`\`\`

Give it the settings of the cluster with \`--config\`. Without \`--tenants\` it reads the Tenant objects of the API server.
It ends with 1 when it finds an error or a warning, and when it could not look at a part. Notes alone end with 0.

A line \`not looked at: …\` names what could not be read, and why. Most often a right is missing.
The ClusterRole \`bulkhead-doctor\` of [manifests/components/roles](../../manifests/components/roles) has them all, and only lists objects.
Without the right to list namespaces, and Tenants where they are objects, doctor does not start.

Run doctor after every upgrade of Bulkhead, of Kubernetes and of the network plugin, and every day as a Job.
A tenant cannot silence it: objects in namespaces of tenants count neither as network plugin nor as DNS nor as replica of Bulkhead.
A tenant can raise findings about its own namespaces, for example by a RoleBinding for all accounts.

## Rights
Doctor reads all roles and bindings. These subjects count as the platform, and are not reported:
- those of \`platform.identities\` in the settings;
- service accounts in namespaces of \`platform.namespaces\` and in those of Kubernetes and Bulkhead, unless a tenant lists them as members;
- users and groups whose names begin with \`system:\`, which Kubernetes reserves. Groups with all accounts, such as \`system:authenticated\`, are reported.

In namespaces of its own tenant a member may use port-forward and the proxies: it reaches its own pods.
A subject that is neither the platform nor a member of a tenant is reported as a warning. List it, or take the right away.
Distributions have accounts of their own, such as \`k3s-cloud-controller-manager\` of k3s and \`eks:addon-manager\` of Amazon EKS.

## Not seen
- Whether the network plugin does what its version should do. Doctor knows plugins by the name of their DaemonSet.
- Settings of the network plugin that are not arguments of its DaemonSet, such as \`--disable-network-policy\` of k3s. The ConfigMap \`cilium-config\` is read.
- Address pools of the plugin from which no pod has an address yet.
- Who is a member of a group. Doctor reads the names of groups in bindings.
- Services, EndpointSlices and Gateways ([limits](../limits.md)).

## Findings
An id is permanent. Notes are for your information.

| id | severity | meaning | fix |
|---|---|---|---|
`;

function findings(): string {
  return checks
    .flatMap(({ findings }) => Object.entries(findings))
    .map(([id, { severity, meaning, fix }]) => `| \`${id}\` | ${severity} | ${meaning}. | ${fix}. |\n`)
    .join('');
}

function advisories(): string {
  const rows = knownAdvisories.map(({ id, program, effect, affected, source }) => {
    const versions = affected.map(({ from, fixed }) =>
      from === undefined ? `before ${fixed}` : `${from} to before ${fixed}`,
    );
    return `| [${id}](${source}) | ${program} | ${versions.join(', ')} | ${effect}. |\n`;
  });
  const plugins = programs.filter(({ enforces }) => enforces !== undefined).map(({ program }) => program);
  return `
## Network plugins and advisories
Doctor knows these plugins, and the mesh Istio:

${[...new Set(plugins)].map((one) => `- ${one}\n`).join('')}
These are the advisories about isolation that it compares versions with, as of ${advisoriesAsOf}:

| advisory | program | affected versions | effect |
|---|---|---|---|
${rows.join('')}`;
}

function selfTest(): string {
  const rows = attacksOn('NAMESPACE', 'TENANT-LABEL').map(
    ({ id, attack, checks }) =>
      `| ${id} | ${attack} | ${checks.map((one) => `[${one}](../checks/${one}.md)`).join(', ')} |\n`,
  );
  return `
## Self-test
With \`--self-test\` doctor also tries ten [known attacks](../../test/attacks/README.md), as a member of a tenant, in a namespace of that tenant.
Each request is a dry run, which stores nothing. Bulkhead must refuse all ten.

\`\`\`sh
bulkhead doctor --config bulkhead.yaml --self-test --as alice --as-group acme-developers --namespace acme-web
\`\`\`

| id | attack | refused by |
|---|---|---|
${rows.join('')}
An attack is *not tried* when something else than Bulkhead answers: RBAC, a quota, or a webhook that cannot be called. Doctor then ends with 1, too.
So name a member who may create pods and NetworkPolicies in the namespace.

Doctor needs the right to impersonate that member, and no other. Bind this to the account that runs doctor, beside \`bulkhead-doctor\`:

\`\`\`yaml
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: doctor-self-test
rules:
  - apiGroups: [""]
    resources: [users]
    resourceNames: [alice]
    verbs: [impersonate]
  - apiGroups: [""]
    resources: [groups]
    resourceNames: [acme-developers]
    verbs: [impersonate]
\`\`\`

List the account under \`platform.identities\`. Otherwise doctor reports it by \`right-impersonate\`.
`;
}

const json = `
## The report as JSON
\`bulkhead doctor -o json\` prints one document. Fields may be added in later versions.

| field | meaning |
|---|---|
| \`apiVersion\`, \`kind\` | \`bulkhead.dev/v1alpha1\` and \`DoctorReport\`. |
| \`hasFindings\` | Whether the exit code is 1. |
| \`findings\` | What was found, the most severe first; at most 100 of one id. |
| \`findings[].id\`, \`findings[].severity\` | As in the table; the severity may differ from it where the case does. |
| \`findings[].where\`, \`findings[].why\`, \`findings[].fix\` | The object, the reason, and what to do. Control characters are replaced. |
| \`notListed\` | By \`id\`, the \`count\` of findings beyond those. |
| \`notLookedAt\` | \`what\` could not be looked at, and \`why\`. |
| \`selfTest\` | Only with \`--self-test\`: \`as\`, \`groups\`, \`namespace\`, \`tenant\` and \`attacks\`. |
| \`selfTest.attacks[].id\`, \`selfTest.attacks[].attack\` | The attack, as in the table. |
| \`selfTest.attacks[].outcome\` | \`refused\` by Bulkhead, \`admitted\`, or \`untried\`. |
| \`selfTest.attacks[].answer\` | The first line that the API server said. |
| \`page\` | The page that explains each id. |
`;
