/** What is so for one pair of a rectangle, said of all: each with its own tenant, workloads and policies. */
import { formatPath } from '../kubernetes/field-path.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Breadth, broadSteps } from './breadth.ts';
import type { Cause } from './causes.ts';
import { type Alike, type Changes, mostAlike, type Part } from './changes.ts';
import { endOf, sideOf, type Worlds } from './compare-pair.ts';
import type { Profile } from './profiles.ts';
import { type Rectangle, relationOf } from './rectangles.ts';
import type { Body } from './sides.ts';
import type { PolicyRef } from './snapshot.ts';

/** Bodies of the same tenants whose policies have the same names. */
interface Likeness {
  readonly group: Body['group'];
  readonly bodies: Body[];
  /** By cause; undefined where the other end has it, or no policy. */
  readonly policies: readonly (PolicyRef[] | undefined)[];
}

export function spread(part: Part, rectangle: Rectangle, worlds: Worlds, breadth: Breadth, changes: Changes): void {
  const side = sideOf(part.change);
  const from = likenessesOf(rectangle, 'egress', part.causes, worlds, breadth);
  const to = likenessesOf(rectangle, 'ingress', part.causes, worlds, breadth);
  const alike = (sources: readonly Likeness[], targets: readonly Likeness[]): Alike => ({
    from: sources.flatMap(({ bodies }) => bodies.map((body) => endOf(body, side))),
    to: targets.flatMap(({ bodies }) => bodies.map((body) => endOf(body, side))),
    policies: part.causes.map((_, index) => [...sources, ...targets].flatMap((one) => one.policies[index] ?? [])),
  });
  const pairs = pairsOf(from, to, rectangle);
  if (pairs === 'many') {
    changes.add(part, alike(from, to), true);
    return;
  }
  for (const [source, target] of pairs) {
    const own = withPartners(source, target, rectangle.singles);
    const all = alike([own.source], [own.target]);
    const [first, second] = [all.from[0], all.to[0]];
    if (first === undefined || second === undefined) continue;
    const causes = part.causes.map((cause, index): Cause => ({ ...cause, policy: all.policies[index]?.[0] }));
    changes.add({ ...part, from: first, to: second, causes }, all);
  }
}

function pairsOf(
  from: readonly Likeness[],
  to: readonly Likeness[],
  { relation }: Rectangle,
): readonly (readonly [Likeness, Likeness])[] | 'many' {
  const byGroup = Map.groupBy(to, ({ group }) => group.new);
  const pairs: (readonly [Likeness, Likeness])[] = [];
  for (const source of from) {
    // Of one tenant, the others need not be looked at.
    const isWithin = relation === 0 && source.group.new !== undefined && !byGroup.has(undefined);
    for (const target of isWithin ? (byGroup.get(source.group.new) ?? []) : to) {
      if (relationOf(source, target) !== relation) continue;
      if (pairs.length >= mostAlike) return 'many';
      pairs.push([source, target]);
    }
  }
  return pairs;
}

/** Without those whose every partner is asked about by itself. */
function withPartners(source: Likeness, target: Likeness, singles: Rectangle['singles']) {
  if (singles.length === 0) return { source, target };
  const [sources, targets] = [new Set(source.bodies), new Set(target.bodies)];
  const own = singles.filter(([one, other]) => sources.has(one) && targets.has(other));
  const left = Map.groupBy(own, ([one]) => one);
  const right = Map.groupBy(own, ([, other]) => other);
  const has = (ofBody: typeof left, partners: number) => (body: Body) => (ofBody.get(body)?.length ?? 0) < partners;
  return {
    source: narrowed(source, has(left, targets.size)),
    target: narrowed(target, has(right, sources.size)),
  };
}

function narrowed(likeness: Likeness, has: (body: Body) => boolean): Likeness {
  const kept = likeness.bodies.map(has);
  const policies = likeness.policies.map((refs) => refs?.filter((_, at) => kept[at]));
  return { ...likeness, bodies: likeness.bodies.filter((_, at) => kept[at]), policies };
}

/** By tenant, and by the names of the policies that cause it. */
function likenessesOf(
  rectangle: Rectangle,
  direction: Direction,
  causes: readonly Cause[],
  worlds: Worlds,
  breadth: Breadth,
): readonly Likeness[] {
  const [end, at] = direction === 'egress' ? (['from', 0] as const) : (['to', 1] as const);
  const example = rectangle.example[at];
  const slots = causes.map((cause) =>
    cause.direction === direction && cause.policy !== undefined ? slotOf(cause, example, worlds, breadth) : undefined,
  );
  const isWhole = rectangle[end].length === rectangle.profiles[end].bodies.length;
  const known = ofProfiles.get(rectangle.profiles[end]) ?? new Map<string, readonly Likeness[]>();
  ofProfiles.set(rectangle.profiles[end], known);
  const places = isWhole ? JSON.stringify(slots.map((slot) => slot && { ...slot, cause: slot.cause.side })) : '';
  const before = isWhole ? known.get(`${direction} ${places}`) : undefined;
  if (before !== undefined) return before;
  const found = new Map<string, Likeness>();
  for (const body of rectangle[end]) {
    const refs = slots.map((slot) => slot && refAt(slot, body, worlds, breadth));
    const key = JSON.stringify([body.group.old, body.group.new, refs.map((ref) => ref?.name)]);
    let likeness = found.get(key);
    if (likeness === undefined) {
      likeness = { group: body.group, bodies: [], policies: refs.map((ref) => (ref === undefined ? undefined : [])) };
      found.set(key, likeness);
    }
    likeness.bodies.push(body);
    for (const [index, ref] of refs.entries()) if (ref !== undefined) likeness.policies[index]?.push(ref);
  }
  const made = [...found.values()];
  if (isWhole) known.set(`${direction} ${places}`, made);
  return made;
}

/** By the places of the policies that are looked for. */
const ofProfiles = new WeakMap<Profile, Map<string, readonly Likeness[]>>();

/** Where a cause is among the policies of a body: those of its profile have theirs at the same place. */
interface Slot {
  readonly cause: Cause;
  readonly pods: number;
  readonly stage: string;
  /** Undefined: the first that isolates. */
  readonly step: number | undefined;
}

function slotOf(cause: Cause, body: Body, worlds: Worlds, breadth: Breadth): Slot | undefined {
  const { side, direction, policy, path, kind } = cause;
  for (const [index, pods] of body.classes[side].entries())
    for (const { name, steps, closedBy } of worlds[side].plan(pods, direction)) {
      if (kind === 'isolates') {
        if (closedBy[0]?.ref === policy) return { cause, pods: index, stage: name, step: undefined };
        continue;
      }
      const step = broadSteps(steps, pods, breadth).findIndex(
        (one) => one.policy.ref === policy && formatPath(one.rule.path) === path,
      );
      if (step >= 0) return { cause, pods: index, stage: name, step };
    }
  return undefined;
}

function refAt({ cause, pods: index, stage, step }: Slot, body: Body, worlds: Worlds, breadth: Breadth) {
  const { side, direction } = cause;
  const pods = body.classes[side][index];
  if (pods === undefined) return undefined;
  for (const { name, steps, closedBy } of worlds[side].plan(pods, direction)) {
    if (name !== stage) continue;
    const ref = step === undefined ? closedBy[0]?.ref : broadSteps(steps, pods, breadth)[step]?.policy.ref;
    if (ref !== undefined) return ref;
  }
  return undefined;
}
