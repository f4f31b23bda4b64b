/** Staged policies of Calico are judged as the policies that they become, and their authors are warned. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { judgeStoredPolicy } from '../../src/admission/stored-policy.ts';
import { policyKinds } from '../../src/kinds/policy-kind.ts';
import { cast } from '../fixtures/cast.ts';
import { bytesOf, farDeadline, responseOf, uid } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const admission = createAdmission({
  tenancy: () => tenancy,
  namespaces,
  onDefect(error: unknown) {
    throw error;
  },
});

const plurals = {
  StagedNetworkPolicy: 'stagednetworkpolicies',
  StagedKubernetesNetworkPolicy: 'stagedkubernetesnetworkpolicies',
} as const;
type Staged = keyof typeof plurals;
const groups = [
  ['projectcalico.org', 'v3'],
  ['crd.projectcalico.org', 'v1'],
] as const;

async function write(kind: Staged, [group, version]: (typeof groups)[number], spec: unknown) {
  const object = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'one', namespace: 'acme-web' }, spec };
  const request = {
    ...{ uid, operation: 'CREATE', namespace: 'acme-web', name: 'one', userInfo: cast['acme developer'] },
    ...{ object: labelled(object), oldObject: null, subResource: '' },
    ...{ kind: { group, version, kind }, resource: { group, version, resource: plurals[kind] } },
  };
  const review = bytesOf({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
  const { allowed, status, warnings = [] } = responseOf((await admission('validate', review, farDeadline())).body);
  return { allowed, message: status?.message ?? '', warnings };
}

const labelled = <Object extends { metadata: object }>(object: Object) => ({
  ...object,
  metadata: { ...object.metadata, labels: { 'bulkhead.dev/tenant': 'acme' } },
});

const open = {
  StagedNetworkPolicy: { selector: 'all()', ingress: [{ action: 'Allow' }] },
  StagedKubernetesNetworkPolicy: { podSelector: {}, ingress: [{}] },
};
const closed = {
  StagedNetworkPolicy: { selector: 'all()', ingress: [{ action: 'Allow', source: { selector: 'all()' } }] },
  StagedKubernetesNetworkPolicy: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] },
};

for (const kind of ['StagedNetworkPolicy', 'StagedKubernetesNetworkPolicy'] as const)
  for (const group of groups)
    t.test(`${kind} of ${group[0]}`, async (t) => {
      for (const stagedAction of [undefined, '', 'Set', 'Learn']) {
        const { allowed, warnings } = await write(kind, group, { ...open[kind], stagedAction });
        t.equal(allowed, true, `${stagedAction}: nothing is open yet`);
        t.match(warnings[0], /^cross-tenant-ingress: spec\.ingress\[0\] when enforced: lists no peers/);
        t.match(warnings[1], /^cross-tenant-ingress: fix: /);
        t.strictSame(await write(kind, group, { ...closed[kind], stagedAction }), {
          ...{ allowed: true, message: '', warnings: [] },
        });
      }
      for (const stagedAction of ['Delete', 'Ignore'])
        t.strictSame(
          await write(kind, group, { ...open[kind], stagedAction }),
          { allowed: true, message: '', warnings: [] },
          `${stagedAction} opens nothing`,
        );
      const unknown = await write(kind, group, { ...closed[kind], stagedAction: 'Become' });
      t.match(unknown, { allowed: false, message: /spec\.stagedAction\n\s+"Become" is not a staged action of Calico/ });
      const unread = await write(kind, group, { ...closed[kind], stagedAction: 'Delete', more: 1 });
      t.match(unread, { allowed: false, message: /"more" is not a field of a NetworkPolicy/ });
      t.equal((await write(kind, group, undefined)).allowed, true, 'without a specification');
    });

t.test('a stored one is not reported as non-compliant, and isolates no pod', async (t) => {
  const state = { tenancy, namespaces, now: 0 };
  const staged = policyKinds.filter(({ kind }) => Object.hasOwn(plurals, kind));
  t.equal(staged.length, 4);
  for (const kind of staged) {
    const spec = open[kind.kind as Staged];
    const policy = JSON.parse(JSON.stringify({ metadata: { name: 'one', namespace: 'acme-web' }, spec }));
    t.equal(judgeStoredPolicy(kind, policy, state), undefined);
    t.strictSame(kind.read(policy).isolates, []);
    t.equal(kind.read(policy).rules.length, 1);
  }
});
