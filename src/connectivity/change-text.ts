/** The parts of a change in words. */
import { formatPort } from '../kubernetes/port-range.ts';
import type { SharedCause } from './changes.ts';
import { everyPort, type PortSet, rangesOf } from './port-set.ts';
import { refText } from './snapshot.ts';

/** `5432/TCP`, or `every port`. */
export function portTexts(ports: PortSet): readonly string[] {
  return ports.length === everyPort.length && ports.every((one, index) => one === everyPort[index])
    ? ['every port']
    : rangesOf(ports).map(formatPort);
}

const verbs = {
  allows: { new: 'allows it', old: 'allowed it' },
  denies: { new: 'denies it', old: 'denied it' },
  isolates: { new: 'isolates for', old: 'isolated for' },
  open: { new: 'no policy isolates for', old: 'no policy isolated for' },
} as const;

/** `NetworkPolicy acme-web/open allows it in spec.egress[0].to[0]` */
export function causeText({ kind, side, direction, policies, path }: SharedCause): string {
  const verb = verbs[kind][side];
  const [first] = policies;
  if (first === undefined) return `${verb} ${direction}`;
  const isOne = policies.every(({ name }) => name === first.name);
  const name =
    policies.length === 1
      ? refText(first)
      : isOne
        ? `${refText({ ...first, namespace: '*' })} of ${policies.length} namespaces`
        : `each of ${policies.length} objects ${first.kind}`;
  return path === '' || kind === 'isolates' ? `${name} ${verb} ${direction}` : `${name} ${verb} in ${path}`;
}
