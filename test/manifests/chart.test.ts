/** The files of the Helm chart; test/helm/chart.test.ts has Helm render them, and compares the objects. */
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { chartFiles } from '../../manifests/helm/chart-files.ts';
import { edit } from '../../manifests/helm/edit.ts';

const chart = 'manifests/helm/bulkhead';
const writtenByHand = [
  '.helmignore',
  'templates/NOTES.txt',
  'templates/_helpers.tpl',
  'templates/backstop.yaml',
  'templates/configuration.yaml',
  'templates/monitoring-dashboard.yaml',
];

t.test('the generated files are up to date', async (t) => {
  for (const { file, text } of chartFiles()) t.equal(readFileSync(file, 'utf8'), text, 'run npm run manifests');
  const generated = chartFiles().map(({ file }) => relative(chart, file));
  const files = [...generated.filter((file) => !file.startsWith('..')), ...writtenByHand].sort();
  const found = globSync(['**/*', '.helmignore'], { cwd: chart, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(chart, join(entry.parentPath, entry.name)));
  t.strictSame(found.sort(), files, 'and there are no others, such as a template whose source is gone');
});

t.test('a source that has changed is not edited by halves', async (t) => {
  const text = 'spec:\n  replicas: 2\n  list:\n    - a\n    - b\n';
  t.equal(
    edit('x.yaml', text, [{ find: '- a\n- b', put: '{{- if .Values.a }}\n- a\n{{- end }}' }]),
    'spec:\n  replicas: 2\n  list:\n    {{- if .Values.a }}\n    - a\n    {{- end }}\n',
  );
  t.throws(() => edit('x.yaml', text, [{ find: 'replicas: 3', put: '' }]), /^x.yaml has these lines 0 times/);
  t.throws(() => edit('x.yaml', text + text, [{ find: 'replicas: 2', put: '' }]), /^x.yaml has these lines 2 times/);
});
