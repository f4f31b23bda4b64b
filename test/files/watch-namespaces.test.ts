import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { watchNamespaces } from '../../src/files/watch-namespaces.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';

const tenancy = createTenancy(defaultSettings, []);
const { signal } = new AbortController();
const namespace = (name: string, owner: string) =>
  `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name}, labels: { bulkhead.dev/tenant: ${owner} } }\n`;

/** The timer is far away: nothing here depends on the speed of the machine. */
async function watched(t: Test, path: string) {
  const heard: string[] = [];
  const loaded = await watchNamespaces(path, () => tenancy, {
    intervalMilliseconds: 3_600_000,
    onChange: ({ size }, warnings) => heard.push(`${size} namespaces`, ...warnings.map(({ reason }) => reason)),
    onProblems: (problems) => heard.push(...problems.map(formatProblem)),
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  t.teardown(() => loaded.value.stop());
  const settle = async () => {
    await loaded.value.look();
    await loaded.value.look();
    return heard.splice(0);
  };
  return { source: loaded.value.source, settle };
}

t.test('the examples are known by name and counted by tenant', async (t) => {
  const { source } = await watched(t, 'manifests/examples/namespaces');
  t.strictSame(source.lookup('acme-web'), {
    name: 'acme-web',
    uid: '',
    labels: { 'bulkhead.dev/tenant': 'acme', 'kubernetes.io/metadata.name': 'acme-web' },
    terminating: false,
  });
  t.equal(source.countOwned('acme'), 2);
  t.equal(source.countOwned('nobody'), 0);
  t.equal(source.lookup('nothing'), undefined);
  t.equal(await source.fetch('nothing', signal), undefined, 'there are no others');
  t.equal(await source.hasPods('acme-web', signal), true, 'none counts as emptied');
});

t.test('a changed, a new and a removed file come into force', async (t) => {
  const folder = t.testdir({ 'web.yaml': namespace('web', 'acme') });
  const { source, settle } = await watched(t, folder);
  t.strictSame([source.countOwned('acme'), source.countOwned('beta')], [1, 0]);
  writeFileSync(join(folder, 'web.yaml'), namespace('web', 'beta'));
  t.strictSame(await settle(), ['1 namespaces']);
  t.strictSame([source.countOwned('acme'), source.countOwned('beta')], [0, 1]);
  writeFileSync(join(folder, 'data.yaml'), namespace('data', 'beta'));
  t.strictSame(await settle(), ['2 namespaces']);
  t.equal(source.countOwned('beta'), 2);
  rmSync(join(folder, 'web.yaml'));
  await settle();
  t.strictSame([source.lookup('web'), source.countOwned('beta')], [undefined, 1]);
  t.equal(await source.fetch('web', signal), undefined);
});

t.test('a bad file never replaces a good state', async (t) => {
  const folder = t.testdir({ 'web.yaml': namespace('web', 'acme') });
  const { source, settle } = await watched(t, folder);
  writeFileSync(join(folder, 'data.yaml'), 'kind: Namespace');
  t.strictSame(await settle(), [`${folder}/data.yaml:1:1: is not a v1 Namespace; keep only Namespace objects here`]);
  t.strictSame([source.lookup('web')?.name, source.countOwned('acme')], ['web', 1]);
  rmSync(join(folder, 'data.yaml'));
  t.strictSame(await settle(), ['1 namespaces'], 'and the good one is told again when it is back');
});

t.test('a first state that is bad is no start', async (t) => {
  const follower = { onChange: () => t.fail(), onProblems: () => t.fail() };
  const loaded = await watchNamespaces(join(t.testdir(), 'nowhere'), () => tenancy, follower);
  t.match(loaded, { ok: false, problems: [{ reason: 'does not exist' }] });
});
