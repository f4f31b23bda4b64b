/** What a parser gives back: the value, or why there is none and what to write instead. Parsers never throw on bad text. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string; readonly fix?: string };
