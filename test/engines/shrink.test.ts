import t from 'tap';
import { smaller } from './shrink.ts';

t.test('what is not needed goes, and what is needed stays', async (t) => {
  const value = { a: [1, { b: 2, c: [3, 4] }], d: null, e: { f: 'x' } };
  let tries = 0;
  const small = await smaller<Partial<typeof value>>(value, async (candidate) => {
    tries++;
    return JSON.stringify(candidate).includes('4');
  });
  t.same(small, { a: [{ c: [4] }] });
  t.ok(tries < 40, `${tries} tries`);
});

t.test('fields stay where only elements may go', async (t) => {
  const value = { list: [1, 2], name: 'x' };
  const small = await smaller(
    value,
    async () => true,
    (key) => typeof key === 'number',
  );
  t.same(small, { list: [], name: 'x' });
  t.same(value, { list: [1, 2], name: 'x' }, 'and the value that was given is as it was');
});
