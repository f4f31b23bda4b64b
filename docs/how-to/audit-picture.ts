/** audit.svg: the matrix of the tenants of docs/examples/audit, as `bulkhead audit -o html` shows it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { type Picture, pictureOf } from '../../src/picture/picture.ts';
import type { PictureCrossing } from '../../src/picture/picture-crossings.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { unlined } from '../../src/tenancy/problem.ts';

const root = join(import.meta.dirname, '../..');
const documentsOf = (file: string) =>
  parseAllDocuments(readFileSync(join(root, file), 'utf8')).map((one) => one.toJS());

function examplePicture(): Picture {
  const located = (file: string) => documentsOf(file).map((value) => ({ value, locate: unlined(file) }));
  const [settings] = located('manifests/overlays/example/bulkhead.yaml');
  // None of its gates ends.
  const loaded = loadTenancy(settings, located('docs/examples/audit/tenants.yaml'), 0);
  if (!loaded.ok) throw new Error('the example of the audit is wrong');
  const objects = documentsOf('docs/examples/audit/cluster.yaml');
  const snapshot = readSnapshot(objects, loaded.value, { hasPods: false, withBaseline: true });
  return pictureOf(snapshot, loaded.value, 0);
}

const side = 34;
const [left, top] = [110, 96];
const signs = { violation: '✕', gate: '⇢', service: '•' };
const words = { violation: 'not granted', gate: 'through a gate', service: 'shared service' };
type Kind = keyof typeof signs;

const kindOf = ({ violation, grants }: PictureCrossing): Kind =>
  violation !== '' ? 'violation' : grants.some(({ kind }) => kind === 'gate') ? 'gate' : 'service';

const box = (kind: Kind, x: number, y: number) =>
  `<rect class="${kind}" x="${x + 3}" y="${y + 3}" width="${side - 6}" height="${side - 6}" rx="5"/>` +
  `<text class="sign ${kind}" x="${x + side / 2}" y="${y + side / 2 + 5}">${signs[kind]}</text>`;

export function auditPicture(): string {
  const { tenants, crossings } = examplePicture();
  const names = tenants.map(({ name }) => name);
  const [width, height] = [left + names.length * side + 250, top + names.length * side + 12];
  const x = (index: number) => left + index * side;
  const y = (index: number) => top + index * side;
  const lines = names.flatMap((name, index) => [
    `<text x="${left - 10}" y="${y(index) + side / 2 + 5}" text-anchor="end">${name}</text>`,
    `<text transform="translate(${x(index) + side / 2},${top - 8}) rotate(-45)">${name}</text>`,
    `<line x1="8" y1="${y(index)}" x2="${x(names.length)}" y2="${y(index)}"/>`,
    `<rect class="own" x="${x(index) + 3}" y="${y(index) + 3}" width="${side - 6}" height="${side - 6}" rx="5"/>`,
  ]);
  const cells = crossings.map((one) => box(kindOf(one), x(names.indexOf(one.to)), y(names.indexOf(one.from))));
  const legend = (['violation', 'gate', 'service'] as const).flatMap((kind, index) => [
    box(kind, x(names.length) + 40, y(index + 1)),
    `<text x="${x(names.length) + 40 + side + 8}" y="${y(index + 1) + side / 2 + 5}">${words[kind]}</text>`,
  ]);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Which of five tenants reach which. Rows reach columns.</title>
<style>
svg { background: #fff }
text { font: 14px system-ui, sans-serif; fill: #1b1f24 }
line { stroke: #d0d7de }
.own { fill: #d0d7de; opacity: .5 }
.violation { fill: #ffe4e1; stroke: #b3261e; stroke-width: 2 }
.gate { fill: #e3f0ff; stroke: #0550ae; stroke-width: 2; stroke-dasharray: 4 3 }
.service { fill: none; stroke: #8c959f }
.sign { text-anchor: middle; font-weight: bold; stroke: none }
text.violation { fill: #b3261e }
text.gate { fill: #0550ae }
text.service { fill: #57606a }
@media (prefers-color-scheme: dark) {
svg { background: #14181d }
text { fill: #e6edf3 }
line { stroke: #3a434d }
.own { fill: #3a434d }
.violation { fill: #4a1f1c; stroke: #ff8f86 }
.gate { fill: #16304f; stroke: #79b8ff }
text.violation { fill: #ff8f86 }
text.gate { fill: #79b8ff }
text.service { fill: #9aa5b1 }
}
</style>
${[...lines, ...cells, ...legend].join('\n')}
</svg>
`;
}
