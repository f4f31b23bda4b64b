import t from 'tap';
import { compareQuantities, parseQuantity } from '../../src/kubernetes/quantity.ts';

const one = 10n ** 9n;

t.test('amounts are equal however they are written', async (t) => {
  const table: readonly [readonly string[], bigint][] = [
    [['1', '1.0', '1.', '+1', '1000m', '1e0', '0.001k', '1000000000n', '1000000u'], one],
    [['0.5', '.5', '500m', '5e-1', '5E-1'], one / 2n],
    [['1Gi', '1024Mi', '1048576Ki', '1073741824'], one * 1024n ** 3n],
    [['1G', '1000M', '1e9', '1E9'], one * 10n ** 9n],
    [['2E', '2000P'], one * 2n * 10n ** 18n],
    [['-5', '-5000m'], -5n * one],
    [['0', '0Ki', '-0'], 0n],
    [['1.5Ki'], one * 1536n],
  ];
  for (const [texts, amount] of table) for (const text of texts) t.equal(parseQuantity(text), amount, text);
});

t.test('what is finer than a billionth is rounded away from zero', async (t) => {
  t.equal(parseQuantity('0.1n'), 1n);
  t.equal(parseQuantity('1e-12'), 1n);
  t.equal(parseQuantity('-0.1n'), -1n);
});

t.test('what is not an amount is not read', async (t) => {
  for (const text of [
    '',
    '.',
    'm',
    'Ki',
    '1 ',
    ' 1',
    '1KB',
    '1ki',
    '1.2.3',
    '1e',
    '1e+',
    '0x10',
    '1e9999',
    'Infinity',
    '1'.repeat(33),
  ]) {
    t.equal(parseQuantity(text), undefined, JSON.stringify(text));
  }
});

t.test('amounts are compared, not texts', async (t) => {
  for (const [one, sign, other] of [
    ['40', 0, '40000m'],
    ['9k', 1, '500'],
    ['1Gi', 1, '1G'],
    ['-1', -1, '0'],
  ] as const) {
    t.equal(compareQuantities(one, other), sign, `${one} to ${other}`);
    t.equal(compareQuantities(other, one) + sign, 0, `${other} to ${one}`);
  }
  t.ok(Number.isNaN(compareQuantities('1', 'many')), 'what is no amount is neither less nor more');
  t.ok(Number.isNaN(compareQuantities('', '1')));
});
