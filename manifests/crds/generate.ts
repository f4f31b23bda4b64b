/** Writes the CustomResourceDefinitions. A test fails while a file is not what this writes. */
import { writeFileSync } from 'node:fs';
import { definitionFiles } from './definition-files.ts';

for (const { file, text } of definitionFiles()) writeFileSync(file, text);
