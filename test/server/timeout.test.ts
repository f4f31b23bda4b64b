import t from 'tap';
import { timeLimits, within } from '../../src/server/timeout.ts';

t.test(
  'a review gets nine tenths of the time that the API server gives, and an answer is due before it ends',
  async (t) => {
    const cases: [url: string, milliseconds: number, why: string][] = [
      ['/validate?timeout=10s', 10_000, 'as asked'],
      ['/validate?timeout=500ms', 500, 'as asked'],
      ['/validate?dryRun=All&timeout=2s', 2000, 'among other parameters'],
      ['/validate', 10_000, 'the default of the API server, without one'],
      ['/validate?', 10_000, 'the default, without one'],
      ['/validate?timeout=', 10_000, 'the default, for nothing'],
      ['/validate?timeout=soon', 10_000, 'the default, for what is no duration'],
      ['/validate?timeout=2.5s', 2500, 'a fraction'],
      ['/validate?timeout=300s', 30_000, 'at most what the API server can be set to'],
      ...['-5s', '0s', '0', '10', 's', '10S', '10 s', '1e3s', 'Infinity', '24h', `${'1'.repeat(40)}s`].map(
        (text): [string, number, string] => [`/validate?timeout=${text}`, 10_000, 'the default, for what is none'],
      ),
    ];
    for (const [url, milliseconds, why] of cases) {
      t.same(timeLimits(url), { review: milliseconds * 0.9, answer: milliseconds * 0.95 }, `${url}: ${why}`);
    }
  },
);

t.test('waiting has an end', async (t) => {
  t.equal(await within(Promise.resolve('done'), 1000), 'done', 'a promise that is kept gives its value');
  t.equal(await within(new Promise(() => {}), 1), undefined, 'one that is not gives nothing');
  t.equal(await within(new Promise(() => {}), -5), undefined, 'also when the time was over before');
  await t.rejects(
    within(Promise.reject(new Error('broken')), 1000),
    { message: 'broken' },
    'one that is broken says so',
  );
});
