/**
 * Brings about, on a real API server, what a case of test/fixtures says is stored, and sends its request, dry. What is staged is written
 * by the administrator.
 */
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import type { Case } from '../fixtures/cases.ts';
import { collectionOf } from '../fixtures/review.ts';

interface Stored {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly deletionTimestamp?: string };
  readonly spec?: Readonly<Record<string, unknown>> | undefined;
  readonly status?: object | undefined;
}

/** What is written of an object: the rest is the API server's. */
function written({ metadata, ...rest }: KubernetesObject & { readonly status?: object }): Stored {
  const { labels, annotations, ownerReferences, finalizers, name, generateName } = metadata ?? {};
  return { ...rest, metadata: { name, generateName, labels, annotations, ownerReferences, finalizers } };
}

/** Writes the stored object of the case, if it has one. */
export async function stage(plane: ControlPlane, { oldObject }: Case): Promise<void> {
  if (oldObject === undefined) return;
  if (oldObject.kind === 'Namespace') return stageNamespace(plane, oldObject);
  const path = `${collectionOf(oldObject)}/${oldObject.metadata?.name}`;
  const { spec, status, ...rest } = written(oldObject);
  const { ephemeralContainers, ...first } = spec ?? {};
  const { apiVersion, kind } = oldObject;
  const body = { ...rest, apiVersion, kind, ...(spec && { spec: first }) };
  const there = (await plane.request('GET', path)).status === 200;
  if (there && oldObject.kind !== 'Pod') await update(plane, path, '', () => body);
  else {
    // Most of a pod never changes.
    if (there) await done(plane, 'DELETE', `${path}?gracePeriodSeconds=0`);
    await done(plane, 'POST', collectionOf(oldObject), body);
  }
  if (ephemeralContainers !== undefined)
    await update(plane, path, '/ephemeralcontainers', (stored) => ({
      ...stored,
      spec: { ...stored.spec, ephemeralContainers },
    }));
  if (status !== undefined) await stageStatus(plane, oldObject);
}

/** Writes the status of the stored object alone. */
export async function stageStatus(plane: ControlPlane, oldObject: KubernetesObject): Promise<void> {
  const path = `${collectionOf(oldObject)}/${oldObject.metadata?.name}`;
  const { status = {} } = written(oldObject);
  await update(plane, path, '/status', (stored) => ({ ...stored, status: statusOf(stored, status) }));
}

/** Replaces it, once more where a controller has come between. */
async function replace(
  plane: ControlPlane,
  path: string,
  suffix: string,
  change: (stored: Stored) => Stored,
  kubeconfig?: string,
): Promise<Answer> {
  for (;;) {
    const stored = (await plane.request('GET', path)).body as Stored;
    const { metadata, ...rest } = change(stored);
    const { resourceVersion } = stored.metadata;
    const body = { ...rest, metadata: { ...metadata, resourceVersion } };
    const answer = await plane.request('PUT', `${path}${suffix}`, body, { ...(kubeconfig && { kubeconfig }) });
    if (answer.status !== 409) return answer;
  }
}

async function update(...[plane, path, suffix, change]: Parameters<typeof replace>): Promise<void> {
  const { status, text } = await replace(plane, path, suffix, change);
  if (status >= 300) throw new Error(`PUT ${path}${suffix}: ${text}`);
}

/** What a status says beside it, stays: the API server lets it say only what is so. */
function statusOf({ status }: Stored, said: object): object {
  return { ...(status as object), ...said };
}

async function stageNamespace(plane: ControlPlane, namespace: KubernetesObject): Promise<void> {
  const path = `/api/v1/namespaces/${namespace.metadata?.name}`;
  const ends = namespace.metadata?.deletionTimestamp !== undefined;
  let there = await plane.request('GET', path);
  if (there.status === 200 && !ends && ending(there)) {
    await finalized(plane, path, [], { finalizers: [] });
    there = await plane.request('GET', path);
  }
  if (there.status === 404)
    await done(plane, 'POST', '/api/v1/namespaces', { metadata: { name: namespace.metadata?.name } });
  const { spec, ...rest } = written(namespace) as Stored & { spec?: { finalizers?: string[] } };
  await done(plane, 'PUT', path, rest);
  if (ends && !ending(await plane.request('GET', path))) await done(plane, 'DELETE', path);
  await finalized(plane, path, spec?.finalizers ?? ['kubernetes'], {});
}

function ending({ body }: Answer): boolean {
  return (body as Stored).metadata.deletionTimestamp !== undefined;
}

async function finalized(plane: ControlPlane, path: string, finalizers: string[], metadata: object): Promise<void> {
  if ('finalizers' in metadata) await done(plane, 'PATCH', path, { metadata });
  const { metadata: stored, ...rest } = (await plane.request('GET', path)).body as Stored;
  await done(plane, 'PUT', `${path}/finalize`, { ...rest, metadata: stored, spec: { finalizers } });
}

async function done(plane: ControlPlane, method: string, path: string, body?: object): Promise<void> {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const { status, text } = await plane.request(method, path, body, { contentType });
  if (status >= 300) throw new Error(`${method} ${path}: ${text}`);
}

/** Brings back a namespace that a case has ended, as it was. */
export async function restage(plane: ControlPlane, name: string, labels: object): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  const there = await plane.request('GET', path);
  if (there.status !== 200 || !ending(there)) return;
  await finalized(plane, path, [], { finalizers: [] });
  await done(plane, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
}

/** Sends the request of a case whose stored object is staged. */
export async function submitDry(
  plane: ControlPlane,
  { operation, subresource, collection, object, oldObject }: Case,
  kubeconfig: string,
): Promise<Answer> {
  const about = object ?? oldObject ?? {};
  const path = collectionOf(about);
  const name = about.metadata?.name ?? '';
  if (operation === 'DELETE') {
    const one = collection ? `?fieldSelector=metadata.name=${name}&` : `/${name}?`;
    return plane.request('DELETE', `${path}${one}dryRun=All`, undefined, { kubeconfig });
  }
  if (operation === 'CREATE') return plane.request('POST', `${path}?dryRun=All`, object, { kubeconfig });
  const { metadata, spec, status, ...rest } = written(about);
  const change = (stored: Stored): Stored => ({
    ...stored,
    ...rest,
    spec: about.kind === 'Pod' ? podSpec(stored, oldObject, about) : (spec ?? emptied(stored, oldObject)),
    status: subresource === 'status' && about.kind !== 'Namespace' ? statusOf(stored, status ?? {}) : stored.status,
    metadata: { ...stored.metadata, ...metadata, generateName: undefined },
  });
  const suffix = subresource === '' ? '' : `/${subresource}`;
  return replace(plane, `${path}/${name}`, `${suffix}?dryRun=All`, change, kubeconfig);
}

/** What the request leaves out of the stored spec, it empties. */
function emptied(stored: Stored, before: KubernetesObject | undefined): Stored['spec'] {
  return before?.kind === 'Namespace' && 'spec' in before ? {} : stored.spec;
}

/** The API server completes a pod, and takes no other than with all of it. Lists alone grow. */
function podSpec(stored: Stored, before: KubernetesObject | undefined, after: KubernetesObject): Stored['spec'] {
  const spec: Record<string, unknown> = { ...stored.spec };
  for (const field of ['tolerations', 'ephemeralContainers']) {
    const listed = (object: KubernetesObject | undefined) =>
      ((object as Stored | undefined)?.spec?.[field] ?? []) as object[];
    const known = new Set(listed(before).map((one) => JSON.stringify(one)));
    const added = listed(after).filter((one) => !known.has(JSON.stringify(one)));
    if (added.length > 0) spec[field] = [...((spec[field] ?? []) as object[]), ...added];
  }
  return spec;
}
