/**
 * What an update of a policy opens and closes, by the policy alone: its old and its new text are compared, whatever pods, namespaces and
 * other policies there are.
 */
import { isDeepStrictEqual } from 'node:util';
import { formatPath } from '../../kubernetes/field-path.ts';
import { formatRange } from '../../kubernetes/ip-range.ts';
import type { Selector } from '../../kubernetes/label-selector.ts';
import { allPorts, containsPort, type PortRange } from '../../kubernetes/port-range.ts';
import type { InForce, InForceRule } from '../in-force.ts';
import { listedBy, listedPorts } from '../listed.ts';
import { difference, type Limit } from './box.ts';
import { boxesOf, type Place, type RuleBox, shortener, sides } from './boxes-of-policy.ts';
import { labelsText, namespacesText } from './labels-text.ts';

const mostLines = 3;
const mostRanges = 3;
/** About 3 ms each. At most four comparisons are made. */
const limit: Limit = { parts: 200, steps: 20_000 };

/** At most three lines, first what it opens. None where it opens and closes the same as before. */
export function previewOf(old: InForce, updated: InForce, place: Place): readonly string[] {
  const isUnread = [old, updated].some(({ unread }) => unread.length > 0);
  if (isUnread) return ['a part of the policy is not understood, so what the update opens and closes is not compared'];
  if (isOrdered(old, updated))
    return ['the order of the rules or of the policy counts, and a warning does not compare it; bulkhead diff does'];
  const shorten = shortener();
  const before = effective(boxesOf(old, place, shorten));
  const after = effective(boxesOf(updated, place, shorten));
  if (before === undefined || after === undefined) return [tooMuch];
  const gained = difference(after, before, limit);
  if (gained === undefined) return [tooMuch];
  const lost = difference(before, after, limit);
  if (lost === undefined) return [tooMuch];
  const [found, gone] = [
    { boxes: gained, others: before, place },
    { boxes: lost, others: after, place },
  ];
  const lines = [
    ...linesOf(found, 'opens', 'opens', 'may open'),
    ...linesOf(gone, 'denies', 'no longer denies', 'may no longer deny'),
    ...linesOf(gone, 'isolates', 'no longer isolates', 'may no longer isolate'),
    ...linesOf(gone, 'opens', 'closes', 'may close'),
    ...linesOf(found, 'denies', 'denies', 'may deny'),
    ...linesOf(found, 'isolates', 'isolates', 'may isolate'),
  ];
  if (lines.length <= mostLines) return lines;
  const shown = mostLines - 1;
  return [...lines.slice(0, shown), `and ${lines.length - shown} more changes; bulkhead diff shows all of them`];
}

export const tooMuch = 'the update changes more than a warning compares; bulkhead diff shows all of it';

/** In Calico the first rule that matches decides, and policies have an order too. Rules that all allow are the same in any order. */
function isOrdered(old: InForce, updated: InForce): boolean {
  if (old.stage.kind === 'network' && updated.stage.kind === 'network') return false;
  const mayDeny = [old, updated].some(({ parts }) => parts.some(({ rules }) => rules.some(isNoAllow)));
  return mayDeny || !isDeepStrictEqual(old.stage, updated.stage);
}

const isNoAllow = ({ action }: InForceRule): boolean => action !== 'allow';

/** A denial wins over what the same policy opens. Undefined: that would take too long. */
function effective(boxes: readonly RuleBox[]): readonly RuleBox[] | undefined {
  const byAction = Map.groupBy(boxes, ({ action }) => action);
  const denying = byAction.get('denies') ?? [];
  const opening = byAction.get('opens') ?? [];
  if (denying.length === 0 || opening.length === 0) return boxes;
  const denied = denying.map((box) => ({ ...box, frame: box.frame.replace('denies', 'opens') }));
  const opened = difference(opening, denied, limit);
  return opened && [...opened, ...denying, ...(byAction.get('isolates') ?? [])];
}

/** What one version has and the other lacks. */
interface Change {
  readonly boxes: readonly RuleBox[];
  /** All of the other version. */
  readonly others: readonly RuleBox[];
  readonly place: Place;
}

/** One line for all ports between the same two sides. */
function linesOf(change: Change, action: RuleBox['action'], sure: string, perhaps: string): readonly string[] {
  const others = Map.groupBy(
    change.others.filter((one) => one.action === action),
    ({ direction }) => direction,
  );
  const lines = new Map<string, { readonly verb: string; readonly text: string; readonly boxes: RuleBox[] }>();
  for (const box of change.boxes) {
    if (box.action !== action) continue;
    // The other version may say the same in other words, which is seen only where both are compared part by part.
    const isSure = (others.get(box.direction) ?? []).every(({ isExact }) => isExact && box.isExact);
    const verb = isSure ? sure : perhaps;
    const text = sidesText(box, change);
    const key = `${verb} ${listedPorts(box.notPorts)} ${text}`;
    const known = lines.get(key);
    if (known === undefined) lines.set(key, { verb, text, boxes: [box] });
    else known.boxes.push(box);
  }
  return [...lines.values()].map(({ verb, text, boxes }) =>
    action === 'isolates' ? `${verb} ${text}` : `${verb} ${portsText(boxes)} ${text}`,
  );
}

function sidesText(box: RuleBox, change: Change): string {
  const { direction, layer7 } = box;
  const subject = box.pods === 'some' ? 'pods that the policy selects' : podsText(sideOf(box.labels, sides.subject));
  if (box.source === undefined) return `${subject} for ${direction}`;
  const requests = layer7 === undefined ? '' : ', for some requests alone';
  const [near, far] = direction === 'ingress' ? ['to', 'from'] : ['from', 'to'];
  return `${far} ${peerText(box, change)} ${near} ${subject}${requests}`;
}

function peerText({ frame, source, labels, addresses, path }: RuleBox, { others, place }: Change): string {
  switch (source?.kind) {
    case 'any':
      // The other version may name some of them.
      return others.some((one) => one.frame === frame) ? 'everyone else' : 'everyone';
    case 'ipBlock':
      return listedBy(addresses ?? [], formatRange, mostRanges);
    case 'selector':
      return `${podsText(sideOf(labels, sides.pod))} of ${namespacesText(sideOf(labels, sides.namespace), place)}`;
    case 'entity':
      return `entity ${source.entity}`;
    case 'name':
      return source.pattern.text;
    default:
      return `what ${path === undefined ? 'it' : formatPath(path)} names`;
  }
}

function podsText(labels: Selector): string {
  const said = labelsText(labels);
  return said === '' ? 'all pods' : `pods with ${said}`;
}

function sideOf(labels: Selector, side: string): Selector {
  return new Map(
    [...labels].flatMap(([key, domain]) => (key.startsWith(side) ? [[key.slice(side.length), domain]] : [])),
  );
}

function portsText(boxes: readonly RuleBox[]): string {
  const ports = boxes.flatMap((box) => box.ports);
  const ranges = ports.filter((port): port is PortRange => !('name' in port));
  const all = allPorts.every((port) => containsPort(ranges, port)) ? 'every port' : listedPorts(ports);
  const left = boxes[0]?.notPorts ?? [];
  return left.length === 0 ? all : `${all} but ${listedPorts(left)}`;
}
