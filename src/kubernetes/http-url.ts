/**
 * Where a program that fetches an http or https URL connects to. Reads only text that all parsers read alike (RFC 3986, Go's net/url,
 * WHATWG URL): no user information, no backslashes, blanks or escapes in the host, and nothing but visible ASCII. Pure.
 */

export interface HttpTarget {
  /** As it is written: a name, an IPv4 address, or an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

type Read =
  | { readonly ok: true; readonly value: HttpTarget }
  /** Follows the text of the URL. */
  | { readonly ok: false; readonly reason: string };

/** No longer ones are looked at: maxLength of jwksUri in security.istio.io. */
const longest = 2048;

export function parseHttpTarget(text: string): Read {
  if (text.length > longest) return wrong(`is longer than ${longest} characters`);
  if (!/^[\x21-\x5b\x5d-\x7e]*$/.test(text)) return wrong('holds characters that not every program reads alike');
  const [head = '', scheme = ''] = /^([A-Za-z]+):\/\//.exec(text) ?? [];
  const lower = scheme.toLowerCase();
  if (lower !== 'http' && lower !== 'https') return wrong('is no http or https URL');
  const [authority = ''] = text.slice(head.length).split(/[/?#]/);
  if (authority.includes('@')) return wrong('names a user, and programs differ about which part is then the host');
  const [, six, name, digits] = /^(?:\[([^[\]]*)\]|([^[\]:]*))(?::(\d{0,5}))?$/.exec(authority) ?? [];
  const host = six ?? name ?? '';
  if (host === '' || host.includes('%') || (six !== undefined && !six.includes(':')))
    return wrong('names no host that all programs read alike');
  // An empty port is that of the scheme.
  const port = digits === undefined || digits === '' ? (lower === 'http' ? 80 : 443) : Number(digits);
  return port >= 1 && port <= 65535 ? { ok: true, value: { host, port } } : wrong('names no port from 1 to 65535');
}

function wrong(reason: string): Read {
  return { ok: false, reason };
}
