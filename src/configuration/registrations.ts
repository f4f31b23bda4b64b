/**
 * The webhook configurations by which API servers call Bulkhead, as whoever completes them sees them: those that are there, in
 * their newest version. People apply and delete them.
 */
import { pathIn } from '../certificates/paths.ts';
import type { DecodedObject } from '../client/decode.ts';
import type { Handler } from '../client/object-cache.ts';
import {
  type Configuration,
  type ConfigurationName,
  configurationNameOf,
  configurationPaths,
  type Phase,
  partsOf,
  readConfiguration,
  type Webhook,
} from './webhook-configuration.ts';

export interface Registration extends Configuration {
  /** Bulkhead's own webhooks: each has an endpoint by the first word of its name. */
  readonly webhooks: readonly Webhook[];
  /** The whole object. */
  readonly object: Readonly<Record<string, unknown>>;
}

export interface Registrations {
  /** Those that exist, or undefined before all have been looked for. */
  current(): readonly Registration[] | undefined;
  /** For the watch of one of the two kinds. */
  handlerAt(path: string): Handler;
  /** All have been looked for. */
  begin(): void;
  /** What the API server has answered to a write. */
  learned(phase: Phase, object: DecodedObject): void;
}

/** @param changed told after every change */
export function createRegistrations(changed: () => void): Registrations {
  const known = new Map<ConfigurationName, Registration>();
  /** An answer may come before what the watch tells, and what it tells then is old. */
  const newest = new Map<ConfigurationName, number>();
  let begun = false;

  function learned(phase: Phase, object: DecodedObject): void {
    const name = configurationNameOf(phase, object.metadata.name);
    if (name === undefined) return;
    const configuration = readConfiguration(name, object);
    const version = Number(configuration.resourceVersion);
    if (version < (newest.get(name) ?? 0)) return;
    newest.set(name, version);
    const webhooks = configuration.webhooks.filter((webhook) => endpointOf(webhook) !== undefined);
    known.set(name, { ...configuration, webhooks, object: object.object });
    changed();
  }

  return {
    current: () => (begun ? [...known.values()] : undefined),
    handlerAt(path) {
      const phase = path === configurationPaths.mutating ? 'mutating' : 'validating';
      return {
        changed: (object) => learned(phase, object),
        removed({ name: object, uid }) {
          const name = configurationNameOf(phase, object);
          if (name !== undefined && known.get(name)?.uid === uid) {
            known.delete(name);
            newest.delete(name);
          }
          changed();
        },
        forgetVersions() {
          for (const name of newest.keys()) if (partsOf(name)[0] === phase) newest.delete(name);
        },
      };
    },
    begin() {
      begun = true;
      changed();
    },
    learned,
  };
}

/** Which of the three endpoints a webhook is for. Undefined: it is none of ours. */
export function endpointOf({ name }: Pick<Webhook, 'name'>): string | undefined {
  return /^(mutate|validate|warn)\.(?:filtered\.)?bulkhead\.dev$/.exec(name)?.[1];
}

/** By whom the API server knows the webhook: PEM, empty where there is none. */
export function bundleTextOf({ caBundle }: Pick<Webhook, 'caBundle'>): string {
  return Buffer.from(caBundle, 'base64').toString('latin1');
}

/** The path by which it is called, see certificates/paths.ts. Undefined: it leads nowhere. */
export function pathNamedBy(webhook: Pick<Webhook, 'name' | 'path'>): string | undefined {
  return pathIn(webhook.path, endpointOf(webhook) ?? '');
}

/** Its webhooks are written at once, so they name one. */
export function pathNamedIn({ webhooks }: Pick<Registration, 'webhooks'>): string | undefined {
  return webhooks.map(pathNamedBy).find((path) => path !== undefined);
}

export function isCalledByService({ address }: Pick<Webhook, 'address'>): boolean {
  return address.startsWith('service ');
}
