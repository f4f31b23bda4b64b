/** Label and annotation keys that are the platform's: the built-in ones, and what the settings add, release and allow. */
import { builtInKeys, formerKeys, keyGroups, ownKeys } from '../keys/built-in-keys.ts';
import type { KeyCarrier } from '../keys/key-group.ts';
import { covers, type ReservedKey } from '../keys/reserved-keys.ts';
import { excerpt } from '../kubernetes/json.ts';
import { requesterKeys } from './parse-namespace-grants.ts';
import { trustedKeys } from './parse-trusted-labels.ts';
import type { Report } from './problem.ts';
import type { SettingsDocument } from './schema/settings-schema.ts';
import type { Settings } from './settings.ts';
import { suggestion } from './suggestion.ts';

type Reserved = Pick<Settings, `reserved${'Namespace' | 'Pod' | 'Policy' | 'Service' | 'Route'}Keys` | 'allowedValues'>;

export function parseReserved(
  { reserved = {}, network, mesh, platform = {}, trustedNamespaceLabels }: SettingsDocument['spec'],
  report: Report,
): Reserved {
  const released = parseReleased(reserved.released ?? [], report);
  const profile = { plugin: network?.plugin, mesh };
  /** What the settings add holds as it stands there: an added beginning stands for the built-in keys below it, too. */
  const keysOn = (
    carrier: KeyCarrier,
    field: 'namespaceKeys' | 'podKeys' | 'policyKeys' | 'serviceKeys' | 'routeKeys',
  ): readonly ReservedKey[] => {
    const added = [...new Set(reserved[field])];
    const builtIn = builtInKeys(carrier, profile).filter(
      ({ entry }) => !released.has(entry) && !added.some((one) => covers(one, entry)),
    );
    return [...builtIn, ...added.map((entry) => addedKey(entry, `reserved.${field}`))];
  };
  return {
    reservedNamespaceKeys: [
      ...trustedKeys(trustedNamespaceLabels),
      ...requesterKeys(platform),
      ...keysOn('namespaces', 'namespaceKeys'),
    ],
    reservedPodKeys: keysOn('pods', 'podKeys'),
    reservedPolicyKeys: keysOn('policies', 'policyKeys'),
    reservedServiceKeys: keysOn('services', 'serviceKeys'),
    reservedRouteKeys: keysOn('routes', 'routeKeys'),
    allowedValues: parseAllowedValues(reserved, report),
  };
}

/** Refused in every mode: its effect is not known here. */
function addedKey(entry: string, field: string): ReservedKey {
  return { entry, protects: 'identity', effect: 'is one that the platform team has reserved', settings: [field] };
}

function parseReleased(keys: readonly string[], report: Report): ReadonlySet<string> {
  const builtIn = builtInEntries();
  for (const [index, key] of keys.entries()) {
    if (builtIn.includes(key) || formerKeys.includes(key)) continue;
    const steps = ['spec', 'reserved', 'released', index];
    if (isOwn(key)) {
      report(steps, `${key} belongs to Bulkhead and cannot be released`, 'leave it out');
      continue;
    }
    const covering = builtIn.find((entry) => covers(entry, key));
    const meant = covering ?? suggestion(key, builtIn);
    report(
      steps,
      `${excerpt(key)} is not an entry of the built-in lists`,
      meant === undefined ? 'leave it out' : `did you mean ${meant}?`,
    );
  }
  return new Set(keys);
}

function parseAllowedValues(
  reserved: NonNullable<SettingsDocument['spec']['reserved']>,
  report: Report,
): ReadonlyMap<string, ReadonlySet<string>> {
  const { allowedValues = [], namespaceKeys = [], podKeys = [], policyKeys = [] } = reserved;
  const { serviceKeys = [], routeKeys = [] } = reserved;
  const entries = [...builtInEntries(), ...namespaceKeys, ...podKeys, ...policyKeys, ...serviceKeys, ...routeKeys];
  const allowed = new Map<string, ReadonlySet<string>>();
  for (const [index, { key, values }] of allowedValues.entries()) {
    const steps = ['spec', 'reserved', 'allowedValues', index, 'key'];
    if (isOwn(key)) report(steps, `${key} belongs to Bulkhead, and tenants set no value of it`, 'leave it out');
    else if (!entries.some((entry) => covers(entry, key))) {
      report(steps, `${excerpt(key)} is not reserved, so tenants may set every value of it`, 'leave it out');
    }
    allowed.set(key, new Set([...(allowed.get(key) ?? []), ...values]));
  }
  return allowed;
}

function isOwn(key: string): boolean {
  return ownKeys.some((own) => key.startsWith(own));
}

/** Of every profile: what is released may stand there whatever the plugin and the mesh are. */
function builtInEntries(): readonly string[] {
  return [...new Set(keyGroups.flatMap(({ keys }) => keys))].filter((key) => !ownKeys.includes(key));
}
