/**
 * TEN-23: the fields of a foreign namespace are taken over by no server-side apply that changes nothing, and the list of their managers
 * is neither wiped nor rewritten; what controllers and members do to it goes on.
 */
import type { Test } from 'tap';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guardedTest, type PersonName } from './guarded-cluster.ts';

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1?: unknown;
}
interface Stored {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly managedFields?: readonly Entry[] };
}

const json = 'application/json';
const merge = 'application/merge-patch+json';
const jsonPatch = 'application/json-patch+json';
const apply = 'application/apply-patch+yaml';
const conditions = (type: string) => ({
  status: { conditions: [{ type, status: 'True', reason: 'Is', message: '' }] },
});
const pathOf = (name: string) => `/api/v1/namespaces/${name}`;

await guardedTest('who manages the fields of a namespace', async (t, cluster) => {
  const { plane } = cluster;
  const send = async (person: PersonName, method: string, path: string, body: unknown, contentType = json) =>
    plane.request(method, path, body, { contentType, kubeconfig: await cluster.kubeconfig(person) });
  const stored = async (name: string) => (await plane.request('GET', pathOf(name))).body as Stored;
  const created = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web', labels: { app: 'web' } } };
  t.match(await send('alice', 'POST', '/api/v1/namespaces?fieldManager=acme', created), { status: 201 });

  await t.test('is not changed by others', async (t) => {
    for (const name of ['acme-web', 'kube-system']) {
      const before = await stored(name);
      const { labels, managedFields = [] } = before.metadata;
      t.not(managedFields.length, 0, `${name} has managers of fields`);
      const same = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
      const rewritten = managedFields.map((entry) => ({ ...entry, manager: 'mallory' }));
      const replaced = (managers: unknown) => ({
        ...before,
        metadata: { ...before.metadata, managedFields: managers },
      });
      const itself = pathOf(name);
      const status = `${itself}/status?fieldManager=mallory&force=true`;
      const rows: readonly [how: string, method: string, path: string, body: unknown, type: string][] = [
        ['an apply that changes nothing', 'PATCH', `${itself}?fieldManager=mallory`, same, apply],
        ['the same with force', 'PATCH', `${itself}?fieldManager=mallory&force=true`, same, apply],
        ['an apply through the status', 'PATCH', status, { ...same, ...conditions('Taken') }, apply],
        ['an apply of labels through the status', 'PATCH', status, same, apply],
        ['a wipe by replacing', 'PUT', itself, replaced([{}]), json],
        ['a wipe by an empty list', 'PATCH', itself, { metadata: { managedFields: [] } }, merge],
        ['a wipe by a merge patch', 'PATCH', itself, { metadata: { managedFields: [{}] } }, merge],
        [
          'a wipe by a JSON patch',
          'PATCH',
          itself,
          [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }],
          jsonPatch,
        ],
        ['other managers', 'PUT', itself, replaced(rewritten), json],
      ];
      for (const [how, method, path, body, type] of rows) {
        const dry = await send('bob', method, `${path}${path.includes('?') ? '&' : '?'}dryRun=All`, body, type);
        const { status: code, text } = await send('bob', method, path, body, type);
        t.equal(code, 403, `${name}: ${how}`, { text: text.slice(0, 800) });
        t.match(text, /metadata\.managedFields.*foreign-namespace/, `${name}: ${how}: by its check`);
        t.equal(dry.status, 403, `${name}: ${how}: in a dry run, too`);
        t.strictSame(
          (await stored(name)).metadata.managedFields,
          managedFields,
          `${name}: ${how}: nothing has changed`,
        );
      }
    }
  });

  await t.test('is nothing that a status can change, as far as it is not of the status', async (t) => {
    const path = `${pathOf('acme-web')}/status?fieldManager=checker`;
    const ofItself = async () => (await stored('acme-web')).metadata.managedFields?.filter((one) => !one.subresource);
    const before = await ofItself();
    const whole = await stored('acme-web');
    const wiped = { metadata: { managedFields: [{}] }, ...conditions('Wiped') };
    const rows: readonly [how: string, method: string, body: unknown, type: string][] = [
      ['a controller writes it', 'PATCH', conditions('Checked'), merge],
      ['and writes it again', 'PATCH', conditions('Checked-again'), merge],
      ['one applies it', 'PATCH', { ...created, metadata: { name: 'acme-web' }, ...conditions('Applied') }, apply],
      ['a wipe through it is ignored by the API server', 'PATCH', wiped, merge],
      [
        'so is one by replacing',
        'PUT',
        { ...whole, ...wiped, metadata: { ...whole.metadata, resourceVersion: undefined, managedFields: [{}] } },
        json,
      ],
    ];
    for (const [how, method, body, type] of rows) {
      const { status, text } = await send('carol', method, `${path}${type === apply ? '&force=true' : ''}`, body, type);
      t.equal(status, 200, how, { text: text.slice(0, 800) });
      t.strictSame(await ofItself(), before, `${how}: the managers of the namespace itself are as they were`);
    }
    t.ok(
      (await stored('acme-web')).metadata.managedFields?.some(
        ({ manager, subresource }) => manager === 'checker' && subresource === 'status',
      ),
    );
  });

  await t.test('is changed by the platform and the members', async (t) => {
    const { metadata } = await stored('acme-web');
    const same = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web', labels: metadata.labels } };
    for (const person of ['alice', 'platform'] as const)
      t.match(
        await send(person, 'PATCH', `${pathOf('acme-web')}?fieldManager=${person}`, same, apply),
        { status: 200 },
        person,
      );
    const nothing = { metadata: { labels: { unknown: null } } };
    t.match(
      await send('bob', 'PATCH', pathOf('acme-web'), nothing, merge),
      { status: 200 },
      'what changes nothing at all',
    );
  });

  await t.test('ends with the namespace', async (t) => {
    const held = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'acme-gone', finalizers: ['foregroundDeletion'] },
    };
    const path = `${pathOf('acme-gone')}?fieldManager=acme`;
    t.match(await send('alice', 'POST', '/api/v1/namespaces', { metadata: { name: 'acme-gone' } }), { status: 201 });
    t.match(await send('alice', 'PATCH', path, held, apply), { status: 200 }, 'a member manages the finalizer');
    t.match(await send('alice', 'DELETE', pathOf('acme-gone'), { propagationPolicy: 'Foreground' }), { status: 200 });
    await ended(t, cluster, 'acme-gone');
  });
});

async function ended(t: Test, { plane }: GuardedCluster, name: string): Promise<void> {
  await eventually(`${name} is gone`, async () => (await plane.request('GET', pathOf(name))).status === 404);
  const collector = (await plane.auditEvents()).filter(
    ({ verb, user, objectRef }) =>
      verb === 'patch' && user.username.includes('garbage-collector') && objectRef?.name === name,
  );
  t.strictSame(
    collector.map(({ responseStatus }) => responseStatus?.code),
    [200],
    'the garbage collector takes the finalizer off',
  );
}
