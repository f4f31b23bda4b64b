/**
 * Reads the JSON of a list (any meta/v1 List) as it arrives, item by item. Parsed as a whole, a page takes memory that the engine never
 * gives back: three times that of the facts kept from it.
 *
 * Only quotes, escapes and brackets are looked at, which is enough in valid JSON. JSON.parse checks each item and the rest.
 */
const quote = 0x22;
const backslash = 0x5c;
const opening = new Set([0x5b, 0x7b]);
const closing = new Set([0x5d, 0x7d]);

/**
 * @param each called with every item, decoded
 * @param longest bytes that one item, or everything around the items, may have
 * @returns the list with an empty list of items
 * @throws when it is cut off, too long or no JSON; what `each` throws; and what `chunks` throws
 */
export async function readList(
  chunks: AsyncIterable<Buffer>,
  longest: number,
  each: (item: unknown) => void,
): Promise<unknown> {
  const around: Buffer[] = [];
  let aroundLength = 0;
  let item: Buffer[] = [];
  let itemLength = 0;
  let depth = 0;
  let inItems = false;
  let inString = false;
  let escaped = false;

  function keepAround(part: Buffer): void {
    around.push(part);
    aroundLength += part.length;
    if (aroundLength > longest) throw new Error(`what is around the items has more than ${longest} bytes`);
  }
  function keepItem(part: Buffer): void {
    item.push(part);
    itemLength += part.length;
    if (itemLength > longest) throw new Error(`an item has more than ${longest} bytes`);
  }

  for await (const chunk of chunks) {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) inString = true;
      else if (opening.has(byte)) {
        if (inItems && depth === 2) start = index;
        depth++;
        if (depth === 2 && byte === 0x5b) {
          const before = Buffer.concat([...around, chunk.subarray(start, index)]).toString('latin1');
          if (endsInItemsKey(before)) {
            keepAround(chunk.subarray(start, index + 1));
            start = index + 1;
            inItems = true;
          }
        }
      } else if (closing.has(byte)) {
        depth--;
        if (inItems && depth === 2) {
          keepItem(chunk.subarray(start, index + 1));
          start = index + 1;
          each(JSON.parse(Buffer.concat(item).toString()));
          item = [];
          itemLength = 0;
        } else if (inItems && depth === 1) {
          inItems = false;
          start = index;
        }
      }
    }
    // Between two items nothing is kept.
    if (inItems && depth > 2) keepItem(chunk.subarray(start));
    else if (!inItems) keepAround(chunk.subarray(start));
  }
  if (depth !== 0) throw new Error('the list was cut off');
  return JSON.parse(Buffer.concat(around).toString());
}

/** Whether the text before a list ends in `"items" : `. In steps, as an expression would start over at every blank. */
function endsInItemsKey(before: string): boolean {
  const colon = before.trimEnd();
  return colon.endsWith(':') && colon.slice(0, -1).trimEnd().endsWith('"items"');
}
