/** An overlay, installed by its command and run as far as the border is guarded. */
import { resolve } from 'node:path';
import type { Test } from 'tap';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { projectFolder, shellBlocks } from './project-folder.ts';
import { type RunningPod, runPods } from './stand-in-kubelet.ts';

const addresses = ['10.0.1.2', '10.0.1.3'] as const;
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
  const pods = await runPods(
    plane,
    { namespace: 'bulkhead-system', selector: 'app.kubernetes.io/name=bulkhead' },
    addresses,
    [process.execPath, `--import=${resolve('test/soak/quick-trust.ts')}`, resolve('src/main.ts')],
  );
  t.teardown(() => Promise.all(pods.map((pod) => pod.kill())));
  // What the manual waits for.
  const [[, ...waits] = []] = await shellBlocks('docs/how-to/install.md');
  for (const command of waits) await execute(command);
  return pods;
}
