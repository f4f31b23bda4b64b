/**
 * Whether Bulkhead's webhooks fail closed.
 *
 * The webhook configurations are applied by people, open (`failurePolicy: Ignore`), and they alone create and delete them. A webhook
 * that fails closed and is not reached locks the cluster, so each replica closes one only after a handshake (probe.ts) came
 * back through the API server, by server-side apply of that one field:
 *
 *   open ──► handshake ──► proven ──► failurePolicy: Fail
 *    ▲           └──► anything else: once more, ever later, for ever
 *    └──── somebody applies the manifests again
 *
 * One that is deleted stays deleted: that is the way out, and it is only told. Nothing here ever opens one.
 */
import type { NamespaceKey } from '../admission/facts.ts';
import { type BackoffLimits, fullJitter } from '../client/backoff.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import { createNamespaceEvents, type EventCounters } from '../reconcile/namespace-events.ts';
import { type Pair, type ProbeResult, provenWebhook, sendProbe } from './probe.ts';
import { endpointOf } from './registrations.ts';
import { type RuleCounters, watchRules } from './rule-watch.ts';
import {
  type Configuration,
  type ConfigurationName,
  configurationKinds,
  configurationNameOf,
  configurationNames,
  configurationPaths,
  type Phase,
  partsOf,
  readConfiguration,
  type Webhook,
} from './webhook-configuration.ts';

export interface RegistrationCounters {
  readonly configurations: readonly {
    readonly name: ConfigurationName;
    readonly present: boolean;
    /** All its webhooks fail closed. */
    readonly closed: boolean;
  }[];
  readonly handshakes: Readonly<Record<ProbeResult['result'], number>>;
  readonly rules: RuleCounters;
  readonly events: EventCounters;
}

export interface Registration {
  readonly watches: ReadonlyMap<string, ListWatch>;
  /** Facts are known and reviews are answered: from now on webhooks are closed. */
  begin(): void;
  /** This replica is going away. What is closed stays closed: others serve. */
  end(): void;
  counters(): RegistrationCounters;
  /** Resolves when nothing is written any more. The watches are stopped by whoever follows them. */
  stop(): Promise<void>;
}

export interface RegistrationOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Where Events are written; undefined when there is no such namespace. */
  readonly ownNamespace: () => NamespaceKey | undefined;
}

/** Milliseconds between handshakes. Half a minute at most, as that is promised from the moment all is well. */
const probeBackoff: BackoffLimits = { first: 200, limit: 30_000 };
/** Whatever chance says. */
const leastWait = 100;

/** The one field that is Bulkhead's in a configuration of somebody else. */
const fieldManager = 'bulkhead-registration';

/** What only warns stops nobody, and stays open. */
const staysOpen: ConfigurationName = 'validating/bulkhead-workloads';

export function keepRegistration(
  options: RegistrationOptions,
  follow: (path: string, handler: Handler) => ListWatch,
): Registration {
  const { connection, clock, log, ownNamespace } = options;
  const configurations = new Map<ConfigurationName, Configuration>();
  const handshakes = { proven: 0, admitted: 0, refused: 0, failed: 0 };
  const failures = new Map<Pair, number>();
  /** Why a pair is not closed, as it was last said. */
  const told = new Map<Pair, string>();
  const events = createNamespaceEvents(connection, clock);
  const rules = watchRules(options, () => configurations.values());
  let serving = false;

  const queue = createWorkQueue(
    2,
    clock,
    (pair, signal) => close(pairOf(pair), signal),
    (pair, error) => {
      log.error({ pair, error: String(error) }, 'the webhook configurations could not be completed; it is tried again');
    },
  );

  function handlerOf(phase: Phase): Handler {
    return {
      changed(object) {
        const name = configurationNameOf(phase, object.metadata.name);
        if (name === undefined) return;
        const before = configurations.get(name);
        const now = readConfiguration(name, object);
        configurations.set(name, now);
        if (serving && before !== undefined && isClosed(before) && !isClosed(now))
          log.warn({ configuration: name }, 'failurePolicy is no longer Fail: another client changed it');
        changed(name);
      },
      removed({ name: object }) {
        const name = configurationNameOf(phase, object);
        if (name === undefined || !configurations.delete(name)) return;
        const message = `${name} was deleted: its requests are not reviewed until it is applied again`;
        log.error({ configuration: name }, message);
        const namespace = ownNamespace();
        if (namespace !== undefined) events.record(namespace, 'WebhookConfigurationDeleted', message);
        changed(name);
      },
    };
  }

  function changed(name: ConfigurationName): void {
    if (!serving) return;
    rules.changed();
    const pair = pairOf(partsOf(name)[1]);
    failures.delete(pair);
    if (name !== staysOpen) queue.add(pair);
  }

  /** @returns the milliseconds until the next try; undefined: there is nothing to do until something changes */
  async function close(pair: Pair, signal: AbortSignal): Promise<number | undefined> {
    const validating = configurations.get(`validating/${pair}`);
    const pending = [validating, configurations.get(`mutating/${pair}`)]
      .filter((one) => one !== undefined)
      .filter((one) => !isClosed(one));
    if (!serving || pending.length === 0) {
      told.delete(pair);
      return undefined;
    }
    const proof = validating?.webhooks.find(({ name }) => name === provenWebhook);
    if (proof === undefined) return tell(pair, `validating/${pair} has no ${provenWebhook}, by which it is proven`);
    if (proof.caBundle === '' && proof.address.startsWith('service '))
      return tell(pair, 'its caBundle is empty, so the API server cannot verify the certificate of Bulkhead');
    const handshake = await sendProbe(connection, pair, signal);
    if (signal.aborted || !serving) return undefined;
    handshakes[handshake.result]++;
    if (handshake.result !== 'proven') {
      tell(pair, handshake.why);
      return nextTry(pair);
    }
    const elsewhere: string[] = [];
    for (const configuration of pending) {
      const own = configuration.webhooks.filter(isOwn);
      const closable = own.filter((webhook) => isReachedAs(webhook, proof));
      for (const webhook of own)
        if (!closable.includes(webhook)) elsewhere.push(`${webhook.name} of ${configuration.name}`);
      if (closable.every(failsClosed)) continue;
      const failure = await apply(configuration, closable, signal);
      if (failure === undefined) continue;
      if (!signal.aborted) tell(pair, failure);
      return nextTry(pair);
    }
    if (elsewhere.length > 0)
      return tell(
        pair,
        `${elsewhere.join(', ')}: not called as ${proof.name} of validating/${pair}, which alone is proven`,
      );
    told.delete(pair);
    return undefined;
  }

  /**
   * Only what the handshake was about: another version of the configuration, or another object of its name, is a conflict. So
   * one that was deleted meanwhile does not come back either.
   */
  async function apply(
    configuration: Configuration,
    webhooks: readonly Webhook[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { name, uid, resourceVersion } = configuration;
    const [phase, object] = partsOf(name);
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: configurationKinds[phase],
      metadata: { name: object, uid, resourceVersion },
      webhooks: webhooks.map((webhook) => ({ name: webhook.name, failurePolicy: 'Fail' })),
    };
    const path = `${configurationPaths[phase]}/${object}?fieldManager=${fieldManager}&force=true`;
    const answer = await connection.request('PATCH', path, {
      body,
      contentType: 'application/apply-patch+yaml',
      signal,
    });
    if (!answer.ok) return `${name} could not be set to failurePolicy Fail: ${describe(answer)}`;
    // Until the watch tells of it. What the watch has told meanwhile is newer.
    if (configurations.get(name) === configuration) {
      const close = (one: Webhook) => (webhooks.includes(one) ? { ...one, failurePolicy: 'Fail' } : one);
      configurations.set(name, { ...configuration, webhooks: configuration.webhooks.map(close) });
    }
    const closed = webhooks.map((webhook) => webhook.name);
    log.info(
      { configuration: name, webhooks: closed },
      'failurePolicy is Fail from now on: the probe came back through the API server',
    );
    return undefined;
  }

  function tell(pair: Pair, why: string): undefined {
    if (told.get(pair) === why) return;
    told.set(pair, why);
    log.warn({ pair, why }, 'the webhooks of this name stay open');
  }

  function nextTry(pair: Pair): number {
    const count = failures.get(pair) ?? 0;
    failures.set(pair, count + 1);
    return Math.max(leastWait, fullJitter(probeBackoff, count, clock));
  }

  const watches = new Map(
    (['mutating', 'validating'] as const).map((phase): [string, ListWatch] => [
      `${phase}webhookconfigurations`,
      follow(configurationPaths[phase], handlerOf(phase)),
    ]),
  );
  const known = Promise.all([...watches.values()].map(({ synced }) => synced));

  return {
    watches,
    begin() {
      serving = true;
      void known.then(() => {
        if (!serving) return;
        for (const name of configurationNames)
          if (!configurations.has(name))
            log.warn({ configuration: name }, 'does not exist, so its requests are not reviewed');
        for (const name of configurations.keys()) changed(name);
      });
    },
    end() {
      serving = false;
    },
    counters: () => ({
      configurations: configurationNames.map((name) => {
        const configuration = configurations.get(name);
        const present = configuration !== undefined;
        return { name, present, closed: present && name !== staysOpen && isClosed(configuration) };
      }),
      handshakes: { ...handshakes },
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

function pairOf(object: string): Pair {
  return object === 'bulkhead-namespaces' ? object : 'bulkhead';
}

function isOwn(webhook: Webhook): boolean {
  const endpoint = endpointOf(webhook);
  return endpoint !== undefined && endpoint !== 'warn';
}

function isClosed({ webhooks }: Configuration): boolean {
  const own = webhooks.filter(isOwn);
  return own.length > 0 && own.every(failsClosed);
}

function failsClosed({ failurePolicy }: Webhook): boolean {
  return failurePolicy === 'Fail';
}

/**
 * The handshake is one policy or one namespace. Of `mutate` no refusal can come, and by a webhook with match conditions it is not sent: they
 * are proven by their neighbour, with the same address, trust and path, but for the last word.
 */
function isReachedAs(webhook: Webhook, proof: Webhook): boolean {
  const { address, path, caBundle } = webhook;
  const neighbour = proof.path.slice(0, proof.path.lastIndexOf('/') + 1) + endpointOf(webhook);
  return address === proof.address && caBundle === proof.caBundle && path === neighbour;
}
