/** Holds the limits that the pages of the border's checks tell against those of the code. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { valuesPerLabel } from '../../src/reach/dialects/found.ts';
import { limits } from '../../src/reach/dialects/network-policy-rule.ts';

const { rules, peers, ports, excepts } = limits;
const sentence = `Examined are ${rules} rules, ${peers} peers, ${ports} ports and ${excepts} exceptions of one policy, and ${valuesPerLabel} values of one label.`;

t.test('the pages tell how much of one policy is examined', async (t) => {
  for (const id of ['cross-tenant-ingress', 'cross-tenant-egress', 'ip-block'])
    t.ok(readFileSync(`docs/checks/${id}.md`, 'utf8').includes(sentence), id);
});
