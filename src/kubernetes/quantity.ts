/** Resource quantities (apimachinery resource.Quantity): many spellings of one amount. */

/** The API server writes no more: a sign, 28 digits (2^63, the largest amount, in billionths) and `e-9`. */
const longest = 32;
const quantity = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/;
const decimal = new Map([...'num'].map((suffix, index) => [suffix, -9 + 3 * index]));
for (const [index, suffix] of [...'kMGTPE'].entries()) decimal.set(suffix, 3 * (index + 1));
const binary = new Map(
  ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index) => [suffix, 1024n ** BigInt(index + 1)]),
);

/**
 * The amount in billionths, rounded away from zero as the API server does, which keeps no finer parts: `1`, `1000m` and `1e0`
 * are equal, and so are `1Gi` and `1024Mi`. Undefined when the text is no quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  if (text.length > longest) return undefined;
  const [, sign, whole = '', fraction = '', suffix = '', exponent] = quantity.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return undefined;
  const power = 9 - fraction.length + (exponent === undefined ? (decimal.get(suffix) ?? 0) : Number(exponent));
  const digits = BigInt(whole + fraction) * (binary.get(suffix) ?? 1n);
  const scale = 10n ** BigInt(Math.abs(power));
  const amount = power >= 0 ? digits * scale : (digits + scale - 1n) / scale;
  return sign === '-' ? -amount : amount;
}

/** Less than zero when `one` is the smaller amount, zero when they are equal; NaN when either is no quantity. */
export function compareQuantities(one: string, other: string): number {
  const [amount, reference] = [parseQuantity(one), parseQuantity(other)];
  if (amount === undefined || reference === undefined) return Number.NaN;
  return amount < reference ? -1 : amount > reference ? 1 : 0;
}
