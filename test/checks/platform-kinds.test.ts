/** Kinds that are the platform's by name: nobody else writes one, in whichever scope it comes, and the settings cannot give it to a tenant. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { bytesOf, farDeadline, responseOf, uid } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';
import { documentIn, problemLines } from '../tenancy/documents.ts';

const ofCalico = [
  ['GlobalNetworkPolicy', 'globalnetworkpolicies'],
  ['GlobalNetworkSet', 'globalnetworksets'],
  ['StagedGlobalNetworkPolicy', 'stagedglobalnetworkpolicies'],
  ['Tier', 'tiers'],
  ['HostEndpoint', 'hostendpoints'],
  ['Profile', 'profiles'],
  ['IPPool', 'ippools'],
  ['FelixConfiguration', 'felixconfigurations'],
] as const;

const platformOnly: readonly (readonly [group: string, version: string, kind: string, plural: string])[] = [
  ['cilium.io', 'v2', 'CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies'],
  ['cilium.io', 'v2', 'CiliumCIDRGroup', 'ciliumcidrgroups'],
  ['cilium.io', 'v2', 'CiliumEgressGatewayPolicy', 'ciliumegressgatewaypolicies'],
  ['cilium.io', 'v2', 'CiliumClusterwideEnvoyConfig', 'ciliumclusterwideenvoyconfigs'],
  ['cilium.io', 'v2', 'CiliumNodeConfig', 'ciliumnodeconfigs'],
  ...ofCalico.map(([kind, plural]) => ['projectcalico.org', 'v3', kind, plural] as const),
  ...ofCalico.map(([kind, plural]) => ['crd.projectcalico.org', 'v1', kind, plural] as const),
  ['policy.networking.k8s.io', 'v1alpha2', 'ClusterNetworkPolicy', 'clusternetworkpolicies'],
  ['policy.networking.k8s.io', 'v1alpha1', 'AdminNetworkPolicy', 'adminnetworkpolicies'],
  ['policy.networking.k8s.io', 'v1alpha1', 'BaselineAdminNetworkPolicy', 'baselineadminnetworkpolicies'],
  ['crd.antrea.io', 'v1beta1', 'ClusterNetworkPolicy', 'clusternetworkpolicies'],
];

const { tenancy, namespaces } = createWorld();
const onDefect = (error: unknown) => {
  throw error;
};
const admission = createAdmission({ tenancy: () => tenancy, namespaces, onDefect });
const others: readonly Role[] = ['acme developer', 'service account in acme-web', 'stranger'];

async function answerTo(of: (typeof platformOnly)[number], user: Role, namespace: string, operation = 'CREATE') {
  const [group, version, kind, resource] = of;
  const metadata = { name: 'default', ...(namespace !== '' && { namespace }) };
  const object = { apiVersion: `${group}/${version}`, kind, metadata, spec: { written: 'anew' } };
  const request = {
    ...{ uid, operation, namespace, name: 'default', userInfo: cast[user], subResource: '', object },
    ...{ oldObject: operation === 'CREATE' ? null : { ...object, spec: {} } },
    ...{ kind: { group, version, kind }, resource: { group, version, resource } },
  };
  const review = bytesOf({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
  return responseOf((await admission('validate', review, farDeadline())).body);
}

async function checksOf(...asked: Parameters<typeof answerTo>) {
  const { allowed, status } = await answerTo(...asked);
  return allowed ? 'allowed' : findingsIn(status?.message ?? '').map(({ check }) => check);
}

for (const of of platformOnly) {
  const [group, version, kind, plural] = of;
  t.test(`${kind} of ${group}/${version}`, async (t) => {
    for (const namespace of ['', 'acme-web'])
      for (const operation of ['CREATE', 'UPDATE']) {
        const says = `${operation} ${namespace === '' ? 'in the cluster' : `in ${namespace}`}`;
        for (const user of others)
          t.strictSame(await checksOf(of, user, namespace, operation), ['platform-kinds'], `${says} by ${user}`);
        t.equal(await checksOf(of, 'platform admin', namespace, operation), 'allowed', `${says} by the platform`);
      }
    const resource = `${plural}.${group}`;
    const written = documentIn(
      `apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec: { network: { policyKinds: [{ resource: ${resource} }] } }`,
    );
    t.match(
      problemLines(parseSettings(written)),
      [/is written by the platform and the agents/],
      'no settings give it to a tenant',
    );
  });
}

t.test('a denial of what agents of the network write names no setting that would allow it', async (t) => {
  const claim = ['k8s.cni.cncf.io', 'v1alpha1', 'IPAMClaim', 'ipamclaims'] as const;
  const { allowed, status } = await answerTo(claim, 'acme developer', 'acme-web');
  t.equal(allowed, false);
  t.match(status?.message, 'ipamclaims.k8s.cni.cncf.io is written by the agents of the network alone');
  t.notMatch(status?.message, 'network.policyKinds', 'the settings refuse to list it');
});
