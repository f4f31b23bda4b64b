/**
 * The probe: a write that Bulkhead must reject, for every requester. Bulkhead sends it through the API server, only to learn whether
 * the API server calls Bulkhead. `checks/handshake.ts` rejects it; configuration/probe.ts sends it and reads the rejection.
 */
import { excerpt } from '../kubernetes/json.ts';

/** Each probe has a new value, which the rejection shows again. */
export const probeAnnotation = 'bulkhead.dev/handshake';

/** Where the probe of the configurations for objects in namespaces goes. Nothing runs there. */
export const probeNamespace = 'bulkhead-probe';

/** The value of the tenant label there. No tenant can have this name, and the namespace is the platform's in spite of it. */
export const probeTenant = 'bulkhead_probe';

/** The words of the rejection; with the value in them, only Bulkhead has a reason to send them. */
export function probeReason(value: string): string {
  return `probe ${excerpt(value)} is rejected, as every probe is`;
}
