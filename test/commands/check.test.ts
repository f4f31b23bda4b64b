/** `bulkhead check`: what it finds in files, where, and how it ends. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { Misuse } from '../../src/commands/misuse.ts';

const settings = `apiVersion: bulkhead.dev/v1alpha1
kind: Settings
spec:
  network:
    ipFamilies: [IPv4]
    podCIDRs: [10.244.0.0/16]
    nodeCIDRs: [192.168.0.0/24]
    serviceCIDRs: [10.96.0.0/12]
`;
const tenant = (name: string, spec = '') => `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: ${name} }
spec:
  namespaces: { prefix: ${name}- }
${spec}`;

async function check(folder: string, ...args: string[]): Promise<{ code: unknown; lines: readonly string[] }> {
  const lines: string[] = [];
  const print = (line: string): void => {
    lines.push(...line.replaceAll(`${folder}/`, '').split('\n'));
  };
  const code = await runCommandLine(['check', ...args], { print, environment: {} });
  return { code, lines };
}

/** The folder, with these files in it. */
async function write(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = t.testdir();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

t.test('good files: what can be loaded, and 0', async (t) => {
  const folder = await write(t, { 'settings.yaml': settings, 'tenants/acme.yaml': tenant('acme') });
  const args = ['--config', join(folder, 'settings.yaml'), '--tenants', join(folder, 'tenants')];
  const good = { code: 0, lines: ['1 tenant and 0 exemptions can be loaded'] };
  t.same(await check(folder, ...args), good);
  const { code, lines } = await check(folder, ...args, '-o', 'json');
  t.equal(code, 0);
  t.same(JSON.parse(lines.join('\n')), {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'CheckReport',
    tenants: 1,
    exemptions: 0,
    findings: [],
  });
  t.same(
    await check(folder, join(folder, 'settings.yaml'), join(folder, 'tenants')),
    good,
    'the kind of a document says what it is',
  );
});

t.test('each error has its place, and ends with 1', async (t) => {
  const folder = await write(t, {
    'all/settings.yaml': settings.replace('podCIDRs', 'podCIDR'),
    'all/tenants.yaml': `${tenant('acme')}---\n${tenant('acme')}`,
    'all/mistaken.yaml': tenant('north').replace('Tenant', 'Tennant'),
    'all/deployment.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n',
  });
  const { code, lines } = await check(folder, join(folder, 'all'));
  t.equal(code, 1);
  t.match(lines.join('\n'), /^all\/settings\.yaml:6:5: error: spec\.network\.podCIDR: /m);
  t.match(lines.join('\n'), /^all\/mistaken\.yaml:2:7: error: kind: .*Tenant/m);
  t.match(lines.at(-1), /^2 errors: `bulkhead serve` would not load this$/);

  const twice = await check(folder, join(folder, 'all', 'tenants.yaml'));
  t.match(twice.lines[0], /^all\/tenants\.yaml:9:19: error: metadata\.name: tenant acme is declared .*; keep one/);
  t.match(await check(folder, join(folder, 'none')), {
    code: 1,
    lines: [/^none: error: does not exist; /, /^1 error/],
  });
});

t.test('each warning has its place, and ends with 1 unless warnings are allowed', async (t) => {
  const service = `  sharedServices:
    - { name: proxy, direction: egress, tenants: [acme, nort], addresses: [10.9.9.9/32], ports: [{ port: 3128 }] }
`;
  const folder = await write(t, {
    'settings.yaml': settings + service,
    'tenants/acme.yaml': tenant('acme', '  network: { gates: [{ tenant: norh, direction: egress }] }\n'),
    'tenants/north.yaml': tenant('north'),
    'tenants/eu/south.yaml': tenant('south'),
    'tenants/west.yaml.orig': tenant('west'),
    'tenants/README.md': 'Who is who',
  });
  const args = ['--config', join(folder, 'settings.yaml'), '--tenants', join(folder, 'tenants')];
  const { code, lines } = await check(folder, ...args);
  t.equal(code, 1);
  const said = lines.join('\n');
  t.match(said, /^settings\.yaml:\d+:\d+: warning: spec\.sharedServices\b.*DNS/m, 'nothing opens DNS');
  t.match(
    said,
    /^settings\.yaml:10:\d+: warning: spec\.sharedServices\[0\]\.tenants\[1\]: nort is not a declared tenant; did you mean north\?$/m,
  );
  t.match(
    said,
    /^tenants\/acme\.yaml:6:\d+: warning: .*gates\[0\]\.tenant: norh is not a declared tenant; did you mean north\?$/m,
  );
  t.match(said, /^tenants\/eu: warning: is not read: /m);
  t.match(said, /^tenants\/west\.yaml\.orig: warning: is not read: /m);
  t.notMatch(said, 'README');
  t.equal(lines.at(-1), '2 tenants and 0 exemptions can be loaded: 5 warnings');
  t.match(await check(folder, ...args, '--allow-warnings'), { code: 0, lines });

  const json = JSON.parse((await check(folder, ...args, '--output=json')).lines.join('\n'));
  t.match(json, { tenants: 2, findings: { length: 5 } });
  for (const finding of json.findings)
    t.match(finding, { severity: 'warning', file: String, line: Number, column: Number, reason: /./, fix: /./ });
});

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly direction?: string;
  readonly ports?: string;
  readonly expires?: string;
  readonly labels?: string;
}

const request = ({
  from = 'acme-web',
  to = 'north',
  direction = 'egress',
  ports = '{ port: 443 }',
  expires = '2090-01-01T00:00:00Z',
  labels = '',
}: Asked = {}) => `apiVersion: bulkhead.dev/v1alpha1
kind: GateRequest
metadata: { name: ${direction}-${to}, namespace: ${from}${labels} }
spec:
  tenant: ${to}
  direction: ${direction}
  ports: [${ports}]
  expires: "${expires}"
`;
const mirror = (change: Asked = {}) => request({ from: 'north-db', to: 'acme', direction: 'ingress', ...change });
const gates =
  '  gates: { from: tenants, ports: [{ port: 443 }, { port: 5432 }], between: [{ tenants: [acme, north] }] }\n';

t.test('GateRequests among the files are read as such', async (t) => {
  const folder = await write(t, {
    'settings.yaml': settings + gates,
    'tenants/acme.yaml': tenant('acme'),
    'tenants/north.yaml': tenant('north'),
    'good/requests.yaml': `${request()}---\n${mirror()}`,
    'bad/request.yaml': request({ ports: '{ port: 70000 }' }),
  });
  const all = [join(folder, 'settings.yaml'), join(folder, 'tenants')];
  const lines = ['2 tenants and 0 exemptions can be loaded'];
  t.same(await check(folder, ...all, join(folder, 'good')), { code: 0, lines });
  const bad = await check(folder, ...all, join(folder, 'bad'));
  t.equal(bad.code, 1);
  t.match(bad.lines[0], /^bad\/request\.yaml:7:\d+: error: spec\.ports\[0\]\.port: /);
});

const requests: readonly (readonly [sentence: string, files: readonly string[], lines: readonly RegExp[]])[] = [
  [
    'no request mirrors it',
    [request()],
    [
      /^requests\.yaml:5:11: warning: spec\.tenant: has no request that mirrors this one, which opens nothing until then; have members of north write a GateRequest with tenant: acme and direction: ingress on 443\/TCP$/,
    ],
  ],
  [
    'the other has the same direction',
    [request(), mirror({ direction: 'egress' })],
    [
      /^requests\.yaml:5:11: warning: spec\.tenant: has no request/,
      /^requests\.yaml:14:11: warning: spec\.tenant: has no request/,
    ],
  ],
  [
    'other ports',
    [request(), mirror({ ports: '{ port: 5432 }' })],
    [
      /^requests\.yaml:7:3: warning: spec\.ports: open nothing, as the requests that mirror this one name 5432\/TCP; agree on the same ports$/,
      /^requests\.yaml:16:3: warning: spec\.ports: open nothing/,
    ],
  ],
  [
    'expired',
    [request({ expires: '2020-01-01T00:00:00Z' }), mirror()],
    [
      /^requests\.yaml:8:12: warning: spec\.expires: has passed, so the request opens nothing; set a later time, or delete it$/,
      /^requests\.yaml:14:11: warning: spec\.tenant: has let every request that mirrors this one expire/,
    ],
  ],
  [
    'a tenant that is not declared',
    [request({ to: 'norh' })],
    [
      /^requests\.yaml:5:11: warning: spec\.tenant: is no tenant with which acme may agree by itself; ask the platform to list both together/,
      /^requests\.yaml:5:11: warning: spec\.tenant: norh is not a declared tenant; did you mean north\?$/,
    ],
  ],
  [
    'a port that the platform does not leave to tenants',
    [request({ ports: '{ port: 443 }, { port: 22 }' }), mirror()],
    [
      /^requests\.yaml:7:\d+: warning: spec\.ports\[1\]: is 22\/TCP, which tenants may not open to each other by themselves; list ports within 443\/TCP and 5432\/TCP, or ask/,
    ],
  ],
  [
    'no port at all that it leaves to them',
    [request({ ports: '{ port: 22 }' }), mirror()],
    [
      /^requests\.yaml:7:\d+: warning: spec\.ports\[0\]: is 22\/TCP, which tenants may not open/,
      /^requests\.yaml:14:11: warning: spec\.tenant: has no request that mirrors this one/,
    ],
  ],
  [
    'the own tenant',
    [request({ to: 'acme' })],
    [/^requests\.yaml:5:11: warning: spec\.tenant: is the tenant of the namespace itself; name another tenant/],
  ],
  [
    'a namespace of no tenant',
    [request({ from: 'shop' })],
    [
      /^requests\.yaml:3:\d+: warning: metadata\.namespace: is reserved to no declared tenant, so the request acts for none here; write it in a namespace of a tenant, or name the tenant in the label bulkhead\.dev\/tenant$/,
    ],
  ],
  [
    'a namespace without a reserved name, with a label',
    [request({ from: 'shop', labels: ', labels: { bulkhead.dev/tenant: acme }' }), mirror()],
    [],
  ],
  [
    'the label of another tenant',
    [request({ labels: ', labels: { bulkhead.dev/tenant: north }' })],
    [
      /^requests\.yaml:3:\d+: warning: metadata\.labels\["bulkhead\.dev\/tenant"\]: opens nothing, as its tenant label is not the tenant of the namespace; /,
    ],
  ],
  [
    'more than count',
    Array.from({ length: 5 }, (_, index) => request().replace('egress-north', `to-${index}`)).concat(mirror()),
    [/^requests\.yaml:39:\d+: warning: metadata\.name: opens nothing, as older requests take the place: /],
  ],
];

t.test('GateRequests are judged together, with the tenants and settings', async (t) => {
  for (const [sentence, files, expected] of requests)
    await t.test(sentence, async (t) => {
      const folder = await write(t, {
        'settings.yaml': settings + gates,
        'tenants/acme.yaml': tenant('acme'),
        'tenants/north.yaml': tenant('north'),
        'requests.yaml': files.join('---\n'),
      });
      const all = ['settings.yaml', 'tenants', 'requests.yaml'].map((name) => join(folder, name));
      const { code, lines } = await check(folder, ...all);
      t.equal(code, expected.length === 0 ? 0 : 1);
      const found = lines.slice(0, -1);
      t.equal(found.length, expected.length, found.join('\n'));
      for (const [index, line] of expected.entries()) t.match(found[index], line);
    });
});

t.test('GateRequests that are not read say so', async (t) => {
  const folder = await write(t, {
    'settings.yaml': settings,
    'tenants/acme.yaml': tenant('acme'),
    'tenants/north.yaml': tenant('north'),
    'requests.yaml': request(),
  });
  const [config, tenants, requests] = ['settings.yaml', 'tenants', 'requests.yaml'].map((name) => join(folder, name));
  t.match(await check(folder, '--config', `${config}`, '--tenants', `${tenants}`, `${requests}`), {
    code: 1,
    lines: [
      /^requests\.yaml:1:1: warning: is not read, as tenants come from files here; ask the platform to declare the gate in both Tenants$/,
    ],
  });
  t.match(await check(folder, `${config}`, `${tenants}`, `${requests}`), {
    code: 1,
    lines: [
      /^requests\.yaml:1:1: warning: opens nothing, as gates come from the platform alone; ask the platform to declare/,
    ],
  });
});

t.test('a file that is named twice is read once', async (t) => {
  const folder = await write(t, { 'settings.yaml': settings, 'tenants/acme.yaml': tenant('acme') });
  const args = ['--config', join(folder, 'settings.yaml'), '--tenants', join(folder, 'tenants')];
  const changed = [join(folder, 'tenants', 'acme.yaml'), join(folder, 'settings.yaml'), `${folder}/tenants/../tenants`];
  const lines = ['1 tenant and 0 exemptions can be loaded'];
  t.same(await check(folder, ...args, ...changed), { code: 0, lines });
});

t.test('nothing to check is a mistake', async (t) => {
  const message = 'there is nothing to check: give --config FILE, --tenants DIR, or files';
  await t.rejects(check(''), new Misuse(message, 'check'));
});

t.test('a List, as kubectl get -o yaml prints it, is read item by item', async (t) => {
  const item = (text: string) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`;
  const list = (...items: string[]) =>
    ['apiVersion: v1\n', 'kind: List\n', 'items:\n', ...items.map(item), item('apiVersion: v1\nkind: Pod')].join('');
  const folder = await write(t, {
    'good.yaml': list(settings, tenant('acme', 'status: { namespaces: 2 }\n'), tenant('beta')),
    'wrong.yaml': list(tenant('acme'), tenant('beta', '  network: { within: everything }\n')),
  });
  t.same(await check(folder, join(folder, 'good.yaml')), {
    code: 0,
    lines: ['2 tenants and 0 exemptions can be loaded'],
  });
  t.match(await check(folder, join(folder, 'wrong.yaml')), {
    code: 1,
    lines: [/^wrong\.yaml:14:\d+: error: spec\.network\.within/],
  });
});
