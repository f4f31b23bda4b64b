/** Commands that read a cluster once: what lint finds between layers, what they show meanwhile, and lists that fail. */
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { countingOf, progressOf } from '../../src/commands/progress.ts';
import { fakeClock } from '../client/fake-clock.ts';
import { listedCluster } from './listed-cluster.ts';

const tenants = ['--tenants', 'docs/examples/audit/tenants.yaml'];
const settings = `apiVersion: bulkhead.dev/v1alpha1
kind: Settings
spec:
  istio: { trustDomains: [cluster.local], mtls: strict }
`;
type Objects = Readonly<Record<string, readonly object[]>>;

const namespace = (name: string, tenant: string, labels: object = {}) => ({
  metadata: { name, labels: { 'kubernetes.io/metadata.name': name, 'bulkhead.dev/tenant': tenant, ...labels } },
});
const pod = (place: string, labels: object = {}, spec: object = {}) => {
  const [of, name] = place.split('/');
  return { metadata: { namespace: of, name, labels }, spec: { containers: [], ...spec } };
};
const inMesh = { 'istio-injection': 'enabled' };
const closed = (of: string) => ({
  metadata: { namespace: of, name: 'closed' },
  spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
});
const caller = (of: string, name: string, from: string, labels: object = {}) => ({
  metadata: { namespace: of, name, labels },
  spec: { rules: [{ from: [{ source: { namespaces: [from] } }], to: [{ operation: { ports: ['5432'] } }] }] },
});
const mesh: Objects = {
  '/api/v1/namespaces': [namespace('acme-web', 'acme', inMesh), namespace('acme-db', 'acme', inMesh)],
  '/api/v1/pods': [pod('acme-web/front', { app: 'web' }), pod('acme-db/db', { app: 'db' })],
  '/apis/networking.k8s.io/v1/networkpolicies': [closed('acme-web'), closed('acme-db')],
  '/apis/security.istio.io/v1/authorizationpolicies': [caller('acme-db', 'callers', 'acme-web', { team: 'data' })],
};

interface Ran {
  readonly code: unknown;
  readonly text: string;
  readonly shown: readonly string[];
}

async function run(t: Test, cluster: Parameters<typeof listedCluster>[1], ...args: readonly string[]): Promise<Ran> {
  const kubeconfig = await listedCluster(t, cluster);
  const config = join(dirname(kubeconfig), 'bulkhead.yaml');
  await writeFile(config, settings);
  const [lines, shown]: [string[], string[]] = [[], []];
  const [command = '', ...rest] = args;
  try {
    const code = await runCommandLine([command, '--config', config, ...tenants, '--kubeconfig', kubeconfig, ...rest], {
      print: (line) => void lines.push(line),
      environment: {},
      progress: (text) => void shown.push(text),
    });
    return { code, text: lines.join('\n'), shown };
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    return { code: error.code, text: [...lines, error.message].join('\n'), shown };
  }
}

t.test('lint of a cluster finds contradictions between layers', async (t) => {
  const { text } = await run(t, { objects: mesh }, 'lint', '-o', 'json');
  const { findings, objects } = JSON.parse(text);
  const layers = findings.filter(({ check }: { check: string }) => check === 'l7-dead');
  t.match(layers, [
    { object: 'AuthorizationPolicy acme-db/callers', severity: 'hint', file: '<cluster>', path: 'spec.rules[0]' },
  ]);
  t.match(layers[0].reason, /no network policy opens that; other side: NetworkPolicy acme-db\/closed isolates them/);
  t.ok(objects >= 4);
  const elsewhere = await run(t, { objects: mesh }, 'lint', '-n', 'acme-web', '-o', 'json');
  t.notMatch(elsewhere.text, 'l7-dead', 'of a namespace, neither side of it is reported');
  const labelled = await run(t, { objects: mesh }, 'lint', '-l', 'team=data', '-o', 'json');
  t.match(labelled.text, 'l7-dead');
  const known = join(dirname(t.testdirName), 'known-layers.json');
  t.teardown(() => rm(known, { force: true }));
  await run(t, { objects: mesh }, 'lint', '--write-baseline', known);
  const again = await run(t, { objects: mesh }, 'lint', '--baseline', known, '-o', 'json');
  t.ok(JSON.parse(again.text).findings.every((one: { known: boolean }) => one.known));
});

t.test('policies of two groups that have one name are told apart', async (t) => {
  const named = { namespace: 'acme-db', name: 'shared' };
  const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-web' } } }];
  const spec = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from, ports: [{ port: 5432 }] }] };
  const guard = caller('acme-db', 'callers', 'acme-web');
  const objects = {
    ...mesh,
    '/apis/networking.k8s.io/v1/networkpolicies': [closed('acme-db'), { metadata: named, spec }],
    '/apis/projectcalico.org/v3/networkpolicies': [
      { metadata: named, spec: { selector: 'app == "other"', types: ['Ingress'], ingress: [{ action: 'Allow' }] } },
    ],
    '/apis/security.istio.io/v1/authorizationpolicies': [
      { ...guard, spec: { ...guard.spec, selector: { matchLabels: { app: 'other' } } } },
    ],
  };
  const { text } = await run(t, { objects }, 'lint', '-o', 'json');
  const findings = JSON.parse(text).findings.filter(({ check }: { check: string }) => check === 'l4-unguarded');
  t.match(findings, [{ object: 'NetworkPolicy acme-db/shared', apiVersion: 'networking.k8s.io/v1' }]);
});

t.test('without policies of a mesh, lint of a cluster reads it once', async (t) => {
  const { '/apis/security.istio.io/v1/authorizationpolicies': _, ...objects } = mesh;
  const timesRead = async (served: Objects) => {
    const times = new Map<string, number>();
    const onRequest = (path: string): void => void times.set(path, (times.get(path) ?? 0) + 1);
    const { text } = await run(t, { objects: served, onRequest }, 'lint', '-o', 'json');
    return { text, times };
  };
  const { text, times } = await timesRead(objects);
  t.notMatch(text, 'l7-dead');
  const again = await timesRead(mesh);
  for (const path of Object.keys(objects)) {
    t.equal(times.get(path), 1, path);
    t.equal(again.times.get(path), 2, `${path}: with them, it is read for the comparison, too`);
  }
});

t.test('a list that fails midway is said, and nothing is said to be good', async (t) => {
  const many = Array.from({ length: 7 }, (_, index) => pod(`acme-web/pod-${index}`));
  for (const command of ['lint', 'audit', 'explain'] as const)
    for (const path of ['/api/v1/pods', '/apis/security.istio.io/v1/authorizationpolicies']) {
      const objects = {
        ...mesh,
        '/api/v1/pods': many,
        '/apis/security.istio.io/v1/authorizationpolicies': ['one', 'two', 'three', 'four'].map((name) =>
          caller('acme-db', name, 'acme-web'),
        ),
      };
      for (const code of [403, 410]) {
        const ends = command === 'explain' ? ['acme-web/pod-0', 'acme-web/pod-1:80'] : [];
        const ran = await run(t, { objects, page: 3, breaks: { path, code } }, command, ...ends);
        t.equal(ran.code, 2, `${command} ${path} ${code}`);
        t.match(ran.text, path, `${command} ${path} ${code}`);
      }
    }
});

t.test('while a server lets wait, a terminal shows how far it is', async (t) => {
  const commands = [['audit'], ['lint'], ['explain', 'acme-web/front', 'acme-db/db:5432']];
  for (const [command = '', ...ends] of commands) {
    const { shown } = await run(t, { objects: mesh, delay: 60 }, command, ...ends);
    t.match(shown[0], /^\d+ objects$/, command);
    t.equal(shown.at(-1), '', `${command}: and takes it away`);
  }
});

t.test('what is read is counted after a second, five times a second, and not without a terminal', (t) => {
  const clock = fakeClock();
  const shown: string[] = [];
  const counting = countingOf({ progress: (text) => void shown.push(text) }, clock);
  counting.one();
  clock.advance(999);
  t.strictSame(shown, []);
  clock.advance(1);
  t.strictSame(shown, ['1 objects']);
  counting.one();
  counting.one();
  clock.advance(199);
  t.strictSame(shown, ['1 objects']);
  clock.advance(1);
  clock.advance(1000);
  t.strictSame(shown, ['1 objects', '3 objects'], 'the same is not shown again');
  counting.end();
  t.strictSame(shown, ['1 objects', '3 objects', '']);
  t.strictSame(clock.waits(), [], 'nothing keeps the process alive');

  const quick = countingOf({ progress: (text) => void shown.push(`quick ${text}`) }, clock);
  clock.advance(900);
  quick.end();
  const none = countingOf({}, clock);
  t.strictSame(clock.waits(), [], 'without a terminal there is no timer');
  none.one();
  none.end();
  t.equal(shown.length, 3, 'a quick one shows nothing');
  progressOf({}, clock.now)(1, 2, 'files');
  t.end();
});

t.test('without a cluster, no count goes on after the command', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  const shown: string[] = [];
  const progress = (text: string): void => void shown.push(text);
  const before = timers();
  const commands = [
    ['explain', 'acme-web/a', 'acme-web/b:80'],
    ['audit'],
    ['lint'],
    ['diff', '-f', 'docs/examples/application'],
    ['replay', '/dev/null'],
  ];
  for (const command of commands)
    await t.rejects(
      runCommandLine(command, { print() {}, environment: {}, progress }),
      /needs a cluster to look at/,
      String(command[0]),
    );
  t.equal(timers(), before);
  await sleep(1300);
  t.strictSame(shown.filter(Boolean), []);

  const counting = countingOf({ progress });
  t.equal(timers(), before, 'the timer does not keep the process alive');
  counting.end();
});
