/**
 * Pods that the injector of a mesh has changed. A MutatingAdmissionPolicy stands for the injector: both write in the name of the
 * requester, before the validating webhooks. It writes the metadata that Istio's injection template (with Istio CNI) and Linkerd's
 * proxy injector write, and a container.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guard, type PersonName } from './guarded-cluster.ts';
import { injectors, installInjector, traffic } from './mesh-injector.ts';

const resources = { requests: { cpu: '10m', memory: '8Mi' } };
const main = { name: 'main', image: 'registry.example/basket:1', resources };

/** The settings of the examples, with this mesh and what else stands below `spec`. */
async function settingsWith(plane: ControlPlane, ...lines: readonly string[]): Promise<string> {
  const file = `${plane.directory}/settings.yaml`;
  const examples = await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8');
  await writeFile(file, `${examples}${lines.map((line) => `  ${line}\n`).join('')}`);
  return file;
}

function pod(
  cluster: GuardedCluster,
  name: string,
  annotations: Readonly<Record<string, string>>,
  person: PersonName = 'alice',
) {
  const metadata = { name, namespace: 'acme-mesh', annotations };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [main] } };
  return cluster.kubectl(person, ['create', '--dry-run=server', '-o', 'json', '-f', '-'], JSON.stringify(object));
}

for (const injector of injectors) {
  const { mesh, written, leaving } = injector;
  await clusterTest(`pods that the injector of ${mesh} has changed run, and none leaves the mesh`, async (t, plane) => {
    const allowed = [
      'reserved:',
      '  allowedValues:',
      `    - { key: ${traffic}/excludeOutboundPorts, values: ["9411"] }`,
    ];
    const config = await settingsWith(plane, `mesh: ${mesh}`, ...allowed);
    const cluster = await guard(plane, 'manifests/overlays/example/tenants', plane.adminKubeconfig, { config });
    t.teardown(() => cluster.stop());
    await installInjector(plane, injector, { mesh });
    t.match(await cluster.kubectl('alice', ['create', 'namespace', 'acme-mesh']), { code: 0 });
    t.match(await cluster.kubectl('platform', ['label', 'namespace', 'acme-mesh', `mesh=${mesh}`]), { code: 0 });
    await eventually('the injector is asked', async () => {
      const { stdout } = await pod(cluster, 'asked', {}, 'platform');
      return stdout.includes('registry.example/proxy:1');
    });

    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'basket', namespace: 'acme-mesh' },
      spec: {
        selector: { matchLabels: { app: 'basket' } },
        template: { metadata: { labels: { app: 'basket' } }, spec: { containers: [main] } },
      },
    };
    const created = await cluster.kubectl('alice', ['create', '-f', '-'], JSON.stringify(deployment));
    t.strictSame([created.code, created.stderr], [0, ''], 'the Deployment is admitted without a warning');
    let pods: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }[] = [];
    await eventually('its pod is there', async () => {
      const { stdout } = await cluster.kubectl('alice', ['get', 'pods', '-n', 'acme-mesh', '-o', 'json']);
      pods = JSON.parse(stdout).items;
      return pods.length > 0;
    });
    t.match(pods[0]?.metadata.annotations, written, 'with what the injector wrote');
    t.match(await pod(cluster, 'plain', {}), { code: 0, stderr: '' }, 'so is one that alice creates herself');

    for (const annotations of leaving) {
      const [key = ''] = Object.keys(annotations);
      const { code, stderr } = await pod(cluster, 'leaving', annotations);
      t.equal(code, 1, `${JSON.stringify(annotations)} is refused`);
      t.match(stderr, `metadata.annotations[${key}]`, 'by its key');
      t.match(
        stderr,
        /\(settings: mesh, reserved\.allowedValues, reserved\.released\)/,
        'with the settings that decide',
      );
    }
    if (mesh === 'istio') {
      const granted = { [`${traffic}/excludeOutboundPorts`]: '9411,15090' };
      t.match(await pod(cluster, 'granted', granted), { code: 0 }, 'ports that the platform allows are excluded');
    }
  });
}
