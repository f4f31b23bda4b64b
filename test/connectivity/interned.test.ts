/** Labels and ports that differ are kept apart, whatever characters files write into them. */
import t from 'tap';
import { Interned } from '../../src/connectivity/interned.ts';

t.test('labels with line breaks are not those of another pod', async (t) => {
  const interned = new Interned();
  const two = { a: '1', b: '2' };
  t.strictSame(interned.labels(two), two);
  t.strictSame(interned.labels({ a: '1\nb\n2' }), { a: '1\nb\n2' });
  t.equal(interned.labels({ b: '2', a: '1' }), two, 'equal labels are kept once');
});

t.test('nor are names of ports', async (t) => {
  const interned = new Interned();
  const port = (name: string, number: number) => ({ name, protocol: 'TCP', port: number }) as const;
  const two = [port('a', 1), port('b', 2)];
  t.strictSame(interned.ports(two), two);
  t.strictSame(interned.ports([port('a\nTCP1\nb', 2)]), [port('a\nTCP1\nb', 2)]);
  t.equal(interned.ports([port('a', 1), port('b', 2)]), two);
});
