import t from 'tap';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { documentIn, problemLines } from './documents.ts';

const head = 'apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec: ';
const robot = '{ kind: ServiceAccount, namespace: tools, name: robot }';
const writer = (fields: string, more = '') =>
  documentIn(`${head}{ ${more}platform: { namespaceWriters: [{ subjects: [${robot}], ${fields} }] } }`);
const provisioners = (...lists: readonly string[]) =>
  documentIn(`${head}{ platform: { provisioners: [${lists.map((fields) => `{ ${fields} }`).join(', ')}] } }`);

/** Without place and path. */
function said(document: ReturnType<typeof documentIn>): readonly string[] {
  return problemLines(parseSettings(document)).map((line) => line.replace(/^t\.yaml:\d+:\d+: spec\.platform\./, ''));
}

const rows: readonly (readonly [sentence: string, document: ReturnType<typeof documentIn>, ...problems: string[]])[] = [
  ['whole keys and domains', writer('keys: [openshift.io/sa.scc.mcs, olm.operatorgroup.uid/, control-plane, name]')],
  ['a domain of keys that concern others', writer('keys: [pod-security.kubernetes.io/]')],
  [
    'a key of class identity that is listed whole',
    writer('keys: [field.cattle.io/projectId, network.openshift.io/policy-group]'),
  ],
  ['a writer may be a provisioner, too', provisioners(`name: a, subjects: [${robot}], keys: []`)],
  [
    'the keys of Bulkhead',
    writer('keys: [bulkhead.dev/, bulkhead.dev/tenant, bulkhead.dev/provisioner]'),
    'namespaceWriters[0].keys[0]: "bulkhead.dev/" covers bulkhead.dev/tenant, which says whose a namespace is or what it is called, and cannot be granted; name each key whole',
    'namespaceWriters[0].keys[1]: "bulkhead.dev/tenant" says whose a namespace is or what it is called, and cannot be granted; leave it out',
    'namespaceWriters[0].keys[2]: "bulkhead.dev/provisioner" says whose a namespace is or what it is called, and cannot be granted; leave it out',
  ],
  [
    'the tenant label under another domain, and the name',
    writer(
      'keys: [example.com/, example.com/tenant, kubernetes.io/, kubernetes.io/metadata.name]',
      'tenantLabel: example.com/tenant, ',
    ),
    'namespaceWriters[0].keys[0]: "example.com/" covers example.com/tenant, which says whose a namespace is or what it is called, and cannot be granted; name each key whole',
    'namespaceWriters[0].keys[1]: "example.com/tenant" says whose a namespace is or what it is called, and cannot be granted; leave it out',
    'namespaceWriters[0].keys[2]: "kubernetes.io/" covers kubernetes.io/metadata.name, which says whose a namespace is or what it is called, and cannot be granted; name each key whole',
    'namespaceWriters[0].keys[3]: "kubernetes.io/metadata.name" says whose a namespace is or what it is called, and cannot be granted; leave it out',
  ],
  [
    'domains that hold keys of class identity',
    writer('keys: [field.cattle.io/, acme.tree.hnc.x-k8s.io/]'),
    'namespaceWriters[0].keys[0]: "field.cattle.io/" covers keys of field.cattle.io/, and such a key moves the namespace into a project of Rancher, and so to other owners; name each key whole',
    'namespaceWriters[0].keys[1]: "acme.tree.hnc.x-k8s.io/" covers keys of *.tree.hnc.x-k8s.io/depth, and such a key makes the namespace a descendant of another, whose policies then select it; name each key whole',
  ],
  [
    'a domain that holds a key which the platform has reserved',
    writer('keys: [billing.example.com/]', 'reserved: { namespaceKeys: [billing.example.com/account] }, '),
    'namespaceWriters[0].keys[0]: "billing.example.com/" covers keys of billing.example.com/account, and such a key is one that the platform team has reserved; name each key whole',
  ],
  [
    'neither patterns nor beginnings that end elsewhere',
    writer('keys: ["*", "openshift.io/*", "istio.io/use-", "/"]'),
    ...['"*"', '"openshift.io/*"', '"istio.io/use-"', '"/"'].map(
      (key, index) =>
        `namespaceWriters[0].keys[${index}]: ${key} is not a label or annotation key, or a domain with a slash at its end`,
    ),
  ],
  [
    'a group of the API server is no account',
    documentIn(
      `${head}{ platform: { namespaceWriters: [{ subjects: [{ kind: Group, name: "system:serviceaccounts:acme-web" }], keys: [] }] } }`,
    ),
    'namespaceWriters[0].subjects[0].name: system:serviceaccounts:acme-web is a group that the API server puts accounts into by itself; list the account by its own name: kind ServiceAccount or User',
  ],
  [
    'a platform identity needs no grant',
    documentIn(
      `${head}{ platform: { identities: [${robot}], provisioners: [{ name: a, subjects: [${robot}], keys: [] }] } }`,
    ),
    'provisioners[0].subjects[0]: robot is a platform identity, which may write everything already; list it in one of the two',
  ],
  [
    'an account acts as one provisioner, and names differ',
    provisioners(`name: a, subjects: [${robot}], keys: []`, `name: a, subjects: [${robot}], keys: []`),
    'provisioners[1].name: a is the name of another provisioner; choose another name',
    'provisioners[1].subjects[0]: robot is provisioner a already, and can act as one alone; merge the two',
  ],
  [
    'the annotation of the requester is frozen, so it is no key of the list',
    provisioners(
      `name: a, subjects: [${robot}], keys: [openshift.io/requester, openshift.io/], tenantFrom: { annotation: openshift.io/requester }`,
    ),
    'provisioners[0].keys[0]: openshift.io/requester says for whom a provisioner has created the namespace, and is frozen once that exists; leave it out',
    'provisioners[0].keys[1]: openshift.io/requester says for whom a provisioner has created the namespace, and is frozen once that exists; name each key whole',
  ],
  [
    'a provisioner names the requester in an annotation of its own',
    provisioners(`name: a, subjects: [${robot}], keys: [], tenantFrom: { annotation: bulkhead.dev/tenant }`),
    'provisioners[0].tenantFrom.annotation: bulkhead.dev/tenant is written by Bulkhead or the API server, not by a provisioner; name the annotation in which the provisioner writes who asked for the namespace',
  ],
  [
    'yes and no are true and false',
    provisioners(`name: a, subjects: [${robot}], keys: [], ownerReferences: "yes", undecided: tenant`),
    'provisioners[0].ownerReferences: "yes" is not true or false',
    'provisioners[0].undecided: "tenant" is not one of refuse, platform',
  ],
];

t.test('what a list of writers and provisioners may say', async (t) => {
  for (const [sentence, document, ...problems] of rows) t.strictSame(said(document), problems, sentence);
});

t.test('the namespace of an account is the platform’s', async (t) => {
  for (const document of [writer('keys: [name]'), provisioners(`name: a, subjects: [${robot}], keys: []`)]) {
    const parsed = parseSettings(document);
    t.ok(parsed.ok && parsed.value.platform.namespaces.has('tools'));
  }
});

t.test('GitOps tools that name requesters are warned of', async (t) => {
  const warned = (account: string, fields = 'tenantFrom: { annotation: owner }') => {
    const document = provisioners(`name: a, subjects: [${robot}, ${account}], keys: [], ${fields}`);
    const parsed = parseSettings(document);
    if (!parsed.ok) throw new Error(problemLines(parsed).join('\n'));
    return parsed.warnings
      .filter(({ path }) => path.startsWith('spec.platform.'))
      .map(({ path, reason, fix }) => `${path}: ${reason}; ${fix}`);
  };
  const account = (name: string, namespace: string) =>
    `{ kind: ServiceAccount, namespace: ${namespace}, name: ${name} }`;
  const text = (name: string, tool: string) => [
    `spec.platform.provisioners[0].subjects[1]: ${name} is an account of ${tool}, which writes what a repository says: its authors choose owner, and so the tenant; leave it out here, and list it among the members of the tenant whose repository it applies`,
  ];
  for (const [name, namespace, tool] of [
    ['argocd-application-controller', 'argocd', 'Argo CD'],
    ['argocd-applicationset-controller', 'delivery', 'Argo CD'],
    ['argocd-server', 'argocd', 'Argo CD'],
    ['openshift-gitops-argocd-application-controller', 'openshift-gitops', 'Argo CD'],
    ['kustomize-controller', 'flux-system', 'Flux'],
    ['helm-controller', 'delivery', 'Flux'],
    ['flux-operator', 'flux-system', 'Flux'],
    ['root-reconciler', 'config-management-system', 'Config Sync'],
    ['root-reconciler-prod', 'config-management-system', 'Config Sync'],
    ['ns-reconciler-acme-web', 'config-management-system', 'Config Sync'],
  ] as const) {
    t.strictSame(warned(account(name, namespace)), text(name, tool), name);
    t.strictSame(warned(account(name, namespace), 'undecided: refuse'), [], `${name}, where the name decides`);
  }
  for (const [name, namespace] of [
    ['openshift-apiserver-sa', 'openshift-apiserver'],
    ['profiles-controller-service-account', 'kubeflow'],
    ['root-reconciler', 'tools'],
    ['root-reconcilers', 'config-management-system'],
    ['notargocd-server', 'portal'],
  ] as const)
    t.strictSame(warned(account(name, namespace)), [], name);
  t.strictSame(warned('{ kind: User, name: argocd-server }'), [], 'a user of that name');
});

t.test('an account is no member of a tenant, and its namespace no tenant’s', async (t) => {
  const tenant = documentIn(
    `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: acme }\nspec: { members: [{ kind: User, name: eve }, { kind: User, name: mallory }], namespaces: { prefix: tools- } }`,
  );
  const document = documentIn(
    `${head}{ platform: { namespaceWriters: [{ subjects: [{ kind: User, name: eve }], keys: [] }], provisioners: [{ name: a, subjects: [{ kind: User, name: mallory }, { kind: ServiceAccount, namespace: tools-ci, name: robot }], keys: [] }] } }`,
  );
  t.strictSame(
    problemLines(loadTenancy(document, [tenant], 0)).map((line) => line.replace(/^t\.yaml:\d+:\d+: /, '')),
    [
      'spec.members[0]: User eve is in platform.namespaceWriters, for namespaces of all tenants; list it here or in the settings, not in both',
      'spec.members[1]: User mallory is in platform.provisioners, which say whose a namespace is; list it here or in the settings, not in both',
      'spec.namespaces.prefix: tools- covers tools-ci, a namespace of the platform; choose a prefix that shares no names',
    ],
  );
});
