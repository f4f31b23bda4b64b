/**
 * What an update of a policy opens and closes, by the policy alone: its old and its new text are compared, whatever pods, namespaces and
 * other policies there are.
 */
import { formatPath } from '../../kubernetes/field-path.ts';
import { formatRange } from '../../kubernetes/ip-range.ts';
import type { Selector } from '../../kubernetes/label-selector.ts';
import { allPorts, containsPort, type Port, type PortRange } from '../../kubernetes/port-range.ts';
import type { InForce } from '../in-force.ts';
import { listedBy, listedPorts } from '../listed.ts';
import { difference } from './box.ts';
import { boxesOf, type Place, type RuleBox, sides } from './boxes-of-policy.ts';
import { labelsText, namespacesText } from './labels-text.ts';

const mostLines = 3;
const mostParts = 200;
/** Of parts of rules; about 10 ms. */
const mostSteps = 20_000;
const mostRanges = 3;

/** At most three lines, first what it opens. None where it opens and closes the same as before. */
export function previewOf(old: InForce, updated: InForce, place: Place): readonly string[] {
  const [before, after] = [boxesOf(old, place), boxesOf(updated, place)];
  const gained = difference(after, before, mostParts, mostSteps);
  const lost = difference(before, after, mostParts, mostSteps);
  if (gained === undefined || lost === undefined)
    return ['the update changes more than a warning compares; bulkhead diff shows all of it'];
  const [found, gone] = [
    { boxes: gained, others: before, place },
    { boxes: lost, others: after, place },
  ];
  const lines = [
    ...linesOf(found, 'opens', 'opens'),
    ...linesOf(gone, 'denies', 'no longer denies'),
    ...linesOf(gone, 'isolates', 'no longer isolates'),
    ...linesOf(gone, 'opens', 'closes'),
    ...linesOf(found, 'denies', 'denies'),
    ...linesOf(found, 'isolates', 'isolates'),
  ];
  if (lines.length <= mostLines) return lines;
  const shown = mostLines - 1;
  return [...lines.slice(0, shown), `and ${lines.length - shown} more changes; bulkhead diff shows all of them`];
}

/** What one version has and the other lacks. */
interface Change {
  readonly boxes: readonly RuleBox[];
  /** All of the other version. */
  readonly others: readonly RuleBox[];
  readonly place: Place;
}

/** One line for all ports between the same two sides. */
function linesOf(change: Change, action: RuleBox['action'], verb: string): readonly string[] {
  const ports = new Map<string, Port[]>();
  for (const box of change.boxes) {
    if (box.action !== action) continue;
    const text = sidesText(box, change);
    const known = ports.get(text);
    if (known === undefined) ports.set(text, [...box.ports]);
    else known.push(...box.ports);
  }
  if (action === 'isolates') return [...ports.keys()].map((text) => `${verb} ${text}`);
  return [...ports].map(([text, some]) => `${verb} ${portsText(some)} ${text}`);
}

function sidesText(box: RuleBox, change: Change): string {
  const { direction, layer7 } = box;
  const subject = podsText(sideOf(box.labels, sides.subject));
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

function portsText(ports: readonly Port[]): string {
  const ranges = ports.filter((port): port is PortRange => !('name' in port));
  return allPorts.every((port) => containsPort(ranges, port)) ? 'every port' : listedPorts(ports);
}
