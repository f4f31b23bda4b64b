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

const request = (port: number) => `apiVersion: bulkhead.dev/v1alpha1
kind: GateRequest
metadata: { name: to-north, namespace: acme-web }
spec: { tenant: north, direction: egress, ports: [{ port: ${port} }], expires: "2090-01-01T00:00:00Z" }
`;

t.test('GateRequests among the files are read as such', async (t) => {
  const folder = await write(t, {
    'settings.yaml': settings,
    'tenants/acme.yaml': tenant('acme'),
    'good/request.yaml': request(443),
    'bad/request.yaml': request(70_000),
  });
  const args = ['--config', join(folder, 'settings.yaml'), '--tenants', join(folder, 'tenants')];
  const lines = ['1 tenant and 0 exemptions can be loaded'];
  t.same(await check(folder, ...args, join(folder, 'good')), { code: 0, lines });
  const bad = await check(folder, ...args, join(folder, 'bad'));
  t.equal(bad.code, 1);
  t.match(bad.lines[0], /^bad\/request\.yaml:4:\d+: error: spec\.ports\[0\]\.port: /);
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
