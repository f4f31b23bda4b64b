/** How registrations come to fail closed, on a real API server: never before Bulkhead's own refusal came back through it. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { parseAllDocuments } from 'yaml';
import type { Running } from '../../src/commands/replica.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { freePort } from '../apiserver/free-port.ts';
import { applyConfigurations, startBulkhead, type WebhookConfiguration } from './guarded-cluster.ts';
import { request, until } from './stand-in-kubelet.ts';

const account = 'system:serviceaccount:bulkhead-system:bulkhead';
const group = '/apis/admissionregistration.k8s.io/v1';
const closable = [
  'mutating/bulkhead',
  'mutating/bulkhead-namespaces',
  'validating/bulkhead',
  'validating/bulkhead-namespaces',
];
const guarding = `${group}/validatingwebhookconfigurations/bulkhead`;

await clusterTest('registrations', async (t, plane) => {
  await request(plane, 'POST', '/api/v1/namespaces', { metadata: { name: 'bulkhead-system' } });
  await applyRights(plane, { handshake: false });
  const certificates = `${plane.directory}/certificates`;
  const kubeconfig = await plane.kubeconfigFor({ user: account });
  const running = await startBulkhead(plane, kubeconfig, { managesWebhooks: true });
  t.teardown(() => running.stop());
  const apply = (port: number, change?: (configuration: WebhookConfiguration) => void) =>
    applyConfigurations(plane, port, `${certificates}/ca.crt`, change);

  await t.test('a refusal of RBAC is not taken for one of Bulkhead', async (t) => {
    await apply(running.ports.webhook);
    await attempts(running, 'refused', 3);
    t.strictSame(await policies(plane), new Set(['Ignore']), 'they stay open, though Bulkhead would answer');
  });

  await t.test('while nobody answers they stay open', async (t) => {
    await apply(await freePort());
    await applyRights(plane, { handshake: true });
    await attempts(running, 'admitted', 3);
    await stayOpen(t, plane);
  });

  await t.test('while somebody else answers they stay open', async (t) => {
    for (const [allowed, result] of [
      [false, 'refused'],
      [true, 'admitted'],
    ] as const) {
      const { port, stop } = await judgeOfAnotherKind(certificates, allowed);
      await apply(port);
      await attempts(running, result, 3);
      t.strictSame(await policies(plane), new Set(['Ignore']), `who answers allowed: ${allowed} is not Bulkhead`);
      await stop();
    }
  });

  await t.test('once Bulkhead is asked they fail closed', async (t) => {
    const began = performance.now();
    await apply(running.ports.webhook);
    await closed(plane);
    t.ok(performance.now() - began < 30_000, 'within half a minute (P19)', { took: performance.now() - began });
    const own = (await managersOf(plane, guarding)).filter(({ manager }) => manager === 'bulkhead-registration');
    const field = { '.': {}, name: {}, failurePolicy: {} };
    const names = ['', 'filtered.', 'mesh.', 'network.', 'routes.', 'services.'].map(
      (part) => `validate.${part}bulkhead.dev`,
    );
    const owned = { webhooks: Object.fromEntries(names.map((name) => [`k:{"name":"${name}"}`, field])) };
    t.strictSame(
      own.map(({ fields }) => fields),
      [owned],
      'of all fields that one is owned',
    );
    const warning = await webhooksOf(plane, 'validating/bulkhead-workloads');
    t.strictSame(
      warning.map(({ failurePolicy }) => failurePolicy),
      ['Ignore'],
      'what only warns stays open',
    );
    t.match(
      await metrics(running),
      /^bulkhead_webhook_configuration_failure_policy_fail\{configuration="validating\/bulkhead"\} 1$/m,
    );
    t.match(
      await metrics(running),
      /^bulkhead_webhook_configuration_unknown_rules 0$/m,
      'the API server serves what the rules name',
    );
    t.match(await metrics(running), /^bulkhead_webhook_configuration_missing_rules 0$/m);
  });

  await t.test('nothing of a handshake is left', async (t) => {
    const place = await plane.request('GET', '/api/v1/namespaces/kube-public');
    t.notMatch(JSON.stringify(place.body), 'bulkhead.dev/handshake');
    const left = await plane.request('GET', '/apis/networking.k8s.io/v1/namespaces/bulkhead-probe/networkpolicies');
    t.match(left.body, { items: [] });
  });

  await t.test('applied again they are open for a moment', async (t) => {
    const before = await generation(plane);
    await apply(running.ports.webhook);
    await until(async () => (await generation(plane)) >= before + 2, 'it to be opened and closed again');
    await closed(plane);
    t.pass('they fail closed again');
  });

  await t.test('the namespace of the probe has the tenant label, so the probe proves the selector, too', async (t) => {
    const { body } = await plane.request('GET', '/api/v1/namespaces/bulkhead-probe');
    t.match(body, { metadata: { labels: { 'bulkhead.dev/tenant': 'bulkhead_probe' } } });
  });

  await t.test(
    'only namespaces with the tenant label, and by name those of the mesh, are selected, whatever others write',
    async (t) => {
      const narrow = [
        { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'bulkhead-system'] },
        { key: 'bulkhead.dev/tenant', operator: 'Exists' },
      ];
      const selectors = async () => {
        const webhooks = [
          ...(await webhooksOf(plane, 'validating/bulkhead')),
          ...(await webhooksOf(plane, 'mutating/bulkhead')),
        ];
        return [
          ...new Set(webhooks.map(({ namespaceSelector }) => JSON.stringify(namespaceSelector?.matchExpressions))),
        ];
      };
      // The settings of this test have a section istio.
      const ofMesh = [
        { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['ingress-nginx', 'istio-system'] },
      ];
      const written = [narrow, ofMesh].map((one) => JSON.stringify(one));
      t.strictSame((await selectors()).sort(), written.toSorted());
      const all = [{ op: 'replace', path: '/webhooks/0/namespaceSelector', value: {} }];
      await request(plane, 'PATCH', guarding, all, 'application/json-patch+json');
      await until(async () => (await selectors()).sort().join() === written.toSorted().join(), 'it to be narrow again');
      const none = [
        { op: 'replace', path: '/webhooks/0/namespaceSelector', value: { matchLabels: { nobody: 'has' } } },
      ];
      await request(plane, 'PATCH', guarding, none, 'application/json-patch+json');
      await until(
        async () => (await selectors()).sort().join() === written.toSorted().join(),
        'it to be written again',
      );
      await closed(plane);
      t.pass('and everything fails closed as before');
    },
  );

  await t.test('what is misspelt is told', async (t) => {
    await apply(running.ports.webhook, ({ webhooks }) => {
      for (const { resources } of webhooks.flatMap(({ rules }) => rules))
        for (const [index, resource] of resources.entries())
          if (resource === 'namespaces/finalize') resources[index] = 'namespace/finalize';
    });
    const told = async (name: string) =>
      new RegExp(`^bulkhead_webhook_configuration_${name} 1$`, 'm').test(await metrics(running));
    await until(async () => (await told('unknown_rules')) && (await told('missing_rules')), 'the metrics to tell');
    await closed(plane);
    t.pass('and what is spelt rightly is guarded all the same');
  });

  await t.test('one that is deleted stays deleted, and is told', async (t) => {
    await request(plane, 'DELETE', guarding, undefined);
    const event = '/api/v1/namespaces/bulkhead-system/events/bulkhead.webhookconfigurationdeleted';
    await until(async () => (await plane.request('GET', event)).status === 200, 'the Event');
    t.match((await plane.request('GET', event)).body, {
      reason: 'WebhookConfigurationDeleted',
      message: /^validating\/bulkhead was deleted: /,
    });
    // Its neighbour, to which the same handshake belongs, is opened meanwhile.
    const neighbour = `${group}/mutatingwebhookconfigurations/bulkhead`;
    const open = [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }];
    await request(plane, 'PATCH', neighbour, open, 'application/json-patch+json');
    await sleep(1_000);
    t.equal((await plane.request('GET', guarding)).status, 404, 'it does not come back');
    t.match(
      await metrics(running),
      /^bulkhead_webhook_configuration_present\{configuration="validating\/bulkhead"\} 0$/m,
    );
    t.match(
      await webhooksOf(plane, 'mutating/bulkhead'),
      [{ failurePolicy: 'Ignore' }],
      'nor is anything closed unproven',
    );
    await apply(running.ports.webhook);
    await closed(plane);
    t.pass('until somebody applies it');
  });

  await t.test('a replica that ends opens nothing', async (t) => {
    await running.stop();
    t.strictSame(await policies(plane), new Set(['Fail']));
  });
});

/** The rights of the manifests; without what a handshake takes, if so desired. */
async function applyRights(plane: ControlPlane, { handshake }: { readonly handshake: boolean }): Promise<void> {
  const documents = parseAllDocuments(await readFile('manifests/base/access.yaml', 'utf8'));
  const items = documents.map((document) => document.toJS());
  for (const { kind, rules = [] } of items)
    if (kind === 'ClusterRole' && !handshake)
      for (const rule of rules) {
        if (rule.resourceNames?.includes('kube-public')) rule.verbs = ['get'];
        if (rule.resources.includes('networkpolicies'))
          rule.verbs = rule.verbs.filter((verb: string) => verb !== 'create');
      }
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin });
  if (code !== 0) throw new Error(stderr);
}

/** A webhook with the right certificate and name that is not Bulkhead. */
async function judgeOfAnotherKind(certificates: string, allowed: boolean) {
  const [cert, key] = await Promise.all(['tls.crt', 'tls.key'].map((name) => readFile(`${certificates}/${name}`)));
  const server = createServer({ cert, key }, async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
    const { uid } = JSON.parse(text).request;
    const status = { code: 403, message: 'probe is rejected, as every probe is' };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid, allowed, ...(!allowed && { status }) },
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

/** Waits until so many more handshakes have ended so. */
async function attempts(running: Running, result: string, more: number): Promise<void> {
  const count = async (): Promise<number> => {
    const pattern = new RegExp(`^bulkhead_probes_total\\{result="${result}"\\} (\\d+)$`, 'm');
    return Number(pattern.exec(await metrics(running))?.[1]);
  };
  const before = await count();
  await until(async () => (await count()) >= before + more, `${more} handshakes that are ${result}`);
}

async function metrics(running: Running): Promise<string> {
  return (await fetch(`http://127.0.0.1:${running.ports.metrics}/metrics`)).text();
}

interface ListedWebhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly namespaceSelector?: { readonly matchExpressions?: object };
}

async function webhooksOf(plane: ControlPlane, name: string): Promise<ListedWebhook[]> {
  const [phase, object] = name.split('/');
  const { body } = await plane.request('GET', `${group}/${phase}webhookconfigurations/${object}`);
  return (body as { readonly webhooks: ListedWebhook[] }).webhooks;
}

/** The failure policies of all that can be closed. */
async function policies(plane: ControlPlane): Promise<ReadonlySet<string>> {
  const all = await Promise.all(closable.map((name) => webhooksOf(plane, name)));
  return new Set(all.flat().flatMap(({ name, failurePolicy }) => (name.startsWith('warn.') ? [] : [failurePolicy])));
}

async function closed(plane: ControlPlane): Promise<void> {
  const only = async () => [...(await policies(plane))].join();
  await until(async () => (await only()) === 'Fail', 'all to fail closed', 30_000);
}

async function stayOpen(t: Test, plane: ControlPlane): Promise<void> {
  t.strictSame(await policies(plane), new Set(['Ignore']));
  const { status } = await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'let-pass' } });
  t.equal(status, 201, 'and stop nobody');
}

async function generation(plane: ControlPlane): Promise<number> {
  const { body } = await plane.request('GET', guarding);
  return (body as { readonly metadata: { readonly generation: number } }).metadata.generation;
}

async function managersOf(plane: ControlPlane, path: string) {
  const { body } = await plane.request('GET', path);
  const { metadata } = body as { metadata: { managedFields: { manager: string; fieldsV1: object }[] } };
  return metadata.managedFields.map(({ manager, fieldsV1 }) => ({
    manager,
    fields: JSON.parse(JSON.stringify(fieldsV1).replaceAll('"f:', '"')) as unknown,
  }));
}
