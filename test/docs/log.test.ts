/** docs/log.md: what is written where, held against what is written. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { respond } from '../../src/admission/respond.ts';
import { createLog } from '../../src/server/log.ts';
import { logReview } from '../../src/server/review-line.ts';
import { undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { admitted } from '../server/serving.ts';

const page = readFileSync('docs/log.md', 'utf8');
const [, log = '', auditLog = '', events = ''] = page.split(/^## .*\n/m);

/** The names in the first column of a table. */
function named(part: string): string[] {
  return [...part.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  );
}

t.test('the fields of a line', async (t) => {
  const written: string[] = [];
  const { log: logger } = createLog('info', { write: (line: string) => written.push(line) });
  const everything = {
    ...admitted,
    subresource: 'status',
    dryRun: true,
    checks: ['host-network'],
    exemptions: ['vpn'],
    patched: true,
    reason: 'why',
  };
  logReview(logger, everything, 0.001);
  t.strictSame(named(log).sort(), Object.keys(JSON.parse(written[0] ?? '')).sort());
});

t.test('the line that is shown', async (t) => {
  const [, example = ''] = /```json\n(.*)\n```/.exec(page) ?? [];
  const shown = JSON.parse(example);
  const written: string[] = [];
  const { log: logger } = createLog('info', { write: (line: string) => written.push(line) });
  const refused = { ...admitted, uid: shown.uid, name: 'probe', allowed: false, code: 403, checks: ['host-network'] };
  logReview(logger, refused, shown.microseconds / 1e6);
  t.equal(example, written[0]?.trimEnd().replace(/"time":\d+/, `"time":${shown.time}`));
});

t.test('the notes in the audit log', async (t) => {
  const request = {
    family: 'pod',
    kind: 'Pod',
    uid: 'uid-1',
    operation: 'CREATE',
    subresource: '',
    name: 'web',
    namespace: 'acme-web',
    dryRun: false,
    user: { username: 'alice', groups: [] },
    object: { apiVersion: 'v1', kind: 'Pod' },
    oldObject: undefined,
  } as const;
  const { body } = respond({ phase: 'validate', observes: false }, request, {
    owner: undeclaredTenant('acme'),
    checks: ['host-network', 'host-ports'],
    exempted: [
      { check: 'host-path', exemption: 'logs' },
      { check: 'network-capabilities', exemption: 'vpn' },
      { check: 'network-capabilities', exemption: 'vpn' },
    ],
  });
  const { auditAnnotations } = JSON.parse(body).response;
  t.strictSame(named(auditLog), ['tenant', 'checks', 'mode', 'exemptions']);
  const noted = { tenant: 'acme', checks: 'host-network,host-ports', mode: 'enforce', exemptions: 'logs,vpn' };
  t.strictSame(auditAnnotations, noted);
});

t.test('the reasons of Events', async (t) => {
  const [, union = ''] =
    /type EventReason =([^;]*);/.exec(readFileSync('src/reconcile/namespace-events.ts', 'utf8')) ?? [];
  t.strictSame(
    named(events),
    [...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason),
  );
});
