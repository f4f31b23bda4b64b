import { equal } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { builtInKeys } from '../../src/keys/built-in-keys.ts';
import { compileReservedKeys, covers, isBeginning, isEnding } from '../../src/keys/reserved-keys.ts';

function compile(entries: readonly string[]) {
  return compileReservedKeys(entries.map((entry, place) => ({ entry, place })));
}

t.test('an entry that ends at a boundary is a beginning, any other is one key', async (t) => {
  const reserved = compile(['istio.io/', 'io.cilium.', 'config.linkerd.io/skip-', 'k8s:', 'host', 'istio.io/rev']);
  const cases: readonly (readonly [key: string, by: string | undefined])[] = [
    ['istio.io/rev', 'istio.io/rev'],
    ['istio.io/rev2', 'istio.io/'],
    ['istio.io/', 'istio.io/'],
    ['istio.io', undefined],
    ['sub.istio.io/rev', undefined],
    ['Istio.io/rev', undefined],
    ['io.cilium.k8s.policy', 'io.cilium.'],
    ['io.ciliumx', undefined],
    ['config.linkerd.io/skip-inbound-ports', 'config.linkerd.io/skip-'],
    ['config.linkerd.io/proxy', undefined],
    ['k8s:app', 'k8s:'],
    ['host', 'host'],
    ['hostname', undefined],
    ['host.example.com/x', undefined],
    ['', undefined],
    ['constructor', undefined],
    [`istio.io/${'x'.repeat(100_000)}`, 'istio.io/'],
  ];
  for (const [key, by] of cases)
    t.equal(reserved.reserving(key)?.entry, by, `${key.slice(0, 40)} is reserved by ${by}`);
});

t.test('an entry that starts with an asterisk and a dot is an ending (TEN-22)', async (t) => {
  const reserved = compile(['*.tree.hnc.x-k8s.io/depth', '*.io/depth', 'a.', 'b.io/depth']);
  const cases: readonly (readonly [key: string, by: string | undefined])[] = [
    ['acme.tree.hnc.x-k8s.io/depth', '*.io/depth'],
    ['.tree.hnc.x-k8s.io/depth', '*.io/depth'],
    ['a.tree.hnc.x-k8s.io/depth', 'a.'],
    ['b.io/depth', 'b.io/depth'],
    ['c.b.io/depth', '*.io/depth'],
    ['io/depth', undefined],
    ['xio/depth', undefined],
    ['acme.io/depths', undefined],
    ['acme.IO/depth', undefined],
    ['*.io/depth', '*.io/depth'],
    [`${'x.'.repeat(50_000)}io/depth`, '*.io/depth'],
    ['.'.repeat(100_000), undefined],
  ];
  for (const [key, by] of cases)
    t.equal(reserved.reserving(key)?.entry, by, `${key.slice(0, 40)} is reserved by ${by}`);
  t.equal(compile(['*.tree.hnc.x-k8s.io/depth']).reserving('depth'), undefined, 'a key that is shorter');
});

t.test('what the platform adds below a key of own protection is refused in every mode', async (t) => {
  const reserved = compileReservedKeys([
    { entry: 'istio.io/', protects: 'own-protection' },
    { entry: '*.io/rev', protects: 'own-protection' },
    { entry: 'istio.io/use-', protects: 'identity' },
    { entry: '*.istio.io/rev', protects: 'identity' },
    { entry: 'istio.io/exact', protects: 'own-protection' },
  ]);
  for (const [key, by] of [
    ['istio.io/use-waypoint', 'istio.io/use-'],
    ['istio.io/dataplane-mode', 'istio.io/'],
    ['istio.io/rev', 'istio.io/'],
    ['istio.io/exact', 'istio.io/exact'],
    ['a.io/rev', '*.io/rev'],
    ['a.istio.io/rev', '*.istio.io/rev'],
  ] as const)
    t.equal(reserved.reserving(key)?.entry, by, key);
});

t.test('the answer is that of a search through all entries (TEN-08)', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'B', '/', '.', '-', ':'), minLength: 1, maxLength: 6 });
  const entry = fc.oneof(
    text,
    fc.string({ unit: fc.constantFrom('a', '/', '.'), minLength: 1, maxLength: 2 }).map((ending) => `*.${ending}`),
  );
  const shortest = (found: readonly string[]) => found.toSorted((one, other) => one.length - other.length)[0];
  let endings = 0;
  const property = fc.property(fc.array(entry, { maxLength: 6 }), text, (entries, key) => {
    const found = entries.filter((one) => covers(one, key));
    const expected = found.includes(key)
      ? key
      : (shortest(found.filter(isBeginning)) ?? shortest(found.filter(isEnding)));
    if (expected?.startsWith('*')) endings++;
    const reserving = compile(entries).reserving(key);
    equal(reserving?.entry, expected);
    if (reserving !== undefined) equal(reserving.place, entries.indexOf(reserving.entry), 'the first of equal ones');
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }));
  t.ok(endings > 20, `${endings} keys are reserved by an ending`);
});

t.test(
  'the built-in lists reserve what changes whose an object is, and leave ordinary keys alone (POD-06, POD-07, POD-08, POD-25, TEN-19, TEN-20, TEN-21, TEN-22)',
  async (t) => {
    const [namespaces, pods] = [
      compileReservedKeys(builtInKeys('namespaces')),
      compileReservedKeys(builtInKeys('pods')),
    ];
    const reservedOnNamespaces = [
      'pod-security.kubernetes.io/enforce',
      'scheduler.alpha.kubernetes.io/node-selector',
      'openshift.io/sa.scc.uid-range',
      'field.cattle.io/projectId',
      'istio-injection',
      'istio.io/dataplane-mode',
      'istio.io/use-waypoint-namespace',
      'linkerd.io/inject',
      'cni.projectcalico.org/ipv4pools',
      'egress.projectcalico.org/selector',
      'ovn.kubernetes.io/logical_switch',
      'k8s.ovn.org/primary-user-defined-network',
      'net.beta.kubernetes.io/network-policy',
      'hnc.x-k8s.io/included-namespace',
      'control-plane',
      'admission.gatekeeper.sh/ignore',
      'beta-data.tree.hnc.x-k8s.io/depth',
      'resource.kubernetes.io/admin-access',
      'resource.k8s.io/admin-access',
      'openpolicyagent.org/webhook',
      'cert-manager.io/disable-validation',
      'webhooks.knative.dev/exclude',
      'policy.sigstore.dev/exclude',
      'policy.sigstore.dev/include',
      'kubernetes.azure.com/managedby',
      'kuma.io/sidecar-injection',
      'kuma.io/mesh',
      'topology.istio.io/network',
      'consul.hashicorp.com/transparent-proxy',
      'ipam.spidernet.io/default-ipv4-ippool',
      'bulkhead.dev/anything',
    ];
    const reservedOnPods = [
      'host',
      'ingress',
      'world',
      'world-ipv4',
      'world-ipv6',
      'health',
      'init',
      'remote-node',
      'kube-apiserver',
      'reserved.host',
      'io.cilium.k8s.policy.cluster',
      'io.cilium.k8s.namespace.labels.team',
      'io.kubernetes.pod.namespace',
      'policy.cilium.io/proxy-visibility',
      'policy.cilium.io/no-track-port',
      'network.cilium.io/no-track-host-ports',
      'cni.cilium.io/mac-address',
      'ipam.cilium.io/ip-pool',
      'cni.projectcalico.org/floatingIPs',
      'cni.projectcalico.org/ipAddrs',
      'cni.projectcalico.org/ipAddrsNoIpam',
      'cni.projectcalico.org/hwAddr',
      'cni.projectcalico.org/allowedSourcePrefixes',
      'egress.projectcalico.org/namespaceSelector',
      'pcns.projectcalico.org/name',
      'ipam.antrea.io/ippools',
      'k8s.v1.cni.cncf.io/networks',
      'v1.multus-cni.io/default-network',
      'ovn.kubernetes.io/ip_address',
      'k8s.ovn.org/pod-networks',
      'sidecar.istio.io/inject',
      'traffic.sidecar.istio.io/excludeInboundPorts',
      'traffic.sidecar.istio.io/excludeOutboundPorts',
      'traffic.sidecar.istio.io/excludeOutboundIPRanges',
      'traffic.sidecar.istio.io/includeOutboundIPRanges',
      'istio.io/dataplane-mode',
      'ambient.istio.io/bypass-inbound-capture',
      'ambient.istio.io/dns-capture',
      'linkerd.io/inject',
      'config.linkerd.io/skip-inbound-ports',
      'config.linkerd.io/default-inbound-policy',
      'beta-net.default.ovn.kubernetes.io/ip_address',
      'macvlan.kube-system.kubernetes.io/ip_pool',
      'macvlan.kube-system.kubernetes.io/mac_address',
      'beta-net.default.ovn.kubernetes.io/logical_switch',
      'networking.gke.io/interfaces',
      'networking.gke.io/default-interface',
      'networking.gke.io/disable-source-ip-validation',
      'kubernetes.azure.com/pod-network',
      'kubernetes.azure.com/pod-network-instance',
      'k8s.aliyun.com/pod-networks',
      'k8s.aliyun.com/pod-networking',
      'k8s.aliyun.com/pod-eni',
      'k8s.aliyun.com/pod-with-eip',
      'k8s.aliyun.com/eci-security-group',
      'k8s.aliyun.com/eci-eip-instanceid',
      'k8s.aliyun.com/eci-ram-role-name',
      'k8s.aliyun.com/eci-private-ip-address',
      'k8s.aliyun.com/eci-network-policy-enable',
      'network.alibabacloud.com/vswitch-ids',
      'network.alibabacloud.com/security-group-ids',
      'network.alibabacloud.com/pod-with-eip',
      'alibabacloud.com/enable-network-policy-agent',
      'tke.cloud.tencent.com/networks',
      'ipam.spidernet.io/ippool',
      'io.katacontainers.config.hypervisor.kernel_params',
      'dev.gvisor.flag.network',
      'io.kubernetes.cri-o.Devices',
      'devices.crio.io/main',
      'inject.istio.io/templates',
      'proxy.istio.io/config',
      'security.istio.io/tlsMode',
      'kuma.io/sidecar-injection',
      'kuma.io/mesh',
      'kuma.io/gateway',
      'traffic.kuma.io/exclude-outbound-ports',
      'traffic.kuma.io/exclude-outbound-ports-for-uids',
      'consul.hashicorp.com/connect-inject',
      'consul.hashicorp.com/transparent-proxy',
      'consul.hashicorp.com/transparent-proxy-exclude-inbound-ports',
      'consul.hashicorp.com/gateway-kind',
      'kubevirt.io',
      'kubevirt.io/domain',
      'bulkhead.dev/x',
    ];
    const ordinary = [
      'app',
      'app.kubernetes.io/name',
      'pod-template-hash',
      'statefulset.kubernetes.io/pod-name',
      'batch.kubernetes.io/job-name',
      'kubernetes.io/egress-bandwidth',
      'cni.projectcalico.org/podIP',
      'network.cilium.io/api-access',
      'sidecar.istio.io/status',
      'service.istio.io/canonical-name',
      'kuma.io/sidecar-injected',
      'kuma.io/virtual-probes',
      'traffic.kuma.io/transparent-proxy-config',
      'consul.hashicorp.com/connect-inject-status',
      'consul.hashicorp.com/transparent-proxy-status',
      'consul.hashicorp.com/connect-service-upstreams',
      'consul.hashicorp.com/redirect-traffic-config',
      'k8s.aliyun.com/eip-bandwidth',
      'alibabacloud.com/compute-class',
      'io.kubernetes.cri-o.ShmSize',
      'cluster-autoscaler.kubernetes.io/safe-to-evict',
      'hosts',
      'reserved',
      'cluster',
      'all',
      'unmanaged',
    ];
    for (const key of reservedOnNamespaces)
      t.not(namespaces.reserving(key), undefined, `${key} is reserved on namespaces`);
    for (const key of reservedOnPods) t.not(pods.reserving(key), undefined, `${key} is reserved on pods`);
    // Of Calico's network everything is the platform's on a namespace: addresses are assigned by it.
    const onAnything = ordinary.filter((key) => !key.startsWith('cni.projectcalico.org/'));
    for (const key of [...onAnything, 'kubernetes.io/metadata.name'])
      t.equal(namespaces.reserving(key), undefined, `${key} is free on namespaces`);
    for (const key of ordinary) t.equal(pods.reserving(key), undefined, `${key} is free on pods`);
  },
);

t.test(
  'on policies the keys by which a network plugin reads them otherwise are reserved, and no others (NP-20)',
  async (t) => {
    const policies = compileReservedKeys(builtInKeys('policies'));
    for (const key of [
      'k8s.ovn.org/acl-stateless',
      'k8s.ovn.org/acl-logging',
      'ovn.kubernetes.io/network_policy_enforcement',
      'ovn.kubernetes.io/enable_log',
      'policy.cilium.io/anything',
      'io.cilium.k8s.policy.namespace',
      'projectcalico.org/metadata',
    ]) {
      t.not(policies.reserving(key), undefined, `${key} is reserved`);
    }
    for (const key of [
      'app',
      'app.kubernetes.io/name',
      'bulkhead.dev/tenant',
      'policy.network.gke.io/enable-logging',
    ]) {
      t.equal(policies.reserving(key), undefined, `${key} is free`);
    }
  },
);
