/**
 * The handshake: a write that must be refused, whoever sends it. Bulkhead sends it through the API server, and never means it, to
 * learn whether the API server asks Bulkhead: checks/handshake.ts refuses it, configuration/probe.ts sends it and reads the refusal.
 */
import { excerpt } from '../kubernetes/json.ts';

/** Its value is made anew for each handshake, and comes back in the refusal. */
export const probeAnnotation = 'bulkhead.dev/handshake';

/** Where the probe of the configurations for objects in namespaces goes. Nothing runs there. */
export const probeNamespace = 'bulkhead-probe';

/** The value of the tenant label there. No tenant can have this name, and the namespace is the platform's in spite of it. */
export const probeTenant = 'bulkhead_probe';

/** The words of the refusal; with the value, nobody else has a reason to say them. */
export function probeReason(value: string): string {
  return `probe ${excerpt(value)} is rejected, as every probe is`;
}
