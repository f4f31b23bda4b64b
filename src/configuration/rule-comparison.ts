/**
 * Compares the rules of webhook configurations with the resources that the API server serves, and with those that Bulkhead must
 * review. The API server accepts any name in a rule: `namespace/finalize` in place of `namespaces/finalize` never matches, and the
 * API server does not report it (CVE-2026-55636).
 */
import { suggestion } from '../tenancy/suggestion.ts';
import { type ExpectedRule, expectedRules, optionalResources } from './expected-rules.ts';
import type { Rule, WebhookConfiguration } from './webhook-configuration.ts';

export interface ServedResource {
  readonly namespaced: boolean;
  /** Those of the API: `create`, `update`, `patch`, `delete`, ... */
  readonly verbs: readonly string[];
}

/** By API version (`v1`, `apps/v1`), what is served, by plural resource and subresource. Undefined: that version is not served. */
export type Served = ReadonlyMap<string, ReadonlyMap<string, ServedResource> | undefined>;

/** Each begins with the name of the configuration. */
export interface RuleFindings {
  /** Rules that can never match. */
  readonly unknown: readonly string[];
  /** Resources and operations that no rule names, and Bulkhead must review. */
  readonly missing: readonly string[];
  /** Optional resources that this cluster does not serve. */
  readonly absent: readonly string[];
}

const verbsOf: Readonly<Record<string, readonly string[]>> = {
  CREATE: ['create'],
  UPDATE: ['update', 'patch'],
  DELETE: ['delete', 'deletecollection'],
};

/** The part of a webhook configuration that is compared. */
type Rules = Pick<WebhookConfiguration, 'name'> & { readonly webhooks: readonly { readonly rules: readonly Rule[] }[] };

/** The API versions that the rules name, for discovery. */
export function apiVersionsOf(configurations: Iterable<Rules>): ReadonlySet<string> {
  const versions = new Set<string>();
  for (const { webhooks } of configurations)
    for (const { apiGroups, apiVersions } of webhooks.flatMap(({ rules }) => rules))
      for (const group of apiGroups)
        for (const version of apiVersions)
          if (group !== '*' && version !== '*') versions.add(apiVersionOf(group, version));
  return versions;
}

export function compareRules(configurations: Iterable<Rules>, served: Served): RuleFindings {
  const unknown: string[] = [];
  const missing: string[] = [];
  const absent = new Set<string>();
  for (const { name, webhooks } of configurations) {
    for (const [index, { rules }] of webhooks.entries()) {
      for (const [position, rule] of rules.entries()) {
        const field = `webhooks[${index}].rules[${position}]`;
        for (const { path, problem, resource } of problemsOf(rule, served)) {
          if (optionalResources.has(resource) && problem === 'is not served')
            absent.add(`${name}: ${resource} ${problem}`);
          else unknown.push(`${name}: ${field}.${path} ${problem}`);
        }
      }
    }
    const rules = webhooks.flatMap((webhook) => webhook.rules);
    for (const expected of expectedRules[name]) {
      const lacking = expected.operations.filter((one) => !rules.some((rule) => covers(rule, expected, one)));
      if (lacking.length > 0) missing.push(`${name}: no rule sends ${lacking.join(', ')} of ${expected.resource}`);
    }
  }
  return { unknown, missing, absent: [...absent] };
}

interface RuleProblem {
  /** Below the rule. */
  readonly path: string;
  readonly problem: string;
  readonly resource: string;
}

function problemsOf(rule: Rule, served: Served): RuleProblem[] {
  const found: RuleProblem[] = [];
  for (const group of rule.apiGroups) {
    for (const version of rule.apiVersions) {
      const apiVersion = apiVersionOf(group, version);
      // What has a wildcard matches something.
      if (!served.has(apiVersion)) continue;
      const resources = served.get(apiVersion);
      for (const [place, plural] of rule.resources.entries()) {
        if (plural.includes('*')) continue;
        const resource = `${apiVersion}/${plural}`;
        const one = resources?.get(plural);
        const tell = (path: string, problem: string) => found.push({ path, problem, resource });
        if (one === undefined) tell(`resources[${place}]`, unserved(apiVersion, plural, resources));
        else {
          const scope = one.namespaced ? 'Namespaced' : 'Cluster';
          if (rule.scope !== '*' && rule.scope !== scope) tell('scope', `is ${rule.scope}, and ${plural} is ${scope}`);
          for (const [index, operation] of rule.operations.entries()) {
            const verbs = verbsOf[operation];
            if (verbs !== undefined && !verbs.some((verb) => one.verbs.includes(verb)))
              tell(`operations[${index}]`, `is ${operation}, which ${plural} does not have`);
          }
        }
      }
    }
  }
  return found;
}

function unserved(apiVersion: string, plural: string, served: ReadonlyMap<string, ServedResource> | undefined): string {
  if (optionalResources.has(`${apiVersion}/${plural}`)) return 'is not served';
  if (served === undefined) return `is ${plural} of ${apiVersion}, which the API server does not serve`;
  const nearest = suggestion(plural, [...served.keys()]);
  return `is ${plural}, which the API server does not serve${nearest === undefined ? '' : `; perhaps ${nearest} is meant`}`;
}

/** Source: admissionregistration.k8s.io/v1 Rule. `*` is every resource, `pods/*` every subresource of pods; with `*` on both sides, everything. */
function covers(rule: Rule, { resource, scope }: ExpectedRule, operation: string): boolean {
  const parts = resource.split('/');
  const [group = '', version = '', plural = '', subresource] = /^v\d/.test(resource) ? ['', ...parts] : parts;
  const names =
    subresource === undefined
      ? [plural, '*', '*/*']
      : [`${plural}/${subresource}`, `${plural}/*`, `*/${subresource}`, '*/*'];
  const has = (list: readonly string[], values: readonly string[]) => values.some((value) => list.includes(value));
  return (
    has(rule.resources, names) &&
    has(rule.apiGroups, [group, '*']) &&
    has(rule.apiVersions, [version, '*']) &&
    has(rule.operations, [operation, '*']) &&
    (rule.scope === '*' || rule.scope === scope)
  );
}

function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
