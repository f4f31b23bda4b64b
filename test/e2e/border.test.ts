/** The promises of the design on a real API server: ownership, the border, no way around, refusals that explain, honest dry-runs. */
import { type GuardedCluster, guardedTest, type PersonName } from './guarded-cluster.ts';

interface Sentence {
  readonly says: string;
  readonly person: PersonName;
  readonly object: { readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string } };
  /** Undefined: admitted. Otherwise the check that refuses, and what the refusal says. */
  readonly refused?: { readonly check: string; readonly path: string; readonly witness?: RegExp };
  /** The tenant whose label the stored object carries. */
  readonly tenant?: string;
}

const pod = (name: string, namespace: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, ...metadata },
  // The quota of the example tenant counts requests.
  spec: {
    containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu: '10m', memory: '8Mi' } } }],
    ...spec,
  },
});
const policy = (name: string, namespace: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace },
  spec: { podSelector: {}, ...spec },
});
const from = (...peers: object[]) => ({ policyTypes: ['Ingress'], ingress: [{ from: peers }] });
const to = (ports: object[] | undefined, ...peers: object[]) => ({
  policyTypes: ['Egress'],
  egress: [{ to: peers, ...(ports && { ports }) }],
});
const tenantIs = (tenant: string) => ({ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': tenant } } });
const namespaceIs = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });

const sentences: readonly Sentence[] = [
  // Promise 3: no crossing is admitted unless it is proven agreed.
  {
    says: 'a policy for the own namespace',
    person: 'alice',
    object: policy('own', 'acme-web', from({ podSelector: {} })),
    tenant: 'acme',
  },
  {
    says: 'a policy for the own tenant',
    person: 'alice',
    object: policy('tenant', 'acme-web', from(tenantIs('acme'))),
    tenant: 'acme',
  },
  {
    says: 'a policy for a namespace whose name is reserved to the tenant',
    person: 'alice',
    object: policy('name', 'acme-web', from(namespaceIs('acme-later'))),
    tenant: 'acme',
  },
  {
    says: 'a policy that allows nothing',
    person: 'alice',
    object: policy('none', 'acme-web', { policyTypes: ['Ingress', 'Egress'] }),
    tenant: 'acme',
  },
  {
    says: 'a policy for every namespace',
    person: 'alice',
    object: policy('all', 'acme-web', from({ namespaceSelector: {} })),
    refused: {
      check: 'cross-tenant-ingress',
      path: 'spec.ingress[0].from[0].namespaceSelector',
      witness: /bulkhead\.dev\/tenant=not-acme/,
    },
  },
  {
    says: 'a rule without peers',
    person: 'alice',
    object: policy('any', 'acme-web', { ingress: [{}] }),
    refused: { check: 'cross-tenant-ingress', path: 'spec.ingress[0]' },
  },
  {
    says: 'a policy for another tenant',
    person: 'alice',
    object: policy('other', 'acme-web', from(tenantIs('gamma'))),
    refused: { check: 'cross-tenant-ingress', path: 'spec.ingress[0].from[0].namespaceSelector' },
  },
  {
    says: 'a policy that excludes one tenant only',
    person: 'alice',
    object: policy(
      'not-in',
      'acme-web',
      from({
        namespaceSelector: { matchExpressions: [{ key: 'bulkhead.dev/tenant', operator: 'NotIn', values: ['gamma'] }] },
      }),
    ),
    refused: { check: 'cross-tenant-ingress', path: 'spec.ingress[0].from[0].namespaceSelector' },
  },
  {
    says: 'a policy that selects by a label anybody may set',
    person: 'alice',
    object: policy('label', 'acme-web', from({ namespaceSelector: { matchLabels: { name: 'acme-web' } } })),
    refused: { check: 'cross-tenant-ingress', path: 'spec.ingress[0].from[0].namespaceSelector' },
  },
  {
    says: 'a policy that selects by a name anybody may take',
    person: 'alice',
    object: policy('free-name', 'acme-web', from(namespaceIs('shop'))),
    refused: { check: 'cross-tenant-ingress', path: 'spec.ingress[0].from[0].namespaceSelector' },
  },
  {
    says: 'egress through a gate',
    person: 'alice',
    object: policy('gate', 'acme-web', to([{ port: 5432 }], tenantIs('beta'))),
    tenant: 'acme',
  },
  {
    says: 'egress through a gate on another port',
    person: 'alice',
    object: policy('gate-port', 'acme-web', to([{ port: 5433 }], tenantIs('beta'))),
    refused: { check: 'cross-tenant-egress', path: 'spec.egress[0].to[0].namespaceSelector' },
  },
  {
    says: 'egress through a gate on every port',
    person: 'alice',
    object: policy('gate-all', 'acme-web', to(undefined, tenantIs('beta'))),
    refused: { check: 'cross-tenant-egress', path: 'spec.egress[0].to[0].namespaceSelector' },
  },
  {
    says: 'the other half of the gate',
    person: 'bob',
    object: policy('gate', 'beta-data', {
      policyTypes: ['Ingress'],
      ingress: [{ from: [tenantIs('acme')], ports: [{ port: 5432 }] }],
    }),
    tenant: 'beta',
  },
  {
    says: 'the gate in the wrong direction',
    person: 'bob',
    object: policy('gate-back', 'beta-data', to([{ port: 5432 }], tenantIs('acme'))),
    refused: { check: 'cross-tenant-egress', path: 'spec.egress[0].to[0].namespaceSelector' },
  },
  {
    says: 'granted addresses',
    person: 'alice',
    object: policy('granted', 'acme-web', to([{ port: 443 }], { ipBlock: { cidr: '203.0.113.0/25' } })),
    tenant: 'acme',
  },
  {
    says: 'all addresses',
    person: 'alice',
    object: policy('internet', 'acme-web', to(undefined, { ipBlock: { cidr: '0.0.0.0/0' } })),
    refused: { check: 'ip-block', path: 'spec.egress[0].to[0].ipBlock' },
  },
  {
    says: 'the metadata service',
    person: 'alice',
    object: policy('metadata', 'acme-web', to(undefined, { ipBlock: { cidr: '169.254.169.254/32' } })),
    refused: { check: 'ip-block', path: 'spec.egress[0].to[0].ipBlock' },
  },
  {
    says: 'the platform may open the border of a tenant no more than the tenant',
    person: 'platform',
    object: policy('all', 'acme-web', from({ namespaceSelector: {} })),
    refused: { check: 'cross-tenant-ingress', path: 'spec.ingress[0].from[0].namespaceSelector' },
  },
  {
    says: 'the platform’s own namespaces are its own business',
    person: 'platform',
    object: policy('all', 'default', from({ namespaceSelector: {} })),
  },
  {
    says: 'a policy with a name that is Bulkhead’s',
    person: 'alice',
    object: policy('bulkhead-mine', 'acme-web', from({ podSelector: {} })),
    refused: { check: 'managed-policy', path: 'metadata.name' },
  },
  // Promise 4: no way around.
  { says: 'an ordinary pod', person: 'alice', object: pod('plain', 'acme-web'), tenant: 'acme' },
  {
    says: 'a pod with keys that are also JavaScript’s',
    person: 'alice',
    object: pod(
      'keys',
      'acme-web',
      {},
      { labels: { constructor: 'a', toString: 'b' }, annotations: { __proto__: 'c' } },
    ),
    tenant: 'acme',
  },
  {
    says: 'a pod on the network of its node',
    person: 'alice',
    object: pod('node', 'acme-web', { hostNetwork: true }),
    refused: { check: 'host-network', path: 'spec.hostNetwork' },
  },
  {
    says: 'a pod on the network of its node, made by the platform',
    person: 'platform',
    object: pod('node', 'acme-web', { hostNetwork: true }),
    refused: { check: 'host-network', path: 'spec.hostNetwork' },
  },
  {
    says: 'a pod with a port of its node',
    person: 'alice',
    object: pod('port', 'acme-web', {
      containers: [{ name: 'main', image: 'busybox', ports: [{ containerPort: 80, hostPort: 80 }] }],
    }),
    refused: { check: 'host-ports', path: 'spec.containers[0].ports[0].hostPort' },
  },
  {
    says: 'a pod that sees the processes of its node',
    person: 'alice',
    object: pod('pid', 'acme-web', { hostPID: true }),
    refused: { check: 'host-namespaces', path: 'spec.hostPID' },
  },
  {
    says: 'an init container with power over the network',
    person: 'alice',
    object: pod('caps', 'acme-web', {
      initContainers: [{ name: 'first', image: 'busybox', securityContext: { capabilities: { add: ['net_admin'] } } }],
    }),
    refused: { check: 'network-capabilities', path: 'spec.initContainers[0].securityContext.capabilities.add[0]' },
  },
  {
    says: 'a pod that claims another tenant',
    person: 'alice',
    object: pod('forged', 'acme-web', {}, { labels: { 'bulkhead.dev/tenant': 'beta' } }),
    refused: { check: 'pod-tenant-label', path: 'metadata.labels[bulkhead.dev/tenant]' },
  },
  {
    says: 'a pod with a label that is a switch of the network',
    person: 'alice',
    object: pod('switch', 'acme-web', {}, { labels: { 'io.kubernetes.pod.namespace': 'kube-system' } }),
    refused: { check: 'reserved-labels', path: 'metadata.labels[io.kubernetes.pod.namespace]' },
  },
  {
    says: 'a pod of the platform may be on the network of its node',
    person: 'platform',
    object: pod('agent', 'default', { hostNetwork: true }),
  },
  // Promise 1: ownership.
  {
    says: 'a member of two tenants who says which',
    person: 'dora',
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'bulkhead.dev/tenant': 'beta' } },
    } as never,
    tenant: 'beta',
  },
  {
    says: 'a member of two tenants, by prefix',
    person: 'dora',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-two' } } as never,
    tenant: 'acme',
  },
  {
    says: 'a member of two tenants who does not say which',
    person: 'dora',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'undecided' } } as never,
    refused: { check: 'foreign-namespace', path: 'metadata.labels[bulkhead.dev/tenant]' },
  },
  {
    says: 'a name that is reserved to another tenant',
    person: 'bob',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-three' } } as never,
    refused: { check: 'reserved-prefix', path: 'metadata.name' },
  },
  {
    says: 'a label of a tenant that one is not a member of',
    person: 'bob',
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'mine', labels: { 'bulkhead.dev/tenant': 'gamma' } },
    } as never,
    refused: { check: 'foreign-namespace', path: 'metadata.labels[bulkhead.dev/tenant]' },
  },
  {
    says: 'a namespace of a stranger',
    person: 'carol',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'carols' } } as never,
    refused: { check: 'foreign-namespace', path: 'metadata.labels[bulkhead.dev/tenant]' },
  },
  {
    says: 'a namespace of the platform',
    person: 'platform',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'logging' } } as never,
  },
  {
    says: 'a namespace that the platform makes for a tenant',
    person: 'platform',
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'made-for', labels: { 'bulkhead.dev/tenant': 'gamma' } },
    } as never,
    tenant: 'gamma',
  },
];

/** Tenants that each of the people may hear of. */
const ownTenants: Readonly<Record<PersonName, readonly string[]>> = {
  alice: ['acme'],
  bob: ['beta'],
  dora: ['acme', 'beta', 'dora'],
  carol: [],
  platform: [],
};

await guardedTest('the border holds for what kubectl sends', async (t, cluster) => {
  for (const [person, namespace] of [
    ['alice', 'acme-web'],
    ['bob', 'beta-data'],
  ] as const) {
    const { code, stderr } = await cluster.kubectl(person, ['create', 'namespace', namespace]);
    t.equal(code, 0, `${person} creates ${namespace} ${stderr}`);
  }
  for (const { says, person, object, refused, tenant } of sentences) {
    const text = JSON.stringify(object);
    const dry = await cluster.kubectl(person, ['create', '--dry-run=server', '-f', '-'], text);
    const real = await cluster.kubectl(person, ['create', '-f', '-'], text);
    t.equal(dry.code, real.code, `${says}: the dry-run comes to the same`);
    if (refused === undefined) {
      t.equal(real.code, 0, `${says} is admitted ${real.stderr}`);
      t.equal(await labelOf(cluster, object), tenant, `${says}: carries ${tenant ?? 'no tenant'}`);
      continue;
    }
    t.equal(dry.stderr, real.stderr, `${says}: the dry-run says the same`);
    t.equal(real.code, 1, `${says} is refused`);
    t.ok(real.stderr.startsWith('Error from server (Forbidden): '), `${says}: it is a Forbidden`);
    t.match(real.stderr, `\n  ${refused.path}\n    `, `${says}: says where`);
    t.match(real.stderr, `\n    fix: `, `${says}: says how to fix it`);
    t.match(real.stderr, `\n    ${refused.check}, docs/checks/${refused.check}.md\n`, `${says}: names the check`);
    t.match(real.stderr, '\n1 finding', `${says}: and nothing else is wrong`);
    if (refused.witness) t.match(real.stderr, refused.witness, `${says}: shows a witness`);
    for (const stranger of ['acme', 'beta', 'gamma', 'dora', 'shop', 'acme-two']) {
      const known = text.includes(stranger) || ownTenants[person].includes(stranger) || person === 'platform';
      if (!known)
        t.notMatch(real.stderr.replaceAll('not-acme', ''), stranger, `${says}: does not speak of ${stranger}`);
    }
  }
});

await guardedTest('subresources and deletions are no way around', async (t, cluster) => {
  for (const namespace of ['acme-web', 'acme-other'])
    await cluster.kubectl('alice', ['create', 'namespace', namespace]);
  const made = await cluster.kubectl('alice', ['create', '-f', '-'], JSON.stringify(pod('plain', 'acme-web')));
  t.equal(made.code, 0, made.stderr);

  const attempts: readonly (readonly [string, string, readonly string[], string?])[] = [
    [
      'relabels through pods/status',
      'pod-tenant-label',
      [
        'patch',
        'pod',
        'plain',
        '-n',
        'acme-web',
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"metadata":{"labels":{"bulkhead.dev/tenant":"beta"}}}',
      ],
    ],
    [
      'sets a reserved annotation through pods/status',
      'reserved-labels',
      [
        'patch',
        'pod',
        'plain',
        '-n',
        'acme-web',
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"metadata":{"annotations":{"cni.projectcalico.org/ipAddrs":"[\\"10.244.9.9\\"]"}}}',
      ],
    ],
    [
      'adds a debugging container with power over the network',
      'ephemeral-containers',
      [
        'patch',
        'pod',
        'plain',
        '-n',
        'acme-web',
        '--subresource=ephemeralcontainers',
        '--type=strategic',
        '-p',
        '{"spec":{"ephemeralContainers":[{"name":"debug","image":"busybox","securityContext":{"capabilities":{"add":["NET_ADMIN"]}}}]}}',
      ],
    ],
    [
      'relabels through a Binding',
      'pod-binding',
      ['create', '--raw', '/api/v1/namespaces/acme-web/pods/plain/binding', '-f', '-'],
      '{"apiVersion":"v1","kind":"Binding","metadata":{"name":"plain","labels":{"role":"db"}},"target":{"kind":"Node","name":"n1"}}',
    ],
    [
      'deletes a managed policy',
      'managed-policy',
      ['delete', 'networkpolicy', 'bulkhead-default-deny', '-n', 'acme-web'],
    ],
    [
      'deletes every policy at once',
      'managed-policy',
      ['delete', '--raw', '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies'],
    ],
    [
      'edits a managed policy',
      'managed-policy',
      [
        'patch',
        'networkpolicy',
        'bulkhead-default-deny',
        '-n',
        'acme-web',
        '--type=merge',
        '-p',
        '{"spec":{"podSelector":{"matchLabels":{"no":"pod"}}}}',
      ],
    ],
    [
      'edits a managed policy by server-side apply',
      'managed-policy',
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
      JSON.stringify(policy('bulkhead-default-deny', 'acme-web', { policyTypes: ['Ingress'] })),
    ],
  ];
  await baselineOf(cluster, 'acme-web');
  for (const [does, check, command, stdin] of attempts) {
    const { code, stderr } = await cluster.kubectl('alice', command, stdin);
    t.not(code, 0, `whoever ${does} is refused`);
    t.match(stderr, `${check}, docs/checks/${check}.md`, `whoever ${does} hears of ${check}`);
  }
  const { stdout } = await cluster.kubectl('alice', [
    'get',
    'networkpolicy',
    'bulkhead-default-deny',
    '-n',
    'acme-web',
    '-o',
    'jsonpath={.spec}',
  ]);
  t.same(JSON.parse(stdout), { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, 'the closed door is as it was');
  const bound = await cluster.kubectl(
    'alice',
    ['create', '--raw', '/api/v1/namespaces/acme-web/pods/plain/binding', '-f', '-'],
    '{"apiVersion":"v1","kind":"Binding","metadata":{"name":"plain"},"target":{"kind":"Node","name":"n1"}}',
  );
  t.not(bound.code, 0, 'nor does a tenant choose the node by a plain Binding (POD-09, ADM-02)');
  t.match(
    bound.stderr,
    'Pod acme-web/plain: is bound to a node by a requester that is not a scheduler (tenant acme, hard isolation)',
  );
  t.match(bound.stderr, 'pod-scheduler, docs/checks/pod-scheduler.md');
});

await guardedTest('what goes wrong at the edge is said, not swallowed', async (t, cluster) => {
  await cluster.kubectl('alice', ['create', 'namespace', 'acme-web']);
  const many = Array.from({ length: 60 }, () => ({ namespaceSelector: {} }));
  const refused = await cluster.kubectl(
    'alice',
    ['create', '-f', '-'],
    JSON.stringify(policy('many', 'acme-web', from(...many))),
  );
  t.match(refused.stderr, /60 findings, \d+ of them not shown/, 'every finding is counted');
  t.ok(Buffer.byteLength(refused.stderr) < 4096 + 512, 'and the message stays short');

  const generated = await cluster.plane.request(
    'POST',
    '/api/v1/namespaces',
    { metadata: { generateName: 'acme-gen-' } },
    { kubeconfig: await cluster.kubeconfig('alice') },
  );
  t.equal(generated.status, 201, 'a generated name works');
  t.match(JSON.stringify(generated.body), '"bulkhead.dev/tenant":"acme"', 'and the namespace is labelled');

  const big = pod('big', 'acme-web', {}, { annotations: { 'example.org/notes': 'x'.repeat(250_000) } });
  const stored = await cluster.plane.request('POST', '/api/v1/namespaces/acme-web/pods', big, {
    kubeconfig: await cluster.kubeconfig('alice'),
  });
  t.equal(stored.status, 201, 'a pod as large as annotations may be');
  const huge = {
    ...policy('huge', 'acme-web', { policyTypes: ['Ingress'] }),
    metadata: { name: 'huge', namespace: 'acme-web', managedFields: [] },
  };
  const peers = Array.from({ length: 900 }, (_, index) => ({
    podSelector: {
      matchExpressions: [
        {
          key: `k${index}`,
          operator: 'In',
          values: Array.from({ length: 30 }, (_, value) => `${'v'.repeat(50)}${value}`),
        },
      ],
    },
  }));
  const wide = { ...huge, spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: peers }] } };
  t.ok(JSON.stringify(wide).length > 1_300_000, 'a policy above the usual body limit of web servers');
  const created = await cluster.plane.request(
    'POST',
    '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies',
    wide,
    { kubeconfig: await cluster.kubeconfig('alice') },
  );
  t.equal(
    created.status,
    201,
    `a policy of more than a megabyte is judged: ${JSON.stringify(created.body).slice(0, 300)}`,
  );
  const updated = await cluster.plane.request(
    'PATCH',
    '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/huge',
    { metadata: { labels: { touched: 'yes' } } },
    { kubeconfig: await cluster.kubeconfig('alice'), contentType: 'application/merge-patch+json' },
  );
  t.equal(updated.status, 200, 'and its update, which carries it twice');
});

async function labelOf(cluster: GuardedCluster, { kind, metadata: { name, namespace } }: Sentence['object']) {
  const where = namespace === undefined ? [] : ['-n', namespace];
  const { stdout } = await cluster.kubectl('platform', ['get', kind, name, ...where, '-o', 'json']);
  return JSON.parse(stdout).metadata.labels?.['bulkhead.dev/tenant'];
}

/** The baseline is put in place from the watch, a moment after the namespace. */
async function baselineOf(cluster: GuardedCluster, namespace: string): Promise<void> {
  const wait = ['wait', '--for=create', 'networkpolicy/bulkhead-default-deny', '-n', namespace, '--timeout=20s'];
  const { code, stderr } = await cluster.kubectl('platform', wait);
  if (code !== 0) throw new Error(stderr);
}
