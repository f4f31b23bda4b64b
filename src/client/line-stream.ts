/**
 * Splits chunks into lines at line feeds alone: JSON may hold U+2028 and U+2029, at which node:readline would cut it in two. A last line
 * without its line feed was cut off and is left out.
 *
 * @throws when a line is longer than `longest` bytes, and what `chunks` throws
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, longest: number): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      pending.push(chunk.subarray(start, end));
      length += end - start;
      if (length > longest) throw new LineTooLong(longest);
      // Decoded as a whole, so that a character may lie across two chunks.
      const line = Buffer.concat(pending).toString();
      pending = [];
      length = 0;
      start = end + 1;
      yield line;
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      length += chunk.length - start;
    }
    if (length > longest) throw new LineTooLong(longest);
  }
}

export class LineTooLong extends Error {
  constructor(longest: number) {
    super(`a line has more than ${longest} bytes`);
  }
}
