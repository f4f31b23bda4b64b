/** The command line, as a process: what a person at the keyboard, a kubelet and an API server see. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { runCommandLine } from '../src/commands/command-line.ts';
import { Misuse } from '../src/commands/misuse.ts';
import { compileCache } from './compile-cache.ts';

interface Ended {
  readonly code: number | null;
  /** All that it wrote. */
  readonly output: string;
  /** What of it went to the standard error. */
  readonly errors: string;
}

function start(args: readonly string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env.PATH ?? '', ...compileCache, ...environment };
  const child = spawn(process.execPath, ['src/main.ts', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (errors += text));
  const ended = once(child, 'close').then(([code]): Ended => ({ code, output, errors }));
  /** The first line of the log that matches. */
  const line = async (pattern: RegExp): Promise<Record<string, unknown>> => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const found = output.split('\n').find((one) => pattern.test(one));
      if (found !== undefined) return JSON.parse(found);
      await sleep(50);
    }
    throw new Error(`no line matches ${pattern}:\n${output}`);
  };
  return { child, ended, line, output: () => output };
}

const free = ['--port', '0', '--health-port', '0', '--metrics-port', '0'];

/** A folder with the example tenants, namespaces and settings, to be changed. */
async function examples(t: Test): Promise<{ folder: string; args: string[] }> {
  const folder = t.testdir();
  await cp('manifests/overlays/example/tenants', join(folder, 'tenants'), { recursive: true });
  await cp('manifests/examples/namespaces', join(folder, 'namespaces'), { recursive: true });
  await copyFile('manifests/overlays/example/bulkhead.yaml', join(folder, 'bulkhead.yaml'));
  const paths = ['--tenants', join(folder, 'tenants'), '--config', join(folder, 'bulkhead.yaml')];
  const namespaces = ['--namespaces', join(folder, 'namespaces')];
  return { folder, args: ['serve', ...paths, ...namespaces, '--certificates', join(folder, 'certificates'), ...free] };
}

t.test(
  'lint reads the standard input, and its exit code is the answer, even when nothing reads what it prints',
  async (t) => {
    const example = 'manifests/overlays/example';
    const lint = `${process.execPath} src/main.ts lint --config ${example}/bulkhead.yaml --tenants ${example}/tenants`;
    const inShell = async (script: string): Promise<string> => {
      const child = spawn('bash', ['-c', `{ ${script}; } 2>&1`], {
        env: { PATH: process.env.PATH ?? '', ...compileCache },
      });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
      await once(child, 'close');
      return output;
    };
    const open = 'manifests/examples/objects/policy-open.yaml';
    t.match(await inShell(`cat ${open} | ${lint} -; echo "ended with $?"`), /<stdin>:15:11 [\s\S]*\nended with 1\n$/);
    t.equal(await inShell(`{ { ${lint} ${open}; echo "ended with $?" >&2; } | true; }`), 'ended with 1\n');
    t.match(
      await inShell(`${lint} none.yaml; echo "ended with $?"`),
      /bulkhead: none\.yaml: does not exist[\s\S]*\nended with 2\n$/,
    );
  },
);

t.test('what is excluded is named on the standard error', async (t) => {
  const folder = 'docs/examples/diff';
  const tenancy = ['--config=manifests/overlays/example/bulkhead.yaml', '--tenants=manifests/overlays/example/tenants'];
  const { errors } = await start(['lint', ...tenancy, folder, '--exclude', `${folder}/old`]).ended;
  t.equal(errors, `bulkhead: excluded: ${folder}/old\n`);
});

t.test('mistakes at the keyboard are said in a sentence', async (t) => {
  const needs =
    /^bulkhead: serve needs --tenants DIR and --namespaces DIR, or an API server that has both: give --kubeconfig FILE\n/;
  const mistakes: readonly (readonly [string[], RegExp])[] = [
    [['serv'], /^bulkhead: unknown command 'serv' \(Did you mean serve\?\)\nTry: bulkhead --help\n$/],
    [['serve'], needs],
    [['serve', '--tenants', 'x'], needs],
    [['serve', '--namespaces', 'x'], needs],
    [['serve', '--tenants', 'x', '--port', 'https'], /^bulkhead: --port is a port from 0 to 65535, not https\n/],
    [['serve', '--tenants', 'x', '--port', '65536'], /^bulkhead: --port is a port from 0 to 65535, not 65536\n/],
    [['serve', '--tenants', 'x', '--log-level', 'loud'], /^bulkhead: --log-level is one of trace, debug/],
    [
      ['audit', '-o', 'csv'],
      /^bulkhead: --output is one of table, wide, json, yaml, name, sarif, junit, github, html, not csv\n/,
    ],
    [
      ['serve', '--tenants', 'x', '--tenant', 'y'],
      /^bulkhead: unknown option '--tenant' \(Did you mean --tenants\?\)\nTry: bulkhead serve --help\n$/,
    ],
    [
      ['serve', 'now', '--tenants', 'x'],
      /^bulkhead: too many arguments for 'serve'\. Expected 0 arguments but got 1\.\n/,
    ],
    [
      ['serve', '--kubeconfig', 'x', '--webhook-configurations', '--read-only'],
      /^bulkhead: --webhook-configurations writes to an API server: it excludes --namespaces and --read-only\n/,
    ],
    [
      ['serve', '--tenants', 'x', '--namespaces', 'y', '--kubeconfig', 'z'],
      /^bulkhead: give --namespaces or --kubeconfig/,
    ],
    [
      ['serve', '--kubeconfig', 'x', '--certificate-secret', 'a/b'],
      /^bulkhead: --certificate-secret needs --webhook-configurations, which gives API servers the CA bundle\n/,
    ],
    [
      ['serve', '--kubeconfig', 'x', '--webhook-configurations', '--certificate-secret', 'b'],
      /^bulkhead: --certificate-secret is NAMESPACE\/NAME, not b\n/,
    ],
    [
      ['serve', '--kubeconfig', 'x', '--webhook-configurations', '--certificate-secret', 'a/b', '--certificates', 'c'],
      /^bulkhead: give --certificates or --certificate-secret, not both\n/,
    ],
    [
      [
        'serve',
        '--kubeconfig',
        'x',
        '--webhook-configurations',
        '--certificate-secret',
        'a/b',
        '--rotation',
        'settle=0',
      ],
      /^bulkhead: --rotation takes settle, overlap, tick, authority, server, path as NAME=SECONDS, not settle=0\n/,
    ],
    [
      ['serve', '--kubeconfig', 'x', '--rotation', 'settle=1'],
      /^bulkhead: --rotation goes with --certificate-secret\n/,
    ],
    [
      ['serve', '--client-name', 'x'],
      /^bulkhead: --client-name needs --client-ca FILE, the CA bundle that verifies such/,
    ],
    [['serve', '--client-ca', 'x', '--client-name', ''], /^bulkhead: --client-name needs a NAME that is not empty\n/],
    [['doctor', '--as', 'alice'], /^bulkhead: --as, --as-group and --namespace go with --self-test\n/],
    [
      ['doctor', '--self-test', '--as', 'alice'],
      /^bulkhead: --self-test needs --as NAME, a member of a tenant, and --namespace NAME, a namespace of that tenant\n/,
    ],
    [
      ['doctor', '--self-test', '--as', 'a\r\nb', '--namespace', 'x'],
      /^bulkhead: --as and --as-group are names of printable ASCII characters\n/,
    ],
    [
      ['doctor', '--self-test', '--as', 'a', '--namespace', '../x'],
      /^bulkhead: --namespace is the name of a namespace, not \.\.\/x\n/,
    ],
    [['doctor', '-o', 'table'], /^bulkhead: --output is one of text, json, not table\n/],
    [['lint', '.', '--exclude', ''], /^bulkhead: --exclude needs a FOLDER that is not empty\n/],
    [['demo', 'please'], /^bulkhead: too many arguments for 'demo'/],
    [['audit', '--port', '1'], /^bulkhead: unknown option '--port'/],
  ];
  for (const [args, says] of mistakes) {
    const what = `bulkhead ${args.join(' ')}`;
    // A process takes a second. How it ends, and what it adds to the sentence, those show that look for its last line.
    if (!says.source.includes('Try: ')) {
      t.match(await sentenceOf(args), says, `${what} says why`);
      continue;
    }
    const { code, output } = await start(args).ended;
    t.equal(code, 2, `${what} ends with 2`);
    t.match(output, says, `${what} says why`);
    t.notMatch(output, /^ +at /m, 'and shows no stack trace');
  }
  const help = await start([]).ended;
  t.equal(help.code, 0, 'without a command it helps');
  t.match(help.output, /^Usage: bulkhead [^\n]+\n\nKeep the tenants of one Kubernetes cluster apart\./);
});

t.test('what is wrong in the files is said with its place, and nothing starts', async (t) => {
  const { folder, args } = await examples(t);
  const typo = 'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: beta }\nspec:\n  mod: warn\n';
  await writeFile(join(folder, 'typo.yaml'), typo);
  await writeFile(join(folder, 'tenant.yaml'), typo.replace('mod:', 'mode:'));
  const labels = '{ bulkhead.dev/tenant: acme, networking.example.com/role: ingress }';
  const edge = `apiVersion: v1\nkind: Namespace\nmetadata: { name: acme-edge, labels: ${labels} }\n`;
  await writeFile(join(folder, 'edge.yaml'), edge);
  const withTenants = (file: string) => ['serve', '--tenants', join(folder, file), ...free];
  const inNoCluster = ['--kubeconfig', join(folder, 'no-kubeconfig')];
  const reasons: readonly (readonly [what: string, args: string[], says: RegExp])[] = [
    [
      'a typo, with its file, line and column and what was meant',
      [...withTenants('typo.yaml'), '--namespaces', folder],
      /^bulkhead: [^ ]+typo\.yaml:5:3: spec\.mod: [^"]*mode/,
    ],
    [
      'a folder that is not there',
      [...withTenants('nowhere'), '--namespaces', folder],
      /^bulkhead: [^ ]+nowhere: does not exist/,
    ],
    [
      'what is no namespace',
      [...withTenants('tenant.yaml'), '--namespaces', join(folder, 'tenant.yaml')],
      /^bulkhead: [^ ]+tenant\.yaml:1:1: is not a v1 Namespace/,
    ],
    [
      'a namespace of a tenant with a label that only the platform writes',
      [...args, '--namespaces', join(folder, 'edge.yaml')],
      /^bulkhead: settings: spec\.trustedNamespaceLabels\[0\]\.key: namespace acme-edge has "networking\.example\.com\/role"/,
    ],
    [
      'a kubeconfig that is not there',
      [...withTenants('tenant.yaml'), ...inNoCluster],
      /^bulkhead: the kubeconfig [^ ]+no-kubeconfig cannot be used: /,
    ],
    [
      'no authority of the clients',
      [...args, '--client-ca', join(folder, 'tenant.yaml')],
      /^bulkhead: [^ ]+tenant\.yaml is not a list of PEM certificates/,
    ],
    [
      'an address of somebody else',
      [...args, '--host', '192.0.2.1'],
      /^bulkhead: the health port cannot be listened on: /m,
    ],
  ];
  for (const [what, command, says] of reasons) {
    const { code, errors, output } = await start([...command, '--log-level', 'silent']).ended;
    t.equal(code, 1, what);
    t.match(errors, says, `${what}: is said whatever the level of the log is`);
    t.notMatch(output, /^ +at |"stack"/m, 'without a stack trace');
  }
});

t.test('serve answers from files, follows their changes, and never takes over a bad state', async (t) => {
  const { folder, args } = await examples(t);
  const { child, ended, line } = start(args);
  t.teardown(() => child.kill('SIGKILL'));
  const { webhook, health, metrics } = await line(/"msg":"listening"/);
  t.match((await line(/certificates made/)).issued, 'authority', 'it made its own certificates');
  const ca = await readFile(join(folder, 'certificates/ca.crt'));
  const ask = (user: string, group: string) => review(Number(webhook), ca, user, group);

  t.equal((await get(Number(health), '/livez')).status, 200, 'it is alive');
  t.equal((await get(Number(health), '/readyz')).status, 200, 'and ready');
  t.same(await ask('alice', 'acme-developers'), { allowed: true }, 'a member of acme creates a namespace');
  t.same(await ask('zoe', 'zeta-developers'), { allowed: false }, 'nobody of zeta does');

  const zeta = join(folder, 'tenants/zeta.yaml');
  const document = (spec: string) =>
    `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: zeta }\nspec: ${spec}\n`;
  await writeFile(zeta, document('{ members: [{ kind: Group, name: zeta-developers }] }'));
  await line(/"tenants":4,"msg":"new tenants and settings are in force"/);
  t.same(await ask('zoe', 'zeta-developers'), { allowed: true }, 'a tenant more');

  await writeFile(zeta, document('{ members: [{ kind: Everybody, name: zeta-developers }] }'));
  t.match((await line(/zeta\.yaml:4:/)).level, 50, 'what is wrong is in the log');
  await line(/are not in force; the ones before still are/);
  t.same(await ask('zoe', 'zeta-developers'), { allowed: true }, 'the last good state still holds');
  t.match(
    (await get(Number(metrics), '/metrics')).body,
    /^bulkhead_tenancy_reload_problems [1-9]/m,
    'and the metric says so',
  );

  await rm(zeta);
  for (let attempt = 0; attempt < 200 && (await ask('zoe', 'zeta-developers')).allowed; attempt++) await sleep(50);
  t.same(await ask('zoe', 'zeta-developers'), { allowed: false }, 'a tenant less');
  t.match(
    (await get(Number(metrics), '/metrics')).body,
    /^bulkhead_tenancy_reload_problems 0/m,
    'and all is well again',
  );

  const own = join(folder, 'namespaces/zeta.yaml');
  await writeFile(own, 'apiVersion: v1\nkind: Namespace\nmetadata: { name: zeta }\n');
  t.match(await line(/"msg":"new namespaces are in force"/), { namespaces: 8 });
  await writeFile(own, 'kind: Namespace');
  await line(/the namespaces that were read last are not in force; the ones before still are/);
  t.match((await get(Number(metrics), '/metrics')).body, /^bulkhead_tenancy_reload_problems 1$/m, 'namespaces too');

  child.kill('SIGINT');
  t.equal((await ended).code, 0, 'an interrupt ends it at once');
});

t.test('an end that fails is told, and is no success', async (t) => {
  const { args } = await examples(t);
  const stuck = `import { Server } from 'node:http'; Server.prototype.closeAllConnections = () => { throw new Error('stuck'); };`;
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(stuck)}` };
  for (const signals of [['SIGINT'], ['SIGTERM', 'SIGTERM']] as const) {
    const { child, ended, line } = start(args, environment);
    t.teardown(() => child.kill('SIGKILL'));
    const { health } = await line(/"msg":"listening"/);
    for (const [index, signal] of signals.entries()) {
      child.kill(signal);
      if (index + 1 < signals.length) await unready(Number(health));
    }
    const { code, errors } = await ended;
    t.equal(code, 1, signals.join(', then '));
    t.match(errors, /^bulkhead: AggregateError: a part of the server could not be ended(.|\n)*stuck/);
  }
});

t.test('the command of the first page starts', async (t) => {
  const [, command = ''] =
    /```sh\nnpm run bulkhead -- (serve .+)\n```/.exec(await readFile('docs/start.md', 'utf8')) ?? [];
  const { child, ended, line } = start([
    ...command.split(' '),
    '--certificates',
    join(t.testdir(), 'certificates'),
    ...free,
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  t.equal((await line(/"msg":"listening"/)).tenants, 3);
  child.kill('SIGINT');
  t.equal((await ended).code, 0);
});

t.test('SIGTERM: not ready any more, but it still answers; a second one ends it', async (t) => {
  const { folder, args } = await examples(t);
  const { child, ended, line } = start(args);
  t.teardown(() => child.kill('SIGKILL'));
  const { webhook, health } = await line(/"msg":"listening"/);
  const ca = await readFile(join(folder, 'certificates/ca.crt'));
  child.kill('SIGTERM');
  t.match(await unready(Number(health)), { status: 503, body: 'the server is going away' });
  t.same(await review(Number(webhook), ca, 'alice', 'acme-developers'), { allowed: true }, 'it answers to the end');
  child.kill('SIGTERM');
  t.equal((await ended).code, 0);
});

t.test('a certificate of somebody else is taken as it is', async (t) => {
  const { folder, args } = await examples(t);
  const first = start(args);
  await first.line(/"msg":"listening"/);
  first.child.kill('SIGINT');
  await first.ended;
  await rm(join(folder, 'certificates/ca.key'));
  const second = start(args);
  t.teardown(() => second.child.kill('SIGKILL'));
  const { webhook } = await second.line(/"msg":"listening"/);
  t.notMatch(second.output(), 'certificates made', 'nothing is made');
  const ca = await readFile(join(folder, 'certificates/ca.crt'));
  t.same(await review(Number(webhook), ca, 'alice', 'acme-developers'), { allowed: true });
  await writeFile(join(folder, 'certificates/tls.key'), 'nonsense');
  second.child.kill('SIGINT');
  await second.ended;
  const third = await start(args).ended;
  t.equal(third.code, 1, 'a pair that does not belong together does not start');
  t.match(third.output, /tls\.key/, 'and is named');
  t.notMatch(third.output, /"stack"/, 'without a stack trace');
});

/** What a process prints first about a mistake. */
async function sentenceOf(args: readonly string[]): Promise<string> {
  try {
    await runCommandLine(args, { print: () => {}, environment: {} });
  } catch (error) {
    if (error instanceof Misuse) return `bulkhead: ${error.message}\n`;
    throw error;
  }
  throw new Error(`bulkhead ${args.join(' ')} is no mistake`);
}

/** What readiness says when it does not say yes any more. */
async function unready(port: number): Promise<{ status: number; body: string }> {
  for (let attempt = 0; attempt < 100 && (await get(port, '/readyz')).status === 200; attempt++) await sleep(20);
  return get(port, '/readyz');
}

async function get(port: number, path: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, body: await answer.text() };
}

/** Asks whether somebody may create a namespace. */
function review(port: number, ca: Buffer, username: string, group: string): Promise<{ allowed: boolean }> {
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'fresh', labels: { 'bulkhead.dev/tenant': group.replace('-developers', '') } },
  };
  const body = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'one',
      kind: { group: '', version: 'v1', kind: 'Namespace' },
      resource: { group: '', version: 'v1', resource: 'namespaces' },
      name: 'fresh',
      operation: 'CREATE',
      userInfo: { username, groups: [group] },
      object,
    },
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: 'localhost', port, path: '/validate?timeout=5s', method: 'POST', ca, agent: false },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        answer.on('end', () => resolve({ allowed: JSON.parse(text).response.allowed }));
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}
