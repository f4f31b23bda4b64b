/** `spec.gates` of the settings. */
import { mergedPorts } from '../kubernetes/port-range.ts';
import { defaultSettings } from './default-settings.ts';
import { parsePorts } from './parse-network.ts';
import type { Report } from './problem.ts';
import type { GatesDocument } from './schema/gates-schema.ts';
import type { GateSettings } from './settings.ts';

export function parseGates(
  { from = defaultSettings.gates.from, ports = [], between }: GatesDocument,
  report: Report,
): GateSettings {
  if (from === 'tenants' && ports.length === 0) {
    const fix = 'list the ports that tenants may open to each other, such as [{ protocol: TCP, port: 443 }]';
    report(['spec', 'gates', 'ports'], 'lists no port, so no GateRequest could open anything', fix);
  }
  return {
    from,
    ports: mergedPorts(parsePorts(ports, ['spec', 'gates', 'ports'], report)),
    between: between?.map(({ tenants }) => new Set(tenants)),
  };
}
