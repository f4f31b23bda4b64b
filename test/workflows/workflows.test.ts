/** The workflows, as far as they can be tried without GitHub: a linter reads them, and the scripts that they call are executed. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { releaseNotes } from '../../.github/release-notes.ts';
import { skipOrFail } from '../apiserver/cluster-test.ts';
import { findActionlint } from './actionlint.ts';

const found = await findActionlint();
const files = (await readdir('.github/workflows')).sort().map((name) => `.github/workflows/${name}`);

if ('missing' in found) skipOrFail('a linter reads the workflows', found.missing);
else
  await t.test('a linter reads the workflows', async (t) => {
    const lint = (...paths: string[]) =>
      spawnSync(join(found.folder, 'actionlint'), ['-no-color', ...paths], { encoding: 'utf8' });
    t.strictSame(
      files,
      ['ci', 'release', 'versions'].map((name) => `.github/workflows/${name}.yaml`),
    );
    t.match(lint(...files), { status: 0, stdout: '' });
    const folder = await mkdtemp(join(tmpdir(), 'bulkhead-workflows-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const wrong = join(folder, 'wrong.yaml');
    const text = await readFile('.github/workflows/release.yaml', 'utf8');
    await writeFile(wrong, text.replace('steps.build.outputs.digest', 'steps.bulid.outputs.digest'));
    t.match(lint(wrong), { status: 1, stdout: /bulid/ }, 'it finds a step that is not there');
  });

t.test('npm scripts that the workflows run exist', async (t) => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  for (const text of texts) for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g)) t.ok(scripts[name], name);
});

t.test('nothing but what a job needs may be written by it', async (t) => {
  for (const file of files) {
    const { permissions, jobs } = parse(await readFile(file, 'utf8'));
    t.strictSame(permissions, { contents: 'read' }, file);
    const writing = Object.values<{ permissions?: Record<string, string> }>(jobs).flatMap((job) =>
      Object.entries(job.permissions ?? {}).filter(([, right]) => right === 'write'),
    );
    t.ok(writing.every(([name]) => ['packages', 'id-token', 'contents'].includes(name)));
  }
});

t.test('the notes of a release are its section of the changelog', async (t) => {
  const changelog = '# Changelog\n\n## Unreleased\n- new\n\n## 0.2.0 - 2027-01-31\n### Checks\n- one\n\n## 0.1.0\n\n';
  t.equal(releaseNotes('v0.2.0', '0.2.0', changelog), '### Checks\n- one\n');
  t.throws(() => releaseNotes('v0.2.1', '0.2.0', changelog), {
    message: /the tag is v0\.2\.1, and package\.json has 0\.2\.0/,
  });
  t.throws(() => releaseNotes('v0.3.0', '0.3.0', changelog), { message: /has no section 0\.3\.0/ });
  t.throws(() => releaseNotes('v0.1.0', '0.1.0', changelog), { message: /is empty/ });
  const { status, stderr } = spawnSync(process.execPath, ['.github/release-notes.ts', 'v9.9.9'], { encoding: 'utf8' });
  t.match(
    { status, stderr },
    { status: 1, stderr: /^the tag is v9\.9\.9, and package\.json has [\d.]+: make them one\n$/ },
  );
});
