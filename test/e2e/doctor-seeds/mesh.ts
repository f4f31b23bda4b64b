import type { Json } from '../doctored-cluster.ts';
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

export const mesh: readonly Seed[] = [
  {
    wrong: 'a mesh that takes plain text',
    ids: ['mesh-mutual-tls'],
    says: /the mode of the mesh is PERMISSIVE, and istio\.mtls is strict/,
    async make(cluster) {
      const undefine = await cluster.made([crds, definition]);
      await untilServed(cluster, path, (text) => text.includes('PeerAuthenticationList'));
      return async () => {
        await undefine();
        await untilServed(cluster, path, (text) => !text.includes('PeerAuthenticationList'));
      };
    },
  },
];
