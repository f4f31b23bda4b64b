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
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Operation } from '../kubernetes/review.ts';
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

const byKind: ReadonlyMap<string, Kind> = new Map(kinds.map((entry) => [entry.kind, entry]));

export class StandIn implements Stage {
  readonly #ask: Ask;
  readonly #tenancy: () => Tenancy;
  readonly #namespaces: NamespaceStore;
  readonly #root: string;
  readonly #objects = new Map<string, StoredObject>();

  /** @param root the folder that file names are relative to */
  constructor(ask: Ask, tenancy: () => Tenancy, namespaces: NamespaceStore, root: string) {
    this.#root = root;
    this.#ask = ask;
    this.#tenancy = tenancy;
    this.#namespaces = namespaces;
  }

  async kubectl(person: Person, command: readonly string[]): Promise<Ran> {
    const [verb, first = '', second = '', third = ''] = command;
    switch (verb) {
      case 'apply':
        return this.#apply(person, second);
      case 'label':
        return this.#label(person, second, third);
      case 'delete':
        return this.#delete(person, second, command.at(-1) ?? '');
      case 'get':
        return this.#list(first, third);
      default:
        throw new Error(`the stand-in does not know kubectl ${verb}`);
    }
  }

  async labelsOf(file: string): Promise<Readonly<Record<string, string>>> {
    return this.#objects.get(keyOf(await this.#read(file)))?.metadata.labels ?? {};
  }

  async #apply(person: Person, file: string): Promise<Ran> {
    const object = await this.#read(file);
    const { admitted, output, stored } = await this.#admit(person, 'CREATE', object, undefined);
    if (!admitted) return refusal(`error when creating "${file}": `, output);
    this.#keep(stored);
    return { code: 0, output: `${output}${nameOf(stored)} created` };
  }

  async #label(person: Person, name: string, label: string): Promise<Ran> {
    const before = this.#objects.get(`Namespace//${name}`);
    if (before === undefined) throw new Error(`the demo has no namespace ${name}`);
    const [key = '', value = ''] = label.split('=');
    const after = { ...before, metadata: { ...before.metadata, labels: { ...before.metadata.labels, [key]: value } } };
    const { admitted, output, stored } = await this.#admit(person, 'UPDATE', after, before);
    if (!admitted) return refusal('', output);
    this.#keep(stored);
    return { code: 0, output: `${output}${nameOf(stored)} labeled` };
  }

  async #delete(person: Person, name: string, namespace: string): Promise<Ran> {
    const stored = this.#objects.get(`NetworkPolicy/${namespace}/${name}`);
    if (stored === undefined) throw new Error(`the demo has no network policy ${namespace}/${name}`);
    const { admitted, output } = await this.#admit(person, 'DELETE', undefined, stored);
    // Deletes of policies go to the webhook with match conditions.
    if (!admitted) return refusal('', output, 'validate.filtered.bulkhead.dev');
    this.#objects.delete(keyOf(stored));
    return { code: 0, output: `${output}${nameOf(stored)} deleted` };
  }

  async #list(resource: string, namespace: string): Promise<Ran> {
    const found = [...this.#objects.values()].filter(
      ({ kind, metadata }) => kind.toLowerCase() === resource && metadata.namespace === namespace,
    );
    return { code: 0, output: found.map(nameOf).sort().join('\n') };
  }

  async #read(file: string): Promise<StoredObject> {
    return parse(await readFile(join(this.#root, file), 'utf8'));
  }

  async #admit(
    person: Person,
    operation: Operation,
    object: StoredObject | undefined,
    oldObject: StoredObject | undefined,
  ) {
    const subject = object ?? oldObject;
    if (subject === undefined) throw new Error('a request needs an object');
    const review = (current: StoredObject | undefined) => reviewOf(person, operation, subject, current, oldObject);
    // The API server asks mutating webhooks about deletes only where they ask for it; Bulkhead's does not.
    const { patch } = object === undefined ? {} : await this.#ask('mutate', review(object));
    const stored = patch === undefined ? subject : patched(subject, patch);
    const { allowed, status, warnings = [] } = await this.#ask('validate', review(object && stored));
    const warned = warnings.map((warning) => `Warning: ${warning}\n`).join('');
    return { admitted: allowed, stored, output: allowed ? warned : (status?.message ?? '') };
  }

  /** What a watch would see: a new namespace is known, and gets its baseline. */
  #keep(object: StoredObject): void {
    this.#objects.set(keyOf(object), object);
    if (object.kind !== 'Namespace') return;
    const { name, labels = {} } = object.metadata;
    this.#namespaces.set({ name, uid: randomUUID(), labels: labels ?? {}, terminating: false });
    const { settings } = this.#tenancy();
    const owner = this.#tenancy().ownerByLabels(labels);
    if (owner === 'platform') return;
    for (const managed of baselineOf(name, owner, settings)) this.#objects.set(keyOf(managed), managed);
  }
}

function reviewOf(
  { name: username, groups }: Person,
  operation: Operation,
  { kind, metadata: { name, namespace = kind === 'Namespace' ? name : '' } }: StoredObject,
  object: StoredObject | undefined,
  oldObject: StoredObject | undefined,
): unknown {
  const entry = byKind.get(kind);
  if (entry === undefined) throw new Error(`the demo does not know ${kind}`);
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

function refusal(before: string, message: string, webhook = 'validate.bulkhead.dev'): Ran {
  const output = `Error from server (Forbidden): ${before}admission webhook "${webhook}" denied the request: ${message}`;
  return { code: 1, output };
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata?.namespace ?? ''}/${metadata?.name}`;
}

/** As kubectl names objects: `pod/web`, `networkpolicy.networking.k8s.io/open`. */
function nameOf({ kind, metadata }: StoredObject): string {
  const group = byKind.get(kind)?.group ?? '';
  return `${kind.toLowerCase()}${group && `.${group}`}/${metadata.name}`;
}
