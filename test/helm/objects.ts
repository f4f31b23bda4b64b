/** Kubernetes objects in YAML, as the API server would read them, and what an overlay and a chart have in common. */
import { parse, parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
}

/** By kind, namespace and name. */
export type Manifests = ReadonlyMap<string, Manifest>;

/** @throws where a text is not YAML, and where an object occurs twice */
export function manifestsIn(text: string): Manifests {
  const found = new Map<string, Manifest>();
  // As Kubernetes reads it: 0440 is octal.
  for (const document of parseAllDocuments(text, { version: '1.1' })) {
    for (const error of document.errors) throw error;
    const object = document.toJS() as Manifest | null;
    if (object === null) continue;
    const { kind, metadata } = object;
    const id = [kind, metadata.namespace, metadata.name].filter(Boolean).join(' ');
    if (found.has(id)) throw new Error(`${id} occurs twice`);
    found.set(id, object);
  }
  return found;
}

/** The spec in a file of a ConfigMap. */
export function specIn(manifests: Manifests, configMap: string, file: string): unknown {
  const text = manifests.get(`ConfigMap bulkhead-system ${configMap}`)?.data?.[file];
  return text === undefined ? undefined : (parse(text) as { readonly spec: unknown }).spec;
}

/** The files of the tenants, by the name of the tenant. */
export function tenantsIn(manifests: Manifests): Readonly<Record<string, unknown>> {
  const { data = {} } = manifests.get('ConfigMap bulkhead-system bulkhead-tenants') ?? {};
  return Object.fromEntries(
    Object.keys(data).map((file) => [file.replace(/\.yaml$/, ''), specIn(manifests, 'bulkhead-tenants', file)]),
  );
}

/** Without what Helm alone reads; files in YAML are compared by what they say, and not by their comments. */
export function comparable(object: Manifest): object {
  const { annotations, ...metadata } = object.metadata;
  const others = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith('helm.sh/')));
  const files = Object.entries(object.data ?? {}).map(([name, text]) => [
    name,
    name.endsWith('.yaml') ? parse(text) : text,
  ]);
  return {
    ...object,
    metadata: { ...metadata, ...(Object.keys(others).length > 0 && { annotations: others }) },
    ...(object.data && { data: Object.fromEntries(files) }),
  };
}
