/** A tenant with a quota and containerDefaults, on a real API server: pods without requests are created, and count. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const tenant = (name: string, defaults: string) => `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: ${name} }
spec:
  members: [{ kind: Group, name: acme-developers }]
  namespaces:
    prefix: ${name}-
    resourceQuota: { hard: { requests.cpu: "1", limits.memory: 1Gi } }
${defaults}`;

await clusterTest('pods that state no requests, where the tenant has a quota', async (t, plane) => {
  const folder = join(plane.directory, 'tenants');
  await mkdir(folder);
  const defaults = '    containerDefaults: { requests: { cpu: "0.4" }, limits: { memory: 128Mi } }\n';
  await writeFile(join(folder, 'acme.yaml'), tenant('acme', defaults));
  await writeFile(join(folder, 'bare.yaml'), tenant('bare', '').replace('acme-developers', 'bare-developers'));
  const cluster = await guard(plane, folder);
  t.teardown(() => cluster.stop());
  const isThere = async (path: string) => (await plane.request('GET', path)).status === 200;
  for (const tenant of ['acme', 'bare']) {
    const metadata = { name: `${tenant}-web`, labels: { 'bulkhead.dev/tenant': tenant } };
    t.match(await plane.request('POST', '/api/v1/namespaces', { metadata }), { status: 201 });
    await eventually('its pods have an account', () =>
      isThere(`/api/v1/namespaces/${tenant}-web/serviceaccounts/default`),
    );
    const quota = `/api/v1/namespaces/${tenant}-web/resourcequotas/bulkhead-quota`;
    const counted = async () => JSON.stringify((await plane.request('GET', quota)).body).includes('"used"');
    await eventually('its quota counts', counted);
  }
  const limits = '/api/v1/namespaces/acme-web/limitranges/bulkhead-defaults';
  await eventually('the LimitRange is put in place', () => isThere(limits));
  const pod = (name: string) => ({
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'example.org/web' }] },
  });
  const create = (namespace: string, name: string) =>
    plane.request('POST', `/api/v1/namespaces/${namespace}/pods`, pod(name));

  const made = await create('acme-web', 'one');
  t.equal(made.status, 201, made.text);
  t.match(made.body, {
    spec: { containers: [{ resources: { requests: { cpu: '400m', memory: '128Mi' }, limits: { memory: '128Mi' } } }] },
  });
  t.match(await create('acme-web', 'two'), { status: 201 });
  t.match(await create('acme-web', 'three'), { status: 403, text: /exceeded quota: bulkhead-quota/ }, 'it counts');
  t.match(await create('bare-web', 'one'), { status: 403, text: /must specify/ }, 'without defaults it is refused');

  const template = { metadata: { labels: { app: 'web' } }, spec: pod('x').spec };
  const deployment = { metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'web' } }, template } };
  for (const [namespace, warns] of [
    ['acme-web', false],
    ['bare-web', true],
  ] as const) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`;
    const { headers } = await plane.request('POST', path, deployment);
    t.equal(JSON.stringify(headers).includes('quota-without-requests'), warns, `${namespace}: a warning or none`);
  }

  const edit = [{ op: 'replace', path: '/spec/limits/0/defaultRequest/cpu', value: '900m' }];
  const contentType = 'application/json-patch+json';
  t.match(await plane.request('PATCH', limits, edit, { contentType }), { status: 200 });
  const stored = async () => JSON.stringify((await plane.request('GET', limits)).body);
  await eventually('an edit is put back', async () => (await stored()).includes('"400m"'));
  t.match(await plane.request('DELETE', limits), { status: 200 });
  await eventually('and so is what was deleted', () => isThere(limits));
});
