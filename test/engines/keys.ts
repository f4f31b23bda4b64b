/**
 * Random settings of reserved keys, and which keys of a pod are to be found as docs/settings.md says it: written a second time, on the
 * documents, so that it shares no code with src/checks/reserved-labels.ts.
 */
import fc from 'fast-check';
import { addressAnnotations } from '../../src/checks/pod-addresses.ts';
import { keyGroups, ownKeys } from '../../src/keys/built-in-keys.ts';
import { covers, isBeginning, isEnding } from '../../src/keys/reserved-keys.ts';
import type { WrittenReserved } from '../reach/evaluator.ts';
import type { Rollout, SentPod } from './exemptions.ts';

/** Entries of pods that a platform may release. */
const entriesOfPods = [...new Set(keyGroups.filter(({ on }) => on.includes('pods')).flatMap(({ keys }) => keys))];
const releasable = entriesOfPods.filter((entry) => !ownKeys.includes(entry));
const keyOf = (entry: string): string =>
  isEnding(entry) ? `x${entry.slice(1)}` : isBeginning(entry) ? `${entry}x` : entry;
/** Every built-in key of pods, and one that is nobody's. No value is one that every tenant may set (free-values.ts). */
export const keysOfPods = [...entriesOfPods.map(keyOf), 'example.com/x'];
export const reserved: fc.Arbitrary<WrittenReserved> = fc.record({
  released: fc.subarray(releasable, { maxLength: 40 }),
  allowedValues: fc
    .subarray(
      releasable.map(keyOf).filter((key) => !key.includes(':')),
      { maxLength: 40 },
    )
    .map((keys) => keys.map((key) => ({ key, values: ['y'] }))),
});

/** Lists of what passes by the mesh: every tenant may remove them. */
const removable = [
  ...['excludeInboundPorts', 'excludeOutboundPorts', 'excludeOutboundIPRanges', 'excludeInterfaces'].map(
    (name) => `traffic.sidecar.istio.io/${name}`,
  ),
  ...['inbound-ports', 'outbound-ports', 'inbound-ips', 'outbound-ips'].map(
    (name) => `traffic.kuma.io/exclude-${name}`,
  ),
  ...['inbound-ports', 'outbound-ports', 'outbound-cidrs'].map(
    (name) => `consul.hashicorp.com/transparent-proxy-exclude-${name}`,
  ),
  'k8s.v1.cni.cncf.io/networks',
];

/**
 * The keys of a pod that are to be found, by their paths, where the cluster has the plugin and the mesh of the profile, and the settings
 * release keys and allow values: docs/settings.md, line by line. `always`: in every mode, because it concerns others.
 */
export function reservedIn(
  { pod, before }: SentPod,
  { profile }: Pick<Rollout, 'profile'>,
): ReadonlyMap<string, { readonly always: boolean }> {
  const { plugin, mesh, reserved = { released: [], allowedValues: [] } } = profile;
  const isUnknown = plugin === undefined || plugin === 'other';
  const groups = keyGroups.filter(
    ({ on, plugins, meshes }) =>
      on.includes('pods') &&
      (isUnknown || plugins === undefined || plugins.some((one) => one === plugin)) &&
      (mesh === undefined || meshes === undefined || meshes.some((one) => one === mesh)),
  );
  const found = new Map<string, { readonly always: boolean }>();
  for (const map of ['labels', 'annotations'] as const) {
    const [after, stored] = [new Map(Object.entries(pod.metadata[map])), new Map(Object.entries(before?.[map] ?? {}))];
    for (const key of new Set([...after.keys(), ...stored.keys()])) {
      const value = after.get(key);
      if (value === stored.get(key)) continue;
      if (value === undefined && removable.includes(key)) continue;
      if (reserved.allowedValues.some((one) => one.key === key && one.values.some((allowed) => allowed === value)))
        continue;
      // Those have a check of their own.
      if (map === 'annotations' && addressAnnotations.has(key)) continue;
      const reserving = groups.filter(({ keys }) =>
        keys.some((entry) => !reserved.released.includes(entry) && covers(entry, key)),
      );
      const always = reserving.some(({ protects }) => protects !== 'own-protection');
      if (reserving.length > 0) found.set(`metadata.${map}[${key}]`, { always });
    }
  }
  return found;
}

const withCilium: readonly unknown[] = [undefined, 'other', 'cilium', 'aws-vpc-cni', 'azure-cni', 'gke'];

/** Whether Cilium may be what reads these labels, of which the platform has given none away, and none was there before. */
export function isReadByCilium(
  { pod, before }: SentPod,
  { profile: { plugin, reserved: given } }: Pick<Rollout, 'profile'>,
): boolean {
  if (!withCilium.includes(plugin)) return false;
  return Object.entries(pod.metadata.labels).every(
    ([key, value]) =>
      // The API server takes no other keys of labels.
      /^([-a-z0-9.]+\/)?[-A-Za-z0-9_.]+$/.test(key) &&
      before?.labels[key] !== value &&
      given?.released.some((entry) => covers(entry, key)) !== true &&
      given?.allowedValues.some((one) => one.key === key && one.values.includes(value)) !== true,
  );
}
