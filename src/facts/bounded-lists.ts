/**
 * Lists of one namespace for hints about the object that is written. Nothing depends on them, so they are given up early: where the API server
 * is late, a namespace holds too much, or a tenant asks too often, the hint is left out. Verdicts never wait in this queue
 * (client/fair-requests.ts), and lists of one tenant leave room for those of others.
 */
import type { Beside, BesideSource, ListedKind, Skipped } from '../admission/beside.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { decodeListMeta } from '../client/decode.ts';
import { readList } from '../client/list-stream.ts';
import { isMap, type JsonMap } from '../kubernetes/json.ts';

/**
 * A page is small, as the API server reads all of it before it sends anything: 25 objects of 1.5 MiB are the most that one write can make it
 * read for each kind. Bytes are those of one namespace, about 1,000 policies. Reading 1 MiB takes about 10 ms.
 */
const standardLimits = {
  ...{ inFlight: 6, inFlightOfOneTenant: 2, pageSize: 25, bytes: 2 * 1024 * 1024 },
  ...{ bytesPerSecond: 8 * 1024 * 1024, bytesPerSecondOfOneTenant: 1024 * 1024 },
  // Milliseconds of comparing, which is done on the one thread that answers everybody.
  ...{ timePerSecond: 300, timePerSecondOfOneTenant: 100 },
};
/** Milliseconds. A caller waits less (admission/beside.ts). */
const listWithin = 1_000;
/** Milliseconds after which a namespace that held too much, and a kind that was not served, are asked about again. */
const askAgainAfter = 60_000;
/** Beyond it, what is remembered of namespaces is forgotten. */
const mostRemembered = 10_000;

export interface ListCounters {
  readonly listed: number;
  readonly skipped: Readonly<Record<Skipped, number>>;
}

export interface BoundedLists extends BesideSource {
  counters(): ListCounters;
}

class TooLarge extends Error {}

export function createBoundedLists(
  connection: Pick<Connection, 'open'>,
  clock: Clock,
  limits: Partial<typeof standardLimits> = {},
): BoundedLists {
  const bounds = { ...standardLimits, ...limits };
  const inFlight = { all: 0, byTenant: new Map<string, number>() };
  const shared = new Map<string, Promise<Beside>>();
  const large = new Map<string, number>();
  const notServed = new Map<string, number>();
  const bytes = createShares(bounds.bytesPerSecond, bounds.bytesPerSecondOfOneTenant, 4, clock);
  const time = createShares(bounds.timePerSecond, bounds.timePerSecondOfOneTenant, 1, clock);
  const skipped: Record<Skipped, number> = { late: 0, busy: 0, often: 0, large: 0, failed: 0 };
  let listed = 0;

  async function read(
    tenant: string,
    first: ListedKind,
    others: readonly ListedKind[],
    isOfMesh: boolean,
  ): Promise<Beside> {
    const ended = new AbortController();
    const cancel = clock.after(listWithin, () => ended.abort());
    let read = 0;
    const count = (length: number): void => {
      read += length;
      bytes.take(tenant, length);
      if (read > bounds.bytes) throw new TooLarge();
    };
    const each = (one: ListedKind): Promise<readonly JsonMap[]> => listOf(one, count, ended.signal);
    try {
      const found = await each(first);
      if (found.length === 0 && !isOfMesh) return { objects: [] };
      return { objects: [...found, ...(await Promise.all(others.map(each))).flat()] };
    } catch (error) {
      if (error instanceof TooLarge) return { skipped: 'large' };
      return { skipped: ended.signal.aborted ? 'late' : 'failed' };
    } finally {
      cancel();
      // Of those that still run nothing is needed.
      ended.abort();
    }
  }

  /** @throws where it is not answered, and {@link TooLarge} */
  async function listOf(
    { apiVersion, kind, paths, labelSelector }: ListedKind,
    count: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<readonly JsonMap[]> {
    const objects: JsonMap[] = [];
    const selected = labelSelector === undefined ? '' : `&labelSelector=${labelSelector}`;
    for (const path of paths) {
      const collection = path.replace(/\/namespaces\/[^/]+/, '');
      if ((notServed.get(collection) ?? Number.NEGATIVE_INFINITY) > clock.now()) continue;
      let position = '';
      for (;;) {
        const answer = await connection.open(`${path}?limit=${bounds.pageSize}${selected}${position}`, signal);
        if (!answer.ok && answer.status === 404 && position === '') break;
        if (!answer.ok) throw new Error(`${path} cannot be listed`);
        const list = await readList(counted(answer.chunks, count), bounds.bytes, (item) => {
          if (isMap(item)) objects.push({ ...item, apiVersion, kind });
        });
        const meta = decodeListMeta(list);
        if (meta === undefined) throw new Error(`${path} is no list`);
        if (meta.next === '') return objects;
        position = `&continue=${encodeURIComponent(meta.next)}`;
      }
      notServed.set(collection, clock.now() + askAgainAfter);
    }
    return objects;
  }

  function begin(
    key: string,
    namespace: string,
    tenant: string,
    asked: Parameters<typeof read>,
  ): Promise<Beside> | Skipped {
    if ((large.get(namespace) ?? Number.NEGATIVE_INFINITY) > clock.now()) return 'large';
    const ofTenant = inFlight.byTenant.get(tenant) ?? 0;
    if (inFlight.all >= bounds.inFlight || ofTenant >= bounds.inFlightOfOneTenant) return 'busy';
    inFlight.all++;
    inFlight.byTenant.set(tenant, ofTenant + 1);
    const reading = read(...asked).then((found) => {
      shared.delete(key);
      inFlight.all--;
      const left = (inFlight.byTenant.get(tenant) ?? 1) - 1;
      if (left === 0) inFlight.byTenant.delete(tenant);
      else inFlight.byTenant.set(tenant, left);
      if ('skipped' in found && found.skipped === 'large') {
        if (large.size >= mostRemembered) large.clear();
        large.set(namespace, clock.now() + askAgainAfter);
      }
      return found;
    });
    shared.set(key, reading);
    return reading;
  }

  return {
    async list({ namespace, tenant, first, others, isOfMesh }, signal) {
      // What is in flight may be a little older than the question, which is good enough for a hint.
      const key = `${first.kind} ${namespace} ${isOfMesh}`;
      const reading = bytes.isSpent(tenant)
        ? 'often'
        : (shared.get(key) ?? begin(key, namespace, tenant, [tenant, first, others, isOfMesh]));
      const found = typeof reading === 'string' ? { skipped: reading } : await before(reading, signal);
      if ('skipped' in found) skipped[found.skipped]++;
      else listed++;
      return found;
    },
    skip(reason) {
      skipped[reason]++;
      return { skipped: reason };
    },
    hasTime: (tenant) => !time.isSpent(tenant),
    charge(tenant, milliseconds, reason) {
      time.take(tenant, milliseconds);
      if (reason === undefined) return;
      listed--;
      skipped[reason]++;
    },
    counters: () => ({ listed, skipped: { ...skipped } }),
  };
}

function before(reading: Promise<Beside>, signal: AbortSignal): Promise<Beside> {
  const late = { skipped: 'late' } as const;
  if (signal.aborted) return Promise.resolve(late);
  return new Promise((resolve) => {
    const leave = (): void => resolve(late);
    signal.addEventListener('abort', leave, { once: true });
    void reading.then((found) => {
      signal.removeEventListener('abort', leave);
      resolve(found);
    });
  });
}

async function* counted(chunks: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncIterable<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

interface Shares {
  take(tenant: string, amount: number): void;
  isSpent(tenant: string): boolean;
}

/**
 * What each tenant may use, and all of them together.
 *
 * @param seconds so many seconds' worth may be used at once
 */
function createShares(perSecond: number, perSecondOfOneTenant: number, seconds: number, clock: Clock): Shares {
  const all = createAllowance(perSecond, seconds, clock);
  const byTenant = new Map<string, Allowance>();
  const of = (tenant: string): Allowance => {
    const known = byTenant.get(tenant) ?? createAllowance(perSecondOfOneTenant, seconds, clock);
    if (byTenant.size >= mostRemembered) byTenant.clear();
    byTenant.set(tenant, known);
    return known;
  };
  return {
    take(tenant, amount) {
      of(tenant).take(amount);
      all.take(amount);
    },
    isSpent: (tenant) => of(tenant).isSpent() || all.isSpent(),
  };
}

interface Allowance {
  take(amount: number): void;
  isSpent(): boolean;
}

/** @param seconds so many seconds' worth may be used at once */
function createAllowance(perSecond: number, seconds: number, clock: Clock): Allowance {
  const most = seconds * perSecond;
  let left = most;
  let at = clock.now();
  const refill = (): void => {
    const now = clock.now();
    left = Math.min(most, left + ((now - at) / 1000) * perSecond);
    at = now;
  };
  return {
    take(amount) {
      refill();
      left -= amount;
    },
    isSpent() {
      refill();
      return left <= 0;
    },
  };
}
