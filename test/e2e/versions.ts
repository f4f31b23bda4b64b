/**
 * `npm run versions`: the main tests on the oldest and on the newest supported Kubernetes; `npm run versions -- 1.34` on one of them.
 * Prints how long each took and ends with 1 when a test fails. The first run builds the API servers, which takes minutes.
 */
import { spawnSync } from 'node:child_process';
import { supportedKubernetes } from '../../manifests/supported-kubernetes.ts';
import { buildVersion } from '../apiserver/binaries.ts';

/**
 * One file for each part of the story whose answer is also the API server's, and can differ from version to version: what is written by
 * server-side apply, evaluated as CEL, validated by a definition, or asked of a webhook. What is not here asks Bulkhead the same on any
 * API server, or waits for minutes.
 */
export const mainTests: readonly string[] = [
  // Installed by kustomize, by Helm, over the version before, and called through a Service.
  ...['install', 'helm', 'upgrade', 'registration', 'certificate-rotation'],
  // Namespaces, pods and policies: every case that creates something, every verb and subresource, and the same patch on every path.
  ...['fixtures', 'border', 'takeover', 'patch-safety', 'pod-hold'],
  // What the API server evaluates by itself.
  ...['match-conditions', 'backstop', 'tenant-resource', 'gate-requests'],
  // What Bulkhead writes, and reads of a whole cluster.
  ...['baseline', 'data-plane-border', 'container-defaults', 'doctor'],
];

async function runOn(minor: string): Promise<boolean> {
  const built = await buildVersion(minor);
  if ('missing' in built) throw new Error(built.missing);
  const begun = Date.now();
  const files = mainTests.map((name) => `test/e2e/${name}.test.ts`);
  const { status } = spawnSync('npx', ['tap', '--reporter=terse', '--jobs=2', ...files], {
    // With CI set, a test that cannot run is no pass.
    env: { ...process.env, CI: 'true', KUBEBUILDER_ASSETS: built.folder },
    stdio: 'inherit',
  });
  const seconds = Math.round((Date.now() - begun) / 1_000);
  process.stdout.write(
    `Kubernetes ${minor}: ${files.length} files, ${seconds} s, ${status === 0 ? 'passed' : 'FAILED'}\n`,
  );
  return status === 0;
}

if (import.meta.main) {
  const supported: readonly string[] = Object.values(supportedKubernetes);
  const asked = process.argv.slice(2);
  const unknown = asked.filter((minor) => !supported.includes(minor));
  if (unknown.length > 0) {
    process.stderr.write(`${unknown.join(', ')}: give ${supported.join(' or ')}, or nothing for both\n`);
    process.exitCode = 2;
  } else {
    const passed: boolean[] = [];
    for (const minor of asked.length > 0 ? asked : supported) passed.push(await runOn(minor));
    if (passed.includes(false)) process.exitCode = 1;
  }
}
