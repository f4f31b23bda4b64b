/** Hosts of tenants: what contains what, and that no two tenants have one host. */
import t from 'tap';
import { containsHost, parseHost, sharesHost } from '../../src/kubernetes/host-name.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { compileHosts } from '../../src/tenancy/route-grants.ts';
import { validateTenancy } from '../../src/tenancy/validate-tenancy.ts';

const host = (text: string) => {
  const parsed = parseHost(text);
  if (parsed === undefined) throw new Error(`${text} is no host name`);
  return parsed;
};

const pairs: readonly (readonly [one: string, other: string, relation: 'contains' | 'shares' | 'apart'])[] = [
  ['shop.example.com', 'shop.example.com', 'contains'],
  ['Shop.Example.com.', 'shop.example.com', 'contains'],
  ['*.example.com', 'shop.example.com', 'contains'],
  ['*.example.com', 'a.b.example.com', 'contains'],
  ['*.example.com', '*.b.example.com', 'contains'],
  ['*.example.com', 'example.com', 'apart'],
  ['*.example.com', 'shop-example.com', 'apart'],
  ['*.example.com', 'badexample.com', 'apart'],
  ['shop.example.com', '*.example.com', 'shares'],
  ['', 'shop.example.com', 'contains'],
  ['*', '*.example.com', 'contains'],
  ['a.example.com', 'b.example.com', 'apart'],
  ['*.a.example.com', '*.b.example.com', 'apart'],
];

for (const [one, other, relation] of pairs)
  t.test(`${one || 'every host'} and ${other}: ${relation}`, async (t) => {
    t.equal(containsHost(host(one), host(other)), relation === 'contains');
    t.equal(sharesHost(host(one), host(other)), relation !== 'apart');
    t.equal(sharesHost(host(other), host(one)), relation !== 'apart');
    const { isOfOthers } = compileHosts([{ host: host(one), owner: 'acme' }]);
    t.equal(isOfOthers(host(other), 'beta'), relation !== 'apart', 'the index says the same');
    t.equal(isOfOthers(host(other), 'acme'), false, 'its own are not of others');
  });

t.test('what is no host name', async (t) => {
  for (const text of [
    'a..b',
    '*.*.example.com',
    'a.*.com',
    'shop.example.com:80',
    'https://a.com',
    '*example.com',
    ' a.com',
    'a.'.repeat(200),
  ])
    t.equal(parseHost(text), undefined, text);
});

const tenant = (name: string, hosts: readonly string[]) => {
  const document = {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name },
    spec: { network: { hosts } },
  };
  return parseTenant({ value: document, locate: unlined(name) });
};
const located = (name: string, hosts: readonly string[]) => {
  const parsed = tenant(name, hosts);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { value: parsed.value, locate: unlined(name) };
};

t.test('a host of everybody, or none, is not loaded', async (t) => {
  for (const [text, reason] of [
    ['*.com', 'stands for hosts of everybody'],
    ['*', 'stands for hosts of everybody'],
    ['a b', 'is no host name'],
  ] as const) {
    const parsed = tenant('acme', [text]);
    t.match(parsed, { ok: false, problems: [{ path: 'spec.network.hosts[0]', reason: `"${text}" ${reason}` }] });
  }
});

t.test('no host is reserved for two', async (t) => {
  const judge = (...tenants: readonly ReturnType<typeof located>[]) =>
    validateTenancy(
      { ...defaultSettings, routes: { ...defaultSettings.routes, platformHosts: [host('console.example.com')] } },
      tenants,
      0,
    ).problems;
  const acme = located('acme', ['*.acme.example.com', 'acme.example.com']);
  t.strictSame(judge(acme, located('beta', ['beta.example.com'])), []);
  t.match(judge(acme, located('beta', ['beta.example.com', 'a.acme.example.com'])), [
    {
      file: 'beta',
      path: 'spec.network.hosts[1]',
      reason: 'a.acme.example.com shares hosts with *.acme.example.com, which is reserved for tenant acme',
    },
  ]);
  t.match(judge(acme, located('beta', ['*.example.com'])), [{ file: 'beta', path: 'spec.network.hosts[0]' }]);
  t.match(judge(located('acme', ['console.example.com'])), [{ reason: /reserved for the platform$/ }]);
});
