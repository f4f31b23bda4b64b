/**
 * The steps of a stage that may be about an address. A policy may list thousands of blocks, and an address is in few of them: they are
 * kept in a tree of ranges, so that an address costs the logarithm of their number, and those that it is in.
 */
import type { IpRange } from '../kubernetes/ip-range.ts';
import { compareRanges, type IpSet } from '../kubernetes/ip-set.ts';
import type { Party } from './parties.ts';
import type { PlannedStage, Step } from './world.ts';

/** Fewer are asked one by one. */
const fewSteps = 8;

type Find = (address: IpRange) => readonly Step[];

const finders = new WeakMap<PlannedStage, Find>();

/** In the order of the stage, and more than those that have the party. */
export function stepsAbout(stage: PlannedStage, party: Party): readonly Step[] {
  if (party.kind !== 'address' || stage.steps.length <= fewSteps) return stage.steps;
  const find = finders.get(stage) ?? finderOf(stage.steps);
  finders.set(stage, find);
  return find(party.range);
}

interface Block extends IpRange {
  readonly at: number;
}

function finderOf(steps: readonly Step[]): Find {
  const anywhere: number[] = [];
  const blocks: Block[] = [];
  const before = new Repeats();
  steps.forEach((step, at) => {
    if (before.has(step)) return;
    const bounds = boundsOf(step);
    if (bounds === undefined) anywhere.push(at);
    else for (const { family, first, last } of bounds) blocks.push({ family, first, last, at });
  });
  const tree = new RangeTree(blocks.sort(compareRanges));
  return (address) => {
    const found = [...anywhere];
    tree.at(address, ({ at }) => void found.push(at));
    return found.sort((one, other) => one - other).flatMap((at) => steps[at] ?? []);
  };
}

/** Addresses outside of which the step is about none. */
function boundsOf({ rule: { peer } }: Step): IpSet | undefined {
  if (peer.kind === 'ipBlock') return peer.addresses;
  return peer.kind === 'expression' && peer.isAllBut !== true ? peer.addresses : undefined;
}

/** Whether a step before it in the stage is about the same parties and ports, and so leaves it nothing to decide. */
class Repeats {
  readonly #known = new Map<Step['peer'], Map<Step['own'], Set<string>>>();

  has({ peer, own, ports }: Step): boolean {
    if (ports === undefined) return false;
    const byOwn = this.#known.get(peer) ?? new Map<Step['own'], Set<string>>();
    this.#known.set(peer, byOwn);
    const byPorts = byOwn.get(own) ?? new Set();
    byOwn.set(own, byPorts);
    const { size } = byPorts;
    return byPorts.add(ports.join()).size === size;
  }
}

/** Ranges in the order of their beginnings: a balanced tree, in which each one knows how far those below it reach. */
class RangeTree {
  readonly #blocks: readonly Block[];
  readonly #reach: readonly (IpRange | undefined)[];

  constructor(blocks: readonly Block[]) {
    this.#blocks = blocks;
    const reach: (IpRange | undefined)[] = [];
    const fill = (low: number, high: number): IpRange | undefined => {
      if (low >= high) return undefined;
      const middle = (low + high) >>> 1;
      const below = [fill(low, middle), blocks[middle], fill(middle + 1, high)].filter((one) => one !== undefined);
      reach[middle] = below.reduce((one, other) => (endsBefore(one, other) ? other : one));
      return reach[middle];
    };
    fill(0, blocks.length);
    this.#reach = reach;
  }

  /** Those that hold the first address of the range. */
  at({ family, first }: IpRange, found: (block: Block) => void): void {
    const address = { family, first, last: first };
    const look = (low: number, high: number): void => {
      const middle = (low + high) >>> 1;
      const [block, reach] = [this.#blocks[middle], this.#reach[middle]];
      if (low >= high || block === undefined || reach === undefined || endsBefore(reach, address)) return;
      look(low, middle);
      if (compareRanges(block, address) > 0) return;
      if (!endsBefore(block, address)) found(block);
      look(middle + 1, high);
    };
    look(0, this.#blocks.length);
  }
}

function endsBefore(one: IpRange, other: IpRange): boolean {
  return one.family < other.family || (one.family === other.family && one.last < other.last);
}
