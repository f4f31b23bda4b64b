/** URLs, where the end of a connection is asked for. */

/** What to write in place of a URL, of which no user, path or query is repeated: they hold passwords. Undefined: it is no URL. */
export function withoutUrl(text: string): string | undefined {
  const at = text.indexOf('://');
  const scheme = text.slice(0, Math.max(0, at));
  if (!/^[a-z][a-z0-9+.:-]*$/i.test(scheme)) return undefined;
  const rest = text.slice(at + '://'.length);
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  // A password may hold a slash.
  const isCut = end >= 0 && rest.includes('@', end);
  const instead = isCut ? 'HOST:PORT' : placeIn(authority, scheme.slice(scheme.lastIndexOf(':') + 1));
  return `${scheme}://… is a URL: write the host and the port alone, as in ${instead}`;
}

function placeIn(authority: string, scheme: string): string {
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  const colon = place.indexOf(':', place.startsWith('[') ? place.indexOf(']') : 0);
  const [host, port] = colon < 0 ? [place, ''] : [place.slice(0, colon), place.slice(colon + 1)];
  const known = schemePorts.get(scheme.toLowerCase()) ?? 'PORT';
  return `${host || 'HOST'}:${port === '' ? known : /^\d+$/.test(port) ? port : 'PORT'}`;
}

const schemePorts: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['ws', '80'],
  ['https', '443'],
  ['wss', '443'],
  ['postgres', '5432'],
  ['postgresql', '5432'],
]);
