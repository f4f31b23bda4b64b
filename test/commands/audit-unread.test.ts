/** What `audit` finds of policy kinds that Bulkhead does not read. */
import t from 'tap';
import { surveyOf } from './stored-cluster.ts';

const namespaces = ['acme-web', 'ingress'].map((name) => ({
  metadata: { name, labels: name === 'ingress' ? {} : { 'bulkhead.dev/tenant': 'acme' } },
}));
const named = (name: string, namespace = 'acme-web') => ({ metadata: { name, namespace } });
const resource = (name: string, kind: string, namespaced = true, verbs = ['list', 'get']) => ({
  name,
  kind,
  namespaced,
  verbs,
});
const groups = (...names: readonly string[]) => ({
  groups: names.map((name) => ({ name, versions: [{ groupVersion: `${name}/v2` }, { groupVersion: `${name}/v1` }] })),
});

const cluster = {
  tenants: { acme: { mode: 'audit' } },
  discovery: {
    '/apis': groups('apps', 'cilium.io', 'networking.istio.io'),
    '/apis/cilium.io/v2': {
      resources: [
        resource('ciliumenvoyconfigs', 'CiliumEnvoyConfig'),
        resource('ciliumenvoyconfigs/status', 'CiliumEnvoyConfig'),
        resource('ciliumendpoints', 'CiliumEndpoint'),
        resource('ciliumnodes', 'CiliumNode', false),
        resource('ciliumreviews', 'CiliumReview', true, ['create']),
      ],
    },
    '/apis/cilium.io/v1': {
      resources: [resource('ciliumenvoyconfigs', 'CiliumEnvoyConfig'), resource('ciliumolds', 'CiliumOld')],
    },
    '/apis/networking.istio.io/v2': { resources: [resource('virtualservices', 'VirtualService')] },
  },
  objects: {
    '/api/v1/namespaces': namespaces,
    '/apis/cilium.io/v2/ciliumenvoyconfigs': [named('web'), named('of-the-platform', 'ingress')],
    '/apis/cilium.io/v2/ciliumendpoints': [named('web')],
    '/apis/cilium.io/v2/ciliumnodes': [{ metadata: { name: 'node-1' } }],
    '/apis/cilium.io/v1/ciliumenvoyconfigs': [named('twice')],
    '/apis/cilium.io/v1/ciliumolds': [named('old')],
    '/apis/networking.istio.io/v2/virtualservices': [named('web')],
  },
};

const found = ({ rejected }: Awaited<ReturnType<typeof surveyOf>>) =>
  rejected.map(({ check, always, names }) => `${check} ${always} ${names.join()}`);

t.test('what tenants have of them is listed, in whatever version it is served', async (t) => {
  t.same(found(await surveyOf(cluster)), [
    'platform-kinds false CiliumEnvoyConfig acme-web/web',
    'unknown-policy-kind false CiliumOld acme-web/old,VirtualService acme-web/web',
  ]);
});

t.test('what the settings give is not, and no exemption can cover the rest', async (t) => {
  const given = (...resources: readonly string[]) => ({
    network: { policyKinds: resources.map((resource) => ({ resource })) },
  });
  const one = await surveyOf({ ...cluster, settings: given('virtualservices.networking.istio.io') });
  t.same(found(one), [
    'platform-kinds false CiliumEnvoyConfig acme-web/web',
    'unknown-policy-kind false CiliumOld acme-web/old',
  ]);
  const both = given('virtualservices.networking.istio.io', 'ciliumolds.cilium.io');
  t.same(found(await surveyOf({ ...cluster, settings: both })), [
    'platform-kinds false CiliumEnvoyConfig acme-web/web',
  ]);

  const exemption = {
    ...{ tenant: 'acme', namespace: 'acme-web', checks: ['unknown-policy-kind'], reason: 'It must.', owner: 'team' },
    ...{ match: { names: ['old'] }, expires: '2090-01-01T00:00:00Z' },
  };
  await t.rejects(surveyOf({ ...cluster, exemptions: { old: exemption } }), {
    message: /^spec\.checks\[0\] "unknown-policy-kind" is not one of /,
  });
});

t.test('what cannot be listed is said', async (t) => {
  const { unread } = await surveyOf({ ...cluster, unreadable: ['/apis/cilium.io/v1/ciliumolds'] });
  t.match(unread, [/^\/apis\/cilium\.io\/v1\/ciliumolds cannot be listed/]);
});

t.test('of Istio, what the settings have no section for is listed, also of kinds that Bulkhead can read', async (t) => {
  const withPolicies = {
    ...cluster,
    discovery: {
      '/apis': groups('security.istio.io'),
      '/apis/security.istio.io/v2': {
        resources: ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'].map((kind) =>
          resource(`${kind.toLowerCase().replace(/y$/, 'ie')}s`, kind),
        ),
      },
    },
    objects: {
      ...cluster.objects,
      '/apis/security.istio.io/v1/authorizationpolicies': [{ ...named('callers'), spec: { rules: [{}] } }],
      '/apis/security.istio.io/v2/peerauthentications': [named('plain')],
      '/apis/security.istio.io/v2/requestauthentications': [named('tokens')],
    },
  };
  t.same(found(await surveyOf(withPolicies)), [
    'unknown-policy-kind false AuthorizationPolicy acme-web/callers,PeerAuthentication acme-web/plain,RequestAuthentication acme-web/tokens',
  ]);
});
