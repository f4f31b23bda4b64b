import { type NamespaceSelector, namedNamespaces, noNamespace } from '../kinds/selected-namespaces.ts';
import { meshNamespaces, meshWebhook } from '../tenancy/mesh-namespaces.ts';
import { isSwitchedOff } from '../tenancy/modules.ts';
import type { Settings } from '../tenancy/settings.ts';

/**
 * What a webhook selects that does not select as the others do: the namespaces of the mesh by name, and nothing where the settings switch it
 * off. Undefined: as the others.
 */
export function ownSelector(webhook: string, settings: Settings): NamespaceSelector | undefined {
  if (webhook === meshWebhook) return namedNamespaces(meshNamespaces(settings));
  return isSwitchedOff(webhook, settings) ? noNamespace : undefined;
}
