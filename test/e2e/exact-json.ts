/** JSON whose numbers stay as they are written: 9007199254740993 is one more than the last integer that JavaScript counts to. */

/** ECMAScript 2026, "JSON.parse source text access": in Node already, not in the types. */
interface ExactJson {
  rawJSON(text: string): object;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}

const exact = JSON as unknown as ExactJson;

/** `JSON.stringify` writes it as it is. */
export function rawNumber(digits: string): object {
  return exact.rawJSON(digits);
}

/** As `JSON.parse`, but every number becomes what `rawNumber` gives. */
export function parseExactly(text: string): unknown {
  return exact.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exact.rawJSON(source) : value,
  );
}
