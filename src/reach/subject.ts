/**
 * Whether the pods that a rule is about are the tenant's. Gates and shared services do not count: they agree on peers for the tenant's
 * own pods, and give no control over the pods of others.
 */
import { domainFor, witnessLabels } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import type { Fix } from './fix.ts';
import type { Subject } from './model.ts';
import { ownershipOf } from './namespace-name.ts';
import { namesIn, trustedIn } from './trusted-label.ts';
import type { Border, Violation } from './violation.ts';
import { anotherTenant, describeWitness } from './witness.ts';

/** Undefined: contained in the tenant. */
export function judgeSubject({ namespaces, pods }: Subject, border: Border): Violation | undefined {
  if (namespaces === undefined) return undefined;
  const { tenant, tenancy } = border;
  const { tenantLabel } = tenancy.settings;
  const trusted = trustedIn(namespaces, border);
  const { absent, finite, values } = domainFor(namespaces, tenantLabel);
  const inTenants = finite ? [...values].find((name) => name !== tenant.name) : anotherTenant(border, values);
  const foreign = trusted.key === undefined ? inTenants : undefined;
  if (foreign === undefined && !absent) return undefined;
  const names = namesIn(trusted, domainFor(namespaces, namespaceNameLabel));
  const unproven = names?.map((name) => ({ name, ownership: ownershipOf(name, border) })) ?? [];
  const example = unproven.find(({ ownership }) => ownership !== 'own' && ownership !== 'unknown');
  const fix: Fix = { id: 'select-own-pods' };
  if (names !== undefined && example === undefined) {
    if (unproven.every(({ ownership }) => ownership === 'own')) return undefined;
    return { verdict: 'unproven', reason: 'names namespaces of which it was not looked up who has them', fix };
  }
  const tenantOfWitness = absent && example?.ownership === 'platform' ? undefined : foreign;
  const shape = { tenant: tenantOfWitness, name: example?.name, pod: witnessLabels(pods) };
  return {
    verdict: 'escapes',
    reason: `selects pods outside tenant ${tenant.name}; a tenant can open traffic only for its own pods`,
    witness: describeWitness(namespaces, shape, border),
    fix,
  };
}
