/** What the monitoring goes by, on a real API server: its metrics and Bulkhead's, the audit log, and the overlay as kustomize makes it. */
import { readFileSync } from 'node:fs';
import type { Test } from 'tap';
import { parseAllDocuments, stringify } from 'yaml';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { apiServerSeries } from '../manifests/api-server-series.ts';
import { type Series, seriesIn } from '../manifests/exposition.ts';
import { withoutControllers } from '../soak/crowd.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guard } from './guarded-cluster.ts';

const secret = 'hunter2';
const containers = [{ name: 'main', image: 'busybox', env: [{ name: 'PASSWORD', value: secret }] }];
const pods = '/api/v1/namespaces/acme-web/pods';
const deployments = '/apis/apps/v1/namespaces/acme-web/deployments';
const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';

await networkKindsTest(
  'the monitoring goes by what is there',
  async (t, plane) => {
    const cluster = await guard(plane, undefined, undefined, { managesWebhooks: true });
    t.teardown(() => cluster.stop());
    const { code, stderr } = await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
    t.equal(code, 0, stderr);

    await t.test('audit annotations', (t) => annotated(t, cluster));
    await t.test('the metrics of Bulkhead', (t) => ownMetrics(t, cluster));
    await t.test('the overlay', (t) => overlay(t, plane));
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'istio-system' } });
    await cluster.stop();
    await t.test('the metrics of the API server', (t) => apiServerMetrics(t, plane));
  },
  withoutControllers,
);

async function annotated(t: Test, { plane, kubeconfig }: GuardedCluster): Promise<void> {
  const alice = await kubeconfig('alice');
  const metadata = (name: string) => ({ name, annotations: { note: secret } });
  const post = async (path: string, body: object) =>
    (await plane.request('POST', path, body, { kubeconfig: alice })).status;
  const stranger = { namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 'beta' } } };
  const template = {
    metadata: { labels: { app: 'agent' } },
    spec: { hostNetwork: true, containers },
  };

  t.equal(await post(pods, { metadata: metadata('bare'), spec: { containers } }), 201);
  t.equal(await post(pods, { metadata: metadata('probe'), spec: { hostNetwork: true, containers } }), 403);
  t.equal(
    await post(policies, {
      metadata: metadata('nobody'),
      spec: {
        podSelector: {},
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [
              {
                podSelector: {
                  matchExpressions: [
                    { key: 'a', operator: 'In', values: ['b'] },
                    { key: 'a', operator: 'DoesNotExist' },
                  ],
                },
              },
            ],
          },
        ],
      },
    }),
    201,
    'a rule that can never match is admitted',
  );
  t.equal(
    await post(policies, { metadata: metadata('open'), spec: { podSelector: {}, ingress: [{ from: [stranger] }] } }),
    403,
  );
  t.equal(
    await post(deployments, {
      metadata: metadata('agent'),
      spec: { selector: { matchLabels: { app: 'agent' } }, template },
    }),
    201,
  );

  const events = async () =>
    (await plane.auditEvents()).filter(({ user, verb }) => user.username === 'alice' && verb === 'create');
  await eventually('the audit log has them', async () => (await events()).length >= 6, 10);
  const notes = new Map(
    (await events()).map(({ objectRef, annotations = {}, requestObject }): [string, object] => {
      const { metadata = {} } = requestObject as { metadata?: { name?: string } };
      const ours = Object.entries(annotations).filter(([key]) => key.includes('.bulkhead.dev/'));
      return [`${objectRef?.resource} ${metadata.name}`, Object.fromEntries(ours.sort())];
    }),
  );
  const tenant = { 'mutate.bulkhead.dev/tenant': 'acme', 'validate.bulkhead.dev/tenant': 'acme' };
  const found = (checks: string) => ({
    ...tenant,
    'validate.bulkhead.dev/checks': checks,
    'validate.bulkhead.dev/mode': 'enforce',
  });
  t.same(
    Object.fromEntries(notes),
    {
      'namespaces acme-web': tenant,
      'pods bare': tenant,
      'pods probe': found('host-network'),
      'networkpolicies nobody': found('dead-rule'),
      'networkpolicies open': found('cross-tenant-ingress'),
      'deployments agent': {
        'warn.bulkhead.dev/checks': 'host-network,quota-without-requests',
        'warn.bulkhead.dev/mode': 'enforce',
        'warn.bulkhead.dev/tenant': 'acme',
      },
    },
    'whose it is and what was found, also where it was admitted; nothing of the object, and nothing of other tenants',
  );
}

async function ownMetrics(t: Test, cluster: GuardedCluster): Promise<void> {
  const shown = new Set([...(await cluster.metrics()).matchAll(/^# HELP (bulkhead_\w+) /gm)].map(([, name]) => name));
  const described = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(bulkhead_\w+)` \|/gm)].map(
    ([, name]) => name,
  );
  t.strictSame([...shown].sort(), described.sort(), 'are those of docs/metrics.md');
  t.match(await cluster.metrics(), 'bulkhead_ready 1\n');
}

/** Where there is no operator, what needs none is still taken. */
async function overlay(t: Test, plane: ControlPlane): Promise<void> {
  const made = await plane.kubectl(plane.adminKubeconfig, [
    'kustomize',
    `${process.cwd()}/manifests/overlays/prometheus`,
  ]);
  t.equal(made.code, 0, made.stderr);
  const objects: { kind: string; metadata: { name: string; namespace: string; labels: Record<string, string> } }[] =
    parseAllDocuments(made.stdout).map((document) => document.toJS());
  t.strictSame(objects.map(({ kind, metadata: { name } }) => `${kind} ${name}`).sort(), [
    'ConfigMap bulkhead-dashboard',
    'NetworkPolicy bulkhead-metrics',
    'PodMonitor bulkhead',
    'PrometheusRule bulkhead',
  ]);
  for (const { kind, metadata } of objects)
    t.match(metadata, { namespace: 'bulkhead-system', labels: { 'app.kubernetes.io/name': 'bulkhead' } }, kind);
  await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'bulkhead-system' } });
  for (const object of objects.filter(({ kind }) => kind === 'ConfigMap' || kind === 'NetworkPolicy')) {
    const applied = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin: stringify(object) });
    t.equal(applied.code, 0, `${object.kind}: ${applied.stderr}`);
  }
}

/** Brings the API server to count what it counts when Bulkhead does not answer. */
async function apiServerMetrics(t: Test, plane: ControlPlane): Promise<void> {
  const missing = async (): Promise<string[]> => {
    const real = seriesIn(await plane.metrics());
    return seriesIn(apiServerSeries)
      .filter((wanted) => !real.some((one) => isSame(one, wanted)))
      .map(({ name, labels }) => `${name} ${JSON.stringify(Object.fromEntries(labels))}`);
  };
  const group = '/apis/admissionregistration.k8s.io/v1';
  const policy = async (kind: string, failurePolicy: string) => {
    for (const name of ['bulkhead', 'bulkhead-namespaces']) {
      const path = `${group}/${kind}webhookconfigurations/${name}`;
      const { body } = await plane.request('GET', path);
      const { webhooks } = body as { webhooks: readonly object[] };
      const change = webhooks.map((_, index) => ({
        op: 'replace',
        path: `/webhooks/${index}/failurePolicy`,
        value: failurePolicy,
      }));
      const { status } = await plane.request('PATCH', path, change, { contentType: 'application/json-patch+json' });
      t.equal(status, 200, `${kind} ${name}: ${failurePolicy}`);
    }
  };
  const write = async () => {
    const name = `late-${performance.now().toFixed(0)}`;
    await plane.request('POST', '/apis/apps/v1/namespaces/acme-web/deployments', {
      metadata: { name },
      spec: { selector: { matchLabels: { name } }, template: { metadata: { labels: { name } }, spec: { containers } } },
    });
    const labels = { late: name };
    const contentType = 'application/merge-patch+json';
    const updated = await plane.request('PATCH', `${pods}/bare`, { metadata: { labels } }, { contentType });
    const created = await plane.request('POST', pods, { metadata: { name }, spec: { containers } });
    for (const [group, kind, resource, namespace, spec] of [
      ['k8s.ovn.org/v1', 'EgressFirewall', 'egressfirewalls', 'acme-web', {}],
      ['gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes', 'acme-web', { hostnames: ['web.acme.example'] }],
      ['security.istio.io/v1', 'AuthorizationPolicy', 'authorizationpolicies', 'istio-system', {}],
    ] as const) {
      const object = { apiVersion: group, kind, metadata: { name }, spec };
      await plane.request('POST', `/apis/${group}/namespaces/${namespace}/${resource}`, object);
    }
    const service = { metadata: { name }, spec: { ports: [{ port: 80 }] } };
    await plane.request('POST', '/api/v1/namespaces/acme-web/services', service);
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
    const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/acme-web/roles';
    await plane.request('POST', roles, { metadata: { name }, rules });
    return [created.status, updated.status];
  };
  t.strictSame(await write(), [500, 500], 'a pod is refused because mutate does not answer, new or not');
  await policy('mutating', 'Ignore');
  await eventually(
    'mutate is passed by, and validate refuses',
    async () => {
      await write();
      return !(await missing()).some((one) => one.includes('rejection_count') || one.includes('"mutate'));
    },
    20,
  );
  await policy('validating', 'Ignore');
  await eventually('both are passed by', async () => String(await write()) === '201,200', 20);
  t.strictSame(await missing(), [], 'every series that alerts and dashboard ask for was counted');
}

function isSame(one: Series, other: Series): boolean {
  return (
    one.name === other.name &&
    one.labels.size === other.labels.size &&
    [...other.labels].every(([label, value]) => one.labels.get(label) === value)
  );
}
