/** The chart is what kustomize makes of each overlay, object by object; and values that make no sense are refused, by their name. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { binariesOrSkip, foundOrSkip } from '../apiserver/cluster-test.ts';
import { findHelm, type Helm, type HelmVersion, helmVersions, openHelm } from './helm.ts';
import { mistakes } from './mistakes.ts';
import { comparable, type Manifests, manifestsIn, specIn, tenantsIn } from './objects.ts';

const chart = 'manifests/helm/bulkhead';
const selfManaged = 'self-managed';

/** The values that make an overlay of the chart. Settings and tenants are those of the overlay itself. */
const overlays: Readonly<Record<string, (made: Manifests) => object>> = {
  [selfManaged]: () => ({}),
  'cert-manager': () => ({ certificates: { source: 'certManager' } }),
  static: () => ({ certificates: { source: 'static' } }),
  example: exampleOf,
  objects: (made) => ({ settings: settingsIn(made), tenancy: { from: 'objects' } }),
  prometheus: () => ({ monitoring: { enabled: true } }),
};

const definitions = ['exemptions', 'gaterequests', 'tenants'].map(
  (one) => `CustomResourceDefinition ${one}.bulkhead.dev`,
);

/** What no chart may hold: keys in values would be stored with every revision of the release. */
const secret = 'Secret bulkhead-system bulkhead-certificate-files';

const binaries = await binariesOrSkip('the chart');
const helms = await Promise.all(helmVersions.map((version) => foundOrSkip('the chart', () => findHelm(version))));
if (binaries !== undefined && !helms.includes(undefined)) {
  await t.test('the chart', (t) => compare(t, binaries.kubectl));
}

async function compare(t: Test, kubectl: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-chart-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp('manifests', join(folder, 'manifests'), { recursive: true });
  // Of the overlay static, which has none of its own.
  for (const name of ['ca.crt', 'tls.crt', 'tls.key'])
    await writeFile(join(folder, 'manifests/overlays/static', name), name);
  const kustomize = async (path: string): Promise<Manifests> => {
    const given = ['kustomize', join(folder, 'manifests', path)];
    return manifestsIn((await promisify(execFile)(kubectl, given, { maxBuffer: 2 ** 26 })).stdout);
  };
  const made = new Map<string, Manifests>();
  for (const overlay of await readdir('manifests/overlays')) made.set(overlay, await kustomize(`overlays/${overlay}`));
  t.strictSame([...made.keys()].sort(), Object.keys(overlays).sort(), 'each overlay is compared');
  await writeFile(
    join(folder, 'manifests/overlays/self-managed/kustomization.yaml'),
    'resources: [../../base, access.yaml]\ncomponents: [../../components/roles]\npatches: []\n',
  );
  const roles = await kustomize('overlays/self-managed');
  await writeFile(
    join(folder, 'manifests/overlays/self-managed/kustomization.yaml'),
    'resources: [../../base, access.yaml]\ncomponents: [../../components/cluster-policy]\npatches: []\n',
  );
  const borders = await kustomize('overlays/self-managed');
  const reports = new Map<string, Manifests>();
  for (const name of ['reports', 'reports-of-objects']) {
    const components = `[../../components/roles, ../../components/${name}]`;
    await writeFile(
      join(folder, 'manifests/overlays/self-managed/kustomization.yaml'),
      `resources: [../../base, access.yaml]\ncomponents: ${components}\npatches: []\n`,
    );
    reports.set(name, await kustomize('overlays/self-managed'));
  }
  for (const version of helmVersions) {
    const helm = await openHelm(version, (end) => t.teardown(end));
    await t.test(`Helm ${version}`, (t) => held(t, { version, helm, folder, made, roles, borders, reports }));
  }
}

interface Stage {
  readonly version: HelmVersion;
  readonly helm: Helm;
  readonly folder: string;
  readonly made: ReadonlyMap<string, Manifests>;
  readonly roles: Manifests;
  /** Those of the roles among them. */
  readonly reports: ReadonlyMap<string, Manifests>;
  /** With the rights for network.clusterPolicy. */
  readonly borders: Manifests;
}

async function held(t: Test, { version, helm, folder, made, roles, borders, reports }: Stage): Promise<void> {
  let count = 0;
  const file = async (values: object): Promise<string> => {
    const path = join(folder, `values-${version}-${count++}.yaml`);
    await writeFile(path, JSON.stringify(values));
    return path;
  };
  // Helm 3 takes itself to be of Kubernetes 1.20 unless its Makefile has built it.
  const render = async (values: object, ...others: readonly string[]) =>
    helm(['template', 'bulkhead', chart, '--kube-version=1.37.0', `--values=${await file(values)}`, ...others]);
  const rendered = async (values: object): Promise<Manifests> => {
    const { code, stdout, stderr } = await render(values);
    if (code !== 0) throw new Error(stderr);
    return manifestsIn(stdout);
  };

  const lint = await helm(['lint', '--strict', '--kube-version=1.37.0', chart]);
  t.equal(lint.code, 0, 'helm lint', { ...lint });

  const base = await rendered({});
  for (const [overlay, valuesOf] of Object.entries(overlays)) {
    await t.test(`is the overlay ${overlay}`, async (t) => {
      const wanted = made.get(overlay) ?? new Map();
      const found = await rendered(valuesOf(wanted));
      same(t, overlay === 'prometheus' ? without(found, base) : found, wanted);
    });
  }
  await t.test('has the roles of the component', async (t) => {
    const more = without(await rendered({ roles: { create: true } }), base);
    same(t, more, without(roles, made.get(selfManaged) ?? new Map()));
  });

  for (const [name, from] of [
    ['reports', 'files'],
    ['reports-of-objects', 'objects'],
  ] as const)
    await t.test(`has the CronJob of the component ${name}`, async (t) => {
      const given = { tenancy: { from }, roles: { create: true } };
      const more = without(await rendered({ ...given, reports: { enabled: true } }), await rendered(given));
      same(t, more, without(reports.get(name) ?? new Map(), roles));
      t.equal(more.size, 5);
    });
  await t.test('has the role of auditors with the reports, and no other', async (t) => {
    const extraArgs = ['--log-level=debug', '--rotation=settle=30,tick=5'];
    const reports = { enabled: true, schedule: '5 4 * * *' };
    const found = await rendered({ reports, image: { tag: '9.9.9' }, extraArgs });
    const keys = [...without(found, base).keys()].filter((key) => key.startsWith('ClusterRole '));
    t.strictSame(keys.sort(), ['ClusterRole bulkhead-auditor', 'ClusterRole bulkhead-reports'].sort());
    const job = JSON.stringify([...found].find(([key]) => key.startsWith('CronJob'))?.[1]);
    t.match(job, '"schedule":"5 4 * * *"');
    t.match(job, 'bulkhead:9.9.9');
    for (const extra of extraArgs) t.match(JSON.stringify(found.get('Deployment bulkhead-system bulkhead')), extra);
  });

  await t.test('has the rights for network.clusterPolicy as long as the value is there', async (t) => {
    const component = without(borders, made.get(selfManaged) ?? new Map());
    t.equal(component.size, 2);
    for (const clusterPolicy of [true, false]) {
      const found = await rendered({ settings: { network: { clusterPolicy } } });
      for (const [key, object] of component) t.strictSame(found.get(key), object, key);
    }
    t.notOk(
      [...base.keys()].some((key) => component.has(key)),
      'and not without it',
    );
  });

  await t.test('has what values ask for', async (t) => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const issued = await rendered({
      certificates: {
        source: 'certManager',
        secretName: 'mine',
        issuerRef: { kind: 'ClusterIssuer', name: 'company' },
      },
      image: { repository: 'registry.example.com/bulkhead', tag: 'latest', digest, pullSecrets: ['registry'] },
      clientAuthority: { configMap: 'clients', names: ['kube-apiserver'] },
      replicas: 1,
      namespace: { create: false },
      crds: { install: false },
    });
    t.match(issued.get('Certificate bulkhead-system bulkhead'), {
      spec: { secretName: 'mine', issuerRef: { kind: 'ClusterIssuer', name: 'company' } },
    });
    const absent = ['Namespace bulkhead-system', 'Issuer bulkhead-system bulkhead-authority', ...definitions];
    for (const id of absent) t.notOk(issued.has(id), `there is no ${id}`);
    t.match(issued.get('PodDisruptionBudget bulkhead-system bulkhead'), { spec: { minAvailable: 0 } });
    const pod = issued.get('Deployment bulkhead-system bulkhead');
    t.match(pod, { spec: { replicas: 1, template: { spec: { imagePullSecrets: [{ name: 'registry' }] } } } });
    for (const text of [`registry.example.com/bulkhead:latest@${digest}`, '--client-name=kube-apiserver', '"mine"'])
      t.match(JSON.stringify(pod), text);
  });

  await t.test('takes settings from a ConfigMap that it does not hold', async (t) => {
    const own = 'ConfigMap bulkhead-system bulkhead-settings';
    const given = { existingSettings: { configMap: 'mine' }, roles: { create: true }, reports: { enabled: true } };
    const found = await rendered(given);
    const usual = await rendered({ roles: { create: true }, reports: { enabled: true } });
    t.strictSame([...found.keys()].sort(), [...usual.keys()].filter((key) => key !== own).sort());
    for (const [id, object] of usual) {
      const wanted = JSON.stringify(object).replaceAll('"bulkhead-settings"', '"mine"');
      if (id !== own) t.equal(JSON.stringify(found.get(id)), wanted, id);
    }
    for (const id of ['Deployment bulkhead-system bulkhead', 'CronJob bulkhead-system bulkhead-reports'])
      t.match(JSON.stringify(found.get(id)), '{"name":"settings","configMap":{"name":"mine"}}', `${id} mounts it`);
    const lint = await helm(['lint', '--strict', '--kube-version=1.37.0', chart, `--values=${await file(given)}`]);
    t.equal(lint.code, 0, 'helm lint', { ...lint });
    const more = await rendered({ existingSettings: { configMap: 'mine', clusterPolicy: true } });
    for (const id of without(borders, made.get(selfManaged) ?? new Map()).keys()) t.ok(more.has(id), id);
  });

  await t.test('refuses a release in the namespace that it deletes', async (t) => {
    const there = await render({}, '--namespace=bulkhead-system');
    t.equal(there.code, 1);
    t.match(there.stderr, /give --namespace with another namespace of the platform, such as kube-system/);
    t.equal((await render({ namespace: { create: false } }, '--namespace=bulkhead-system')).code, 0);
  });

  await t.test('refuses values by their names', async (t) => {
    for (const [says, values, ...reasons] of mistakes) {
      const { code, stdout, stderr } = await render(values);
      t.equal(code, 1, says, { stdout });
      for (const reason of reasons) t.match(stderr, reason, says);
    }
  });

  await t.test('takes values as data, and never as YAML or as a template', async (t) => {
    const evil = 'x"\n    evil: "1"\n---\nkind: Secret\n# {{ .Values }} #';
    const hostile = await rendered({
      podAnnotations: { [evil]: evil },
      podLabels: { a: evil },
      nodeSelector: { a: evil },
      clientAuthority: { configMap: 'clients', names: [evil] },
      priorityClassName: evil,
      monitoring: { enabled: true, labels: { a: evil }, prometheus: { podLabels: { a: evil } } },
      settings: { platform: { identities: [{ kind: 'User', name: evil }] } },
      tenancy: { tenants: { acme: { members: [{ kind: 'Group', name: evil }] } } },
    });
    t.strictSame(
      [...hostile.keys()].sort(),
      [...(await rendered({ monitoring: { enabled: true } })).keys()].sort(),
      'no object comes with it',
    );
    const deployment = JSON.stringify(hostile.get('Deployment bulkhead-system bulkhead'));
    t.equal(deployment.split(JSON.stringify(evil).slice(1, -1)).length - 1, 6, 'it stays the text that it is');
    t.match(tenantsIn(hostile), { acme: { members: [{ name: evil }] } });
    t.match(settingsIn(hostile), { platform: { identities: [{ name: evil }] } });
  });

  await t.test('has settings, tenants and exemptions that Bulkhead can load', async (t) => {
    const { tenants } = exampleOf(made.get('example')).tenancy as {
      readonly tenants: Readonly<Record<string, object>>;
    };
    // Helm reads numbers as floating-point ones, and prints a large one as 1e+06.
    const large = { namespaces: { prefix: 'large-', limit: 1_000_000, resourceQuota: { hard: { pods: 1_000_000 } } } };
    const exemption = {
      ...{ tenant: 'acme', namespace: 'acme-web', checks: ['host-network'], match: { names: ['web'] } },
      ...{ reason: 'a test', owner: 'platform', expires: '2027-01-31T00:00:00Z' },
    };
    const files = await rendered({
      ...exampleOf(made.get('example')),
      tenancy: { tenants: { ...tenants, large }, exemptions: { 'acme.web': exemption } },
    });
    const loaded = t.testdir({
      settings: filesIn(files, 'bulkhead-settings'),
      tenants: filesIn(files, 'bulkhead-tenants'),
    });
    const lines: string[] = [];
    const check = ['check', '--config', join(loaded, 'settings/bulkhead.yaml'), '--tenants', join(loaded, 'tenants')];
    const code = await runCommandLine(check, { print: (line) => lines.push(line), environment: {} });
    t.strictSame({ code, lines }, { code: 0, lines: ['4 tenants and 1 exemption can be loaded'] });
  });

  await t.test('has the backstop that it is given, and nothing else', async (t) => {
    const backstop = 'manifests/examples/backstop.yaml';
    const { stdout } = await render({}, `--set-file=backstop=${backstop}`);
    const given = manifestsIn((await promisify(execFile)('cat', [backstop])).stdout);
    t.ok(given.size > 10);
    t.strictSame(without(manifestsIn(stdout), base), given);
  });
}

function exampleOf(made: Manifests = new Map()): Readonly<Record<string, unknown>> {
  return { settings: settingsIn(made), tenancy: { tenants: tenantsIn(made) } };
}

function filesIn(manifests: Manifests, configMap: string): Record<string, string> {
  return { ...manifests.get(`ConfigMap bulkhead-system ${configMap}`)?.data };
}

function settingsIn(made: Manifests): unknown {
  return specIn(made, 'bulkhead-settings', 'bulkhead.yaml');
}

function without(all: Manifests, base: Manifests): Manifests {
  return new Map([...all].filter(([id]) => !base.has(id)));
}

function same(t: Test, found: Manifests, wanted: Manifests): void {
  t.ok(wanted.size > 2);
  t.strictSame([...found.keys()].sort(), [...wanted.keys()].filter((id) => id !== secret).sort(), 'the same objects');
  for (const [id, object] of found) {
    const other = wanted.get(id);
    if (other) t.strictSame(comparable(object), comparable(other), id);
  }
}
