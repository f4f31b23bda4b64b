/** The steps of the Dockerfile, carried out; and what comes of them, started as a cluster would: as nobody, on a root that cannot be written. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, glob, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import t from 'tap';
import { makeCertificates } from '../../src/files/certificate-folder.ts';
import { skipOrFail } from '../apiserver/cluster-test.ts';
import { reviewOf } from '../fixtures/review.ts';
import { buildImage } from './dockerfile.ts';

const image = await buildImage([dirname(process.execPath), process.env.PATH].join(':'));
t.teardown(() => rm(image.folder, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;

t.test('the image holds what runs and nothing else', async (t) => {
  const files: string[] = [];
  let bytes = 0;
  for await (const path of glob('**/*', { cwd: image.root })) {
    const found = await stat(join(image.root, path));
    if (!found.isFile()) continue;
    files.push(path);
    bytes += found.size;
  }
  const kinds = new Set(files.map((path) => path.replace(/^app\//, '').replace(/[^/]*?(?=\.\w+$)/, '*')));
  t.strictSame(
    [...kinds].sort(),
    [
      'dist/*.js',
      'dist/commands/*.js',
      'dist/commands/*.txt',
      'manifests/examples/*.yaml',
      'manifests/examples/application/*.yaml',
      'manifests/examples/in-use/*.yaml',
      'manifests/examples/namespaces/*.yaml',
      'manifests/examples/objects/*.yaml',
      'manifests/overlays/example/*.yaml',
      'manifests/overlays/example/tenants/*.yaml',
      '*.json',
    ].sort(),
    'no source, no test, no library with its own files, no key',
  );
  for (const path of files.filter((one) => /\.(js|txt|json)$/.test(one))) {
    const text = await readFile(join(image.root, path), 'utf8');
    t.notMatch(text, /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n[A-Za-z0-9+/]{60}/, `${path} holds no key`);
    const isForKubeconfigs = text.includes('// node_modules/@kubernetes/client-node');
    if (!isForKubeconfigs) t.notMatch(text, /from "(node:)?http"/, `${path} does not load fetch with http`);
    for (const library of ['typescript', '@biomejs', 'fast-check', 'esbuild'])
      t.notMatch(text, `// node_modules/${library}`, `${path} holds nothing of ${library}`);
  }
  t.ok(bytes < 8 * mebibyte, `it has ${(bytes / mebibyte).toFixed(1)} MiB beside Node`);
  t.match(image.base, /^gcr\.io\/distroless\/nodejs24-debian\d+:nonroot$/, 'and begins with Node alone');
});

/** Prepared in a mount namespace of its own, so that it is gone with the process: Node, the libraries it is linked with, and the image. */
const enter = `set -e
# The test runner's, which it gives to all children; its files are not in the image.
unset NODE_OPTIONS
root=$1; node=$2; user=$3; shift 3
mount --bind "$root" "$root"
for folder in usr lib lib64; do
  if [ -d "/$folder" ]; then mkdir -p "$root/$folder"; mount --rbind "/$folder" "$root/$folder"; fi
done
mkdir -p "$root/nodejs/bin" "$root/dev" "$root/proc" "$root/tmp"
mount --bind "$node" "$root/nodejs/bin"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
if [ "$1" = --scratch ]; then shift; mount -t tmpfs -o mode=1777 scratch "$root/tmp"; fi
mount -o remount,bind,ro "$root"
exec chroot $user "$root" "$@"`;

const isRoot = process.getuid?.() === 0;

/** `--scratch` before the program: with a /tmp. A person without rights stays the one he is; for root, the user of the image. */
function start(program: readonly string[]): { child: ChildProcess; output: () => string } {
  const user = isRoot ? `--userspec=${image.user} --groups=` : '';
  const namespaces = isRoot ? ['--mount'] : ['--mount', '--map-root-user'];
  const place = [image.root, dirname(process.execPath), user];
  const child = spawn('unshare', [...namespaces, 'sh', '-c', enter, 'sh', ...place, ...program], {
    env: { ...image.environment, PATH: `${image.environment.PATH}:/usr/sbin:/sbin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return { child, output: () => output };
}

async function ended(program: readonly string[]): Promise<{ code: number | null; output: string }> {
  const { child, output } = start(program);
  const [code] = await once(child, 'close');
  return { code, output: output() };
}

const namespaces = spawnSync('unshare', [isRoot ? '--mount' : '--map-root-user', 'true']).status === 0;
if (!namespaces) skipOrFail('the image runs', 'there may be no namespaces of its own here');
else
  t.test('the image runs, as nobody, on a root that cannot be written', async (t) => {
    const mounted = join(image.root, 'mounted');
    await mkdir(mounted);
    const made = join(image.folder, 'certificates');
    const { caBundle } = await makeCertificates(made, ['localhost'], Date.now());
    await cp(made, mounted, { recursive: true });
    if (isRoot) spawnSync('chown', ['-R', image.user, mounted]);

    const attempt = "require('node:fs').writeFileSync('/app/more.js', '')";
    t.match((await ended(['node', '-e', attempt])).output, 'EROFS', 'nothing can be written');
    const who = await ended(['node', '-p', 'process.getuid()']);
    if (isRoot) t.equal(who.output, '65532\n', 'it is nobody');
    const [program = '', ...entrypoint] = image.entrypoint;
    const demo = await ended(['--scratch', program, ...entrypoint, 'demo']);
    t.match(demo.output, /^15 commands, 15 ended as they should/m, 'the demo runs, and is the only one to need a /tmp');
    t.equal(demo.code, 0);
    const audit = await ended([program, ...entrypoint, 'audit', '--kubeconfig', '/nowhere']);
    t.match(audit.output, /the kubeconfig \/nowhere cannot be used/, 'what reads kubeconfigs is in it');

    const examples = '/app/manifests/examples';
    const overlay = '/app/manifests/overlays/example';
    const files = ['--tenants', `${overlay}/tenants`, '--config', `${overlay}/bulkhead.yaml`];
    const ports = ['--port', '0', '--health-port', '0', '--metrics-port', '0'];
    const others = ['--namespaces', `${examples}/namespaces`, '--certificates', '/mounted', ...ports];
    const { child, output } = start([program, ...entrypoint, ...image.command, ...files, ...others]);
    t.teardown(() => child.kill('SIGKILL'));
    const listening = /"webhook":(\d+)/;
    while (!listening.test(output())) {
      if (child.exitCode !== null) throw new Error(output());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [, port] = listening.exec(output()) ?? [];
    const answer = await ask(Number(port), caBundle);
    t.match(answer, { response: { allowed: false, status: { code: 403 } } }, 'a review is answered');
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    t.equal(code, 0, 'and it ends when it is told to', { output: output() });
  });

/** A namespace of acme, by somebody who belongs to nobody. */
function ask(port: number, ca: string): Promise<unknown> {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-more' } };
  const review = reviewOf({ user: { username: 'carol', groups: [] }, operation: 'CREATE', object });
  const options = { host: '127.0.0.1', servername: 'localhost', port, ca, path: '/validate', method: 'POST' };
  return new Promise((resolve, reject) => {
    request({ ...options, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    })
      .on('error', reject)
      .end(JSON.stringify(review));
  });
}
