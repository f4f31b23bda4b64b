/** The files of the chart that are generated, and their text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { supportedKubernetes } from '../supported-kubernetes.ts';
import { source } from './sources.ts';
import { type File, templateFiles } from './templates.ts';
import { valuesSchemaText, valuesTable, valuesText } from './values-files.ts';

const chart = join(import.meta.dirname, 'bulkhead');
const docs = join(import.meta.dirname, '../../docs');

interface Package {
  readonly version: string;
  readonly description: string;
}

export function chartFiles(): readonly File[] {
  const files = [
    { file: 'Chart.yaml', text: chartText() },
    { file: 'values.yaml', text: valuesText() },
    { file: 'values.schema.json', text: valuesSchemaText() },
    { file: 'files/dashboard.json', text: source('overlays/prometheus/dashboard.json') },
    ...templateFiles().map(({ file, text }) => ({ file: `templates/${file}`, text })),
  ];
  return [
    ...files.map(({ file, text }) => ({ file: join(chart, file), text })),
    { file: join(docs, 'helm-values.md'), text: pageText() },
  ];
}

function chartText(): string {
  const { version, description }: Package = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  );
  const chart = {
    apiVersion: 'v2',
    name: 'bulkhead',
    description,
    type: 'application',
    version,
    appVersion: version,
    kubeVersion: `>=${supportedKubernetes.oldest}.0-0`,
  };
  return `# Made by \`npm run manifests\`; both versions are those of package.json.\n${stringify(chart, { lineWidth: 0 })}`;
}

function pageText(): string {
  return `# Values of the Helm chart

<!-- Made by \`npm run manifests\` from manifests/helm/values.ts. -->

[Install with Helm](how-to/helm.md) says how to use them. Helm refuses an unknown value, and names it.
The fields of settings, tenants and exemptions are checked in the same way.

${valuesTable()}`;
}
