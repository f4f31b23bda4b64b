/** networking/v1alpha3 ServiceEntry: hosts that are added to those that the mesh knows. */
import { fieldOf, isGiven, valueAt } from '../../kubernetes/json.ts';
import type { PortRange } from '../../kubernetes/port-range.ts';
import { misfits, type Shape } from './shape.ts';
import { type Endpoint, noTraffic, type Traffic, type Written } from './traffic.ts';
import { endpointAt, listOf, namesHost, portAt, textOf, texts, textsOf, workloadEntryShape } from './values.ts';

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
    ports: addresses.length === 0 ? unnamedPorts(spec) : [],
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

function unnamedPorts(spec: unknown): readonly Written[] {
  return listOf(fieldOf(spec, 'ports')).flatMap((port, index) =>
    namesHost(textOf(fieldOf(port, 'protocol')))
      ? []
      : [{ path: `spec.ports[${index}].protocol`, text: String(portAt(fieldOf(port, 'number'))?.first ?? '') }],
  );
}
