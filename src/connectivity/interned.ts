/** Sets of labels and lists of ports of pods: clusters have few different ones, so each is kept once. */
import type { StringMap } from '../kubernetes/objects.ts';
import type { ContainerPort } from './port-set.ts';

/** Different for different labels, whatever characters a file writes into them: each text follows its length. */
export function labelsKey(labels: StringMap): string {
  const keys = Object.keys(labels);
  if (keys.length > 1) keys.sort();
  let key = '';
  for (const name of keys) key += sized(name) + sized(labels[name] ?? '');
  return key;
}

export function portsKey(ports: readonly ContainerPort[]): string {
  // No key of labels contains a line break outside of its texts.
  let key = '\n';
  for (const { name, protocol, port } of ports) key += `${sized(name)}${protocol}${port}\n`;
  return key;
}

function sized(text: string): string {
  return `${text.length}:${text}`;
}

/** Gives the first of those that are equal. */
export class Interned {
  readonly #labels = new Map<string, StringMap>();
  readonly #ports = new Map<string, readonly ContainerPort[]>();
  // Pods of one maker are listed one after the other.
  #lastLabels: StringMap = {};
  #lastPorts: readonly ContainerPort[] = [];

  labels(labels: StringMap): StringMap {
    if (!areEqual(labels, this.#lastLabels)) this.#lastLabels = first(this.#labels, labelsKey(labels), labels);
    return this.#lastLabels;
  }

  ports(ports: readonly ContainerPort[]): readonly ContainerPort[] {
    if (!areSame(ports, this.#lastPorts)) this.#lastPorts = first(this.#ports, portsKey(ports), ports);
    return this.#lastPorts;
  }
}

/** In the same order, too: otherwise they are compared by their keys. */
function areEqual(one: StringMap, other: StringMap): boolean {
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return keys.length === others.length && keys.every((key, at) => key === others[at] && one[key] === other[key]);
}

function areSame(one: readonly ContainerPort[], other: readonly ContainerPort[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ name, protocol, port }, at) => {
      const own = other[at];
      return own?.name === name && own.protocol === protocol && own.port === port;
    })
  );
}

function first<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  known.set(key, value);
  return value;
}
