import t from 'tap';
import { builtInKeys } from '../../src/keys/built-in-keys.ts';
import type { KeyCarrier, KeyProfile } from '../../src/keys/key-group.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { serves } from '../../src/tenancy/served-tenants.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { documentIn, problemLines, warningLines } from './documents.ts';

/** What stands under spec, from line 4 on, each line two columns in. */
function text(...spec: readonly string[]): string {
  return ['apiVersion: bulkhead.dev/v1alpha1', 'kind: Settings', 'spec:', ...spec.map((line) => `  ${line}`)].join(
    '\n',
  );
}

function settings(...spec: readonly string[]): Settings {
  const parsed = parseSettings(documentIn(text(...spec)));
  if (!parsed.ok) throw new Error(problemLines(parsed).join('\n'));
  return parsed.value;
}

const service = (...fields: readonly string[]) =>
  text('sharedServices:', ...fields.map((line, index) => `${index === 0 ? '  - ' : '    '}${line}`));
const ingress = ['name: web', 'direction: ingress', 'namespace: ingress-nginx'];

function builtIn(carrier: KeyCarrier, profile: KeyProfile = {}): readonly string[] {
  return builtInKeys(carrier, profile).map(({ entry }) => entry);
}

function entriesOf({ reservedNamespaceKeys, reservedPodKeys, reservedPolicyKeys }: Settings) {
  return {
    namespaces: reservedNamespaceKeys.map(({ entry }) => entry),
    pods: reservedPodKeys.map(({ entry }) => entry),
    policies: reservedPolicyKeys.map(({ entry }) => entry),
  };
}

const refused: readonly (readonly [sentence: string, text: string, ...problems: string[]])[] = [
  ['settings have a spec', 'apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\n', 't.yaml:1:1: spec: is missing'],
  [
    'an unknown field names the near one',
    text('platfrom: {}', 'network: { podCIDR: [] }'),
    't.yaml:4:3: spec.platfrom: is not a known field; did you mean platform?',
    't.yaml:5:14: spec.network.podCIDR: is not a known field; did you mean podCIDRs?',
  ],
  ...[
    'ftp://wiki.example/docs',
    'https://',
    'https://wiki.example/docs?version=1',
    'https://wiki.example/#docs',
    '//wiki.example',
    'https://user@wiki.example',
    'javascript:alert',
    'my docs',
    '',
  ].map(
    (url) =>
      [
        `"${url}" is no address of pages`,
        text(`docsURL: "${url}"`),
        `t.yaml:4:12: spec.docsURL: "${url}" is neither an http or https URL without query and fragment nor a relative path; write where the docs folder is published, such as https://wiki.example/bulkhead`,
      ] as const,
  ),
  [
    'the address of pages leaves room in a denial',
    text(`docsURL: https://wiki.example/${'d'.repeat(108)}`),
    `t.yaml:4:12: spec.docsURL: "https://wiki.example/${'d'.repeat(39)}..." is not an http or https URL or a relative path, at most 128 characters`,
  ],
  [
    'the tenant label is a label key',
    text('tenantLabel: bulk head'),
    't.yaml:4:16: spec.tenantLabel: "bulk head" is not a label key such as bulkhead.dev/tenant',
  ],
  ...['kubernetes.io/metadata.name', 'topology.kubernetes.io/zone', 'k8s.io/tenant'].map(
    (key) =>
      [
        `${key} cannot say who owns a namespace`,
        text(`tenantLabel: ${key}`),
        `t.yaml:4:16: spec.tenantLabel: ${key} is reserved to Kubernetes itself; choose a label under a domain of your own`,
      ] as const,
  ),
  [
    'the platform is not everybody',
    text('platform:', '  identities:', '    - { kind: Group, name: "system:authenticated" }'),
    't.yaml:6:30: spec.platform.identities[0].name: system:authenticated is everybody, not one group; list those who are meant',
  ],
  [
    'the platform is not everybody',
    text('platform:', '  schedulers:', '    - { kind: Group, name: "system:serviceaccounts" }'),
    't.yaml:6:30: spec.platform.schedulers[0].name: system:serviceaccounts is everybody, not one group; list those who are meant',
  ],
  [
    'a scheduler is not whoever is in a namespace',
    text('platform:', '  schedulers:', '    - { kind: Group, name: "system:serviceaccounts:acme-web" }'),
    't.yaml:6:30: spec.platform.schedulers[0].name: system:serviceaccounts:acme-web is a group that the API server puts accounts into by itself; list the account by its own name: kind ServiceAccount or User',
  ],
  ...[
    ['kind: User, name: "system:kube-controller-manager"', 'system:kube-controller-manager', 29],
    ['kind: Group, name: "system:serviceaccounts:kube-system"', 'system:serviceaccounts:kube-system', 30],
    ['kind: Group, name: "system:nodes"', 'system:nodes', 30],
    ['kind: ServiceAccount, namespace: kube-system, name: replicaset-controller', 'replicaset-controller', 63],
  ].map(
    ([subject, name, column]) =>
      [
        `${name} is not trusted: it works for tenants`,
        text('platform:', '  identities:', `    - { ${subject} }`),
        `t.yaml:6:${column}: spec.platform.identities[0].name: ${name} makes or runs the pods of every tenant, and would carry them past every check; leave it out: controllers need not be listed`,
      ] as const,
  ),
  [
    'names and prefixes of the platform are such',
    text('platform:', '  namespaces: [Monitoring, "*"]', '  prefixes: [cattle, ""]'),
    't.yaml:5:18: spec.platform.namespaces[0]: "Monitoring" is not a name of 1 to 63 lower-case letters, digits and inner hyphens; write monitoring',
    't.yaml:5:30: spec.platform.namespaces[1]: "*" is not a name of 1 to 63 lower-case letters, digits and inner hyphens',
    't.yaml:6:16: spec.platform.prefixes[0]: "cattle" is not a beginning of names: at most 62 lower-case letters, digits and hyphens, with a hyphen at its end; write cattle-',
    't.yaml:6:24: spec.platform.prefixes[1]: "" is not a beginning of names: at most 62 lower-case letters, digits and hyphens, with a hyphen at its end',
  ],
  [
    'plugin, mesh and level are words of a list',
    text('network: { plugin: weave }', 'mesh: istio-sidecar', 'podSecurity: { clusterDefault: none }'),
    't.yaml:4:22: spec.network.plugin: "weave" is not one of cilium, calico, ovn-kubernetes, antrea, aws-vpc-cni, azure-cni, gke, kube-router, other',
    't.yaml:5:9: spec.mesh: "istio-sidecar" is not one of istio, istio-ambient, linkerd, kuma, consul, none',
    't.yaml:6:34: spec.podSecurity.clusterDefault: "none" is not one of privileged, baseline, restricted',
  ],
  [
    'what a mesh asks of callers is a word of a list, and a grant says for whom it is',
    text('istio:', '  mtls: STRICT', '  mtlsGrants: [{ mtls: permissive }, { mtls: none, ports: [0] }]'),
    't.yaml:5:11: spec.istio.mtls: "STRICT" is not one of disable, permissive, strict; did you mean strict?',
    't.yaml:6:48: spec.istio.mtlsGrants[1].mtls: "none" is not one of disable, permissive, strict',
    't.yaml:6:62: spec.istio.mtlsGrants[1].ports[0]: 0 is not a number from 1 to 65535',
  ],
  [
    'a grant of less mutual TLS is not for everybody',
    text('istio:', '  mtlsGrants: [{ mtls: permissive, ports: [80] }]'),
    't.yaml:5:18: spec.istio.mtlsGrants[0]: is for every namespace of every tenant; list tenants or namespaces, or set istio.mtls',
  ],
  [
    'values are allowed for a whole key',
    text('reserved:', '  allowedValues: [{ key: traffic.sidecar.istio.io/, values: [a] }]'),
    't.yaml:5:28: spec.reserved.allowedValues[0].key: "traffic.sidecar.istio.io/" is not a label or annotation key',
  ],
  [
    'values are allowed for one key that is reserved',
    text(
      'reserved:',
      '  allowedValues:',
      '    - { key: bulkhead.dev/tenant, values: [acme] }',
      '    - { key: example.com/zone, values: [a] }',
    ),
    't.yaml:6:16: spec.reserved.allowedValues[0].key: bulkhead.dev/tenant belongs to Bulkhead, and tenants set no value of it; leave it out',
    't.yaml:7:16: spec.reserved.allowedValues[1].key: "example.com/zone" is not reserved, so tenants may set every value of it; leave it out',
  ],
  [
    'reserved keys are keys, beginnings or endings',
    text('reserved:', '  podKeys: ["", "a b", "*", "*a", "*.a/", "a.*.b"]'),
    't.yaml:5:15: spec.reserved.podKeys[0]: "" is not a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
    't.yaml:5:19: spec.reserved.podKeys[1]: "a b" is not a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
    't.yaml:5:26: spec.reserved.podKeys[2]: "*" is not a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
    't.yaml:5:31: spec.reserved.podKeys[3]: "*a" is not a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
    't.yaml:5:37: spec.reserved.podKeys[4]: "*.a/" is not a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
    't.yaml:5:45: spec.reserved.podKeys[5]: "a.*.b" is not a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
  ],
  [
    'only what is on the built-in lists can be released',
    text(
      'reserved:',
      '  released: [bulkhead.dev/, bulkhead.dev/tenant, istio.io/rev, istio-injektion, example.com/, a.tree.hnc.x-k8s.io/depth]',
    ),
    't.yaml:5:16: spec.reserved.released[0]: bulkhead.dev/ belongs to Bulkhead and cannot be released; leave it out',
    't.yaml:5:31: spec.reserved.released[1]: bulkhead.dev/tenant belongs to Bulkhead and cannot be released; leave it out',
    't.yaml:5:52: spec.reserved.released[2]: "istio.io/rev" is not an entry of the built-in lists; did you mean istio.io/?',
    't.yaml:5:66: spec.reserved.released[3]: "istio-injektion" is not an entry of the built-in lists; did you mean istio-injection?',
    't.yaml:5:83: spec.reserved.released[4]: "example.com/" is not an entry of the built-in lists; leave it out',
    't.yaml:5:97: spec.reserved.released[5]: "a.tree.hnc.x-k8s.io/depth" is not an entry of the built-in lists; did you mean *.tree.hnc.x-k8s.io/depth?',
  ],
  [
    'what pods may have is listed by its name',
    text('pods:', '  sysctls: [net/core/somaxconn, kernel.msgmax, "net.*"]', '  runtimeClasses: [Kata, ""]'),
    't.yaml:5:15: spec.pods.sysctls[0]: "net/core/somaxconn" is not a kernel setting of the network such as net.core.somaxconn',
    't.yaml:5:35: spec.pods.sysctls[1]: "kernel.msgmax" is not a kernel setting of the network such as net.core.somaxconn',
    't.yaml:5:50: spec.pods.sysctls[2]: "net.*" is not a kernel setting of the network such as net.core.somaxconn',
    't.yaml:6:22: spec.pods.runtimeClasses[0]: "Kata" is not a name of 1 to 253 lower-case letters, digits, inner hyphens and inner dots; write kata',
    't.yaml:6:28: spec.pods.runtimeClasses[1]: "" is not a name of 1 to 253 lower-case letters, digits, inner hyphens and inner dots',
  ],
  [
    'what every pod tolerates is not reserved',
    text('pods:', '  tolerations: [{ key: gpu, tenants: [] }, { key: node.kubernetes.io/not-ready, tenants: [] }]'),
    't.yaml:5:53: spec.pods.tolerations[1].key: node.kubernetes.io/not-ready is tolerated by pods without their asking, so all of them would be refused; leave it out',
  ],
  [
    'a reserved device is a resource or a class',
    text('pods:', '  devices: [{ tenants: [] }, { resource: a/b, deviceClass: c, tenants: [] }]'),
    't.yaml:5:15: spec.pods.devices[0]: names not exactly one device; write either resource or deviceClass',
    't.yaml:5:32: spec.pods.devices[1]: names not exactly one device; write either resource or deviceClass',
  ],
  [
    'a reserved resource has a domain',
    text('pods:', '  devices: [{ resource: gpu, tenants: [] }]'),
    't.yaml:5:27: spec.pods.devices[0].resource: "gpu" is not an extended resource such as nvidia.com/gpu',
  ],
  [
    'ranges of the cluster are canonical',
    text(
      'network:',
      '  podCIDRs: [10.244.1.0/16]',
      '  metadataAddresses: [169.254.169.254]',
      '  protectedCIDRs: [{ name: management, cidr: 10.0.0.0 }]',
    ),
    't.yaml:5:16: spec.network.podCIDRs[0]: "10.244.1.0/16" has bits set after its prefix, so readers disagree on whether it is an address or a range; write 10.244.0.0/16',
    't.yaml:6:25: spec.network.metadataAddresses[0]: "169.254.169.254" has no prefix length; write 169.254.169.254/32',
    't.yaml:7:48: spec.network.protectedCIDRs[0].cidr: "10.0.0.0" has no prefix length; write 10.0.0.0/32',
  ],
  [
    'a shared service says which pods it is',
    service(...ingress),
    't.yaml:5:7: spec.sharedServices[0].podSelector: is missing beside namespace; give both, or neither for a service at addresses alone',
  ],
  [
    'a shared service has pods or addresses',
    service('name: web', 'direction: egress'),
    't.yaml:5:7: spec.sharedServices[0]: has neither pods nor addresses; give namespace and podSelector, addresses, or an entity',
  ],
  [
    'a shared service is for tenants by name or by label',
    service(...ingress, 'podSelector: {}', 'tenants: [acme]', 'tenantSelector: { matchLabels: { tier: a } }'),
    't.yaml:10:7: spec.sharedServices[0].tenantSelector: stands beside tenants; keep one of the two',
  ],
  [
    'a selector of tenants selects some',
    service(
      ...ingress,
      'podSelector: {}',
      'tenantSelector: { matchLabels: { tier: a }, matchExpressions: [{ key: tier, operator: DoesNotExist }] }',
    ),
    't.yaml:9:7: spec.sharedServices[0].tenantSelector: leaves no value for the label tier, so it selects no tenant',
  ],
  [
    'a shared service has a selector that selects',
    service(
      ...ingress,
      'podSelector: { matchLabels: { app: web }, matchExpressions: [{ key: app, operator: DoesNotExist }] }',
    ),
    't.yaml:8:7: spec.sharedServices[0].podSelector: leaves no value for the label app, so it selects no pod',
  ],
  [
    'an operator takes its values',
    service(...ingress, 'podSelector: { matchExpressions: [{ key: app, operator: In }] }'),
    't.yaml:8:41: spec.sharedServices[0].podSelector.matchExpressions[0].values: In needs at least one value; write the values',
  ],
  [
    'within is the name of another policy',
    service('name: within', 'direction: egress', 'namespace: dns', 'podSelector: {}'),
    't.yaml:5:13: spec.sharedServices[0].name: within names the policy for traffic inside a tenant; choose another name',
  ],
  [
    'a service is declared once for each direction',
    `${service(...ingress, 'podSelector: {}')}\n    - { name: web, direction: ingress, namespace: other, podSelector: {} }`,
    't.yaml:9:15: spec.sharedServices[1].name: web is declared for ingress by spec.sharedServices[0] already; merge the two',
  ],
  [
    'ports and addresses of a service are read as everywhere',
    service(...ingress, 'podSelector: {}', 'ports: [{ port: 0 }]', 'addresses: [169.254.20.10]'),
    't.yaml:9:23: spec.sharedServices[0].ports[0].port: 0 is not a number from 1 to 65535',
  ],
  [
    'addresses of a service are ranges',
    service(...ingress, 'podSelector: {}', 'addresses: [169.254.20.10]'),
    't.yaml:9:19: spec.sharedServices[0].addresses[0]: "169.254.20.10" has no prefix length; write 169.254.20.10/32',
  ],
];

for (const [sentence, text, ...problems] of refused) {
  t.test(sentence, async (t) => {
    t.strictSame(problemLines(parseSettings(documentIn(text))), problems);
  });
}

const warning = (field: string, place: string) =>
  `t.yaml:${place}: spec.network.${field}: is missing, so no address can be proven to lie outside the cluster and every ipBlock of a tenant is refused; list the ranges of the cluster`;

t.test(
  'settings that say nothing are the defaults, and a warning that the ranges of the cluster are unknown',
  async (t) => {
    const parsed = parseSettings(documentIn(text().replace(/spec:$/, 'spec: {}')));
    t.ok(parsed.ok);
    if (parsed.ok) t.strictSame(parsed.value, defaultSettings);
    t.strictSame(warningLines(parsed), [
      warning('podCIDRs', '3:1'),
      warning('serviceCIDRs', '3:1'),
      warning('nodeCIDRs', '3:1'),
    ]);
  },
);

const oneFamily = (fields: string, name: string, other: string) =>
  `t.yaml:4:3: spec.network: lists no ${name} range under ${fields}, so no ${name} address can be proven to lie outside the cluster and every ${name} ipBlock of a tenant is refused; list them, or write ipFamilies: [${other}] if the cluster has no ${name}`;

t.test(
  'a family whose ranges are not all listed is warned about, unless the cluster has none of it (IP-01)',
  async (t) => {
    const network = (...lines: string[]) =>
      parseSettings(documentIn(text('network:', ...lines.map((line) => `  ${line}`))));
    const four = ['podCIDRs: [10.244.0.0/16]', 'serviceCIDRs: [10.96.0.0/12]', 'nodeCIDRs: [192.168.0.0/16]'];
    const six = ['podCIDRs: ["fd00:1::/64"]', 'serviceCIDRs: ["fd00:2::/112"]', 'nodeCIDRs: ["fd00:3::/64"]'];
    const all = 'podCIDRs, serviceCIDRs, nodeCIDRs';
    const table: readonly [string, readonly string[], readonly string[], readonly number[]][] = [
      ['IPv4 alone', four, [oneFamily(all, 'IPv6', 'IPv4')], [6]],
      ['IPv6 alone', six, [oneFamily(all, 'IPv4', 'IPv6')], [4]],
      ['IPv4, and no IPv6 in the cluster', ['ipFamilies: [IPv4]', ...four], [], []],
      ['IPv6, and no IPv4 in the cluster', ['ipFamilies: [IPv6]', ...six], [], []],
      ['an empty list of families is none', ['ipFamilies: []', ...four], [oneFamily(all, 'IPv6', 'IPv4')], [6]],
      [
        'one list of both families',
        ['podCIDRs: [10.244.0.0/16, "fd00:1::/64"]', ...four.slice(1)],
        [oneFamily('serviceCIDRs, nodeCIDRs', 'IPv6', 'IPv4')],
        [6],
      ],
      [
        'IPv6 forms of IPv4 addresses are no IPv6 range',
        ['podCIDRs: [10.244.0.0/16, "64:ff9b::af5:0/112"]', ...four.slice(1)],
        [oneFamily(all, 'IPv6', 'IPv4')],
        [6],
      ],
    ];
    for (const [sentence, lines, warnings, families] of table) {
      const parsed = network(...lines);
      t.strictSame(warningLines(parsed), warnings, sentence);
      t.strictSame(parsed.ok && parsed.value.unlistedFamilies, families, sentence);
    }
    t.strictSame(problemLines(network('ipFamilies: [IPv4]', 'podCIDRs: [10.244.0.0/16, "fd00:1::/64"]')), [
      't.yaml:6:31: spec.network.podCIDRs[1]: is IPv6, which network.ipFamilies leaves out; add IPv6 there, or remove the range',
    ]);
  },
);

t.test(
  'a shared service opens single addresses of the cluster, on its ports, and no metadata service (IP-02)',
  async (t) => {
    const problems = (addresses: string, ports = '[{ port: 53 }]', families = 'ipFamilies: [IPv4], ') =>
      problemLines(
        parseSettings(
          documentIn(
            text(
              'network: { podCIDRs: [10.244.0.0/16], serviceCIDRs: [10.96.0.0/12], nodeCIDRs: [192.168.0.0/16] }'.replace(
                '{ ',
                `{ ${families}`,
              ),
              'sharedServices:',
              '  - { name: web, direction: egress, namespace: web, podSelector: {}, ports: PORTS, addresses: ADDRESSES }'
                .replace('PORTS', ports)
                .replace('ADDRESSES', addresses),
            ),
          ),
        ),
      ).map((line) => line.replace(/^.*?: spec\.sharedServices\[0\]\.addresses/, ''));
    const table: readonly [string, string, string | undefined, string?, string?][] = [
      ['one address of the service network, on its ports', '[10.96.0.10/32]', undefined],
      ['the cache of DNS on the node', '[169.254.20.10/32]', undefined],
      ['a range outside', '[203.0.113.0/24]', undefined, '[]'],
      [
        'everything',
        '[0.0.0.0/0]',
        '[0]: reaches into 169.254.169.254/32, the metadata service, which no tenant may reach; remove it, or list addresses that leave it out',
      ],
      [
        'two addresses of the pod network',
        '[10.96.0.10/32, 10.244.0.0/31]',
        '[1]: reaches into 10.244.0.0/16, the pod network, with more than one address; list single addresses, such as 10.96.0.10/32',
      ],
      [
        'nodes as something to reach',
        '[192.168.0.0/24]',
        '[0]: reaches into 192.168.0.0/16, the node network, with more than one address; list single addresses, such as 10.96.0.10/32',
        '[{ port: 443 }]',
      ],
      [
        'the pods behind NAT64',
        '["64:ff9b::af4:0/112"]',
        '[0]: reaches into 10.244.0.0/16, the pod network, with more than one address; list single addresses, such as 10.96.0.10/32',
      ],
      [
        'one address on every port',
        '[192.168.0.1/32]',
        '[0]: reaches into 192.168.0.0/16, the node network, on every port; list the ports of the service by number',
        '[]',
      ],
      [
        'one address on every port of a protocol',
        '[192.168.0.1/32]',
        '[0]: reaches into 192.168.0.0/16, the node network, on every port; list the ports of the service by number',
        '[{ protocol: TCP }]',
      ],
      [
        'a range of a family whose ranges are not listed',
        '["fd00:10::/32"]',
        '[0]: may reach into the cluster, as network does not list all its IPv6 ranges, with more than one address; list single addresses, such as 10.96.0.10/32',
        '[{ port: 53 }]',
        '',
      ],
      [
        'the metadata service',
        '[169.254.169.254/32]',
        '[0]: reaches into 169.254.169.254/32, the metadata service, which no tenant may reach; remove it, or list addresses that leave it out',
      ],
      [
        'the metadata service behind NAT64',
        '["64:ff9b::a9fe:a9fe/128"]',
        '[0]: reaches into 169.254.169.254/32, the metadata service, which no tenant may reach; remove it, or list addresses that leave it out',
      ],
    ];
    for (const [sentence, addresses, problem, ports, families] of table) {
      t.strictSame(problems(addresses, ports, families), problem === undefined ? [] : [problem], sentence);
    }
  },
);

t.test('a range that is missing is warned about', async (t) => {
  const parsed = parseSettings(
    documentIn(text('network:', '  podCIDRs: [10.244.0.0/16]', '  serviceCIDRs: []', '  nodeCIDRs: [192.168.0.0/16]')),
  );
  t.strictSame(warningLines(parsed), [
    warning('serviceCIDRs', '6:5'),
    oneFamily('podCIDRs, nodeCIDRs', 'IPv6', 'IPv4'),
  ]);
  t.strictSame(parsed.ok && parsed.value.unlistedFamilies, [4, 6]);
});

t.test('pages are in the docs folder, or where the settings say', async (t) => {
  t.equal(settings('tenantLabel: example.com/team').docsURL, 'docs');
  for (const [written, read] of [
    ['https://wiki.example/bulkhead', 'https://wiki.example/bulkhead'],
    ['https://wiki.example/bulkhead/', 'https://wiki.example/bulkhead'],
    ['http://localhost:8000', 'http://localhost:8000'],
    ['"http://[::1]:8000/"', 'http://[::1]:8000'],
    [
      'https://git.example/platform/bulkhead/-/blob/v1.2/docs',
      'https://git.example/platform/bulkhead/-/blob/v1.2/docs',
    ],
    ['../docs', '../docs'],
  ])
    t.equal(settings(`docsURL: ${written}`).docsURL, read);
});

t.test('what shuts something adds to what is built in', async (t) => {
  const given = settings(
    'platform:',
    '  identities: [{ kind: Group, name: platform-team }]',
    '  schedulers: [{ kind: ServiceAccount, namespace: batch-system, name: scheduler }]',
    '  namespaces: [monitoring, kube-system]',
    '  prefixes: [cattle-]',
    'reserved:',
    '  namespaceKeys: [example.com/]',
    '  podKeys: [example.com/zone]',
    '  policyKeys: [example.com/plugin]',
    'network:',
    '  podCIDRs: [10.244.0.0/16, "fd00:10:244::/56"]',
    '  serviceCIDRs: [10.96.0.0/12]',
    '  nodeCIDRs: [192.168.0.0/16]',
    '  metadataAddresses: [192.0.0.192/32]',
    '  loadBalancerCIDRs: [198.51.100.0/24]',
    '  protectedCIDRs: [{ name: management network, cidr: 172.16.0.0/24 }]',
  );
  t.strictSame(given.platform.identities, [
    { kind: 'Group', name: 'system:masters' },
    { kind: 'ServiceAccount', namespace: 'bulkhead-system', name: 'bulkhead' },
    { kind: 'Group', name: 'platform-team' },
  ]);
  t.strictSame(given.platform.schedulers, [
    { kind: 'User', name: 'system:kube-scheduler' },
    { kind: 'ServiceAccount', namespace: 'batch-system', name: 'scheduler' },
  ]);
  t.strictSame(
    [...given.platform.namespaces],
    [
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
      'bulkhead-system',
      'bulkhead-probe',
      // Of the accounts of network plugins and meshes.
      ...['cilium', 'calico-system', 'calico-apiserver', 'tigera-operator', 'ovn-kubernetes'],
      ...['openshift-ovn-kubernetes', 'openshift-sdn', 'istio-system', 'linkerd', 'kuma-system'],
      'monitoring',
      'batch-system',
    ],
  );
  t.strictSame(given.platform.prefixes, ['bulkhead-', 'kube-', 'openshift-', 'cattle-']);
  t.strictSame(entriesOf(given), {
    namespaces: [...builtIn('namespaces'), 'example.com/'],
    pods: [...builtIn('pods'), 'example.com/zone'],
    policies: [...builtIn('policies'), 'example.com/plugin'],
  });
  t.strictSame(given.reservedPodKeys.at(-1), {
    entry: 'example.com/zone',
    protects: 'identity',
    effect: 'is one that the platform team has reserved',
    settings: ['reserved.podKeys'],
  });
  t.strictSame(given.unlistedFamilies, [6]);
  t.strictSame(
    given.protectedRanges.map(({ name, text }) => `${name} ${text}`),
    [
      'pod network 10.244.0.0/16',
      'pod network fd00:10:244::/56',
      'service network 10.96.0.0/12',
      'node network 192.168.0.0/16',
      'metadata service 192.0.0.192/32',
      'metadata service 169.254.0.0/16',
      'link-local network fe80::/10',
      'metadata service 169.254.169.254/32',
      'metadata service 169.254.170.2/32',
      'metadata service 169.254.170.23/32',
      'metadata service 100.100.100.200/32',
      'metadata service fd00:100::100:200/128',
      'metadata service fd00:ec2::254/128',
      'metadata service fd00:ec2::23/128',
      'metadata service 168.63.129.16/32',
      'metadata service fd20:ce::254/128',
      'metadata service fd00:a9fe:a9fe::1/128',
      'metadata service fd00:c1::a9fe:a9fe/128',
      'metadata service fd00:42::42/128',
      'load balancer network 198.51.100.0/24',
      'management network 172.16.0.0/24',
    ],
  );
});

t.test('services that leave some tenant without DNS are warned about', async (t) => {
  const told = (...service: readonly string[]) =>
    warningLines(
      parseSettings(
        documentIn(text('network: { ipFamilies: [IPv4] }', 'sharedServices:', ...service.map((line) => `  ${line}`))),
      ),
    ).filter((line) => line.includes('sharedServices'));
  const dns =
    '{ name: dns, direction: egress, namespace: kube-system, podSelector: {}, ports: [{ protocol: UDP, port: 53 }]';
  const endpoints = '[{ cidr: 203.0.113.1/32, ports: [{ port: 443 }] }]';
  t.same(told(`- ${dns} }`), []);
  for (const without of [
    `${dns}, offer: policy }`,
    `${dns}, tenants: [acme] }`,
    `{ name: api, direction: egress, endpoints: ${endpoints} }`,
    '{ name: web, direction: ingress, namespace: web, podSelector: {} }',
  ])
    t.match(
      told(`- ${without}`),
      [/^t.yaml:\d+:\d+: spec.sharedServices: opens DNS to no tenant or not to all/],
      without,
    );
});

t.test('a cloud names whose metadata services are protected, beside those of link-local addresses', async (t) => {
  const metadata = (cloud: string) =>
    settings('network:', `  cloud: ${cloud}`)
      .protectedRanges.filter(({ kind }) => kind === 'metadata')
      .map(({ text }) => text);
  const always = ['169.254.169.254/32', '169.254.170.2/32', '169.254.170.23/32'];
  t.strictSame(metadata('none'), always);
  t.strictSame(metadata('azure'), [...always, '168.63.129.16/32']);
  t.strictSame(metadata('all').length, 12);
  t.match(settings('network:', '  cloud: none').protectedRanges, [{ text: '169.254.0.0/16' }, { text: 'fe80::/10' }]);
});

t.test('released keys are free on namespaces, pods and policies, the others stay', async (t) => {
  const given = settings('reserved:', '  released: [projectcalico.org/, host]');
  const without = (carrier: KeyCarrier, ...released: readonly string[]) =>
    builtIn(carrier).filter((entry) => !released.includes(entry));
  t.strictSame(entriesOf(given), {
    namespaces: without('namespaces', 'projectcalico.org/'),
    pods: without('pods', 'projectcalico.org/', 'host'),
    policies: without('policies', 'projectcalico.org/'),
  });
});

t.test('what was listed once, or belongs to another plugin or mesh, may stay among the released keys', async (t) => {
  const given = settings(
    'network: { plugin: calico }',
    'mesh: none',
    'reserved:',
    '  released: [cluster, all, host, linkerd.io/]',
  );
  t.strictSame(entriesOf(given).pods, builtIn('pods', { plugin: 'calico', mesh: 'none' }));
});

t.test('a key that the settings add holds as it stands there, also for the built-in keys below it', async (t) => {
  const given = settings(
    'mesh: none',
    'reserved:',
    '  podKeys: [sidecar.istio.io/, "*.kubernetes.io/ip_pool", cluster, cluster]',
  );
  const added = ['sidecar.istio.io/', '*.kubernetes.io/ip_pool', 'cluster'];
  t.strictSame(
    given.reservedPodKeys
      .filter(({ entry }) => added.includes(entry))
      .map(({ entry, protects }) => `${entry} ${protects}`),
    added.map((entry) => `${entry} identity`),
  );
  t.notOk(entriesOf(given).pods.includes('sidecar.istio.io/inject'), 'the built-in key below it is covered');
});

t.test('values are allowed by key', async (t) => {
  const given = settings(
    'reserved:',
    '  podKeys: [example.com/]',
    '  allowedValues:',
    '    - { key: traffic.sidecar.istio.io/excludeOutboundPorts, values: ["9411"] }',
    '    - { key: example.com/zone, values: [a] }',
    '    - { key: traffic.sidecar.istio.io/excludeOutboundPorts, values: ["9412"] }',
  );
  t.strictSame(
    given.allowedValues,
    new Map([
      ['traffic.sidecar.istio.io/excludeOutboundPorts', new Set(['9411', '9412'])],
      ['example.com/zone', new Set(['a'])],
    ]),
  );
  t.strictSame(settings('mesh: istio').allowedValues, new Map(), 'none by default');
});

t.test('the level of Pod Security is not known until the settings say it', async (t) => {
  t.equal(settings('mesh: istio').podSecurityDefault, undefined);
  t.equal(settings('podSecurity: { clusterDefault: privileged }').podSecurityDefault, 'privileged');
});

t.test('runtime classes are free until they are listed, and none when the list is empty', async (t) => {
  const runtimeClasses = (...spec: readonly string[]) => settings('pods:', ...spec).pods.runtimeClasses;
  t.equal(runtimeClasses('  sysctls: [net.core.somaxconn]'), undefined);
  t.strictSame(runtimeClasses('  runtimeClasses: []'), new Set());
  t.strictSame(runtimeClasses('  runtimeClasses: [gvisor, kata.example]'), new Set(['gvisor', 'kata.example']));
});

t.test('the drivers that volumes may name replace the built-in ones', async (t) => {
  const csiDrivers = (...spec: readonly string[]) => settings('pods:', ...spec).pods.csiDrivers;
  t.equal(csiDrivers('  sysctls: [net.core.somaxconn]'), defaultSettings.pods.csiDrivers);
  t.strictSame(csiDrivers('  csiDrivers: []'), []);
  t.strictSame(csiDrivers('  csiDrivers: [{ driver: example/cifs }, { driver: a.example, tenants: [acme] }]'), [
    { driver: 'example/cifs', tenants: undefined },
    { driver: 'a.example', tenants: new Set(['acme']) },
  ]);
});

t.test('shared services replace what is built in, and their namespaces are the platform’s', async (t) => {
  const given = settings(
    'sharedServices:',
    '  - name: web',
    '    direction: ingress',
    '    namespace: ingress-nginx',
    '    podSelector: { matchLabels: { app: nginx } }',
    '    ports: [{ port: 8080, endPort: 8089 }]',
    '  - name: web',
    '    direction: egress',
    '    namespace: ingress-nginx',
    '    podSelector: {}',
    '    ports: [{ port: 53 }]',
    '    addresses: [169.254.20.10/32]',
  );
  t.strictSame(given.sharedServices, [
    {
      name: 'web',
      direction: 'ingress',
      namespace: 'ingress-nginx',
      podSelector: { matchLabels: { app: 'nginx' } },
      ports: [{ protocol: 'TCP', first: 8080, last: 8089 }],
      addresses: [],
    },
    {
      name: 'web',
      direction: 'egress',
      namespace: 'ingress-nginx',
      podSelector: {},
      ports: [{ protocol: 'TCP', first: 53, last: 53 }],
      addresses: [{ family: 4, first: 0xa9fe140an, last: 0xa9fe140an }],
    },
  ]);
  t.ok(given.platform.namespaces.has('ingress-nginx'));
});

t.test('a shared service is for the tenants that it names or selects, and for all without a word', async (t) => {
  const proxy = (...lines: string[]) => {
    const service = [
      '- name: proxy',
      '  direction: egress',
      '  addresses: [203.0.113.7/32]',
      '  ports: [{ port: 3128 }]',
      ...lines,
    ];
    return settings('sharedServices:', ...service.map((line) => `  ${line}`)).sharedServices[0]?.tenants;
  };
  t.equal(proxy(), undefined);
  t.strictSame(proxy('  tenants: [acme, beta]'), { names: new Set(['acme', 'beta']) });
  const selected = proxy(
    '  tenantSelector:',
    '    matchLabels: { tier: gold }',
    '    matchExpressions: [{ key: env, operator: NotIn, values: [test] }]',
  );
  t.ok(selected !== undefined && 'labels' in selected);
  const [dns] = defaultSettings.sharedServices;
  if (dns === undefined || selected === undefined) throw new Error('there is no service');
  for (const [labels, isSelected] of [
    [{ tier: 'gold' }, true],
    [{ tier: 'gold', env: 'test' }, false],
    [{ tier: 'silver' }, false],
    [{}, false],
  ] as const) {
    const tenant = { ...undeclaredTenant('acme'), labels: new Map(Object.entries(labels)) };
    t.equal(serves({ ...dns, tenants: selected }, tenant), isSelected, JSON.stringify(labels));
  }
});

t.test('by default nobody is trusted who makes pods for others', async (t) => {
  t.strictSame(defaultSettings.platform.identities, [
    { kind: 'Group', name: 'system:masters' },
    { kind: 'ServiceAccount', namespace: 'bulkhead-system', name: 'bulkhead' },
  ]);
  t.strictSame(defaultSettings.platform.schedulers, [{ kind: 'User', name: 'system:kube-scheduler' }]);
});

t.test('which gates tenants agree on by themselves', async (t) => {
  t.match(settings('podSecurity: {}').gates, { from: 'platform', ports: [], between: undefined }, 'none by default');
  const { gates } = settings(
    'gates: { from: tenants, ports: [{ port: 444 }, { port: 80 }, { port: 440, endPort: 443 }], between: [{ tenants: [acme, beta] }] }',
  );
  t.match(gates, {
    from: 'tenants',
    ports: [
      { protocol: 'TCP', first: 80, last: 80 },
      { protocol: 'TCP', first: 440, last: 444 },
    ],
    between: [new Set(['acme', 'beta'])],
  });
  const wrong = (line: string) => problemLines(parseSettings(documentIn(text(line)))).join();
  t.match(
    wrong('gates: { from: tenants }'),
    /spec\.gates\.ports: lists no port, so no GateRequest could open anything/,
  );
  t.match(wrong('gates: { from: everybody }'), /spec\.gates\.from: "everybody" is not one of platform, tenants/);
  t.match(wrong('gates: { between: [{ tenants: [acme] }] }'), /spec\.gates\.between\[0\]\.tenants: /);
});
