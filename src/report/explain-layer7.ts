/** What `bulkhead explain` says of layer 7: which policies of a mesh decide about the pods that are called, and about which requests. */
import type { PairAnswer } from '../connectivity/explain.ts';
import type { Layer7, Layer7Step } from '../connectivity/layer7/layer7.ts';
import { differenceOf, intersectionOf } from '../connectivity/port-set.ts';
import { portsText, sameSet } from '../connectivity/port-text.ts';
import { refText } from '../connectivity/snapshot.ts';

/** So many are shown. */
const mostSteps = 8;

/** Network policies let it through, and policies of a mesh do not. */
export function isBlockedAtLayer7({ open, asked, sides, layer7 }: PairAnswer): boolean {
  return (
    open.length === 0 && asked.length > 0 && layer7 !== undefined && sides.every((side) => sameSet(side.open, asked))
  );
}

/** What is open is so for some requests alone. */
export function isConditional({ open, unconditional }: PairAnswer): boolean {
  return differenceOf(open, unconditional).length > 0;
}

/** And open only where they are not. */
export function isBlockedInMesh({ open, layer7 }: PairAnswer): boolean {
  return open.length > 0 && layer7?.inMesh !== undefined && intersectionOf(open, layer7.inMesh).length === 0;
}

const steps: Readonly<Record<Layer7Step['says'], string>> = {
  denies: 'denies it',
  asks: 'asks a provider outside of the mesh about it',
  allows: 'allows it',
  'leaves out': 'allows others alone',
  'allows none': 'allows no caller, as it has no rules',
  'reads no HTTP': 'allows by rules about HTTP, which match nothing without a waypoint',
  demands: 'demands mutual TLS',
  'not examined': 'is of a gateway or waypoint, which is not examined and may deny more',
  'no proxy': 'decides nothing, as labels keep these pods out of the mesh',
  waypoint: 'labels put these pods behind a waypoint, which calls them with its own identity',
  perhaps: 'no label says whether these pods are in the mesh; without its proxy, nothing is decided there',
};

export function layer7Text(answer: PairAnswer): readonly string[] {
  const { layer7, to, asked, open, sides } = answer;
  if (layer7 === undefined || to.kind !== 'pod') return [];
  const reached = sides.reduce((ports, side) => differenceOf(ports, differenceOf(asked, side.open)), asked);
  const may = differenceOf(reached, differenceOf(reached, layer7.may));
  const sure = differenceOf(reached, differenceOf(reached, layer7.sure));
  const verdict =
    reached.length === 0
      ? 'not reached'
      : may.length === 0
        ? 'blocked'
        : isBlockedInMesh(answer)
          ? 'blocked where the pods are in the mesh'
          : sameSet(sure, reached)
            ? 'open'
            : sameSet(may, reached)
              ? 'open for requests that match'
              : `open on ${portsText(open)}${sameSet(sure, may) ? '' : ', for requests that match'}`;
  const lines = layer7.steps.slice(0, mostSteps).map((one) => `    ${layer7StepText(one)}`);
  const more = layer7.steps.length - lines.length;
  return [
    `  layer 7 of ${to.namespace.name}: ${verdict}`,
    ...lines,
    ...(more > 0 ? [`    ${more} more; -o json lists them`] : []),
  ];
}

/** What holds where the traffic is TCP, for rules about HTTP. */
const asTcp: Readonly<Partial<Record<Layer7Step['says'], string>>> = {
  allows: ' (as TCP, it allows nothing)',
  denies: ' (as TCP, without the fields of HTTP)',
};

function layer7StepText({ says, policy, path, conditions, isHttp }: Layer7Step): string {
  const where = [...(policy === undefined ? [] : [refText(policy)]), ...(path === '' ? [] : [path])].join(' ');
  const asked =
    says === 'demands'
      ? `, and ${conditions.length === 0 ? 'the caller is outside of the mesh' : 'it is not known whether the caller speaks it'}`
      : conditions.length === 0
        ? ''
        : `, for requests with ${conditions.join('; ')}${isHttp ? (asTcp[says] ?? '') : ''}`;
  return `${where === '' ? '' : `${where} `}${steps[says]}${asked}`;
}

/** For JSON and YAML. */
export function layer7Document({ may, sure, inMesh, steps }: Layer7): object {
  return {
    open: portsText(may),
    onlyForSomeRequests: portsText(differenceOf(may, sure)),
    ...(inMesh !== undefined && { openInMesh: portsText(inMesh) }),
    decisions: steps.map(({ says, policy, path, conditions, ports }) => ({
      says,
      ...(policy !== undefined && { policy: refText(policy), field: path }),
      ports: portsText(ports),
      conditions,
    })),
  };
}
