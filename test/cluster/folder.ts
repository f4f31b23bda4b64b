import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Holds the number of the process that the cluster ends with. */
const owner = 'process';

/**
 * Makes the folder, for this process alone. What a cluster left that was killed is removed.
 *
 * @throws when a cluster runs with this folder, and when the folder holds something else
 */
export async function claimFolder(folder: string): Promise<void> {
  const text = await readFile(join(folder, owner), 'utf8').catch(() => undefined);
  if (text !== undefined) {
    if (isAlive(Number(text)))
      throw new Error(`a cluster runs with ${folder}: end it with Ctrl-C (process ${text}), or give another --folder`);
    await rm(folder, { recursive: true });
  }
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    const fix = 'remove it, or give another --folder';
    throw new Error(error.code === 'EEXIST' ? `${folder} exists and is not a cluster's: ${fix}` : error.message);
  });
  await writeFile(join(folder, owner), String(process.pid));
}

function isAlive(process_: number): boolean {
  try {
    return process.kill(process_, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
