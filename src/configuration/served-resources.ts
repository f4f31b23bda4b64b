/** The resources that the API server serves, by discovery (meta/v1 APIResourceList). */
import type { Connection } from '../client/connection.ts';
import { isRecord } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import { RetryLater } from '../client/work-queue.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Served, ServedResource } from './rule-comparison.ts';

/** @throws RetryLater when one of the versions cannot be read */
export async function servedResources(
  connection: Pick<Connection, 'request'>,
  apiVersions: Iterable<string>,
  signal: AbortSignal,
): Promise<Served> {
  const served = new Map<string, ReadonlyMap<string, ServedResource> | undefined>();
  for (const version of apiVersions) {
    const path = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
    const answer = await connection.request('GET', path, { signal });
    if (answer.ok) served.set(version, resourcesIn(answer.body));
    else if (answer.kind === 'refused' && answer.status === 404) served.set(version, undefined);
    else throw new RetryLater(describe(answer), answer.kind === 'refused' ? (answer.retryAfter ?? 0) : 0);
  }
  return served;
}

function resourcesIn(body: unknown): ReadonlyMap<string, ServedResource> {
  const served = new Map<string, ServedResource>();
  const resources = isRecord(body) ? entry(body, 'resources') : undefined;
  if (!Array.isArray(resources)) throw new Error('the answer is not a list of resources');
  for (const one of resources.filter(isRecord)) {
    const { name, namespaced, verbs } = one;
    if (typeof name === 'string')
      served.set(name, { namespaced: namespaced === true, verbs: Array.isArray(verbs) ? verbs.map(String) : [] });
  }
  return served;
}
