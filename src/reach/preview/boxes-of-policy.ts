/** The rules of a policy, and the pods that it isolates, as boxes. What is no list of labels or addresses is compared as a whole. */
import type { FieldPath } from '../../kubernetes/field-path.ts';
import type { Domain, Selector } from '../../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../../kubernetes/objects.ts';
import type { Port } from '../../kubernetes/port-range.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import type { InForce, InForcePeer } from '../in-force.ts';
import { anyone, type Box, boxPorts } from './box.ts';

/** No label key begins so: what follows is a key of the subject's pods, of the peer's namespace, or of the peer's pods. */
export const sides = { subject: 'subject:', namespace: 'namespace:', pod: 'pod:' } as const;

export interface RuleBox extends Box {
  readonly action: 'opens' | 'denies' | 'isolates';
  readonly direction: Direction;
  readonly source: InForcePeer | undefined;
  /** As in the model: the requests, where not all. */
  readonly layer7: readonly string[] | undefined;
  /** Undefined of an isolation. */
  readonly path: FieldPath | undefined;
  /** Of `ports`, those that it leaves out. */
  readonly notPorts: readonly Port[];
  /** `some`: those that an expression is about, which is compared as a whole. */
  readonly pods: 'labelled' | 'some';
  /** It is compared part by part, so what it has and another lacks is exact. */
  readonly isExact: boolean;
}

/** Texts -> short texts that are as different, so that they are compared in no time. */
export type Shorten = (text: string) => string;

export function shortener(): Shorten {
  const known = new Map<string, string>();
  return (text) => {
    const short = known.get(text) ?? `#${known.size}`;
    known.set(text, short);
    return short;
  };
}

/** What is known of a policy's namespace without asking for it. */
export interface Place {
  readonly namespace: string;
  readonly tenantLabel: string;
  readonly tenant: string;
}

/** Peers of pods and of addresses are taken apart; others are compared as a whole. */
export const selected = 'selected';
const blocks = 'blocks';
/** Ports are no part of an isolation. */
const onePort = [{ protocol: 'TCP', first: 1, last: 1 }] as const;

/** Rules of a direction that the policy has no type for are left out: the API ignores them. */
export function boxesOf({ parts }: InForce, place: Place, shorten: Shorten): readonly RuleBox[] {
  return parts.flatMap(({ subject, isolates, rules }) => {
    const selects = 'pods' in subject ? prefixed(sides.subject, subject.pods) : [];
    const whole = 'pods' in subject ? '' : shorten(textOf(subject.expression));
    const pods = 'pods' in subject ? 'labelled' : 'some';
    const opened = rules.flatMap((rule): readonly RuleBox[] => {
      if (rule.isUntyped) return [];
      const { action, direction, peer, layer7, own, notPorts = [], path } = rule;
      const verb = action === 'deny' ? 'denies' : 'opens';
      const ports = boxPorts(rule.ports);
      const isPlain = layer7 === undefined && own === undefined && notPorts.length === 0;
      const isApart = peer.kind === 'any' || peer.kind === 'selector' || peer.kind === 'ipBlock';
      const box: RuleBox = {
        ...{ action: verb, direction, source: peer, layer7, path, ports, notPorts },
        pods: own === undefined ? pods : 'some',
        isExact: isPlain && isApart && whole === '' && !ports.some((port) => 'name' in port),
        frame: `${verb} ${direction} ${whole}`,
        requests: isPlain ? '' : shorten(textOf([layer7, own, notPorts])),
        peer: peerKey(peer, shorten),
        labels: new Map([...selects, ...labelsOf(peer, place)]),
        addresses: peer.kind === 'ipBlock' ? peer.addresses : undefined,
      };
      return [box];
    });
    const isolated = isolates.map(
      (direction): RuleBox => ({
        ...{ action: 'isolates', direction, source: undefined, layer7: undefined, path: undefined, ports: onePort },
        ...{ frame: `isolates ${direction} ${whole}`, requests: '', peer: anyone, addresses: undefined },
        ...{ notPorts: [], pods, isExact: whole === '', labels: new Map(selects) },
      }),
    );
    return [...opened, ...isolated];
  });
}

/** The same text for the same peer. */
function peerKey(peer: InForcePeer, shorten: Shorten): string {
  switch (peer.kind) {
    case 'any':
      return anyone;
    case 'selector':
      return `${selected} ${peer.clusters?.toSorted().join() ?? ''}`;
    case 'ipBlock':
      return blocks;
    default:
      return shorten(textOf(peer));
  }
}

function textOf(whole: unknown): string {
  return JSON.stringify(whole, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Set || value instanceof Map ? [...value] : value;
  });
}

function labelsOf(peer: InForcePeer, { namespace, tenantLabel, tenant }: Place): Iterable<readonly [string, Domain]> {
  if (peer.kind !== 'selector') return [];
  const own = new Map([only(namespaceNameLabel, namespace), only(tenantLabel, tenant)]);
  return [...prefixed(sides.namespace, peer.namespaces ?? own), ...prefixed(sides.pod, peer.pods)];
}

function only(key: string, value: string): readonly [string, Domain] {
  return [key, { absent: false, finite: true, values: new Set([value]) }];
}

function prefixed(side: string, selector: Selector): readonly (readonly [string, Domain])[] {
  return [...selector].map(([key, domain]) => [`${side}${key}`, domain]);
}
