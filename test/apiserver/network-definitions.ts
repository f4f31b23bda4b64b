/**
 * The CustomResourceDefinitions of network plugins and meshes: the real ones, out of Go modules, of Cilium, Calico, network-policy-api,
 * Gateway API, the multi-cluster API, Multus and Istio. The others are of kinds that Bulkhead does not read.
 */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { ControlPlane } from './control-plane.ts';
import { runGo } from './go-program.ts';

interface Definition {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: object;
}

type Module = readonly [module: string, files: string];

const policyApi: Module = ['sigs.k8s.io/network-policy-api', 'config/crd/standard/policy.networking.k8s.io_*.yaml'];
const modules: readonly Module[] = [
  ['github.com/cilium/cilium', 'pkg/k8s/apis/cilium.io/client/crds/v2/*.yaml'],
  policyApi,
  // Beside them is a ValidatingAdmissionPolicy.
  ['sigs.k8s.io/gateway-api', 'config/crd/standard/gateway.networking.k8s.io_[!v]*.yaml'],
  ['sigs.k8s.io/mcs-api', 'config/crd/*.yaml'],
];

const sources = join(import.meta.dirname, '../engines/cilium');

async function definitionsOf([module, files]: Module): Promise<readonly Definition[]> {
  const { Dir: folder } = JSON.parse(await runGo(sources, ['mod', 'download', '-json', module]));
  return await Promise.all(
    globSync(files, { cwd: folder })
      .sort()
      .map(async (file) => parse(await readFile(join(folder, file), 'utf8'))),
  );
}

/** ClusterNetworkPolicy and what comes with it. */
export async function clusterPolicyDefinitions(): Promise<readonly Definition[]> {
  return await definitionsOf(policyApi);
}

/** Kinds of Calico that tenants may write. Calico's own API server serves these and more as projectcalico.org/v3. */
const ofTenants: readonly string[] = [
  'NetworkPolicy',
  'NetworkSet',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
];

/**
 * All that Calico's operator installs: crd.projectcalico.org/v1, with AdminNetworkPolicy and BaselineAdminNetworkPolicy, which Calico
 * enforces. Those of tenants are in projectcalico.org/v3, too.
 *
 * @param others kinds that are to be there, too
 */
export async function calicoDefinitions(others: readonly string[] = []): Promise<readonly Definition[]> {
  const folder = await downloaded('github.com/tigera/operator@v1.40.0');
  const files = globSync('pkg/crds/calico/*.yaml', { cwd: folder }).sort();
  const own = await Promise.all(files.map(async (file) => parse(await readFile(join(folder, file), 'utf8'))));
  return own.flatMap((one) => {
    if (![...ofTenants, ...others].includes(one.spec.names.kind)) return [one];
    const v3 = structuredClone(one);
    v3.metadata = { name: `${one.spec.names.plural}.projectcalico.org` };
    v3.spec.group = 'projectcalico.org';
    v3.spec.versions[0].name = 'v3';
    return [one, v3];
  });
}

async function attachmentDefinition(): Promise<Definition> {
  const folder = await downloaded('github.com/k8snetworkplumbingwg/network-attachment-definition-client@v1.7.7');
  return parse(await readFile(join(folder, 'artifacts/networks-crd.yaml'), 'utf8'));
}

/** The folder of a module that nothing is built of. Its hash is in definitions/go.sum. */
export async function downloaded(module: string): Promise<string> {
  const own = join(import.meta.dirname, 'definitions');
  return JSON.parse(await runGo(own, ['mod', 'download', '-json', module])).Dir;
}

/** The real schemas of Istio's kinds, as its charts install them. */
export async function istioDefinitions(): Promise<readonly Definition[]> {
  const istio = join(import.meta.dirname, '../engines/istio');
  const { Dir: folder } = JSON.parse(await runGo(istio, ['mod', 'download', '-json', 'istio.io/istio']));
  const all = await readFile(join(folder, 'manifests/charts/base/files/crd-all.gen.yaml'), 'utf8');
  return parseAllDocuments(all)
    .map((document): Definition => document.toJS())
    .filter(({ metadata: { name } }) => /\.(security|extensions|networking)\.istio\.io$/.test(name));
}

/** Any content, with a status of its own. */
function loose(
  group: string,
  version: string,
  plural: string,
  kind: string,
  scope: 'Namespaced' | 'Cluster',
): Definition {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: anything };
  // The API server asks it of definitions in groups of Kubernetes.
  const annotations = { 'api-approved.kubernetes.io': 'unapproved, for tests' };
  return {
    metadata: { name: `${plural}.${group}`, ...(group.endsWith('k8s.io') && { annotations }) },
    spec: {
      group,
      scope,
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}

const others: readonly Definition[] = [
  loose('gateway.networking.x-k8s.io', 'v1alpha1', 'xlistenersets', 'XListenerSet', 'Namespaced'),
  loose('crd.antrea.io', 'v1beta1', 'clusternetworkpolicies', 'ClusterNetworkPolicy', 'Cluster'),
  loose('k8s.ovn.org', 'v1', 'egressfirewalls', 'EgressFirewall', 'Namespaced'),
  loose('k8s.ovn.org', 'v1', 'clusteregressrules', 'ClusterEgressRule', 'Cluster'),
];

/** Resolves when the API server serves them. */
export async function installNetworkDefinitions(plane: ControlPlane): Promise<void> {
  const definitions = [
    ...(await Promise.all(modules.map(definitionsOf))),
    await calicoDefinitions(),
    await istioDefinitions(),
    await attachmentDefinition(),
    others,
  ];
  await installDefinitions(plane, definitions.flat());
}

/** Resolves when the API server serves them. */
export async function installDefinitions(plane: ControlPlane, definitions: readonly Definition[]): Promise<void> {
  const items = definitions.map((one) => ({
    ...one,
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
  }));
  const kubectl = (words: readonly string[], stdin?: string) =>
    plane.kubectl(plane.adminKubeconfig, words, stdin === undefined ? {} : { stdin });
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const applied = await kubectl(['apply', '--server-side', '-f', '-'], list);
  if (applied.code !== 0) throw new Error(applied.stderr);
  for (;;) {
    const established = ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s'];
    const { code, stderr } = await kubectl(established);
    if (code === 0) return;
    // A definition that is milliseconds old has null for conditions, which kubectl does not expect.
    if (!stderr.includes('accessor error')) throw new Error(stderr);
  }
}
