/**
 * Sets failurePolicy Fail.
 *
 * Users apply the webhook configurations with failurePolicy Ignore; they alone create and delete them. A webhook with failurePolicy Fail
 * that is not reached locks the cluster, so each replica sets it only after a probe (probe.ts) came back through the API server,
 * by server-side apply of that one field:
 *
 *   Ignore ──► probe ──► proven ──► Fail
 *    ▲           └──► any other result: again, with back-off, without end
 *    └──── a user applies the manifests again
 *
 * A configuration that is deleted stays deleted: that is the escape hatch, and it is only reported. Nothing here ever sets Ignore.
 */
import type { NamespaceRecord } from '../admission/facts.ts';
import { type BackoffLimits, fullJitter } from '../client/backoff.ts';
import { describe } from '../client/failure.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import { createNamespaceEvents, type EventCounters } from '../reconcile/namespace-events.ts';
import { probeNamespace } from '../tenancy/probe.ts';
import type { NamespaceSelectors } from './namespace-selectors.ts';
import { labelProbeNamespace, type Pair, type ProbeResult, provenWebhook, sendProbe } from './probe.ts';
import { type RuleCounters, reportRules } from './rule-report.ts';
import {
  type ConfigurationName,
  configurationNames,
  type OwnWebhook,
  partsOf,
  type WebhookConfiguration,
} from './webhook-configuration.ts';
import type { ConfigurationTools } from './webhook-configurations.ts';

export interface FailurePolicyCounters {
  readonly configurations: readonly {
    readonly name: ConfigurationName;
    readonly present: boolean;
    /** All its webhooks have failurePolicy Fail. */
    readonly fails: boolean;
  }[];
  /** False where the settings say observe. */
  readonly wantsFail: boolean;
  readonly probes: Readonly<Record<ProbeResult['result'], number>>;
  readonly rules: RuleCounters;
  readonly events: EventCounters;
}

export interface FailurePolicies {
  /** Facts are known and reviews are answered: from now on probes are sent. */
  begin(): void;
  /** Settings have changed: where they want Fail, probes are sent. */
  settingsChanged(): void;
  /** This replica is going away. Fail stays: other replicas serve. */
  end(): void;
  counters(): FailurePolicyCounters;
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
}

export interface FailurePolicyOptions extends ConfigurationTools {
  /** From memory. */
  readonly namespaceOf: (name: string) => NamespaceRecord | undefined;
  /** Where Events are written. */
  readonly ownNamespace: string;
  readonly tenantLabel: () => string;
  readonly selectors: Pick<NamespaceSelectors, 'agrees'>;
  /** Whether the settings want failurePolicy Fail. Where they say observe, what is Ignore stays so. */
  readonly wantsFail: () => boolean;
}

/** Milliseconds between probes. Half a minute at most: that is promised from the moment all is well. */
const probeBackoff: BackoffLimits = { first: 200, limit: 30_000 };
/** Whatever chance says. */
const leastWait = 100;

/** Owns one field of an object that users apply. */
const fieldManager = 'bulkhead-registration';

/** It only warns, so its failurePolicy stays Ignore. */
const staysIgnore: ConfigurationName = 'validating/bulkhead-workloads';

export function keepFailurePolicies(options: FailurePolicyOptions): FailurePolicies {
  const { connection, clock, log, configurations, namespaceOf, ownNamespace, wantsFail, selectors } = options;
  const probes = { proven: 0, admitted: 0, refused: 0, failed: 0 };
  const failures = new Map<Pair, number>();
  /** Why a pair keeps Ignore, as it was last logged. */
  const logged = new Map<Pair, string>();
  const events = createNamespaceEvents(connection, clock);
  const rules = reportRules(options);
  let serving = false;

  const queue = createWorkQueue(
    2,
    clock,
    (pair, signal) => setFail(pairOf(pair), signal),
    (pair, error) => log.error({ pair, error: String(error) }, 'failurePolicy could not be set; it is tried again'),
  );

  configurations.subscribe((name, before) => {
    const now = configurations.get(name);
    if (now === undefined) {
      const message = `${name} was deleted: Bulkhead does not guard its resources until it is applied again`;
      log.error({ configuration: name }, message);
      const namespace = namespaceOf(ownNamespace);
      if (namespace !== undefined) events.record(namespace, 'WebhookConfigurationDeleted', message);
    } else if (serving && before !== undefined && isFail(before) && !isFail(now))
      log.warn({ configuration: name }, 'failurePolicy is Ignore again: another client has changed it');
    if (serving) review(name);
  });

  function review(name: ConfigurationName): void {
    rules.changed();
    const pair = pairOf(partsOf(name)[1]);
    failures.delete(pair);
    if (name !== staysIgnore) queue.add(pair);
  }

  /** @returns the milliseconds until the next try; undefined: there is nothing to do until something changes */
  async function setFail(pair: Pair, signal: AbortSignal): Promise<number | undefined> {
    const validating = configurations.get(`validating/${pair}`);
    const pending = [validating, configurations.get(`mutating/${pair}`)]
      .filter((one) => one !== undefined)
      .filter((one) => !isFail(one));
    if (!serving || !wantsFail() || pending.length === 0) {
      logged.delete(pair);
      return undefined;
    }
    const proof = validating?.own.find(({ name }) => name === provenWebhook);
    if (proof === undefined) return report(pair, `validating/${pair} has no ${provenWebhook}, which the probe needs`);
    if (proof.caBundle === '' && proof.isService)
      return report(pair, 'its caBundle is empty, so the API server cannot verify the certificate of Bulkhead');
    const unlike = pending.find((configuration) => !selectors.agrees(configuration));
    // The writer of the namespaceSelector reports it, and the next version is checked again.
    if (unlike !== undefined) return report(pair, `the namespaceSelector of ${unlike.name} is not written yet`);
    const unlabelled =
      pair === 'bulkhead'
        ? await labelProbeNamespace(connection, namespaceOf(probeNamespace), options.tenantLabel(), signal)
        : undefined;
    if (unlabelled !== undefined) {
      if (!signal.aborted) report(pair, unlabelled);
      return nextTry(pair);
    }
    const probe = await sendProbe(connection, pair, signal);
    if (signal.aborted || !serving || !wantsFail()) return undefined;
    probes[probe.result]++;
    if (probe.result !== 'proven') {
      report(pair, probe.why);
      return nextTry(pair);
    }
    const elsewhere: string[] = [];
    for (const configuration of pending) {
      if (!wantsFail()) return undefined;
      const own = configuration.own.filter(mayFail);
      const proven = own.filter((webhook) => isReachedAs(webhook, proof));
      for (const webhook of own)
        if (!proven.includes(webhook)) elsewhere.push(`${webhook.name} of ${configuration.name}`);
      if (proven.every(fails)) continue;
      const { name } = configuration;
      const webhooks = proven.map((webhook) => webhook.name);
      const fields = webhooks.map((one) => ({ name: one, failurePolicy: 'Fail' }));
      const answer = await configurations.apply(configuration, fieldManager, fields, signal);
      if (!answer.ok) {
        if (!signal.aborted) report(pair, `failurePolicy of ${name} could not be set: ${describe(answer)}`);
        return nextTry(pair);
      }
      log.info(
        { configuration: name, webhooks },
        'failurePolicy is Fail: a probe reached Bulkhead through the API server',
      );
    }
    if (elsewhere.length > 0)
      return report(
        pair,
        `${elsewhere.join(', ')}: not called as ${proof.name} of validating/${pair}, which alone is proven`,
      );
    logged.delete(pair);
    return undefined;
  }

  function report(pair: Pair, why: string): undefined {
    if (logged.get(pair) === why) return;
    logged.set(pair, why);
    log.warn({ pair, why }, 'failurePolicy of these webhooks stays Ignore');
  }

  function nextTry(pair: Pair): number {
    const count = failures.get(pair) ?? 0;
    failures.set(pair, count + 1);
    return Math.max(leastWait, fullJitter(probeBackoff, count, clock));
  }

  return {
    begin() {
      serving = true;
      void configurations.listed.then(() => {
        if (!serving) return;
        for (const name of configurationNames) {
          if (configurations.get(name) !== undefined) review(name);
          else log.warn({ configuration: name }, 'does not exist: the API server sends no review of its resources');
        }
      });
    },
    settingsChanged() {
      if (!serving) return;
      for (const name of configurationNames)
        if (name !== staysIgnore && configurations.get(name) !== undefined) queue.add(pairOf(partsOf(name)[1]));
    },
    end() {
      serving = false;
    },
    counters: () => ({
      configurations: configurationNames.map((name) => {
        const configuration = configurations.get(name);
        const present = configuration !== undefined;
        return { name, present, fails: present && name !== staysIgnore && isFail(configuration) };
      }),
      wantsFail: wantsFail(),
      probes: { ...probes },
      rules: rules.counters(),
      events: events.counters(),
    }),
    async stop() {
      serving = false;
      await queue.stop();
      await rules.stop();
      await events.stop();
    },
  };
}

const pairOf = (object: string): Pair => (object === 'bulkhead-namespaces' ? object : 'bulkhead');

function isFail({ own }: WebhookConfiguration): boolean {
  return own.some(mayFail) && own.filter(mayFail).every(fails);
}

function mayFail({ endpoint }: OwnWebhook): boolean {
  return endpoint !== 'warn';
}

function fails({ failurePolicy }: OwnWebhook): boolean {
  return failurePolicy === 'Fail';
}

/**
 * The probe is one policy or one namespace. `mutate` cannot refuse it, and webhooks with match conditions do not receive it: they are
 * proven by their neighbour, with the same address, CA bundle and path, except for the last word.
 */
function isReachedAs({ address, path, caBundle, endpoint }: OwnWebhook, proof: OwnWebhook): boolean {
  const neighbour = proof.path.slice(0, proof.path.lastIndexOf('/') + 1) + endpoint;
  return address === proof.address && caBundle === proof.caBundle && path === neighbour;
}
