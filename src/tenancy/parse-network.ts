/** Addresses and ports as tenants and settings write them. */
import { type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { type PortRange, parsePort } from '../kubernetes/port-range.ts';
import type { Report, Step } from './problem.ts';
import type { PortDocument } from './schema/port-schema.ts';

/** Undefined when it was reported. */
export function parseRange(text: string, steps: readonly Step[], report: Report): IpRange | undefined {
  const parsed = parseCidr(text);
  if (parsed.ok) return parsed.value;
  return report(steps, parsed.reason, parsed.fix === undefined ? '' : `write ${parsed.fix}`);
}

/** The ports that could be read; the others were reported. */
export function parsePorts(
  ports: readonly PortDocument[],
  steps: readonly Step[],
  report: Report,
): readonly PortRange[] {
  return ports.flatMap((port, index) => {
    const parsed = parsePort(port);
    if (!parsed.ok) report([...steps, index, ...(parsed.field ? [parsed.field] : [])], parsed.reason, parsed.fix);
    // The schema lets no string through as a port, so no name comes out.
    return parsed.ok && 'first' in parsed.value ? [parsed.value] : [];
  });
}
