import { spawnSync } from 'node:child_process';
import t from 'tap';
import { createLog } from '../../src/server/log.ts';

t.test('a record is the line that pino would write', async (t) => {
  const written: string[] = [];
  const { log } = createLog('info', { write: (line: string) => written.push(line) });
  const fields = { name: 'a "quoted"\nname \u2028', count: 3, list: ['a'], none: undefined, yes: true };
  for (const level of ['info', 'warn', 'error'] as const) {
    log[level](fields, 'what happened');
    log.record(level, { ...fields, msg: 'what happened' });
    const [pinos, ours] = written.splice(0).map((line) => line.replace(/"time":\d+/, '"time":0'));
    t.equal(ours, pinos, `at level ${level}`);
  }
});

t.test('a record below the level of the log is not written', async (t) => {
  const written: string[] = [];
  const { log } = createLog('warn', { write: (line: string) => written.push(line) });
  log.record('info', { msg: 'not this' });
  log.record('warn', { msg: 'but this' });
  t.equal(written.length, 1);
  t.match(written[0], /"level":40,"time":\d+,"msg":"but this"/);
});

t.test('what has gathered is written by a flush, in its order', async (t) => {
  const script = `
    import { createLog } from ${JSON.stringify(new URL('../../src/server/log.ts', import.meta.url).href)};
    const { log, flush } = createLog('info');
    for (let index = 0; index < 1000; index++) {
      if (index === 500) log.info({ index, name: 'a\\u2028b\\u007f' }, 'by pino');
      else if (index % 2 === 0) log.info({ index }, 'by pino');
      else log.record('info', { index, msg: 'at once' });
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    flush();
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.notMatch(stdout, /[\u2028\u007f]/, 'and is printable');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).index);
  t.same(
    lines,
    Array.from({ length: 1000 }, (_, index) => index),
  );
});
