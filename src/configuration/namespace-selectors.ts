/**
 * Writes the namespaceSelector of the two configurations named `bulkhead`, and undoes the changes that others make to it.
 *
 *   enforce   namespaces that have the tenant label: what happens in others must not wait for Bulkhead
 *   observe   every namespace, so that there is something to observe; not with failurePolicy Fail, which stays from enforce
 *
 * A webhook whose kinds the settings switch off selects no namespace, and that of the mesh selects the namespaces of the mesh by name.
 * kube-system and Bulkhead's own namespace are left out in both. The manifests select every namespace and have failurePolicy Ignore, so that
 * applying them again neither leaves out tenants nor lets the platform wait. While namespaces still carry a tenant label that was in force
 * before, every namespace is selected: requirements of a selector are ANDed, so it cannot ask for one of two keys. The annotation remembers
 * these keys.
 */

import { describe } from '../client/failure.ts';
import { createRateLimits, type RateLimitOptions } from '../client/rate-limits.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import { type NamespaceSelector, namespaceSelector } from '../kinds/selected-namespaces.ts';
import { canonicalJson } from '../kubernetes/json.ts';
import { type ConfigurationName, tenantLabelsAnnotation, type WebhookConfiguration } from './webhook-configuration.ts';
import type { ConfigurationTools } from './webhook-configurations.ts';

export interface NamespaceSelectorOptions extends Omit<ConfigurationTools, 'connection'> {
  readonly tenantLabel: () => string;
  readonly observes: () => boolean;
  /** What the webhook of this name selects, where that is not what the others do. */
  readonly ownSelector?: (webhook: string) => NamespaceSelector | undefined;
  /** Whether a namespace has a label with this key, and none with that of the settings: by that it is selected anyway. */
  readonly isCarried: (key: string) => boolean;
}

export interface NamespaceSelectors {
  /** Namespaces and settings are known: from now on selectors are written. */
  begin(): void;
  /** Settings have changed. */
  changed(): void;
  /** Whether the selector of this configuration is as it should be; true for those that have none of Bulkhead's. */
  agrees(configuration: WebhookConfiguration): boolean;
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
}

const selecting: readonly ConfigurationName[] = ['mutating/bulkhead', 'validating/bulkhead'];

/** Owns one field of each webhook, and the annotation. */
const fieldManager = 'bulkhead-selector';
/** Between two writes to one configuration, when another client undoes each, or they fail. */
const writeLimits: RateLimitOptions = { free: 3, first: 500, limit: 30_000 };
/** How often namespaces are looked through while some still carry a former tenant label, in milliseconds. */
const formerLabelCheck = 30_000;

export function keepNamespaceSelectors(options: NamespaceSelectorOptions): NamespaceSelectors {
  const { clock, log, configurations, tenantLabel, observes, isCarried, ownSelector } = options;
  const waits = createRateLimits(writeLimits, clock);
  let begun = false;

  const queue = createWorkQueue(1, clock, write, (configuration, error) =>
    log.error({ configuration, error: String(error) }, 'namespaceSelector could not be written; it is tried again'),
  );

  function wanted({ tenantLabels, own: webhooks }: WebhookConfiguration): {
    readonly keys: readonly string[];
    readonly textFor: (webhook: string) => string;
  } {
    const own = tenantLabel();
    const former = tenantLabels.filter((key) => key !== own && isCarried(key));
    const isWide = former.length > 0 || (observes() && webhooks.every((one) => one.failurePolicy !== 'Fail'));
    const text = canonicalJson(namespaceSelector(isWide ? undefined : own));
    const textFor = (webhook: string): string => {
      const selector = ownSelector?.(webhook);
      return selector === undefined ? text : canonicalJson(selector);
    };
    return { keys: [own, ...former].sort(), textFor };
  }

  function agrees(configuration: WebhookConfiguration): boolean {
    if (!selecting.includes(configuration.name)) return true;
    const { keys, textFor } = wanted(configuration);
    return (
      configuration.own.every(({ name, namespaceSelector: selector }) => selector === textFor(name)) &&
      configuration.tenantLabels.join() === keys.join()
    );
  }

  async function write(key: string, signal: AbortSignal): Promise<number | undefined> {
    const configuration = configurations.current()?.find(({ name }) => name === key);
    if (!begun || configuration === undefined) return undefined;
    const { keys, textFor } = wanted(configuration);
    const again = keys.length > 1 ? formerLabelCheck : undefined;
    if (agrees(configuration)) return again;
    const left = waits.left(key);
    if (left > 0) return left;
    const wait = Math.max(waits.begin(key), writeLimits.first);
    const fields = configuration.own.map(({ name }) => ({ name, namespaceSelector: JSON.parse(textFor(name)) }));
    const annotations = { [tenantLabelsAnnotation]: keys.join(' ') };
    const answer = await configurations.apply(configuration, fieldManager, fields, signal, annotations);
    if (signal.aborted) return undefined;
    if (answer.ok) {
      log.info({ configuration: key, tenantLabels: keys, observes: observes() }, 'namespaceSelector is written');
      return again;
    }
    // 409: another client was faster, and the watch brings its version.
    if (answer.kind === 'broken' || answer.status !== 409)
      log.warn(
        { configuration: key, failure: describe(answer) },
        'namespaceSelector could not be written; it is tried again',
      );
    return wait;
  }

  function changed(): void {
    for (const name of selecting) queue.add(name);
  }

  configurations.subscribe((name, before) => {
    if (!begun || !selecting.includes(name)) return;
    const now = configurations.get(name);
    if (before !== undefined && now !== undefined && before.uid === now.uid && agrees(before) && !agrees(now))
      log.warn({ configuration: name }, 'namespaceSelector was changed by another client; it is written again');
    queue.add(name);
  });
  return {
    begin() {
      begun = true;
      void configurations.listed.then(changed);
    },
    changed,
    agrees,
    stop: () => queue.stop(),
  };
}
