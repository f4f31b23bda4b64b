/**
 * Brings about, on a real API server without a controller manager, what a case of test/fixtures says is stored, and sends its request,
 * dry. What is staged is written by the administrator.
 */
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import type { Case } from '../fixtures/cases.ts';
import { collectionOf } from '../fixtures/review.ts';

interface Stored {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly deletionTimestamp?: string };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
}

/** What is written of an object: the rest is the API server's. */
function written({ metadata, ...rest }: KubernetesObject & { readonly status?: unknown }): Stored {
  const { labels, annotations, ownerReferences, finalizers, name, generateName } = metadata ?? {};
  return { ...rest, metadata: { name, generateName, labels, annotations, ownerReferences, finalizers } };
}

/** Writes the stored object of the case, if it has one. */
export async function stage(plane: ControlPlane, { oldObject }: Case): Promise<void> {
  if (oldObject === undefined) return;
  if (oldObject.kind === 'Namespace') return stageNamespace(plane, oldObject);
  const path = `${collectionOf(oldObject)}/${oldObject.metadata?.name}`;
  let there = await plane.request('GET', path);
  const body = { ...written(oldObject), apiVersion: oldObject.apiVersion, kind: oldObject.kind };
  if (there.status === 200 && oldObject.kind === 'Pod') {
    // Most of a pod never changes.
    await done(plane, 'DELETE', `${path}?gracePeriodSeconds=0`);
    there = await plane.request('GET', path);
  }
  const { resourceVersion } = (there.body as Stored).metadata ?? {};
  if (there.status === 200)
    await done(plane, 'PUT', path, { ...body, metadata: { ...body.metadata, resourceVersion } });
  else await done(plane, 'POST', collectionOf(oldObject), body);
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
  const target = `${path}/${name}`;
  const stored = (await plane.request('GET', target)).body as Stored;
  // The API server lets a status say only what is so.
  const { metadata, ...rest } = written({ ...about, status: stored.status });
  // What the request leaves out of the stored spec, it empties.
  const spec = rest.spec ?? (oldObject?.kind === 'Namespace' && 'spec' in oldObject ? {} : stored.spec);
  const changed = { ...stored, ...rest, spec, metadata: { ...stored.metadata, ...metadata, generateName: undefined } };
  const suffix = subresource === '' ? '' : `/${subresource}`;
  return plane.request('PUT', `${target}${suffix}?dryRun=All`, changed, { kubeconfig });
}
