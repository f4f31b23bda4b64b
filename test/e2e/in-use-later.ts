/**
 * What test/e2e/in-use.test.ts sends last. The platform team gives the cluster other settings and tenants, in place: those of the world
 * of test/fixtures. Then every case is sent that was no attack under those of the page, or could not be staged there.
 */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Test } from 'tap';
import { parse } from 'yaml';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Case, isReplayed } from '../fixtures/cases.ts';
import { collectionOf } from '../fixtures/review.ts';
import { settingsFile, tenantFolders } from '../fixtures/world.ts';
import { eventually } from '../soak/observer.ts';
import { failing, type Ledger, messageOf, sendStaged } from './in-use-ledger.ts';
import { inNamespaceOfThePlatform, pathOf } from './replayed-cases.ts';
import { stage, stageStatus, submitDry } from './stage-case.ts';

/** Those of the cases: no network plugin is named; taints, devices, hosts and classes are reserved; tenants agree on gates. */
export async function laterSettings() {
  const settings = parse(await readFile(settingsFile, 'utf8'));
  settings.spec.gates = {
    from: 'tenants',
    ports: [{ port: 443 }, { port: 5432, endPort: 5439 }],
    between: [{ tenants: ['acme', 'beta', 'delta', 'iota'] }],
  };
  return settings;
}

/** Requests that no webhook is asked about: the API server refuses them by itself, and says so. */
export const byTheServer: Readonly<Record<string, readonly [status: number, message: string]>> = {
  'cross-tenant-ingress/fail/impossible-value': [422, 'a valid label must be'],
  'ephemeral-containers/fail/host-port': [422, 'cannot be set for an Ephemeral Container'],
  'exemption-document/fail/changed-to-identity': [422, 'Unsupported value: "foreign-namespace"'],
  'foreign-namespace/fail/deletes-many': [405, 'does not allow this method'],
  'ip-block/fail/host-bits': [422, 'must not have bits set beyond the prefix length'],
  'ip-block/fail/leading-zero': [422, 'must not have leading 0s'],
  'ip-block/fail/mapped': [422, 'must not have an IPv4-mapped IPv6 address'],
  'managed-quota/fail/status-not-an-amount': [400, 'quantities must match the regular expression'],
  'mesh-hosts/fail/a-text': [422, 'must be of type array'],
  'mesh-hosts/fail/tls-without-a-host': [422, 'sniHosts: Required value'],
  'mutual-tls/fail/a-number': [422, 'must be of type string'],
  'mutual-tls/fail/lower-case': [422, 'Unsupported value: "permissive"'],
  'token-keys/fail/another-scheme': [422, 'url must have scheme http:// or https://'],
  'token-keys/fail/backslash': [422, 'URL parse error'],
};

/** Fields that the API server drops, as the definition does not know them: what is left is no attack. */
export const dropped: Readonly<Record<string, string>> = {
  'mesh-hosts/fail/other-spelling': 'export_to',
  'mesh-hosts/fail/sidecar-field': 'localhost',
  'mesh-hosts/fail/unknown-field': 'selector',
  'mutual-tls/fail/another-spelling': 'port_level_mtls',
  'token-keys/fail/unknown-field': 'jwksURI',
};

/** The API server takes such a status of no other Services. */
const ofBalancers: ReadonlySet<string> = new Set([
  'service-addresses/fail/status',
  'service-addresses/fail/status-by-an-account',
]);

/** Their paths and reasons name what the API server adds, and what this cluster has beside. */
const otherWords: ReadonlySet<string> = new Set([
  'namespace-limit/fail/created-by-the-platform',
  'namespace-limit/fail/one-too-many',
  'reserved-prefix/fail/generated-platform-name',
  'tolerations/fail/added-later',
]);

const ofQuotas: ReadonlySet<string> = new Set(['managed-quota', 'quota-on-baseline']);

/** Cases that need more than their stored object, in this order. */
const groups: readonly (readonly [
  name: string,
  has: (one: Case) => boolean,
  send: (t: Test, ledger: Ledger, cases: readonly Case[]) => Promise<void>,
])[] = [
  ['the managers of the fields of a namespace', ({ attack }) => attack.includes('TEN-23'), sendToFieldManagers],
  ['a tenant that is being deleted', isOfLeaving, sendOfLeaving],
  ['quotas', ({ check }) => ofQuotas.has(check), sendOfQuotas],
];

/** Whether this file alone has what the case needs, or shows what the API server says to it. */
export function isStagedLater(one: Case): boolean {
  const { id, check, unmutated } = one;
  if (unmutated || check === 'gate-request' || ofBalancers.has(id)) return true;
  return id in byTheServer || id in dropped || groups.some(([, has]) => has(one));
}

export async function replayRest(
  t: Test,
  ledger: Ledger,
  configure: (settings: object) => Promise<void>,
): Promise<void> {
  const { plane } = ledger;
  await configure(await laterSettings());
  await applyTenants(plane);
  const rest = failing.filter(({ id, unmutated }) => !ledger.cases.has(id) && !unmutated);
  for (const id of [
    'gate-request/fail/too-many',
    'mesh-namespaces/fail/beside-a-gateway',
    'service-types/fail/node-port',
    'unreserved-name/fail/free-name',
  ]) {
    const one = rest.find((each) => each.id === id);
    if (one === undefined) throw new Error(`${id} was sent before`);
    await eventually(`${id} is refused`, async () => (await sendDry(ledger, one)).status === 403);
  }
  await t.test('what was no attack before', async (t) => {
    for (const one of rest) if (!groups.some(([, has]) => has(one))) await send(t, ledger, one);
  });
  for (const [name, has, sendAll] of groups) await t.test(name, (t) => sendAll(t, ledger, rest.filter(has)));
}

/** The tenants of the cases, in place of those of the page. Pods of the cases ask for no resources, so a quota comes later. */
async function applyTenants(plane: ControlPlane): Promise<void> {
  const files = tenantFolders.flatMap((from) => globSync(`${from}/*.yaml`));
  const items = await Promise.all(files.map(async (file) => parse(await readFile(file, 'utf8'))));
  for (const { spec } of items) delete spec.namespaces?.resourceQuota;
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin });
  if (code !== 0) throw new Error(stderr);
  for (const [name, tenant] of [
    ['payments', 'iota'],
    ['ingress-nginx', undefined],
    ['calico-apiserver', undefined],
  ] as const) {
    const labels = tenant === undefined ? {} : { 'bulkhead.dev/tenant': tenant };
    await done(plane, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
  }
  // The most that one namespace may have.
  for (let index = 0; index < 16; index++)
    await done(plane, 'POST', '/apis/bulkhead.dev/v1alpha1/namespaces/payments/gaterequests', {
      ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest', metadata: { name: `request-${index}` } },
      spec: { tenant: `tenant-${index}`, direction: 'egress', ports: [{ port: 443 }], expires: '2090-01-01T00:00:00Z' },
    });
}

async function done(plane: ControlPlane, method: string, path: string, body?: object): Promise<void> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const { status, text } = await plane.request(method, path, body, { contentType });
  if (status >= 300) throw new Error(`${method} ${path}: ${text}`);
}

function sendDry(ledger: Ledger, one: Case): Promise<Answer> {
  if (!isReplayed(one)) return sendStaged(ledger, one);
  const kubeconfig = ledger.kubeconfig(one.user);
  return ledger.plane.request('POST', `${pathOf(one)}?dryRun=All`, one.object, { kubeconfig });
}

async function send(t: Test, ledger: Ledger, one: Case): Promise<void> {
  const answer = await sendDry(ledger, ofBalancers.has(one.id) ? asBalancer(one) : one);
  const { status, text } = answer;
  const message = messageOf(answer);
  const refusal = byTheServer[one.id];
  const field = dropped[one.id];
  if (refusal !== undefined) {
    t.equal(status, refusal[0], `${one.id}: the API server refuses it`, { text });
    t.match(message, refusal[1], `${one.id}: says why`);
    t.notMatch(message, 'docs/checks/', `${one.id}: asks nobody`);
  } else if (field !== undefined) {
    t.equal(status, 200, `${one.id}: is admitted`, { text });
    t.notMatch(JSON.stringify((answer.body as { spec: object }).spec), field, `${one.id}: without ${field}`);
  } else if (inNamespaceOfThePlatform(one)) {
    t.equal(status, 201, `${one.id}: is not sent, because the namespace has no tenant label`, { text });
  } else refused(t, ledger, one, answer);
}

/** In the world of the cases, word for word. */
function refused(t: Test, ledger: Ledger, one: Case, answer: Answer): void {
  ledger.refused(t, one, answer);
  if (otherWords.has(one.id)) return;
  t.match(messageOf(answer), `\n  ${one.finding?.path}\n    ${one.finding?.reason}`, `${one.id}: says why`);
}

async function eventuallyRefused(t: Test, ledger: Ledger, one: Case, staged = async () => {}): Promise<void> {
  let answer: Answer | undefined;
  await eventually(`${one.id} is refused`, async () => {
    await staged();
    answer = await submitDry(ledger.plane, one, ledger.kubeconfig(one.user));
    return answer.text.includes(`docs/checks/${one.check}.md`);
  });
  if (answer !== undefined) refused(t, ledger, one, answer);
}

function asBalancer(one: Case): Case {
  const changed = (object: Case['object']): Case['object'] =>
    object && Object.assign({}, object, { spec: { ...Reflect.get(object, 'spec'), type: 'LoadBalancer' } });
  return { ...one, object: changed(one.object), oldObject: changed(one.oldObject) };
}

/** A server-side apply, or a list of managers that is written: what the case shows as managedFields. */
async function sendToFieldManagers(t: Test, ledger: Ledger, cases: readonly Case[]): Promise<void> {
  const { plane, kubeconfig } = ledger;
  const path = '/api/v1/namespaces/acme-web';
  const labels = { 'bulkhead.dev/tenant': 'acme', app: 'web' };
  const same = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web', labels } };
  const contentType = 'application/apply-patch+yaml';
  const applied = await plane.request('PATCH', `${path}?fieldManager=acme&force=true`, same, { contentType });
  t.equal(applied.status, 200, 'a member manages the labels', { text: applied.text });
  const stored = applied.body as { metadata: { managedFields: object[] } };
  const replaced = (managedFields: object[]) => ({ ...stored, metadata: { ...stored.metadata, managedFields } });
  const conditions = [{ type: 'Taken', status: 'True', reason: 'Is', message: '' }];
  const requests: Readonly<Record<string, readonly [method: string, subresource: string, body: object]>> = {
    'takes-the-fields-over': ['PATCH', '', same],
    'takes-the-fields-over-through-status': ['PATCH', '/status', { ...same, status: { conditions } }],
    'rewrites-the-field-managers': [
      'PUT',
      '',
      replaced(stored.metadata.managedFields.map((entry) => ({ ...entry, manager: 'beta' }))),
    ],
    'wipes-the-field-managers': ['PUT', '', replaced([{}])],
  };
  for (const one of cases) {
    const [method, subresource, body] = requests[one.id.replace(/.*\//, '')] ?? ['', '', {}];
    const options = { kubeconfig: kubeconfig(one.user), ...(method === 'PATCH' && { contentType }) };
    const query = method === 'PATCH' ? 'fieldManager=beta&force=true&dryRun=All' : 'dryRun=All';
    refused(t, ledger, one, await plane.request(method, `${path}${subresource}?${query}`, body, options));
  }
}

function isOfLeaving({ check, oldObject }: Case): boolean {
  const { name, deletionTimestamp } = oldObject?.metadata ?? {};
  return check === 'tenant-leaving' || (name === 'zeta' && deletionTimestamp !== undefined);
}

/** The garbage collector tries to let the tenant go as well, and in vain: it still has a namespace. */
async function sendOfLeaving(t: Test, ledger: Ledger, cases: readonly Case[]): Promise<void> {
  const { plane } = ledger;
  const zeta = '/apis/bulkhead.dev/v1alpha1/tenants/zeta';
  // The cases know nothing of what kubectl has written on it.
  await done(plane, 'PATCH', zeta, { metadata: { annotations: null } });
  await done(plane, 'DELETE', `${zeta}?propagationPolicy=Foreground`);
  for (const one of cases) {
    if (one.oldObject?.kind === 'Namespace') await stage(plane, one);
    await eventuallyRefused(t, ledger, one);
  }
}

/** Bulkhead manages the quota, and its controller counts what is used, now and then: so what the case says was counted is staged again. */
async function sendOfQuotas(t: Test, ledger: Ledger, cases: readonly Case[]): Promise<void> {
  const { plane } = ledger;
  const resourceQuota = { hard: { 'requests.cpu': '40', pods: '500' } };
  await done(plane, 'PATCH', '/apis/bulkhead.dev/v1alpha1/tenants/acme', { spec: { namespaces: { resourceQuota } } });
  for (const one of cases) {
    if (one.id in byTheServer) {
      await send(t, ledger, one);
      continue;
    }
    const { oldObject } = one;
    const managed = oldObject?.metadata?.name === 'bulkhead-quota';
    const path = `${collectionOf(oldObject ?? {})}/bulkhead-quota`;
    if (managed)
      await eventually(`${path} is counted`, async () => (await plane.request('GET', path)).text.includes('"used"'));
    await eventuallyRefused(t, ledger, one, () => (managed ? stageStatus(plane, oldObject) : stage(plane, one)));
  }
}

/** What the mutating webhook, which is gone from now on, would have made whole. */
export async function replayUnmutated(t: Test, ledger: Ledger): Promise<void> {
  await done(ledger.plane, 'DELETE', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations');
  for (const one of failing.filter(({ unmutated }) => unmutated)) await eventuallyRefused(t, ledger, one);
}
