/** networking/v1alpha3 Sidecar: what proxies beside pods of its namespace read and listen for. What it leaves out, it narrows. */
import { fieldOf, listOf, valueAt } from '../../kubernetes/json.ts';
import { misfits, type Shape } from './shape.ts';
import { type Endpoint, noTraffic, type Traffic } from './traffic.ts';
import { destinationAt, destinationShape, endpointAt, portAt, textOf } from './values.ts';

export const sidecarShape: Shape = {
  ...{ workloadSelector: 'anything', inboundConnectionPool: 'anything' },
  ingress: [
    {
      // TLS of its own counts only where a PeerAuthentication switches mutual TLS off.
      ...{ port: 'anything', bind: 'anything', captureMode: 'anything', tls: 'anything', connectionPool: 'anything' },
      defaultEndpoint: 'text',
    },
  ],
  egress: [{ port: 'anything', bind: 'anything', captureMode: 'anything', hosts: 'anything' }],
  outboundTrafficPolicy: { mode: 'anything', egressProxy: destinationShape },
};

export function readSidecar(spec: unknown, namespace: string): Traffic {
  return {
    ...noTraffic,
    destinations: destinationAt(
      valueAt(spec, 'outboundTrafficPolicy', 'egressProxy'),
      'spec.outboundTrafficPolicy.egressProxy',
      namespace,
    ),
    endpoints: listOf(fieldOf(spec, 'ingress')).flatMap((one, index) =>
      endpointElsewhere(textOf(fieldOf(one, 'defaultEndpoint')), `spec.ingress[${index}].defaultEndpoint`),
    ),
    misfits: [...misfits(spec, sidecarShape, 'spec')],
  };
}

/** Of the pod itself: loopback, the address of the pod, a socket of its file system. */
const own: ReadonlySet<string> = new Set(['', '127.0.0.1', '0.0.0.0', '[::1]', '[::]']);

/** "Format should be one of 127.0.0.1:PORT, [::1]:PORT, 0.0.0.0:PORT, [::]:PORT or unix:///path". */
function endpointElsewhere(written: string, path: string): readonly Endpoint[] {
  if (written === '' || written.startsWith('unix://')) return [];
  const colon = written.lastIndexOf(':');
  const host = colon < 0 ? written : written.slice(0, colon);
  if (own.has(host)) return [];
  return [endpointAt(host.replace(/^\[(.*)\]$/, '$1'), path, [portAt(Number(written.slice(colon + 1)))])];
}
