/** An overlay, installed by its command and run as far as the border is guarded. */
import { resolve } from 'node:path';
import type { Test } from 'tap';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { projectFolder, shellBlocks } from './project-folder.ts';
import { type RunningPod, replacePods, runPods } from './stand-in-kubelet.ts';

const addresses = ['10.0.1.2', '10.0.1.3'] as const;
const selector = { namespace: 'bulkhead-system', selector: 'app.kubernetes.io/name=bulkhead' };
const program = [process.execPath, `--import=${resolve('test/soak/quick-trust.ts')}`, resolve('src/main.ts')] as const;
const mine = 'manifests/overlays/mine';
const secret = '/api/v1/namespaces/bulkhead-system/secrets/bulkhead-certificate-files';

export interface CertificateFiles {
  readonly 'ca.crt': string;
  readonly 'tls.crt': string;
}

/** What the Secret with the files holds; undefined while somebody still has to write it. */
export async function certificateFiles(plane: ControlPlane): Promise<CertificateFiles | undefined> {
  const { data } = (await plane.request('GET', secret)).body as { readonly data?: Readonly<Record<string, string>> };
  const [authority, certificate] = ['ca.crt', 'tls.crt'].map((name) =>
    Buffer.from(data?.[name] ?? '', 'base64').toString(),
  );
  return authority && certificate ? { 'ca.crt': authority, 'tls.crt': certificate } : undefined;
}

/**
 * @param commands by which it is installed, in a copy of the project
 * @returns its pods, when everything fails closed
 */
export async function installOverlay(
  t: Test,
  plane: ControlPlane,
  commands: readonly string[],
): Promise<readonly RunningPod[]> {
  const shell = await projectFolder(t, plane);
  const execute = async (command: string): Promise<void> => {
    const { code, stdout, stderr } = await shell(command);
    t.equal(code, 0, command, { stdout, stderr });
  };
  for (const command of commands) await execute(command);
  await eventually('the certificates are there', async () => (await certificateFiles(plane)) !== undefined);
  const pods = await runPods(plane, selector, addresses, program);
  t.teardown(() => Promise.all(pods.map((pod) => pod.kill())));
  // What the manual waits for.
  const [[, ...waits] = []] = await shellBlocks('docs/how-to/install.md');
  for (const command of waits) await execute(command);
  return pods;
}

/** An overlay of one's own, whose tenants are omega, beta and gamma. */
export interface OwnOverlay {
  /** Its folder, in a copy of the project. */
  readonly folder: string;
  /** The command that applies it, and those that wait for it. */
  readonly apply: string;
  readonly waits: readonly string[];
  /** Runs a command in the copy, which must succeed. */
  run(command: string): Promise<string>;
  /** The pods of the last rollout. */
  pods(): readonly RunningPod[];
  /** Applies it as it is now, and follows the rollout. Its tenants are known afterwards, and `what` says when that was. */
  rollOut(what: string, addresses: readonly [string, string]): Promise<void>;
}

/** A copy of the example with another tenant, installed as the manual says. */
export async function ownOverlay(t: Test, plane: ControlPlane): Promise<OwnOverlay> {
  const shell = await projectFolder(t, plane);
  const run = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await shell(command);
    t.equal(code, 0, command, { stdout, stderr });
    return stdout + stderr;
  };
  const [[command = '', ...waits] = []] = await shellBlocks('docs/how-to/install.md');
  const apply = command.replace('manifests/overlays/example', mine);
  await run(`cp -r manifests/overlays/example ${mine}`);
  await run(`sed -i 's|acme|omega|g' ${mine}/tenants/acme.yaml`);
  await run(apply);
  let pods: readonly RunningPod[] = await runPods(plane, selector, addresses, program);
  t.teardown(() => Promise.all(pods.map((pod) => pod.kill())));
  for (const wait of waits) await run(wait);
  await isGuarded(t, plane, 'as it was installed');
  return {
    ...{ folder: mine, apply, waits, run },
    pods: () => pods,
    async rollOut(what, addresses) {
      await run(apply);
      pods = await replacePods(plane, selector, pods, addresses, program);
      for (const wait of waits) await run(wait);
      await isGuarded(t, plane, what);
    },
  };
}

/** The tenants of the overlay, and no others, are in force. */
export async function isGuarded(t: Test, plane: ControlPlane, when: string): Promise<void> {
  const dryRun = '/api/v1/namespaces?dryRun=All';
  const create = (tenant: string) =>
    plane.request('POST', dryRun, { metadata: { name: 'trial', labels: { 'bulkhead.dev/tenant': tenant } } });
  await eventually(`tenant omega is known: ${when}`, async () => (await create('omega')).status === 201);
  const { status, text } = await create('acme');
  t.equal(status, 403, `${when}: acme is no tenant of this overlay`);
  t.match(text, 'admission webhook \\"validate.bulkhead.dev\\" denied the request');
}
