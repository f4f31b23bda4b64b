/**
 * The one store of Bulkhead's webhook configurations: those that exist, in their newest version. Users create and delete them;
 * two subscribers change fields of them, which are failurePolicy (failure-policy.ts) and the CA bundle with the path (ca-bundle.ts).
 */
import type { Clock } from '../client/clock.ts';
import type { Answer, Connection } from '../client/connection.ts';
import { type DecodedObject, decodeObject } from '../client/decode.ts';
import { broken } from '../client/failure.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import {
  type ConfigurationName,
  configurationNameOf,
  type Phase,
  partsOf,
  readConfiguration,
  type WebhookConfiguration,
} from './webhook-configuration.ts';

export interface WebhookConfigurations {
  /** By resource. */
  readonly watches: ReadonlyMap<string, ListWatch>;
  /** Resolves when both kinds have been listed. Never rejects. */
  readonly listed: Promise<void>;
  get(name: ConfigurationName): WebhookConfiguration | undefined;
  /** Those that exist; undefined before both kinds have been listed. */
  current(): readonly WebhookConfiguration[] | undefined;
  /** Calls back after every change of a configuration. */
  subscribe(changed: Subscriber): void;
  /**
   * Applies some fields of some webhooks, server-side. A configuration that was changed, deleted or created again since it was
   * read is a conflict: without uid and resourceVersion, the API server would create a deleted one again.
   */
  apply(
    configuration: WebhookConfiguration,
    fieldManager: string,
    webhooks: readonly object[],
    signal: AbortSignal,
    annotations?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
}

export interface ConfigurationTools {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  readonly configurations: WebhookConfigurations;
}

/** @param before undefined: it is new */
type Subscriber = (name: ConfigurationName, before: WebhookConfiguration | undefined) => void;

export function createWebhookConfigurations(
  connection: Connection,
  follow: (path: string, handler: Handler) => ListWatch,
): WebhookConfigurations {
  const known = new Map<ConfigurationName, WebhookConfiguration>();
  /** The answer to a write may come before the watch tells of older versions. */
  const newest = new Map<ConfigurationName, number>();
  const subscribers: Subscriber[] = [];
  let isListed = false;

  function learned(phase: Phase, object: DecodedObject): void {
    const name = configurationNameOf(phase, object.metadata.name);
    if (name === undefined) return;
    const version = Number(object.metadata.resourceVersion);
    if (version <= (newest.get(name) ?? 0)) return;
    newest.set(name, version);
    const before = known.get(name);
    known.set(name, readConfiguration(name, object));
    for (const changed of subscribers) changed(name, before);
  }

  const handlerOf = (phase: Phase): Handler => ({
    changed: (object) => learned(phase, object),
    removed({ name: object, uid }) {
      const name = configurationNameOf(phase, object);
      const before = name && known.get(name);
      if (name === undefined || before?.uid !== uid) return;
      known.delete(name);
      newest.delete(name);
      for (const changed of subscribers) changed(name, before);
    },
    forgetVersions() {
      for (const name of newest.keys()) if (partsOf(name)[0] === phase) newest.delete(name);
    },
  });

  const watches = new Map(
    (['mutating', 'validating'] as const).map((phase): [string, ListWatch] => [
      `${phase}webhookconfigurations`,
      follow(pathOf(phase), handlerOf(phase)),
    ]),
  );

  return {
    watches,
    listed: Promise.all([...watches.values()].map(({ synced }) => synced)).then(() => {
      isListed = true;
    }),
    get: (name) => known.get(name),
    current: () => (isListed ? [...known.values()] : undefined),
    subscribe: (changed) => void subscribers.push(changed),
    async apply({ name, uid, resourceVersion }, fieldManager, webhooks, signal, annotations) {
      const [phase, object] = partsOf(name);
      const path = `${pathOf(phase)}/${object}?fieldManager=${fieldManager}&force=true`;
      const body = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: phase === 'mutating' ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration',
        metadata: { name: object, uid, resourceVersion, ...(annotations && { annotations }) },
        webhooks,
      };
      const answer = await connection.request('PATCH', path, {
        body,
        contentType: 'application/apply-patch+yaml',
        signal,
      });
      if (!answer.ok) return answer;
      const stored = decodeObject(answer.body);
      if (stored === undefined) return broken(new Error('the answer is not a webhook configuration'));
      learned(phase, stored);
      return answer;
    },
  };
}

function pathOf(phase: Phase): string {
  return `/apis/admissionregistration.k8s.io/v1/${phase}webhookconfigurations`;
}
