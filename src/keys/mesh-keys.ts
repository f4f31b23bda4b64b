/** Keys that a mesh reads. */
import type { KeyGroup, Mesh } from './key-group.ts';

/**
 * Which mesh of Kuma a pod joins: its own label, else its annotation, else its namespace's, else `default`. Kuma's injector writes the
 * answer on every pod, as a label (older versions: as an annotation), so on pods the mesh of the namespace is free.
 * Source: kumahq/kuma, webhooks/injector and util.MeshOfByLabelOrAnnotation.
 */
export const kumaMesh = 'kuma.io/mesh';

/** Ambient mode and sidecars live in one cluster. */
const istio: readonly Mesh[] = ['istio', 'istio-ambient'];

export const meshKeys: readonly KeyGroup[] = [
  // As far as others are concerned.
  {
    keys: ['topology.istio.io/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'tells Istio in which network the pods are, and so which gateway gets their traffic',
    source: 'Istio (TEN-22)',
    meshes: istio,
  },
  {
    keys: [kumaMesh],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'chooses the mesh of Kuma that pods join, also that of others',
    source: 'https://kuma.io/docs/latest/reference/kubernetes-annotations/ (TEN-22, POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: ['kuma.io/gateway'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes Kuma take the pod for a gateway, which gets the routes and certificates of others',
    source: 'Kuma (POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: ['consul.hashicorp.com/gateway-kind'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes Consul take the pod for a gateway, which gets the traffic of others',
    source: 'Consul (POD-25)',
    meshes: ['consul'],
  },
  {
    keys: ['istio.io/global'],
    on: ['services'],
    protects: 'others-guard',
    effect: 'makes one Service of those of its name in all clusters of the mesh',
    source: 'Istio: multi-cluster in ambient mode (SVC-06)',
    meshes: istio,
  },
  {
    keys: ['mirror.linkerd.io/'],
    on: ['services'],
    protects: 'others-guard',
    effect: 'has Linkerd copy the Service to other clusters, or take it for a copy from there',
    source: 'Linkerd: multi-cluster (SVC-06)',
    meshes: ['linkerd'],
  },

  // As far as the tenant alone is concerned.
  {
    keys: ['istio-injection', 'istio.io/'],
    on: ['namespaces'],
    protects: 'own-protection',
    effect: 'can take the pods of the namespace out of the mesh, or to another control plane or waypoint',
    source: 'https://istio.io/latest/docs/reference/config/labels/ (TEN-21)',
    meshes: istio,
  },
  {
    keys: ['sidecar.istio.io/inject', 'sidecar.istio.io/interceptionMode', 'traffic.sidecar.istio.io/'],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the mesh, whose policies then do not hold',
    source: 'https://istio.io/latest/docs/reference/config/annotations/ (POD-08)',
    meshes: istio,
  },
  {
    keys: [
      ...['inject.istio.io/templates', 'proxy.istio.io/config', 'security.istio.io/tlsMode'],
      ...['sidecar.istio.io/proxyImage', 'sidecar.istio.io/bootstrapOverride', 'sidecar.istio.io/discoveryAddress'],
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can give the pod another proxy or control plane, or traffic without mutual TLS',
    source: 'https://istio.io/latest/docs/reference/config/annotations/ (POD-25)',
    meshes: istio,
  },
  {
    keys: [
      'istio.io/dataplane-mode',
      'istio.io/use-waypoint',
      'istio.io/use-waypoint-namespace',
      'ambient.istio.io/bypass-inbound-capture',
      'ambient.istio.io/dns-capture',
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the ambient mesh or past its waypoint',
    source: 'https://istio.io/latest/docs/reference/config/labels/ (POD-08)',
    meshes: ['istio-ambient'],
  },
  {
    keys: ['linkerd.io/', 'config.linkerd.io/'],
    on: ['namespaces'],
    protects: 'own-protection',
    effect: 'can take the pods of the namespace, or some of their traffic, out of the mesh',
    source: 'https://linkerd.io/2/reference/proxy-configuration/, inherited by every pod (TEN-21)',
    meshes: ['linkerd'],
  },
  {
    keys: ['linkerd.io/inject', 'config.linkerd.io/skip-', 'config.linkerd.io/default-inbound-policy'],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the mesh, or let clients in without an identity',
    source: 'https://linkerd.io/2/reference/proxy-configuration/ (POD-08)',
    meshes: ['linkerd'],
  },
  {
    keys: ['kuma.io/sidecar-injection'],
    on: ['namespaces', 'pods'],
    protects: 'own-protection',
    effect: 'can take pods out of the mesh, whose policies then do not hold',
    source: 'https://kuma.io/docs/latest/reference/kubernetes-annotations/ (TEN-22, POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: [
      'kuma.io/transparent-proxying',
      'kuma.io/direct-access-services',
      'kuma.io/sidecar-env-vars',
      'traffic.kuma.io/exclude-',
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take some traffic of the pod out of the mesh, or its proxy to another control plane',
    source: 'https://kuma.io/docs/latest/reference/kubernetes-annotations/ (POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: ['consul.hashicorp.com/transparent-proxy'],
    on: ['namespaces', 'pods'],
    protects: 'own-protection',
    effect: 'can make the traffic of pods bypass the mesh',
    source: 'https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels (TEN-22, POD-25)',
    meshes: ['consul'],
  },
  {
    keys: [
      'consul.hashicorp.com/connect-inject',
      'consul.hashicorp.com/transparent-proxy-exclude-',
      'consul.hashicorp.com/envoy-extra-args',
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the mesh, or change its proxy',
    source: 'https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels (POD-25)',
    meshes: ['consul'],
  },
];
