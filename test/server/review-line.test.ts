import t from 'tap';
import type { Decision } from '../../src/admission/decision.ts';
import { createLog } from '../../src/server/log.ts';
import { logReview } from '../../src/server/review-line.ts';
import { admitted } from './serving.ts';

function lineOf(decision: Partial<Decision>, seconds = 0.0005): Record<string, unknown> {
  const written: string[] = [];
  const { log } = createLog('trace', { write: (line: string) => written.push(line) });
  logReview(log, { ...admitted, ...decision }, seconds);
  if (written.length !== 1) throw new Error(`${written.length} lines`);
  return JSON.parse(written[0] ?? '');
}

t.test('the level of a line tells how it came out', async (t) => {
  const cases: [decision: Partial<Decision>, level: number, message: string][] = [
    [{}, 30, 'admitted'],
    [{ checks: ['host-ports'], mode: 'warn' }, 40, 'admitted with findings'],
    [{ allowed: false, code: 403, checks: ['host-ports'] }, 40, 'refused'],
    [{ allowed: false, code: 400 }, 40, 'refused'],
    [{ allowed: false, code: 503 }, 50, 'undecided'],
    [{ allowed: false, code: 500 }, 50, 'undecided'],
  ];
  for (const [decision, level, message] of cases) {
    t.match(lineOf(decision), { level, msg: message }, `${JSON.stringify(decision)}: ${message}, at ${level}`);
  }
});

t.test('a line says who did what where, and nothing else', async (t) => {
  const { time, ...line } = lineOf({ allowed: false, code: 403, checks: ['host-network'] }, 0.00123456);
  t.type(time, 'number');
  t.same(line, {
    level: 40,
    phase: 'validate',
    uid: 'uid-1',
    kind: 'Pod',
    operation: 'CREATE',
    namespace: 'acme-web',
    name: 'web',
    user: 'alice',
    tenant: 'acme',
    mode: 'enforce',
    allowed: false,
    code: 403,
    checks: ['host-network'],
    microseconds: 1235,
    msg: 'refused',
  });
});

t.test('a line says why where no check does', async (t) => {
  const reason = 'the API server could not be asked: forbidden';
  t.match(lineOf({ allowed: false, code: 503, reason }), { reason });
});

t.test('a line is short, and one line, whatever a request says', async (t) => {
  const endless = 'x\n'.repeat(1_000_000);
  const line = lineOf({
    username: endless,
    name: endless,
    namespace: endless,
    kind: endless,
    operation: endless,
    uid: endless,
    subresource: endless,
  });
  for (const field of ['user', 'name', 'namespace', 'kind', 'operation', 'uid', 'subresource']) {
    t.equal(line[field], `${endless.slice(0, 256)}…`, `${field} is cut`);
  }
});
