import { excerpt, isMap, valueAt } from '../kubernetes/json.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { listed } from '../reach/listed.ts';
import type { Finding } from './check.ts';
import { resourceOf } from './unread-objects.ts';

/** Multus: a second network for pods. */
export function isAttachment(request: Pick<UnreadRequest, 'group' | 'resource'>): boolean {
  return resourceOf(request) === 'network-attachment-definitions.k8s.cni.cncf.io';
}

const path = 'spec.config';

/**
 * Whether every CNI plugin that a NetworkAttachmentDefinition runs is one of the types that the settings allow.
 * @returns at most one finding
 */
export function judgeAttachment({ object }: UnreadRequest, allowed: ReadonlySet<string>): readonly Finding[] {
  const fix = `write a config of type ${listed([...allowed].sort(), 3)}, or ask the platform team to write the object`;
  const written = valueAt(object, 'spec', 'config');
  const config = typeof written === 'string' ? parsed(written) : undefined;
  // Without a config, Multus reads a file of the node that has the name of the object.
  if (!isMap(config))
    return [{ path, reason: 'is no JSON object, so the config of a node would count', fix, protects: 'border' }];
  const unread = unreadKey(config);
  if (unread !== undefined)
    return [
      {
        path,
        reason: `has the field ${excerpt(unread)}, which names plugins that are not known here`,
        fix,
        protects: 'border',
      },
    ];
  const plugins = Array.isArray(config.plugins) ? config.plugins : [config];
  for (const plugin of plugins) {
    const type = valueAt(plugin, 'type');
    const hidden = isMap(plugin) ? unreadKey(plugin) : undefined;
    if (typeof type === 'string' && allowed.has(type) && hidden === undefined) continue;
    const reason = `runs the plugin ${excerpt(hidden ?? type)}, which the platform has not allowed tenants`;
    return [{ path, reason, fix, protects: 'border' }];
  }
  // A list may have a type of its own beside.
  if (plugins.length > 0 && (config.type === undefined || allowed.has(String(config.type)))) return [];
  return [
    {
      path,
      reason: `runs the plugin ${excerpt(config.type)}, which the platform has not allowed tenants`,
      fix,
      protects: 'border',
    },
  ];
}

/** Go reads the names of fields in any letter case, and plugins such as Multus run those below delegates. */
function unreadKey(config: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(config).find((key) => {
    const upper = key.toUpperCase();
    return (
      upper.startsWith('DELEGATE') ||
      upper === 'CLUSTERNETWORK' ||
      upper === 'DEFAULTNETWORKS' ||
      (upper === 'TYPE' && key !== 'type') ||
      (upper === 'PLUGINS' && key !== 'plugins')
    );
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
