/** Writes README.md of this folder. A test fails while the file is not what this writes. */
import { writeFileSync } from 'node:fs';
import { tableFile, tableText } from './table.ts';

writeFileSync(tableFile, tableText());
