/**
 * The candidate nearest to what was written, when a slip of the finger explains the difference: at most a third of its letters
 * inserted, deleted or replaced (Levenshtein distance, letter case aside).
 */
export function suggestion(written: string, candidates: readonly string[]): string | undefined {
  // Longer text is no slip, and the cost grows with the length.
  if (written.length > 64) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase());
    if (distance < least && distance <= Math.max(1, Math.floor(candidate.length / 3)))
      [best, least] = [candidate, distance];
  }
  return best;
}

/** Wagner and Fischer's table, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
