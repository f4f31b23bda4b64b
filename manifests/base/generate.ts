/** Writes what is made from the table of kinds, and the version. A test fails while the files are not what this writes. */
import { writeFileSync } from 'node:fs';
import { generatedFiles } from './generated-files.ts';

for (const { file, text } of generatedFiles()) writeFileSync(file, text);
