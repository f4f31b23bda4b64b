/** The supported versions of Kubernetes are the same wherever they are stated, and each can be built. `npm run versions` runs the tests on them. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { supportedKubernetes } from '../../manifests/supported-kubernetes.ts';
import { mainTests } from '../e2e/versions.ts';

const { oldest, newest } = supportedKubernetes;
const read = (file: string): string => readFileSync(file, 'utf8');

t.test('page, chart and workflow say the same', async (t) => {
  t.match(read('docs/how-to/install.md'), `Bulkhead supports Kubernetes ${oldest} to ${newest}.`);
  t.equal(parse(read('manifests/helm/bulkhead/Chart.yaml')).kubeVersion, `>=${oldest}.0-0`);
  const { jobs } = parse(read('.github/workflows/versions.yaml'));
  t.strictSame(jobs.versions.strategy.matrix.kubernetes, [oldest, newest]);
});

t.test('the page about Helm names the versions that the tests build', async (t) => {
  const built = [...read('test/helm/go.mod').matchAll(/helm\.sh\/helm\/v\d v([\d.]+)/g)].map(([, version]) => version);
  t.equal(built.length, 2);
  t.match(read('docs/how-to/helm.md'), `Tests run Helm ${built.join(' and Helm ')}.`);
});

t.test('each has the modules of its API server, and npm test runs on one in between', async (t) => {
  const files = globSync('test/apiserver/versions/*.mod').sort();
  t.strictSame(
    files,
    [oldest, newest].map((minor) => `test/apiserver/versions/${minor}.mod`),
  );
  for (const minor of [oldest, newest]) {
    t.match(read(`test/apiserver/versions/${minor}.mod`), `k8s.io/kubernetes v${minor}.`);
    t.ok(existsSync(`test/apiserver/versions/${minor}.sum`));
  }
  const [, usual = ''] = /k8s\.io\/kubernetes v1\.(\d+)\./.exec(read('test/apiserver/go.mod')) ?? [];
  const [first, last] = [oldest, newest].map((minor) => Number(minor.split('.')[1]));
  t.ok(Number(usual) >= Number(first) && Number(usual) <= Number(last), `1.${usual}`);
});

t.test('the command runs tests that exist, and names the versions that it knows', async (t) => {
  for (const name of mainTests) t.ok(existsSync(`test/e2e/${name}.test.ts`), name);
  const { status, stderr } = spawnSync(process.execPath, ['test/e2e/versions.ts', '1.30'], { encoding: 'utf8' });
  t.match({ status, stderr }, { status: 2, stderr: `1.30: give ${oldest} or ${newest}, or nothing for both\n` });
});
