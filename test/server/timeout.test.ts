import fc from 'fast-check';
import t from 'tap';
import { parseDuration, timeLimits, within } from '../../src/server/timeout.ts';

t.test('a duration is read as Go reads it', async (t) => {
  const cases: [text: string, milliseconds: number | undefined][] = [
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['2.5s', 2500],
    ['.5s', 500],
    ['+1h', 3_600_000],
    ['1h2m3s4ms', 3_723_004],
    ['1500us', 1.5],
    ['1500µs', 1.5],
    ['1000000ns', 1],
    ['0s', undefined],
    ['0', undefined],
    ['-1s', undefined],
    ['10', undefined],
    ['s', undefined],
    ['', undefined],
    ['10S', undefined],
    ['10 s', undefined],
    ['1e3s', undefined],
    ['Infinity', undefined],
    [`${'1'.repeat(40)}s`, undefined],
  ];
  for (const [text, milliseconds] of cases)
    t.equal(parseDuration(text), milliseconds, `"${text}" is ${milliseconds} ms`);
});

t.test('whatever Go writes is read back', async (t) => {
  const sixty = fc.integer({ min: 0, max: 59 });
  const readBack = fc.property(fc.integer({ min: 1, max: 23 }), sixty, sixty, (hours, minutes, seconds) => {
    return parseDuration(`${hours}h${minutes}m${seconds}s`) === ((hours * 60 + minutes) * 60 + seconds) * 1000;
  });
  t.doesNotThrow(() => fc.assert(readBack));
});

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
      ['/validate?timeout=-5s', 10_000, 'the default, for a negative one'],
      ['/validate?timeout=24h', 30_000, 'at most what the API server can be set to'],
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
