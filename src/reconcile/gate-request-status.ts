/** The status of GateRequest objects. */
import { type GateRequestObject, type GateRequestObjects, gateRequestsPath } from '../facts/gate-requests.ts';
import { type Agreement, stateOf, type Void } from '../gates/agreement.ts';
import { type Doubt, doubtsAbout, textOf } from '../gates/doubt.ts';
import { voidTexts } from '../gates/void-text.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import { opposite } from '../tenancy/gate-request.ts';
import { formatProblem } from '../tenancy/problem.ts';
import { soon } from '../tenancy/soon.ts';
import { type ReadyCondition, readyCondition } from './ready-condition.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';

/** The status of bulkhead.dev/v1alpha1 GateRequest. */
export interface GateRequestStatus {
  readonly observedGeneration: number;
  /** What is open, `5432/TCP`. */
  readonly ports: readonly string[];
  readonly conditions: readonly [ReadyCondition<'Open' | Void | Doubt['kind']>];
}

/** @param now milliseconds since the epoch */
export function gateRequestStatusOf(
  object: GateRequestObject,
  { outcomes, requests }: Agreement,
  key: string,
  now: number,
): { readonly status: GateRequestStatus; readonly lasts: number } | undefined {
  const half = outcomes.get(key);
  if (half === undefined) return undefined;
  const statusOf = (
    ready: boolean,
    reason: GateRequestStatus['conditions'][0]['reason'],
    message: string,
    ports: readonly string[] = [],
  ) => ({
    observedGeneration: object.generation,
    ports,
    conditions: [readyCondition(object, ready, reason, message, now)] as const,
  });
  if (half === 'Invalid') {
    const lines = object.loaded.ok
      ? ['spec.tenant: is the tenant of the namespace itself']
      : object.loaded.problems.map((problem) => formatProblem({ ...problem, file: '' }));
    const message = `${lines.join('\n').slice(0, 2_000)}\nuntil this is corrected it opens nothing`;
    return { status: statusOf(false, half, message), lasts: Number.POSITIVE_INFINITY };
  }
  if (typeof half === 'string')
    return { status: statusOf(false, half, voidTexts[half]), lasts: Number.POSITIVE_INFINITY };
  const { state, ports, until } = stateOf(half, requests, now);
  const doubts = doubtsAbout(half, requests, now);
  const reason = doubts.find(({ kind }) => kind !== 'Narrowed')?.kind ?? 'Open';
  const message = doubts.length === 0 ? 'what both requests name is open' : doubts.map(textOf).join('\n');
  const ends = half.expires - soon;
  return {
    status: statusOf(state === 'Open', reason, message, ports.map(formatPort)),
    lasts: Math.min(until, ends > now ? ends : Number.POSITIVE_INFINITY) - now,
  };
}

export interface GateRequestStatusOptions extends StatusWriterOptions {
  readonly requests: Pick<GateRequestObjects, 'object' | 'keys'>;
  readonly agreement: () => Agreement;
}

/** Writes the status of GateRequest objects. */
export function createGateRequestStatusWriter({
  requests,
  agreement,
  ...options
}: GateRequestStatusOptions): StatusWriter {
  /** What each status was made of. */
  let before = new Map<string, readonly unknown[]>();

  /** Requests whose object, whose decision, or whose mirrors have changed. */
  function changed(): readonly string[] {
    const { outcomes, requests: stored } = agreement();
    const sources = new Map<string, readonly unknown[]>();
    for (const key of requests.keys()) {
      const half = outcomes.get(key);
      const mirrors =
        half === undefined || typeof half === 'string'
          ? []
          : stored.halves(half.tenant, half.from, opposite(half.direction));
      sources.set(key, [requests.object(key), half, ...mirrors]);
    }
    const other = [...sources].filter(([key, made]) => !isSame(made, before.get(key))).map(([key]) => key);
    before = sources;
    return other;
  }

  return createStatusWriter(options, {
    kind: 'GateRequest',
    pathOf(key) {
      const [namespace = '', name = ''] = key.split('/');
      return `${gateRequestsPath.replace('gaterequests', `namespaces/${namespace}/gaterequests`)}/${name}`;
    },
    names: changed,
    look(key, now) {
      const object = requests.object(key);
      const judged = object && gateRequestStatusOf(object, agreement(), key, now);
      return object && judged && { uid: object.uid, stored: object.status, ...judged };
    },
  });
}

function isSame(some: readonly unknown[], others: readonly unknown[] | undefined): boolean {
  return some.length === others?.length && some.every((one, index) => one === others[index]);
}
