import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { claimFolder, removeFolder } from './folder.ts';

const parent = await mkdtemp(join(tmpdir(), 'bulkhead-folder-'));
t.teardown(() => rm(parent, { recursive: true }));
/** No process has it: Linux ends before. */
const gone = '4194305';

async function folderWith(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

t.test('what a cluster left that was killed is removed', async (t) => {
  const folder = await folderWith('left', { process: gone, alice: 'a key' });
  await mkdir(join(folder, 'bin'));
  await claimFolder(folder);
  t.strictSame(await readdir(folder), ['process']);
});

t.test('a folder of the user stays, even with a file of this name in it', async (t) => {
  for (const [name, files] of Object.entries({
    notes: { process: 'how we work', thesis: 'years' },
    numbered: { process: gone, thesis: 'years' },
    empty: { process: '' },
    unlike: { process: '0' },
  })) {
    const folder = await folderWith(name, files);
    await t.rejects(
      claimFolder(folder),
      { message: /exists and is not a cluster's: remove it, or give another/ },
      name,
    );
    t.strictSame(await readdir(folder), Object.keys(files), name);
  }
});

t.test("in the end all that is the cluster's is removed, and nothing else", async (t) => {
  const folder = join(parent, 'used');
  await claimFolder(folder);
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'alice'), 'a key');
  await writeFile(join(folder, 'tenant.yaml'), 'written by the user');
  await removeFolder(folder);
  t.strictSame(await readdir(folder), ['tenant.yaml']);
  await rm(join(folder, 'tenant.yaml'));
  await removeFolder(folder);
  t.notOk((await readdir(parent)).includes('used'));
});

t.test('no folder can be made', async (t) => {
  await t.rejects(claimFolder(join(parent, 'no', 'where')), {
    message: /no\/where cannot be made: ENOENT.*; give another --folder$/,
  });
});
