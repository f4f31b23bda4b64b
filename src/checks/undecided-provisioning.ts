/** What is said of a namespace that a provisioner creates, where nothing tells whose it is. */
import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import type { Ownership, WhyProvisionedUndecided } from '../tenancy/ownership.ts';
import type { Finding, NamespaceFacts } from './check.ts';

type Why = Extract<Ownership, { readonly kind: 'undecided' }>['why'];

export function isAboutProvisioned(why: Why): why is WhyProvisionedUndecided {
  return why !== 'unaffiliated' && why !== 'not-a-member' && why !== 'unknown-tenant' && why !== 'several';
}

/** The namespace becomes the platform's, with a warning. A reader of the warning can name the right owner. */
export function becomesThePlatforms(
  request: NamespaceRequest,
  why: WhyProvisionedUndecided,
  facts: NamespaceFacts,
): Finding {
  const finding = undecidedFor(request, why, facts);
  const headline = 'becomes a namespace of the platform';
  return {
    ...finding,
    reason: `makes it a namespace of the platform: ${finding.reason}`,
    headline,
    protects: 'intent',
  };
}

/** For the provisioner, which often shows it to its user: it must not name tenants of others. */
export function undecidedFor(
  { object, name }: NamespaceRequest,
  why: WhyProvisionedUndecided,
  { grant, tenancy }: NamespaceFacts,
): Finding {
  const { tenantFrom = '', name: provisioner = '' } = grant?.provisioner ?? {};
  const asker = entry(object.metadata?.annotations, tenantFrom) ?? '';
  const annotation = `metadata.annotations[${tenantFrom}]`;
  const setting = `platform.provisioners, ${provisioner}`;
  switch (why) {
    case 'no-requester':
      return {
        path: annotation,
        reason: 'names no requester, so the tenant is not known',
        fix: `have the provisioner write the user name there (settings: ${setting})`,
      };
    case 'requester-unaffiliated':
      return {
        path: annotation,
        reason: `names ${asker}, who is not listed as a member of any tenant; the groups of that user are not known here`,
        fix: `ask the platform team to list ${asker} by name under members of its tenant`,
      };
    case 'requester-several':
      return {
        path: annotation,
        reason: `names ${asker}, who is a member of several tenants`,
        fix: 'choose a name that is reserved for one of them',
      };
    case 'name-not-reserved':
      return {
        path: 'metadata.name',
        reason: `${name} is not a reserved name, so the tenant is not known`,
        fix: `choose a name that is reserved for a tenant, or set tenantFrom (settings: ${setting})`,
      };
    case 'name-of-others':
      return {
        path: 'metadata.name',
        reason: `${name} is reserved for another tenant or for the platform, and ${annotation} names ${asker}`,
        fix: 'choose a name that is not reserved, or one that is reserved for the tenant of that user',
      };
    case 'other-label':
      return {
        path: `metadata.labels[${tenancy.settings.tenantLabel}]`,
        reason: 'is not the tenant of the requester or of the name; a provisioner does not write it',
        fix: 'leave the label out',
      };
  }
}
