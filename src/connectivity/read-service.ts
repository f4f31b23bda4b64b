import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import { waypointIn } from './layer7/waypoints.ts';
import { listAt, protocolOf, setOfAddresses, textAt, textsOf } from './read-pod.ts';
import type { ServicePort, SnapshotService } from './snapshot.ts';

export function readService({ metadata, spec }: JsonMap): SnapshotService {
  const selector = textsOf(valueAt(spec, 'selector'));
  const addresses = [...listAt(spec, 'clusterIPs'), valueAt(spec, 'clusterIP')];
  const labels = textsOf(valueAt(metadata, 'labels'));
  const waypoint = waypointIn(new Map(Object.entries(labels)), textAt(metadata, 'namespace'));
  return {
    namespace: textAt(metadata, 'namespace'),
    name: textAt(metadata, 'name'),
    ...(Object.keys(labels).length > 0 && { labels }),
    selector: Object.keys(selector).length === 0 ? undefined : selector,
    ports: listAt(spec, 'ports').flatMap((port): readonly ServicePort[] => {
      const [number, target] = [valueAt(port, 'port'), valueAt(port, 'targetPort')];
      if (typeof number !== 'number') return [];
      return [
        {
          name: textAt(port, 'name'),
          protocol: protocolOf(valueAt(port, 'protocol')),
          port: number,
          targetPort: typeof target === 'number' || typeof target === 'string' ? target : number,
        },
      ];
    }),
    addresses: setOfAddresses(addresses),
    ...(valueAt(spec, 'clusterIP') === 'None' && { isHeadless: true }),
    ...(waypoint !== undefined && { waypoint }),
  };
}
