import type { DoctoredCluster, Json } from '../doctored-cluster.ts';
import { crds, type Seed, untilServed } from './seed.ts';

const group = 'security.istio.io';
const path = `/apis/${group}/v1/namespaces/istio-system/peerauthentications`;

const definition: Json = {
  metadata: { name: `peerauthentications.${group}` },
  spec: {
    ...{ group, scope: 'Namespaced' },
    names: { plural: 'peerauthentications', singular: 'peerauthentication', kind: 'PeerAuthentication' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** A mesh with one PeerAuthentication in its root namespace. */
const meshWith = (mtls: Json, more: Json = {}) =>
  meshOf([
    path,
    { apiVersion: `${group}/v1`, kind: 'PeerAuthentication', metadata: { name: 'own' }, spec: { mtls, ...more } },
  ]);

const meshOf =
  (...policies: readonly (readonly [path: string, object: Json])[]) =>
  async (cluster: DoctoredCluster) => {
    const undefine = await cluster.made([crds, definition]);
    await untilServed(cluster, path, (text) => text.includes('PeerAuthenticationList'));
    const unmake = await cluster.made(...policies);
    return async () => {
      await unmake();
      await undefine();
      await untilServed(cluster, path, (text) => !text.includes('PeerAuthenticationList'));
    };
  };

const settings: Seed['settings'] = ({ istio }) => Object.assign(istio as Json, { mtls: 'permissive', mtlsGrants: [] });

export const mesh: readonly Seed[] = [
  {
    wrong: 'a mesh that takes plain text',
    ids: ['mesh-mutual-tls'],
    says: /the mode of the mesh is PERMISSIVE, and istio\.mtls is strict/,
    make: meshOf(),
  },
  { wrong: 'nothing: a mesh as the settings say', ids: [], make: meshWith({ mode: 'STRICT' }) },
  {
    wrong: 'a mesh that asks for mutual TLS of some pods alone',
    ids: ['mesh-mutual-tls'],
    says: /the mode of the mesh is PERMISSIVE, and istio\.mtls is strict/,
    make: meshWith({ mode: 'STRICT' }, { selector: { matchLabels: { app: 'gateway' } } }),
  },
  {
    wrong: 'a mesh that is stricter than the settings',
    ids: ['mesh-mutual-tls'],
    says: /the mode of the mesh is STRICT, and istio\.mtls is permissive/,
    make: meshWith({ mode: 'STRICT' }),
    settings,
  },
  {
    wrong: 'nothing: a mesh and settings that take plain text',
    ids: [],
    make: meshWith({ mode: 'PERMISSIVE' }),
    settings,
  },
];
