import { chmod, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { type Binaries, buildVersion, findBinaries } from './binaries.ts';

/** Stands in for Go: answers what version it is, and "builds" by writing a line. `$FAKE_GO_LOG` counts the builds. */
const fakeGo = `#!/bin/sh
case "$1" in
env) echo "go$FAKE_GO_VERSION" ;;
build)
  echo build >>"$FAKE_GO_LOG"
  sleep 0.3
  if [ -n "$FAKE_GO_ERROR" ]; then echo "$FAKE_GO_ERROR" >&2; exit 1; fi
  while [ "$1" != -o ]; do shift; done
  echo program >"$2"
  ;;
esac
`;

/** An environment of its own, with a folder as cache, and Go of this version, or none. */
async function setUp(
  t: Test,
  go: { version: string; error?: string } | undefined,
): Promise<{ cache: string; log: string; printed: () => string[] }> {
  const directory = t.testdir({ bin: {}, cache: {}, log: '' });
  const log = join(directory, 'log');
  const variables: NodeJS.ProcessEnv = { KUBEBUILDER_ASSETS: '', XDG_CACHE_HOME: join(directory, 'cache') };
  if (go === undefined) {
    variables.PATH = join(directory, 'bin');
  } else {
    await writeFile(join(directory, 'bin', 'go'), fakeGo);
    await chmod(join(directory, 'bin', 'go'), 0o755);
    variables.PATH = `${join(directory, 'bin')}:${process.env.PATH}`;
    Object.assign(variables, { FAKE_GO_VERSION: go.version, FAKE_GO_ERROR: go.error ?? '', FAKE_GO_LOG: log });
  }
  const stderr = t.capture(process.stderr, 'write', () => true);
  t.intercept(process, 'env', { value: { ...process.env, ...variables } });
  return {
    cache: join(directory, 'cache', 'bulkhead', 'apiserver'),
    log,
    printed: () => stderr().map(({ args }) => String(args[0])),
  };
}

function found(answer: Awaited<ReturnType<typeof findBinaries>>): Binaries {
  if ('missing' in answer) throw new Error(answer.missing);
  return answer;
}

/** Each makes two programs. */
async function builds(log: string): Promise<number> {
  return (await readFile(log, 'utf8')).split('\n').filter((line) => line === 'build').length / 2;
}

t.test('without Go and without KUBEBUILDER_ASSETS the answer is what to install', async (t) => {
  await setUp(t, undefined);
  t.match(await findBinaries(), {
    missing: /^no Go was found: install Go 1\.\d+\.\d+ or newer, or set KUBEBUILDER_ASSETS to a folder with etcd, /,
  });
});

t.test('a Go that is too old is named', async (t) => {
  await setUp(t, { version: '1.9.7' });
  t.match(await findBinaries(), { missing: /^Go 1\.9\.7 is too old: install Go / });
});

t.test('what is built once is found again, and nothing but it is left in the cache', async (t) => {
  const { cache, log, printed } = await setUp(t, { version: '1.99.0' });
  const first = found(await findBinaries());
  t.match(printed(), [
    /^# building Kubernetes v1\.\d+\.\d+ for the tests into .*: takes minutes, the first time only\n$/,
  ]);
  const second = found(await findBinaries());
  t.strictSame(first, second);
  t.strictSame(printed(), [], 'the second time there is nothing to say');
  t.equal(await builds(log), 1);
  t.strictSame(await readdir(cache), [dirname(first.etcd).slice(cache.length + 1)]);
  for (const path of [first.etcd, first.kubeApiServer, first.kubectl, first.kubeControllerManager ?? '']) {
    t.equal(await readFile(path, 'utf8'), 'program\n', path);
  }
});

t.test('several that need it at the same moment build it once', async (t) => {
  const { log } = await setUp(t, { version: '1.99.0' });
  const [first, ...others] = await Promise.all([findBinaries(), findBinaries(), findBinaries()]);
  for (const other of others) t.strictSame(other, first);
  t.equal(await builds(log), 1);
});

t.test('another version of Go builds into another folder', async (t) => {
  const { cache } = await setUp(t, { version: '1.99.0' });
  await findBinaries();
  process.env.FAKE_GO_VERSION = '1.99.1';
  await findBinaries();
  t.equal((await readdir(cache)).length, 2);
});

t.test('another Kubernetes is built by its own modules, into another folder', async (t) => {
  const { cache, printed } = await setUp(t, { version: '1.99.0' });
  const { etcd } = found(await findBinaries());
  const built = await buildVersion('1.34');
  if ('missing' in built) throw new Error(built.missing);
  t.match(printed()[1], /^# building Kubernetes v1\.34\.\d+ for the tests into /);
  t.strictSame((await readdir(cache)).sort(), [dirname(etcd), built.folder].map((folder) => basename(folder)).sort());
  await t.rejects(buildVersion('1.1'), { code: 'ENOENT' }, 'where there are such modules');
});

t.test('the lock of a builder that was killed does not stop the next one', async (t) => {
  const { cache, log } = await setUp(t, { version: '1.99.0' });
  const target = dirname(found(await findBinaries()).etcd);
  await rm(target, { recursive: true });
  await writeFile(`${target}.lock`, '');
  const aMinuteAgo = new Date(Date.now() - 60_000);
  await utimes(`${target}.lock`, aMinuteAgo, aMinuteAgo);
  found(await findBinaries());
  t.equal(await builds(log), 2);
  t.equal((await readdir(cache)).length, 1);
});

t.test('a build that fails says what Go said, and leaves nothing', async (t) => {
  const { cache } = await setUp(t, { version: '1.99.0', error: 'no required module provides package' });
  await t.rejects(findBinaries(), { message: /^go build ended with code 1:\nno required module provides package/ });
  t.strictSame(await readdir(cache), []);
});

t.test('the programs of KUBEBUILDER_ASSETS are taken, without a controller manager where it has none', async (t) => {
  await setUp(t, undefined);
  const assets = join(t.testdirName, 'assets');
  await mkdir(assets);
  for (const name of ['etcd', 'kube-apiserver', 'kubectl']) await writeFile(join(assets, name), '', { mode: 0o755 });
  process.env.KUBEBUILDER_ASSETS = assets;
  t.strictSame(await findBinaries(), {
    etcd: join(assets, 'etcd'),
    kubeApiServer: join(assets, 'kube-apiserver'),
    kubectl: join(assets, 'kubectl'),
    kubeControllerManager: undefined,
  });
  await rm(join(assets, 'kubectl'));
  await t.rejects(
    findBinaries(),
    { message: `KUBEBUILDER_ASSETS is ${assets}, where no program kubectl is` },
    'incomplete',
  );
});
