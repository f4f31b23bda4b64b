/** A GateRequest of acme on 443/TCP, as it stands among the facts of a review. */
import { agree } from '../../src/gates/agreement.ts';
import type { GateRequest, GateRequests } from '../../src/tenancy/gate-request.ts';
import { now, tcp } from './world.ts';

export function asking(more: Partial<GateRequest>): GateRequests {
  const value = { tenant: 'beta', direction: 'egress', ports: [tcp(443)], expires: now + 1, ...more } as const;
  const loaded = { ok: true, value, warnings: [] } as const;
  const stored = { namespace: 'acme-web', name: 'to-beta', created: '', label: 'acme', terminating: false, loaded };
  return agree([stored], { gates: { from: 'tenants', ports: [tcp(1, 65535)], between: undefined } }, () => 'acme')
    .requests;
}
