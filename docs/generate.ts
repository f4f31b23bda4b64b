/** Writes the pages that are made from the source. A test fails while a page is not what this writes. */
import { writeFileSync } from 'node:fs';
import { generatedPages } from './generated-pages.ts';

for (const { file, text } of generatedPages()) writeFileSync(file, text);
