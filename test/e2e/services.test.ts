/** Services, endpoints and rights of tenants on a real API server with a real kubectl: the ways around every policy, and ordinary objects. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import { authorsAreWarned, nothingWaits } from './access-warnings.ts';
import { guard } from './guarded-cluster.ts';

const namespace = 'acme-web';
const ports = [{ port: 80, targetPort: 8080 }];
const service = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, ...metadata },
  spec,
});
const selected = (name: string, spec: object = {}, metadata: object = {}) =>
  service(name, { selector: { app: name }, ports, ...spec }, metadata);
const slice = (name: string, addresses: readonly string[], more: object = {}) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace, labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  endpoints: [{ addresses, conditions: { ready: false } }],
  ports: [{ port: 5432, protocol: 'TCP' }],
  ...more,
});
const endpoints = (name: string, subset: object) => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name, namespace },
  subsets: [{ ports: [{ port: 5432 }], ...subset }],
});
const foreign = '10.244.3.7';
const listOf = (items: readonly object[]) => ({ apiVersion: 'v1', kind: 'List', items });
/** The API server itself warns that the kind Endpoints is old. */
const deprecated = /^(Warning: v1 Endpoints is deprecated[^\n]*\n)*$/;

await clusterTest('what audit says of Services that are there before Bulkhead', async (t, plane) => {
  const made = async (object: { apiVersion: string; kind: string; metadata: object }) =>
    t.match(
      await plane.kubectl(plane.adminKubeconfig, ['create', '-f', '-'], { stdin: JSON.stringify(object) }),
      { code: 0 },
      JSON.stringify(object.metadata),
    );
  const labels = { 'bulkhead.dev/tenant': 'acme' };
  await made({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  await made(selected('web'));
  await made(service('db', { ports }));
  await made(selected('thief', { externalIPs: ['192.0.2.7'] }));
  await made(service('alias', { type: 'ExternalName', externalName: 'db.beta-data.svc.cluster.local' }));
  await made(selected('open', { type: 'NodePort' }));
  const byController = (name: string, of: string) => {
    const by = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' };
    return {
      ...slice(name, [foreign]),
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': of, ...by } },
    };
  };
  // What the label says of its author proves nothing where no controller keeps it right.
  await made(byController('forged', 'db'));
  await made(endpoints('db', { addresses: [{ ip: foreign }] }));
  const lines: string[] = [];
  await runCommandLine(
    [
      ...[
        'audit',
        '--tenants',
        'manifests/overlays/example/tenants',
        '--config',
        'manifests/overlays/example/bulkhead.yaml',
      ],
      ...['--kubeconfig', plane.adminKubeconfig],
    ],
    { print: (line) => lines.push(line), environment: {} },
  );
  const rows = lines.filter((line) => /^(endpoint|service|external)-\S+ +acme/.test(line));
  t.match(
    rows.map((line) => line.replace(/ +/g, ' ')),
    [
      'endpoint-addresses acme enforce in mode enforce 2 Endpoints acme-web/db, EndpointSlice acme-web/forged subsets[0].addresses[0].ip',
      'service-addresses acme enforce in mode enforce 1 Service acme-web/thief spec.externalIPs[0]',
      'external-name acme enforce in mode enforce 1 Service acme-web/alias spec.externalName',
      'service-types acme enforce in mode enforce 1 Service acme-web/open spec.type',
    ],
  );
  t.comment(lines.join('\n'));
  await t.test('a module that is off', (t) => isOffAndOn(t, plane));
});

/** What reaches Bulkhead while the settings switch the modules off, and after they are switched on. */
async function isOffAndOn(t: Test, plane: ControlPlane): Promise<void> {
  const example = parse(await readFile('manifests/overlays/example/bulkhead.yaml', 'utf8'));
  const config = `${plane.directory}/settings-of-modules.json`;
  const off = { ...example.spec.network, services: { judged: false }, routes: { judged: false } };
  const spec = { ...example.spec, network: off, rights: { judged: false } };
  await writeFile(config, JSON.stringify({ ...example, spec }));
  const cluster = await guard(plane, undefined, undefined, { config, managesWebhooks: true });
  t.teardown(() => cluster.stop());
  const create = (object: object, ...more: string[]) =>
    cluster.kubectl('alice', ['create', '-f', '-', ...more], JSON.stringify(object));
  const inNamespace = (apiVersion: string, kind: string, fields: object) => ({
    ...{ apiVersion, kind, metadata: { name: 'off', namespace } },
    ...fields,
  });
  const access = 'rbac.authorization.k8s.io';
  const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
  const others = [{ apiGroup: access, kind: 'Group', name: 'beta-developers' }];
  const http = {
    paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
  };
  const judged: readonly (readonly [object: { kind: string }, says: RegExp])[] = [
    [selected('off', { type: 'NodePort' }), /service-types/],
    [slice('off', [foreign]), /endpoint-addresses/],
    [endpoints('off', { addresses: [{ ip: foreign }] }), /endpoint-addresses/],
    [
      inNamespace('networking.k8s.io/v1', 'Ingress', { spec: { rules: [{ host: 'beta.example.com', http }] } }),
      /route-hosts/,
    ],
    [inNamespace(`${access}/v1`, 'Role', { rules: everything }), /wildcard-role/],
    [
      inNamespace(`${access}/v1`, 'RoleBinding', {
        ...{ subjects: others, roleRef: { apiGroup: access, kind: 'Role', name: 'off' } },
      }),
      /foreign-subject/,
    ],
  ];
  const reviews = async () => {
    const counted = [...(await cluster.metrics()).matchAll(/^bulkhead_reviews_total\{.*kind="(\w+)".*\} (\d+)$/gm)];
    return (kind: string) =>
      counted.filter(([, one]) => one === kind).reduce((sum, [, , count]) => sum + Number(count), 0);
  };
  const asked = async () =>
    /denied/.test((await create(selected('asked', { type: 'NodePort' }), '--dry-run=server')).stderr);
  await eventually('the modules are off', async () => !(await asked()));

  const before = await reviews();
  const resources = { requests: { cpu: '10m', memory: '10Mi' } };
  const containers = [{ name: 'main', image: 'nginx', resources }];
  t.match(await create(inNamespace('v1', 'Pod', { spec: { containers } })), { code: 0, stderr: '' });
  for (const [index, [object]] of judged.entries()) {
    const written = await create({ ...object, metadata: { name: `off-${index}`, namespace } });
    t.match(written, { code: 0, stderr: deprecated }, object.kind);
  }
  const after = await reviews();
  t.ok(after('Pod') > before('Pod'), 'a pod is sent');
  for (const [{ kind }] of judged) t.equal(after(kind), before(kind), `${kind}: none is sent`);

  await t.test('a kind that is not installed', async (t) => {
    const route = inNamespace('gateway.networking.k8s.io/v1', 'HTTPRoute', { spec: {} });
    t.match((await create(route)).stderr, 'no matches for kind "HTTPRoute"');
    for (const counter of ['unknown_rules', 'missing_rules'])
      t.match(
        await cluster.metrics(),
        `\nbulkhead_webhook_configuration_${counter} 0\n`,
        'no rule is taken for a mistake',
      );
  });

  await writeFile(config, JSON.stringify(example));
  await eventually('the modules are on', asked);
  for (const [index, [object, says]] of judged.entries()) {
    const { stderr } = await create({ ...object, metadata: { name: `on-${index}`, namespace } });
    t.match(stderr, says, `${object.kind}: it is judged`);
  }
  const counted = await reviews();
  for (const [{ kind }] of judged) t.ok(counted(kind) > after(kind), `${kind}: it is sent`);
}

await clusterTest('Services of a tenant', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const [alice, platform] = [await cluster.kubeconfig('alice'), await cluster.kubeconfig('platform')];
  const run = (words: readonly string[], object?: object, kubeconfig = alice) =>
    plane.kubectl(kubeconfig, words, object === undefined ? {} : { stdin: JSON.stringify(object) });
  const create = (object: object, kubeconfig = alice) => run(['create', '-f', '-'], object, kubeconfig);
  const inside = (...words: string[]) => run(['-n', namespace, ...words]);
  const patch = (what: string, change: object, ...more: string[]) =>
    inside('patch', ...what.split(' '), '--type=merge', '-p', JSON.stringify(change), ...more);
  t.match(await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }), { code: 0 });

  await t.test('ten ordinary Services are admitted without a warning', async (t) => {
    const ordinary = [
      selected('web'),
      selected('headless', { clusterIP: 'None' }),
      selected('sticky', { sessionAffinity: 'ClientIP' }),
      selected('named', { ports: [{ name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' }] }),
      selected('dns', { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }),
      selected('annotated', {}, { annotations: { 'prometheus.io/scrape': 'true' }, labels: { app: 'annotated' } }),
      selected('local', { internalTrafficPolicy: 'Local' }),
      selected('early', { clusterIP: 'None', publishNotReadyAddresses: true }),
      service('alias', { type: 'ExternalName', externalName: 'db.example.org' }),
      service('own-alias', { type: 'ExternalName', externalName: `web.${namespace}.svc.cluster.local` }),
      service('db', { ports: [{ port: 5432 }] }),
      selected('balancer', {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        externalTrafficPolicy: 'Local',
      }),
    ];
    t.match(await create(listOf(ordinary)), { code: 0, stderr: '' });
  });

  await t.test('ten ordinary EndpointSlices and Endpoints are admitted without a warning', async (t) => {
    const addresses = Array.from({ length: 10 }, (_, index) => `203.0.113.${index + 1}`);
    const slices = addresses.map((address, index) => slice(`partner-${index}`, [address]));
    t.match(await create(listOf(slices)), { code: 0, stderr: '' });
    const old = addresses.map((ip, index) => endpoints(`partner-${index}`, { addresses: [{ ip }] }));
    t.match(await create(listOf(old)), { code: 0, stderr: deprecated });
  });

  await t.test('an attack: a Service and a slice with the address of a foreign pod (SVC-01)', async (t) => {
    const { code, stderr } = await create(slice('theirs', [foreign]));
    t.equal(code, 1);
    t.match(stderr, `EndpointSlice ${namespace}/theirs: leads to addresses that its tenant may not have others reach`);
    t.match(stderr, 'endpoints[0].addresses[0]');
    t.match(
      stderr,
      `is ${foreign}, an address of the pod network: others would carry traffic there, past the policies of acme`,
    );
    t.match(stderr, 'fix: give the Service a selector, and Kubernetes writes the addresses of its pods');
    t.match(await create(slice('theirs', [foreign]), platform), { code: 0 }, 'the platform may');
    t.match(await inside('delete', 'endpointslice', 'theirs'), { code: 0 }, 'and everyone may delete it');
  });

  const refused = async (name: string, answer: Promise<{ code: number; stderr: string }>, reason: string | RegExp) => {
    const { code, stderr } = await answer;
    t.equal(code, 1, name);
    t.match(stderr, reason, `${name}: ${reason}`);
  };
  const pods = 'an address of the pod network';
  await refused('not ready', create(endpoints('theirs', { notReadyAddresses: [{ ip: foreign }] })), pods);
  await refused(
    'a generated name',
    create({ ...slice('x', [foreign]), metadata: { namespace, generateName: 'x-' } }),
    pods,
  );
  await refused('a patch', patch('endpointslice partner-0', { endpoints: [{ addresses: [foreign] }] }), pods);
  await refused(
    'a patch of Endpoints',
    patch('endpoints partner-0', { subsets: endpoints('', { addresses: [{ ip: foreign }] }).subsets }),
    pods,
  );
  await refused('server-side apply', run(['apply', '--server-side', '-f', '-'], slice('applied', [foreign])), pods);
  await refused('replace', run(['replace', '-f', '-'], slice('partner-1', ['203.0.113.1', foreign])), pods);
  await refused('translated', create(slice('nat64', ['64:ff9b::af4:307'], { addressType: 'IPv6' })), pods);
  await refused(
    'a name',
    create(slice('name', ['db.example.org'], { addressType: 'FQDN' })),
    'network.names of acme does not grant it',
  );
  await refused(
    'leading zeros',
    create(slice('zeros', ['010.244.3.7'])),
    /must not have leading 0s|is not an address that all programs read alike/,
  );

  await refused(
    'an external IP',
    create(selected('dns-thief', { externalIPs: ['10.96.0.10'] })),
    'takes "10.96.0.10" on every node',
  );
  await refused(
    'one added later',
    patch('service web', { spec: { externalIPs: ['192.0.2.1'] } }),
    'takes "192.0.2.1" on every node',
  );
  await refused(
    'the status',
    patch(
      'service balancer',
      { status: { loadBalancer: { ingress: [{ ip: '10.96.0.10' }] } } },
      '--subresource=status',
    ),
    'every node takes traffic to it from the status',
  );
  await refused(
    'a node port',
    create(selected('open', { type: 'NodePort' })),
    'is "NodePort", which the platform has not allowed acme',
  );
  await refused('a node port later', patch('service web', { spec: { type: 'NodePort' } }), 'is "NodePort", which');
  await refused(
    'a balancer with node ports',
    create(selected('open', { type: 'LoadBalancer' })),
    'opens a port on every node',
  );
  await refused(
    'a balancer that names a node port',
    create(
      selected('open', {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
      }),
    ),
    'opens the port on every node, whatever allocateLoadBalancerNodePorts says',
  );
  await refused(
    'a balancer that gets a node port later',
    patch('service balancer', { spec: { ports: [{ port: 80, targetPort: 8080, nodePort: 30081 }] } }),
    'opens the port on every node, whatever allocateLoadBalancerNodePorts says',
  );
  await refused(
    'orphans from the start',
    create(selected('orphaning', {}, { finalizers: ['orphan'] })),
    'adds orphan, by which the EndpointSlices stay',
  );
  await refused(
    'an address that counts as a pod of another',
    create(
      slice('named', [], {
        endpoints: [{ addresses: ['203.0.113.9'], targetRef: { kind: 'Pod', namespace: 'beta-data', name: 'db-0' } }],
      }),
    ),
    'names an object of namespace beta-data',
  );
  await refused(
    'an alias that search domains complete',
    create(service('bad-alias', { type: 'ExternalName', externalName: 'api.team-x' })),
    'lies in no domain of the internet',
  );
  await refused(
    'an alias',
    create(service('bad-alias', { type: 'ExternalName', externalName: 'kube-dns.kube-system.svc.cluster.local.' })),
    'leads to namespace kube-system of this cluster, which is not reserved for acme',
  );
  await refused(
    'an alias by way of a patch',
    patch('service alias', { spec: { externalName: '10-244-3-7.acme-web.pod.cluster.local' } }),
    'names the address of a pod',
  );
  await refused(
    'a global Service',
    inside('annotate', 'service', 'web', 'service.cilium.io/global=true'),
    'in all clusters of the mesh',
  );
  await refused(
    'a global Service by the status',
    patch('service web', { metadata: { annotations: { 'service.cilium.io/global': 'true' } } }, '--subresource=status'),
    'in all clusters of the mesh',
  );
  await refused(
    'no selector any more',
    patch('service web', { spec: { selector: null } }),
    'the addresses of the pods stay',
  );
  await refused('a finalizer', patch('service web', { metadata: { finalizers: ['orphan'] } }), 'adds orphan');
  await refused(
    'orphans',
    inside('delete', 'service', 'web', '--cascade=orphan'),
    'orphans the EndpointSlices of the Service',
  );

  await refused(
    'an address by way of the status',
    patch(
      'service balancer',
      { metadata: { annotations: { 'metallb.io/loadBalancerIPs': '10.96.0.10' } } },
      '--subresource=status',
    ),
    'an address of the service network',
  );
  for (const path of ['services?propagationPolicy=Orphan', 'services/web?orphanDependents=true']) {
    const { status, text } = await plane.request('DELETE', `/api/v1/namespaces/${namespace}/${path}`, undefined, {
      kubeconfig: alice,
    });
    t.equal(status, 403, `${path}: orphans`, { text });
    t.match(text, 'orphans the EndpointSlices of the Service');
  }
  // What a controller wrote is not taken from it by its labels, and not kept by a finalizer.
  // The controller leaves slices of a Service without selector as they are.
  t.match(await create(service('kept', { ports })), { code: 0 });
  t.match(
    await create(
      {
        ...slice('of-kept', [foreign]),
        metadata: {
          name: 'of-kept',
          namespace,
          labels: {
            'kubernetes.io/service-name': 'kept',
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          },
        },
      },
      platform,
    ),
    { code: 0 },
  );
  await refused(
    'another Service of a slice',
    inside('label', 'endpointslice', 'of-kept', 'kubernetes.io/service-name=db', '--overwrite'),
    pods,
  );
  await refused(
    'another author of a slice',
    inside('label', 'endpointslice', 'of-kept', 'endpointslice.kubernetes.io/managed-by=me', '--overwrite'),
    pods,
  );
  await refused(
    'a finalizer of a slice',
    patch('endpointslice of-kept', { metadata: { finalizers: ['example.com/keep'] } }),
    pods,
  );
  await refused(
    'no owner of a slice',
    patch('endpointslice of-kept', {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u' }] },
    }),
    pods,
  );

  await t.test('a dry run says the same, and everyday changes pass', async (t) => {
    t.match(await run(['create', '--dry-run=server', '-f', '-'], slice('dry', [foreign])), { code: 1 });
    t.match(await inside('label', 'service', 'web', 'team=web'), { code: 0, stderr: '' });
    t.match(await patch('service web', { spec: { ports: [{ port: 81 }] } }), { code: 0, stderr: '' });
    t.match(await inside('delete', 'service', 'web'), { code: 0, stderr: '' });
    t.match(await inside('delete', 'service', '--all', '--cascade=foreground'), { code: 0, stderr: '' });
  });

  await t.test('Roles and RoleBindings (SVC-15)', (t) => authorsAreWarned(t, cluster));

  await t.test('the controllers write endpoints of pods, also while Bulkhead is down', async (t) => {
    t.match(await create(selected('later')), { code: 0 });
    const resources = { requests: { cpu: '10m', memory: '10Mi' } };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'later', namespace, labels: { app: 'later' } },
      spec: { containers: [{ name: 'main', image: 'nginx', resources }], automountServiceAccountToken: false },
    };
    t.match(await create(pod), { code: 0 });
    const slices = () => inside('get', 'endpointslices', '-l', 'kubernetes.io/service-name=later', '-o', 'json');
    const status = {
      phase: 'Running',
      podIP: foreign,
      podIPs: [{ ip: foreign }],
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    const path = `/api/v1/namespaces/${namespace}/pods/later`;
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'later' },
      target: { kind: 'Node', name: 'node-1' },
    };
    const node = await plane.request('POST', '/api/v1/nodes', { metadata: { name: 'node-1' } });
    t.equal(node.status, 201);
    const bound = await plane.request('POST', `${path}/binding`, binding);
    t.equal(bound.status, 201);
    await cluster.stop();
    const kubelet = await plane.kubeconfigFor({ user: 'system:node:node-1', groups: ['system:nodes'] });
    const written = await plane.kubectl(kubelet, [
      '-n',
      namespace,
      'patch',
      'pod',
      'later',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    t.match(written, { code: 0 });
    let found = '';
    for (let attempt = 0; attempt < 100 && !found.includes(foreign); attempt++) {
      found = (await slices()).stdout;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    t.match(found, foreign, 'the slice has the address of the pod');
    t.match(await create(slice('down', ['203.0.113.1'])), { code: 1, stderr: /failed calling webhook/ }, 'people wait');
    t.match(await inside('delete', 'service', 'later'), { code: 0, stderr: '' }, 'what is deleted does not');
    await t.test('Roles and RoleBindings do not wait', (t) => nothingWaits(t, cluster));
  });
});
