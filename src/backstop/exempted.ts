/** What checks/exemption.ts decides, once more in CEL. It may admit more: of a container the rules see less than the checks. */
import { hasVersion } from '../exemptions/images.ts';
import { makerOf, usernamesOf } from '../exemptions/pod-makers.ts';
import type { Exemption } from '../tenancy/exemption.ts';
import type { Settings } from '../tenancy/settings.ts';
import { allOf, anyOf, literal } from './expressions.ts';
import { isAmong } from './grants.ts';
import type { Rule } from './rule.ts';

/**
 * Expressions that are true for a pod that an exemption covers, one for each exemption that lists the check of the rule. CEL
 * knows no time, so an exemption that is printed holds until the backstop is printed again.
 */
export function exemptedBy(rule: Rule, settings: Settings, exemptions: readonly Exemption[]): readonly string[] {
  return exemptions.flatMap((one) => {
    const { kinds } = one.match;
    const isMeant = one.checks.has(rule.check.id) && (kinds === undefined || kinds.has(rule.kind));
    return isMeant ? [covers(rule, settings, one)] : [];
  });
}

function covers(rule: Rule, settings: Settings, { tenant, namespace, match }: Exemption): string {
  const tenantLabel = literal(settings.tenantLabel);
  const { names, owner, serviceAccounts, images, requesters } = match;
  const parts = [
    `request.namespace == ${literal(namespace)}`,
    `namespaceObject.metadata.?labels[?${tenantLabel}].orValue("") == ${literal(tenant)}`,
  ];
  if (names !== undefined) parts.push(`object.metadata.?name.orValue("") in ${literal([...names])}`);
  if (serviceAccounts !== undefined)
    parts.push(`object.spec.?serviceAccountName.orValue("default") in ${literal([...serviceAccounts])}`);
  if (requesters !== undefined) parts.push(isAmong(requesters));
  if (owner !== undefined) parts.push(isOwnedBy(owner));
  if (images !== undefined) {
    const spared = `one.?image.orValue("").matches(${literal(`^(${images.map(imagePattern).join('|')})$`)})`;
    // Of a rule that looks at the pod as a whole, every container must have such an image.
    parts.push(anyOf(rule.admits(tenantLabel, settings, spared), everyContainer(spared)));
  }
  return allOf(...parts);
}

function isOwnedBy({ kind, name }: { readonly kind: string; readonly name: string }): string {
  const maker = makerOf(kind);
  if (maker === undefined) return 'false';
  const pattern = `^${escaped(name)}${maker.suffix?.source.slice(1) ?? '$'}`;
  return allOf(
    'request.operation == "CREATE"',
    `request.userInfo.username in ${literal(usernamesOf(maker))}`,
    `object.metadata.?ownerReferences.orValue([]).exists(one, one.?controller.orValue(false) && one.kind == ${literal(maker.kind)} && one.name.matches(${literal(pattern)}))`,
  );
}

function imagePattern(entry: string): string {
  return hasVersion(entry) ? escaped(entry) : `${escaped(entry)}([:@][^/]*)?`;
}

/** Of the characters that names and images can have, the dot alone means something in a pattern. */
function escaped(text: string): string {
  return text.replaceAll('.', '[.]');
}

function everyContainer(condition: string): string {
  return allOf(
    ...['containers', 'initContainers', 'ephemeralContainers'].map(
      (list) => `object.spec.?${list}.orValue([]).all(one, ${condition})`,
    ),
  );
}
