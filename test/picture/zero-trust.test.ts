/** The zero-trust report: what counts as evidence of webhooks, of mutual TLS and of encryption, and what is not known. */
import t from 'tap';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { byNamespace } from '../../src/exemptions/load-exemptions.ts';
import { pictureOf } from '../../src/picture/picture.ts';
import { nothingKnown, type Protection, readProtection } from '../../src/picture/protection.ts';
import type { RequirementId } from '../../src/picture/requirements.ts';
import type { Exemption } from '../../src/tenancy/exemption.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { denyAll, namespace, pod, policy } from '../connectivity/worlds.ts';

type Objects = Parameters<typeof readSnapshot>[0];

const located = (value: object) => ({
  value: { apiVersion: 'bulkhead.dev/v1alpha1', ...value },
  locate: unlined('test'),
});
const network = {
  ipFamilies: ['IPv4'],
  podCIDRs: ['10.0.0.0/8'],
  serviceCIDRs: ['172.16.0.0/16'],
  nodeCIDRs: ['192.168.0.0/16'],
};
const loaded = loadTenancy(
  located({ kind: 'Settings', spec: { network } }),
  [located({ kind: 'Tenant', metadata: { name: 'acme' }, spec: { members: [{ kind: 'User', name: 'alice' }] } })],
  0,
);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const tenancy = loaded.value;

const meshed = {
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme', 'istio-injection': 'enabled' } },
};
const closed: Objects = [namespace('acme-web', 'acme'), denyAll('acme-web'), pod('acme-web/shop', { app: 'shop' })];
const inMesh: Objects = [
  meshed,
  denyAll('acme-web'),
  pod('acme-web/shop', { app: 'shop' }),
  pod('acme-web/api', { app: 'api' }),
];

function assessed(requirement: RequirementId, objects: Objects, extra: Objects, protection: Partial<Protection> = {}) {
  const snapshot = readSnapshot([...objects, ...extra], tenancy, { hasPods: true, withBaseline: false });
  const read = { ...nothingKnown, ...readProtection(extra, snapshot.mesh, tenancy.settings), ...protection };
  const { tenants } = pictureOf(snapshot, tenancy, 0, read);
  const found = tenants.find(({ name }) => name === 'acme')?.zeroTrust.find((one) => one.requirement === requirement);
  return `${found?.state}: ${found?.evidence.join(' ')}`;
}

t.test('every connection is enforced: pod by pod, and not on the network of a node', async (t) => {
  const space = namespace('acme-web', 'acme');
  const [shop, api] = [pod('acme-web/shop', { app: 'shop' }), pod('acme-web/api', { app: 'api' })];
  const onNode = pod('acme-web/agent', {}, { hostNetwork: true });
  const onlyIngress = policy('acme-web/in', { podSelector: {}, policyTypes: ['Ingress'] });
  const of = (...objects: Objects) => assessed('enforced', [space, ...objects], []);
  t.match(of(shop, api, denyAll('acme-web')), /^met: 2 of 2 pods are isolated for ingress, and 2 for egress\.$/);
  t.match(of(shop, api, onlyIngress), /^partly: 2 of 2 pods are isolated for ingress, and 0 for egress/);
  t.match(of(shop, onNode, denyAll('acme-web')), /^partly: 1 of 2 pods .* 1 pod on the network of the node/);
  t.match(of(shop, api), /^not: 0 of 2/);
  t.match(of(onNode, denyAll('acme-web')), /^not: .*1 pod on the network of the node/);
  t.match(of(denyAll('acme-web')), /^not known: The tenant has no pods/);
});

t.test('workloads cannot get around it: only where the webhooks of a cluster were seen to enforce', async (t) => {
  const of = (protection: Partial<Protection>) => assessed('no-way-around', closed, [], protection);
  const all = ['validating/bulkhead', 'validating/bulkhead-namespaces'];
  t.match(of({ webhooks: { found: all, missing: [], ignoring: [] } }), /^met: .*every validating webhook .* Fail/i);
  t.match(of({}), /^not known: Files do not show whether the webhooks/);
  t.match(of({ webhooks: 'not read' }), /^not known: The webhook configurations could not be listed/);
  t.match(of({ webhooks: { found: [], missing: all, ignoring: [] } }), /^not: No webhook configuration of Bulkhead/);
  t.match(
    of({ webhooks: { found: all.slice(1), missing: all.slice(0, 1), ignoring: [] } }),
    /^partly: .*missing: validating\/bulkhead\./,
  );
  t.match(
    of({ webhooks: { found: all, missing: [], ignoring: ['validate.bulkhead.dev'] } }),
    /^partly: .*Ignore .*: validate\.bulkhead\.dev\./,
  );
  t.match(
    of({ webhooks: { found: all, missing: [], ignoring: [] }, problems: ['x cannot be listed', 'y'] }),
    /^not known: Not everything could be read: x cannot be listed \(and 1 more\)\./,
  );
});

t.test('only what is allowed explicitly: not met with what is not read or not understood', async (t) => {
  t.match(assessed('explicit', closed, []), /^met/);
  t.match(assessed('explicit', closed, [], { problems: ['x cannot be listed'] }), /^not known/);
  const odd = (place: string) => {
    const [name, own] = place.split('/');
    return {
      ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: own, namespace: name } },
      spec: { endpointSelector: {}, egress: [{ toGroups: [{ aws: {} }] }] },
    };
  };
  t.match(
    assessed('explicit', closed, [odd('acme-web/odd')]),
    /^partly: 1 part of policies that Bulkhead does not understand/,
  );
  t.match(
    assessed('explicit', closed, [namespace('other', undefined), odd('other/odd')]),
    /^met/,
    'one of another namespace',
  );
  t.match(assessed('explicit', [closed[0] ?? {}, pod('acme-web/shop', {})], []), /^not: .*Everything is open, without/);
});

const istio = (kind: string, place: string, spec: object) => {
  const [name, own] = place.split('/');
  return { apiVersion: 'security.istio.io/v1', kind, metadata: { namespace: name, name: own }, spec };
};
const peers = (place: string, mode: string, more: object = {}) =>
  istio('PeerAuthentication', place, { mtls: { mode }, ...more });
const allow = (place: string, source: object) =>
  istio('AuthorizationPolicy', place, { rules: [{ from: [{ source }] }] });
const shop = { selector: { matchLabels: { app: 'shop' } } };

t.test('objects that a check of the requirement would reject are against it, whatever else is met', async (t) => {
  const webhooks = { found: ['validating/bulkhead'], missing: [], ignoring: [] };
  const rejecting = (...checks: string[]) => checks.map((check) => ({ check, tenant: 'acme', count: 2 }));
  const of = (requirement: RequirementId, rejected: Protection['rejected']) =>
    assessed(requirement, closed, [strict], { webhooks, rejected, encryption: [{ isOn: true, evidence: 'On.' }] });
  const strict = peers('istio-system/default', 'STRICT');
  for (const [requirement, check] of [
    ['enforced', 'quota-on-baseline'],
    ['explicit', 'ip-block'],
    ['no-way-around', 'host-path'],
    ['encryption', 'mutual-tls'],
  ] as const) {
    t.match(of(requirement, []), /^met: /, requirement);
    t.match(
      of(requirement, rejecting(check)),
      new RegExp(`^partly: .*written now: 2 objects by ${check}\\.$`),
      requirement,
    );
    t.match(of(requirement, rejecting('namespace-limit')), /^met: /, `${requirement}: of no requirement`);
    t.match(of(requirement, [{ check, tenant: 'beta', count: 1 }]), /^met: /, `${requirement}: of another tenant`);
  }
  t.match(of('identity', rejecting('mutual-tls')), /^not: .*2 objects by mutual-tls/);
  t.match(
    of('no-way-around', rejecting('host-network', 'host-path', 'host-ports', 'sysctls', 'tolerations', 'chosen-node')),
    /: 2 objects by host-network, .*by tolerations, and by 1 other check\.$/,
  );
  t.match(
    of('explicit', [...rejecting('ip-block'), ...rejecting('ip-block')]),
    /: 4 objects by ip-block\.$/,
    'in every mode, and in mode enforce',
  );
});

t.test('identity: mutual TLS for every pod, and callers by identity', async (t) => {
  const strict = peers('istio-system/default', 'STRICT');
  const byIdentity = allow('acme-web/a', { principals: ['cluster.local/ns/acme-web/sa/shop'] });
  const of = (...extra: Objects) => assessed('identity', inMesh, extra);
  t.match(of(), /^not known: .*No PeerAuthentication was read: with Istio, add those/);
  t.match(of(strict, byIdentity), /^met: 2 of 2 pods demand mutual TLS .* 2 of 2 pods have AuthorizationPolicies/);
  t.match(of(strict), /^partly: 2 of 2 .* 0 of 2/);
  t.match(of(peers('istio-system/default', 'PERMISSIVE'), byIdentity), /^not: 0 of 2/);
  t.match(
    of(strict, peers('acme-web/default', 'DISABLE'), byIdentity),
    /^not: 0 of 2/,
    'the namespace overrides the mesh',
  );
  t.match(of(strict, peers('acme-web/default', 'UNSET'), byIdentity), /^met/, 'unset is inherited');
  t.match(
    of(strict, peers('acme-web/shop', 'PERMISSIVE', shop), byIdentity),
    /^partly: 1 of 2/,
    'a workload overrides',
  );
  t.match(
    of(strict, peers('acme-web/shop', 'STRICT', { ...shop, portLevelMtls: { 80: { mode: 'DISABLE' } } }), byIdentity),
    /^partly: 1 of 2/,
  );
  t.match(of(peers('other/default', 'STRICT'), byIdentity), /^not: 0 of 2/, 'of another namespace');
  t.match(
    of(strict, byIdentity, allow('acme-web/b', { ipBlocks: ['10.0.0.0/8'] })),
    /^partly: .* 0 of 2 pods have/,
    'addresses are no identity',
  );
  t.match(of(strict, byIdentity, allow('acme-web/b', { principals: ['*'] })), /^partly/, 'every identity');
  t.match(
    of(strict, istio('AuthorizationPolicy', 'acme-web/d', { action: 'DENY', rules: [{}] })),
    /^partly: .* 0 of 2 pods have/,
  );
  const waypoint = { ...meshed.metadata.labels, 'istio.io/use-waypoint': 'w' };
  const behind: Objects = [{ ...meshed, metadata: { ...meshed.metadata, labels: waypoint } }, ...inMesh.slice(1)];
  t.match(
    assessed('identity', behind, [strict, byIdentity]),
    /^partly: 2 of 2 .* 0 of 2/,
    'the policy names the waypoint, which may let any caller through',
  );
  t.match(assessed('identity', closed, [strict, byIdentity]), /^not: 0 of 1/, 'the mesh does not have the pod');
});

t.test('encryption: of the network plugin, or of a mesh', async (t) => {
  const of = (...extra: Objects) => assessed('encryption', inMesh, extra);
  const cilium = (data: object, namespace = 'kube-system') => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cilium-config', namespace },
    data,
  });
  const felix = (name: string, spec: object) => ({
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'FelixConfiguration',
    metadata: { name },
    spec,
  });
  t.match(of(), /^not known: Nothing that was read says .* Add the ConfigMap cilium-config/);
  t.match(of(cilium({ 'enable-wireguard': 'true' })), /^met: .*enable-wireguard: Cilium encrypts .* WireGuard/);
  t.match(of(cilium({ 'enable-ipsec': 'true' })), /^met: .*IPsec/);
  t.match(of(cilium({ 'enable-wireguard': 'false' })), /^not: .*turns on neither/);
  t.match(of(cilium({ 'enable-wireguard': 'true' }, 'acme-web')), /^not known/, 'a tenant may write such a ConfigMap');
  t.match(of(felix('default', { wireguardEnabled: true })), /^met: .*Calico encrypts/);
  t.match(of(felix('default', {})), /^not:/);
  t.match(
    of(felix('default', { wireguardEnabled: true }), felix('node.a', { wireguardEnabled: false })),
    /^partly: .*node\.a turns/,
  );
  t.match(
    of(peers('istio-system/default', 'STRICT')),
    /^partly: 2 of 2 pods take TCP connections encrypted by Istio alone/,
  );
  t.match(of(cilium({}), peers('istio-system/default', 'STRICT')), /^partly/);
});

t.test('an exemption counts until its end, and for namespaces of its tenant alone', (t) => {
  const webhooks = { found: ['validating/bulkhead'], missing: [], ignoring: [] };
  const base = {
    ...{ name: 'vpn', tenant: 'acme', namespace: 'acme-web', checks: new Set(['network-capabilities']), expires: 1 },
    match: {
      ...{ kinds: undefined, names: undefined, owner: undefined },
      ...{ serviceAccounts: undefined, images: undefined, requesters: undefined },
    },
  };
  const of = (more: Partial<Exemption>) => {
    const exemptions = byNamespace([{ ...base, ...more }]);
    const objects = [...closed, namespace('beta-web', 'beta')];
    const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
    const { tenants } = pictureOf(snapshot, { ...tenancy, exemptions }, 0, { ...nothingKnown, webhooks });
    const found = tenants.find(({ name }) => name === 'acme')?.zeroTrust;
    return found?.find(({ requirement }) => requirement === 'no-way-around')?.state;
  };
  t.equal(of({}), 'partly');
  t.equal(of({ expires: 0 }), 'met', 'it has ended');
  t.equal(of({ namespace: 'beta-web' }), 'met', 'the namespace is of another tenant');
  t.equal(of({ tenant: 'beta' }), 'met', 'it is for another tenant');
  t.end();
});
