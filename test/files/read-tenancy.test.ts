import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readTenancy } from '../../src/files/read-tenancy.ts';
import { formatProblem, type Loaded } from '../../src/tenancy/problem.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';

const tenant = (name: string, spec = '{}') =>
  `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const settings = `apiVersion: bulkhead.dev/v1alpha1
kind: Settings
spec: { network: { ipFamilies: [IPv4], podCIDRs: [10.244.0.0/16], serviceCIDRs: [10.96.0.0/12], nodeCIDRs: [192.168.0.0/16] } }
`;

/** The names of the tenants and the warnings, or the problems; the folder of the test is left out. */
function told(loaded: Loaded<Tenancy>, folder: string): readonly string[] {
  const said = loaded.ok
    ? [...loaded.value.tenants.keys(), ...loaded.warnings.map(formatProblem)]
    : loaded.problems.map(formatProblem);
  return said.map((line) => line.replaceAll(`${folder}/`, '').replaceAll(folder, '.'));
}

t.test('the examples are good, without a warning', async (t) => {
  const loaded = await readTenancy({
    tenants: 'manifests/overlays/example/tenants',
    config: 'manifests/overlays/example/bulkhead.yaml',
  });
  t.strictSame(told(loaded, 'manifests/examples'), ['acme', 'beta', 'gamma']);
  if (!loaded.ok) return;
  const { tenants, settings } = loaded.value;
  t.strictSame(settings.unlistedFamilies, []);
  t.strictSame(
    settings.sharedServices.map(({ name, direction, namespace }) => `${name} ${direction} ${namespace}`),
    ['dns egress kube-system', 'ingress ingress ingress-nginx'],
  );
  for (const [name, isolation] of [
    ['acme', 'hard'],
    ['beta', 'hard'],
    ['gamma', 'soft'],
  ] as const) {
    t.equal(tenants.get(name)?.isolation, isolation);
    t.strictSame([...(tenants.get(name)?.reserved.keys() ?? [])], [`${name}-`]);
    t.equal(
      loaded.value.requester({ username: 'x', groups: [`${name}-developers`] }, undefined).tenants[0],
      tenants.get(name),
    );
  }
  t.ok(loaded.value.requester({ username: 'x', groups: ['platform-team'] }, undefined).platform);
  const acme = tenants.get('acme');
  const port = { protocol: 'TCP', first: 5432, last: 5432 };
  const gates = acme && loaded.value.gates(acme, 'beta', 'egress', Date.now());
  t.strictSame(
    [gates?.own[0]?.ports, gates?.theirs[0]?.ports],
    [[port], [port]],
    'the gate from acme to beta has both halves',
  );
});

t.test('without a folder there are no tenants, and that is no matter', async (t) => {
  const loaded = await readTenancy({ tenants: undefined, config: 'manifests/overlays/example/bulkhead.yaml' });
  t.strictSame(told(loaded, 'manifests/examples'), []);
  t.ok(loaded.ok && loaded.value.settings.unlistedFamilies.length === 0, 'the settings are read');
});

const unread =
  'is not read: a folder is read for its own *.yaml, *.yml and *.json files; move its documents into files of the folder itself';

t.test('a folder is read in the order of names: yaml, yml and json, nothing hidden, nothing below', async (t) => {
  const folder = t.testdir({
    tenants: {
      'b.yml': `${tenant('b1')}---\n${tenant('b2')}`,
      'a.json': JSON.stringify({
        apiVersion: 'bulkhead.dev/v1alpha1',
        kind: 'Tenant',
        metadata: { name: 'a' },
        spec: {},
      }),
      'empty.yaml': '# nothing yet\n',
      '.draft.yaml': 'broken: [',
      'README.md': 'broken: [',
      'c.yaml.bak': 'broken: [',
      below: { 'd.yaml': 'broken: [' },
    },
    'bulkhead.yaml': settings,
  });
  t.strictSame(
    told(await readTenancy({ tenants: join(folder, 'tenants'), config: join(folder, 'bulkhead.yaml') }), folder),
    [...['a', 'b1', 'b2'], ...['below', 'c.yaml.bak'].map((name) => `tenants/${name}: ${unread}`)],
  );
});

t.test('a ConfigMap volume is read through its links, each document once', async (t) => {
  const folder = t.testdir({
    '..2026_11_21': { 'acme.yaml': tenant('acme') },
    '..data': t.fixture('symlink', '..2026_11_21'),
    'acme.yaml': t.fixture('symlink', '..data/acme.yaml'),
  });
  const config = join(t.testdirName, '..2026_11_21', 'bulkhead.conf');
  writeFileSync(config, settings);
  t.strictSame(told(await readTenancy({ tenants: folder, config }), folder), ['acme']);
});

t.test('all problems of all files are told at once, with their places', async (t) => {
  const folder = t.testdir({
    tenants: {
      'a.yaml': tenant('a', '{ mode: loud }'),
      'b.yaml': 'spec: [',
      'c.yaml': `${tenant('c')}---\n${tenant('C')}`,
    },
    'bulkhead.yaml': settings,
    'two.yaml': `${settings}---\n${settings}`,
    'none.yaml': '',
    'tenant.yaml': tenant('x'),
  });
  const [tenants, config] = [join(folder, 'tenants'), join(folder, 'bulkhead.yaml')];
  t.strictSame(told(await readTenancy({ tenants, config }), folder), [
    'tenants/b.yaml:1:8: is not YAML as it should be: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ]);
  writeFileSync(join(tenants, 'b.yaml'), tenant('b', '{ members: [{ kind: User }] }'));
  t.strictSame(told(await readTenancy({ tenants, config }), folder), [
    'tenants/a.yaml:4:15: spec.mode: "loud" is not one of enforce, warn, audit',
    'tenants/b.yaml:4:19: spec.members[0].name: is missing; give a name of 1 to 256 characters',
    'tenants/c.yaml:8:19: metadata.name: "C" is not a name of 1 to 63 lower-case letters, digits and inner hyphens; write c',
  ]);
  const good = { tenants: join(folder, 'tenant.yaml') };
  t.strictSame(told(await readTenancy({ ...good, config: join(folder, 'two.yaml') }), folder), [
    'two.yaml:5:1: is a second document; keep all settings in one',
  ]);
  t.strictSame(told(await readTenancy({ ...good, config: join(folder, 'none.yaml') }), folder), [
    'none.yaml: holds no Settings document; write one, or give no file of settings',
  ]);
  t.strictSame(told(await readTenancy({ ...good, config: join(folder, 'tenant.yaml') }), folder), [
    'tenant.yaml:2:7: kind: is "Tenant" where Settings is needed; write kind: Settings',
  ]);
});

t.test('what cannot be read is a problem, never a wait and never ignored', async (t) => {
  const folder = t.testdir({ tenants: {}, 'bulkhead.yaml': settings });
  const [tenants, config] = [join(folder, 'tenants'), join(folder, 'bulkhead.yaml')];
  writeFileSync(join(tenants, 'large.yaml'), `#${'x'.repeat(1024 * 1024)}`);
  writeFileSync(join(tenants, 'latin.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
  mkdirSync(join(tenants, 'folder.yaml'));
  symlinkSync('nowhere', join(tenants, 'dangling.yaml'));
  execFileSync('mkfifo', [join(tenants, 'pipe.yaml')]);
  t.strictSame(told(await readTenancy({ tenants, config }), folder), [
    'tenants/dangling.yaml: does not exist; create it, or give another path',
    'tenants/folder.yaml: is not a file; move it elsewhere',
    'tenants/large.yaml: is larger than 1 MiB; split it into several files',
    'tenants/latin.yaml: is not text in UTF-8; save it as UTF-8',
    'tenants/pipe.yaml: is not a file; move it elsewhere',
  ]);
  t.strictSame(told(await readTenancy({ tenants: join(folder, 'gone'), config: join(folder, 'gone.yaml') }), folder), [
    'gone: does not exist; create it, or give another path',
    'gone.yaml: does not exist; create it, or give another path',
  ]);
});

t.test('a folder without tenants is good, and worth a warning', async (t) => {
  const folder = t.testdir({ tenants: {}, 'bulkhead.yaml': settings });
  t.strictSame(
    told(await readTenancy({ tenants: join(folder, 'tenants'), config: join(folder, 'bulkhead.yaml') }), folder),
    ['tenants: declares no tenant, so only the platform may create namespaces'],
  );
});
