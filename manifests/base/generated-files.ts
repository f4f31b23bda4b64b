/** The files that are made from the table of kinds, and their text. */
import { join } from 'node:path';
import { accessText } from './access.ts';
import { kindsPage } from './kinds-page.ts';
import { webhookFiles } from './webhook-configurations.ts';

export function generatedFiles(): readonly { readonly file: string; readonly text: string }[] {
  const files = [
    ...webhookFiles(),
    { file: 'access.yaml', text: accessText() },
    { file: '../../docs/kinds.md', text: kindsPage() },
  ];
  return files.map(({ file, text }) => ({ file: join(import.meta.dirname, file), text }));
}
