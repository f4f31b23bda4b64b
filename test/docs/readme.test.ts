import { readFileSync } from 'node:fs';
import t from 'tap';
import { catalogue } from '../../src/checks/catalogue.ts';

t.test(
  'the table of the README has every check, in the order of the catalogue, and says when it is enforced',
  async (t) => {
    const rows = [
      ...readFileSync('README.md', 'utf8').matchAll(/^\| \[([a-z-]+)\]\(docs\/checks\/\1\.md\) \| .+ \| (.+) \|$/gm),
    ];
    t.same(
      rows.map(([, id, enforced]) => [id, enforced]),
      catalogue.map(({ id, protects }) => [
        id,
        { identity: 'always', border: 'by mode', intent: 'as a warning' }[protects],
      ]),
    );
  },
);
