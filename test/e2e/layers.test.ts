/** Contradictions between network policies and policies of Istio, as kubectl shows them: the real definitions, and lists of a real API server. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const of = (apiVersion: string, kind: string, name: string, spec: object) => ({
  ...{ apiVersion, kind, spec },
  metadata: { name, namespace: 'acme-db' },
});
const istio = (kind: string, name: string, spec: object) => of('security.istio.io/v1', kind, name, spec);
const db = { selector: { matchLabels: { app: 'db' } } };
const fromWeb = [{ source: { namespaces: ['acme-web'] } }];
const webCalls = (operation?: object) =>
  istio('AuthorizationPolicy', 'db', { ...db, rules: [{ from: fromWeb, ...(operation && { to: [{ operation }] }) }] });
const network = (port: number, app = 'db') =>
  of('networking.k8s.io/v1', 'NetworkPolicy', `to-${app}`, {
    ...{ podSelector: { matchLabels: { app } }, policyTypes: ['Ingress'] },
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-web' } } }],
        ports: [{ port }],
      },
    ],
  });
const cilium = (port: string) =>
  of('cilium.io/v2', 'CiliumNetworkPolicy', 'to-db', {
    endpointSelector: { matchLabels: { app: 'db' } },
    ingress: [
      {
        fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'acme-web' } }],
        toPorts: [{ ports: [{ port, protocol: 'TCP' }] }],
      },
    ],
  });
const calico = (method: string) =>
  of('projectcalico.org/v3', 'NetworkPolicy', 'http', {
    ...{ selector: 'app == "db"', types: ['Ingress'] },
    ingress: [
      {
        ...{ action: 'Allow', protocol: 'TCP', http: { methods: [method] } },
        source: { namespaceSelector: 'kubernetes.io/metadata.name == "acme-web"' },
      },
    ],
  });
const service = of('v1', 'Service', 'db', { selector: { app: 'db' }, ports: [{ port: 80, targetPort: 5432 }] });
const tls = (mode: string) => istio('PeerAuthentication', 'default', { mtls: { mode } });
const deny = istio('AuthorizationPolicy', 'deny', { ...db, action: 'DENY', rules: [{ from: fromWeb }] });
const jwt = istio('RequestAuthentication', 'jwt', { ...db, jwtRules: [{ issuer: 'acme', jwks: '{"keys":[]}' }] });
const users = istio('AuthorizationPolicy', 'users', {
  ...db,
  rules: [{ from: [{ source: { namespaces: ['acme-web'], requestPrincipals: ['*'] } }] }],
});
const outside = istio('AuthorizationPolicy', 'out', {
  selector: { matchLabels: { 'sidecar.istio.io/inject': 'false' } },
  rules: [{ from: fromWeb }],
});

const listOf = (items: readonly object[]) => ({ apiVersion: 'v1', kind: 'List', items });

/** Each is written beside what comes before it; `consistent` then mends it. */
interface Row {
  readonly check: string;
  readonly before: readonly object[];
  readonly written: object;
  readonly consistent: object;
}
const rows: readonly Row[] = [
  {
    check: 'l7-dead',
    before: [network(80)],
    written: webCalls({ ports: ['5432'] }),
    consistent: webCalls({ ports: ['80'] }),
  },
  { check: 'l7-dead', before: [webCalls({ ports: ['80'] })], written: network(5432), consistent: network(80) },
  { check: 'l7-dead', before: [webCalls({ ports: ['80'] })], written: cilium('5432'), consistent: cilium('80') },
  { check: 'l4-unguarded', before: [webCalls()], written: network(80, 'cache'), consistent: network(80) },
  {
    check: 'port-mismatch',
    before: [service, network(5432)],
    written: webCalls({ ports: ['80'] }),
    consistent: webCalls({ ports: ['5432'] }),
  },
  { check: 'outside-the-mesh', before: [network(80)], written: outside, consistent: webCalls() },
  {
    check: 'calico-http',
    before: [webCalls({ methods: ['GET'] })],
    written: calico('POST'),
    consistent: calico('GET'),
  },
  { check: 'permissive-hole', before: [network(80), tls('PERMISSIVE')], written: deny, consistent: webCalls() },
  { check: 'token-optional', before: [network(80), webCalls()], written: jwt, consistent: users },
];

await networkKindsTest('contradictions between layers 4 and 7, as kubectl shows them', async (t, plane) => {
  const folder = join(plane.directory, 'tenants');
  await mkdir(folder);
  const acme = await readFile('manifests/overlays/example/tenants/acme.yaml', 'utf8');
  await writeFile(join(folder, 'acme.yaml'), acme.replace(/^ {2}network:$/m, '  network:\n    within: none'));
  const settings = await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8');
  const config = join(plane.directory, 'settings.yaml');
  // Tenants may loosen mutual TLS, so that the hole can be shown.
  await writeFile(config, settings.replace(/^ {4}mtls: strict$/m, '    mtls: permissive'));
  const cluster = await guard(plane, folder, plane.adminKubeconfig, { config });
  t.teardown(() => cluster.stop());
  const run = (words: readonly string[], object?: object) =>
    cluster.kubectl('alice', words, object && JSON.stringify(object));
  for (const name of ['acme-web', 'acme-db']) t.match(await run(['create', 'namespace', name]), { code: 0 });
  await eventually(
    'the baseline is in place',
    async () => (await run(['-n', 'acme-db', 'get', 'networkpolicy', 'bulkhead-default-deny'])).code === 0,
  );
  const once = async (object: object, more: readonly string[]) => {
    const { code, stderr } = await run(['apply', '-f', '-', ...more], object);
    t.equal(code, 0, stderr);
    return stderr.split('\n').filter((line) => line.includes('Warning: ') && !line.includes('Warning: preview'));
  };
  const remove = async (object: object) =>
    t.match(await run(['delete', '--ignore-not-found', '-f', '-'], object), { code: 0 });
  const left = async () =>
    (await cluster.metrics())
      .split('\n')
      .filter((line) => /layer_comparisons_total\{result="(late|busy|often)"/.test(line))
      .join();
  /** On a machine that is busy the API server is late, and a comparison takes long. Then nothing is said. */
  const apply = async (object: object, ...more: string[]) => {
    for (let tries = 1; ; tries++) {
      const before = await left();
      const lines = await once(object, more);
      if (tries === 20 || (await left()) === before) return lines;
      if (more.length === 0) await remove(object);
      await sleep(1_000);
    }
  };

  for (const { check, before, written, consistent } of rows)
    await t.test(`${check}: ${Reflect.get(written, 'kind')}`, async (t) => {
      if (before.length > 0) await once(listOf(before), []);
      const dryRun = await apply(written, '--dry-run=server');
      const lines = await apply(written);
      t.strictSame(dryRun, lines, 'a dry run says the same');
      t.equal(lines.length, 2, lines.join('\n'));
      t.ok(lines[0]?.startsWith(`Warning: ${check}: `), lines[0] ?? '');
      t.match(lines[1], /^Warning: [a-z0-9-]+: fix: .+; other side: .+$/);
      t.strictSame(await apply(consistent), [], 'the consistent pair is silent');
      await remove(listOf([...before, written, consistent]));
    });

  await t.test('one who cannot change the mesh reads nothing of its objects, nor of other tenants', async (t) => {
    const ofMesh = { ...tls('PERMISSIVE'), metadata: { name: 'secret-name', namespace: 'istio-system' } };
    const made = (person: 'platform' | 'bob', object: object) =>
      cluster.kubectl(person, ['create', '-f', '-'], JSON.stringify(object));
    await made('platform', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } });
    t.match(await made('platform', ofMesh), { code: 0 });
    const lines = await apply(deny);
    t.match(lines, [/^Warning: permissive-hole/, /other side: the PeerAuthentication of the mesh/]);
    t.notMatch(lines.join('\n'), /secret-name/);
    t.match(await run(['delete', '-f', '-'], deny), { code: 0 });
  });

  await t.test(
    'a namespace that holds more than is listed: it is said, and the policy is admitted in time',
    async (t) => {
      const filler = 'x'.repeat(250_000);
      for (let index = 0; index < 12; index++) {
        const big = {
          ...webCalls(),
          metadata: { name: `big-${index}`, namespace: 'acme-db', annotations: { filler } },
        };
        t.match(await run(['create', '-f', '-'], big), { code: 0 });
      }
      const begun = performance.now();
      const lines = await apply(network(80, 'cache'));
      t.ok(performance.now() - begun < 5_000);
      t.strictSame(lines, [
        'Warning: layers: not compared with the other policies of the namespace, as it holds too many; ask bulkhead audit',
      ]);
      t.match(await cluster.metrics(), /bulkhead_layer_comparisons_total\{result="large"\} [1-9]/);
      t.match(await cluster.metrics(), /bulkhead_layer_comparisons_total\{result="listed"\} [1-9]/);
    },
  );
});
