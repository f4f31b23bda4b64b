/** `audit --write-reports` on a real API server, with the real CustomResourceDefinition and the rights of its component alone. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { downloaded, installDefinitions } from '../apiserver/network-definitions.ts';
import { withoutControllers } from '../soak/crowd.ts';

const config = 'manifests/overlays/example/bulkhead.yaml';
const reports = '/apis/openreports.io/v1alpha1';
const module = 'github.com/openreports/reports-api@v0.2.1';

interface Stored {
  readonly source: string;
  readonly metadata: { readonly resourceVersion: string };
  readonly summary: object;
  readonly results: readonly {
    readonly policy: string;
    readonly result: string;
    readonly resources?: readonly object[];
  }[];
}

async function installReports(plane: ControlPlane): Promise<void> {
  const file = join(await downloaded(module), 'config/crd/openreports.io_reports.yaml');
  await installDefinitions(plane, [parse(await readFile(file, 'utf8'))]);
}

/** @returns the kubeconfig of the account of the CronJob */
async function account(plane: ControlPlane): Promise<string> {
  const kubectl = (...words: string[]) => plane.kubectl(plane.adminKubeconfig, words);
  await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'bulkhead-system' } });
  const component = ['manifests/components/roles/auditor.yaml', 'manifests/components/reports/access.yaml'];
  const applied = await kubectl('apply', ...component.flatMap((file) => ['-f', file]));
  if (applied.code !== 0) throw new Error(applied.stderr);
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:bulkhead-system', 'system:authenticated'];
  return plane.kubeconfigFor({ user: 'system:serviceaccount:bulkhead-system:bulkhead-reports', groups });
}

await clusterTest(
  'audit writes one report in each namespace of a tenant, and only what changes',
  async (t, plane) => {
    const kubeconfig = await account(plane);
    const tenants = join(plane.directory, 'tenants');
    await mkdir(tenants);
    for (const name of ['acme', 'beta']) {
      const spec = {
        mode: name === 'acme' ? 'enforce' : 'audit',
        members: [{ kind: 'Group', name: `${name}-developers` }],
      };
      const tenant = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name }, spec };
      await writeFile(join(tenants, `${name}.yaml`), JSON.stringify(tenant));
    }
    const make = async (path: string, body: object) => {
      const { status, text } = await plane.request('POST', path, body);
      if (status !== 201) throw new Error(text);
    };
    for (const tenant of ['acme', 'beta']) {
      const name = `${tenant}-web`;
      await make('/api/v1/namespaces', { metadata: { name, labels: { 'bulkhead.dev/tenant': tenant } } });
      const spec = { hostNetwork: tenant === 'beta', containers: [{ name: 'main', image: 'example.org/main' }] };
      await make(`/api/v1/namespaces/${name}/pods`, { metadata: { name: 'web' }, spec });
      const open = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: {} }] }] };
      const policies = `/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies`;
      await make(policies, { metadata: { name: 'open' }, spec: open });
    }
    const write = async () => {
      const shown: string[] = [];
      const flags = ['--write-reports', '--tenants', tenants, '--config', config, '--kubeconfig', kubeconfig];
      const code = await runCommandLine(['audit', ...flags], {
        print: (line: string) => shown.push(line),
        environment: {},
      });
      return { code, text: shown.join('\n') };
    };
    const report = async (namespace: string) => {
      const { status, body } = await plane.request('GET', `${reports}/namespaces/${namespace}/reports/bulkhead-audit`);
      return status === 200 ? (body as Stored) : undefined;
    };

    await t.rejects(write(), {
      message: /cannot be listed: 404 .* needs the CustomResourceDefinition reports\.openreports\.io/,
    });
    await installReports(plane);
    t.same(await write(), { code: 0, text: 'reports: 2 written, 0 unchanged, 0 deleted' });
    const acme = await report('acme-web');
    t.match(acme, {
      summary: { pass: 1, fail: 2, warn: 0, error: 0, skip: 0 },
      results: [
        { policy: 'isolated-ingress', result: 'pass', message: 'Policies isolate all 1 pods for ingress.' },
        { policy: 'isolated-egress', result: 'fail', message: 'No policy isolates 1 of 1 pods for egress.' },
        {
          ...{ policy: 'cross-tenant-ingress', result: 'fail' },
          message: 'Would be rejected if it were written now: docs/checks/cross-tenant-ingress.md',
          resources: [{ kind: 'NetworkPolicy', namespace: 'acme-web', name: 'open' }],
        },
      ],
    });
    t.notMatch(JSON.stringify(acme), /beta/, 'nothing of another tenant');
    const beta = (await report('beta-web'))?.results.map(({ policy, result }) => `${policy} ${result}`);
    t.ok(
      beta?.includes('cross-tenant-ingress warn') && beta.includes('host-network fail'),
      'mode audit warns, but for nodes',
      {
        beta,
      },
    );

    t.same(await write(), { code: 0, text: 'reports: 0 written, 2 unchanged, 0 deleted' });
    t.equal((await report('acme-web'))?.metadata.resourceVersion, acme?.metadata.resourceVersion, 'it is not written');

    const merge = { contentType: 'application/merge-patch+json' };
    const nothing = { metadata: { labels: null }, source: 'else', results: [{ policy: 'x', result: 'pass' }] };
    await plane.request('PATCH', `${reports}/namespaces/acme-web/reports/bulkhead-audit`, nothing, merge);
    t.same(await write(), { code: 0, text: 'reports: 1 written, 1 unchanged, 0 deleted' }, 'what a tenant changed');
    const { source, results } = { ...(await report('acme-web')) };
    t.same({ source, results }, { source: 'bulkhead', results: acme?.results }, 'is written over');

    await plane.request('DELETE', '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/open');
    const leave = { metadata: { labels: { 'bulkhead.dev/tenant': null } } };
    await plane.request('PATCH', '/api/v1/namespaces/beta-web', leave, merge);
    t.same(await write(), { code: 0, text: 'reports: 1 written, 0 unchanged, 1 deleted' });
    t.match(await report('acme-web'), { summary: { pass: 0, fail: 2 } }, 'what is mended is gone');
    t.equal(await report('beta-web'), undefined, 'a namespace of no tenant has none');

    const rights = parseAllDocuments(await readFile('manifests/components/roles/auditor.yaml', 'utf8'));
    const role = rights[0]?.toJS();
    for (const rule of role.rules) rule.resources = rule.resources.filter((one: string) => one !== 'networkpolicies');
    role.rules = role.rules.filter(({ resources }: { resources: string[] }) => resources.length > 0);
    await plane.request('PUT', '/apis/rbac.authorization.k8s.io/v1/clusterroles/bulkhead-auditor', role);
    await t.rejects(write(), { message: /^no report is written, as these could not be read:\n/ }, 'never of a part');
  },
  withoutControllers,
);
