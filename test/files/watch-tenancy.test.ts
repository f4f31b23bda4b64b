/** Reloads, look by look: the timer is far away, so nothing here depends on the speed of the machine. */
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Watch } from '../../src/files/watch-files.ts';
import { watchTenancy } from '../../src/files/watch-tenancy.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';

const tenant = (name: string, mode = 'enforce') =>
  `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: ${name} }\nspec: { mode: ${mode} }\n`;

interface Watched {
  readonly watch: Watch<Tenancy>;
  /** `acme enforce` for each tenant in force. */
  readonly inForce: () => readonly string[];
  /** What was called back since the last time. */
  readonly heard: () => readonly string[];
  /** Looks until a change must have been taken over. */
  readonly settle: () => Promise<void>;
}

async function watched(t: Test, tenants: string, intervalMilliseconds = 3_600_000): Promise<Watched> {
  const events: string[] = [];
  const loaded = await watchTenancy({
    tenants,
    config: undefined,
    intervalMilliseconds,
    onChange: (tenancy) => events.push(`changed: ${[...tenancy.tenants.keys()].join(' ')}`),
    onProblems: (problems) =>
      events.push(...problems.map((problem) => formatProblem(problem).replace(`${tenants}/`, ''))),
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  t.teardown(() => loaded.value.stop());
  return {
    watch: loaded.value,
    inForce: () => [...loaded.value.current().tenants.values()].map(({ name, mode }) => `${name} ${mode}`),
    heard: () => events.splice(0),
    settle: async () => {
      await loaded.value.look();
      await loaded.value.look();
    },
  };
}

t.test('a changed, a new and a removed file come into force', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme') });
  const { inForce, heard, settle } = await watched(t, folder);
  t.strictSame(inForce(), ['acme enforce']);
  writeFileSync(join(folder, 'acme.yaml'), tenant('acme', 'warn'));
  await settle();
  t.strictSame([inForce(), heard()], [['acme warn'], ['changed: acme']]);
  writeFileSync(join(folder, 'beta.yaml'), tenant('beta'));
  await settle();
  t.strictSame([inForce(), heard()], [['acme warn', 'beta enforce'], ['changed: acme beta']]);
  rmSync(join(folder, 'acme.yaml'));
  await settle();
  t.strictSame([inForce(), heard()], [['beta enforce'], ['changed: beta']]);
});

t.test('a bad state never replaces a good one, is told once, and passes', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme') });
  const path = join(folder, 'acme.yaml');
  const { watch, inForce, heard, settle } = await watched(t, folder);
  const good = watch.current();
  const bad: readonly (readonly [text: string, problem: string])[] = [
    [tenant('acme', 'loud'), 'acme.yaml:4:15: spec.mode: "loud" is not one of enforce, warn, audit'],
    [
      'spec: [',
      'acme.yaml:1:8: is not YAML as it should be: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [tenant('acme', 'loud'), 'acme.yaml:4:15: spec.mode: "loud" is not one of enforce, warn, audit'],
  ];
  for (const [text, problem] of bad) {
    writeFileSync(path, text);
    await settle();
    t.strictSame(heard(), [problem]);
    t.equal(watch.current(), good);
    await settle();
    utimesSync(path, 1, 1);
    await settle();
    t.strictSame(heard(), [], 'the same state is not told again, also when the file was touched');
  }
  writeFileSync(path, tenant('acme'));
  await settle();
  t.strictSame(
    [inForce(), heard()],
    [['acme enforce'], ['changed: acme']],
    'the good state is told, even if it is the one before',
  );
});

t.test('what is wrong beside the files is looked at until it is mended', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme') });
  const events: string[] = [];
  let wrong: readonly string[] = [];
  const loaded = await watchTenancy({
    tenants: folder,
    config: undefined,
    intervalMilliseconds: 3_600_000,
    onChange: (tenancy) => events.push(`changed: ${[...tenancy.tenants.keys()].join(' ')}`),
    onProblems: (problems) => events.push(...problems.map(({ reason }) => reason)),
    problemsOf: () => wrong.map((reason) => ({ file: '', line: 0, column: 0, path: '', reason, fix: '' })),
  });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  t.teardown(() => loaded.value.stop());
  const heard = async () => {
    for (let looks = 0; looks < 3; looks++) await loaded.value.look();
    return events.splice(0);
  };
  wrong = ['a namespace is in the way'];
  t.strictSame(await heard(), [], 'what is in force stays');
  writeFileSync(join(folder, 'beta.yaml'), tenant('beta'));
  t.strictSame(await heard(), ['a namespace is in the way']);
  t.strictSame(await heard(), [], 'said once');
  wrong = [];
  t.strictSame(await heard(), ['changed: acme beta'], 'no file had to change');
});

t.test('a folder that goes away leaves the good state in force', async (t) => {
  const folder = t.testdir({ tenants: { 'acme.yaml': tenant('acme') } });
  const tenants = join(folder, 'tenants');
  const { inForce, heard, settle } = await watched(t, tenants);
  renameSync(tenants, join(folder, 'elsewhere'));
  await settle();
  t.strictSame(
    [inForce(), heard()],
    [['acme enforce'], [`${tenants}: does not exist; create it, or give another path`]],
  );
  renameSync(join(folder, 'elsewhere'), tenants);
  await settle();
  t.strictSame([inForce(), heard()], [['acme enforce'], ['changed: acme']]);
});

t.test('a change that takes every tenant away is a bad state', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme'), 'beta.yaml': tenant('beta') });
  const { inForce, heard, settle } = await watched(t, folder);
  for (const name of ['acme.yaml', 'beta.yaml']) renameSync(join(folder, name), join(folder, `${name}.orig`));
  await settle();
  t.strictSame(inForce(), ['acme enforce', 'beta enforce']);
  const reason = 'declares no tenant any more, which would remove all 2 tenants';
  t.strictSame(heard(), [`${folder}: ${reason}; restart Bulkhead if that is meant`]);
  writeFileSync(join(folder, 'beta.yaml'), tenant('beta'));
  await settle();
  t.strictSame([inForce(), heard()], [['beta enforce'], ['changed: beta']], 'one that is left is enough');
});

t.test('a ConfigMap volume that is switched comes into force', async (t) => {
  const folder = t.testdir({});
  const version = (name: string, mode: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'acme.yaml'), tenant('acme', mode));
    // As the kubelet does it: a new link, moved over the old one.
    symlinkSync(name, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  version('..first', 'enforce');
  symlinkSync('..data/acme.yaml', join(folder, 'acme.yaml'));
  const { inForce, heard, settle } = await watched(t, folder);
  version('..second', 'warn');
  rmSync(join(folder, '..first'), { recursive: true });
  await settle();
  t.strictSame([inForce(), heard()], [['acme warn'], ['changed: acme']]);
  version('..third', 'loud');
  await settle();
  t.strictSame(heard(), ['acme.yaml:4:15: spec.mode: "loud" is not one of enforce, warn, audit']);
  version('..fourth', 'audit');
  await settle();
  t.strictSame([inForce(), heard()], [['acme audit'], ['changed: acme']]);
});

t.test('a state counts when two looks in a row saw it', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme'), 'beta.yaml': tenant('beta') });
  const path = join(folder, 'acme.yaml');
  const { watch, inForce, heard } = await watched(t, folder);
  writeFileSync(path, '');
  await watch.look();
  t.strictSame(inForce(), ['acme enforce', 'beta enforce'], 'a file that was just emptied may be about to be written');
  writeFileSync(path, tenant('acme', 'warn'));
  await watch.look();
  t.strictSame(heard(), []);
  await watch.look();
  t.strictSame([inForce(), heard()], [['acme warn', 'beta enforce'], ['changed: acme beta']]);
  await watch.look();
  await watch.look();
  t.strictSame(heard(), [], 'nothing changed, nothing is told');
});

t.test('the timer looks by itself, until it is stopped', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme') });
  const changed = Promise.withResolvers<string>();
  const loaded = await watchTenancy({
    tenants: folder,
    config: undefined,
    intervalMilliseconds: 5,
    onChange: (tenancy) => changed.resolve([...tenancy.tenants.keys()].join(' ')),
    onProblems: (problems) => changed.reject(new Error(problems.map(formatProblem).join('\n'))),
  });
  if (!loaded.ok) throw new Error('the first state is good');
  // The timer of the watch keeps no process alive; this one does.
  const alive = setTimeout(() => changed.reject(new Error('nothing was taken over')), 60_000);
  renameSync(join(folder, 'acme.yaml'), join(folder, 'moved.yaml'));
  writeFileSync(join(folder, 'new.yaml.draft'), tenant('beta'));
  renameSync(join(folder, 'new.yaml.draft'), join(folder, 'new.yaml'));
  t.match(await changed.promise, /beta/);
  clearTimeout(alive);
  loaded.value.stop();
  writeFileSync(join(folder, 'new.yaml'), tenant('gamma'));
  await loaded.value.look();
  await loaded.value.look();
  t.strictSame([...loaded.value.current().tenants.keys()], ['acme', 'beta'], 'what is stopped stays as it is');
});

t.test('a first state that is bad is no start', async (t) => {
  const folder = t.testdir({ 'acme.yaml': tenant('acme', 'loud') });
  const loaded = await watchTenancy({
    tenants: folder,
    config: undefined,
    onChange: () => t.fail(),
    onProblems: () => t.fail(),
  });
  t.strictSame(loaded.ok ? [] : loaded.problems.map(({ reason }) => reason), [
    '"loud" is not one of enforce, warn, audit',
  ]);
});
