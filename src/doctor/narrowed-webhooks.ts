/** Fields of a webhook by which the API server sends less of what its rules name. */
import { createHash } from 'node:crypto';
import { unreadConditions } from '../backstop/unread-conditions.ts';
import { ownSelector } from '../configuration/own-selector.ts';
import { namespaceSelector } from '../kinds/selected-namespaces.ts';
import { canonicalJson, isMap } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import { meshWebhook } from '../tenancy/mesh-namespaces.ts';
import { webhookOf } from '../tenancy/modules.ts';
import { builtInAgents } from '../tenancy/network-agents.ts';
import type { Examination } from './check.ts';
import { leavesOutAgents, leavesOutControllers } from './overlaid-conditions.ts';
import { objectName, type StoredConfiguration } from './own-configurations.ts';

/**
 * The conditions that Bulkhead installs (manifests/base/match-conditions.ts): configuration, webhook, name, and the beginning of the
 * SHA-256 of the expression. A test compares them, and prints the right lines. Those of the webhook for unread kinds are made anew.
 */
export const installedConditions: ReadonlySet<string> = new Set([
  'validating/bulkhead-namespaces validate.bulkhead.dev update-changes-what-is-guarded e8f8efd11f4af64d',
  'validating/bulkhead-namespaces validate.bulkhead.dev not-the-end-of-a-namespace 0671014ce1baada5',
  'validating/bulkhead-workloads warn.bulkhead.dev template-changes e0cab3a2e7d2eaf9',
  'validating/bulkhead-workloads warn.bulkhead.dev nobodys-child 5ae3d8789b95e4da',
  'mutating/bulkhead mutate.filtered.bulkhead.dev pod-update-changes-what-is-guarded ffa686cc6b711214',
  'validating/bulkhead validate.filtered.bulkhead.dev status-changes-metadata-addresses-or-limits 4acebf6c404d85ff',
  'validating/bulkhead validate.filtered.bulkhead.dev binding-by-others-or-with-metadata 7dbc7ad9adfeb027',
  'validating/bulkhead validate.filtered.bulkhead.dev pod-update-changes-what-is-guarded ffa686cc6b711214',
  'validating/bulkhead validate.filtered.bulkhead.dev deletes-what-is-managed fe779eb9543fc9d7',
  'validating/bulkhead validate.services.bulkhead.dev not-by-controllers-of-services 575cf42abf4945b3',
  'validating/bulkhead validate.services.bulkhead.dev changes-what-leads-traffic f3f2d3afa0acc717',
  'validating/bulkhead validate.services.bulkhead.dev orphans-when-deleted 8b0c2dda11476d06',
  'validating/bulkhead validate.routes.bulkhead.dev changes-what-routes-say c3049f976a07b513',
]);

export function conditionLine(configuration: string, webhook: string, name: string, expression: string): string {
  const hash = createHash('sha256').update(expression).digest('hex').slice(0, 16);
  return `${configuration} ${webhook} ${name} ${hash}`;
}

export function findNarrowing({ name, own, raw }: StoredConfiguration, { found, tenancy }: Examination): void {
  const { tenantLabel } = tenancy.settings;
  const isInside = !name.endsWith('-namespaces');
  // The narrowest that Bulkhead writes, and the one of the manifests. In between are those that a change of the tenant label leaves.
  const right = isInside
    ? [namespaceSelector(tenantLabel), namespaceSelector(undefined)].map(canonicalJson)
    : ['', canonicalJson({})];
  for (const webhook of own) {
    const where = `${objectName(name)}, webhook ${webhook.name}`;
    const fields = raw.get(webhook.name) ?? {};
    const own = ownSelector(webhook.name, tenancy.settings);
    const usual = webhook.name === meshWebhook ? [canonicalJson(namespaceSelector(undefined))] : right;
    const accepted = own === undefined ? usual : [...usual, canonicalJson(own)];
    if (!accepted.includes(webhook.namespaceSelector) && webhook.endpoint !== 'warn')
      found('webhook-selector', { where, why: `its namespaceSelector is ${webhook.namespaceSelector || 'missing'}` });
    const objectSelector = entry(fields, 'objectSelector');
    if (isMap(objectSelector) && Object.keys(objectSelector).length > 0)
      found('webhook-object-selector', { where, why: `its objectSelector is ${canonicalJson(objectSelector)}` });
    const matchPolicy = entry(fields, 'matchPolicy');
    if (matchPolicy !== 'Equivalent')
      found('webhook-match-policy', { where, why: `its matchPolicy is ${String(matchPolicy)}` });
    for (const [condition, expression] of conditionsOf(fields))
      if (
        !installedConditions.has(conditionLine(name, webhook.name, condition, expression)) &&
        !(webhook.name === unreadWebhook && leavesOutAgents(condition, expression, tenancy.settings)) &&
        !(webhook.name === servicesWebhook && leavesOutControllers(condition, expression, tenancy))
      )
        found('webhook-match-conditions', { where, why: `its match condition ${condition} is not one of Bulkhead` });
    const written = new Set(conditionsOf(fields).map(([condition]) => condition));
    for (const condition of installedOn(name, webhook.name))
      if (!written.has(condition))
        found('webhook-condition-missing', { where, why: `its match condition ${condition} is missing` });
    if (webhook.endpoint === 'mutate' && entry(fields, 'reinvocationPolicy') !== 'IfNeeded')
      found('webhook-reinvocation', { where, why: `its reinvocationPolicy is ${String(fields.reinvocationPolicy)}` });
  }
}

const unreadWebhook = 'validate.network.bulkhead.dev';

const servicesWebhook = webhookOf('services');

/** The names alone: another expression under one of them is found as well. An overlay for agents keeps those of the manifests. */
function installedOn(configuration: string, webhook: string): readonly string[] {
  if (webhook === unreadWebhook) return unreadConditions(builtInAgents).map(({ name }) => name);
  const prefix = `${configuration} ${webhook} `;
  return [...installedConditions]
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length, line.lastIndexOf(' ')));
}

function conditionsOf(webhook: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  const conditions = entry(webhook, 'matchConditions');
  return (Array.isArray(conditions) ? conditions : [])
    .filter(isMap)
    .map(({ name, expression }) => [String(name), String(expression)]);
}
