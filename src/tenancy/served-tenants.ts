/** Which shared services are for which tenant. */
import { matches } from '../kubernetes/label-selector.ts';
import type { SharedService } from './settings.ts';
import type { Tenant } from './tenant.ts';

export function serves({ tenants }: SharedService, { name, labels }: Tenant): boolean {
  if (tenants === undefined) return true;
  return 'names' in tenants ? tenants.names.has(name) : matches(tenants.labels, labels);
}

/** Whether every namespace of its tenants gets a policy that opens it. */
export function isInBaseline({ offer = 'baseline' }: SharedService): boolean {
  return offer === 'baseline';
}
