/** The part of `npm run cluster` that is in the network of the cluster. It ends by SIGTERM, and with the process that started it. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { findBinaries } from '../apiserver/binaries.ts';
import { type ControlPlane, startControlPlane } from '../apiserver/control-plane.ts';
import { startNode } from './node.ts';
import { grantMembers, grantRights, people } from './people.ts';
import { relayFromSocket } from './relay.ts';

const [, , folder = '', socket = '', port = '', helm = '', installed = ''] = process.argv;
const project = join(import.meta.dirname, '../..');
const inProject = relative(process.cwd(), folder);
/** As the user types it: a folder elsewhere by its whole path. */
const shown = inProject.startsWith('..') ? folder : `$PWD/${inProject}`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const ended = new Promise<void>((resolve) => {
  process.once('SIGTERM', resolve);
});

const binaries = await findBinaries();
if ('missing' in binaries) throw new Error(binaries.missing);
const plane = await startControlPlane({ binaries, apiServerFlags: ['--enable-aggregator-routing=true'] });
try {
  const relay = await relayFromSocket(socket, plane.port);
  await grantRights(plane);
  for (const person of people)
    await writeFile(
      join(folder, person.user),
      (await readFile(await plane.kubeconfigFor(person), 'utf8')).replace(plane.url, `https://127.0.0.1:${port}`),
      { mode: 0o600 },
    );
  await mkdir(join(folder, 'bin'));
  await symlink(binaries.kubectl, join(folder, 'bin', 'kubectl'));
  await symlink(helm, join(folder, 'bin', 'helm'));
  const node = await startNode(plane, say, (namespace) => grantMembers(plane, namespace));
  if (installed === 'bulkhead') await Promise.race([install(plane), ended]);
  await tell();
  await ended;
  await node.stop();
  relay.close();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await plane.stop();
}

/** By the commands of docs/how-to/install.md. */
async function install(plane: ControlPlane): Promise<void> {
  say('Bulkhead is being installed: manifests/overlays/example');
  process.chdir(project);
  const kubectl = async (line: string): Promise<void> => {
    const output = await plane.kubectl(plane.adminKubeconfig, line.split(' '));
    if (output.code !== 0) throw new Error(`kubectl ${line}: ${output.stderr}`);
  };
  await kubectl('apply -k manifests/overlays/example');
  await kubectl('-n bulkhead-system rollout status deployment/bulkhead --timeout=50s');
  const webhooks = ['bulkhead', 'bulkhead-namespaces'].map((name) => `validatingwebhookconfigurations/${name}`);
  await kubectl(`wait --timeout=50s --for=jsonpath={.webhooks[-1:].failurePolicy}=Fail ${webhooks.join(' ')}`);
}

async function tell(): Promise<void> {
  const version = (await plane.request('GET', '/version')).body as { readonly gitVersion: string };
  const isGuarded = installed === 'bulkhead';
  const first = isGuarded
    ? [
        `  export KUBECONFIG=${shown}/alice`,
        '  kubectl apply -f manifests/examples/objects/namespace-acme-web.yaml',
        '  kubectl apply -f manifests/examples/objects/policy-open.yaml    # refused',
      ]
    : [
        '  # or with Helm, and a tenant of your own: docs/start.md',
        `  export KUBECONFIG=${shown}/admin`,
        '  kubectl apply -k manifests/overlays/example',
        '  kubectl -n bulkhead-system rollout status deployment/bulkhead',
      ];
  for (const line of [
    '',
    `A cluster runs: Kubernetes ${version.gitVersion}, ${isGuarded ? 'with Bulkhead and the example tenants' : 'without Bulkhead'}.`,
    'Its node runs the pods of Bulkhead alone. All other pods stay Pending.',
    '',
    'In another terminal, in this folder:',
    `  export PATH="${shown}/bin:$PATH"`,
    ...first,
    '',
    `People, each with a kubeconfig in ${shown.replace('$PWD/', '')}/:`,
    ...people.map(({ user, is }) => `  ${user.padEnd(6)} ${is}`),
    'In a namespace acme-anything the developers of acme may edit, and so on for beta and delta.',
    '',
    'Ctrl-C ends the cluster and removes it.',
  ])
    say(line);
}
