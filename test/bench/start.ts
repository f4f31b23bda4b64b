/**
 * `npm run bench:start`: how long a replica takes from nothing to its first answer, and how much memory it keeps when nobody asks.
 * What is started is `dist` with the entry point of the Dockerfile, in the two ways there are: with files, and as in a pod, with the
 * service account of an empty cluster whose API server is real. Before each start a bare server of node:https is started in the same way,
 * so that a busy machine moves both. Ends with 1 when a bound is broken.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificates } from '../../src/files/certificate-folder.ts';
import { type ControlPlane, startControlPlane } from '../apiserver/control-plane.ts';
import { freePort } from '../apiserver/free-port.ts';
import { reviewOf } from '../fixtures/review.ts';
import { median } from './median.ts';

const most = { timesBare: 6.5, idleMegabytes: 120 };
const starts = 7;
/** V8 gives memory back some seconds after the last request. */
const idleMilliseconds = 60_000;

const project = join(import.meta.dirname, '../..');
const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** In a mount namespace of its own there is a service account, as the kubelet mounts it; the clock starts when the program does. */
const enter = `set -e
mount -t tmpfs account /run
mkdir -p "${account}"
cp "$1"/token "$1"/ca.crt "${account}"
shift
date +%s%N
exec "$@"`;

interface Way {
  readonly name: string;
  readonly options: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What stands before Node on the command line. It prints the time in nanoseconds before it becomes Node. */
  readonly runner: readonly [string, ...string[]];
}

interface Started {
  readonly child: ChildProcess;
  readonly milliseconds: number;
}

/** A namespace of nobody, by somebody who may not create it: the first thing that is to be refused. */
const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'first' } };
const body = JSON.stringify(reviewOf({ user: { username: 'carol', groups: [] }, operation: 'CREATE', object }));

async function startBulkhead(way: Way, certificates: string): Promise<Started> {
  const port = await freePort();
  const ports = ['--port', String(port), '--health-port', '0', '--metrics-port', '0'];
  const served = [...(await entrypoint()), 'serve', ...way.options, '--certificates', certificates, ...ports];
  return start(way, served, port, certificates);
}

async function startBare(way: Way, certificates: string): Promise<Started> {
  const port = await freePort();
  return start(way, ['--eval', bareServer, '--', String(port), certificates], port, certificates);
}

/** @param words what Node is given */
async function start(
  { environment, runner }: Way,
  words: readonly string[],
  port: number,
  certificates: string,
): Promise<Started> {
  const ca = await readFile(join(certificates, 'ca.crt'), 'utf8');
  const [program, ...before] = runner;
  const child = spawn(program, [...before, process.execPath, ...words], {
    cwd: project,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  for (;;) {
    if (await refused(port, ca)) break;
    if (child.exitCode !== null) throw new Error(`it ended before it answered:\n${log}`);
    await sleep(2);
  }
  const answered = Date.now();
  const [nanoseconds = ''] = /^\d+/.exec(log) ?? [];
  return { child, milliseconds: answered - Number(nanoseconds) / 1e6 };
}

/** Whether the review is answered as it must be; not before the server knows what there is. */
function refused(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', servername: 'localhost', port, ca, path: '/validate?timeout=5s' };
    request({ ...target, method: 'POST', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text.includes('"code":403')));
    })
      .on('error', () => resolve(false))
      .end(body);
  });
}

/** The least that answers in place of Bulkhead: its port and the folder of its certificate come after it. */
const bareServer = `
const [port, folder] = process.argv.slice(1);
const [cert, key] = ['tls.crt', 'tls.key'].map((name) => require('node:fs').readFileSync(folder + '/' + name));
const server = require('node:https').createServer({ cert, key }, (request, response) => {
  request.resume().on('end', () => response.end('{"code":403}'));
});
server.listen(Number(port), '127.0.0.1');`;

/** The options of Node and the program, as the image has them. */
async function entrypoint(): Promise<string[]> {
  const [, text = '[]'] = /^ENTRYPOINT (.+)$/m.exec(await readFile(join(project, 'Dockerfile'), 'utf8')) ?? [];
  const [, ...words]: string[] = JSON.parse(text);
  return words.map((word) => word.replace('/app/', `${project}/`));
}

async function measure(way: Way, certificates: string): Promise<boolean> {
  const times: number[] = [];
  const bareTimes: number[] = [];
  let idle = Number.NaN;
  for (let count = 1; count <= starts; count++) {
    const bare = await startBare(way, certificates);
    bareTimes.push(bare.milliseconds);
    await end(bare.child);
    const { child, milliseconds } = await startBulkhead(way, certificates);
    times.push(milliseconds);
    if (count === starts) {
      await sleep(idleMilliseconds);
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      idle = (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
    }
    await end(child);
  }
  const ratio = median(times) / median(bareTimes);
  const kept = ratio <= most.timesBare && idle <= most.idleMegabytes;
  say(
    `${way.name.padEnd(22)}first answer after ${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)} to ` +
      `${Math.max(...times).toFixed(0)}, ${starts} starts), bare server ${median(bareTimes).toFixed(0)} ms: ` +
      `${ratio.toFixed(2)} times, idle ${idle.toFixed(1)} MB: ${kept ? 'kept' : 'BROKEN'}`,
  );
  return kept;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The rights of the manifests, and a token of the service account that they belong to. */
async function inPod(plane: ControlPlane, folder: string): Promise<Way> {
  for (const file of [
    'crds/tenants.bulkhead.dev.yaml',
    'crds/exemptions.bulkhead.dev.yaml',
    'base/namespace.yaml',
    'base/access.yaml',
  ]) {
    const command = ['apply', '-f', join(project, 'manifests', file)];
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, command);
    if (code !== 0) throw new Error(stderr);
  }
  const path = '/api/v1/namespaces/bulkhead-system/serviceaccounts/bulkhead/token';
  const { body: answer } = await plane.request('POST', path, { spec: { expirationSeconds: 3600 } });
  await writeFile(join(folder, 'token'), (answer as { readonly status: { readonly token: string } }).status.token);
  await writeFile(join(folder, 'ca.crt'), plane.caCertificate);
  const rights = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return {
    name: 'in an empty cluster',
    options: ['--config', 'manifests/overlays/example/bulkhead.yaml'],
    environment: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) },
    runner: ['unshare', '--mount', ...rights, 'sh', '-c', enter, 'sh', folder],
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await access(join(project, 'dist/main.js')).catch(() => {
  throw new Error('There is no dist: npm run build');
});
const folder = await mkdtemp(join(tmpdir(), 'bulkhead-start-'));
const plane = await startControlPlane({ controllers: false });
try {
  const certificates = join(folder, 'certificates');
  await makeCertificates(certificates, ['localhost'], Date.now());
  const examples = 'manifests/examples';
  const files: Way = {
    name: 'with files',
    options: [
      '--tenants',
      'manifests/overlays/example/tenants',
      '--config',
      'manifests/overlays/example/bulkhead.yaml',
      '--namespaces',
      `${examples}/namespaces`,
    ],
    environment: {},
    runner: ['sh', '-c', 'date +%s%N; exec "$@"', 'sh'],
  };
  const kept = [await measure(files, certificates), await measure(await inPod(plane, folder), certificates)];
  if (kept.includes(false)) process.exitCode = 1;
} finally {
  await plane.stop();
  await rm(folder, { recursive: true, force: true });
}
