import type { Settings } from './settings.ts';

/** The folder of the documentation in this project. */
export const defaultDocsURL = 'docs';

/** Pages are appended to it, so it has no query and no fragment. Undefined: neither an http or https URL nor a relative path. */
export function parseDocsURL(text: string): string | undefined {
  const fits = /^(?:https?:\/\/[-A-Za-z0-9.:[\]]+(?:\/[-\w.~%+@/]*)?|[-\w.~%+@][-\w.~%+@/]*)$/.test(text);
  return fits ? text.replace(/\/$/, '') : undefined;
}

/** How messages refer to a page of the documentation. */
export function docsPage({ docsURL }: Pick<Settings, 'docsURL'>, page: string): string {
  return `${docsURL}/${page}`;
}
