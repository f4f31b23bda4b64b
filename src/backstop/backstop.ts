/**
 * The backstop: ValidatingAdmissionPolicies that double some checks of the catalogue inside the API server, so that what the proofs
 * of all tenants rest on holds without Bulkhead, too (docs/outage.md, docs/decisions/0023).
 */
import type { Settings } from '../tenancy/settings.ts';
import { identity } from '../tenancy/tenancy.ts';
import { allOf, anyOf, literal } from './expressions.ts';
import { foreignNamespace } from './foreign-namespace.ts';
import { hostNamespaces } from './host-namespaces.ts';
import { hostNetwork } from './host-network.ts';
import { hostPath } from './host-path.ts';
import { hostPorts } from './host-ports.ts';
import { managedPolicy } from './managed-policy.ts';
import { namespaceFinalize } from './namespace-finalize.ts';
import { namespaceOwnerReferences } from './namespace-owner-references.ts';
import type { Rule } from './rule.ts';
import { tenantLabelFrozen } from './tenant-label-frozen.ts';

export const rules: readonly Rule[] = [
  foreignNamespace,
  tenantLabelFrozen,
  namespaceOwnerReferences,
  namespaceFinalize,
  managedPolicy,
  hostNetwork,
  hostNamespaces,
  hostPath,
  hostPorts,
];

/**
 * For whom the rules about a tenant's border hold, which follow its mode.
 * `listed`: these tenants, as they are now; `objects`: whichever Tenant objects say so when a request comes.
 */
export type Enforcing = { readonly from: 'listed'; readonly tenants: readonly string[] } | { readonly from: 'objects' };

/** The namespaces inside of which nothing is asked about; manifests/base leaves the same ones out. */
export const unaskedNamespaces: readonly string[] = ['kube-system', 'bulkhead-system'];

/** In the order in which they are to be applied: a policy does nothing before its binding is there. */
export function backstopOf(settings: Settings, enforcing: Enforcing): readonly object[] {
  return rules.flatMap((rule) => [policyOf(rule, settings, enforcing), bindingOf(rule, enforcing)]);
}

/** Also the name of its binding. A refusal begins with it. */
export function policyName({ check }: Rule): string {
  return `bulkhead-${check.id}`;
}

function metadataOf(rule: Rule): object {
  return {
    name: policyName(rule),
    labels: { 'app.kubernetes.io/component': 'backstop', 'app.kubernetes.io/name': 'bulkhead' },
  };
}

function policyOf(rule: Rule, settings: Settings, enforcing: Enforcing): object {
  const { check, kind, on } = rule;
  const border = check.protects === 'border';
  const key = literal(settings.tenantLabel);
  const admits = rule.admits(key);
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: metadataOf(rule),
    spec: {
      failurePolicy: 'Fail',
      ...(border &&
        enforcing.from === 'objects' && { paramKind: { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant' } }),
      matchConstraints: {
        matchPolicy: 'Equivalent',
        ...(kind !== 'Namespace' && { namespaceSelector: selectorOf(border ? settings.tenantLabel : undefined) }),
        resourceRules: on,
      },
      variables: [
        border
          ? { name: 'enforced', expression: enforcedOf(key, enforcing) }
          : { name: 'platform', expression: platformOf(settings) },
      ],
      validations: [
        {
          expression: border ? anyOf(admits, '!variables.enforced') : admits,
          // No line breaks: the API server takes none.
          message: `the ${kind} ${check.headline} (${check.id}, docs/checks/${check.id}.md)`,
          reason: 'Forbidden',
        },
      ],
    },
  };
}

function bindingOf(rule: Rule, enforcing: Enforcing): object {
  const params = rule.check.protects === 'border' && enforcing.from === 'objects';
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: metadataOf(rule),
    spec: {
      policyName: policyName(rule),
      validationActions: ['Deny'],
      // Every Tenant is asked; without one, nobody's border is anybody's business.
      ...(params && { paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } }),
    },
  };
}

/** By the one label that nobody can change; and, for a border, namespaces of tenants alone. */
function selectorOf(tenantLabel: string | undefined): object {
  const asked = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: unaskedNamespaces };
  return { matchExpressions: tenantLabel === undefined ? [asked] : [asked, { key: tenantLabel, operator: 'Exists' }] };
}

function platformOf({ platform }: Settings): string {
  const names = platform.identities.map(identity);
  const starting = (word: string): string[] =>
    names.filter((name) => name.startsWith(word)).map((name) => name.slice(word.length));
  return anyOf(
    `request.userInfo.username in ${literal(starting('User '))}`,
    `request.userInfo.?groups.orValue([]).exists(group, group in ${literal(starting('Group '))})`,
  );
}

function enforcedOf(key: string, enforcing: Enforcing): string {
  const owner = `namespaceObject.metadata.?labels[?${key}].orValue("")`;
  if (enforcing.from === 'listed') return `${owner} in ${literal(enforcing.tenants)}`;
  return allOf(`${owner} == params.metadata.name`, 'params.spec.?mode.orValue("enforce") == "enforce"');
}
