/** What the platform does not leave to tenants of a gate: why a request, or a part of it, can open nothing. */
import { containsPort, formatPort } from '../kubernetes/port-range.ts';
import { listedPorts } from '../reach/listed.ts';
import { type GateRequest, mayAgree } from '../tenancy/gate-request.ts';
import type { Step } from '../tenancy/problem.ts';
import { suggestion } from '../tenancy/suggestion.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/** What is wrong with a request, and where in it. */
export interface Flaw {
  readonly steps: readonly Step[];
  readonly reason: string;
  readonly fix: string;
}

const byThePlatform = 'ask the platform to declare the gate in both Tenants';

/** Why no request could open anything here; undefined: one can. */
export function unreadRequests({ from }: Tenancy['settings']['gates'], areRead: boolean): Flaw | undefined {
  if (!areRead) return { steps: [], reason: 'is not read, as tenants come from files here', fix: byThePlatform };
  if (from === 'platform')
    return { steps: [], reason: 'opens nothing, as gates come from the platform alone', fix: byThePlatform };
  return undefined;
}

/** @param from the tenant whose request it is */
export function beyond(
  { tenant, ports }: GateRequest,
  from: string,
  { gates }: Pick<Tenancy['settings'], 'gates'>,
): readonly Flaw[] {
  if (tenant === from) {
    const fix = 'name another tenant; what is open inside the tenant is network.within of the Tenant';
    return [{ steps: ['spec', 'tenant'], reason: 'is the tenant of the namespace itself', fix }];
  }
  const pair: readonly Flaw[] = mayAgree(gates, from, tenant)
    ? []
    : [
        {
          steps: ['spec', 'tenant'],
          reason: `is no tenant with which ${from} may agree by itself`,
          fix: 'ask the platform to list both together (gates.between of the settings), or to declare the gate in both Tenants',
        },
      ];
  const outside = ports.flatMap((port, index): Flaw[] => {
    if (containsPort(gates.ports, port)) return [];
    return [
      {
        steps: ['spec', 'ports', index],
        reason: `is ${formatPort(port)}, which tenants may not open to each other by themselves`,
        fix: `list ports within ${listedPorts(gates.ports)}, or ask the platform to list more (gates.ports of the settings)`,
      },
    ];
  });
  return [...pair, ...outside];
}

/** For the platform alone: a tenant is not to learn which others there are. */
export function undeclared(tenant: string, declared: readonly string[]): readonly Flaw[] {
  if (declared.includes(tenant)) return [];
  const meant = suggestion(tenant, declared);
  const fix = meant === undefined ? 'declare it, or name another' : `did you mean ${meant}?`;
  return [{ steps: ['spec', 'tenant'], reason: `${tenant} is not a declared tenant`, fix }];
}
