/** Rows of text as a table with aligned columns, for people who look at a terminal. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows.reduce<number[]>((known, row) => {
    row.forEach((cell, column) => {
      known[column] = Math.max(known[column] ?? 0, String(cell).length);
    });
    return known;
  }, []);
  return rows
    .map((row) =>
      row
        .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Milliseconds with as many digits as are worth reading. */
export function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 0)} ms` : '-';
}

/** Says what was found, then what was missed, and makes the process end with 1 when anything was. */
export function conclude(found: string, missed: readonly string[]): void {
  process.stdout.write(`${[found, ...missed.map((one) => `MISSED ${one}`)].join('\n')}\n`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
