/** Which keys are reserved in which cluster, and what each is said to do. */
import t from 'tap';
import { isFree } from '../../src/checks/free-values.ts';
import { builtInKeys, formerKeys, keyGroups } from '../../src/keys/built-in-keys.ts';
import { type KeyCarrier, type KeyProfile, knownMeshes, knownPlugins } from '../../src/keys/key-group.ts';
import { compileReservedKeys, covers } from '../../src/keys/reserved-keys.ts';

const carriers: readonly KeyCarrier[] = ['namespaces', 'pods', 'policies'];

function isReserved(key: string, profile: KeyProfile, carrier: KeyCarrier = 'pods'): boolean {
  return compileReservedKeys(builtInKeys(carrier, profile)).reserving(key) !== undefined;
}

t.test('every key has an effect and a source, and stands once on each kind of object', async (t) => {
  for (const { keys, on, effect, source } of keyGroups) {
    t.ok(on.length > 0 && source !== '', `${keys[0]} says on what, and where from`);
    t.match(
      effect,
      /^(is|can|has|lets|makes|gives|puts|moves|shares|sets|tells|chooses|changes|decides|switches) /,
      effect,
    );
    t.notMatch(effect, /[.]$/, `${effect} is part of a sentence`);
    t.ok(effect.split(' ').length <= 20, `${effect} is short`);
  }
  for (const carrier of carriers) {
    const entries = builtInKeys(carrier).map(({ entry }) => entry);
    t.equal(new Set(entries).size, entries.length, `${carrier}: each entry stands once`);
  }
});

t.test('a key below another has its class, whichever of the two is found', async (t) => {
  for (const carrier of carriers) {
    const all = builtInKeys(carrier);
    for (const one of all)
      for (const other of all.filter(({ entry }) => entry !== one.entry && covers(one.entry, entry)))
        t.equal(other.protects, one.protects, `${carrier}: ${other.entry} below ${one.entry}`);
  }
});

t.test('what is not known is taken for anything', async (t) => {
  for (const carrier of carriers) {
    const all = builtInKeys(carrier, {});
    t.strictSame(builtInKeys(carrier, { plugin: 'other' }), all, `${carrier}: another plugin`);
    t.strictSame(
      new Set(all.map(({ entry }) => entry)),
      new Set(keyGroups.flatMap(({ keys, on }) => (on.includes(carrier) ? keys : []))),
      `${carrier}: every key of the lists`,
    );
  }
});

const readers: readonly (readonly [key: string, carrier: KeyCarrier, plugins: readonly string[]])[] = [
  ['host', 'pods', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['ingress', 'pods', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['init', 'pods', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['remote-node', 'pods', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['world', 'pods', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['io.kubernetes.pod.namespace', 'pods', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['io.cilium.k8s.policy.cluster', 'policies', ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['cni.projectcalico.org/floatingIPs', 'pods', ['calico', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['pcns.projectcalico.org/name', 'pods', ['calico', 'aws-vpc-cni', 'azure-cni', 'gke', 'other']],
  ['k8s.ovn.org/pod-networks', 'pods', ['ovn-kubernetes', 'other']],
  ['k8s.ovn.org/acl-stateless', 'policies', ['ovn-kubernetes', 'other']],
  ['ipam.antrea.io/ippools', 'namespaces', ['antrea', 'other']],
  ['networking.gke.io/interfaces', 'pods', ['calico', 'cilium', 'gke', 'other']],
  ['kubernetes.azure.com/pod-network', 'pods', ['calico', 'cilium', 'azure-cni', 'other']],
  // Read by runtimes, by add-ons that run beside any plugin, and by clouds.
  ['k8s.v1.cni.cncf.io/networks', 'pods', knownPlugins],
  ['ovn.kubernetes.io/logical_switch', 'pods', knownPlugins],
  ['ipam.spidernet.io/ippool', 'pods', knownPlugins],
  ['dev.gvisor.flag.network', 'pods', knownPlugins],
  ['kubevirt.io', 'pods', knownPlugins],
  ['pod-security.kubernetes.io/enforce', 'namespaces', knownPlugins],
  ['bulkhead.dev/x', 'pods', knownPlugins],
];

t.test('a key is reserved where the plugin may read it', async (t) => {
  for (const [key, carrier, plugins] of readers)
    for (const plugin of knownPlugins)
      t.equal(isReserved(key, { plugin }, carrier), plugins.includes(plugin), `${key} on ${carrier}, ${plugin}`);
});

const ofMeshes: readonly (readonly [key: string, carrier: KeyCarrier, meshes: readonly string[]])[] = [
  ['sidecar.istio.io/inject', 'pods', ['istio', 'istio-ambient']],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', 'pods', ['istio', 'istio-ambient']],
  ['istio.io/dataplane-mode', 'pods', ['istio-ambient']],
  ['ambient.istio.io/bypass-inbound-capture', 'pods', ['istio-ambient']],
  ['istio-injection', 'namespaces', ['istio', 'istio-ambient']],
  ['topology.istio.io/network', 'namespaces', ['istio', 'istio-ambient']],
  ['linkerd.io/inject', 'pods', ['linkerd']],
  ['config.linkerd.io/skip-inbound-ports', 'namespaces', ['linkerd']],
  ['kuma.io/mesh', 'pods', ['kuma']],
  ['kuma.io/sidecar-injection', 'namespaces', ['kuma']],
  ['consul.hashicorp.com/connect-inject', 'pods', ['consul']],
  ['consul.hashicorp.com/gateway-kind', 'pods', ['consul']],
  ['io.kubernetes.pod.namespace', 'pods', knownMeshes],
];

t.test('a key of a mesh is reserved where that mesh runs', async (t) => {
  for (const [key, carrier, meshes] of ofMeshes)
    for (const mesh of knownMeshes)
      t.equal(isReserved(key, { mesh }, carrier), meshes.includes(mesh), `${key} on ${carrier}, ${mesh}`);
});

t.test('a plain word without a known effect is the tenants’, whatever the plugin', async (t) => {
  for (const key of formerKeys)
    for (const plugin of [undefined, ...knownPlugins]) t.notOk(isReserved(key, { plugin }), `${key}, ${plugin}`);
});

t.test('whom a key concerns', async (t) => {
  const rows: readonly (readonly [key: string, carrier: KeyCarrier, protects: string])[] = [
    ['io.kubernetes.pod.namespace', 'pods', 'identity'],
    ['kuma.io/mesh', 'pods', 'identity'],
    ['topology.istio.io/network', 'namespaces', 'identity'],
    ['consul.hashicorp.com/gateway-kind', 'pods', 'identity'],
    ['pod-security.kubernetes.io/enforce', 'namespaces', 'others-guard'],
    ['control-plane', 'namespaces', 'others-guard'],
    ['scheduler.alpha.kubernetes.io/node-selector', 'namespaces', 'others-guard'],
    ['dev.gvisor.flag.network', 'pods', 'others-guard'],
    ['k8s.ovn.org/acl-stateless', 'policies', 'others-guard'],
    ['sidecar.istio.io/inject', 'pods', 'own-protection'],
    ['linkerd.io/inject', 'namespaces', 'own-protection'],
    ['traffic.kuma.io/exclude-inbound-ports', 'pods', 'own-protection'],
  ];
  for (const [key, carrier, protects] of rows)
    t.equal(compileReservedKeys(builtInKeys(carrier)).reserving(key)?.protects, protects, key);
});

t.test('which settings decide', async (t) => {
  const rows: readonly (readonly [key: string, carrier: KeyCarrier, settings: readonly string[]])[] = [
    ['host', 'pods', ['network.plugin', 'reserved.released']],
    ['sidecar.istio.io/inject', 'pods', ['mesh', 'reserved.allowedValues', 'reserved.released']],
    ['pod-security.kubernetes.io/enforce', 'namespaces', ['podSecurity.clusterDefault', 'reserved.released']],
    ['dev.gvisor.flag.network', 'pods', ['reserved.released']],
    ['bulkhead.dev/tenant', 'pods', []],
  ];
  for (const [key, carrier, settings] of rows)
    t.strictSame(compileReservedKeys(builtInKeys(carrier)).reserving(key)?.settings, settings, key);
});

type Value = string | undefined;
const change = (key: string, before: Value, after: Value) => ({ key, before, after });
const unset = { allowedValues: new Map(), podSecurityDefault: undefined };

t.test('Pod Security: what tightens is free, what loosens is held against the stored value (TEN-19)', async (t) => {
  const [enforce, warn, audit] = ['enforce', 'warn', 'audit'].map((name) => `pod-security.kubernetes.io/${name}`);
  const rows: readonly (readonly [key: string | undefined, before: Value, after: Value, free: boolean])[] = [
    [enforce, undefined, 'restricted', true],
    [enforce, 'privileged', 'restricted', true],
    [enforce, 'baseline', 'restricted', true],
    [enforce, undefined, 'baseline', false],
    [enforce, 'privileged', 'baseline', false],
    [enforce, 'restricted', 'baseline', false],
    [enforce, undefined, 'privileged', false],
    [enforce, 'restricted', undefined, false],
    [enforce, 'baseline', 'Restricted', false],
    [enforce, undefined, '', false],
    ...[warn, audit].flatMap((key) => [
      [key, undefined, 'restricted', true] as const,
      [key, undefined, 'baseline', false] as const,
      [key, undefined, 'privileged', false] as const,
      [key, 'privileged', 'baseline', true] as const,
      [key, 'baseline', 'restricted', true] as const,
      [key, 'restricted', 'baseline', false] as const,
      [key, 'baseline', 'privileged', false] as const,
      [key, 'restricted', undefined, false] as const,
      [key, 'baseline', 'strict', false] as const,
    ]),
    ...[enforce, warn, audit].flatMap((key) => [
      [`${key}-version`, undefined, 'latest', true] as const,
      [`${key}-version`, 'v1.24', 'latest', true] as const,
      [`${key}-version`, 'v1.24', 'v1.30', true] as const,
      [`${key}-version`, 'v1.9', 'v1.24', true] as const,
      [`${key}-version`, 'v1.30', 'v1.9', false] as const,
      [`${key}-version`, undefined, 'v1.30', false] as const,
      [`${key}-version`, 'latest', 'v1.30', false] as const,
      [`${key}-version`, 'v1.24', 'v2.0', false] as const,
      [`${key}-version`, 'v1.24', 'v1.30 ', false] as const,
      [`${key}-version`, 'v1.24', undefined, false] as const,
    ]),
  ];
  for (const [key = '', before, after, free] of rows)
    t.equal(isFree(change(key, before, after), unset), free, `${key}: ${before} becomes ${after}`);
});

t.test('the level baseline is free where the cluster enforces none, and no label stands', async (t) => {
  const by = (podSecurityDefault: 'privileged' | 'baseline' | 'restricted') => ({ ...unset, podSecurityDefault });
  for (const key of ['enforce', 'warn', 'audit'].map((name) => `pod-security.kubernetes.io/${name}`)) {
    t.ok(isFree(change(key, undefined, 'baseline'), by('privileged')), key);
    t.notOk(isFree(change(key, 'restricted', 'baseline'), by('privileged')), key);
    t.notOk(isFree(change(key, undefined, 'privileged'), by('privileged')), key);
    t.notOk(isFree(change(key, undefined, 'baseline'), by('baseline')), key);
    t.notOk(isFree(change(key, undefined, 'baseline'), by('restricted')), key);
  }
});

const acmeAndBeta = '[{"name":"a","namespace":"acme"},{"name":"b","namespace":"beta"}]';

const ofInjectors: readonly (readonly [key: string, before: Value, after: Value, free: boolean])[] = [
  ['sidecar.istio.io/inject', undefined, 'true', true],
  ['sidecar.istio.io/inject', 'false', 'true', true],
  ['sidecar.istio.io/inject', undefined, 'false', false],
  ['sidecar.istio.io/inject', undefined, 'True', false],
  ['sidecar.istio.io/inject', 'true', undefined, false],
  ['istio.io/dataplane-mode', undefined, 'ambient', true],
  ['istio.io/dataplane-mode', undefined, 'none', false],
  ['linkerd.io/inject', undefined, 'enabled', true],
  ['linkerd.io/inject', undefined, 'ingress', false],
  ['linkerd.io/inject', undefined, 'disabled', false],
  ['config.linkerd.io/default-inbound-policy', undefined, 'deny', true],
  ['config.linkerd.io/default-inbound-policy', undefined, 'all-authenticated', false],
  ['sidecar.istio.io/interceptionMode', undefined, 'REDIRECT', true],
  ['sidecar.istio.io/interceptionMode', undefined, 'TPROXY', true],
  ['sidecar.istio.io/interceptionMode', undefined, 'NONE', false],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', undefined, '*', true],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', undefined, '', false],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', undefined, '10.0.0.0/8', false],
  ['traffic.sidecar.istio.io/includeInboundPorts', undefined, '*', true],
  ['traffic.sidecar.istio.io/includeInboundPorts', undefined, '', false],
  ['traffic.sidecar.istio.io/includeOutboundPorts', undefined, '9000', true],
  ['traffic.sidecar.istio.io/includeOutboundPorts', undefined, '*', true],
  ['traffic.sidecar.istio.io/includeOutboundPorts', undefined, '', false],
  ['traffic.sidecar.istio.io/includeOutboundPorts', undefined, '9000,none', false],
  ['traffic.sidecar.istio.io/includeOutboundPorts', undefined, '-1', false],
  ['traffic.sidecar.istio.io/includeOutboundPorts', '9000,9001', '9000', false],
  ['traffic.sidecar.istio.io/includeOutboundPorts', '9000', '9000, 9001', true],
  ['traffic.sidecar.istio.io/includeOutboundPorts', '9000', undefined, false],
  ['k8s.v1.cni.cncf.io/networks', 'acme/a,acme/b', 'acme/b', true],
  ['k8s.v1.cni.cncf.io/networks', acmeAndBeta, '[{"name":"b","namespace":"beta"}]', true],
  ['k8s.v1.cni.cncf.io/networks', acmeAndBeta, undefined, true],
  ['k8s.v1.cni.cncf.io/networks', acmeAndBeta, '[{"name":"a","namespace":"beta"}]', false],
  ['k8s.v1.cni.cncf.io/networks', acmeAndBeta, acmeAndBeta.slice(0, -1), false],
  ['traffic.sidecar.istio.io/excludeInboundPorts', undefined, '15020', true],
  ['traffic.sidecar.istio.io/excludeInboundPorts', undefined, '15020, 15021,15090', true],
  ['traffic.sidecar.istio.io/excludeInboundPorts', undefined, '', true],
  ['traffic.sidecar.istio.io/excludeInboundPorts', undefined, '15020,8080', false],
  ['traffic.sidecar.istio.io/excludeInboundPorts', undefined, '*', false],
  ['traffic.sidecar.istio.io/excludeInboundPorts', undefined, '015020', false],
  ['traffic.sidecar.istio.io/excludeInboundPorts', '8080,9090', '15020,9090', true],
  ['traffic.sidecar.istio.io/excludeInboundPorts', '8080', undefined, true],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', undefined, '15090', true],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', undefined, '443', false],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', undefined, '', true],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', undefined, '0.0.0.0/0', false],
  ['traffic.sidecar.istio.io/kubevirtInterfaces', undefined, 'net1', false],
  ['config.linkerd.io/skip-outbound-ports', undefined, '443', false],
  ['config.linkerd.io/skip-outbound-ports', '443,5432', '443', true],
  ['config.linkerd.io/skip-outbound-ports', '25', undefined, false],
  ['traffic.kuma.io/exclude-outbound-ports-for-uids', undefined, 'tcp:443:1000', false],
  ['consul.hashicorp.com/transparent-proxy-exclude-uids', undefined, '1000', false],
  ['constructor', undefined, 'true', false],
];

t.test('meshes: what an injector writes is free, what takes traffic out of the mesh is not (POD-08)', async (t) => {
  for (const [key, before, after, free] of ofInjectors)
    t.equal(isFree(change(key, before, after), unset), free, `${key}: ${before} becomes ${after}`);
});

t.test('the platform allows single values, and the items of lists one by one', async (t) => {
  const key = 'traffic.sidecar.istio.io/excludeOutboundPorts';
  const ranges = 'traffic.sidecar.istio.io/includeOutboundIPRanges';
  const allowedValues = new Map([
    [key, new Set(['9411', '443'])],
    [ranges, new Set(['10.0.0.0/8,192.168.0.0/16'])],
    ['sidecar.istio.io/inject', new Set(['false'])],
    ['k8s.v1.cni.cncf.io/networks', new Set(['default/istio-cni'])],
  ]);
  const rows: readonly (readonly [key: string, after: string, free: boolean])[] = [
    [key, '9411', true],
    [key, '443,9411,15090', true],
    [key, '9411,5432', false],
    [ranges, '10.0.0.0/8,192.168.0.0/16', true],
    [ranges, '10.0.0.0/8', false],
    ['sidecar.istio.io/inject', 'false', true],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '9411', false],
    ['k8s.v1.cni.cncf.io/networks', 'default/istio-cni', true],
    ['k8s.v1.cni.cncf.io/networks', 'default/istio-cni,beta/net', false],
    ['k8s.v1.cni.cncf.io/networks', '[{"name":"istio-cni"},{"name":"net"}]', false],
  ];
  for (const [key, after, free] of rows)
    t.equal(isFree(change(key, undefined, after), { ...unset, allowedValues }), free, `${key}: ${after}`);
});
