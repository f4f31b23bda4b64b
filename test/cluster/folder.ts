import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { people } from './people.ts';

/** Holds the number of the process that the cluster ends with. */
const owner = 'process';
/** All that a cluster puts into its folder. */
const own: ReadonlySet<string> = new Set([owner, 'bin', ...people.map(({ user }) => user)]);

/**
 * Makes the folder, for this process alone. What a cluster left that was killed is removed.
 *
 * @throws when a cluster runs with this folder, and when the folder holds something else
 */
export async function claimFolder(folder: string): Promise<void> {
  const text = await readFile(join(folder, owner), 'utf8').catch(() => '');
  if (/^[1-9]\d{0,9}$/.test(text) && (await readdir(folder)).every((name) => own.has(name))) {
    if (isAlive(Number(text)))
      throw new Error(`a cluster runs with ${folder}: end it with Ctrl-C (process ${text}), or give another --folder`);
    await removeFolder(folder);
  }
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new Error(`${folder} exists and is not a cluster's: remove it, or give another --folder`);
    throw new Error(`${folder} cannot be made: ${error.message}; give another --folder`);
  });
  await writeFile(join(folder, owner), String(process.pid));
}

/** Files of the user's stay, and the folder with them. */
export async function removeFolder(folder: string): Promise<void> {
  for (const name of own) await rm(join(folder, name), { recursive: true, force: true });
  await rmdir(folder).catch(() => undefined);
}

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
