/**
 * `npm run cases -- FILE...`: judges worked cases and prints each difference with the id of its case.
 * Ends with 0 when all hold, with 1 on any difference, with 2 when a file cannot be read. worked-cases.ts says how a file looks.
 */
import { readFileSync } from 'node:fs';
import { judgeCases } from './judge-cases.ts';
import { readCases, type WorkedCases } from './worked-cases.ts';

function read(file: string): WorkedCases | undefined {
  try {
    return readCases(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('No file is given: npm run cases -- FILE...\n');
  process.exitCode = 2;
}
for (const file of files) {
  const cases = read(file);
  if (cases === undefined) {
    process.exitCode = 2;
    continue;
  }
  const { held, differences, notBuilt } = judgeCases(cases);
  for (const { id, text } of differences) process.stdout.write(`${file}: ${id} ${text}\n`);
  if (differences.length > 0) process.exitCode ??= 1;
  const later = [...notBuilt].map(([engine, count]) => `${engine} ${count}`).join(', ');
  const others = [...notBuilt.values()].reduce((sum, count) => sum + count, 0);
  process.stdout.write(
    `${file}: ${held.length} of ${cases.cases.length} cases hold, ${differences.length} differ, ` +
      `${others} belong to engines that are not built yet${later && ` (${later})`}\n`,
  );
}
