/** The linter of GitHub workflows, built from its Go module. */
import { join } from 'node:path';
import { type Built, buildOnce, type GoProgram, type Missing } from '../apiserver/go-program.ts';

const program: GoProgram = {
  sources: join(import.meta.dirname, 'actionlint'),
  cacheName: 'actionlint',
  name: 'actionlint',
  from: { module: 'github.com/rhysd/actionlint', title: 'actionlint' },
  stamps: [],
  complete: async () => {},
};

/** @throws when the build fails */
export function findActionlint(): Promise<Built | Missing> {
  return buildOnce(program);
}

if (import.meta.main) {
  const found = await findActionlint();
  if ('missing' in found) {
    process.stderr.write(`${found.missing}\n`);
    process.exitCode = 1;
  }
}
