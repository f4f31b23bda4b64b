/** Lines of files of flows, one after the other: no file is held in memory, and no line is longer than {@link longest}. */
import { createReadStream } from 'node:fs';

/** A flow of Hubble has 2 to 8 KiB. */
const longest = 1 << 20;

export interface FlowLine {
  /** From 1. */
  readonly number: number;
  /** Undefined: the line is too long. */
  readonly text: string | undefined;
}

/** Line feeds alone end lines: JSON may hold U+2028. */
export async function* flowLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<FlowLine> {
  let pending: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const take = (part: Uint8Array): void => {
    length += part.length;
    // What is left of a line that is too long is passed over.
    if (length <= longest) pending.push(part);
    else pending = [];
  };
  const ended = (): FlowLine => {
    const text = length > longest ? undefined : Buffer.concat(pending).toString().replace(/\r$/, '');
    pending = [];
    length = 0;
    return { number: number++, text };
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      take(chunk.subarray(start, end));
      start = end + 1;
      yield ended();
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (length > 0) yield ended();
}

export function chunksOf(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: 1 << 18 });
}
