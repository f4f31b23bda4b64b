/**
 * Which pods take connections with mutual TLS of Istio alone, and name those who may connect by their proven identity. Facts of
 * istio.io/docs/reference/config/security: peer_authentication, authorization-policy.
 */
import { isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { PodClass } from './parties.ts';

export interface MutualTls {
  /** The mesh has the pod, and each of its TCP ports demands mutual TLS. */
  isStrict(pods: PodClass): boolean;
  /** Policies that allow are about the pod, and every rule of them names callers by their identity. */
  isByIdentity(pods: PodClass): boolean;
}

type Mode = 'STRICT' | 'PERMISSIVE' | 'DISABLE' | 'UNSET';

interface About {
  readonly namespace: string;
  /** Undefined: every pod. */
  readonly labels: JsonMap | undefined;
}

interface PeerAuthentication extends About {
  readonly mode: Mode;
  readonly hasWeakPort: boolean;
}

interface Authorization extends About {
  readonly isByIdentity: boolean;
}

/** @returns undefined: none of the objects is a PeerAuthentication */
export function createMutualTls(objects: readonly JsonMap[], root: string): MutualTls | undefined {
  const istio = objects.filter(({ apiVersion }) => String(apiVersion).startsWith('security.istio.io/'));
  const peers = istio.filter(({ kind }) => kind === 'PeerAuthentication').map(peerOf);
  if (peers.length === 0) return undefined;
  const policies = istio.filter(isAllowing).map(authorizationOf);
  return {
    isStrict(pods) {
      if (!isInMesh(pods)) return false;
      const own = peers.filter((one) => one.namespace === pods.namespace.name);
      const mesh = peers.filter((one) => one.namespace === root && one.labels === undefined);
      const scopes = [
        own.filter((one) => one.labels !== undefined && selects(one, pods)),
        own.filter((one) => one.labels === undefined),
        mesh,
      ];
      // Of several that have the same scope one counts, the oldest; the weakest is taken for it.
      for (const scope of scopes) {
        if (scope.some(({ hasWeakPort }) => hasWeakPort)) return false;
        const set = scope.filter(({ mode }) => mode !== 'UNSET');
        if (set.length > 0) return set.every(({ mode }) => mode === 'STRICT');
      }
      return false;
    },
    isByIdentity(pods) {
      const about = policies.filter(
        (one) => (one.namespace === pods.namespace.name || one.namespace === root) && selects(one, pods),
      );
      return about.length > 0 && about.every((one) => one.isByIdentity);
    },
  };
}

function peerOf({ metadata, spec }: JsonMap): PeerAuthentication {
  const ports = valueAt(spec, 'portLevelMtls');
  const weak = isMap(ports) ? Object.values(ports).filter((one) => !['STRICT', 'UNSET'].includes(modeOf(one))) : [];
  return { ...aboutOf(metadata, spec), mode: modeOf(valueAt(spec, 'mtls')), hasWeakPort: weak.length > 0 };
}

/** What is not a mode counts as one that demands nothing. */
function modeOf(mtls: unknown): Mode {
  const mode = valueAt(mtls, 'mode') ?? 'UNSET';
  return mode === 'STRICT' || mode === 'UNSET' || mode === 'DISABLE' ? mode : 'PERMISSIVE';
}

function aboutOf(metadata: unknown, spec: unknown): About {
  const labels = valueAt(spec, 'selector', 'matchLabels');
  return {
    namespace: String(valueAt(metadata, 'namespace') ?? ''),
    labels: isMap(labels) && Object.keys(labels).length > 0 ? labels : undefined,
  };
}

/** One of a mesh's gateway or Service (targetRefs) is about no pod that is asked about. */
function isAllowing({ kind, spec, metadata }: JsonMap): boolean {
  if (kind !== 'AuthorizationPolicy' || valueAt(spec, 'targetRef') !== undefined) return false;
  if (valueAt(spec, 'targetRefs') !== undefined) return false;
  if (valueAt(metadata, 'annotations', 'istio.io/dry-run') === 'true') return false;
  return ['ALLOW', undefined].includes(valueAt(spec, 'action') as string | undefined);
}

const identityFields = ['principals', 'namespaces', 'serviceAccounts'] as const;

function authorizationOf({ metadata, spec }: JsonMap): Authorization {
  const rules = listOf(valueAt(spec, 'rules'));
  // Without rules it allows nobody.
  const isByIdentity = rules.every((rule) => {
    const from = listOf(valueAt(rule, 'from'));
    return (
      from.length > 0 && from.every((one) => identityFields.some((field) => isNarrow(valueAt(one, 'source', field))))
    );
  });
  return { ...aboutOf(metadata, spec), isByIdentity };
}

function isNarrow(names: unknown): boolean {
  const listed = listOf(names);
  return listed.length > 0 && !listed.includes('*');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function selects({ labels }: About, pods: PodClass): boolean {
  return labels === undefined || Object.entries(labels).every(([key, value]) => pods.labels.get(key) === value);
}

const injection = 'sidecar.istio.io/inject';
const dataPlane = 'istio.io/dataplane-mode';

/** By the labels that put pods into the mesh; whether the proxy is there is not asked. */
function isInMesh({ labels, namespace }: PodClass): boolean {
  const mode = labels.get(dataPlane) ?? namespace.labels.get(dataPlane);
  if (mode === 'ambient') return true;
  const own = labels.get(injection);
  if (own !== undefined) return own === 'true';
  const written = namespace.labels.get('istio-injection');
  if (written !== undefined) return written === 'enabled';
  return namespace.labels.has('istio.io/rev') || labels.has('istio.io/rev');
}
