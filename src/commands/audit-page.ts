/** The page of `bulkhead audit -o html`. Its script and style are beside the code, or in it where that is one file (build.ts). */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AuditResult } from '../report/audit-result.ts';
import { htmlPage, type PageParts, scripts, styles } from '../report/page.ts';

/** Put in by the build. */
declare const bulkheadPage: PageParts | undefined;

export async function pageOf(result: AuditResult): Promise<string> {
  const parts = typeof bulkheadPage === 'undefined' ? await fromSources() : bulkheadPage;
  return htmlPage(result, parts, (text) => createHash('sha256').update(text).digest('base64'));
}

async function fromSources(): Promise<PageParts> {
  const text = async (names: readonly string[]) =>
    (await Promise.all(names.map((name) => readFile(new URL(`../report/page/${name}`, import.meta.url), 'utf8')))).join(
      '',
    );
  return { script: await text(scripts), style: await text(styles) };
}
