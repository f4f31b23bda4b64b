import t from 'tap';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import { documentIn, problemLines } from './documents.ts';

/** What stands under spec, from line 5 on, each line two columns in. */
function tenant(...spec: readonly string[]): string {
  return [
    'apiVersion: bulkhead.dev/v1alpha1',
    'kind: Tenant',
    'metadata: { name: acme }',
    'spec:',
    ...spec.map((line) => `  ${line}`),
  ].join('\n');
}

const members = (...lines: readonly string[]) => tenant('members:', ...lines.map((line) => `  - ${line}`));
const hard = (...lines: readonly string[]) =>
  tenant('namespaces:', '  resourceQuota:', '    hard:', ...lines.map((line) => `      ${line}`));
const gates = (...lines: readonly string[]) => tenant('network:', '  gates:', ...lines.map((line) => `    - ${line}`));
const egress = (text: string) => tenant('network:', `  egressCIDRs: [${text}]`);

const refused: readonly (readonly [sentence: string, text: string, ...problems: string[]])[] = [
  ['text is no document', 'hello', 't.yaml:1:1: "hello" is not a document with apiVersion, kind and spec'],
  ['a list is no document', '- a', 't.yaml:1:1: a list is not a document with apiVersion, kind and spec'],
  [
    'a document of another kind is told only that',
    'apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nwhatever: 1',
    't.yaml:2:7: kind: is "Settings" where Tenant is needed; write kind: Tenant',
  ],
  [
    'another version is not read as this one',
    'apiVersion: bulkhead.dev/v2\nkind: Tenant',
    't.yaml:1:13: apiVersion: is "bulkhead.dev/v2" where bulkhead.dev/v1alpha1 is needed; write apiVersion: bulkhead.dev/v1alpha1',
  ],
  [
    'a slip in the first line is recognised',
    'apiVerion: bulkhead.dev/v1alpha1\nkind: Tenant',
    't.yaml:1:1: apiVersion: is missing; is "apiVerion" a slip of the pen?',
  ],
  [
    'metadata and spec are needed',
    'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nspecs: {}',
    't.yaml:1:1: metadata: is missing',
    't.yaml:1:1: spec: is missing; is "specs" a slip of the pen?',
    't.yaml:3:1: specs: is not a known field; did you mean spec?',
  ],
  [
    'a name is a label',
    'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata:\n  name: Acme\nspec: {}',
    't.yaml:4:9: metadata.name: "Acme" is not a name of 1 to 63 lower-case letters, digits and inner hyphens; write acme',
  ],
  [
    'a name that is too long is one problem',
    `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata:\n  name: ${'A'.repeat(64)}\nspec: {}`,
    `t.yaml:4:9: metadata.name: "${'A'.repeat(60)}..." is not a name of 1 to 63 lower-case letters, digits and inner hyphens`,
  ],
  [
    'no tenant is called platform',
    'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: platform }\nspec: {}',
    't.yaml:3:19: metadata.name: platform means the team that runs the cluster, also in logs and metrics; choose another name',
  ],
  [
    'an unknown field names the near one',
    tenant('modus: warn', 'netwrok: {}'),
    't.yaml:5:3: spec.modus: is not a known field; the fields here are mode, isolation, members, namespaces, network',
    't.yaml:6:3: spec.netwrok: is not a known field; did you mean network?',
  ],
  [
    'a list has an end',
    members(...Array.from({ length: 129 }, (_, index) => `{ kind: User, name: user-${index} }`)),
    't.yaml:5:3: spec.members: holds more than 128; keep fewer',
  ],
  [
    'so has a map',
    hard(...Array.from({ length: 65 }, (_, index) => `count/things-${index}.example.org: 1`)),
    't.yaml:7:7: spec.namespaces.resourceQuota.hard: holds more than 64; keep fewer',
  ],
  [
    'fields that every object has by birth are unknown too',
    tenant('constructor: 1', '__proto__: { mode: warn }'),
    't.yaml:5:3: spec.constructor: is not a known field; the fields here are mode, isolation, members, namespaces, network',
    't.yaml:6:3: spec["__proto__"]: is not a known field; the fields here are mode, isolation, members, namespaces, network',
  ],
  [
    'an empty field says so',
    tenant('members:'),
    't.yaml:5:3: spec.members: is empty; give a list, or leave the field out',
  ],
  [
    'a word of a closed list is spelt as it is',
    tenant('mode: Enforced', 'isolation: firm'),
    't.yaml:5:9: spec.mode: "Enforced" is not one of enforce, warn, audit; did you mean enforce?',
    't.yaml:6:14: spec.isolation: "firm" is not one of hard, soft',
  ],
  [
    'one thing is not a list of one',
    tenant('network:', '  egressCIDRs: 203.0.113.0/24'),
    't.yaml:6:18: spec.network.egressCIDRs: "203.0.113.0/24" is not a list; write ["203.0.113.0/24"]',
  ],
  [
    'whoever keeps to names needs some',
    tenant('namespaces:', '  names: []', '  enforcePrefix: true'),
    't.yaml:7:20: spec.namespaces.enforcePrefix: lets members create no namespace, as no prefix and no name is reserved for the tenant; list prefixes or names, or write limit: 0 instead',
  ],
  [
    'so does each of several; a whole name has none',
    tenant('namespaces:', '  prefixes: [ac-, acme]', '  names: [acme-, "*", payments]'),
    't.yaml:6:21: spec.namespaces.prefixes[1]: "acme" is not a beginning of names: at most 62 lower-case letters, digits and hyphens, with a hyphen at its end; write acme-',
    't.yaml:7:13: spec.namespaces.names[0]: "acme-" is not a name of 1 to 63 lower-case letters, digits and inner hyphens',
    't.yaml:7:20: spec.namespaces.names[1]: "*" is not a name of 1 to 63 lower-case letters, digits and inner hyphens',
  ],
  [
    'a prefix ends in a hyphen',
    tenant('namespaces:', '  prefix: acme'),
    't.yaml:6:13: spec.namespaces.prefix: "acme" is not a beginning of names: at most 62 lower-case letters, digits and hyphens, with a hyphen at its end; write acme-',
  ],
  [
    'a limit is a whole number from 0 upwards',
    tenant('namespaces:', '  limit: -1'),
    't.yaml:6:12: spec.namespaces.limit: -1 is not a number from 0 upwards',
  ],
  [
    'a number in quotes is text',
    tenant('namespaces:', '  limit: "20"'),
    't.yaml:6:12: spec.namespaces.limit: "20" is not a whole number; write 20 without quotes',
  ],
  [
    'no number, and no infinity, is a limit',
    tenant('namespaces:', '  limit: .inf'),
    't.yaml:6:12: spec.namespaces.limit: Infinity is not a whole number',
  ],
  [
    'a member has a kind and a name',
    members('{ name: alice }', '{ kind: group, name: developers }'),
    't.yaml:6:7: spec.members[0].kind: is missing; write kind: User or Group or ServiceAccount',
    't.yaml:7:15: spec.members[1].kind: "group" is not one of User, Group, ServiceAccount; did you mean Group?',
  ],
  [
    'a member has a name that is not empty',
    members('{ kind: User, name: "" }'),
    't.yaml:6:27: spec.members[0].name: "" is not a name of 1 to 256 characters',
  ],
  [
    'a number is no name',
    members('{ kind: User, name: 1234 }'),
    't.yaml:6:27: spec.members[0].name: 1234 is not text; write "1234" in quotes',
  ],
  [
    'a service account is known by its namespace too (ADM-18, CVE-2023-46254)',
    members('{ kind: ServiceAccount, name: deployer }'),
    't.yaml:6:7: spec.members[0].namespace: is missing; a ServiceAccount is known by its namespace and its name',
  ],
  [
    'a service account has names that can exist',
    members(
      '{ kind: ServiceAccount, name: "a:b", namespace: x }',
      '{ kind: ServiceAccount, name: a, namespace: "x:y" }',
    ),
    't.yaml:6:37: spec.members[0].name: "a:b" is not the name of a ServiceAccount',
    't.yaml:7:51: spec.members[1].namespace: "x:y" is not the name of a namespace',
  ],
  [
    'a group lives in no namespace',
    members('{ kind: Group, name: developers, namespace: acme-web }'),
    't.yaml:6:40: spec.members[0].namespace: a Group lives in no namespace; leave it out',
  ],
  [
    'a service account is written as one',
    members(
      '{ kind: User, name: "system:serviceaccount:argocd:deployer" }',
      '{ kind: User, name: "system:serviceaccount:" }',
    ),
    't.yaml:6:27: spec.members[0].name: "system:serviceaccount:argocd:deployer" is a service account; write kind: ServiceAccount, namespace: argocd, name: deployer',
    't.yaml:7:27: spec.members[1].name: "system:serviceaccount:" is a service account; write kind: ServiceAccount, namespace: NAMESPACE, name: NAME',
  ],
  ...['system:authenticated', 'system:unauthenticated', 'system:serviceaccounts'].map(
    (name) =>
      [
        `${name} is everybody`,
        members(`{ kind: Group, name: "${name}" }`),
        `t.yaml:6:28: spec.members[0].name: ${name} is everybody, not one group; list those who are meant`,
      ] as const,
  ),
  [
    'the anonymous user is everybody',
    members('{ kind: User, name: "system:anonymous" }'),
    't.yaml:6:27: spec.members[0].name: system:anonymous is everybody, not one user; list those who are meant',
  ],
  [
    'parts of Kubernetes work for every tenant',
    members('{ kind: Group, name: "system:nodes" }', '{ kind: User, name: "system:kube-scheduler" }'),
    't.yaml:6:28: spec.members[0].name: system:nodes is part of Kubernetes itself and works for every tenant; list those who are meant',
    't.yaml:7:27: spec.members[1].name: system:kube-scheduler is part of Kubernetes itself and works for every tenant; list those who are meant',
  ],
  [
    'a pattern matches nobody',
    members('{ kind: User, name: "*" }', '{ kind: Group, name: "acme-*" }'),
    't.yaml:6:27: spec.members[0].name: "*" looks like a pattern, and names are compared exactly; list each name, or a group',
    't.yaml:7:28: spec.members[1].name: "acme-*" looks like a pattern, and names are compared exactly; list each name, or a group',
  ],
  [
    'blanks around a name are a slip',
    members('{ kind: User, name: "alice " }', '{ kind: User, name: "a\\u001Bb" }'),
    't.yaml:6:27: spec.members[0].name: "alice " begins or ends with white space, or holds control characters; names are compared exactly',
    't.yaml:7:27: spec.members[1].name: "a\\u001bb" begins or ends with white space, or holds control characters; names are compared exactly',
  ],
  [
    'a quota limits resources by quantities',
    hard('request.cpu: 4', 'pods: many', 'memory: 4GB', 'count/jobs.batch: "-1"', 'bananas: 3'),
    't.yaml:8:9: spec.namespaces.resourceQuota.hard["request.cpu"]: is not a resource that a quota can limit; did you mean requests.cpu?',
    't.yaml:9:15: spec.namespaces.resourceQuota.hard.pods: "many" is not a quantity; write one such as 500m, 40 or 64Gi',
    't.yaml:10:17: spec.namespaces.resourceQuota.hard.memory: "4GB" is not a quantity; write one such as 500m, 40 or 64Gi',
    't.yaml:11:27: spec.namespaces.resourceQuota.hard["count/jobs.batch"]: -1 is below zero',
    't.yaml:12:9: spec.namespaces.resourceQuota.hard.bananas: is not a resource that a quota can limit; write a resource such as requests.cpu, pods or count/jobs.batch',
  ],
  [
    'defaults of containers are amounts that fit together, of what a LimitRange can set',
    tenant(
      'namespaces:',
      '  containerDefaults:',
      '    requests: { cpu: 2, pods: 1, memory: lots }',
      '    limits: { cpu: 1500m }',
    ),
    't.yaml:7:24: spec.namespaces.containerDefaults.requests.cpu: 2 is above the limit of 1500m; lower it, or raise the limit',
    't.yaml:7:27: spec.namespaces.containerDefaults.requests.pods: is not a resource with a default here; use cpu, memory, ephemeral-storage',
    't.yaml:7:44: spec.namespaces.containerDefaults.requests.memory: "lots" is not a quantity; write one such as 500m, 40 or 64Gi',
  ],
  [
    'a quantity is text or a whole number, as everywhere in Kubernetes',
    hard('cpu: 0.5', 'pods: true'),
    't.yaml:8:14: spec.namespaces.resourceQuota.hard.cpu: 0.5 is not text or a whole number; write "0.5" in quotes',
    't.yaml:9:15: spec.namespaces.resourceQuota.hard.pods: true is not text or a whole number; write "true" in quotes',
  ],
  [
    'a quota without limits is none',
    tenant('namespaces:', '  resourceQuota: {}'),
    't.yaml:6:5: spec.namespaces.resourceQuota.hard: is missing',
  ],
  [
    'ranges are canonical, and the canonical one is named',
    egress('203.0.113.7/24, 10.0.0.010/32, 2001:DB8::/32, 203.0.113.9'),
    't.yaml:6:19: spec.network.egressCIDRs[0]: "203.0.113.7/24" has bits set after its prefix, so readers disagree on whether it is an address or a range; write 203.0.113.0/24',
    't.yaml:6:35: spec.network.egressCIDRs[1]: "10.0.0.010/32" has leading zeros, which some programs read as octal; write 10.0.0.10/32',
    't.yaml:6:50: spec.network.egressCIDRs[2]: "2001:DB8::/32" is not in the canonical form of RFC 5952; write 2001:db8::/32',
    't.yaml:6:65: spec.network.egressCIDRs[3]: "203.0.113.9" has no prefix length; write 203.0.113.9/32',
  ],
  [
    'what is no range at all gets no guess',
    egress('example.com'),
    't.yaml:6:19: spec.network.egressCIDRs[0]: "example.com" is not an IP range such as 203.0.113.0/24 or 2001:db8::/32',
  ],
  [
    'labels are texts',
    tenant('mode: warn').replace('{ name: acme }', '{ name: acme, labels: { tier: 1 } }'),
    't.yaml:3:41: metadata.labels.tier: 1 is not text; write it in quotes',
  ],
  [
    'an exception lies in its range',
    tenant('network:', '  egress: [{ cidr: 203.0.113.0/24, except: [198.51.100.0/24] }]'),
    't.yaml:6:47: spec.network.egress[0].except[0]: lies outside 203.0.113.0/24; remove it, or correct it',
  ],
  [
    'internet is spelt as it is',
    tenant('network:', '  egress: [{ cidr: Internet }]'),
    't.yaml:6:22: spec.network.egress[0].cidr: "Internet" is not spelt as it is; write internet',
  ],
  [
    'vouched is one address, on ports by number, with a reason',
    tenant(
      'network:',
      '  vouched:',
      '    - { cidr: 10.0.0.0/31, ports: [{ port: 1, endPort: 65535 }], direction: egress, reason: it }',
    ),
    't.yaml:7:17: spec.network.vouched[0].cidr: has more than one address; write one entry for each address, such as 10.0.0.7/32',
    't.yaml:7:38: spec.network.vouched[0].ports[0]: is every port of the protocol; list the ports by number',
  ],
  [
    'vouched without ports, direction and reason',
    tenant('network:', '  vouched: [{ cidr: 10.0.0.7/32 }]'),
    't.yaml:6:15: spec.network.vouched[0].ports: is missing',
    't.yaml:6:15: spec.network.vouched[0].direction: is missing; write direction: ingress or egress',
    't.yaml:6:15: spec.network.vouched[0].reason: is missing; give a text of 1 to 512 characters',
  ],
  [
    'a gate leads somewhere else',
    gates('{ tenant: acme, direction: egress }'),
    't.yaml:7:19: spec.network.gates[0].tenant: leads to the tenant itself; what is open inside the tenant is network.within',
  ],
  [
    'a gate has a direction',
    gates('{ tenant: beta }', '{ tenant: beta, direction: outgoing }'),
    't.yaml:7:9: spec.network.gates[0].direction: is missing; write direction: ingress or egress',
    't.yaml:8:36: spec.network.gates[1].direction: "outgoing" is not one of ingress, egress',
  ],
  [
    'a gate is declared once, however its ports are written',
    gates(
      '{ tenant: beta, direction: egress, ports: [{ port: 80 }, { port: 53, protocol: UDP }] }',
      '{ tenant: beta, direction: egress, ports: [{ port: 53, protocol: UDP }, { port: 80, protocol: TCP }] }',
    ),
    't.yaml:8:9: spec.network.gates[1]: opens what spec.network.gates[0] opens; keep one of them',
  ],
  [
    'ports are numbers in order',
    gates(
      '{ tenant: beta, direction: egress, ports: [{ port: 90, endPort: 80 }] }',
      '{ tenant: beta, direction: ingress, ports: [{ endPort: 80 }] }',
    ),
    't.yaml:7:73: spec.network.gates[0].ports[0].endPort: 80 is not the end of a range that begins at 90; write a number from 90 to 65535, or remove endPort',
    't.yaml:8:64: spec.network.gates[1].ports[0].endPort: endPort is the end of a range and needs a numeric port as its beginning; give port as a number, or remove endPort',
  ],
  [
    'a port by name means another number in every pod',
    gates(
      '{ tenant: beta, direction: egress, ports: [{ port: http }, { port: "80" }, { port: 65536, protocol: ICMP }] }',
    ),
    't.yaml:7:60: spec.network.gates[0].ports[0].port: "http" is not a whole number',
    't.yaml:7:76: spec.network.gates[0].ports[1].port: "80" is not a whole number; write 80 without quotes',
    't.yaml:7:92: spec.network.gates[0].ports[2].port: 65536 is not a number from 1 to 65535',
    't.yaml:7:109: spec.network.gates[0].ports[2].protocol: "ICMP" is not one of TCP, UDP, SCTP',
  ],
  ...[
    ['soon', ''],
    ['2027-01-31', '; write "2027-01-31T00:00:00Z"'],
    ['2027-01-31T00:00:00', ''],
    ['2027-01-31 00:00:00Z', ''],
    ['2027-01-31t00:00:00z', ''],
    ['2027-13-01T00:00:00Z', ''],
    ['2027-01-31T00:00:00+25:00', ''],
  ].map(
    ([time, fix]) =>
      [
        `${time} is no time`,
        gates(`{ tenant: beta, direction: egress, expires: "${time}" }`),
        `t.yaml:7:53: spec.network.gates[0].expires: "${time}" is not a time as in RFC 3339, such as 2027-01-31T00:00:00Z${fix}`,
      ] as const,
  ),
  ...['2027-02-29T00:00:00Z', '2027-04-31T12:00:00+02:00', '2027-01-31T24:00:00Z'].map(
    (time) =>
      [
        `${time} never comes`,
        gates(`{ tenant: beta, direction: egress, expires: "${time}" }`),
        `t.yaml:7:53: spec.network.gates[0].expires: "${time}" is a moment that no calendar has`,
      ] as const,
  ),
];

for (const [sentence, text, ...problems] of refused) {
  t.test(sentence, async (t) => {
    t.strictSame(problemLines(parseTenant(documentIn(text))), problems);
  });
}

t.test('what is left out has a meaning', async (t) => {
  t.strictSame(parseTenant(documentIn(tenant().replace(/spec:$/, 'spec: {}'))), {
    ok: true,
    warnings: [],
    value: {
      name: 'acme',
      labels: new Map(),
      mode: 'enforce',
      isolation: 'hard',
      members: [],
      reserved: new Map(),
      limit: undefined,
      resourceQuota: undefined,
      network: { within: 'tenant', egressRanges: [], egress: [], vouched: [], names: [], gates: [] },
    },
  });
});

t.test('everything that can be said is read', async (t) => {
  const text = tenant(
    'mode: audit',
    'isolation: soft',
    'members:',
    '  - { kind: User, name: alice@example.com }',
    '  - { kind: Group, name: "system:serviceaccounts:acme-ci" }',
    '  - { kind: ServiceAccount, namespace: argocd, name: acme.deployer }',
    'namespaces:',
    '  prefix: acme-',
    '  prefixes: [ac-]',
    '  names: [payments]',
    '  enforcePrefix: true',
    '  limit: 0',
    '  resourceQuota: { hard: { requests.cpu: 1500m, pods: 500, count/jobs.batch: "20", gold.storageclass.storage.k8s.io/requests.storage: 1Ti, hugepages-2Mi: 0 } }',
    'network:',
    '  within: none',
    '  egressCIDRs: [203.0.113.0/24, "2001:db8::/32"]',
    '  egress:',
    '    - { cidr: internet, except: [192.0.2.0/24], ports: [{ port: 443 }], reason: web hooks }',
    '    - { cidr: 198.51.100.0/24 }',
    '  vouched:',
    '    - { cidr: 10.96.0.1/32, ports: [{ port: 443 }], direction: egress, reason: the API server, expires: "2027-01-31T00:00:00Z" }',
    '    - { cidr: 10.244.9.9/32, ports: [{ port: 5432 }], direction: ingress, reason: a database, notAssignedToPods: true }',
    '  names: [API.partner.example., "*.cdn.example", "**.a.example"]',
    '  gates:',
    '    - { tenant: beta, direction: egress, ports: [{ port: 5432 }, { protocol: UDP }, { port: 30000, endPort: 30100 }], expires: "2027-01-31T01:00:00.5+01:00" }',
    '    - { tenant: beta, direction: ingress, ports: [] }',
  );
  t.strictSame(parseTenant(documentIn(text)), {
    ok: true,
    warnings: [],
    value: {
      name: 'acme',
      labels: new Map(),
      mode: 'audit',
      isolation: 'soft',
      members: [
        { kind: 'User', name: 'alice@example.com' },
        { kind: 'Group', name: 'system:serviceaccounts:acme-ci' },
        { kind: 'ServiceAccount', namespace: 'argocd', name: 'acme.deployer' },
      ],
      reserved: new Map([
        ['acme-', ['spec', 'namespaces', 'prefix']],
        ['ac-', ['spec', 'namespaces', 'prefixes', 0]],
        ['payments', ['spec', 'namespaces', 'names', 0]],
      ]),
      enforcePrefix: true,
      limit: 0,
      resourceQuota: {
        hard: {
          'requests.cpu': '1500m',
          pods: '500',
          'count/jobs.batch': '20',
          'gold.storageclass.storage.k8s.io/requests.storage': '1Ti',
          'hugepages-2Mi': '0',
        },
      },
      network: {
        within: 'none',
        egressRanges: [
          { family: 4, first: 0xcb007100n, last: 0xcb0071ffn },
          { family: 6, first: 0x20010db8n << 96n, last: (0x20010db9n << 96n) - 1n },
        ],
        egress: [
          {
            cidr: 'internet',
            except: [{ family: 4, first: 0xc0000200n, last: 0xc00002ffn }],
            ports: [{ protocol: 'TCP', first: 443, last: 443 }],
          },
          { cidr: { family: 4, first: 0xc6336400n, last: 0xc63364ffn }, except: [], ports: [] },
        ],
        vouched: [
          {
            address: { family: 4, first: 0x0a600001n, last: 0x0a600001n },
            ports: [{ protocol: 'TCP', first: 443, last: 443 }],
            direction: 'egress',
            expires: Date.UTC(2027, 0, 31),
            notAssignedToPods: false,
          },
          {
            address: { family: 4, first: 0x0af40909n, last: 0x0af40909n },
            ports: [{ protocol: 'TCP', first: 5432, last: 5432 }],
            direction: 'ingress',
            expires: undefined,
            notAssignedToPods: true,
          },
        ],
        names: [
          { text: 'api.partner.example', labels: ['api', 'partner', 'example'], deep: false },
          { text: '*.cdn.example', labels: ['*', 'cdn', 'example'], deep: false },
          { text: '**.a.example', labels: ['a', 'example'], deep: true },
        ],
        gates: [
          {
            tenant: 'beta',
            direction: 'egress',
            ports: [
              { protocol: 'TCP', first: 5432, last: 5432 },
              { protocol: 'UDP', first: 1, last: 65535 },
              { protocol: 'TCP', first: 30000, last: 30100 },
            ],
            expires: Date.UTC(2027, 0, 31) + 500,
          },
          { tenant: 'beta', direction: 'ingress', ports: [], expires: undefined },
        ],
      },
    },
  });
});

t.test('an object from the API server brings metadata of its own', async (t) => {
  const value = {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name: 'acme', uid: 'u', resourceVersion: '1', managedFields: [{}] },
    spec: {},
  };
  const parsed = parseTenant({ value, locate: () => ({ file: 'tenant acme', line: 0, column: 0 }) });
  t.ok(parsed.ok);
  const wrong = parseTenant({
    value: { ...value, spec: { mode: 1 } },
    locate: () => ({ file: 'tenant acme', line: 0, column: 0 }),
  });
  t.strictSame(problemLines(wrong), ['tenant acme: spec.mode: 1 is not text; write "1" in quotes']);
});
