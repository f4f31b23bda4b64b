/** Milliseconds: a time that ends within a week gets a warning. */
export const soon = 7 * 24 * 3_600_000;
