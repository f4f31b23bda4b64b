/** Whether the mesh itself asks of callers what tenants must keep, no less and no more: where theirs say nothing, they inherit from it (checks/mutual-tls.ts). */
import { isMap, valueAt } from '../kubernetes/json.ts';
import { type MutualTls, mutualTlsModes } from '../tenancy/istio-settings.ts';
import type { DoctorCheck } from './check.ts';

export const meshMutualTls: DoctorCheck = {
  about: 'mutual TLS of the mesh',
  findings: {
    'mesh-mutual-tls': {
      severity: 'warning',
      meaning:
        'the mode of the mesh is not istio.mtls of the settings. A weaker one lets callers by plain text in where tenants write no PeerAuthentication; under a stricter one, tenants may ask less than the mesh does',
      fix: 'write a PeerAuthentication without selector into the root namespace of the mesh, and the same mode into istio.mtls; list who needs less in istio.mtlsGrants',
    },
  },
  async look({ tenancy, get, found }) {
    const { istio } = tenancy.settings;
    if (istio === undefined) return;
    const { rootNamespace, mtls } = istio;
    const path = `namespaces/${rootNamespace}/peerauthentications`;
    // Istio before 1.22 serves the older version alone.
    const list =
      (await get(`/apis/security.istio.io/v1/${path}`)) ?? (await get(`/apis/security.istio.io/v1beta1/${path}`));
    const items = valueAt(list, 'items');
    if (!Array.isArray(items)) return;
    const mode = modeOfMesh(items);
    if (mode === mtls) return;
    found('mesh-mutual-tls', {
      where: `namespace ${rootNamespace}`,
      why: `the mode of the mesh is ${mode.toUpperCase()}, and istio.mtls is ${mtls}`,
    });
  },
};

/** Of several for the whole mesh, the oldest counts; without any, Istio takes plain text as well (ComposePeerAuthentication). */
function modeOfMesh(policies: readonly unknown[]): MutualTls {
  const [oldest] = policies.filter(isForMesh).toSorted((one, other) => (createdAt(one) < createdAt(other) ? -1 : 1));
  const written = valueAt(oldest, 'spec', 'mtls', 'mode');
  return mutualTlsModes.find((one) => one.toUpperCase() === written) ?? 'permissive';
}

function isForMesh(policy: unknown): boolean {
  const labels = valueAt(policy, 'spec', 'selector', 'matchLabels');
  return !isMap(labels) || Object.keys(labels).length === 0;
}

function createdAt(policy: unknown): string {
  return String(valueAt(policy, 'metadata', 'creationTimestamp'));
}
