/** Who is asked about requests besides: the provider of a CUSTOM policy of Istio. The platform has set it up, and says for whom. */
import { formatPath } from '../kubernetes/field-path.ts';
import { excerpt } from '../kubernetes/json.ts';
import type { PeerVerdict } from './border.ts';
import type { Reach } from './model.ts';
import type { Border } from './violation.ts';

export function judgeProviders({ providers = [] }: Reach, { tenancy, tenant }: Border): readonly PeerVerdict[] {
  const granted = tenancy.settings.istio?.providers ?? [];
  return providers
    .filter(({ name }) => !granted.some((one) => one.name === name && (one.tenants?.has(tenant.name) ?? true)))
    .map(({ name, path }) => ({
      ...({ direction: 'ingress', kind: 'identity', verdict: 'unproven', path: formatPath(path) } as const),
      reason: `hands requests to the provider ${excerpt(name)}, which the settings do not list for ${tenant.name}`,
      fix: `write action: ALLOW or DENY instead, or ask the platform to list the provider (settings: istio.providers)`,
    }));
}
