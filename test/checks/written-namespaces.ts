/** What platforms write on namespaces, with the settings that docs/how-to/namespaces-that-others-write.md gives for each. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly object[];
}

/** One request about a namespace. */
export interface Written {
  readonly sentence: string;
  readonly by: string;
  readonly name: string;
  /** Of the namespace that is there; undefined: it is created. */
  readonly stored?: Metadata;
  readonly after: Metadata | 'deleted';
  /** The field that is refused; undefined: it is admitted. */
  readonly refused?: string;
  /** Whose a namespace that is created becomes; the platform's without. */
  readonly tenant?: string;
  /** Which provisioner a namespace that is created is marked with. */
  readonly mark?: string;
}

const page = 'docs/how-to/namespaces-that-others-write.md';

interface Block {
  readonly spec: {
    readonly platform: Readonly<
      Record<'prefixes' | 'provisioners' | 'namespaceWriters', readonly object[] | undefined>
    >;
  };
}

/** The blocks of the page, by the word behind `yaml`. */
export const blocks: ReadonlyMap<string, Block> = new Map(
  [...readFileSync(page, 'utf8').matchAll(/^```yaml (\w+)\n(.*?)^```$/gms)].map(([, word = '', text = '']) => [
    word,
    parse(text),
  ]),
);

/** Settings with what all blocks list. */
export function allBlocks(): object {
  const listed = (field: keyof Block['spec']['platform']) =>
    [...blocks.values()].flatMap(({ spec }) => spec.platform[field] ?? []);
  return {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Settings',
    spec: {
      platform: {
        identities: [{ kind: 'Group', name: 'platform-team' }],
        prefixes: listed('prefixes'),
        provisioners: [
          ...listed('provisioners'),
          {
            name: 'sandboxes',
            subjects: [{ kind: 'User', name: 'sandboxes' }],
            keys: ['sandbox.example.com/'],
            tenantFrom: { annotation: 'sandbox.example.org/for' },
            undecided: 'platform',
          },
        ],
        namespaceWriters: listed('namespaceWriters'),
      },
      network: {
        ipFamilies: ['IPv4'],
        podCIDRs: ['10.244.0.0/16'],
        serviceCIDRs: ['10.96.0.0/12'],
        nodeCIDRs: ['192.168.0.0/16'],
      },
    },
  };
}

const tenantOf = (name: string, ...users: readonly string[]) => ({
  apiVersion: 'bulkhead.dev/v1alpha1',
  kind: 'Tenant',
  metadata: { name },
  spec: {
    members: [...users.map((user) => ({ kind: 'User', name: user })), { kind: 'Group', name: `${name}-developers` }],
    namespaces: { prefix: `${name}-` },
  },
});

/** dora is a member of both; gus of acme by a group alone. */
export const tenants = [tenantOf('acme', 'alice', 'dora'), tenantOf('beta', 'bob', 'dora')];

const account = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`;
const ofAcme: Metadata = { labels: { 'bulkhead.dev/tenant': 'acme' } };
const ofBeta: Metadata = { labels: { 'bulkhead.dev/tenant': 'beta' } };

/** The stored metadata and more. */
function also({ labels, annotations, ...rest }: Metadata, more: Metadata): Metadata {
  return {
    ...rest,
    ...more,
    labels: { ...labels, ...more.labels },
    annotations: { ...annotations, ...more.annotations },
  };
}

interface Update {
  readonly sentence: string;
  readonly by: string;
  readonly name: string;
  readonly stored: Metadata;
  readonly more: Metadata;
  readonly refused?: string;
}
const update = ({ stored, more, ...rest }: Update): Written => ({ ...rest, stored, after: also(stored, more) });

const uidRanges = account('openshift-infra', 'namespace-security-allocation-controller');
const syncer = account('openshift-infra', 'podsecurity-admission-label-syncer-controller');
const olm = account('openshift-operator-lifecycle-manager', 'olm-operator-serviceaccount');
const projects = account('openshift-apiserver', 'openshift-apiserver-sa');
const rancher = account('cattle-system', 'rancher');
const calico = account('tigera-operator', 'tigera-operator');
const fleet = 'service-123456789012@gcp-sa-gkehub.iam.gserviceaccount.com';
const configSync = account('config-management-system', 'root-reconciler');
const profiles = account('kubeflow', 'profiles-controller-service-account');
const gitOps = account('argocd', 'argocd-application-controller');

const range = {
  'openshift.io/sa.scc.uid-range': '1000700000/10000',
  'openshift.io/sa.scc.supplemental-groups': '1000700000/10000',
  'openshift.io/sa.scc.mcs': 's0:c26,c25',
};
const requested = (user: string): Metadata => ({
  annotations: {
    'openshift.io/requester': user,
    'openshift.io/description': '',
    'openshift.io/display-name': '',
  },
});
export const ownerUid = '7c9f8e2a-1111-4222-8333-444455556666';
const owner = {
  apiVersion: 'v1',
  kind: 'Namespace',
  name: 'kube-public',
  uid: ownerUid,
};
const calicoSystem: Metadata = {
  labels: {
    name: 'calico-system',
    'pod-security.kubernetes.io/enforce': 'privileged',
    'pod-security.kubernetes.io/enforce-version': 'latest',
  },
};
const marked = (name: string, metadata: Metadata): Metadata =>
  also(metadata, { annotations: { 'bulkhead.dev/provisioner': name } });

export const written: readonly Written[] = [
  // OpenShift and OLM.
  update({ sentence: 'UID ranges', by: uidRanges, name: 'acme-uid', stored: ofAcme, more: { annotations: range } }),
  update({
    sentence: 'UID ranges of a namespace of the platform',
    by: uidRanges,
    name: 'tools',
    stored: {},
    more: { annotations: range },
  }),
  update({
    sentence: 'another key of OpenShift beside them',
    by: uidRanges,
    name: 'acme-uid-more',
    stored: ofAcme,
    more: { annotations: { ...range, 'openshift.io/node-selector': 'pool=theirs' } },
    refused: 'metadata.annotations[openshift.io/node-selector]',
  }),
  update({
    sentence: 'another key of OpenShift, on a namespace of the platform',
    by: uidRanges,
    name: 'tools-more',
    stored: {},
    more: { annotations: { 'openshift.io/sa.scc.uid-ranges': 'x' } },
    refused: 'metadata.annotations[openshift.io/sa.scc.uid-ranges]',
  }),
  {
    sentence: 'UID ranges that are taken away',
    by: uidRanges,
    name: 'acme-uid-less',
    stored: also(ofAcme, { annotations: range }),
    after: ofAcme,
  },
  {
    sentence: 'a key of others that a writer takes away',
    by: uidRanges,
    name: 'acme-less',
    stored: also(ofAcme, { annotations: { team: 'shop' } }),
    after: ofAcme,
    refused: 'metadata.annotations[team]',
  },
  update({
    sentence: 'the tenant label by a writer',
    by: uidRanges,
    name: 'acme-moved',
    stored: ofAcme,
    more: { ...ofBeta, annotations: range },
    refused: 'metadata.labels[bulkhead.dev/tenant]',
  }),
  update({
    sentence: 'a finalizer by a writer of keys',
    by: uidRanges,
    name: 'acme-held',
    stored: ofAcme,
    more: { annotations: range, finalizers: ['example.com/hold'] },
    refused: 'metadata.finalizers',
  }),
  {
    sentence: 'a namespace that a writer deletes',
    by: uidRanges,
    name: 'acme-gone',
    stored: ofAcme,
    after: 'deleted',
    refused: 'metadata.name',
  },
  {
    sentence: 'a namespace that a writer creates',
    by: uidRanges,
    name: 'acme-new',
    after: {},
    refused: 'metadata.labels[bulkhead.dev/tenant]',
  },
  update({
    sentence: 'Pod Security labels that OpenShift synchronizes',
    by: syncer,
    name: 'acme-psa',
    stored: ofAcme,
    more: {
      labels: { 'pod-security.kubernetes.io/warn': 'privileged', 'pod-security.kubernetes.io/audit': 'privileged' },
      annotations: { 'security.openshift.io/MinimallySufficientPodSecurityStandard': 'privileged' },
    },
  }),
  update({
    sentence: 'the enforced level, which is not listed',
    by: syncer,
    name: 'acme-psa-more',
    stored: ofAcme,
    more: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    refused: 'metadata.labels[pod-security.kubernetes.io/enforce]',
  }),
  update({
    sentence: 'an operator group',
    by: olm,
    name: 'acme-olm',
    stored: ofAcme,
    more: { labels: { 'olm.operatorgroup.uid/77aa': '' } },
  }),
  update({
    sentence: 'a key that begins as a domain without its slash',
    by: olm,
    name: 'acme-olm-trick',
    stored: ofAcme,
    more: { labels: { 'olm.operatorgroup.uid': '' } },
    refused: 'metadata.labels[olm.operatorgroup.uid]',
  }),
  update({
    sentence: 'a key of a domain that ends as theirs',
    by: olm,
    name: 'acme-olm-end',
    stored: ofAcme,
    more: { labels: { 'x.olm.operatorgroup.uid/77aa': '' } },
    refused: 'metadata.labels[x.olm.operatorgroup.uid/77aa]',
  }),
  {
    sentence: 'a project that alice asks for',
    by: projects,
    name: 'shop',
    after: requested('alice'),
    tenant: 'acme',
    mark: 'openshift-projects',
  },
  {
    sentence: 'a project of alice under the prefix of her tenant',
    by: projects,
    name: 'acme-shop',
    after: requested('alice'),
    tenant: 'acme',
    mark: 'openshift-projects',
  },
  {
    sentence: 'a project of dora, of two tenants, by the prefix',
    by: projects,
    name: 'beta-dora',
    after: requested('dora'),
    tenant: 'beta',
    mark: 'openshift-projects',
  },
  {
    sentence: 'a project of dora whose name says nothing',
    by: projects,
    name: 'doras',
    after: requested('dora'),
    refused: 'metadata.annotations[openshift.io/requester]',
  },
  {
    sentence: 'a project of bob under the prefix of another tenant',
    by: projects,
    name: 'acme-bob',
    after: requested('bob'),
    refused: 'metadata.name',
  },
  {
    sentence: 'a project of bob under a name of the platform',
    by: projects,
    name: 'calico-bob',
    after: requested('bob'),
    refused: 'metadata.name',
  },
  {
    sentence: 'a project of gus, known by a group alone',
    by: projects,
    name: 'gus',
    after: requested('gus'),
    refused: 'metadata.annotations[openshift.io/requester]',
  },
  {
    sentence: 'a project of nobody',
    by: projects,
    name: 'nobodys',
    after: {},
    refused: 'metadata.annotations[openshift.io/requester]',
  },
  {
    sentence: 'a project of nobody under the prefix of a tenant',
    by: projects,
    name: 'acme-nobodys',
    after: {},
    refused: 'metadata.annotations[openshift.io/requester]',
  },
  {
    sentence: 'a project whose label names another tenant',
    by: projects,
    name: 'labelled',
    after: also(requested('alice'), ofBeta),
    refused: 'metadata.labels[bulkhead.dev/tenant]',
  },
  {
    sentence: 'a project with an owner reference',
    by: projects,
    name: 'owned',
    after: also(requested('alice'), { ownerReferences: [owner] }),
    refused: 'metadata.ownerReferences',
  },
  {
    sentence: 'a project with the mark of another provisioner',
    by: projects,
    name: 'mismarked',
    after: marked('calico-operator', requested('alice')),
    refused: 'metadata.annotations[bulkhead.dev/provisioner]',
  },
  {
    sentence: 'a member that names a requester',
    by: 'alice',
    name: 'acme-fake',
    after: requested('bob'),
    refused: 'metadata.annotations[openshift.io/requester]',
  },
  {
    sentence: 'a member that writes the mark',
    by: 'alice',
    name: 'acme-marked',
    after: marked('openshift-projects', {}),
    refused: 'metadata.annotations[bulkhead.dev/provisioner]',
  },
  update({
    sentence: 'another description of its own project',
    by: projects,
    name: 'described',
    stored: marked('openshift-projects', also(ofAcme, requested('alice'))),
    more: { annotations: { 'openshift.io/description': 'The shop' } },
  }),
  update({
    sentence: 'another requester of its own project',
    by: projects,
    name: 'requested-again',
    stored: marked('openshift-projects', also(ofAcme, requested('alice'))),
    more: { annotations: { 'openshift.io/requester': 'bob' } },
    refused: 'metadata.annotations[openshift.io/requester]',
  }),
  update({
    sentence: 'another requester, by a member',
    by: 'alice',
    name: 'requested-by-member',
    stored: marked('openshift-projects', also(ofAcme, requested('alice'))),
    more: { annotations: { 'openshift.io/requester': 'bob' } },
    refused: 'metadata.annotations[openshift.io/requester]',
  }),
  update({
    sentence: 'a description of a namespace that it has not provisioned',
    by: projects,
    name: 'acme-not-theirs',
    stored: ofAcme,
    more: { annotations: { 'openshift.io/description': 'The shop' } },
    refused: 'metadata.annotations[openshift.io/description]',
  }),
  update({
    sentence: 'a description of what another provisioner has created',
    by: projects,
    name: 'acme-others',
    stored: marked('kubeflow-profiles', ofAcme),
    more: { annotations: { 'openshift.io/description': 'The shop' } },
    refused: 'metadata.annotations[openshift.io/description]',
  }),
  {
    sentence: 'a project that it deletes',
    by: projects,
    name: 'ended',
    stored: marked('openshift-projects', ofAcme),
    after: 'deleted',
  },
  {
    sentence: 'a namespace that it has not provisioned, and deletes',
    by: projects,
    name: 'acme-kept',
    stored: ofAcme,
    after: 'deleted',
    refused: 'metadata.name',
  },

  // Rancher.
  update({
    sentence: 'the project of Rancher, with its finalizer',
    by: rancher,
    name: 'acme-rancher',
    stored: ofAcme,
    more: {
      labels: { 'field.cattle.io/projectId': 'p-wfknh' },
      annotations: {
        'field.cattle.io/projectId': 'c-1:p-wfknh',
        'cattle.io/status': '{}',
        'lifecycle.cattle.io/create.namespace-auth': 'true',
      },
      finalizers: ['controller.cattle.io/namespace-auth'],
    },
  }),
  {
    sentence: "Rancher's finalizer, taken off",
    by: rancher,
    name: 'acme-rancher-off',
    stored: also(ofAcme, { finalizers: ['controller.cattle.io/namespace-auth'] }),
    after: ofAcme,
  },
  update({
    sentence: 'another finalizer by Rancher',
    by: rancher,
    name: 'acme-rancher-held',
    stored: ofAcme,
    more: { finalizers: ['controller.cattle.io/other'] },
    refused: 'metadata.finalizers',
  }),
  update({
    sentence: 'another field of Rancher',
    by: rancher,
    name: 'acme-rancher-field',
    stored: ofAcme,
    more: { annotations: { 'field.cattle.io/projectIds': 'c-1:p-wfknh' } },
    refused: 'metadata.annotations[field.cattle.io/projectIds]',
  }),

  // Calico.
  {
    sentence: 'the namespace of Calico, with its owner',
    by: calico,
    name: 'calico-system',
    after: { ...calicoSystem, ownerReferences: [owner] },
    mark: 'calico-operator',
  },
  {
    sentence: 'a namespace of Calico whose name is not reserved',
    by: calico,
    name: 'calicoctl',
    after: calicoSystem,
    refused: 'metadata.name',
  },
  update({
    sentence: 'a stricter level of its namespace',
    by: calico,
    name: 'calico-apiserver',
    stored: marked('calico-operator', calicoSystem),
    more: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' }, ownerReferences: [owner] },
  }),
  update({
    sentence: 'the level of a namespace that is not its own',
    by: calico,
    name: 'tigera-old',
    stored: calicoSystem,
    more: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    refused: 'metadata.labels[pod-security.kubernetes.io/enforce]',
  }),
  {
    sentence: 'its namespace, deleted',
    by: calico,
    name: 'calico-old',
    stored: marked('calico-operator', calicoSystem),
    after: 'deleted',
  },

  // GKE.
  {
    sentence: 'a fleet namespace under the prefix of a tenant',
    by: fleet,
    name: 'acme-fleet',
    after: { labels: { 'fleet.gke.io/fleet-scope': 'acme' } },
    tenant: 'acme',
    mark: 'gke-fleet',
  },
  {
    sentence: 'a fleet namespace of nobody',
    by: fleet,
    name: 'checkout',
    after: { labels: { 'fleet.gke.io/fleet-scope': 'acme' } },
    refused: 'metadata.name',
  },
  update({
    sentence: 'the marks of Config Sync',
    by: configSync,
    name: 'acme-synced',
    stored: ofAcme,
    more: { annotations: { 'configmanagement.gke.io/managed': 'enabled', 'configsync.gke.io/declared-fields': '{}' } },
  }),
  {
    sentence: 'a namespace that a GitOps tool creates',
    by: gitOps,
    name: 'acme-git',
    after: requested('alice'),
    refused: 'metadata.labels[bulkhead.dev/tenant]',
  },

  // Kubeflow.
  {
    sentence: 'the namespace of a profile',
    by: profiles,
    name: 'alices-profile',
    after: {
      labels: { 'istio-injection': 'enabled', 'app.kubernetes.io/part-of': 'kubeflow-profile' },
      annotations: { owner: 'alice' },
      ownerReferences: [{ ...owner, controller: true }],
    },
    tenant: 'acme',
    mark: 'kubeflow-profiles',
  },
  {
    sentence: 'a profile of a service account of a tenant',
    by: profiles,
    name: 'robot',
    after: { annotations: { owner: account('acme-web', 'deployer') } },
    tenant: 'acme',
    mark: 'kubeflow-profiles',
  },
  {
    sentence: 'a profile of an account that lives in no namespace',
    by: profiles,
    name: 'path',
    after: { annotations: { owner: account('../secrets', 'x') } },
    refused: 'metadata.annotations[owner]',
  },
  {
    sentence: 'a profile whose owner is the platform by name alone',
    by: profiles,
    name: 'masters',
    after: { annotations: { owner: 'system:masters' } },
    refused: 'metadata.annotations[owner]',
  },

  // To the platform, by setting.
  {
    sentence: 'a sandbox of nobody',
    by: 'sandboxes',
    name: 'sandbox-1',
    after: { annotations: { 'sandbox.example.org/for': 'carol' } },
    mark: 'sandboxes',
  },
  {
    sentence: 'a sandbox of alice',
    by: 'sandboxes',
    name: 'sandbox-2',
    after: { annotations: { 'sandbox.example.org/for': 'alice' } },
    tenant: 'acme',
    mark: 'sandboxes',
  },
  {
    sentence: 'a sandbox of nobody under the prefix of a tenant',
    by: 'sandboxes',
    name: 'beta-sandbox',
    after: {},
    refused: 'metadata.annotations[sandbox.example.org/for]',
  },
  {
    sentence: 'a sandbox of bob under a name of the platform',
    by: 'sandboxes',
    name: 'kube-sandbox',
    after: { annotations: { 'sandbox.example.org/for': 'bob' } },
    refused: 'metadata.name',
  },
];
