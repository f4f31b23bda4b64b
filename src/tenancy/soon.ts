/** Milliseconds: what ends within a week is told. */
export const soon = 7 * 24 * 3_600_000;
