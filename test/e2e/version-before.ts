/** The version of Bulkhead before this one, taken from the history of the repository. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';

/**
 * What stands for it until there is a release: the last commit before Tenants got names, several prefixes and defaults of containers, and
 * before there were GateRequests. Its libraries are those of today.
 */
const beforeReleases = 'd5c03de5';

/** The last tag of a release before HEAD, or else that commit; undefined where the history does not reach as far. */
export function commitBefore(): string | undefined {
  const tag = git('describe', '--tags', '--abbrev=0', '--match=v[0-9]*', 'HEAD^');
  const commit = git('rev-parse', '--verify', '--quiet', `${tag ?? beforeReleases}^{commit}`);
  return commit;
}

function git(...words: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', words, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** A folder with the program and the manifests of that commit. It is removed when the test ends. */
export async function checkOut(t: Test, commit: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-before-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const archive = spawnSync('git', ['archive', commit, 'src', 'manifests', 'package.json'], { maxBuffer: 2 ** 28 });
  if (archive.status !== 0) throw new Error(archive.stderr.toString().trim());
  const unpacked = spawnSync('tar', ['-x', '-C', folder], { input: archive.stdout });
  if (unpacked.status !== 0) throw new Error(unpacked.stderr.toString().trim());
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}
