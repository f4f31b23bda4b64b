/** Whether the API server asks Bulkhead about all that it must judge, and what becomes of a request when it cannot. */
import { expectedRules } from '../configuration/expected-rules.ts';
import { apiVersionsOf, compareRules } from '../configuration/rule-comparison.ts';
import { servedResources } from '../configuration/served-resources.ts';
import { configurationNames } from '../configuration/webhook-configuration.ts';
import type { DoctorCheck, Examination } from './check.ts';
import { findNarrowing } from './narrowed-webhooks.ts';
import { objectName, type StoredConfiguration, storedConfigurations } from './own-configurations.ts';
import { unnamedVersions } from './unnamed-versions.ts';

const applyAgain = 'apply the manifests of Bulkhead again';
const never = new AbortController().signal;

export const webhooks: DoctorCheck = {
  about: 'webhook configurations',
  findings: {
    'webhook-missing': {
      severity: 'error',
      meaning:
        'a webhook configuration of Bulkhead, or a webhook in it, does not exist, so the API server asks about nothing of it',
      fix: applyAgain,
    },
    'webhook-fail-open': {
      severity: 'error',
      meaning:
        'a webhook has failurePolicy Ignore, although the settings say enforce. While Bulkhead does not answer, everything is admitted',
      fix: 'run `bulkhead serve --webhook-configurations` and read in its log why it keeps Ignore, or set failurePolicy: Fail',
    },
    'webhook-rule-missing': {
      severity: 'error',
      meaning: 'no rule names a resource or operation that Bulkhead must judge, and that the API server serves',
      fix: applyAgain,
    },
    'webhook-rule-unknown': {
      severity: 'error',
      meaning: 'a rule names something that the API server does not serve, so it never matches',
      fix: 'correct the name in the rule; see the spelling that is proposed',
    },
    'webhook-version-unnamed': {
      severity: 'warning',
      meaning: 'the API server serves a judged resource in a version that no rule names',
      fix: 'upgrade Bulkhead, or do not serve that version; matchPolicy Equivalent covers it as long as both versions convert',
    },
    'webhook-selector': {
      severity: 'error',
      meaning: 'the namespaceSelector of a webhook leaves out namespaces of tenants',
      fix: 'run `bulkhead serve --webhook-configurations`, which writes it, or apply the manifests of Bulkhead again',
    },
    'webhook-object-selector': {
      severity: 'error',
      meaning: 'a webhook has an objectSelector, by which the author of an object leaves it out',
      fix: 'remove the objectSelector',
    },
    'webhook-match-policy': {
      severity: 'error',
      meaning: 'matchPolicy is not Equivalent, so requests in other versions of a resource are not sent',
      fix: 'set matchPolicy: Equivalent',
    },
    'webhook-match-conditions': {
      severity: 'error',
      meaning:
        'a webhook has match conditions that Bulkhead does not install. A request that one of them admits is not sent',
      fix: applyAgain,
    },
    'webhook-condition-missing': {
      severity: 'warning',
      meaning: 'a match condition that Bulkhead installs is missing, so more is sent, and waits while Bulkhead is down',
      fix: `${applyAgain}; let an overlay add conditions by a JSON 6902 patch, as a merge of kustomize replaces the list`,
    },
    'webhook-address': {
      severity: 'error',
      meaning:
        'the webhooks of Bulkhead are not all called at one address, or one by a wrong path, so others answer for it',
      fix: applyAgain,
    },
    'webhook-reinvocation': {
      severity: 'warning',
      meaning: 'a mutating webhook of Bulkhead is not called again after other webhooks have changed the object',
      fix: 'set reinvocationPolicy: IfNeeded',
    },
  },
  async look(examination) {
    const stored = await storedConfigurations(examination);
    if (stored === undefined) return;
    for (const name of configurationNames)
      if (!stored.own.has(name))
        examination.found('webhook-missing', { where: objectName(name), why: 'it does not exist' });
    const own = [...stored.own.values()];
    for (const configuration of own) {
      findMissing(configuration, examination);
      findFailOpen(configuration, examination);
      findNarrowing(configuration, examination);
    }
    findAddresses(own, examination);
    await findRules(own, examination);
  },
};

function findMissing({ name, own }: StoredConfiguration, { found }: Examination): void {
  if (own.length === 0) found('webhook-missing', { where: objectName(name), why: 'it has no webhook of Bulkhead' });
}

function findFailOpen({ name, own }: StoredConfiguration, { found, tenancy }: Examination): void {
  if (tenancy.settings.enforcement !== 'enforce') return;
  for (const { name: webhook, endpoint, failurePolicy } of own)
    if (endpoint !== 'warn' && failurePolicy !== 'Fail')
      found('webhook-fail-open', {
        where: `${objectName(name)}, webhook ${webhook}`,
        why: `failurePolicy is ${failurePolicy}, and the settings say enforce`,
      });
}

/** Whichever address is right, one that differs from most is not. */
function findAddresses(configurations: readonly StoredConfiguration[], { found }: Examination): void {
  const all = configurations.flatMap(({ name, own }) => own.map((webhook) => ({ name, webhook })));
  const counts = new Map<string, number>();
  for (const { webhook } of all) counts.set(webhook.address, (counts.get(webhook.address) ?? 0) + 1);
  const [usual] = [...counts].sort(([, one], [, other]) => other - one)[0] ?? [];
  for (const { name, webhook } of all) {
    const where = `${objectName(name)}, webhook ${webhook.name}`;
    if (webhook.address !== usual)
      found('webhook-address', { where, why: `it is called at ${webhook.address}, and the others at ${usual}` });
    else if (!webhook.isService && webhook.address.startsWith('http:'))
      found('webhook-address', { where, why: `${webhook.address} is not https` });
    // The path is a secret where Bulkhead chose it. At another endpoint Bulkhead admits what it must reject.
    else if (webhook.segment === undefined)
      found('webhook-address', { where, why: `its path does not end in /${webhook.endpoint}` });
  }
}

/** Of the webhooks of Bulkhead alone: one of others in its configuration would seem to cover what it misses. */
async function findRules(configurations: readonly StoredConfiguration[], examination: Examination): Promise<void> {
  const own = configurations.map(({ name, own: webhooks }) => ({ name, webhooks }));
  const { found, notLookedAt, connection } = examination;
  const expected = Object.values(expectedRules).flatMap((rules) =>
    rules.map(({ resource }) =>
      resource
        .split('/')
        .slice(0, /^v\d/.test(resource) ? 1 : 2)
        .join('/'),
    ),
  );
  try {
    const served = await servedResources(connection, new Set([...apiVersionsOf(own), ...expected]), never);
    const { unknown, missing } = compareRules(own, served);
    for (const text of missing) found('webhook-rule-missing', located(text));
    for (const text of unknown) found('webhook-rule-unknown', located(text));
    await unnamedVersions(configurations, examination);
  } catch (error) {
    notLookedAt('the rules of the webhook configurations', `discovery: ${messageOf(error)}`);
  }
}

/** `validating/bulkhead: no rule …` */
function located(text: string): { readonly where: string; readonly why: string } {
  const colon = text.indexOf(': ');
  const name = configurationNames.find((one) => one === text.slice(0, colon));
  return { where: name === undefined ? text.slice(0, colon) : objectName(name), why: text.slice(colon + 2) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
