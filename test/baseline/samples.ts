/** Tenants and settings for tests of what is put in place. */
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { Settings, SharedService } from '../../src/tenancy/settings.ts';
import type { LimitRangeSpec, Mode, Tenant } from '../../src/tenancy/tenant.ts';

export interface TenantSample {
  readonly name?: string;
  readonly mode?: Mode;
  readonly within?: Tenant['network']['within'];
  readonly resourceQuota?: Readonly<Record<string, unknown>>;
  readonly limitRange?: LimitRangeSpec;
}

export function tenant(sample: TenantSample): Tenant {
  const { name = 'acme', mode = 'enforce', within = 'tenant', resourceQuota, limitRange } = sample;
  return {
    name,
    labels: new Map(),
    mode,
    isolation: 'hard',
    members: [{ kind: 'Group', name: `${name}-developers` }],
    reserved: new Map([[`${name}-`, ['spec', 'namespaces', 'prefix']]]),
    limit: undefined,
    resourceQuota,
    ...(limitRange && { limitRange }),
    network: { within, egressRanges: [], egress: [], vouched: [], names: [], gates: [] },
  };
}

export function settings(sharedServices: readonly SharedService[]): Settings {
  return {
    docsURL: 'docs',
    enforcement: 'enforce',
    tenantLabel: 'bulkhead.dev/tenant',
    platform: {
      identities: [{ kind: 'Group', name: 'system:masters' }],
      schedulers: [],
      namespaces: new Set(['kube-system']),
      prefixes: ['kube-'],
      namespaceWriters: [],
      provisioners: [],
      networkAgents: [],
    },
    reservedNamespaceKeys: [],
    reservedPodKeys: [],
    reservedPolicyKeys: [],

    reservedServiceKeys: [],
    reservedRouteKeys: [],
    services: defaultSettings.services,
    rights: defaultSettings.rights,
    routes: defaultSettings.routes,
    allowedValues: new Map(),
    podSecurityDefault: undefined,
    pods: defaultSettings.pods,
    policyKinds: [],
    calicoTiers: defaultSettings.calicoTiers,
    previewModes: defaultSettings.previewModes,
    protectedRanges: [],
    unlistedFamilies: [4, 6],
    sharedServices,
    trustedLabels: new Map(),
    gates: defaultSettings.gates,
  };
}
