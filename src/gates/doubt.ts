import { containsPort } from '../kubernetes/port-range.ts';
import { listedPorts } from '../reach/listed.ts';
import { type GateRequests, opposite, type RequestedHalf } from '../tenancy/gate-request.ts';
import { formatSteps } from '../tenancy/problem.ts';
import { soon } from '../tenancy/soon.ts';
import { type GateState, stateOf } from './agreement.ts';

/** Why a request opens nothing, or less than it names, or soon nothing. */
export interface Doubt {
  readonly kind: Exclude<GateState['state'], 'Open'> | 'Narrowed' | 'EndsSoon';
  readonly steps: readonly string[];
  readonly reason: string;
  readonly fix: string;
}

/** One line about the field and what to do. */
export function textOf({ steps, reason, fix }: Pick<Doubt, 'steps' | 'reason' | 'fix'>): string {
  return `${formatSteps(steps)} ${reason}; ${fix}`;
}

/**
 * The most severe first. An undeclared tenant gives the same text as one without requests: a request must not show which
 * tenants exist.
 *
 * @param now milliseconds since the epoch
 */
export function doubtsAbout(
  half: Omit<RequestedHalf, 'namespace' | 'name'>,
  requests: GateRequests,
  now: number,
): Doubt[] {
  const { from, tenant, direction, expires } = half;
  const about = (kind: Doubt['kind'], field: string, reason: string, fix: string): Doubt[] => [
    { kind, steps: ['spec', field], reason, fix },
  ];
  if (expires <= now)
    return about('Expired', 'expires', 'has passed, so the request opens nothing', 'set a later time, or delete it');
  const { state, ports } = stateOf(half, requests, now);
  const mirror = `a GateRequest with tenant: ${from} and direction: ${opposite(direction)}`;
  const wanted = `have members of ${tenant} write ${mirror} on ${listedPorts(half.ports)}`;
  const theirs = requests.halves(tenant, from, opposite(direction)).flatMap((one) => one.ports);
  switch (state) {
    case 'Expired':
      return about(
        'Expired',
        'tenant',
        `has let every request that mirrors this one expire`,
        `have members of ${tenant} renew theirs`,
      );
    case 'HalfOpen':
      return about(
        'HalfOpen',
        'tenant',
        'has no request that mirrors this one, which opens nothing until then',
        wanted,
      );
    case 'Mismatched':
      return about(
        'Mismatched',
        'ports',
        `open nothing, as the requests that mirror this one name ${listedPorts(theirs)}`,
        'agree on the same ports',
      );
    case 'Open': {
      const shut = half.ports.filter((port) => !containsPort(ports, port));
      const narrowed =
        shut.length === 0
          ? []
          : about(
              'Narrowed',
              'ports',
              `open ${listedPorts(ports)} alone, as the requests that mirror this one name no more`,
              wanted,
            );
      if (expires - now > soon) return narrowed;
      const ends = about(
        'EndsSoon',
        'expires',
        'is within a week; from then on the gate is shut',
        'set a later time, and have the other tenant do the same',
      );
      return [...narrowed, ...ends];
    }
  }
}
