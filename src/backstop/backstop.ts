/**
 * The backstop: ValidatingAdmissionPolicies that double some checks of the catalogue inside the API server, so that what the proofs
 * of all tenants rest on holds without Bulkhead, too (docs/outage.md, docs/decisions/0023).
 */

import { isExemptable } from '../checks/check.ts';
import { namespaceSelector } from '../kinds/selected-namespaces.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Exemption } from '../tenancy/exemption.ts';
import { probeTenant } from '../tenancy/probe.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { ephemeralContainers } from './ephemeral-containers.ts';
import { exemptedBy } from './exempted.ts';
import { exemptionWriters } from './exemption-writers.ts';
import { allOf, anyOf, literal } from './expressions.ts';
import { foreignNamespace } from './foreign-namespace.ts';
import { grantVariables, hasGrants, isAmong, subjectNames } from './grants.ts';
import { hostNamespaces } from './host-namespaces.ts';
import { hostNetwork } from './host-network.ts';
import { hostPath } from './host-path.ts';
import { hostPorts } from './host-ports.ts';
import { managedPolicy } from './managed-policy.ts';
import { namespaceFinalize } from './namespace-finalize.ts';
import { namespaceOwnerReferences } from './namespace-owner-references.ts';
import { networkCapabilities } from './network-capabilities.ts';
import { networkVolumes } from './network-volumes.ts';
import { newNamespace } from './new-namespace.ts';
import { platformKinds } from './platform-kinds.ts';
import { probeHost } from './probe-host.ts';
import { protectsOf, type Rule } from './rule.ts';
import { tenantLabelFrozen } from './tenant-label-frozen.ts';
import { tolerations } from './tolerations.ts';
import { trustedLabels } from './trusted-labels.ts';
import { unknownPolicyKind } from './unknown-policy-kind.ts';

export const rules: readonly Rule[] = [
  exemptionWriters,
  foreignNamespace,
  newNamespace,
  tenantLabelFrozen,
  trustedLabels,
  namespaceOwnerReferences,
  namespaceFinalize,
  managedPolicy,
  platformKinds,
  unknownPolicyKind,
  hostNetwork,
  hostNamespaces,
  hostPath,
  networkCapabilities,
  hostPorts,
  probeHost,
  ephemeralContainers,
  tolerations,
  networkVolumes,
];

/**
 * Where the rules that need to know tenants take them from.
 * `listed`: these tenants, as they are now; `objects`: the Tenant objects that there are when a request comes.
 */
export type TenantSource =
  | { readonly from: 'listed'; readonly tenants: readonly Tenant[] }
  | { readonly from: 'objects' };

/** On every policy and binding. */
export const stampAnnotation = 'bulkhead.dev/backstop';

/**
 * In the order in which they are to be applied: a policy does nothing before its binding is there.
 *
 * @param exemptions those that are in force now
 * @param stamp tells whether the backstop in a cluster is this one
 */
export function backstopOf(
  settings: Settings,
  source: TenantSource,
  exemptions: readonly Exemption[] = [],
  stamp = '',
): readonly object[] {
  return rules.flatMap((rule) => [
    policyOf(rule, settings, source, exemptions, stamp),
    bindingOf(rule, settings, source, stamp),
  ]);
}

/** Also the name of its binding. A refusal begins with it. */
export function policyName({ check, name }: Rule): string {
  return `bulkhead-${name ?? check.id}`;
}

function metadataOf(rule: Rule, stamp: string): object {
  return {
    name: policyName(rule),
    annotations: { [stampAnnotation]: stamp },
    labels: { 'app.kubernetes.io/component': 'backstop', 'app.kubernetes.io/name': 'bulkhead' },
  };
}

function policyOf(
  rule: Rule,
  settings: Settings,
  source: TenantSource,
  exemptions: readonly Exemption[],
  stamp: string,
): object {
  const { check, kind, on } = rule;
  const ofPods = isExemptable(protectsOf(rule));
  const key = literal(settings.tenantLabel);
  const admits = rule.admits(key, settings);
  // Variables: the API server bounds the length of an expression, and computes a variable when it is used.
  // An exemption is of an object in a namespace of a tenant, and the other rules are about none.
  const exempted = ofPods ? exemptedBy(rule, settings, exemptions) : [];
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: metadataOf(rule, stamp),
    spec: {
      failurePolicy: 'Fail',
      ...(asksTenants(rule) &&
        source.from === 'objects' && { paramKind: { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant' } }),
      matchConstraints: {
        matchPolicy: 'Equivalent',
        ...(kind !== 'Namespace' &&
          kind !== 'Exemption' &&
          kind !== 'object' && { namespaceSelector: namespaceSelector(ofPods ? settings.tenantLabel : undefined) }),
        resourceRules: on,
      },
      variables: [...variablesOf(rule, settings, source), ...exempted],
      validations: [
        {
          expression: ofPods
            ? anyOf(admits, '!variables.enforced', ...(exempted.length === 0 ? [] : ['variables.exempted']))
            : admits,
          // No line breaks: the API server takes none.
          message: `the ${kind} ${check.headline} (${check.id}, ${docsPage(settings, `checks/${check.id}.md`)})`,
          reason: 'Forbidden',
        },
      ],
    },
  };
}

function bindingOf(rule: Rule, { enforcement }: Settings, source: TenantSource, stamp: string): object {
  const params = asksTenants(rule) && source.from === 'objects';
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: metadataOf(rule, stamp),
    spec: {
      policyName: policyName(rule),
      validationActions: [enforcement === 'observe' ? 'Warn' : 'Deny'],
      // Every Tenant is asked; without one there is no border to keep.
      ...(params && { paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } }),
    },
  };
}

function asksTenants(rule: Rule): boolean {
  return protectsOf(rule) === 'border' || rule.about === 'members';
}

function variablesOf(rule: Rule, settings: Settings, source: TenantSource): readonly object[] {
  const { about, grants } = rule;
  const key = literal(settings.tenantLabel);
  const protects = protectsOf(rule);
  if (protects === 'border') return [{ name: 'enforced', expression: enforcedOf(key, source) }];
  if (protects === 'node') return [{ name: 'enforced', expression: `${ownerOf(key)} != ${literal(probeTenant)}` }];
  const platform = { name: 'platform', expression: isAmong(settings.platform.identities) };
  if (grants === true && hasGrants(settings)) return [platform, ...grantVariables(settings)];
  return about === 'members' ? [platform, { name: 'spokenFor', expression: spokenForOf(key, source) }] : [platform];
}

/** The tenant of the namespace of the request. */
const ownerOf = (key: string): string => `namespaceObject.metadata.?labels[?${key}].orValue("")`;

/** Whether the namespace of the request belongs to a tenant in mode `enforce`. */
function enforcedOf(key: string, source: TenantSource): string {
  const owner = ownerOf(key);
  if (source.from === 'objects')
    return allOf(`${owner} == params.metadata.name`, 'params.spec.?mode.orValue("enforce") == "enforce"');
  const enforced = source.tenants.filter(({ mode }) => mode === 'enforce').map(({ name }) => name);
  return `${owner} in ${literal(enforced)}`;
}

/** Whether the requester is listed as a member of the tenant that the object's label names; of a tenant that is not known, everybody is. */
function spokenForOf(key: string, source: TenantSource): string {
  const label = `object.metadata.?labels[?${key}].orValue("")`;
  const groups = 'request.userInfo.?groups.orValue([])';
  if (source.from === 'objects')
    return anyOf(
      `${label} != params.metadata.name`,
      `params.spec.?members.orValue([]).exists(member, member.kind == "User" ? member.name == request.userInfo.username : member.kind == "Group" && member.name in ${groups})`,
    );
  return allOf(
    ...source.tenants.map(({ name, members }) => {
      const { users, groups: theirs } = subjectNames(members);
      return anyOf(
        `${label} != ${literal(name)}`,
        `request.userInfo.username in ${literal(users)}`,
        `${groups}.exists(group, group in ${literal(theirs)})`,
      );
    }),
    'true',
  );
}
