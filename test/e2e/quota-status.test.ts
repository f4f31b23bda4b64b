/** What is enforced of a managed quota is its status: who writes it, who cannot, and what does not depend on Bulkhead for it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../apiserver/api-request.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const namespace = '/api/v1/namespaces/acme-web';
const quota = `${namespace}/resourcequotas/bulkhead-quota`;
const status = `${quota}/status`;
const controller = 'system:serviceaccount:kube-system:resourcequota-controller';
const json = 'application/json-patch+json';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const apply = 'application/apply-patch+yaml';

interface Quota {
  readonly metadata: object;
  readonly spec: { readonly hard: Readonly<Record<string, string>> };
  readonly status: {
    readonly hard?: Readonly<Record<string, string>>;
    readonly used?: Readonly<Record<string, string>>;
  };
}

await clusterTest('what a managed quota enforces is out of the hands of its tenant', async (t, plane) => {
  const tenants = join(plane.directory, 'tenants');
  await mkdir(tenants);
  await declare(tenants, { pods: '2', configmaps: '0.02k' });
  let cluster = await guard(plane, tenants);
  t.teardown(() => cluster.stop());
  const kubeconfig = await cluster.kubeconfig('alice');
  const send = (method: string, path: string, body?: unknown, contentType = 'application/json') =>
    plane.request(method, path, body, { contentType, kubeconfig });
  const start = (name: string) =>
    send('POST', `${namespace}/pods`, { metadata: { name }, spec: { containers: [{ name: 'main', image: 'web' }] } });
  t.match(await send('POST', '/api/v1/namespaces', { metadata: { name: 'acme-web' } }), { status: 201 });
  await eventually('the quota is counted', async () => (await read(plane))?.status?.used?.pods === '0');
  const account = `${namespace}/serviceaccounts/default`;
  await eventually('pods have an account', async () => (await plane.request('GET', account)).status === 200);

  await t.test('the API server counts what is created', async (t) => {
    for (const name of ['one', 'two']) t.match(await start(name), { status: 201 }, `pod ${name} is admitted`);
    t.match((await read(plane))?.status, { hard: { pods: '2' }, used: { pods: '2' } });
    t.match(await start('three'), { status: 403, body: { message: /exceeded quota: bulkhead-quota/ } });
    const writes = (await statusWrites(plane)).filter(({ user }) => user.username === 'system:apiserver');
    t.ok(writes.length >= 2, 'as itself');
    t.ok(
      writes.every(({ user }) => user.groups?.includes('system:masters')),
      'as the platform',
    );
    t.notOk(writes.some(isReviewed), 'and nobody is asked, so that a pod costs no second review');
  });

  await t.test('a tenant with every right on its status', async (t) => {
    const before = await read(plane);
    const bait = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid: 'no-such-uid' };
    const whole = (change: object) => ({ ...before, status: { ...before?.status, ...change } });
    const hard = { ...before?.spec.hard, pods: '9000' };
    const refusals: readonly [what: string, send: () => Promise<Answer>, path: string][] = [
      ['raises it', () => send('PATCH', status, { status: { hard } }, merge), 'status.hard[pods]'],
      [
        'raises it strategically',
        () => send('PATCH', status, { status: { hard: { pods: '3' } } }, strategic),
        'status.hard[pods]',
      ],
      [
        'raises it by a JSON patch',
        () => send('PATCH', status, [{ op: 'replace', path: '/status/hard/pods', value: '2001' }], json),
        'status.hard[pods]',
      ],
      [
        'raises it by server-side apply',
        () =>
          send(
            'PATCH',
            `${status}?fieldManager=alice&force=true`,
            { apiVersion: 'v1', kind: 'ResourceQuota', status: { hard } },
            apply,
          ),
        'status.hard[pods]',
      ],
      ['raises it by a replacement', () => send('PUT', status, whole({ hard })), 'status.hard[pods]'],
      [
        'raises it together with its spec',
        () => send('PUT', status, { ...whole({ hard }), spec: { hard } }),
        'status.hard[pods]',
      ],
      [
        'would raise it, in a dry run',
        () => send('PATCH', `${status}?dryRun=All`, { status: { hard } }, merge),
        'status.hard[pods]',
      ],
      [
        'takes the limit away',
        () => send('PATCH', status, [{ op: 'remove', path: '/status/hard/pods' }], json),
        'status.hard[pods]',
      ],
      ['takes all limits away', () => send('PUT', status, { ...before, status: {} }), 'status.hard[configmaps]'],
      [
        'says that nothing is used',
        () => send('PATCH', status, { status: { used: { pods: '0' } } }, merge),
        'status.used[pods]',
      ],
      [
        'says that nothing is counted',
        () => send('PATCH', status, { status: { used: null } }, merge),
        'status.used[configmaps]',
      ],
      [
        'hangs it on a bait',
        () => send('PATCH', status, { metadata: { ownerReferences: [bait] } }, merge),
        'metadata.name',
      ],
      ['labels it', () => send('PATCH', status, { metadata: { labels: { mine: 'yes' } } }, merge), 'metadata.name'],
      [
        'finalizes it',
        () => send('PATCH', status, { metadata: { finalizers: ['example.org/mine'] } }, merge),
        'metadata.name',
      ],
    ];
    for (const [what, attack, path] of refusals) {
      const { status: code, body } = await attack();
      t.equal(code, 403, `${what}: refused`, { found: JSON.stringify(body) });
      const { message = '' } = body as { message?: string };
      t.ok(message.includes(`\n  ${path}\n`) && message.includes('managed-quota, docs/'), `${what}: ${path}`, {
        message,
      });
    }
    const { code, stderr } = await cluster.kubectl('alice', [
      ...['patch', 'resourcequota/bulkhead-quota', '-n', 'acme-web', '--subresource=status', '--type=merge'],
      ...['-p', JSON.stringify({ status: { hard } })],
    ]);
    t.equal(code, 1, 'raises it with kubectl: refused');
    t.match(stderr, /"9k" where spec\.hard says "2"/);
    t.match(await send('PUT', quota, whole({ hard })), { status: 200 }, 'a status in a write of the quota itself');
    t.same(await read(plane), before, 'goes nowhere: all is as it was');
    t.match(await start('three'), { status: 403, body: { message: /exceeded quota: bulkhead-quota/ } });
  });

  await t.test('what makes nothing looser is nobody’s harm', async (t) => {
    const path = `${namespace}/resourcequotas/own`;
    const made = await send('POST', `${namespace}/resourcequotas`, {
      metadata: { name: 'own' },
      spec: { hard: { secrets: '9' } },
    });
    t.match(made, { status: 201 }, 'a tenant has a quota of its own beside it');
    await eventually('it is counted', async () => {
      const { body } = await plane.request('GET', path);
      return (body as Quota).status.used?.secrets !== undefined;
    });
    t.match(await send('PATCH', `${path}/status`, { status: { hard: { secrets: '90' } } }, merge), { status: 200 });
    t.match(await send('PATCH', status, { status: { used: { configmaps: '5' } } }, merge), { status: 200 });
    const writes = (await statusWrites(plane)).filter(
      ({ user, responseStatus }) => user.username === 'alice' && responseStatus?.code === 200,
    );
    t.equal(writes.length, 2, 'such writes are admitted');
    t.notOk(writes.some(isReviewed), 'and nobody is asked');
    const claim = { metadata: { labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } } };
    t.match(
      await send('PATCH', `${path}/status`, claim, merge),
      { status: 403, body: { message: /managed-quota, docs/ } },
      'but it cannot pass for a managed one',
    );
    const refused = { status: 403, body: { message: /quota-on-baseline, docs/ } };
    for (const name of ['count/networkpolicies.networking.k8s.io', 'count/resourcequotas', 'resourcequotas']) {
      const limit = { hard: { [name]: '0' }, used: { [name]: '0' } };
      t.match(await send('PATCH', `${path}/status`, { status: limit }, merge), refused, `nor keep out by ${name}`);
      t.match(await send('PATCH', path, { spec: { hard: { [name]: '0' } } }, merge), refused, `nor by its spec`);
    }
  });

  await t.test('the quota controller counts again when something is deleted', async (t) => {
    t.match(await send('DELETE', `${namespace}/pods/two`), { status: 200 });
    await eventually('one pod is used', async () => (await read(plane))?.status.used?.pods === '1');
    t.equal((await read(plane))?.status.used?.configmaps, '1', 'and what somebody else wrote there is gone');
    const writes = (await statusWrites(plane)).filter(({ user }) => user.username === controller);
    t.ok(writes.some(isReviewed), 'Bulkhead is asked');
    t.strictSame(
      writes.filter(({ responseStatus }) => responseStatus?.code === 403),
      [],
      'and has never refused it',
    );
    t.match(await start('two'), { status: 201 }, 'there is room for another');
  });

  await t.test('a quota that the platform lowers is followed', async (t) => {
    await declare(tenants, { pods: '1', configmaps: '20' });
    await eventually('its status has the limit', async () => (await read(plane))?.status.hard?.pods === '1');
    t.match((await read(plane))?.status, { hard: { pods: '1', configmaps: '20' }, used: { pods: '2' } });
    const { status: code } = await send('PATCH', status, { status: { hard: { pods: '2' } } }, merge);
    t.equal(code, 403, 'and a tenant cannot keep what it had');
  });

  await t.test('while Bulkhead is away', async (t) => {
    await cluster.stop();
    t.match(
      await send('POST', `${namespace}/configmaps`, { metadata: { name: 'counted' } }),
      { status: 201 },
      'what a quota counts is created as ever',
    );
    t.match((await read(plane))?.status, { used: { configmaps: '2' } }, 'and counted');
    const { status: code, body } = await send('PATCH', status, { status: { used: { pods: '0' } } }, merge);
    t.equal(code, 500, 'what Bulkhead would refuse is refused', { found: JSON.stringify(body) });
    t.match(await send('DELETE', `${namespace}/pods/two`), { status: 200 });
    await sleep(2_000);
    t.match((await read(plane))?.status, { used: { pods: '2' } }, 'less is not counted');
    cluster = await guard(plane, tenants);
    await eventually('the quota controller has caught up', async () => (await read(plane))?.status.used?.pods === '1');
    t.pass('until it is back');
  });

  const metrics = (await plane.metrics()).split('\n');
  const failed = 'apiserver_admission_match_condition_evaluation_errors_total';
  t.strictSame(
    metrics.filter((line) => line.startsWith(failed) && !line.endsWith(' 0')),
    [],
    'no condition has failed (R4)',
  );
});

async function declare(folder: string, hard: Readonly<Record<string, string>>): Promise<void> {
  const spec = {
    members: [{ kind: 'Group', name: 'acme-developers' }],
    namespaces: { prefix: 'acme-', resourceQuota: { hard } },
  };
  const document = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' }, spec };
  await writeFile(join(folder, 'acme.yaml'), JSON.stringify(document));
}

async function read(plane: ControlPlane): Promise<Quota | undefined> {
  const { status: code, body } = await plane.request('GET', quota);
  return code === 200 ? (body as Quota) : undefined;
}

/** What was written, or tried, to the status of quotas of acme-web. */
async function statusWrites(plane: ControlPlane) {
  return (await plane.auditEvents()).filter(
    ({ verb, objectRef }) =>
      verb !== 'get' &&
      objectRef?.resource === 'resourcequotas' &&
      objectRef.subresource === 'status' &&
      objectRef.namespace === 'acme-web',
  );
}

/** Whether the API server asked Bulkhead about it. */
function isReviewed({ annotations }: { readonly annotations?: Readonly<Record<string, string>> }): boolean {
  return annotations?.['validate.filtered.bulkhead.dev/tenant'] !== undefined;
}
