import t from 'tap';
import { createLog } from '../../src/server/log.ts';
import { createRefusalLog } from '../../src/server/refusal-line.ts';
import { until } from './serving.ts';

t.test('refusals are told at once, then once an interval with their number, until there are none', async (t) => {
  const written: string[] = [];
  const { log } = createLog('info', { write: (line: string) => written.push(line) });
  const told = () => written.map((line) => JSON.parse(line)).map(({ level, refused }) => ({ level, refused }));
  const refusals = createRefusalLog(log, 5);
  for (let count = 0; count < 1000; count++) refusals.count(count % 2 === 0 ? 'overloaded' : 'no-room');
  t.strictSame(told(), [{ level: 40, refused: { overloaded: 1 } }], 'one line at once');
  await until(() => written.length > 1);
  t.strictSame(told()[1], { level: 40, refused: { overloaded: 499, 'no-room': 500 } }, 'one for all the others');
  refusals.count('too-large');
  await until(() => written.length > 2);
  t.strictSame(told()[2], { level: 40, refused: { 'too-large': 1 } }, 'and one for those that come later');
  refusals.count('overloaded');
  refusals.end();
  refusals.end();
  t.equal(
    told().reduce((sum, { refused }) => sum + Object.values<number>(refused).reduce((one, more) => one + more), 0),
    1002,
    'every one is told, also at the end',
  );
});
