/** The segments that may come before `/validate` in the path of a request (docs/decisions/0027-the-path-is-replaced.md). */
import { timingSafeEqual } from 'node:crypto';
import { prefixOf } from '../certificates/paths.ts';

/** The URL from its last segment on, if one of these paths is all that comes before; else one under which nothing is. */
export function withoutPath(url: string, known: readonly string[]): string {
  const query = url.indexOf('?');
  const last = url.lastIndexOf('/', query === -1 ? url.length : query);
  return isPrefixOfOne(url.slice(0, last), known) ? url.slice(last) : '/';
}

/** Takes as long for a path that is almost right as for one that is all wrong. */
function isPrefixOfOne(text: string, paths: readonly string[]): boolean {
  const asked = Buffer.from(text);
  return paths.some((path) => {
    const prefix = Buffer.from(prefixOf(path));
    return asked.length === prefix.length && timingSafeEqual(asked, prefix);
  });
}
