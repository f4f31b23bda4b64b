import { formatPort, type Port } from '../kubernetes/port-range.ts';

/** The rest is counted, so that a refusal stays readable. */
const maxShownPorts = 3;

/** `a`, `a and b`, `a, b and c`; beyond `most`, which is at least 1, `a, b, c and 2 more`. */
export function listed(items: readonly string[], most = items.length): string {
  const shown = items.length > most ? [...items.slice(0, most), `${items.length - most} more`] : items;
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** As {@link listed}; what is not shown is not made. */
export function listedBy<Item>(items: readonly Item[], text: (item: Item) => string, most: number): string {
  return listed([...items.slice(0, most).map(text), ...items.slice(most).map(() => '')], most);
}

export function listedPorts(ports: readonly Port[]): string {
  return listed(ports.map(formatPort), maxShownPorts);
}
