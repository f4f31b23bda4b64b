/** Bulkhead's webhook configurations as they are stored, and all the others that mutate. */
import { type DecodedObject, isRecord } from '../client/decode.ts';
import {
  type ConfigurationName,
  configurationNameOf,
  type Phase,
  readConfiguration,
  type WebhookConfiguration,
} from '../configuration/webhook-configuration.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Examination } from './check.ts';

export interface StoredConfiguration extends WebhookConfiguration {
  /** The webhooks as the API server sends them, by their names. */
  readonly raw: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

export interface StoredConfigurations {
  readonly own: ReadonlyMap<ConfigurationName, StoredConfiguration>;
  readonly otherMutating: readonly DecodedObject[];
}

/** @returns undefined: a part could not be listed */
export async function storedConfigurations({
  list,
}: Pick<Examination, 'list'>): Promise<StoredConfigurations | undefined> {
  const own = new Map<ConfigurationName, StoredConfiguration>();
  const otherMutating: DecodedObject[] = [];
  let isRead = true;
  for (const phase of ['mutating', 'validating'] satisfies Phase[]) {
    const path = `/apis/admissionregistration.k8s.io/v1/${phase}webhookconfigurations` as const;
    isRead &&= await list([path], (object) => {
      const name = configurationNameOf(phase, object.metadata.name);
      if (name !== undefined) own.set(name, { ...readConfiguration(name, object), raw: webhooksOf(object) });
      else if (phase === 'mutating') otherMutating.push(object);
    });
  }
  return isRead ? { own, otherMutating } : undefined;
}

/** By name; an object that the API server has stored names each once. */
export function webhooksOf({ object }: DecodedObject): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const webhooks = entry(object, 'webhooks');
  return new Map((Array.isArray(webhooks) ? webhooks : []).filter(isRecord).map((one) => [String(one.name), one]));
}

/** `ValidatingWebhookConfiguration bulkhead` */
export function objectName(name: ConfigurationName): string {
  const [phase, object] = name.split('/');
  return `${phase === 'mutating' ? 'Mutating' : 'Validating'}WebhookConfiguration ${object}`;
}
