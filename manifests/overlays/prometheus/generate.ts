/** Writes what is made from alerts.yaml and dashboard.ts. A test fails while the files are not what this writes. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { defaultDocsURL, parseDocsURL } from '../../../src/tenancy/docs-page.ts';
import { generatedFiles } from './generated-files.ts';

const { values } = parseArgs({ options: { 'docs-url': { type: 'string', default: defaultDocsURL } } });
const docsURL = parseDocsURL(values['docs-url']);
if (docsURL === undefined) throw new Error('--docs-url: write an http or https URL or a relative path');
for (const { file, text } of generatedFiles(docsURL)) writeFileSync(file, text);
