import { excerpt, isGiven, isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { listed } from '../reach/listed.ts';
import type { Finding } from './check.ts';
import { resourceOf } from './unread-objects.ts';

/** Multus: a second network for pods. */
export function isAttachment(request: Pick<UnreadRequest, 'group' | 'resource'>): boolean {
  return resourceOf(request) === 'network-attachment-definitions.k8s.cni.cncf.io';
}

/** They give addresses alone, and run no other program. */
const givesAddresses: readonly string[] = ['host-local', 'static', 'dhcp', 'whereabouts'];

/** Fields that name programs. `clusterNetwork` and `defaultNetworks` of Multus name other objects. */
const naming: readonly string[] = ['type', 'plugins', 'ipam', 'delegate', 'delegates'];

/**
 * Whether every program that a NetworkAttachmentDefinition has a node run as root is one of the types that the settings allow.
 * @returns at most one finding
 */
export function judgeAttachment({ object }: UnreadRequest, allowed: ReadonlySet<string>): readonly Finding[] {
  const written = valueAt(object, 'spec', 'config');
  const reason = typeof written === 'string' ? violationOfText(written, allowed) : notJson;
  if (reason === undefined) return [];
  const types = listed([...allowed].sort(), 3);
  const fix = `write a config of type ${types}, with ipam of type ${listed(givesAddresses)}, or ask the platform team to write the object`;
  return [{ path: 'spec.config', reason, fix, protects: 'border' }];
}

// Without a config, Multus reads a file of the node that has the name of the object.
const notJson = 'is no JSON object, so the config of a node would count';

function violationOfText(text: string, allowed: ReadonlySet<string>): string | undefined {
  const config = parsed(text);
  if (!isMap(config)) return notJson;
  // Go keeps parts of the first one.
  if (fieldsIn(config) !== colonsIn(text)) return 'has one field twice, and plugins differ in which of them they read';
  return violationOf(config, allowed);
}

/** Of a config, a plugin in it, or a delegate: plugins such as Multus run those below delegates. */
function violationOf(config: unknown, allowed: ReadonlySet<string>): string | undefined {
  if (!isMap(config)) return notAllowed(config);
  const unread = unreadKey(config);
  if (unread !== undefined) return `has the field ${excerpt(unread)}, which names plugins that are not known here`;
  const { type, plugins, ipam, delegate, delegates } = config;
  // A list may have a type of its own beside.
  const hasType = typeof type === 'string' && allowed.has(type);
  if (!hasType && !(type === undefined && Array.isArray(plugins) && plugins.length > 0)) return notAllowed(type);
  const below = [plugins, delegates].flatMap((list) => (Array.isArray(list) || !isGiven(list) ? (list ?? []) : [list]));
  for (const one of isGiven(delegate) ? [...below, delegate] : below) {
    const violation = violationOf(one, allowed);
    if (violation !== undefined) return violation;
  }
  return violationOfAddresses(ipam, allowed);
}

function violationOfAddresses(ipam: unknown, allowed: ReadonlySet<string>): string | undefined {
  if (!isGiven(ipam)) return undefined;
  const unread = isMap(ipam) ? unreadKey(ipam) : undefined;
  if (unread !== undefined)
    return `has the field ${excerpt(unread)} in ipam, which names plugins that are not known here`;
  const type = valueAt(ipam, 'type');
  if (isMap(ipam) && type === undefined) return undefined;
  if (typeof type === 'string' && (givesAddresses.includes(type) || allowed.has(type))) return undefined;
  return `has ipam run ${excerpt(type)} on the node, which the platform has not allowed tenants`;
}

function notAllowed(type: unknown): string {
  return `runs the plugin ${excerpt(type)}, which the platform has not allowed tenants`;
}

/** Go reads the names of fields in any letter case, and takes the long s and the sign for Kelvin for letters. */
function unreadKey(map: JsonMap): string | undefined {
  return Object.keys(map).find((key) => {
    const folded = key.toUpperCase().toLowerCase();
    if (folded === 'clusternetwork' || folded === 'defaultnetworks') return true;
    return !naming.includes(key) && (naming.includes(folded) || folded.startsWith('delegate'));
  });
}

/** All fields, also those of maps inside. */
function fieldsIn(config: JsonMap): number {
  let count = 0;
  const left: unknown[] = [config];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== 'object' || one === null) continue;
    const values = Object.values(one);
    if (!Array.isArray(one)) count += values.length;
    for (const value of values) left.push(value);
  }
  return count;
}

/** Of valid JSON: one for each field that is written. */
function colonsIn(text: string): number {
  let [count, isText] = [0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isText = !isText;
    else if (isText && character === '\\') at++;
    else if (!isText && character === ':') count++;
  }
  return count;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
