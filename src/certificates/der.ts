/** The part of DER (X.690, the encoding of X.509) that writing a certificate takes. Everything goes in as values and comes out as bytes. */

/** One tag-length-value: the length in the short form below 128, else as a count of bytes and the bytes. */
function encode(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const length: number[] = [];
  if (content.length < 0x80) {
    length.push(content.length);
  } else {
    for (let rest = content.length; rest > 0; rest = Math.floor(rest / 0x100)) length.unshift(rest % 0x100);
    length.unshift(0x80 | length.length);
  }
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

export const sequence = (...members: readonly Uint8Array[]): Buffer => encode(0x30, ...members);
export const setOf = (member: Uint8Array): Buffer => encode(0x31, member);
export const octetString = (content: Uint8Array): Buffer => encode(0x04, content);
export const utf8String = (text: string): Buffer => encode(0x0c, Buffer.from(text, 'utf8'));
export const booleanTrue = (): Buffer => encode(0x01, Buffer.from([0xff]));

/** A context-specific tag around complete encodings: `[number] EXPLICIT`. */
export const explicit = (number: number, content: Uint8Array): Buffer => encode(0xa0 | number, content);

/** A context-specific tag in place of a primitive one: `[number] IMPLICIT`. */
export const implicit = (number: number, content: Uint8Array): Buffer => encode(0x80 | number, content);

/** An integer from its big-endian bytes, which must be those of a positive one: the first byte in 1..127. */
export const integer = (bytes: Uint8Array): Buffer => encode(0x02, bytes);

/** @param unusedBits how many of the lowest bits of the last byte are padding */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => encode(0x03, Buffer.from([unusedBits]), bytes);

/** An object identifier from its dotted form, such as `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc % 0x80];
    for (let high = Math.floor(arc / 0x80); high > 0; high = Math.floor(high / 0x80))
      groups.unshift(0x80 | (high % 0x80));
    bytes.push(...groups);
  }
  return encode(0x06, Buffer.from(bytes));
}

/** A moment in whole seconds; RFC 5280 4.1.2.5 asks for UTCTime until 2049 and GeneralizedTime from 2050. */
export function time(moment: Date): Buffer {
  const digits = `${moment.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  return moment.getUTCFullYear() < 2050
    ? encode(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : encode(0x18, Buffer.from(digits, 'latin1'));
}
