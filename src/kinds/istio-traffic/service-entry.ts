/** networking/v1alpha3 ServiceEntry: hosts that are added to those that the mesh knows. */
import { fieldOf, isGiven, listOf, valueAt } from '../../kubernetes/json.ts';
import type { PortRange } from '../../kubernetes/port-range.ts';
import { type Misfit, misfits, type Shape } from './shape.ts';
import { type Endpoint, noTraffic, type Traffic, type Written } from './traffic.ts';
import { endpointAt, namesHost, portAt, textOf, texts, textsOf, workloadEntryShape } from './values.ts';

export const serviceEntryShape: Shape = {
  ...{ hosts: texts, addresses: texts, exportTo: texts, resolution: 'text', endpoints: [workloadEntryShape] },
  ports: [{ number: 'anything', name: 'text', protocol: 'text', targetPort: 'anything' }],
  ...{ location: 'anything', workloadSelector: 'anything', subjectAltNames: 'anything' },
};

/** Istio completes no names here. */
export function readServiceEntry(spec: unknown): Traffic {
  const hosts = textsOf(fieldOf(spec, 'hosts'), 'spec.hosts') ?? [];
  const addresses = textsOf(fieldOf(spec, 'addresses'), 'spec.addresses') ?? [];
  const written = listOf(fieldOf(spec, 'endpoints'));
  return {
    ...noTraffic,
    exportTo: textsOf(fieldOf(spec, 'exportTo'), 'spec.exportTo'),
    hosts: hosts.map((one) => ({ ...one, at: 'mesh' })),
    endpoints: [
      ...written.map((one, index) =>
        endpointAt(fieldOf(one, 'address'), `spec.endpoints[${index}].address`, portsOf(one, spec)),
      ),
      ...(written.length === 0 ? lookedUp(hosts, spec) : []),
    ],
    addresses,
    wide: [...(addresses.length === 0 ? unnamedPorts(spec) : []), ...anyHost(spec), ...otherPorts(spec)],
    misfits: [...misfits(spec, serviceEntryShape, 'spec')],
  };
}

/** "If no endpoints are specified, the proxy will resolve the DNS address specified in the hosts field". */
function lookedUp(hosts: readonly Written[], spec: unknown): readonly Endpoint[] {
  const resolution = fieldOf(spec, 'resolution');
  if (!isGiven(resolution) || resolution === 'NONE' || resolution === 'STATIC' || resolution === '') return [];
  if (isGiven(fieldOf(spec, 'workloadSelector'))) return [];
  return hosts.map(({ path, text }) => endpointAt(text, path, portsOf(undefined, spec)));
}

/** A port of the endpoint by the name of the port; otherwise its targetPort, otherwise its number. */
function portsOf(endpoint: unknown, spec: unknown): readonly (PortRange | undefined)[] {
  return listOf(fieldOf(spec, 'ports')).map((port) => {
    const own = valueAt(endpoint, 'ports', textOf(fieldOf(port, 'name')));
    const target = fieldOf(port, 'targetPort');
    const number = isGiven(own) ? own : isGiven(target) && target !== 0 ? target : fieldOf(port, 'number');
    return portAt(number, textOf(fieldOf(port, 'protocol')).toUpperCase() === 'UDP' ? 'UDP' : 'TCP');
  });
}

/** Every proxy that reads it listens on such a port, on all addresses. */
function unnamedPorts(spec: unknown): readonly Misfit[] {
  return listOf(fieldOf(spec, 'ports')).flatMap((port, index) => {
    if (namesHost(textOf(fieldOf(port, 'protocol')))) return [];
    const number = String(portAt(fieldOf(port, 'number'))?.first ?? '');
    const reason = `takes all connections to port ${number}, to whatever address, since neither an address nor the protocol says for which host they are`;
    const fix = 'write a protocol that names a host, such as HTTP or TLS';
    return [{ path: `spec.ports[${index}].protocol`, reason, fix }];
  });
}

/** A request says the host then, at a gateway also by `rewrite.authority` of a VirtualService. */
function anyHost(spec: unknown): readonly Misfit[] {
  if (fieldOf(spec, 'resolution') !== 'DYNAMIC_DNS') return [];
  return [{ path: 'spec.resolution', reason: 'leads to whichever host a request names', fix: 'write DNS or STATIC' }];
}

/** Without a resolution the proxy connects to the address that it was called at, with the other port. */
function otherPorts(spec: unknown): readonly Misfit[] {
  const resolution = fieldOf(spec, 'resolution');
  if (isGiven(resolution) && resolution !== 'NONE') return [];
  return listOf(fieldOf(spec, 'ports')).flatMap((port, index) => {
    const target = fieldOf(port, 'targetPort');
    if (!isGiven(target) || target === 0 || target === fieldOf(port, 'number')) return [];
    const reason = `leads to port ${String(target)} of whichever address a proxy is called at`;
    return [{ path: `spec.ports[${index}].targetPort`, reason, fix: 'remove it' }];
  });
}
