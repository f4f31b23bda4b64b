import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { splitPeer } from '../../src/checks/split-peer.ts';
import { networkPolicyResource } from '../../src/kinds/network-policy/network-policy.ts';
import type { NetworkPolicyRequest } from '../../src/kubernetes/review.ts';
import { emptyReach } from '../../src/reach/model.ts';
import { cast } from '../fixtures/cast.ts';
import { submit } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const owner = tenancy.ownerByLabels({ [tenantLabel]: 'acme' });
const user = cast['acme developer'];
const pair = [
  { namespaceSelector: { matchLabels: { [tenantLabel]: 'acme' } } },
  { podSelector: { matchLabels: { app: 'web' } } },
];
const policy = (count: number) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'many', namespace: 'acme-web' },
  spec: { podSelector: {}, ingress: [{ from: Array.from({ length: count }, () => pair).flat() }] },
});

t.test('of thousands of such peers only a few are told, in the order of the fields', async (t) => {
  const request: NetworkPolicyRequest = {
    ...{ family: 'policy', kind: 'NetworkPolicy', resource: networkPolicyResource },
    ...{ uid: '1', operation: 'CREATE', subresource: '', name: 'many', namespace: 'acme-web' },
    ...{ user, dryRun: false, object: policy(10_000), oldObject: undefined },
  };
  const facts = {
    ...{ tenancy, owner, requester: tenancy.requester(user, undefined), ownership: undefined },
    ...{
      namespacesOwned: 0,
      namespaceEmptied: false,
      now: 0,
      border: [],
      reach: emptyReach,
      ownerByName: () => undefined,
    },
  };
  const paths = splitPeer.policy?.(request, facts).map(({ path }) => path);
  t.strictSame(
    paths,
    Array.from({ length: 8 }, (_, index) => `spec.ingress[0].from[${2 * index + 1}]`),
  );
});

t.test('lines that are left out are counted', async (t) => {
  const review = createAdmission({ tenancy: () => tenancy, namespaces, onDefect: (error) => t.fail(`${error}`) });
  const object = policy(8);
  const both = { ...object, spec: { ...object.spec, egress: [{ to: pair }] } };
  const { allowed, warnings = [] } = await submit(review, { user, operation: 'CREATE', object: both });
  t.ok(allowed);
  t.ok(warnings.length <= 8);
  t.match(warnings.at(-1), /^not shown: \d of 10 findings$/);
});
