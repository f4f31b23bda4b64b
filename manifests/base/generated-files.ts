/** The files that are made from the table of kinds, and those that name the version; and their text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessText } from './access.ts';
import { kindsPage } from './kinds-page.ts';
import { tableOfKindsSource } from './table-of-kinds.ts';
import { webhookFiles } from './webhook-configurations.ts';

const root = join(import.meta.dirname, '../..');
/** Written by hand, but for the version. */
const versioned = [
  'Dockerfile',
  'docs/start.md',
  'manifests/base/deployment.yaml',
  'manifests/components/reports/cron-job.yaml',
  'src/commands/build.ts',
];

export function generatedFiles(): readonly { readonly file: string; readonly text: string }[] {
  const files = [
    ...webhookFiles(),
    { file: 'access.yaml', text: accessText() },
    { file: '../../docs/kinds.md', text: kindsPage() },
    { file: '../../src/tenancy/table-of-kinds.ts', text: tableOfKindsSource() },
  ];
  return [...files.map(({ file, text }) => ({ file: join(import.meta.dirname, file), text })), ...versionedFiles()];
}

function versionedFiles(): ReturnType<typeof generatedFiles> {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const { version } = JSON.parse(read('package.json'));
  return versioned.map((file) => {
    const text = read(file).replaceAll(/(\bbulkhead:|\bversion = ')\d+\.\d+\.\d+(?:-[\w.]+)?/g, `$1${version}`);
    return { file: join(root, file), text };
  });
}
