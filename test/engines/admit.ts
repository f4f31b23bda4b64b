/** What Bulkhead makes of an object that is created in the namespace of a world, with every check and exemption. */
import { type Judged, judge } from '../../src/checks/judge.ts';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import type { Pod, Policy } from '../../src/kubernetes/objects.ts';
import type { Border } from '../../src/reach/violation.ts';
import { exemptionsOf, isExempted, type RolledWorld, type Sent, type SentPod } from './exemptions.ts';
import { reservedIn } from './keys.ts';

export type Admit = (sent: Sent, object: unknown, border: Border) => readonly Judged[];

/** As the webhook does: judge.ts with the tenancy of the border, which holds the exemptions. */
export const admitByChecks: Admit = (
  { kind, name, user, before, deployment },
  object,
  { tenancy, tenant, namespace, now, ownerByName, isKept },
) => {
  // As the mutating webhook leaves it.
  const own = { [tenancy.settings.tenantLabel]: tenant.name };
  const request = { uid: 'u', operation: 'CREATE', subresource: '', name, namespace, user, dryRun: false } as const;
  // The worlds of the search name no members.
  const requester = { ...tenancy.requester(user, undefined), tenants: [tenant] };
  const facts = { tenancy, requester, owner: tenant, now };
  const text = JSON.stringify(object);
  if (kind === 'Pod') {
    const pod: Pod = JSON.parse(text);
    const sent = {
      ...pod,
      metadata: { ...pod.metadata, name, namespace, labels: { ...pod.metadata?.labels, ...own } },
    };
    const podFacts = { ...facts, namespaceLabels: own };
    if (deployment !== undefined) {
      const template = { metadata: sent.metadata, spec: sent.spec ?? {} };
      const workload = { metadata: { name: deployment, namespace }, spec: { template } };
      const written = { kind: 'Deployment' as const, name: deployment, object: workload, oldObject: undefined };
      return judge({ family: 'workload', request: { ...request, family: 'workload', ...written }, facts: podFacts });
    }
    const labels = { ...before?.labels, ...own };
    const stored = before && { ...sent, metadata: { ...sent.metadata, ...before, labels } };
    const operation = stored === undefined ? 'CREATE' : 'UPDATE';
    return judge({
      family: 'pod',
      request: { ...request, operation, family: 'pod', kind, object: sent, oldObject: stored },
      facts: podFacts,
    });
  }
  const policy: Policy = JSON.parse(text);
  const resource =
    kind === 'NetworkPolicy' ? 'networking.k8s.io/v1/networkpolicies' : 'cilium.io/v2/ciliumnetworkpolicies';
  return judge({
    family: 'policy',
    request: {
      ...request,
      family: 'policy',
      kind,
      resource,
      object: { ...policy, metadata: { name, namespace, labels: own } },
      oldObject: undefined,
    },
    facts: { ...facts, namespaceEmptied: false, ...(ownerByName && { ownerByName }), isKept },
  });
};

export function withExemptionsOf(world: RolledWorld, border: Border): Border {
  return { ...border, tenancy: { ...border.tenancy, exemptions: exemptionsOf(world) } };
}

export function isAdmitted(judged: readonly Judged[]): boolean {
  return judged.every(({ refuses }) => !refuses);
}

export function isExempting(judged: readonly Judged[]): boolean {
  return judged.some(({ exemption }) => exemption !== undefined);
}

/** Where exemptions count that do not match, or one does not count that matches. */
export function wronglyExempted(judged: readonly Judged[], sent: Sent, world: RolledWorld): string | undefined {
  for (const { check, path, exemption } of judged) {
    const paths = judged.flatMap((one) => (one.check === check ? [pathOfPod(one)] : []));
    const may = exemptableChecks.includes(check) && isExempted(check, paths, sent, world);
    if (exemption !== undefined && !may) return `${exemption} exempts ${path} of ${tell(sent)} from ${check}`;
    // Of the keys, only those of a tenant's own protection can be exempted.
    if (exemption === undefined && may && check !== 'reserved-labels')
      return `${path} of ${tell(sent)} is not exempted from ${check}`;
  }
  return undefined;
}

/** Of a template, where it stands in the pods that come of it. */
function pathOfPod({ path }: Judged): string {
  return path.replace(/^spec\.template\./, '');
}

/** What is wrong with what Bulkhead makes of a pod, a change of one, or a template. */
export function flawOfPod(judged: readonly Judged[], sent: SentPod, world: RolledWorld): string | undefined {
  const expected = reservedIn(sent, world);
  const findings = judged.filter(({ check }) => check === 'reserved-labels');
  const found = new Set(findings.map(pathOfPod));
  const profile = JSON.stringify(world.profile);
  for (const [path, { always }] of expected) {
    if (!found.has(path)) return `${tell(sent)} has ${path}, and nothing is found (${profile})`;
    if (always && isAdmitted(judged)) return `${tell(sent)} is admitted with ${path} (${profile})`;
  }
  const [more] = [...found].filter((path) => !expected.has(path));
  if (more !== undefined) return `${more} of ${tell(sent)} is found, and may be set (${profile})`;
  return wronglyExempted(judged, sent, world);
}

export function tell({ kind, name, user, before, deployment }: Sent): string {
  const way =
    deployment !== undefined ? `template of Deployment ${deployment}, ` : before === undefined ? '' : 'changed ';
  return `${way}${kind} ${name} of ${user.username}`;
}
