/** The commands of the manual, executed as people would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Test } from 'tap';
import { findBinaries } from '../apiserver/binaries.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { thriftyGo } from '../apiserver/go-environment.ts';
import { compileCache } from '../compile-cache.ts';

/**
 * A copy of what the commands write to, so that no keys are left in the project, with links to the rest of it.
 *
 * @param programs folders of further programs that the commands call
 * @returns runs a command in that folder, with kubectl for the administrator
 */
export async function projectFolder(
  t: Test,
  plane: ControlPlane,
  programs: readonly string[] = [],
): Promise<(command: string) => Promise<Output>> {
  return shellIn(plane, await copyOfProject(t), programs);
}

/** Such a copy, which is removed when the test ends. */
export async function copyOfProject(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-install-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['manifests', 'certs']) await cp(name, join(folder, name), { recursive: true });
  for (const name of ['package.json', 'src', 'node_modules']) await symlink(resolve(name), join(folder, name));
  return folder;
}

/** @returns runs a command in the folder, with kubectl for the administrator */
export async function shellIn(
  plane: ControlPlane,
  folder: string,
  programs: readonly string[] = [],
): Promise<(command: string) => Promise<Output>> {
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(binaries.missing);
  const PATH = [dirname(binaries.kubectl), ...programs, process.env.PATH].join(':');
  return async (command) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
      cwd: folder,
      env: { PATH, HOME: folder, KUBECONFIG: plane.adminKubeconfig, ...compileCache, ...thriftyGo },
      stdio: ['ignore', 'pipe', 'pipe'],
      // To remove a namespace takes the controllers of a busy machine more than a minute, once in many runs.
      timeout: 150_000,
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        output[name] += chunk;
      });
    }
    const [code]: (number | null)[] = await once(child, 'close');
    return { code: code ?? -1, ...output };
  };
}

/** The lines of each ```sh block of a page. */
export async function shellBlocks(page: string): Promise<string[][]> {
  const blocks = (await readFile(page, 'utf8')).matchAll(/^```sh\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, text = '']) => text.trim().split('\n'));
}
