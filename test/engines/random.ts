/** Random numbers that a seed repeats. */
export interface Random {
  /** A whole number from 0 up to and without `below`. */
  below(below: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  /** Up to `count` of them, in their order. */
  some<Item>(items: readonly Item[], count: number): readonly Item[];
}

/** Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    pick: (items) => items[below(items.length)] ?? items[0],
    some(items, count) {
      let left = Math.min(count, items.length);
      return items.filter((_, index) => {
        const taken = below(items.length - index) < left;
        if (taken) left--;
        return taken;
      });
    },
  };
}
