/** zero-trust.md of this folder: its section about checks, from the data of the requirements. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requirements } from '../src/picture/requirements.ts';

/** Between its heading and the next one, all is generated. */
const section = /^## Checks\n[\s\S]*?(?=^## )/m;

export function zeroTrustPage(): string {
  const page = readFileSync(join(import.meta.dirname, 'zero-trust.md'), 'utf8');
  return page.replace(section, () => checksSection());
}

function checksSection(): string {
  const parts = requirements.map(
    ({ id, title, checks }) => `**${title}** (\`${id}\`):\n${checks.map(linkTo).join(',\n')}.\n`,
  );
  return `## Checks

<!-- Made by \`npm run pages\` from src/picture/requirements.ts. -->

What each check refuses would break its requirement. A check can be of several. Checks that only warn are of none.

${parts.join('\n')}
`;
}

const linkTo = (id: string): string => `[${id}](checks/${id}.md)`;
