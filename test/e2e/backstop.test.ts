/**
 * The backstop alone, on a real API server: it refuses the cases that it doubles, each by its check, and nothing that the webhook
 * would admit.
 */
import { backstopOf, policyName, rules } from '../../src/backstop/backstop.ts';
import { decideOwner } from '../../src/tenancy/ownership.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { type Case, loadCases } from '../fixtures/cases.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { createWorld, settings, tenantLabel } from '../fixtures/world.ts';
import { eventually } from '../soak/observer.ts';
import { restage, stage, submitDry } from './stage-case.ts';

/** Cases that a rule leaves to the webhook, and why; everything else that its check refuses, it refuses. */
const left: Readonly<Record<string, readonly string[]>> = {
  'who the members of a tenant are': [
    'foreign-namespace/fail/annotates-a-foreign-namespace',
    'foreign-namespace/fail/controller-relabels',
    'foreign-namespace/fail/deletes-a-foreign-namespace',
    'foreign-namespace/fail/holds-by-a-finalizer',
    'foreign-namespace/fail/holds-by-the-spec',
    'foreign-namespace/fail/propagation-of-a-living-namespace',
    'foreign-namespace/fail/rewrites-the-field-managers',
    'foreign-namespace/fail/takes-the-fields-over',
    'foreign-namespace/fail/takes-the-fields-over-through-status',
    'foreign-namespace/fail/through-finalize',
    'foreign-namespace/fail/through-status',
    'foreign-namespace/fail/while-it-terminates',
    'foreign-namespace/fail/wipes-the-field-managers',
  ],
  'which tenants are declared': [
    'foreign-namespace/fail/platform-names-an-unknown-tenant',
    'tenant-label-frozen/fail/platform-to-an-unknown-tenant',
  ],
  'whether a pod is left': ['managed-policy/fail/before-the-pods'],
  'which keys are reserved for whom': [
    'tolerations/fail/control-plane',
    'tolerations/fail/every-value',
    'tolerations/fail/value-of-another',
  ],
  'which addresses a tenant may reach': [
    'network-volumes/fail/iscsi-second-portal',
    'network-volumes/fail/nfs-loopback',
    'network-volumes/fail/nfs-node',
    'network-volumes/fail/nfs-outside',
    'network-volumes/fail/nfs-service',
    'network-volumes/fail/nfs-translated',
    'network-volumes/fail/rbd-monitor',
  ],
  'capabilities, which are spelled in many ways': [
    'network-capabilities/fail/all',
    'network-capabilities/fail/init-container',
    'network-capabilities/fail/net-raw',
    'network-capabilities/fail/other-spelling',
  ],
};
/** Two rules refuse these, and the API server tells of one, whichever it asked first. */
const together: Readonly<Record<string, string>> = {
  'foreign-namespace/fail/adopts-by-owner-reference': 'namespace-owner-references',
  'tenant-label-frozen/fail/adopts-a-platform-namespace': 'foreign-namespace',
  // Without its label it is nobody's, which is the other check's business.
  'tenant-label-frozen/fail/mutation-passed-by': 'foreign-namespace',
  'namespace-owner-references/fail/created-with-one': 'foreign-namespace',
};
const leftCases = new Set(Object.values(left).flat());

const leaving = new Set(['acme-leaving', 'acme-emptied']);

const doubled = new Set(rules.map(({ check }) => check.id));
const clusterScoped = [
  ...['CiliumClusterwideNetworkPolicy', 'CiliumNode', 'GlobalNetworkPolicy', 'ClusterNetworkPolicy'],
  'ClusterEgressRule',
];
const kinds = new Set<string>(['Namespace', 'NetworkPolicy', 'Pod', ...clusterScoped]);

function isSeen({ operation, collection, object, oldObject }: Case): boolean {
  const kind = (object ?? oldObject)?.kind ?? '';
  // Namespaces are not deleted as a collection: the API server knows no such request.
  if (kind === 'Namespace' && collection) return false;
  // Of pods the rules see only how they are made; and which containers are added, which has a test of its own below.
  return kinds.has(kind) && (kind !== 'Pod' || operation === 'CREATE');
}

const cases = loadCases().filter((one) => isSeen(one) && (one.expects === 'pass' || doubled.has(one.check)));

await networkKindsTest(
  'the API server alone refuses what is doubled, and nothing that the webhook admits',
  async (t, plane) => {
    const world = createWorld();
    await peopled(plane);
    const documents = backstopOf(settings, { from: 'listed', tenants: [...world.tenancy.tenants.values()] });
    const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: documents });
    const { code, stdout, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin });
    t.equal(code, 0, 'it can be applied', { stdout, stderr });
    const kubeconfigs = new Map<Role, string>();
    for (const [role, { username, groups }] of Object.entries(cast) as [Role, (typeof cast)[Role]][])
      kubeconfigs.set(role, await plane.kubeconfigFor({ user: username, groups }));
    const last = cases.findLast(({ check, expects }) => check === 'probe-host' && expects === 'fail');
    if (last === undefined) throw new Error('there is no case to tell by that the rules are in force');
    await eventually('the rules are in force', async () => {
      const { status } = await submitDry(plane, last, kubeconfigs.get(last.user) ?? '');
      return status === 403;
    });

    t.ok(cases.length > 150, `${cases.length} cases are replayed`);
    for (const one of cases.map((each) => labelled(each, world.tenancy))) {
      await stage(plane, one);
      const { status, text } = await submitDry(plane, one, kubeconfigs.get(one.user) ?? '');
      const admitted = one.expects === 'pass' || leftCases.has(one.id);
      if (admitted) t.ok(status < 300, `${one.id}: ${one.sentence}`, { found: text });
      else {
        t.equal(status, 403, `${one.id}: ${one.sentence}`, { found: text });
        const said = [one.check, together[one.id] ?? one.check].some((id) =>
          text.includes(`(${id}, docs/checks/${id}.md)`),
        );
        t.ok(said, `${one.id}: says by which check`, { found: text });
        t.match(text, `ValidatingAdmissionPolicy 'bulkhead-`, `${one.id}: says who refuses`);
      }
      const { kind, metadata } = one.oldObject ?? {};
      const name = metadata?.name ?? '';
      if (kind === 'Namespace' && !leaving.has(name)) await restage(plane, name, metadata?.labels ?? {});
    }
    for (const id of leftCases)
      t.ok(
        cases.some((one) => one.id === id),
        `${id} is replayed`,
      );
    const names = new Set(rules.map(policyName));
    t.equal(names.size, rules.length, 'every rule has a policy of its own');

    const kubeconfig = kubeconfigs.get('acme developer') ?? '';
    const refusal = `docs/checks/ephemeral-containers.md`;
    const relabelled = await plane.request(
      'PATCH',
      '/api/v1/namespaces/infra-old',
      { metadata: { labels: { team: 'edge' } } },
      { contentType: 'application/merge-patch+json', kubeconfig: kubeconfigs.get('platform admin') ?? '' },
    );
    t.match(relabelled, { status: 200 }, 'a namespace that had a label of others before can be changed');
    t.match(
      await debug(plane, 'again', { privileged: true }, kubeconfig),
      { status: 403, text: refusal },
      'POD-11: no privileged container is added to a running pod',
    );
    t.match(
      await debug(plane, 'again', {}, kubeconfig),
      { status: 200 },
      'one without privilege is, also to a pod that has one with',
    );
    t.match(
      await tolerate(plane, 'Exists', kubeconfig, ''),
      { status: 403, text: `docs/checks/tolerations.md` },
      'POD-24: no toleration of everything is added to a pod',
    );
    t.match(await tolerate(plane, 'Exists', kubeconfig, 'example.com/gpu'), { status: 200 }, 'one with a key is');
  },
  { controllers: false },
);

/** Adds a container to the pod `debugged`. */
function debug(plane: ControlPlane, name: string, securityContext: object, kubeconfig?: string): Promise<Answer> {
  const spec = { ephemeralContainers: [{ name, image: 'busybox', securityContext }] };
  return plane.request(
    'PATCH',
    '/api/v1/namespaces/acme-web/pods/debugged/ephemeralcontainers',
    { spec },
    {
      contentType: 'application/strategic-merge-patch+json',
      ...(kubeconfig !== undefined && { kubeconfig }),
    },
  );
}

/** Adds a toleration to the pod `debugged`. */
async function tolerate(plane: ControlPlane, operator: string, kubeconfig: string, key: string): Promise<Answer> {
  const path = '/api/v1/namespaces/acme-web/pods/debugged';
  const { spec } = JSON.parse((await plane.request('GET', path)).text);
  const tolerations = [...(spec.tolerations ?? []), { operator, ...(key !== '' && { key }) }];
  const contentType = 'application/merge-patch+json';
  return plane.request('PATCH', path, { spec: { tolerations } }, { contentType, kubeconfig });
}

/** With the label that the mutating webhook gives a new namespace, unless the case is about one that passed it by. */
function labelled(one: Case, tenancy: Tenancy): Case {
  const { object, operation, unmutated, user } = one;
  if (object?.kind !== 'Namespace' || operation !== 'CREATE' || unmutated) return one;
  const home = tenancy.tenants.get('acme');
  const ownership = decideOwner(object, tenancy.requester(cast[user], home), tenancy);
  if (ownership.kind === 'undecided' || ownership.owner === 'platform') return one;
  const labels = { ...object.metadata?.labels, [tenantLabel]: ownership.owner.name };
  return { ...one, object: { ...object, metadata: { ...object.metadata, labels } } };
}

/** The namespaces of the cases, and people who have every right that RBAC can give. */
async function peopled(plane: ControlPlane): Promise<void> {
  const create = async (path: string, body: object): Promise<void> => {
    const { status, text } = await plane.request('POST', path, body);
    if (status !== 201) throw new Error(text);
  };
  const apiGroup = 'rbac.authorization.k8s.io';
  await create(`/apis/${apiGroup}/v1/clusterrolebindings`, {
    metadata: { name: 'everybody' },
    subjects: [{ kind: 'Group', name: 'system:authenticated', apiGroup }],
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup },
  });
  const owners = { 'acme-web': 'acme', 'acme-db': 'acme', 'acme-leaving': 'acme', 'acme-emptied': 'acme' };
  const others = {
    'beta-data': 'beta',
    'gamma-lab': 'gamma',
    'delta-one': 'delta',
    'last-of-zeta': 'zeta',
    'eta-web': 'eta',
  };
  for (const [name, owner] of Object.entries({ ...owners, ...others, 'ingress-nginx': undefined })) {
    const labels = owner === undefined ? {} : { [tenantLabel]: owner };
    await create('/api/v1/namespaces', { metadata: { name, labels } });
  }
  const misplaced = { 'networking.example.com/role': 'ingress' };
  await create('/api/v1/namespaces', { metadata: { name: 'infra-old', labels: misplaced } });
  const spec = { containers: [{ name: 'main', image: 'nginx' }] };
  await create('/api/v1/namespaces/acme-web/pods', { metadata: { name: 'debugged' }, spec });
  const { status, text } = await debug(plane, 'first', { privileged: true });
  if (status !== 200) throw new Error(text);
  for (const handler of ['gvisor', 'kata'])
    await create('/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: handler }, handler });
  // Nothing can be created in them once they end.
  for (const one of loadCases())
    if (one.oldObject?.kind === 'NetworkPolicy' && leaving.has(one.oldObject.metadata?.namespace ?? ''))
      await stage(plane, one);
  for (const name of leaving) await plane.request('DELETE', `/api/v1/namespaces/${name}`);
}
