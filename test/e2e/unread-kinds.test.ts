/** Policy kinds that Bulkhead does not read, with their real definitions, on a real API server: refused, granted, and written by agents. */
import { clusterTest } from '../apiserver/cluster-test.ts';
import { calicoDefinitions, installDefinitions, installNetworkDefinitions } from '../apiserver/network-definitions.ts';
import { guard } from './guarded-cluster.ts';

const endpoint = (name: string, namespace = 'acme-web') => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumEndpoint',
  metadata: { name, namespace },
  status: {
    id: 7,
    identity: { id: 4711, labels: ['k8s:app=web'] },
    networking: { addressing: [{ ipv4: '10.244.0.9' }] },
  },
});
const node = (name: string) => ({ apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name }, spec: {} });
const ciliumPolicy = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name: 'open', namespace: 'acme-web' },
  spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] },
};
const clusterwide = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumClusterwideNetworkPolicy',
  metadata: { name: 'open' },
  spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }] },
};
const redirect = (namespace: string, service: string) => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumLocalRedirectPolicy',
  metadata: { name: 'cache', namespace },
  spec: {
    redirectFrontend: { serviceMatcher: { serviceName: 'cache', namespace: service } },
    redirectBackend: {
      localEndpointSelector: { matchLabels: { app: 'cache' } },
      toPorts: [{ port: '53', protocol: 'UDP', name: 'dns' }],
    },
  },
});
const admin = (kind: 'ClusterNetworkPolicy') => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind,
  metadata: { name: 'open' },
  spec: {
    tier: 'Admin',
    priority: 1,
    subject: { namespaces: {} },
    ingress: [{ action: 'Accept', from: [{ namespaces: {} }] }],
  },
});
const loose = (apiVersion: string, kind: string, name: string, namespace?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
  spec: { written: 'by somebody' },
});
const block = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'IPAMBlock',
  metadata: { name: '10-244-0-0-26' },
  spec: { allocations: [null], attributes: [], cidr: '10.244.0.0/26', strictAffinity: false, unallocated: [0] },
};
const felix = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'FelixConfiguration',
  metadata: { name: 'node.node-1' },
  spec: { bpfEnabled: false },
};
const global = {
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'open' },
  spec: { selector: 'all()', types: ['Ingress'], ingress: [{ action: 'Allow' }] },
};
/** What only the platform writes, and the least that its schema asks for. A Profile has no definition: Calico makes them of namespaces. */
const globalsOfCalico: Readonly<Record<string, object>> = {
  GlobalNetworkPolicy: { selector: 'all()' },
  GlobalNetworkSet: { nets: ['0.0.0.0/0'] },
  StagedGlobalNetworkPolicy: { selector: 'all()' },
  Tier: { order: 1 },
  HostEndpoint: { node: 'node-1', interfaceName: '*' },
  IPPool: { cidr: '10.244.0.0/16' },
  FelixConfiguration: { defaultEndpointToHostAction: 'Accept' },
};
const toEveryone = { subject: { namespaces: {} }, ingress: [{ action: 'Allow', from: [{ namespaces: {} }] }] };
const globals: readonly (readonly [apiVersion: string, kind: string, spec: object])[] = [
  ...['projectcalico.org/v3', 'crd.projectcalico.org/v1'].flatMap((apiVersion) =>
    Object.entries(globalsOfCalico).map(([kind, spec]) => [apiVersion, kind, spec] as const),
  ),
  ['cilium.io/v2', 'CiliumCIDRGroup', { externalCIDRs: ['0.0.0.0/0'] }],
  [
    'cilium.io/v2',
    'CiliumEgressGatewayPolicy',
    {
      selectors: [{ podSelector: {} }],
      destinationCIDRs: ['0.0.0.0/0'],
      egressGateway: { nodeSelector: { matchLabels: { gateway: 'yes' } } },
    },
  ],
  ['cilium.io/v2', 'CiliumClusterwideEnvoyConfig', { resources: [] }],
  ['policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy', { priority: 1, ...toEveryone }],
  ['policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy', toEveryone],
  ['crd.antrea.io/v1beta1', 'ClusterNetworkPolicy', { priority: 1 }],
];
const nodeConfig = {
  ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumNodeConfig', metadata: { name: 'open', namespace: 'acme-web' } },
  spec: { nodeSelector: {}, defaults: { 'enable-policy': 'never' } },
};
const attachment = {
  apiVersion: 'k8s.cni.cncf.io/v1',
  kind: 'NetworkAttachmentDefinition',
  metadata: { name: 'node', namespace: 'acme-web' },
  spec: { config: '{"cniVersion":"0.3.1","type":"macvlan","master":"eth0"}' },
};
const firewall = (namespace: string) => loose('k8s.ovn.org/v1', 'EgressFirewall', 'default', namespace);
const serviceExport = (namespace: string) => ({
  apiVersion: 'multicluster.x-k8s.io/v1alpha1',
  kind: 'ServiceExport',
  metadata: { name: 'web', namespace },
});

await clusterTest('policy kinds that Bulkhead does not read', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const kubeconfigs = {
    alice: await cluster.kubeconfig('alice'),
    bob: await cluster.kubeconfig('bob'),
    platform: await cluster.kubeconfig('platform'),
    agent: await plane.kubeconfigFor({ user: 'system:serviceaccount:kube-system:cilium' }),
    'Calico on a node': await plane.kubeconfigFor({ user: 'system:serviceaccount:calico-system:calico-node' }),
    'a namesake': await plane.kubeconfigFor({ user: 'system:serviceaccount:acme-web:cilium' }),
  };
  type Person = keyof typeof kubeconfigs;
  const kubectl = (person: Person, command: readonly string[], object?: object) =>
    plane.kubectl(kubeconfigs[person], command, object === undefined ? {} : { stdin: JSON.stringify(object) });
  const create = (person: Person, object: object) => kubectl(person, ['create', '-f', '-'], object);

  for (const [name, tenant] of [
    ['acme-web', 'acme'],
    ['beta-data', 'beta'],
    ['calico-system', undefined],
  ] as const) {
    const labels = tenant === undefined ? {} : { 'bulkhead.dev/tenant': tenant };
    t.match(await create('platform', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }), { code: 0 });
  }
  // After Bulkhead: its rules name groups that the cluster lacks until now.
  await installNetworkDefinitions(plane);
  await installDefinitions(plane, await calicoDefinitions(Object.keys(globalsOfCalico)));

  const says = (check: string, namespaced = true) =>
    new RegExp(
      `admission webhook "validate\\.network\\.bulkhead\\.dev" denied the request: \\w+ ${namespaced ? '[a-z]+-[a-z]+/' : ''}[a-z0-9-]+: [\\s\\S]*${check}, `,
    );

  await t.test('a tenant is refused, with the reason', async (t) => {
    const rows: readonly [says: string, person: Person, object: object, refused: RegExp][] = [
      [
        'a policy of a mesh',
        'alice',
        { ...loose('networking.istio.io/v1beta1', 'ProxyConfig', 'open', 'acme-web'), spec: { concurrency: 1 } },
        says('unknown-policy-kind'),
      ],
      ['a firewall', 'alice', firewall('acme-web'), says('unknown-policy-kind')],
      ['a second network', 'alice', attachment, says('unknown-policy-kind')],
      ['a kind given to another tenant', 'bob', serviceExport('beta-data'), says('unknown-policy-kind')],
      [
        'an unlisted cluster-scoped kind',
        'alice',
        loose('k8s.ovn.org/v1', 'ClusterEgressRule', 'open'),
        says('unknown-policy-kind', false),
      ],
      ['a clusterwide policy of Cilium', 'alice', clusterwide, says('platform-kinds', false)],
      [
        'a clusterwide policy of Cilium with specs alone',
        'alice',
        { ...clusterwide, spec: undefined, specs: [clusterwide.spec] },
        says('platform-kinds', false),
      ],
      ['a global policy of Calico', 'alice', global, says('platform-kinds', false)],
      ['a ClusterNetworkPolicy', 'alice', admin('ClusterNetworkPolicy'), says('platform-kinds', false)],
      ['a forged endpoint', 'alice', endpoint('forged'), says('platform-kinds')],
      ['a forged endpoint by a namesake of the agent', 'a namesake', endpoint('forged'), says('platform-kinds')],
      ['a forged node', 'alice', node('forged'), says('platform-kinds', false)],
      ['a redirect of a service of others', 'alice', redirect('acme-web', 'kube-system'), says('platform-kinds')],
      ['a redirect that is not given', 'bob', redirect('beta-data', 'beta-data'), says('platform-kinds')],
      ['a clusterwide policy by the agent', 'agent', clusterwide, says('platform-kinds', false)],
      // By whichever check judges it.
      [
        'a policy of Cilium that lets everybody in',
        'alice',
        ciliumPolicy,
        /admission webhook "validate[a-z.]*\.bulkhead\.dev" denied the request: CiliumNetworkPolicy acme-web\/open: /,
      ],
    ];
    for (const [what, person, object, refused] of rows) {
      const { code, stderr } = await create(person, object);
      t.equal(code, 1, what);
      t.match(stderr, refused, what);
    }
    t.match(
      (await create('alice', firewall('acme-web'))).stderr,
      'ask the platform team to list egressfirewalls.k8s.ovn.org',
    );
  });

  await t.test('what only the platform writes, with its real definition where there is one', async (t) => {
    const items = globals.map(([apiVersion, kind, spec]) => ({
      apiVersion,
      kind,
      metadata: { name: 'default' },
      spec,
    }));
    const all = { apiVersion: 'v1', kind: 'List', items: [...items, nodeConfig] };
    for (const person of ['alice', 'a namesake'] as const) {
      const { code, stdout, stderr } = await create(person, all);
      t.equal(code, 1, person);
      t.equal(stdout, '', `${person} creates none`);
      const refused = [
        ...stderr.matchAll(/denied the request: (\w+) [^:]*: is of a kind that only the platform writes/g),
      ];
      t.strictSame(
        refused.map(([, kind]) => kind),
        all.items.map(({ kind }) => kind),
        `${person} is refused for each`,
      );
    }
    // A dry run, as some of these would change the rest of this test.
    const dry = await kubectl('platform', ['create', '--dry-run=server', '-f', '-'], all);
    t.match(dry, { code: 0 }, 'the platform writes them');
  });

  await t.test('the settings give a kind to one tenant', async (t) => {
    for (const object of [serviceExport('acme-web'), redirect('acme-web', 'acme-web')])
      t.match(await create('alice', object), { code: 0, stderr: '' });
    const other = ['patch', 'ciliumlocalredirectpolicy', 'cache', '-n', 'acme-web', '--type=merge', '-p'];
    const patch = { spec: { redirectFrontend: { serviceMatcher: { namespace: 'kube-system' } } } };
    t.match((await kubectl('alice', [...other, JSON.stringify(patch)])).stderr, /platform-kinds|immutable/);
  });

  await t.test('a CiliumEnvoyConfig of a tenant names its own services, by any way of writing', async (t) => {
    const envoy = (namespace: string) => ({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumEnvoyConfig',
      metadata: { name: 'web', namespace: 'acme-web' },
      spec: { services: [{ name: 'web', namespace }], resources: [] },
    });
    const others = { code: 1, stderr: /spec\.services\[0\]\.namespace\s+names a service of another namespace/ };
    const refused = await create('alice', envoy('beta-data'));
    t.match(refused, others);
    const [, fix = ''] = /fix: write (\S+), or leave the namespace out/.exec(refused.stderr) ?? [];
    t.match(await create('alice', envoy(fix)), { code: 0, stderr: '' }, 'with its fix it is admitted');
    t.match(await create('bob', { ...envoy('beta-data'), metadata: { name: 'web', namespace: 'beta-data' } }), {
      code: 1,
      stderr: /list ciliumenvoyconfigs\.cilium\.io in network\.policyKinds for beta/,
    });
    const backend = JSON.stringify({ spec: { backendServices: [{ name: 'web', namespace: 'beta-data' }] } });
    const asks = ['-n', 'acme-web', 'ciliumenvoyconfig', 'web'];
    t.match(await kubectl('alice', ['patch', ...asks, '--type=merge', '-p', backend]), {
      code: 1,
      stderr: /spec\.backendServices\[0\]\.namespace/,
    });
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    t.match(await kubectl('alice', apply, envoy('beta-data')), others, 'server-side apply');
    t.match(await kubectl('alice', ['label', ...asks, 'note=read']), { code: 0 }, 'a label is written');
    t.match(await kubectl('alice', ['delete', ...asks]), { code: 0 }, 'it can be deleted');
  });

  await t.test('the platform and the agents write', async (t) => {
    for (const [person, object] of [
      ['platform', firewall('acme-web')],
      ['platform', clusterwide],
      ['agent', endpoint('web')],
      ['agent', node('node-1')],
      ['Calico on a node', block],
    ] as const)
      t.match(await create(person, object), { code: 0, stderr: '' }, JSON.stringify(object));
    t.match(
      await create('platform', admin('ClusterNetworkPolicy')),
      {
        code: 0,
        stderr: /^Warning: cluster-policy: spec\.ingress\[0\]\.from\[0\] lets beta reach acme without a gate/,
      },
      'with a warning where it lets tenants cross',
    );
    const denies = (name: string, priority: number, tenant: string) => ({
      ...admin('ClusterNetworkPolicy'),
      metadata: { name },
      spec: {
        ...{ tier: 'Admin', priority, subject: { namespaces: { matchLabels: { 'bulkhead.dev/tenant': tenant } } } },
        ingress: [{ action: 'Deny', from: [{ namespaces: { matchLabels: { stage: 'test' } } }] }],
      },
    });
    t.match(
      await create('platform', denies('of-acme', 1, 'acme')),
      {
        code: 0,
        stderr:
          'Warning: cluster-policy: spec.priority is also that of open, and the order is not defined; fix: choose another, such as 2',
      },
      'and where the order is not defined',
    );
    for (const object of [denies('of-acme-too', 2, 'acme'), denies('of-beta', 2, 'beta')])
      t.match(await create('platform', object), { code: 0, stderr: '' }, 'mended; and of other pods');
  });

  await t.test(
    'what is stored is not changed by a tenant, nor by a subresource, and can be finalized and removed',
    async (t) => {
      const ofFirewall = ['patch', 'egressfirewall', 'default', '-n', 'acme-web', '--type=merge'];
      const refused = { code: 1, stderr: says('unknown-policy-kind') };
      for (const patch of [
        '{"spec":{"written":"anew"}}',
        '{"metadata":{"labels":{"a":"b"}}}',
        '{"metadata":{"annotations":{"a":"b"}}}',
      ])
        t.match(await kubectl('alice', [...ofFirewall, '-p', patch]), refused, patch);
      t.match(
        await kubectl('alice', [...ofFirewall, '--subresource=status', '-p', '{"status":{"forged":true}}']),
        refused,
      );
      const finalizers = (value: string) => `{"metadata":{"finalizers":${value}}}`;
      for (const value of ['["example.com/wait"]', 'null'])
        t.match(await kubectl('alice', [...ofFirewall, '-p', finalizers(value)]), { code: 0 }, value);
      const forged = '{"status":{"identity":{"id":1}}}';
      t.match(
        await kubectl('alice', ['patch', 'ciliumendpoint', 'web', '-n', 'acme-web', '--type=merge', '-p', forged]),
        {
          code: 1,
          stderr: says('platform-kinds'),
        },
      );
      t.match(await kubectl('alice', ['delete', 'egressfirewall', 'default', '-n', 'acme-web']), { code: 0 });
    },
  );

  await t.test('a tenant changes no clusterwide policy of Cilium, by any way of writing', async (t) => {
    const refused = { code: 1, stderr: says('platform-kinds', false) };
    const specs = [{ endpointSelector: {}, egress: [{ toEntities: ['all'] }] }];
    const patch = ['patch', 'ciliumclusterwidenetworkpolicy', 'open'];
    const merge = JSON.stringify({ specs });
    const added = JSON.stringify([{ op: 'add', path: '/specs', value: specs }]);
    t.match(await kubectl('alice', [...patch, '--type=merge', '-p', merge]), refused, 'a merge patch');
    t.match(await kubectl('alice', [...patch, '--type=json', '-p', added]), refused, 'a JSON patch');
    const { spec: _, ...bare } = clusterwide;
    const applied = ['apply', '--server-side', '--field-manager=alice', '-f', '-'];
    t.match(await kubectl('alice', applied, { ...bare, specs }), refused, 'server-side apply');
    t.match(await kubectl('alice', ['replace', '-f', '-'], { ...clusterwide, specs }), refused, 'an update');
    const label = ['label', 'ciliumclusterwidenetworkpolicy', 'open', 'a=b'];
    t.match(await kubectl('alice', label), refused, 'a label');
    const removal = ['delete', 'ciliumclusterwidenetworkpolicy', 'open'];
    // Rights decide about removals; alice has them all here.
    t.match(await kubectl('alice', [...removal, '--dry-run=server']), { code: 0 }, 'a removal is left to RBAC');
    t.match(await kubectl('platform', removal), { code: 0 }, 'the platform removes it');
    t.match(await kubectl('platform', applied, clusterwide), { code: 0 }, 'and applies it');
  });

  await cluster.stop();
  await t.test('every replica is dead: agents write what is theirs, and nobody else writes', async (t) => {
    const patchOf = (kind: string, name: string, patch: string, ...words: string[]) => [
      'patch',
      kind,
      name,
      ...words,
      '--type=merge',
      '-p',
      patch,
    ];
    const labelled = '{"metadata":{"labels":{"seen":"true"}}}';
    for (const [person, command, object] of [
      ['agent', ['create', '-f', '-'], endpoint('second')],
      ['agent', patchOf('ciliumendpoint', 'web', '{"status":{"identity":{"id":5}}}', '-n', 'acme-web'), undefined],
      ['agent', ['create', '-f', '-'], node('node-2')],
      ['agent', patchOf('ciliumnode', 'node-1', labelled), undefined],
      ['agent', ['delete', 'ciliumendpoint', 'second', '-n', 'acme-web'], undefined],
      ['Calico on a node', patchOf('ipamblock', '10-244-0-0-26', labelled), undefined],
      ['Calico on a node', ['create', '-f', '-'], felix],
      ['alice', ['delete', 'serviceexport', 'web', '-n', 'acme-web'], undefined],
    ] as const)
      t.match(await kubectl(person, command, object), { code: 0, stderr: '' }, `${person} ${command.join(' ')}`);
    const unreached = { code: 1, stderr: /failed calling webhook "validate\.network\.bulkhead\.dev"/ };
    for (const [person, object] of [
      ['alice', serviceExport('acme-web')],
      ['alice', endpoint('forged')],
      ['alice', node('forged')],
      ['a namesake', endpoint('forged')],
      ['Calico on a node', node('of-another')],
      ['agent', { ...clusterwide, metadata: { name: 'late' } }],
      ['agent', redirect('beta-data', 'beta-data')],
    ] as const)
      t.match(await create(person, object), unreached, `${person} ${JSON.stringify(object)}`);
  });
});
