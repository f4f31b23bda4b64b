/** docs/how-to/rights.md, executed on a real API server with RBAC: what each role lets its users do, and what not. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { guard, installTenantResource } from './guarded-cluster.ts';
import { projectFolder, shellBlocks } from './project-folder.ts';

const page = 'docs/how-to/rights.md';

await clusterTest('the page about rights', async (t, plane) => {
  await installTenantResource(plane);
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  // The test takes back what most others need.
  const everybody = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/everybody';
  t.equal((await plane.request('DELETE', everybody)).status, 200);
  const shell = await projectFolder(t, plane);
  const [[apply = ''] = []] = await shellBlocks(page);
  const applied = await shell(apply);
  t.equal(applied.code, 0, apply, applied);
  const alice = await plane.kubeconfigFor({ user: 'alice', groups: ['acme-developers'] });
  const as = async (...args: string[]) => plane.kubectl(alice, args);
  const refused = await as('create', 'namespace', 'acme-web');
  t.match(refused, { code: 1, stderr: /namespaces is forbidden/ }, 'before they are bound, the roles give nothing');

  const documents = (await readFile(page, 'utf8')).matchAll(/^```yaml rights\n([\s\S]*?)^```$/gm);
  for (const [index, [, text = '']] of [...documents].entries()) {
    const file = join(plane.directory, `rights-${index}.yaml`);
    // The controller that fills `edit` from this one does not run here.
    await writeFile(file, text.replace('name: edit', 'name: system:aggregate-to-edit'));
    // The RoleBinding is for a namespace, which a member creates by the first of them.
    if (text.includes('kind: RoleBinding')) {
      t.match(await as('create', 'namespace', 'acme-web'), { code: 0 }, 'a member creates a namespace of its tenant');
      const of = await plane.request('GET', '/api/v1/namespaces/acme-web');
      t.match(of.body, { metadata: { labels: { 'bulkhead.dev/tenant': 'acme' } } });
    }
    const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', file]);
    t.equal(code, 0, text, { stderr });
  }
  t.match(
    await as('create', 'namespace', 'beta-web'),
    { code: 1, stderr: /admission webhook "validate.bulkhead.dev" denied the request/ },
    'and none of another tenant',
  );
  t.match(await as('get', 'namespaces'), { code: 1, stderr: /forbidden/ }, 'it does not see all namespaces');
  await eventually(
    'a member works in its own',
    async () => (await as('create', 'configmap', 'c', '-n', 'acme-web')).code === 0,
  );
  await t.test('it follows the page for developers', async (t) => {
    const [[look = ''] = [], [dryRun = ''] = []] = await shellBlocks('docs/developers.md');
    const folder = join(plane.directory, 'developers');
    await mkdir(join(folder, 'manifests'), { recursive: true });
    const run = (command: string) => shell(`export KUBECONFIG=${alice}; cd ${folder}; ${command}`);
    await eventually('its objects say what they are for', async () => {
      const { code, stdout } = await run(look);
      return code === 0 && /^bulkhead-default-deny +\S+/m.test(stdout) && /^bulkhead-allow-dns +\S+/m.test(stdout);
    });
    t.notMatch((await run(look)).stdout, '<none>', 'each of them');
    const samples = (await readFile('docs/developers.md', 'utf8')).matchAll(
      /^```yaml (\S+) by acme developer\n([\s\S]*?)^```$/gm,
    );
    for (const [index, [, verdict, text = '']] of [...samples].entries()) {
      await writeFile(join(folder, 'manifests/policy.yaml'), text);
      const { code, stderr } = await run(dryRun);
      t.equal(code, verdict === 'admitted' ? 0 : 1, `policy ${index}: ${stderr}`);
      if (verdict === 'refused') t.match(stderr, /spec\.ingress\[0\]\.from\[0\]\.namespaceSelector\n.*\n +fix: /);
    }
    const { stdout } = await as('get', 'networkpolicies', '-n', 'acme-web', '-o', 'name');
    t.match(stdout, 'bulkhead-default-deny');
    for (const name of ['from-ingress', 'to-the-partner', 'open'])
      t.notMatch(stdout, name, 'a dry run changes nothing');
  });
  t.match(await as('get', 'tenants.bulkhead.dev', 'beta'), { code: 1, stderr: /forbidden/ }, 'reads no other tenant');
  const own = await as('get', 'tenants.bulkhead.dev', 'acme');
  t.match(own.stderr, /not found/, 'and may read its own, which is a file here');

  const bind = async (role: string, user: string) => {
    const args = ['create', 'clusterrolebinding', user, `--clusterrole=${role}`, `--user=${user}`];
    t.match(await plane.kubectl(plane.adminKubeconfig, args), { code: 0 });
    return plane.kubeconfigFor({ user });
  };
  const support = await bind('bulkhead-tenant-reader', 'sue');
  t.match(await plane.kubectl(support, ['get', 'tenants.bulkhead.dev,exemptions.bulkhead.dev']), { code: 0 });
  t.match(await plane.kubectl(support, ['delete', 'tenants.bulkhead.dev', 'acme']), { code: 1, stderr: /forbidden/ });
  const auditor = await bind('bulkhead-auditor', 'rita');
  t.match(await plane.kubectl(auditor, ['get', 'networkpolicies', '-A']), { code: 0 });
  t.match(await plane.kubectl(auditor, ['get', 'secrets', '-A']), { code: 1, stderr: /forbidden/ });
});
