/**
 * Host names as an Ingress (networking.k8s.io/v1) and routes (gateway.networking.k8s.io/v1) write them. `*.` at the beginning stands for one
 * label in an Ingress and for one or more in a route, so it counts as one or more. Pure.
 */

export interface HostName {
  /** In lower case, without a dot at its end: `shop.example.com`, `*.example.com`; empty: every host. */
  readonly text: string;
  /** From left to right, without the star. */
  readonly labels: readonly string[];
  readonly wildcard: boolean;
}

/** What a rule without a host is about. */
export const everyHost: HostName = { text: '', labels: [], wildcard: true };

const longest = 255;

/** Undefined for text that is no host name. An empty text, and a star alone, are every host. */
export function parseHost(written: string): HostName | undefined {
  if (written === '' || written === '*') return everyHost;
  if (written.length > longest) return undefined;
  const lower = written.toLowerCase();
  const text = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  const wildcard = text.startsWith('*.');
  const labels = (wildcard ? text.slice(2) : text).split('.');
  return labels.every((label) => /^[a-z0-9_-]+$/.test(label)) ? { text, labels, wildcard } : undefined;
}

/** Whether every host that `inner` matches is matched by `outer`. */
export function containsHost(outer: HostName, inner: HostName): boolean {
  if (outer.text === inner.text) return true;
  return outer.wildcard && (inner.wildcard || inner.labels.length > outer.labels.length) && endsWith(inner, outer);
}

/** Whether some host is matched by both. */
export function sharesHost(one: HostName, other: HostName): boolean {
  return containsHost(one, other) || containsHost(other, one);
}

function endsWith({ labels }: HostName, { labels: end }: HostName): boolean {
  return (
    labels.length >= end.length && end.every((label, index) => labels[labels.length - end.length + index] === label)
  );
}
