/** The segments that may come before `/validate` in the path of a request (docs/decisions/0027-the-path-is-replaced.md). */
import { timingSafeEqual } from 'node:crypto';
import { prefixOf } from '../certificates/paths.ts';

/**
 * @param paths a list never changes: another one is another array
 * @returns a URL from its last segment on, if one of the paths is all that comes before; else one under which nothing is
 */
export function pathReader(paths: () => readonly string[]): (url: string) => string {
  let read: readonly string[] = [];
  let prefixes: readonly Buffer[] = [];
  return (url) => {
    if (read !== paths()) {
      read = paths();
      prefixes = read.map((path) => Buffer.from(prefixOf(path)));
    }
    const query = url.indexOf('?');
    const last = url.lastIndexOf('/', query === -1 ? url.length : query);
    const asked = Buffer.from(url.slice(0, last));
    // Takes as long for a prefix that is almost right as for one that is all wrong.
    const isKnown = prefixes.some((prefix) => asked.length === prefix.length && timingSafeEqual(asked, prefix));
    return isKnown ? url.slice(last) : '/';
  };
}
