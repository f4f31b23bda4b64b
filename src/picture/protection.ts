/**
 * What protects traffic beside network policies, as objects of a cluster or of files say it: mutual TLS of Istio, and encryption by the
 * network plugin. For the zero-trust report. What no object says is not known.
 */

import { readMesh } from '../connectivity/mesh.ts';
import { createMutualTls, type ProvenCallers } from '../connectivity/mutual-tls.ts';
import type { Snapshot } from '../connectivity/snapshot.ts';
import { isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { Settings } from '../tenancy/settings.ts';

/** `met` by a plugin that encrypts, `not` by one that says it does not. */
export interface Encryption {
  readonly isOn: boolean;
  /** A sentence. */
  readonly evidence: string;
}

/**
 * files     files do not show what a cluster has
 * not read  the cluster did not list them
 */
export type WebhookState =
  | 'files'
  | 'not read'
  | {
      /** Names of validating webhook configurations of Bulkhead. */
      readonly missing: readonly string[];
      readonly found: readonly string[];
      /** Names of webhooks whose failurePolicy is Ignore. */
      readonly ignoring: readonly string[];
    };

/** Objects of a tenant that a check would reject if they were written now. */
export interface Rejected {
  readonly check: string;
  readonly tenant: string;
  readonly count: number;
}

export interface Protection {
  readonly webhooks: WebhookState;
  /** Undefined: no object of Istio says anything. */
  readonly mutualTls: ProvenCallers | undefined;
  readonly encryption: readonly Encryption[];
  /** What could not be read of the policies and namespaces, each a sentence. */
  readonly problems: readonly string[];
  /** In the order of the catalogue of checks. */
  readonly rejected: readonly Rejected[];
}

export const nothingKnown: Protection = {
  ...{ webhooks: 'files', mutualTls: undefined, encryption: [], problems: [], rejected: [] },
};

/** Kinds beside those of a snapshot that {@link readProtection} has a use for. */
export function isOfProtection(apiVersion: string, kind: string): boolean {
  const group = apiVersion.split('/')[0];
  if (kind === 'FelixConfiguration') return group === 'projectcalico.org' || group === 'crd.projectcalico.org';
  return apiVersion === 'v1' && kind === 'ConfigMap';
}

export function readProtection(
  objects: readonly JsonMap[],
  mesh: Snapshot['mesh'],
  settings: Settings,
): Pick<Protection, 'mutualTls' | 'encryption'> {
  return {
    mutualTls: createMutualTls(readMesh(mesh ?? []), settings.istio?.rootNamespace ?? 'istio-system'),
    encryption: [...ofCilium(objects), ...ofCalico(objects)],
  };
}

/** No tenant may have these: a ConfigMap of another namespace could belong to any tenant. */
const ciliumNamespaces: ReadonlySet<unknown> = new Set(['kube-system', 'cilium']);
/** Of Cilium's own options; both are off by default. */
const ciliumOptions = { 'enable-wireguard': 'WireGuard', 'enable-ipsec': 'IPsec' } as const;

function ofCilium(objects: readonly JsonMap[]): readonly Encryption[] {
  return objects.flatMap((object): readonly Encryption[] => {
    const namespace = valueAt(object, 'metadata', 'namespace');
    const isMeant =
      object.kind === 'ConfigMap' &&
      valueAt(object, 'metadata', 'name') === 'cilium-config' &&
      ciliumNamespaces.has(namespace);
    if (!isMeant) return [];
    const where = `ConfigMap ${namespace}/cilium-config`;
    const on = Object.entries(ciliumOptions).filter(([key]) => valueAt(object, 'data', key) === 'true');
    return on.length === 0
      ? [{ isOn: false, evidence: `${where} turns on neither enable-wireguard nor enable-ipsec.` }]
      : on.map(([key, name]) => ({
          isOn: true,
          evidence: `${where} has ${key}: Cilium encrypts traffic between pods of different nodes with ${name}.`,
        }));
  });
}

/** The one named default is for every node; one named node.NAME overrides it for that node. */
function ofCalico(objects: readonly JsonMap[]): readonly Encryption[] {
  const configurations = new Map<unknown, unknown>();
  for (const object of objects)
    if (object.kind === 'FelixConfiguration') configurations.set(valueAt(object, 'metadata', 'name'), object.spec);
  const own = configurations.get('default');
  if (configurations.size === 0) return [];
  const off = [...configurations].filter(
    ([name, spec]) => name !== 'default' && isMap(spec) && spec.wireguardEnabled === false,
  );
  if (valueAt(own, 'wireguardEnabled') !== true)
    return [{ isOn: false, evidence: 'FelixConfiguration default does not have wireguardEnabled: true.' }];
  return [
    {
      isOn: true,
      evidence:
        'FelixConfiguration default has wireguardEnabled: Calico encrypts IPv4 traffic between pods of different nodes with WireGuard.',
    },
    ...off.map(([name]) => ({
      isOn: false,
      evidence: `FelixConfiguration ${String(name)} turns wireguardEnabled off.`,
    })),
  ];
}
