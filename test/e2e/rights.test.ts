/**
 * The rights of the manifests are those that Bulkhead uses, on a real API server with RBAC: whatever it asks for is allowed, and
 * whatever is granted was asked for at least once in two lives that have everything, with certificates in files and with those of
 * its own. The audit log says what was.
 */
import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { ReplicaOptions } from '../../src/commands/replica.ts';
import type { AuditEvent } from '../apiserver/audit-log.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { installNetworkDefinitions } from '../apiserver/network-definitions.ts';
import { eventually } from '../soak/observer.ts';
import { forbidPolicies } from './forbidden-policies.ts';
import {
  applyConfigurations,
  installTenantResource,
  settingsWithGateRequests,
  startBulkhead,
} from './guarded-cluster.ts';
import { request } from './stand-in-kubelet.ts';

const baseRole = 'manifests/base/access.yaml';
const certificatesRole = 'manifests/overlays/self-managed/access.yaml';
const account = 'system:serviceaccount:bulkhead-system:bulkhead';
const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
const quota = '/api/v1/namespaces/acme-web/resourcequotas/bulkhead-quota';
const defaults = '/api/v1/namespaces/acme-web/limitranges/bulkhead-defaults';
const tenant = '/apis/bulkhead.dev/v1alpha1/tenants/acme';
const secret = '/api/v1/namespaces/bulkhead-system/secrets/bulkhead-certificates';
const jsonPatch = 'application/json-patch+json';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** One thing that somebody may do, or has done. Empty: in every namespace, under every name. */
interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

await clusterTest('the rights of the manifests are those that are used', async (t, plane) => {
  await request(plane, 'POST', '/api/v1/namespaces', { metadata: { name: 'bulkhead-system' } });
  await installTenantResource(plane);
  const apply = async (file: string): Promise<void> => {
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', file]);
    t.equal(code, 0, `${file} is applied`, { stderr });
  };
  for (const file of [baseRole, 'manifests/overlays/example/tenants']) await apply(file);
  const kubeconfig = await plane.kubeconfigFor({ user: account });
  const start = async (others: Partial<ReplicaOptions> = {}) => {
    const usual = { tenants: undefined, managesWebhooks: true, config: await settingsWithGateRequests(plane) };
    const running = await startBulkhead(plane, kubeconfig, { ...usual, ...others });
    t.teardown(() => running.stop());
    return running;
  };
  const running = await start();
  await applyConfigurations(plane, running.ports.webhook, `${plane.directory}/certificates/ca.crt`, ({ webhooks }) => {
    // Whom to trust is written by Bulkhead.
    for (const { clientConfig } of webhooks) delete clientConfig.caBundle;
  });
  const closed = async () =>
    (await scrape(running.ports.metrics)).match(/^bulkhead_webhook_configuration_failure_policy_fail\{.*\} 1$/gm)
      ?.length === 4;
  await live(plane, closed);
  // A watch is in the audit log when it has ended.
  await running.stop();
  await apply(certificatesRole);
  const keeper = await start({
    certificates: {
      secret: { namespace: 'bulkhead-system', name: 'bulkhead-certificates' },
      service: { namespace: 'bulkhead-system', name: 'bulkhead' },
      limits: { tick: 200, serverLifetime: 3_000 },
    },
  });
  await renewed(plane);
  await keeper.stop();

  const granted = [...(await rightsIn(baseRole)), ...(await rightsIn(certificatesRole))];
  const events = async () =>
    (await plane.auditEvents()).filter(({ user, objectRef }) => user.username === account && objectRef);
  const unusedIn = (uses: readonly Right[]) => granted.filter((right) => !uses.some((use) => isUse(use, right)));
  const complete = async () => unusedIn((await events()).flatMap(usesOf)).length === 0;
  // The end of a watch is written down a moment later. What never is, is named below.
  await eventually('every right was used', complete, 10).catch(() => {});
  const asked = await events();
  const forbidden = asked.filter(({ annotations }) => annotations?.['authorization.k8s.io/decision'] !== 'allow');
  t.strictSame(
    forbidden.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    [],
    'nothing was asked for that is not granted',
  );
  const used = asked.flatMap(usesOf);
  t.strictSame(unusedIn(used).map(text), [], 'nothing is granted that was not used');
  const beyond = used.filter((use) => !granted.some((right) => isUse(use, right)));
  t.strictSame(beyond.map(text), [], 'and what was used comes from no other role');
  t.ok(granted.length > 20 && used.length > granted.length, 'there was something to compare');
});

/** A life with everything in it that Bulkhead may have to do. */
async function live(plane: ControlPlane, registered: () => Promise<boolean>): Promise<void> {
  const write = (method: string, path: string, body?: unknown, contentType?: string) =>
    request(plane, method, path, body, contentType);
  const is = async (path: string, status: number) => (await plane.request('GET', path)).status === status;
  const labels = { 'bulkhead.dev/tenant': 'acme' };
  await eventually('the registrations are closed', registered);

  await write('POST', '/api/v1/namespaces', { metadata: { name: 'acme-web', labels } });
  for (const path of [`${policies}/bulkhead-default-deny`, `${policies}/bulkhead-allow-within`, quota])
    await eventually(`${path} is put in place`, () => is(path, 200));

  // What others add, apply alone does not take away.
  const open = [{ op: 'add', path: '/spec/ingress', value: [{ from: [{ podSelector: {} }] }] }];
  await write('PATCH', `${policies}/bulkhead-default-deny`, open, jsonPatch);
  const more = [{ op: 'add', path: '/spec/hard/services', value: '1' }];
  await write('PATCH', quota, more, jsonPatch);
  const spec = async (path: string) =>
    JSON.stringify(((await plane.request('GET', path)).body as { spec: unknown }).spec);
  await eventually(
    'the policy is healed',
    async () => !(await spec(`${policies}/bulkhead-default-deny`)).includes('from'),
  );
  await eventually('the quota is healed', async () => !(await spec(quota)).includes('services'));
  const event = '/api/v1/namespaces/acme-web/events/bulkhead.baselinehealed';
  await eventually('that is told', () => is(event, 200));

  const given = { requests: { cpu: '100m' } };
  await write('PATCH', tenant, [{ op: 'add', path: '/spec/namespaces/containerDefaults', value: given }], jsonPatch);
  await eventually('the LimitRange is put in place', () => is(defaults, 200));
  await write('PATCH', defaults, [{ op: 'add', path: '/metadata/finalizers', value: ['example.com/held'] }], jsonPatch);
  const whole = async () => JSON.stringify((await plane.request('GET', defaults)).body);
  await eventually('the LimitRange is healed', async () => !(await whole()).includes('"finalizers":["'));

  // A policy that names a namespace which does not exist is judged by asking for it.
  const peer = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-later' } } };
  await write('POST', policies, {
    metadata: { name: 'later' },
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [peer] }] },
  });

  const less = [
    { op: 'remove', path: '/spec/namespaces/resourceQuota' },
    { op: 'remove', path: '/spec/namespaces/containerDefaults' },
    { op: 'add', path: '/spec/network/within', value: 'none' },
  ];
  await write('PATCH', tenant, less, jsonPatch);
  for (const path of [`${policies}/bulkhead-allow-within`, quota, defaults])
    await eventually(`${path} is taken away`, () => is(path, 404));
  const status = async () => JSON.stringify((await plane.request('GET', tenant)).body);
  await eventually('the status of the tenant', async () => (await status()).includes('"InForce"'));

  const exemption = '/apis/bulkhead.dev/v1alpha1/exemptions';
  const why = { reason: 'tunnel', owner: 'net', expires: '2090-01-01T00:00:00Z' };
  const what = { tenant: 'acme', namespace: 'acme-web', checks: ['host-path'], match: { names: ['vpn'] } };
  const kind = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Exemption' };
  await write('POST', exemption, { ...kind, metadata: { name: 'vpn' }, spec: { ...what, ...why } });
  const judged = async () => JSON.stringify((await plane.request('GET', `${exemption}/vpn`)).body);
  await eventually('the status of the exemption', async () => (await judged()).includes('"InForce"'));

  const gateRequests = '/apis/bulkhead.dev/v1alpha1/namespaces/acme-web/gaterequests';
  const asked = { tenant: 'beta', direction: 'egress', ports: [{ port: 443 }], expires: '2090-01-01T00:00:00Z' };
  await write('POST', gateRequests, {
    ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest' },
    ...{ metadata: { name: 'to-beta' }, spec: asked },
  });
  const seen = async () => JSON.stringify((await plane.request('GET', `${gateRequests}/to-beta`)).body);
  await eventually('the status of the request for a gate', async () => (await seen()).includes('"HalfOpen"'));

  // Beside a policy of a mesh, the others of its namespace are listed.
  await installNetworkDefinitions(plane);
  const mesh = '/apis/security.istio.io/v1/namespaces/acme-web/authorizationpolicies';
  const own = { rules: [{ from: [{ source: { namespaces: ['acme-web'] } }] }] };
  const kindOfMesh = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' };
  await write('POST', mesh, { ...kindOfMesh, metadata: { name: 'own' }, spec: own });

  // Beside a policy of the platform, the others of its kind are.
  const deny = { subject: { namespaces: {} }, ingress: [{ name: 'none', action: 'Deny', from: [{ namespaces: {} }] }] };
  for (const [version, kind, spec] of [
    ['v1alpha2', 'ClusterNetworkPolicy', { tier: 'Admin', priority: 5, ...deny }],
    ['v1alpha1', 'AdminNetworkPolicy', { priority: 5, ...deny }],
  ] as const) {
    const apiVersion = `policy.networking.k8s.io/${version}`;
    const path = `/apis/${apiVersion}/${kind.toLowerCase().replace(/y$/, 'ies')}`;
    await write('POST', path, { apiVersion, kind, metadata: { name: 'none' }, spec });
  }

  await forbidPolicies(plane);
  const broken = { name: 'acme-broken', labels: { ...labels, broken: 'yes' } };
  await write('POST', '/api/v1/namespaces', { metadata: broken });
  const home = '/api/v1/namespaces/acme-broken/serviceaccounts/default';
  await eventually('acme-broken has its account', () => is(home, 200));
  const pod = { metadata: { name: 'held' }, spec: { containers: [{ name: 'main', image: 'example.org/web' }] } };
  const { status: held } = await plane.request('POST', '/api/v1/namespaces/acme-broken/pods', pod);
  if (held !== 503) throw new Error(`a pod of an open namespace was answered with ${held}`);

  // Its end: whether pods are left is asked when its policies go.
  await write('DELETE', '/api/v1/namespaces/acme-web');
  await eventually('acme-web is gone', () => is('/api/v1/namespaces/acme-web', 404));
}

/** The authority and its first certificate are made, and another one in time. */
async function renewed(plane: ControlPlane): Promise<void> {
  const certificate = async () =>
    ((await plane.request('GET', secret)).body as { readonly data?: Record<string, string> }).data?.['tls.crt'];
  await eventually('a certificate', async () => (await certificate()) !== undefined);
  const first = await certificate();
  await eventually('the next one', async () => (await certificate()) !== first);
}

async function scrape(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

async function rightsIn(file: string): Promise<readonly Right[]> {
  const documents = parseAllDocuments(await readFile(file, 'utf8')).map((document): Role => document.toJS());
  return documents
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap(({ metadata: { namespace = '' }, rules }) =>
      rules.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            resourceNames.flatMap((name) =>
              verbs.map((verb) => ({ verb, resource: `${group}/${resource}`, namespace, name })),
            ),
          ),
        ),
      ),
    );
}

/** A server-side apply that makes the object is asked for as `patch`, and for leave to `create` as well. */
function usesOf({ verb, objectRef = {}, responseStatus }: AuditEvent): Right[] {
  const { apiGroup = '', resource = '', subresource, namespace = '', name = '' } = objectRef;
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  const verbs = verb === 'patch' && responseStatus?.code === 201 ? ['patch', 'create'] : [verb];
  return verbs.map((one) => ({ verb: one, resource: `${apiGroup}/${whole}`, namespace, name }));
}

function isUse(use: Right, { verb, resource, namespace, name }: Right): boolean {
  return (
    use.verb === verb &&
    use.resource === resource &&
    (namespace === '' || use.namespace === namespace) &&
    (name === '' || use.name === name)
  );
}

function text({ verb, resource, namespace, name }: Right): string {
  return [verb, resource, namespace, name].filter((part) => part !== '').join(' ');
}
