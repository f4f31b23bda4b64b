/** A tenant's CiliumNetworkPolicies with the real definition of Cilium and a real kubectl: every way to write one. */
import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { guard } from './guarded-cluster.ts';

const tenantKey = 'k8s:io.cilium.k8s.namespace.labels.bulkhead.dev/tenant';
const policy = (name: string, fields: object) => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name, namespace: 'acme-web' },
  ...fields,
});
const ingress = (...rules: object[]) => ({ endpointSelector: {}, ingress: rules });
const everyNamespace = { matchExpressions: [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'Exists' }] };
const own = policy('own', { spec: ingress({ fromEndpoints: [{}] }) });
const open = policy('open', { spec: ingress({ fromEndpoints: [everyNamespace] }) });
const patched = (patch: object) => [
  '-n',
  'acme-web',
  'patch',
  'ciliumnetworkpolicies',
  'own',
  '--type=merge',
  '-p',
  JSON.stringify(patch),
];

const inCluster = (name: string, cluster: string) =>
  policy(name, {
    spec: ingress({ fromEndpoints: [{ matchLabels: { 'k8s:io.cilium.k8s.policy.cluster': cluster } }] }),
  });
const dns = {
  ...policy('dns', {}),
  spec: {
    endpointSelector: {},
    egress: [
      {
        toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' } }],
        toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*' }] } }],
      },
    ],
  },
};

const named = (name: string, dnsName: string, others: readonly object[] = []) =>
  policy(name, {
    spec: {
      endpointSelector: { matchLabels: { app: 'web' } },
      egress: [
        { toFQDNs: [{ matchName: dnsName }], toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }] },
        ...others,
      ],
    },
  });

await networkKindsTest('CiliumNetworkPolicies of a tenant', async (t, plane) => {
  const folder = t.testdir({
    'acme.yaml': await withClusters('manifests/overlays/example/tenants/acme.yaml'),
    'gamma.yaml': await readFile('manifests/overlays/example/tenants/gamma.yaml', 'utf8'),
  });
  const cluster = await guard(plane, folder);
  t.teardown(() => cluster.stop());
  const [alice, platform] = [await cluster.kubeconfig('alice'), await cluster.kubeconfig('platform')];
  const kubectl = (words: readonly string[], object?: object, kubeconfig = alice) =>
    plane.kubectl(kubeconfig, words, object === undefined ? {} : { stdin: JSON.stringify(object) });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web' } };
  t.match(await kubectl(['create', '-f', '-'], namespace), { code: 0 });

  await t.test('one inside the tenant is created, with the label of the tenant', async (t) => {
    t.match(await kubectl(['create', '-f', '-'], own), { code: 0, stderr: '' });
    const { stdout } = await kubectl([
      '-n',
      'acme-web',
      'get',
      'ciliumnetworkpolicies',
      'own',
      '-o',
      'jsonpath={.metadata.labels}',
    ]);
    t.match(JSON.parse(stdout), { 'bulkhead.dev/tenant': 'acme' });
  });

  await t.test(
    'one that lets others in is refused, with a witness and a fix; the fix is applied, and it is created',
    async (t) => {
      const { code, stderr } = await kubectl(['create', '-f', '-'], open);
      t.equal(code, 1);
      t.match(stderr, 'denied the request: CiliumNetworkPolicy acme-web/open: allows traffic from other tenants');
      t.match(stderr, 'spec.ingress[0].fromEndpoints[0]');
      t.match(stderr, 'for example a namespace with the labels bulkhead.dev/tenant=not-acme');
      t.match(stderr, `fix: add ${tenantKey}: acme to its matchLabels`);
      const mended = { ...everyNamespace, matchLabels: { [tenantKey]: 'acme' } };
      t.match(await kubectl(['create', '-f', '-'], policy('open', { spec: ingress({ fromEndpoints: [mended] }) })), {
        code: 0,
        stderr: '',
      });
    },
  );

  await t.test('DNS is opened as the examples of Cilium open it', async (t) => {
    t.match(await kubectl(['create', '-f', '-'], dns), { code: 0, stderr: '' });
  });

  await t.test('a granted name is opened; without a rule for the proxy of names, its author is warned', async (t) => {
    const { code, stderr } = await kubectl(['create', '-f', '-'], named('names', 'api.partner.example'));
    t.equal(code, 0);
    t.match(
      stderr,
      'Warning: egress-without-dns: spec.egress[0].toFQDNs matches nothing unless this or another policy opens port 53 with rules.dns\n',
    );
    t.match(stderr, "Warning: egress-without-dns: fix: add a rule for port 53 of the cluster's DNS with rules.dns");
    const both = named('names-and-dns', 'api.partner.example', dns.spec.egress);
    t.match(await kubectl(['create', '-f', '-'], both), { code: 0, stderr: '' });
    const refused = await kubectl(['create', '-f', '-'], named('other-names', 'api.other.example'));
    t.equal(refused.code, 1);
    t.match(refused.stderr, 'network.names of acme does not grant it');
  });

  await t.test('pods of another cluster are let in where the platform has listed it', async (t) => {
    t.match(await kubectl(['create', '-f', '-'], inCluster('from-west', 'west')), { code: 0, stderr: '' });
    const { code, stderr } = await kubectl(['create', '-f', '-'], inCluster('from-north', 'north'));
    t.equal(code, 1);
    t.match(stderr, 'for example a pod of the cluster north in the same mesh');
    t.match(stderr, 'ask the platform to list north in network.clusters of tenant acme');
  });

  await t.test('a dry run says the same', async (t) => {
    const server = ['create', '--dry-run=server', '-f', '-'];
    t.match(await kubectl(server, policy('try', { spec: ingress({ fromEntities: ['cluster'] }) })), { code: 1 });
    t.match(await kubectl(server, policy('try', { spec: ingress({}) })), { code: 0, stderr: '' });
  });

  await t.test('what an update adds is judged', async (t) => {
    const specs = await kubectl(patched({ specs: [{ endpointSelector: {}, egress: [{ toEntities: ['all'] }] }] }));
    t.equal(specs.code, 1, 'specs beside the spec');
    t.match(specs.stderr, 'specs[0].egress[0].toEntities[0]');
    const ports = { ingress: [{ toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }] }] }] };
    t.match(await kubectl(patched({ spec: ports })), { code: 1, stderr: /lists no peers/ });
    t.match(await kubectl(patched({ metadata: { annotations: { note: 'read' } } })), { code: 0, stderr: '' });
    const labelled = await kubectl([
      '-n',
      'acme-web',
      'label',
      'ciliumnetworkpolicies',
      'own',
      '--overwrite',
      'bulkhead.dev/tenant=beta',
    ]);
    t.match(labelled, { code: 1, stderr: /policy-tenant-label/ });
  });

  await t.test('server-side apply is judged', async (t) => {
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    const other = policy('own', { spec: ingress({ fromEndpoints: [{ matchLabels: { 'reserved:host': '' } }] }) });
    t.match(await kubectl(apply, other), { code: 1, stderr: /with a reserved label/ });
    t.match(await kubectl(apply, own), { code: 0 });
  });

  await t.test('the status, which Cilium writes, is not asked about', async (t) => {
    const status = { status: { conditions: [{ type: 'Valid', status: 'True' }] } };
    const words = [...patched(status), '--subresource=status'];
    t.match(await kubectl(words, undefined, platform), { code: 0, stderr: '' });
  });

  await t.test('soft isolation narrows', async (t) => {
    const gina = await plane.kubeconfigFor({ user: 'gina', groups: ['gamma-developers'] });
    const inLab = (name: string, fields: object) => ({
      ...policy(name, fields),
      metadata: { name, namespace: 'gamma-lab' },
    });
    t.match(await kubectl(['create', 'namespace', 'gamma-lab'], undefined, gina), { code: 0 });
    for (const [name, verb] of [
      ['client-side', ['apply']],
      ['server-side', ['apply', '--server-side']],
    ] as const) {
      const ports = { toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] };
      const wide = inLab(name, {
        spec: ingress({ fromEndpoints: [{}, everyNamespace], ...ports }),
        specs: [{ endpointSelector: {}, egress: [{ toEndpoints: [everyNamespace], ...ports }] }],
      });
      const written = await kubectl([...verb, '-f', '-'], wide, gina);
      t.equal(written.code, 0, written.stderr);
      for (const place of ['spec.ingress[0].fromEndpoints[1]', 'specs[0].egress[0].toEndpoints[0]'])
        t.ok(
          written.stderr.includes(`Warning: narrowed: ${tenantKey}: gamma was added to ${place}.matchLabels`),
          written.stderr,
        );
      const narrowed = { ...everyNamespace, matchLabels: { [tenantKey]: 'gamma' } };
      const path = `/apis/cilium.io/v2/namespaces/gamma-lab/ciliumnetworkpolicies/${name}`;
      t.match((await plane.request('GET', path)).body, {
        spec: { ingress: [{ fromEndpoints: [{}, narrowed] }] },
        specs: [{ egress: [{ toEndpoints: [narrowed] }] }],
      });
      t.match(await kubectl([...verb, '-f', '-'], wide, gina), { code: 0 }, 'the same file again');
    }
    const other = inLab('other', {
      spec: ingress({ fromEndpoints: [{ matchLabels: { [tenantKey]: 'acme' } }] }),
    });
    t.match(await kubectl(['create', '-f', '-'], other, gina), { code: 1, stderr: /tenant "acme"/ });
  });

  await t.test('it can be deleted', async (t) => {
    t.match(await kubectl(['-n', 'acme-web', 'delete', 'ciliumnetworkpolicies', 'own', 'open']), {
      code: 0,
      stderr: '',
    });
  });
});

/** The Tenant with a cluster of the mesh, and a DNS name. */
async function withClusters(file: string): Promise<string> {
  const tenant = parse(await readFile(file, 'utf8'));
  tenant.spec.network = { ...tenant.spec.network, gates: [], clusters: ['west'], names: ['api.partner.example'] };
  return stringify(tenant);
}
