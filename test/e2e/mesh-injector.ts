/** What the injectors of meshes write on a pod: the metadata of Istio's injection template (with Istio CNI) and of Linkerd's proxy injector. */
import type { ControlPlane } from '../apiserver/control-plane.ts';

export interface Injector {
  readonly mesh: string;
  /** CEL for the labels and annotations that it writes. */
  readonly labels: string;
  readonly annotations: string;
  /** What pods of its have, as the test reads it. */
  readonly written: Readonly<Record<string, string>>;
  /** Annotations by which a tenant would leave the mesh, with the key that is refused. */
  readonly leaving: readonly Readonly<Record<string, string>>[];
}

/** Keeps what the pod says, as the templates do, and writes a value of its own otherwise. */
function kept(key: string, otherwise: string): string {
  return `object.metadata.?annotations['${key}'].orValue('${otherwise}')`;
}

export const traffic = 'traffic.sidecar.istio.io';
export const injectors: readonly Injector[] = [
  {
    mesh: 'istio',
    labels: `{
      'security.istio.io/tlsMode': 'istio',
      'service.istio.io/canonical-name': 'basket',
      'service.istio.io/canonical-revision': 'latest'
    }`,
    annotations: `{
      'istio.io/rev': 'default',
      'kubectl.kubernetes.io/default-container': 'main',
      'prometheus.io/port': '15020',
      'sidecar.istio.io/status': '{"containers":["proxy"]}',
      'sidecar.istio.io/interceptionMode': ${kept('sidecar.istio.io/interceptionMode', 'REDIRECT')},
      '${traffic}/includeOutboundIPRanges': ${kept(`${traffic}/includeOutboundIPRanges`, '*')},
      '${traffic}/includeInboundPorts': ${kept(`${traffic}/includeInboundPorts`, '*')},
      '${traffic}/excludeInboundPorts': object.metadata.?annotations['${traffic}/excludeInboundPorts'].optMap(p, p + ',15020').orValue('15020'),
      '${traffic}/excludeOutboundPorts': ${kept(`${traffic}/excludeOutboundPorts`, '')}
    }`,
    written: { 'sidecar.istio.io/interceptionMode': 'REDIRECT', [`${traffic}/excludeInboundPorts`]: '15020' },
    leaving: [
      { [`${traffic}/excludeOutboundPorts`]: '5432' },
      { [`${traffic}/excludeInboundPorts`]: '8080' },
      { [`${traffic}/includeOutboundIPRanges`]: '10.0.0.0/8' },
      { 'sidecar.istio.io/interceptionMode': 'NONE' },
      { 'sidecar.istio.io/inject': 'false' },
    ],
  },
  {
    mesh: 'linkerd',
    labels: `{
      'linkerd.io/control-plane-ns': 'linkerd',
      'linkerd.io/workload-ns': 'acme-mesh',
      'linkerd.io/proxy-deployment': 'basket'
    }`,
    annotations: `{
      'linkerd.io/inject': ${kept('linkerd.io/inject', 'enabled')},
      'linkerd.io/created-by': 'linkerd/proxy-injector stable',
      'linkerd.io/proxy-version': 'stable',
      'linkerd.io/trust-root-sha256': '0123456789abcdef',
      'viz.linkerd.io/tap-enabled': 'true'
    }`,
    written: { 'linkerd.io/inject': 'enabled', 'linkerd.io/proxy-version': 'stable' },
    leaving: [
      { 'config.linkerd.io/skip-outbound-ports': '5432' },
      { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
      { 'linkerd.io/inject': 'disabled' },
    ],
  },
];

/**
 * A MutatingAdmissionPolicy in place of the injector: both write in the name of the requester, before the validating webhooks.
 *
 * @param matchLabels of the namespaces whose pods it changes
 */
export async function installInjector(
  plane: ControlPlane,
  { mesh, labels, annotations }: Injector,
  matchLabels: Readonly<Record<string, string>>,
): Promise<void> {
  const proxy = `Object.spec.containers{
    name: 'proxy',
    image: 'registry.example/proxy:1',
    resources: Object.spec.containers.resources{requests: {'cpu': '10m', 'memory': '8Mi'}}
  }`;
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: mesh },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        namespaceSelector: { matchLabels },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: `Object{
              metadata: Object.metadata{labels: ${labels}, annotations: ${annotations}},
              spec: Object.spec{containers: [${proxy}]}
            }`,
          },
        },
      ],
    },
  };
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: mesh },
    spec: { policyName: mesh },
  };
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [policy, binding] });
  const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin });
  if (code !== 0) throw new Error(stderr);
}
