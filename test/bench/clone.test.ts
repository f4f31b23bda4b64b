/** What `npm run bench:clone` waits for, as far as it does not depend on the load of the machine: how much is installed. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

/** 396 packages and 321 MB on 2026-11-29. */
const most = { packages: 420, megabytes: 360 };

interface Installed {
  readonly packages: Readonly<Record<string, unknown>>;
}

t.test('what is installed before the first denial does not grow unseen', async (t) => {
  const { packages }: Installed = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8'));
  const count = Object.keys(packages).length;
  t.ok(count > 100 && count <= most.packages, `${count} packages`);
  const entries = readdirSync('node_modules', { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    // Node itself is as large as its release.
    .filter((path) => !path.startsWith('node_modules/node/'))
    .map((path) => lstatSync(path));
  // Programs are linked to a second place.
  const sizes = new Map(files.map(({ ino, size }) => [ino, size]));
  const megabytes = Math.round([...sizes.values()].reduce((sum, size) => sum + size, 0) / 1e6);
  t.ok(megabytes > 100 && megabytes <= most.megabytes, `${megabytes} MB beside Node`);
});
