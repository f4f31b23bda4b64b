import t from 'tap';
import { table } from '../../src/report/table.ts';

const cases: Readonly<Record<string, { readonly lines: readonly (readonly string[])[]; readonly shown: string }>> = {
  'nothing is nothing': { lines: [], shown: '' },
  'a column is as wide as its longest cell, which may be the heading': {
    lines: [
      ['NAMESPACE', 'PODS'],
      ['acme-web', '12'],
      ['acme-database', '3'],
    ],
    shown: `
NAMESPACE      PODS
acme-web       12
acme-database  3`,
  },
  'a line does not end with spaces, also where its last cells are empty': {
    lines: [
      ['NAMESPACE', 'TENANT', 'WHICH'],
      ['acme-web', 'acme', ''],
      ['globex-web', '', ''],
    ],
    shown: `
NAMESPACE   TENANT  WHICH
acme-web    acme
globex-web`,
  },
};

for (const [sentence, { lines, shown }] of Object.entries(cases)) {
  t.test(sentence, async (t) => {
    t.equal(table(lines).join('\n'), shown.trimStart());
  });
}
