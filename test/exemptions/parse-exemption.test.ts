import t from 'tap';
import { parseExemption } from '../../src/exemptions/parse-exemption.ts';
import { noFiles } from '../../src/files/read-files.ts';
import { tenancyOf } from '../../src/files/read-tenancy.ts';
import { documentIn, problemLines, warningLines } from '../tenancy/documents.ts';

const fields = {
  tenant: 'acme',
  namespace: 'acme-web',
  checks: '[network-capabilities]',
  match: '{ names: [vpn-0] }',
  reason: 'needs a tunnel device',
  owner: 'network team',
  expires: '"2030-01-01T00:00:00Z"',
};

function exemption(changes: Readonly<Partial<Record<keyof typeof fields, string>>> = {}, name = 'vpn'): string {
  const spec = Object.entries({ ...fields, ...changes }).map(([field, value]) => `  ${field}: ${value}`);
  return `apiVersion: bulkhead.dev/v1alpha1\nkind: Exemption\nmetadata: { name: ${name} }\nspec:\n${spec.join('\n')}`;
}

const match = (text: string) => exemption({ match: text });
const checks = (text: string) => exemption({ checks: text });
const oneOf =
  'is not one of cross-tenant-ingress, cross-tenant-egress, ip-block, host-network, host-namespaces, host-path,';

const refused: readonly (readonly [sentence: string, text: string, problem: string | RegExp])[] = [
  ['it names its checks', checks('[]'), 'spec.checks: lists nothing; list at least one'],
  ['a check of identity cannot be exempted', checks('[foreign-namespace]'), `"foreign-namespace" ${oneOf}`],
  ['nor the labels of a tenant', checks('[pod-tenant-label]'), `"pod-tenant-label" ${oneOf}`],
  ['nor what Bulkhead puts in place', checks('[managed-policy]'), `"managed-policy" ${oneOf}`],
  ['nor all checks at once', checks('["*"]'), `"*" ${oneOf}`],
  ['nor a check that does not exist', checks('[host-pat]'), 'did you mean host-path?'],
  [
    'nor the kinds of the platform',
    match('{ kinds: [Tenant], names: [a] }'),
    '"Tenant" is not one of Pod, NetworkPolicy',
  ],
  ['nor itself', match('{ kinds: [Exemption], names: [a] }'), '"Exemption" is not one of Pod, NetworkPolicy'],
  ['nor a namespace', match('{ kinds: [Namespace], names: [a] }'), '"Namespace" is not one of Pod, NetworkPolicy'],
  [
    'a whole namespace cannot be exempted',
    match('{ kinds: [Pod] }'),
    'spec.match: matches every object of the namespace; give at least one of names, owner, serviceAccounts, images and requesters',
  ],
  ['an empty list matches nothing, and is told', match('{ names: [] }'), 'spec.match.names: lists nothing'],
  ['names are no patterns', match('{ names: ["vpn-*"] }'), '"vpn-*" is not a name of 1 to 253'],
  [
    'of another API group only with the account of its controller',
    match('{ owner: Widget.example.com/vpn }'),
    'spec.match.owner: is of the API group example.com, and every author of a pod can write such an owner; add requesters: the account of the controller that creates its pods',
  ],
  ['a Deployment of another group too', match('{ owner: Deployment.example.com/vpn }'), 'of the API group example.com'],
  [
    'a Deployment with its own group is that of Kubernetes',
    match('{ owner: Deployment.apps/vpn, requesters: [{ kind: User, name: ona }] }'),
    'spec.match.requesters: cannot match together with owner',
  ],
  ...['vpn/', 'r/vpn:', 'r/vpn@', 'r//vpn', 'vpn@sha256:', 'r/:1', 'r/vpn:1:2', 'r/-vpn'].map(
    (image) =>
      [
        `${image} matches nothing`,
        match(`{ images: [r.example/vpn, "${image}"] }`),
        /spec\.match\.images\[1\]: "[^"]*" is no image, so nothing matches it; write a whole image, such as /,
      ] as const,
  ),
  ['images are no patterns', match('{ images: ["registry.example.com/*"] }'), 'is not an image such as'],
  ['an owner is a kind and a name', match('{ owner: vpn }'), '"vpn" is not a workload such as Deployment/vpn'],
  [
    'of a kind that makes pods',
    match('{ owner: Deploymnt/vpn }'),
    '"Deploymnt" is no workload of Kubernetes that makes pods; did you mean Deployment?',
  ],
  [
    'which is no gift of Object.prototype',
    match('{ owner: Constructor/vpn }'),
    '"Constructor" is no workload of Kubernetes that makes pods',
  ],
  ['with the name of an object', match('{ owner: Deployment/vpn., images: [a] }'), 'is not a workload such as'],
  [
    'an owner and a requester never match together',
    match('{ owner: Deployment/vpn, requesters: [{ kind: User, name: ona }] }'),
    'spec.match.requesters: cannot match together with owner: the controller of the owner sends the request; keep one of the two',
  ],
  [
    'images belong to pods',
    match('{ kinds: [NetworkPolicy], images: [a] }'),
    'spec.match.images: says something about pods, and NetworkPolicy is none; add Pod to kinds',
  ],
  [
    'a requester is not everybody',
    match('{ requesters: [{ kind: Group, name: system:authenticated }] }'),
    'is everybody, not one group',
  ],
  ['nor a pattern', match('{ requesters: [{ kind: User, name: "on*" }] }'), 'looks like a pattern'],
  ['a reason is given', exemption({ reason: '""' }), '"" is not one line of 1 to 256 characters'],
  ['an owner is given', exemption({ owner: '" "' }), '" " is not one line of 1 to 256 characters'],
  ['it ends', exemption({ expires: 'never' }), '"never" is not a time as in RFC 3339'],
  ['at a moment', exemption({ expires: '"2030-02-30T00:00:00Z"' }), 'is a moment that no calendar has'],
];

for (const [sentence, text, problem] of refused)
  t.test(`refused: ${sentence}`, async (t) => {
    const lines = problemLines(parseExemption(documentIn(text))).join('\n');
    t.ok(typeof problem === 'string' ? lines.includes(problem) : problem.test(lines), lines);
  });

for (const field of ['tenant', 'namespace', 'checks', 'match', 'reason', 'owner', 'expires'])
  t.test(`refused: ${field} is required`, async (t) => {
    const text = exemption().replace(new RegExp(`\\n  ${field}: .*`), '');
    t.match(problemLines(parseExemption(documentIn(text))), [`spec.${field}: is missing`]);
  });

t.test('what it means', async (t) => {
  const loaded = parseExemption(documentIn(match('{ owner: Deployment/vpn, images: ["r.example:5000/vpn:1"] }')));
  t.match(loaded, { ok: true });
  if (!loaded.ok) return;
  const { value } = loaded;
  t.match(value, { name: 'vpn', tenant: 'acme', namespace: 'acme-web', expires: Date.parse('2030-01-01T00:00:00Z') });
  t.strictSame([...value.checks], ['network-capabilities']);
  t.strictSame(value.match.owner, { kind: 'Deployment', group: undefined, name: 'vpn' });
  t.strictSame(value.match.names, undefined);
});

t.test('owners with their groups, and images, as people write them', async (t) => {
  const operator = '[{ kind: ServiceAccount, namespace: acme-web, name: operator }]';
  for (const [owner, requesters, group] of [
    ['Deployment.apps/vpn', undefined, undefined],
    ['CronJob.batch/vpn', undefined, undefined],
    ['ReplicationController/vpn', undefined, undefined],
    ['Widget.example.com/vpn', operator, 'example.com'],
    ['Deployment.example.com/vpn', operator, 'example.com'],
  ] as const) {
    const others = requesters === undefined ? '' : `, requesters: ${requesters}`;
    const loaded = parseExemption(documentIn(match(`{ owner: ${owner}${others} }`)));
    t.ok(loaded.ok && loaded.value.match.owner?.group === group, owner);
  }
  const images = [
    'vpn',
    'vpn:1.4',
    'r.example:5000/a/b_c/vpn-2:v1_2@sha256:ab12',
    'r.example:5000',
    'r/a__b',
    'vpn@sha256:ab',
  ];
  t.ok(parseExemption(documentIn(match(`{ images: ${JSON.stringify(images)} }`))).ok);
});

const tenant = 'apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: acme }\nspec: {}';
const now = Date.parse('2029-06-01T00:00:00Z');
const load = (...texts: readonly string[]) => {
  const tenants = { files: [{ path: 't.yaml', text: texts.join('\n---\n') }], problems: [] };
  return tenancyOf({ tenants, config: noFiles }, { tenants: 't.yaml', config: undefined }, now);
};

t.test('beside tenants in files', async (t) => {
  const loaded = load(tenant, exemption());
  t.ok(loaded.ok && loaded.value.exemptions.get('acme-web')?.[0]?.name === 'vpn', 'it is found by its namespace');
  t.notOk(load(tenant, exemption({ checks: '[foreign-namespace]' })).ok, 'one that cannot be read stops the load');
  t.match(problemLines(load(tenant, exemption(), exemption())), [
    'exemption vpn is declared already; keep one of the two',
  ]);
});

const doubts: readonly (readonly [sentence: string, text: string, warning: string])[] = [
  [
    'its tenant is not declared',
    exemption({ tenant: 'acne' }),
    'spec.tenant: acne is not a declared tenant; did you mean acme?',
  ],
  [
    'its namespace is the platform’s',
    exemption({ namespace: 'kube-system' }),
    'spec.namespace: kube-system is a namespace of the platform; name a namespace of tenant acme',
  ],
  [
    'it has expired',
    exemption({ expires: '"2029-06-01T00:00:00Z"' }),
    'spec.expires: has passed, so nothing is exempted; remove the exemption, or set a later time',
  ],
  [
    'it ends within a week',
    exemption({ expires: '"2029-06-08T00:00:00Z"' }),
    'spec.expires: is within a week; from then on what it exempts is rejected; set a later time, or change the workload',
  ],
];
for (const [sentence, text, warning] of doubts)
  t.test(`warned about: ${sentence}`, async (t) => {
    const lines = warningLines(load(tenant, text)).filter((line) => line.includes('t.yaml'));
    t.equal(lines.length, 1);
    t.ok(lines[0]?.endsWith(warning), lines.join());
  });
t.strictSame(
  warningLines(load(tenant, exemption())).filter((line) => line.includes('t.yaml')),
  [],
  'otherwise nothing is said',
);
