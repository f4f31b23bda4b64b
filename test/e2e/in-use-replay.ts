/** What test/e2e/in-use.test.ts sends at its end: the failing cases of test/fixtures, in the cluster of docs/in-use.md. */
import type { Test } from 'tap';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { installNetworkDefinitions } from '../apiserver/network-definitions.ts';
import { type Case, isReplayed, loadCases } from '../fixtures/cases.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { collectionOf } from '../fixtures/review.ts';
import { eventually } from '../soak/observer.ts';
import { inNamespaceOfThePlatform, intent, pathOf, replayed } from './replayed-cases.ts';
import { restage, stage, submitDry } from './stage-case.ts';

/** Cases that fail under the settings of the examples and are no attack in this cluster. They are admitted, so none is left out wrongly. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  'the settings say which network plugin and mesh there is': [
    'reserved-labels/fail/calico-unreadable-metadata',
    'reserved-labels/fail/egress-gateway',
    'reserved-labels/fail/floating-address',
    'reserved-labels/fail/leaves-consul',
    'reserved-labels/fail/lets-anybody-in',
    'reserved-labels/fail/mesh-of-others',
    'reserved-labels/fail/no-capture-by-kuma',
    'reserved-labels/fail/skipped-ports',
    'reserved-labels/fail/stateless-policy',
  ],
  'no tenant has a limit': ['namespace-limit/fail/created-by-the-platform', 'namespace-limit/fail/one-too-many'],
  'the settings leave the runtime classes free': [
    'runtime-class/fail/by-a-controller',
    'runtime-class/fail/by-the-platform',
    'runtime-class/fail/not-listed',
  ],
  'no such names are reserved': ['reserved-prefix/fail/one-of-several-prefixes', 'reserved-prefix/fail/whole-name'],
  'the settings trust no label': [
    'reserved-labels/fail/trusted-label',
    'trusted-labels/fail/listed-for-another-namespace',
    'trusted-labels/fail/on-a-namespace-of-a-tenant',
  ],
  'the settings allow every type of Service, and every class': [
    'service-types/fail/balancer-of-another',
    'service-types/fail/balancer-with-node-ports',
    'service-types/fail/class',
    'service-types/fail/named-node-port',
    'service-types/fail/node-port',
    'route-classes/fail/annotation',
    'route-classes/fail/class',
    'route-classes/fail/gateway',
  ],
  'no hosts are reserved': [
    'route-hosts/fail/alias',
    'route-hosts/fail/below-a-foreign-host',
    'route-hosts/fail/certificate',
    'route-hosts/fail/default-backend',
    'route-hosts/fail/experimental-listener-set',
    'route-hosts/fail/foreign-host',
    'route-hosts/fail/istio-every-host',
    'route-hosts/fail/istio-gateway-every-host',
    'route-hosts/fail/istio-gateway-of-others',
    'route-hosts/fail/istio-host-of-others',
    'route-hosts/fail/istio-sni-host',
    'route-hosts/fail/istio-wildcard',
    'route-hosts/fail/listener-set',
    'route-hosts/fail/listener',
    'route-hosts/fail/no-host',
    'route-hosts/fail/of-the-platform',
    'route-hosts/fail/record',
    'route-hosts/fail/route-without-hosts',
    'route-hosts/fail/route',
    'route-hosts/fail/wildcard',
  ],
  'the settings reserve neither taints nor devices': [
    'reserved-devices/fail/claim',
    'reserved-devices/fail/init-container',
    'reserved-devices/fail/limit',
    'reserved-devices/fail/resource-of-a-class',
    'tolerations/fail/control-plane',
    'tolerations/fail/every-value',
    'tolerations/fail/value-of-another',
  ],
};

/** Of a tenant that is not there, and keeps to its names. */
const ofAnotherTenant: ReadonlySet<string> = new Set(['unreserved-name']);

/** Namespaces of that tenant, and of a gateway that this cluster does not share. */
const notHere: ReadonlySet<string | undefined> = new Set(['payments', 'ingress-nginx']);

/** Every case that creates something and fails. The cast are members of the tenants of the page; their namespaces are added. */
export async function replay(t: Test, plane: ControlPlane): Promise<void> {
  await installNetworkDefinitions(plane);
  for (const file of ['eta', 'zeta'])
    await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', `test/fixtures/tenants/${file}.yaml`]);
  for (const [name, tenant] of [
    ['acme-web', 'acme'],
    ['acme-db', 'acme'],
    ['beta-data', 'beta'],
    ['delta-one', 'delta'],
    ['eta-web', 'eta'],
    ['last-of-zeta', 'zeta'],
  ] as const) {
    const { status, text } = await plane.request('POST', '/api/v1/namespaces', {
      metadata: { name, labels: { 'bulkhead.dev/tenant': tenant } },
    });
    t.equal(status, 201, `${name} is there`, { text });
  }
  await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'istio-system' } });
  for (const handler of ['gvisor', 'kata'])
    await plane.request('POST', '/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: handler }, handler });
  const kubeconfigs = new Map<Role, string>();
  for (const [role, { username, groups }] of Object.entries(cast) as [Role, (typeof cast)[Role]][])
    kubeconfigs.set(role, await plane.kubeconfigFor({ user: username, groups }));
  const failing = replayed.filter(
    (one) =>
      one.expects === 'fail' &&
      !intent.has(one.check) &&
      !ofAnotherTenant.has(one.check) &&
      !notHere.has(one.object?.metadata?.namespace) &&
      !inNamespaceOfThePlatform(one),
  );
  const send = ({ user, object }: Case, path: string) =>
    plane.request('POST', path, object, { kubeconfig: kubeconfigs.get(user) ?? '' });
  const harmless = new Set(Object.values(elsewhere).flat());
  const attacks = new Set<string>();
  let refused = 0;
  for (const one of failing) {
    if (harmless.delete(one.id)) {
      const { status, text } = await send(one, `${pathOf(one)}?dryRun=All`);
      t.equal(status, 201, `${one.id}: is no attack here`, { text });
      continue;
    }
    const { status, text } = await send(one, pathOf(one));
    t.equal(status, 403, `${one.id}: ${one.sentence}`, { text });
    t.match(text, `${one.check}, docs/checks/${one.check}.md`, `${one.id}: by its check`);
    for (const attack of one.attack) attacks.add(attack);
    refused++;
  }
  t.strictSame([...harmless], [], 'each is a case');
  t.strictSame({ refused, attacks: attacks.size }, { refused: 399, attacks: 67 }, 'none is lost');
}

/** Other cases that are not sent, or are no attack in this cluster. */
const notHereLater: Readonly<Record<string, readonly string[]>> = {
  'the API server refuses these itself': [
    'cross-tenant-ingress/fail/impossible-value',
    'ephemeral-containers/fail/host-port',
    'exemption-document/fail/changed-to-identity',
    'foreign-namespace/fail/deletes-many',
    'ip-block/fail/host-bits',
    'ip-block/fail/leading-zero',
    'ip-block/fail/mapped',
    'mesh-hosts/fail/a-text',
    'mesh-hosts/fail/tls-without-a-host',
    'mutual-tls/fail/a-number',
    'mutual-tls/fail/lower-case',
    'reserved-labels/fail/no-mutual-tls-any-more',
    'token-keys/fail/another-scheme',
    'tolerations/fail/added-later',
  ],
  'they are not staged here': [
    'endpoint-addresses/fail/no-ports',
    'endpoint-addresses/fail/port-not-granted',
    'ephemeral-containers/fail/network-profile',
    'gate-request/fail/too-many',
    'pod-addresses/fail/another-key-by-eks',
    'pod-addresses/fail/by-an-account-without-a-namespace',
    'pod-addresses/fail/by-another-node',
    'pod-addresses/fail/by-its-tenant',
    'pod-addresses/fail/node-address-of-its-tenant',
    'pod-addresses/fail/removed-by-its-tenant',
    'pod-addresses/fail/status-before-a-node',
    'pod-addresses/fail/status-by-a-plugin',
    'pod-addresses/fail/status-of-another-node',
    'pod-addresses/fail/status-of-its-tenant',
    'pod-addresses/fail/through-status',
    'pod-tenant-label/fail/removed-through-status',
    'pod-tenant-label/fail/through-status',
    'token-keys/fail/backslash',
  ],
  'the settings, tenants or states here differ, or the request would be another one': [
    'foreign-namespace/fail/rewrites-the-field-managers',
    'foreign-namespace/fail/takes-the-fields-over',
    'foreign-namespace/fail/takes-the-fields-over-through-status',
    'foreign-namespace/fail/wipes-the-field-managers',
    'gate-request/fail/in-namespace-of-the-platform',
    'mesh-hosts/fail/other-spelling',
    'mesh-hosts/fail/sidecar-field',
    'mesh-hosts/fail/unknown-field',
    'mutual-tls/fail/another-spelling',
    'reserved-labels/fail/ip-pool',
    'reserved-labels/fail/through-pod-status',
    'route-hosts/fail/alias-by-the-status',
    'route-hosts/fail/changed-later',
    'service-addresses/fail/istio-status',
    'service-addresses/fail/status',
    'service-addresses/fail/status-by-an-account',
    'service-types/fail/changed-type',
    'tenant-in-use/fail/collected-as-garbage',
    'tenant-in-use/fail/last-finalizer',
    'tenant-label-frozen/fail/platform-to-an-unknown-tenant',
    'tenant-leaving/fail/a-member-creates',
    'tenant-leaving/fail/the-platform-creates',
    'tenant-leaving/fail/the-platform-gives',
    'token-keys/fail/unknown-field',
    'trusted-labels/fail/handed-to-a-tenant',
    'trusted-labels/fail/through-status',
    'unknown-policy-kind/fail/status',
  ],
};

/** Bulkhead removes a quota that no tenant here has, and the quota controller writes the rest, both while a case is sent. */
const ofQuotas: ReadonlySet<string> = new Set(['managed-quota', 'quota-on-baseline']);

const configurationsPath = '/apis/admissionregistration.k8s.io/v1';

/**
 * Every other case that fails: updates, deletes and subresources, dry, on the stored object of the case. The administrator writes that:
 * its requests go past the webhooks, and the backstop, which asks everybody, is taken away first.
 */
export async function replayChanges(t: Test, plane: ControlPlane): Promise<void> {
  const kubectl = async (...command: readonly string[]) => {
    const { code, stdout, stderr } = await plane.kubectl(plane.adminKubeconfig, command);
    t.equal(code, 0, command.join(' '), { stdout, stderr });
    return stdout;
  };
  await kubectl('delete', 'validatingadmissionpolicybindings', '-l', 'app.kubernetes.io/component=backstop');
  const notStaged = { name: 'not-staged', expression: '!("system:masters" in request.userInfo.groups)' };
  for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']) {
    const { items } = (await plane.request('GET', `${configurationsPath}/${kind}`)).body as {
      items: { metadata: { name: string }; webhooks: { matchConditions?: object[] }[] }[];
    };
    for (const { metadata, webhooks } of items) {
      const patch = webhooks.map(({ matchConditions }, index) => ({
        ...{ op: 'add', path: `/webhooks/${index}/matchConditions` },
        value: [...(matchConditions ?? []), notStaged],
      }));
      await kubectl('patch', kind, metadata.name, '--type=json', `--patch=${JSON.stringify(patch)}`);
    }
  }
  await eventually('the administrator stages', async () => {
    const open = { metadata: { name: 'staged' }, spec: { podSelector: {}, ingress: [{}] } };
    const path = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies?dryRun=All';
    return (await plane.request('POST', path, open)).status === 201;
  });
  const kubeconfigs = new Map<Role, string>();
  for (const [role, { username, groups }] of Object.entries(cast) as [Role, (typeof cast)[Role]][])
    kubeconfigs.set(role, await plane.kubeconfigFor({ user: username, groups }));
  const others = loadCases().filter(
    (one) =>
      one.expects === 'fail' &&
      !isReplayed(one) &&
      !one.unmutated &&
      !intent.has(one.check) &&
      !ofQuotas.has(one.check),
  );
  const left = new Set(Object.values(notHereLater).flat());
  const attacks = new Set<string>();
  let refused = 0;
  for (const one of others) {
    if (left.delete(one.id)) continue;
    // The tenants of the page stay as they are.
    if (one.oldObject?.kind !== 'Tenant' || !(await isThere(plane, one))) await stage(plane, one);
    const { status, text } = await submitDry(plane, one, kubeconfigs.get(one.user) ?? '');
    t.equal(status, 403, `${one.id}: ${one.sentence}`, { text });
    t.match(text, `docs/checks/${one.check}.md`, `${one.id}: by its check`);
    for (const attack of one.attack) attacks.add(attack);
    refused++;
    const { kind, metadata } = one.oldObject ?? {};
    if (kind === 'Namespace') await restage(plane, metadata?.name ?? '', metadata?.labels ?? {});
  }
  t.strictSame([...left], [], 'each is a case');
  t.strictSame({ refused, attacks: attacks.size }, { refused: 111, attacks: 39 }, 'none is lost');
}

async function isThere(plane: ControlPlane, { oldObject }: Case): Promise<boolean> {
  const path = `${collectionOf(oldObject ?? {})}/${oldObject?.metadata?.name}`;
  return (await plane.request('GET', path)).status === 200;
}
