/** The version is one fact: the command of RELEASE.md sets it, and nothing keeps the one before. */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { version as before } from '../../src/commands/build.ts';

const after = '987.65.43';
const parts = ['.github', '.npmrc', 'Dockerfile', 'README.md', 'RELEASE.md', 'SECURITY.md', 'build.ts', 'docs'];
parts.push('manifests', 'package-lock.json', 'package.json', 'src', 'tsconfig.json');

/** @returns the places where files have this version of Bulkhead, and not of something else */
function places(folder: string, version: string): readonly string[] {
  const named = new RegExp(
    `(?:bulkhead:v?|[vV]ersion["']?[:=]? +["']?|= ["'])${version.replaceAll('.', '\\.')}(?![\\w.])`,
  );
  const files = globSync(['**/*', '.github/**/*'], { cwd: folder, exclude: ['node_modules'], withFileTypes: true });
  const found = files
    .filter((one) => one.isFile() && one.name !== 'package-lock.json')
    .flatMap(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const lines = readFileSync(path, 'utf8').split('\n');
      return lines.filter((line) => named.test(line)).map((line) => `${path.slice(folder.length + 1)}: ${line.trim()}`);
    });
  return found.sort();
}

t.test('a release changes the version in one place, and everything follows', async (t) => {
  const release = readFileSync('RELEASE.md', 'utf8');
  const [, command = ''] = /`(npm version [^`]+)`/.exec(release) ?? [];
  t.ok(release.indexOf('`.ci/run`') > release.indexOf(command), 'everything is tested with the new version');

  const folder = resolve(t.testdir());
  for (const part of parts) cpSync(part, join(folder, part), { recursive: true });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const had = places(folder, before);
  t.ok(had.length >= 10, `${had.length} places have it`);
  const { NODE_OPTIONS: _, ...env } = process.env;
  const run = (program: string, ...given: readonly string[]) =>
    spawnSync(program, given, { cwd: folder, encoding: 'utf8', env });
  const { status, stderr } = run('bash', '-c', command.replace('X.Y.Z', after));
  t.equal(status, 0, command, { stderr });

  t.strictSame(places(folder, before), [], 'nothing has the old one');
  t.strictSame(
    places(folder, after),
    had.map((place) => place.replace(before, after)),
    'and the same places have the new one',
  );
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  t.strictSame([lock.version, lock.packages[''].version], [after, after]);
  t.match(run(process.execPath, 'src/main.ts', 'version').stdout, `bulkhead ${after}\n`);
});
