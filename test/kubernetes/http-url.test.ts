import t from 'tap';
import { parseHttpTarget } from '../../src/kubernetes/http-url.ts';

const read: readonly (readonly [text: string, host: string, port: number])[] = [
  ['https://login.example.org/keys', 'login.example.org', 443],
  ['http://login.example.org', 'login.example.org', 80],
  ['HTTPS://Login.Example.ORG.:8443?x=1', 'Login.Example.ORG.', 8443],
  ['https://login.example.org:/keys', 'login.example.org', 443],
  ['https://login.example.org#@10.0.0.1', 'login.example.org', 443],
  ['https://login.example.org/@10.0.0.1:22/', 'login.example.org', 443],
  ['http://[2001:db8::1]:8080/keys', '2001:db8::1', 8080],
  ['http://[::1]', '::1', 80],
  ['http://192.0.2.7:65535/', '192.0.2.7', 65535],
];

t.test('the host and port of a URL', async (t) => {
  for (const [text, host, port] of read) t.strictSame(parseHttpTarget(text), { ok: true, value: { host, port } }, text);
});

const unread: readonly (readonly [text: string, reason: string])[] = [
  ['', 'is no http or https URL'],
  ['login.example.org', 'is no http or https URL'],
  ['//login.example.org', 'is no http or https URL'],
  ['https:login.example.org', 'is no http or https URL'],
  ['file:///etc/passwd', 'is no http or https URL'],
  ['gopher://login.example.org/', 'is no http or https URL'],
  ['https://user@login.example.org', 'names a user, and programs differ about which part is then the host'],
  ['https://login.example.org:443@10.0.0.1', 'names a user, and programs differ about which part is then the host'],
  ['https://login.example.org\\@10.0.0.1', 'holds characters that not every program reads alike'],
  [' https://login.example.org', 'holds characters that not every program reads alike'],
  ['https://login.example.org\n.evil.example', 'holds characters that not every program reads alike'],
  ['https://login.ex\u3002ample.org', 'holds characters that not every program reads alike'],
  ['https:///keys', 'names no host that all programs read alike'],
  ['https://:443/keys', 'names no host that all programs read alike'],
  ['https://login%2eexample.org', 'names no host that all programs read alike'],
  ['http://[fe80::1%25eth0]/', 'names no host that all programs read alike'],
  ['http://[login.example.org]/', 'names no host that all programs read alike'],
  ['http://::1/', 'names no host that all programs read alike'],
  ['http://login.example.org:80:81/', 'names no host that all programs read alike'],
  ['http://login.example.org:+80/', 'names no host that all programs read alike'],
  ['http://login.example.org:0/', 'names no port from 1 to 65535'],
  ['http://login.example.org:65536/', 'names no port from 1 to 65535'],
  [`https://${'a'.repeat(2048)}`, 'is longer than 2048 characters'],
];

t.test('what programs can read differently is not read', async (t) => {
  for (const [text, reason] of unread) t.strictSame(parseHttpTarget(text), { ok: false, reason }, text.slice(0, 60));
});

t.test('hosts are those that the WHATWG parser of Node finds', async (t) => {
  for (const [text, host, port] of read) {
    const url = new URL(text);
    t.equal(url.hostname.replace(/^\[|\]$/g, ''), host.toLowerCase(), text);
    const usual = url.protocol === 'http:' ? 80 : 443;
    t.equal(url.port === '' ? usual : Number(url.port), port, text);
  }
});
