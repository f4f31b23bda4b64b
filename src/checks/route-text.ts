import { listOf, valueAt } from '../kubernetes/json.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { annotationsWritten, fieldOf } from './metadata-changes.ts';
import { textOf } from './written-endpoints.ts';

const method = 'nginx.ingress.kubernetes.io/auth-method';

/** Annotations that ingress-nginx writes into the configuration of nginx: a method of HTTP, and parts of URLs. */
const annotations: ReadonlySet<string> = new Set([
  method,
  ...['permanent-redirect', 'temporal-redirect', 'app-root', 'rewrite-target'].map(
    (name) => `nginx.ingress.kubernetes.io/${name}`,
  ),
]);

/** More findings than these say nothing new. */
const mostFound = 32;

/**
 * What an Ingress says is no text that nginx takes for more directives.
 * Reads    path of the rules of Ingresses; auth-method, permanent-redirect, temporal-redirect, app-root and rewrite-target of ingress-nginx,
 *          where the request changes them
 * Allowed  paths and patterns without control characters and comments, in which no blank, `;` and `{` or quote come together, as in no URL; values
 *          without characters that no URL has, with `$1` and variables of nginx. Anything for the platform
 * Why      versions of ingress-nginx write them as they are into the configuration of a controller that serves all tenants, and reads their
 *          certificates (SVC-07; CVE-2022-4886, CVE-2023-5044, CVE-2026-1580, CVE-2026-3288, CVE-2026-24512, CVE-2026-4342)
 */
export const routeText: Check = {
  id: 'route-text',
  headline: 'has text that a controller would take for configuration',
  protects: 'border',
  neighbour(request, { owner, requester }) {
    if (owner === 'platform' || requester.platform || request.operation === 'DELETE') return nothing;
    if (request.kind !== 'Ingress') return nothing;
    const found: Finding[] = [];
    for (const [index, rule] of listOf(valueAt(request.object, 'spec', 'rules')).entries())
      for (const [place, one] of listOf(valueAt(rule, 'http', 'paths')).entries()) {
        const what = brokenPath(textOf(valueAt(one, 'path')));
        if (what === undefined) continue;
        const fix = 'write a path as it stands in a URL, such as /app, or a pattern, without it';
        found.push({ path: `spec.rules[${index}].http.paths[${place}].path`, reason: reasonOf(what), fix });
        if (found.length === mostFound) return found;
      }
    for (const { key, value } of annotationsWritten(annotations, request)) {
      const what = key === method ? brokenMethod(value.trim()) : brokenUrl(value.trim());
      if (what === undefined) continue;
      const fix = `write ${key === method ? 'a method of HTTP, such as GET' : 'a URL, or a path such as /app'}, without it`;
      found.push({ path: fieldOf({ map: 'annotations', key }), reason: reasonOf(what), fix, ofChange: true });
    }
    return found;
  },
};

function reasonOf(what: string): string {
  return `has ${what}, and versions of ingress-nginx write it into the configuration of a controller that serves other tenants`;
}

/** How often a part of a pattern may occur, such as `{1,3}`. */
const count = /^\{(?:\d{1,5}(?:,\d{0,5})?|,\d{1,5})\}/;
const longestCount = '{65535,65535}'.length;
const variable = '\x24{';

/** Without what nginx takes for parts of a word: an escaped character, the count of a pattern, and the beginning of `${name}`. */
function withoutPartsOfWords(path: string): string {
  let rest = '';
  for (let at = 0; at < path.length; at++) {
    const character = path[at];
    const isPart = character === '\\' || path.startsWith(variable, at);
    const counted = character === '{' ? (count.exec(path.slice(at, at + longestCount))?.[0].length ?? 0) : 0;
    if (isPart) at++;
    else if (counted > 0) at += counted - 1;
    else rest += character;
  }
  return rest;
}

/** Without variables of nginx, such as `${host}`. */
function withoutVariables(value: string): string {
  const [first = '', ...parts] = value.split(variable);
  const ended = parts.map((part) => (/^\w+\}/.test(part) ? part.slice(part.indexOf('}') + 1) : variable + part));
  return first + ended.join('');
}

/**
 * Patterns are paths as well, so braces, quotes and semicolons alone are admitted. To say more than a location, text must end its word by `{`
 * or a quote, and needs a blank before what a directive says, but for blocks of Lua.
 */
function brokenPath(path: string): string | undefined {
  const found = brokenLine(path);
  if (found !== undefined) return found;
  if (!/[{"]/.test(path)) return undefined;
  const rest = withoutPartsOfWords(path);
  const ends = /[{"]/.exec(rest)?.[0];
  if (ends === undefined) return undefined;
  if (rest.includes('_by_lua')) return `code of Lua behind ${shown(ends)}`;
  return / /.test(rest) && rest.includes(';') ? `a blank and ";" beside ${shown(ends)}` : undefined;
}

function brokenUrl(value: string): string | undefined {
  const found = brokenLine(value);
  if (found !== undefined) return found;
  const character = /[;{}"`\\]/.exec(withoutVariables(value))?.[0];
  return character === undefined ? undefined : shown(character);
}

function brokenMethod(value: string): string | undefined {
  const character = /[;{}"'`$\\]/.exec(value)?.[0];
  return brokenLine(value) ?? (character === undefined ? undefined : shown(character));
}

function brokenLine(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'a line break or another control character';
  return / #/.test(text) ? 'a comment' : undefined;
}

function shown(character: string): string {
  return character === '"' ? 'a quote' : `"${character}"`;
}
