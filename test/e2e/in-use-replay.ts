/** What test/e2e/in-use.test.ts sends at its end: the failing cases of test/fixtures, in the cluster of docs/in-use.md. */
import type { Test } from 'tap';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Case, isReplayed } from '../fixtures/cases.ts';
import { eventually } from '../soak/observer.ts';
import { isStagedLater } from './in-use-later.ts';
import { failing, type Ledger, sendStaged } from './in-use-ledger.ts';
import { inNamespaceOfThePlatform, pathOf } from './replayed-cases.ts';

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
    'route-hosts/fail/tcp-route',
    'route-hosts/fail/udp-route',
    'route-hosts/fail/wildcard',
    'route-hosts/fail/www',
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
export async function replay(t: Test, ledger: Ledger): Promise<void> {
  const { plane } = ledger;
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
  const send = ({ user, object }: Case, path: string) =>
    plane.request('POST', path, object, { kubeconfig: ledger.kubeconfig(user) });
  const harmless = new Set(Object.values(elsewhere).flat());
  for (const one of failing) {
    if (!isReplayed(one) || ofAnotherTenant.has(one.check) || notHere.has(one.object?.metadata?.namespace)) continue;
    if (inNamespaceOfThePlatform(one)) continue;
    if (harmless.delete(one.id)) {
      const { status, text } = await send(one, `${pathOf(one)}?dryRun=All`);
      t.equal(status, 201, `${one.id}: is no attack here`, { text });
    } else ledger.refused(t, one, await send(one, pathOf(one)));
  }
  t.strictSame([...harmless], [], 'each is a case');
}

/** Changes that are no attack under these settings, or of tenants that are not there. */
const otherSettings: ReadonlySet<string> = new Set([
  'endpoint-addresses/fail/no-ports',
  'endpoint-addresses/fail/port-not-granted',
  'reserved-labels/fail/ip-pool',
  'reserved-labels/fail/through-pod-status',
  'route-hosts/fail/alias-by-the-status',
  'route-hosts/fail/changed-later',
  'service-types/fail/changed-type',
  'trusted-labels/fail/handed-to-a-tenant',
  'trusted-labels/fail/through-status',
]);

const configurationsPath = '/apis/admissionregistration.k8s.io/v1';

/**
 * Has the administrator write what the cases say is stored: its requests go past the webhooks, and the backstop, which asks everybody, is
 * taken away.
 */
export async function adminStages(plane: ControlPlane): Promise<void> {
  const kubectl = async (...command: readonly string[]) => {
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, command);
    if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
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
}

/** Every other case that fails: updates, deletes and subresources, dry, on the stored object of the case. */
export async function replayChanges(t: Test, ledger: Ledger): Promise<void> {
  const { plane } = ledger;
  await adminStages(plane);
  const left = new Set(otherSettings);
  for (const one of failing) {
    if (isReplayed(one) || isStagedLater(one) || left.delete(one.id)) continue;
    ledger.refused(t, one, await sendStaged(ledger, one));
  }
  t.strictSame([...left], [], 'each is a case');
}
