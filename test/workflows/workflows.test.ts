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

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly jobs: Readonly<Record<string, Job>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly 'timeout-minutes': number;
}

/** As a workflow writes the digest of the image that its step `build` has pushed. */
const digest = `@\${{ steps.build.outputs.digest }}`;

/** What a release lacks of what RELEASE.md says of it. */
function lacks({ jobs }: Workflow): readonly string[] {
  const { image, publish, notes } = jobs;
  const builds = image?.steps.findIndex(({ uses }) => uses?.startsWith('docker/build-push-action@')) ?? -1;
  const build = image?.steps[builds];
  const runs = (job: Job | undefined, text: string) => job?.steps.findIndex(({ run }) => run?.includes(text)) ?? -1;
  const uses = (job: Job | undefined, action: string) =>
    job?.steps.findIndex((step) => step.uses?.startsWith(`${action}@`)) ?? -1;
  const signs = runs(image, 'cosign sign --yes "$IMAGE"');
  const needs = (job: Job | undefined) => [job?.needs ?? []].flat();
  const held: Readonly<Record<string, boolean>> = {
    'an image for amd64 and arm64': build?.with?.platforms === 'linux/amd64,linux/arm64',
    'an emulator of arm64': uses(image, 'docker/setup-qemu-action') !== -1,
    'a builder of several architectures': uses(image, 'docker/setup-buildx-action') !== -1,
    'a push': build?.with?.push === true && image?.permissions?.packages === 'write',
    'a registry that takes it': uses(image, 'docker/login-action') !== -1,
    'the SBOM of the image': build?.with?.sbom === true,
    'the provenance of the image': build?.with?.provenance === 'mode=max',
    'a signature of the image by its digest':
      signs > builds && image?.steps[signs]?.env?.IMAGE?.endsWith(digest) === true,
    'the program that signs': [image, publish].every((job) => uses(job, 'sigstore/cosign-installer') !== -1),
    'an identity in place of a key': [image, publish].every((job) => job?.permissions?.['id-token'] === 'write'),
    'no key': !JSON.stringify(jobs).includes('--key'),
    'the package of one file': runs(publish, 'npm run bundle') !== -1 && runs(publish, 'npm pack ./bundle') !== -1,
    'the SBOM of the package': runs(publish, 'npm sbom') !== -1,
    'signatures of the files': runs(publish, 'cosign sign-blob') > runs(publish, 'npm sbom'),
    'notes from CHANGELOG.md': runs(notes, '.github/release-notes.ts') !== -1 && needs(image).includes('notes'),
    'a release after the image': runs(publish, 'gh release create') !== -1 && needs(publish).includes('image'),
  };
  return Object.keys(held).filter((part) => held[part] !== true);
}

t.test('a release has all that RELEASE.md says of it, and each part comes from a step', async (t) => {
  const text = await readFile('.github/workflows/release.yaml', 'utf8');
  t.strictSame(lacks(parse(text)), []);
  const whole: Workflow = parse(text);
  // Each step without which something is missing.
  for (const [name, job] of Object.entries(whole.jobs))
    for (const [index, step] of job.steps.entries()) {
      if (/^actions\/|^npm ci$/.test(step.uses ?? step.run ?? '')) continue;
      if (step.id === 'names') continue;
      const steps = job.steps.toSpliced(index, 1);
      const without = { jobs: { ...whole.jobs, [name]: { ...job, steps } } };
      t.not(lacks(without).length, 0, `${name} without ${step.uses ?? step.run}`);
    }
  for (const [part, from, to] of [
    ['an image for amd64 and arm64', 'linux/amd64,linux/arm64', 'linux/amd64'],
    ['a push', 'push: true', 'push: false'],
    ['the SBOM of the image', 'sbom: true', 'sbom: false'],
    ['the provenance of the image', 'provenance: mode=max', 'provenance: false'],
    ['an identity in place of a key', 'id-token: write', 'id-token: read'],
    ['no key', 'sign --yes', 'sign --key cosign.key --yes'],
    ['a signature of the image by its digest', digest, ':latest'],
  ] as const)
    t.ok(lacks(parse(text.replaceAll(from, to))).includes(part), `${part}: ${to}`);
});

t.test('a run with nothing in the cache ends within 45 minutes, or fails', async (t) => {
  const { jobs }: Workflow = parse(await readFile('.github/workflows/ci.yaml', 'utf8'));
  t.ok((jobs.ci?.['timeout-minutes'] ?? Number.NaN) <= 45);
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
