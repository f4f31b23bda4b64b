/** Where messages refer to pages of the documentation. */
import type { Settings } from './settings.ts';

type Docs = Pick<Settings, 'docsURL'>;

/** The folder of the documentation in this project. */
export const defaultDocsURL = 'docs';

/** Pages are appended to it, so it has no query and no fragment. Undefined: neither an http or https URL nor a relative path. */
export function parseDocsURL(text: string): string | undefined {
  const fits = /^(?:https?:\/\/[-A-Za-z0-9.:[\]]+(?:\/[-\w.~%+@/]*)?|[-\w.~%+@][-\w.~%+@/]*)$/.test(text);
  return fits ? text.replace(/\/$/, '') : undefined;
}

export function docsPage({ docsURL }: Docs, page: string): string {
  return `${docsURL}/${page}`;
}

export function checkPage(docs: Docs, check: string): string {
  return docsPage(docs, `checks/${check}.md`);
}
