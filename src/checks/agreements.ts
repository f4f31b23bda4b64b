/** Whether a tenant may have its traffic led to a namespace of others. */
import { allPorts, commonPorts, containsPort, orAllPorts, type PortRange } from '../kubernetes/port-range.ts';
import { sharePort } from '../reach/open-ports.ts';
import { openPorts, serves } from '../tenancy/served-tenants.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { NamingFacts } from './check.ts';

/** Whether a shared service that serves the tenant is there. */
export function isShared(namespace: string, direction: Direction, { owner, tenancy }: NamingFacts): boolean {
  return (
    owner !== 'platform' &&
    tenancy.settings.sharedServices.some(
      (one) => one.direction === direction && one.namespace === namespace && serves(one, owner),
    )
  );
}

/** Of a namespace with a shared service, its ports alone. */
function isSharedAt(namespace: string, port: PortRange | undefined, { owner, tenancy }: NamingFacts): boolean {
  return (
    owner !== 'platform' &&
    tenancy.settings.sharedServices.some((one) => {
      if (one.direction !== 'egress' || one.namespace !== namespace || !serves(one, owner)) return false;
      const open = openPorts('egress', orAllPorts(one.ports));
      return port === undefined ? one.ports.length === 0 : containsPort(open, port);
    })
  );
}

export interface Agreement {
  readonly agreed: boolean;
  /** The ports that a gate opens. Empty: no gate is in force. */
  readonly open: readonly PortRange[];
}

/**
 * By a shared service on the port, or by a gate on the port.
 *
 * @param port undefined: every port, to which a gate for some does not agree; `any`: that there is a gate is enough
 */
export function agreementWith(namespace: string, port: PortRange | 'any' | undefined, facts: NamingFacts): Agreement {
  const { owner, tenancy, now } = facts;
  if (port === 'any' && isShared(namespace, 'egress', facts)) return { agreed: true, open: [] };
  if (port !== 'any' && isSharedAt(namespace, port, facts)) return { agreed: true, open: [] };
  const reservation = tenancy.reservation(namespace);
  if (owner === 'platform' || reservation === undefined || reservation === 'platform')
    return { agreed: false, open: [] };
  const { own, theirs } = tenancy.gates(owner, reservation.name, 'egress', now);
  const open = commonPorts(
    own.flatMap((gate) => orAllPorts(gate.ports)),
    theirs.flatMap((gate) => orAllPorts(gate.ports)),
  );
  if (open.length === 0 || port === 'any') return { agreed: open.length > 0, open };
  const agreed =
    port === undefined
      ? open.some(({ protocol, first, last }) =>
          allPorts.some((all) => all.protocol === protocol && first <= all.first && last >= all.last),
        )
      : sharePort(own, theirs, [port]);
  return { agreed, open };
}
