/** README.md of this folder: every attack, what holds against it, and the tests that show it. */
import { globSync, readFileSync } from 'node:fs';
import { isReplayed, loadCases } from '../fixtures/cases.ts';
import { attacks } from './catalogue.ts';

export const tableFile = 'test/attacks/README.md';

/** Rows of a test in a file of their own. */
const rowsOf: Readonly<Record<string, string>> = {
  'test/e2e/attack-rows.ts': 'test/e2e/attacks.test.ts',
  'test/e2e/in-use-attacks.ts': 'test/e2e/in-use.test.ts',
};

/** ID -> folders of test/fixtures, and test files. */
export function placesOf(): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, Set<string>>();
  const add = (id: string, place: string) => places.set(id, (places.get(id) ?? new Set()).add(place));
  for (const one of loadCases()) {
    for (const id of one.attack) {
      add(id, `test/fixtures/${one.check}`);
      if (one.expects === 'fail' && isReplayed(one)) add(id, 'test/e2e/fixtures.test.ts');
    }
  }
  const tests = globSync(['test/**/*.test.ts', 'test/soak/short/*.ts'], {
    exclude: ['test/attacks/**', 'test/docs/**'],
  });
  for (const file of [...tests, ...Object.keys(rowsOf)]) {
    for (const [id] of readFileSync(file, 'utf8').matchAll(/\b(?:ADM|TEN|NP|POD|SVC|SRV|EXM|GAT|IP)-\d\d\b/g))
      add(id, rowsOf[file] ?? file);
  }
  return new Map([...places].map(([id, found]) => [id, [...found].sort()]));
}

export function tableText(): string {
  const places = placesOf();
  const rows = Object.entries(attacks).map(([id, { attack, must, untested }]) => {
    const found = places.get(id) ?? [];
    const tests = found.length > 0 ? found.map(code).join(', ') : `not tested: ${untested}`;
    return `| ${id} | ${must ? 'must' : ''} | ${attack} | ${holders(found).join(', ')} | ${tests} |`;
  });
  return `# Attacks and where they are tested

Written by \`npm run attacks\`; a test fails while it is not what that writes. A case in \`test/fixtures\` names the attacks it
tests in \`attack\`, a test in its title or beside its row. Ids are permanent.

*must*: attacks on Namespaces, Pods and NetworkPolicies, and on the webhook itself, that have to be blocked. \`test/e2e\` and \`test/soak\` are with a
real API server; \`test/e2e/fixtures.test.ts\` replays every case that creates something, and stands here where
one of them is refused. \`test/e2e/in-use.test.ts\` sends every case at its end, and stands here for what no case shows.

| id | | attack | held by | tested in |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

/** The checks whose cases name it; else the rooms whose tests do. */
function holders(places: readonly string[]): string[] {
  const inFolder = (folder: RegExp) => [...new Set(places.flatMap((place) => folder.exec(place)?.[1] ?? []))];
  const checks = inFolder(/^test\/fixtures\/([^/]+)$/).map((id) => `[${id}](../../docs/checks/${id}.md)`);
  if (checks.length > 0) return checks;
  if (places.some((place) => /^test\/[^/]+$/.test(place))) return [code('src')];
  return inFolder(/^test\/(?!e2e)([^/]+)\//).map((room) => code(room === 'manifests' ? room : `src/${room}`));
}

function code(text: string): string {
  return `\`${text}\``;
}
