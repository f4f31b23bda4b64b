/** `bulkhead lint` of what real tools make: `-k` with kubectl, and the output of `helm template` on the standard input. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { findBinaries } from '../apiserver/binaries.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { findHelm, helmVersions, openHelm } from '../helm/helm.ts';

const example = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml', '--tenants', 'manifests/overlays/example/tenants'],
];

async function lint(args: readonly string[], input = '') {
  const lines: string[] = [];
  const surroundings = {
    print: (line: string) => void lines.push(...line.split('\n')),
    environment: {},
    input: new Blob([input]).stream(),
  };
  try {
    const code = await runCommandLine(['lint', ...example, ...args, '-o', 'json'], surroundings);
    return { code, report: JSON.parse(lines.join('\n')), error: '' };
  } catch (error) {
    if (error instanceof CannotStart) return { code: error.code, report: undefined, error: error.message };
    throw error;
  }
}

const policy = (selector: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: open
spec:
  podSelector: {}
  ingress:
    - from:
        - namespaceSelector: ${selector}
`;

const binaries = await foundOrSkip('lint -k asks kubectl', findBinaries);
if (binaries !== undefined)
  await t.test('lint -k judges what kubectl builds of a folder', async (t) => {
    const path = process.env.PATH;
    // Only this kubectl, and no kustomize of the machine.
    process.env.PATH = dirname(binaries.kubectl);
    t.teardown(() => {
      process.env.PATH = path;
    });
    const folder = t.testdir({
      'kustomization.yaml': 'namespace: acme-web\nnamePrefix: web-\nresources: [open.yaml]\n',
      'open.yaml': policy('{}'),
    });
    const { code, report } = await lint(['-k', folder]);
    t.equal(code, 1);
    t.match(report.findings, [
      {
        ...{ check: 'cross-tenant-ingress', object: 'NetworkPolicy acme-web/web-open' },
        file: `<kubectl kustomize ${folder}>`,
        path: 'spec.ingress[0].from[0].namespaceSelector',
      },
    ]);
    await writeFile(join(folder, 'open.yaml'), policy('{ matchLabels: { bulkhead.dev/tenant: acme } }'));
    t.equal((await lint(['-k', folder])).code, 0);
    await writeFile(join(folder, 'kustomization.yaml'), 'resources: [missing.yaml]\n');
    t.match(await lint(['-k', folder]), { code: 2, error: /^kubectl kustomize .* failed: .*missing\.yaml/ });
  });

const helm = await foundOrSkip('lint judges what Helm renders', async () => await findHelm(4));
if (helm !== undefined)
  for (const version of helmVersions)
    t.test(`lint judges what Helm ${version} renders`, async (t) => {
      const render = await openHelm(version, (end) => t.teardown(end));
      const chart = t.testdir({
        'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
        'values.yaml': 'peers: {}\n',
      });
      await mkdir(join(chart, 'templates'));
      const template = policy('{{ toJson .Values.peers }}').replace(
        'name: open',
        'name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}',
      );
      await writeFile(join(chart, 'templates', 'policy.yaml'), template);
      await writeFile(join(chart, 'templates', 'empty.yaml'), '{{ if .Values.never }}\nkind: Pod\n{{ end }}\n');
      const rendered = async (...more: readonly string[]) => {
        const { code, stdout, stderr } = await render(['template', 'shop', chart, '--namespace', 'acme-web', ...more]);
        t.equal(code, 0, stderr);
        return stdout;
      };
      const open = await lint(['-'], await rendered());
      t.equal(open.code, 1);
      t.match(open.report.findings, [
        { check: 'cross-tenant-ingress', object: 'NetworkPolicy acme-web/shop', file: '<stdin>', line: 12 },
      ]);
      const closed = await rendered('--set-json', 'peers={"matchLabels":{"bulkhead.dev/tenant":"acme"}}');
      t.match(await lint(['-'], closed), { code: 0, report: { objects: 1, findings: [] } });
    });
