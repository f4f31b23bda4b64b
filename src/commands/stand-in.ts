/**
 * The little of an API server and of kubectl that the demo needs: it keeps objects in memory, asks the webhook as the API
 * server would (mutate, apply the patch, validate) and prints what kubectl would print. test/e2e/demo.test.ts holds its
 * output against the real ones.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Phase } from '../admission/decision.ts';
import type { NamespaceStore } from '../admission/namespace-store.ts';
import { baselineOf } from '../baseline/baseline.ts';
import type { Kind } from '../kinds/kind.ts';
import { kinds } from '../kinds/kinds.ts';
import { apiVersionsOf } from '../kinds/resource-name.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Person } from './scenes.ts';
import type { Ran, Stage } from './tell.ts';

interface StoredObject extends KubernetesObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: NonNullable<KubernetesObject['metadata']> & { readonly name: string };
}

/** Sends one AdmissionReview, gives back its response. */
export type Ask = (phase: Phase, review: unknown) => Promise<ReviewResponse>;

export interface ReviewResponse {
  readonly allowed: boolean;
  readonly patch?: string;
  readonly status?: { readonly message: string; readonly reason: string };
  readonly warnings?: readonly string[];
}

/** What kubectl says afterwards, and the webhook that a denial names: deletes go to the one with match conditions. */
const writes = {
  CREATE: { done: 'created', webhook: 'validate.bulkhead.dev' },
  UPDATE: { done: 'labeled', webhook: 'validate.bulkhead.dev' },
  DELETE: { done: 'deleted', webhook: 'validate.filtered.bulkhead.dev' },
} as const;
type Write = keyof typeof writes;

/** Kinds of different groups may have one name. */
const byKind: ReadonlyMap<string, Kind> = new Map(
  kinds.flatMap((entry) => apiVersionsOf(entry).map((apiVersion) => [`${apiVersion} ${entry.kind}`, entry] as const)),
);

/** @param root the folder that file names are relative to */
export function createStandIn(ask: Ask, tenancy: () => Tenancy, namespaces: NamespaceStore, root: string): Stage {
  const objects = new Map<string, StoredObject>();

  async function read(file: string): Promise<StoredObject> {
    return parse(await readFile(join(root, file), 'utf8'));
  }

  function stored(key: string): StoredObject {
    const object = objects.get(key);
    if (object === undefined) throw new Error(`the demo has no ${key}`);
    return object;
  }

  /** @param before what kubectl says before a denial */
  async function write(person: Person, operation: Write, subject: StoredObject, before = ''): Promise<Ran> {
    const { done, webhook } = writes[operation];
    const oldObject = operation === 'CREATE' ? undefined : stored(keyOf(subject));
    const current = operation === 'DELETE' ? undefined : subject;
    const review = (object: StoredObject | undefined) => reviewOf(person, operation, subject, object, oldObject);
    // The API server asks mutating webhooks about deletes only where they ask for it; Bulkhead's does not.
    const { patch } = current === undefined ? {} : await ask('mutate', review(current));
    const after = current && (patch === undefined ? current : patched(current, patch));
    const { allowed, status, warnings = [] } = await ask('validate', review(after));
    if (!allowed) {
      const denied = `Error from server (Forbidden): ${before}admission webhook "${webhook}" denied the request: `;
      return { code: 1, output: denied + (status?.message ?? '') };
    }
    if (after === undefined) objects.delete(keyOf(subject));
    else keep(after);
    const warned = warnings.map((warning) => `Warning: ${warning}\n`).join('');
    return { code: 0, output: `${warned}${nameOf(subject)} ${done}` };
  }

  /** What a watch would see: a new namespace is known, and gets its baseline. */
  function keep(object: StoredObject): void {
    objects.set(keyOf(object), object);
    if (object.kind !== 'Namespace') return;
    const { name, labels } = object.metadata;
    namespaces.set({ name, uid: randomUUID(), labels: labels ?? {}, terminating: false });
    const owner = tenancy().ownerByLabels(labels);
    if (owner === 'platform') return;
    for (const managed of baselineOf(name, owner, tenancy().settings)) objects.set(keyOf(managed), managed);
  }

  return {
    async kubectl(person, command) {
      const [verb, first = '', second = '', third = ''] = command;
      switch (verb) {
        case 'apply':
          return write(person, 'CREATE', await read(second), `error when creating "${second}": `);
        case 'label': {
          const object = stored(`Namespace//${second}`);
          const [key = '', value = ''] = third.split('=');
          const labels = { ...object.metadata.labels, [key]: value };
          return write(person, 'UPDATE', { ...object, metadata: { ...object.metadata, labels } });
        }
        case 'delete':
          return write(person, 'DELETE', stored(`NetworkPolicy/${command.at(-1)}/${second}`));
        case 'get': {
          const found = [...objects.values()].filter(
            ({ kind, metadata }) => kind.toLowerCase() === first && metadata.namespace === third,
          );
          return { code: 0, output: found.map(nameOf).sort().join('\n') };
        }
        default:
          throw new Error(`the stand-in does not know kubectl ${verb}`);
      }
    },
    labelsOf: async (file) => objects.get(keyOf(await read(file)))?.metadata.labels ?? {},
  };
}

function reviewOf(
  { name: username, groups }: Person,
  operation: Write,
  { apiVersion, kind, metadata: { name, namespace = kind === 'Namespace' ? name : '' } }: StoredObject,
  object: StoredObject | undefined,
  oldObject: StoredObject | undefined,
): unknown {
  const entry = byKind.get(`${apiVersion} ${kind}`);
  if (entry === undefined) throw new Error(`the demo does not know ${apiVersion} ${kind}`);
  const { group, plural } = entry;
  const [version] = entry.versions;
  const request = {
    uid: randomUUID(),
    kind: { group, version, kind },
    resource: { group, version, resource: plural },
    name,
    namespace,
    operation,
    userInfo: { username, groups: [...groups, 'system:authenticated'] },
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun: false,
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
}

/** Applies the one form of patch that Bulkhead sends. */
function patched(object: StoredObject, patch: string): StoredObject {
  const operations: readonly { path: string; value: unknown }[] = JSON.parse(Buffer.from(patch, 'base64').toString());
  const labels: Record<string, string> = { ...object.metadata.labels };
  for (const { path, value } of operations) {
    if (path === '/metadata/labels') Object.assign(labels, value);
    else labels[path.slice('/metadata/labels/'.length).replaceAll('~1', '/').replaceAll('~0', '~')] = String(value);
  }
  return { ...object, metadata: { ...object.metadata, labels } };
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata?.namespace ?? ''}/${metadata?.name}`;
}

/** As kubectl names objects: `pod/web`, `networkpolicy.networking.k8s.io/open`. */
function nameOf({ apiVersion, kind, metadata }: StoredObject): string {
  const group = byKind.get(`${apiVersion} ${kind}`)?.group ?? '';
  return `${kind.toLowerCase()}${group && `.${group}`}/${metadata.name}`;
}
