/** Writes the Helm chart. A test fails while a file is not what this writes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { chartFiles } from './chart-files.ts';

for (const { file, text } of chartFiles()) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
