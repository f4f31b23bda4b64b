/**
 * A table for a terminal: columns as wide as their longest cell, two spaces between them, and none at the end of a line.
 *
 * @param lines the headings, then the rows; each has as many cells as the headings
 */
export function table(lines: readonly (readonly string[])[]): readonly string[] {
  const widths =
    lines[0]?.map((_, column) => lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), 0)) ?? [];
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
