/**
 * Certificates of cert-manager: an overlay of one's own is changed to it, and back. Its own controllers issue them, renew them and replace
 * their authority, while pods and policies go on being created.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Test } from 'tap';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import type { Built } from '../apiserver/go-program.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { findCertManager, startCertManager } from '../cert-manager/cert-manager.ts';
import { startCreates } from '../soak/creates.ts';
import { eventually } from '../soak/observer.ts';
import { routing } from '../soak/soak-network.ts';
import { since, webhookCounts } from '../soak/webhook-counts.ts';
import { certificateFiles, ownOverlay } from './installed-overlay.ts';
import { closedDoor } from './outage-stage.ts';
import { certificateOf } from './served-certificate.ts';
import { type RunningPod, request } from './stand-in-kubelet.ts';

const name = 'certificates of cert-manager';
const inSystem = '/api/v1/namespaces/bulkhead-system';
const issued = '/apis/cert-manager.io/v1/namespaces/bulkhead-system/certificates';

const found = await foundOrSkip(name, findCertManager);
if (found !== undefined) {
  await privateNetworkTest(import.meta.url, name, (t, plane) => run(t, plane, found), {
    apiServerFlags: [routing],
  });
}

async function run(t: Test, plane: ControlPlane, certManager: Built): Promise<void> {
  const running = await startCertManager(plane, certManager);
  t.teardown(async () => {
    await running.stop();
    if (!t.passing()) t.comment(await readFile(running.log, 'utf8'));
  });
  // Only namespaces with the tenant label are selected. This one is isolated before, as its tenant is not declared.
  const labels = { 'bulkhead.dev/tenant': 'shop' };
  await request(plane, 'POST', '/api/v1/namespaces', { metadata: { name: 'shop', labels } });
  await request(plane, 'POST', '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies', closedDoor);
  const own = await ownOverlay(t, plane);
  const [from, to] = ['../self-managed', '../cert-manager'];
  const change = (before: string, after: string) =>
    own.run(`sed -i 's|- ${before}|- ${after}|' ${own.folder}/kustomization.yaml`);
  await change(from, to);
  // As the page says; the pods of the new rollout wait for the Secret.
  await own.run(own.apply);
  await eventually('the certificates are there', async () => (await certificateFiles(plane)) !== undefined);
  await own.rollOut('cert-manager issues the certificates', ['10.0.1.4', '10.0.1.5']);
  const pods = own.pods();
  const files = await certificateFiles(plane);
  for (const pod of pods) await serves(pod, files?.['tls.crt']);
  const account = '/api/v1/namespaces/shop/serviceaccounts/default';
  await eventually('pods have an account', async () => (await plane.request('GET', account)).status === 200);
  const before = webhookCounts(await plane.metrics());
  const creates = startCreates({
    plane,
    kubeconfig: plane.adminKubeconfig,
    namespaces: ['shop'],
    perSecond: 20,
    burst: { everySeconds: 5, count: 10 },
  });
  try {
    await t.test('a certificate is renewed', (t) => renewed(t, plane, pods));
    await t.test('its authority is replaced', (t) => replaced(t, plane, pods));
  } finally {
    await creates.stop();
  }
  t.strictSame(
    creates.done.map(({ failure }) => failure).filter((failure) => failure !== undefined),
    [],
    `none of ${creates.done.length} requests has failed`,
  );
  const counts = since(before, webhookCounts(await plane.metrics()));
  t.match(counts, { callErrors: 0, failOpen: 0 }, 'and the API server counts no failed call');
  t.ok(counts.requests > 500, 'of many', { counts });

  await change(to, from);
  await own.rollOut('the replicas make their certificates again', ['10.0.1.6', '10.0.1.7']);
  const theirs = await certificateFiles(plane);
  for (const { address } of own.pods())
    t.not((await certificateOf(address)).toString(), theirs?.['tls.crt'], `${address} serves one of its own`);
}

async function renewed(t: Test, plane: ControlPlane, pods: readonly RunningPod[]): Promise<void> {
  const first = await certificateFiles(plane);
  await reissue(plane, 'bulkhead', 'bulkhead-certificate-files');
  const next = await certificateFiles(plane);
  t.equal(next?.['ca.crt'], first?.['ca.crt'], 'by the same authority');
  for (const pod of pods) {
    await pod.refresh();
    await serves(pod, next?.['tls.crt']);
    t.pass(`${pod.address} serves it`);
  }
}

async function replaced(t: Test, plane: ControlPlane, pods: readonly RunningPod[]): Promise<void> {
  const first = await certificateFiles(plane);
  await reissue(plane, 'bulkhead-authority', 'bulkhead-authority');
  await reissue(plane, 'bulkhead', 'bulkhead-certificate-files');
  const next = await certificateFiles(plane);
  t.not(next?.['ca.crt'], first?.['ca.crt'], 'there is another one');
  const [sooner, later] = pods;
  if (sooner === undefined || later === undefined) throw new Error('there are no two replicas');
  await sooner.refresh();
  await serves(sooner, next?.['tls.crt']);
  const trusted = await caBundles(plane);
  for (const files of [first, next])
    t.ok(
      trusted.every((bundle) => bundle.includes(files?.['ca.crt'].trim() ?? 'none')),
      'API servers trust both',
    );
  t.equal(trusted.length, 13, 'by every registration');
  t.ok(
    (await certificateOf(later.address)).verify(new X509Certificate(first?.['ca.crt'] ?? '').publicKey),
    'the other replica, which its kubelet has brought nothing yet, serves the one before',
  );
  await later.refresh();
  await serves(later, next?.['tls.crt']);
  t.pass('until it is told');
}

/** As `cmctl renew` does. Resolves when the Secret holds another certificate. */
async function reissue(plane: ControlPlane, certificate: string, secret: string): Promise<void> {
  const stored = async () =>
    ((await plane.request('GET', `${inSystem}/secrets/${secret}`)).body as { data: Record<string, string> }).data[
      'tls.crt'
    ];
  const before = await stored();
  const condition = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'Certificate re-issuance manually triggered',
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const patch = [{ op: 'add', path: '/status/conditions/-', value: condition }];
  await request(plane, 'PATCH', `${issued}/${certificate}/status`, patch, 'application/json-patch+json');
  await eventually(`${secret} has another certificate`, async () => (await stored()) !== before);
}

async function serves(pod: RunningPod, certificate = ''): Promise<void> {
  const { fingerprint256 } = new X509Certificate(certificate);
  const isServed = async (): Promise<boolean> => {
    // A replica looks whether it may change whenever its kubelet asks.
    await pod.ready();
    return (await certificateOf(pod.address)).fingerprint256 === fingerprint256;
  };
  await eventually(`${pod.address} serves it`, isServed, 120);
}

interface Registrations {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
  }[];
}

async function caBundles(plane: ControlPlane): Promise<string[]> {
  const kinds = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  const lists = await Promise.all(
    kinds.map(
      async (kind) =>
        (await plane.request('GET', `/apis/admissionregistration.k8s.io/v1/${kind}`)).body as Registrations,
    ),
  );
  return lists
    .flatMap(({ items }) => items.flatMap(({ webhooks }) => webhooks))
    .map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
}
