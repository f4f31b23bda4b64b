/** What one engine alone does: the order of Calico's policies, and the kinds that Cilium leaves out. */
import t from 'tap';
import { asCalico, asCilium, byTheBook, type Reading } from '../../src/connectivity/readings.ts';
import { namespace, pod, policy, worldOf } from './worlds.ts';

type Objects = Parameters<typeof worldOf>[0];

/** Of the pod, for ingress from itself: the policies that decide, in their order. */
function decidedBy(objects: Objects, reading: Reading): readonly string[] {
  const world = worldOf([namespace('acme'), pod('acme/web', { app: 'web' }), ...objects], reading);
  const [web] = world.parties.classes;
  if (web === undefined) throw new Error('there is no pod');
  return world.plan(web, 'ingress').flatMap(({ steps }) => steps.map((one) => one.policy.ref.name));
}

t.test('policies of Calico with the same order come by name, namespace and kind, as one text', async (t) => {
  const calico = (place: string, order?: number) =>
    policy(
      place,
      { ...(order !== undefined && { order }), types: ['Ingress'], ingress: [{ action: 'Allow' }] },
      place.includes('/') ? 'NetworkPolicy' : 'GlobalNetworkPolicy',
      'projectcalico.org/v3',
    );
  // A slash comes after a dash and before letters.
  t.strictSame(decidedBy([calico('acme/a'), calico('acme/a-b'), calico('b')], asCalico), ['a-b', 'a', 'b']);
  const plain = policy('acme/web', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] });
  t.strictSame(
    decidedBy([plain, calico('acme/web-x', 1000), calico('z', 1000), calico('a', 1001)], asCalico),
    ['web-x', 'web', 'z', 'a'],
    'NetworkPolicies of Kubernetes stand at order 1000, under their own name',
  );
});

t.test('Cilium does not read AdminNetworkPolicy and BaselineAdminNetworkPolicy', async (t) => {
  const spec = { subject: { namespaces: {} }, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] };
  const of = (kind: string, version: string, more: object) =>
    policy(kind.toLowerCase(), { ...spec, ...more }, kind, `policy.networking.k8s.io/${version}`);
  const objects = [
    of('AdminNetworkPolicy', 'v1alpha1', { priority: 1 }),
    of('BaselineAdminNetworkPolicy', 'v1alpha1', {}),
    of('ClusterNetworkPolicy', 'v1alpha2', { tier: 'Admin', priority: 2 }),
  ];
  t.strictSame(decidedBy(objects, byTheBook), [
    'adminnetworkpolicy',
    'clusternetworkpolicy',
    'baselineadminnetworkpolicy',
  ]);
  t.strictSame(decidedBy(objects, asCilium), ['clusternetworkpolicy']);
});
