import type { Reference } from './traffic.ts';

/** `NAME`, of the namespace of the proxy, or with a scheme or without one `NAMESPACE/NAME` (pkg/model/credentials). */
export function secretName(written: string, own: string): Pick<Reference, 'namespace' | 'name'> {
  const name = written.replace(/^[a-z-]+:\/\//, '');
  const slash = name.indexOf('/');
  return slash < 0 ? { namespace: own, name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}
