/**
 * Which namespaceSelectors of a policy are merely too wide: with the tenant label added to each of them, the whole policy is
 * proven to stay inside the tenant. Pure and total.
 *
 * The label takes something away, so it must be plain that nothing of it was meant. It is not where the selector
 *   says which tenants  In or DoesNotExist on the tenant label, or NotIn the own one: others were meant
 *   names namespaces    of the platform, or that are reserved to others
 *   asks for a platform label, which no namespace of a tenant has
 *   meets a gate        that is open for one of its ports: what two tenants have agreed on is not cut behind their backs
 *   meets a service     in its podSelector, which selects the pods of a shared service alone
 * The same holds of each alternative of a boolean expression.
 * What a selector for all pods takes in of shared services is no loss: the baseline opens those to every namespace.
 */
import type { FieldPath } from '../kubernetes/field-path.ts';
import { type Domain, domainFor } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { once } from '../kubernetes/once.ts';
import type { Port } from '../kubernetes/port-range.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { judgeRule, judgeTiers } from './border.ts';
import type { Expression } from './expression/expression.ts';
import { everyAlternative } from './expression-peer.ts';
import { type AllowRule, type ExpressionPeer, ofNamespace, type Reach, type SelectorPeer } from './model.ts';
import { sharePort } from './open-ports.ts';
import { servicesMeant } from './shared-service.ts';
import { trustedIn } from './trusted-label.ts';
import type { Border } from './violation.ts';

/** Tenants with whom a gate is open for one of these ports. */
type Partners = Readonly<Record<Direction, (ports: readonly Port[]) => readonly string[]>>;

/** The fields that hold those selectors; none when something in the policy would be refused all the same. */
export function overBroadSelectors(reach: Reach, border: Border): readonly FieldPath[] {
  const wide: FieldPath[] = [];
  // The peers of a rule share the list of its ports.
  const partners: Partners = {
    ingress: once((ports) => partnersFor('ingress', ports, border)),
    egress: once((ports) => partnersFor('egress', ports, border)),
  };
  if (reach.diagnostics.some(({ verdict }) => verdict !== 'nothing') || judgeTiers(reach, border).length > 0) return [];
  for (const rule of reach.rules) {
    if (rule.action === 'deny') continue;
    // A label added to a peer does not change whose pods the rule is about.
    if (rule.subject.namespaces !== undefined) return [];
    const { verdict } = judgeRule(rule, border) ?? {};
    if (verdict === undefined || verdict === 'nothing') continue;
    if (!isOverBroad(rule, border, partners)) return [];
    wide.push(rule.path);
  }
  return wide;
}

function isOverBroad(rule: AllowRule, border: Border, partners: Partners): boolean {
  const { peer, direction, ports } = rule;
  const { tenant, tenancy } = border;
  if (peer.kind === 'expression') return isOverBroadExpression(peer, rule, border, partners);
  if (peer.kind !== 'selector' || peer.namespaces === undefined || peer.clusters !== undefined) return false;
  const { tenantLabel } = tenancy.settings;
  const tenants = domainFor(peer.namespaces, tenantLabel);
  const names = domainFor(peer.namespaces, namespaceNameLabel);
  if (tenants.finite || tenants.values.has(tenant.name) || namesOthers(names, border)) return false;
  const trusted = trustedIn(peer.namespaces, border);
  if (trusted.key !== undefined || trusted.doubtful !== undefined) return false;
  if (partners[direction](ports).some((partner) => !tenants.values.has(partner))) return false;
  return servicesMeant(peer.pods, direction, border).length === 0;
}

/**
 * Each alternative is a selector like any other, and each that is not proven to stay inside must be merely too wide. Where a part of a
 * value says which tenant or namespace, or something asks for what is in no namespace, others may be meant.
 */
function isOverBroadExpression(peer: ExpressionPeer, rule: AllowRule, border: Border, partners: Partners): boolean {
  if (rule.path.step !== 'namespaceSelector' || asksForNoNamespace(peer.expression)) return false;
  const whose = [border.tenancy.settings.tenantLabel, namespaceNameLabel].map((label) => `${ofNamespace}${label}`);
  let isFound = false;
  const isPlain = (selector: SelectorPeer, partial: ReadonlySet<string>) => {
    const one: AllowRule = { ...rule, peer: selector };
    const { verdict } = judgeRule(one, border) ?? {};
    if (verdict === undefined || verdict === 'nothing') return true;
    isFound = true;
    return !whose.some((key) => partial.has(key)) && isOverBroad(one, border, partners);
  };
  return everyAlternative(peer, isPlain) && isFound;
}

function asksForNoNamespace(expression: Expression): boolean {
  if ('all' in expression) return expression.all.some(asksForNoNamespace);
  if ('any' in expression) return expression.any.some(asksForNoNamespace);
  const { key, test, holds } = expression;
  return key === `${ofNamespace}${namespaceNameLabel}` && test.op === 'has' && !holds;
}

function namesOthers({ finite, values }: Domain, { tenant, tenancy }: Border): boolean {
  if (!finite) return false;
  for (const name of values) {
    const owner = tenancy.reservation(name);
    if (owner !== undefined && (owner === 'platform' || owner.name !== tenant.name)) return true;
  }
  return false;
}

function partnersFor(direction: Direction, ports: readonly Port[], { tenant, tenancy, now }: Border): string[] {
  const declared = new Set(
    tenant.network.gates.filter((gate) => gate.direction === direction).map((gate) => gate.tenant),
  );
  return [...declared].filter((other) => {
    const { own, theirs } = tenancy.gates(tenant, other, direction, now);
    return sharePort(own, theirs, ports);
  });
}
