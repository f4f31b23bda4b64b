/** The backstop with many exemptions, on a real API server: it takes them, compiles them and goes by them. */
import { stringify } from 'yaml';
import { backstopOf, rules } from '../../src/backstop/backstop.ts';
import { excessOf } from '../../src/backstop/limits.ts';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { Exemption } from '../../src/tenancy/exemption.ts';
import { undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { everybodyMayDoEverything } from './guarded-cluster.ts';

const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';

/** @param by what they match by, besides images */
function manyOf(count: number, namespaces: number, by: 'workloads' | 'images'): readonly Exemption[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `exemption-${index}`,
    tenant: 'acme',
    namespace: `acme-${index % namespaces}`,
    checks: new Set(exemptableChecks),
    match: {
      kinds: undefined,
      names: undefined,
      owner: by === 'images' ? undefined : { kind: 'Deployment', group: undefined, name: `workload-${index}` },
      serviceAccounts: by === 'images' ? undefined : new Set([`account-${index}`]),
      images: [`registry.example.com/workload-${index}`],
      requesters: undefined,
    },
    expires: Number.POSITIVE_INFINITY,
  }));
}

interface Policies {
  readonly items: readonly {
    readonly metadata: { readonly generation: number };
    readonly status?: {
      readonly observedGeneration?: number;
      readonly typeChecking?: { readonly expressionWarnings?: readonly unknown[] };
    };
  }[];
}

await clusterTest('the API server takes and honours many exemptions', async (t, plane) => {
  await everybodyMayDoEverything(plane);
  for (const name of ['acme-0', 'acme-1'])
    await plane.request('POST', '/api/v1/namespaces', {
      metadata: { name, labels: { [defaultSettings.tenantLabel]: 'acme' } },
    });
  const kubeconfig = await plane.kubeconfigFor({ user: 'system:serviceaccount:kube-system:replicaset-controller' });
  /** The pod of a workload: privileged, and on the network of the node. */
  const create = async (namespace: string, index: number, image = `registry.example.com/workload-${index}:1`) => {
    const account = { metadata: { name: `account-${index}` } };
    await plane.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `workload-${index}-5d8`, uid: '1' };
    const body = {
      metadata: { generateName: 'a-', ownerReferences: [{ ...owner, controller: true }] },
      spec: {
        serviceAccountName: `account-${index}`,
        hostNetwork: true,
        containers: Array.from({ length: 20 }, (_, at) => ({
          name: `c-${at}`,
          image,
          securityContext: { privileged: true },
        })),
      },
    };
    const began = performance.now();
    const { status, text } = await plane.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body, {
      kubeconfig,
    });
    return { status, text, took: performance.now() - began };
  };
  // As it was documented before.
  const small = backstopOf(defaultSettings, { from: 'listed', tenants: [] }).map((one) => `---\n${stringify(one)}`);
  t.match(await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin: small.join('') }), { code: 0 });
  for (const [count, namespaces, by] of [
    [200, 2, 'workloads'],
    [1_000, 500, 'workloads'],
    [1_000, 1, 'workloads'],
    [3_000, 1, 'images'],
    // More than an annotation may have.
    [3_000, 1_500, 'workloads'],
  ] as const) {
    const sentence = `${count} exemptions of ${by} in ${namespaces} namespaces`;
    const source = { from: 'listed', tenants: [undeclaredTenant('acme')] } as const;
    const exemptions = manyOf(count, namespaces, by);
    const documents = backstopOf(defaultSettings, source, exemptions, `${count}-${namespaces}`);
    t.strictSame(excessOf(documents, exemptions), [], sentence);
    const stdin = documents.map((one) => `---\n${stringify(one)}`).join('');
    const command = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    const began = performance.now();
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, command, { stdin });
    t.equal(code, 0, `${sentence} can be applied`, { stderr });
    const applied = Math.round(performance.now() - began);
    const largest = Math.max(...documents.map((one) => JSON.stringify(one).length));
    t.comment(`${sentence}: the largest policy has ${largest} bytes; applied in ${applied} ms`);
    t.ok(largest / count < 200, 'less than 200 bytes for each exemption');
    let warnings: readonly unknown[] = [];
    await eventually(`${sentence} are type checked`, async () => {
      const { items } = (await plane.request('GET', path)).body as Policies;
      warnings = items.flatMap(({ status }) => status?.typeChecking?.expressionWarnings ?? []);
      const isChecked = items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
      return items.length === rules.length && isChecked;
    });
    t.strictSame(warnings, [], `${sentence}: no warnings about types`);
    const last = count - namespaces;
    let answer = await create('acme-0', last);
    await eventually(`${sentence}: a pod without an exemption is refused`, async () => {
      return (await create('acme-1', 0)).status === 403;
    });
    for (const index of [0, namespaces * Math.floor(count / namespaces / 2), last]) {
      await eventually(`${sentence}: the one for ${index} is honoured`, async () => {
        answer = await create('acme-0', index);
        return answer.status === 201;
      }).catch((error) => t.fail(String(error), { answer }));
      t.comment(`${sentence}: ${Math.round(answer.took)} ms for the pod of ${index}`);
    }
    answer = await create('acme-0', last, `registry.example.com/other-${last}`);
    t.match(answer, { status: 403, text: "ValidatingAdmissionPolicy 'bulkhead-" }, `${sentence}: another image is not`);
    t.notMatch(answer.text, /cost|budget|error/i, 'by the rule, and not because it cost too much');
  }
});
