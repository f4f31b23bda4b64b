/**
 * Whatever a review carries: one line of JSON, in which nothing of the object but its name is found, and nothing that a
 * terminal or a reader of lines would take for more than text (SRV-13).
 */
import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { type Phase, phases } from '../../src/admission/decision.ts';
import { createLog } from '../../src/server/log.ts';
import { logReview } from '../../src/server/review-line.ts';
import { cast } from '../fixtures/cast.ts';
import { reviewOf } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const secret = 'hunter2';
/** Controls, what is invisible or reorders text, separators of lines, halves of characters. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const wicked = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\n',
      '\r',
      '\u0085',
      '\u2028',
      '\u2029',
      '\u001b[2J',
      '\u009b31m',
      '\u0007',
      '\u202e',
      '\u200b',
      '\u{e0041}',
    ),
    fc.constantFrom('"', '\\', '\ud800', '\udfff', '\u0000', '\u007f', '\ufeff', '{"level":30}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
  ),
  maxLength: 12,
});
/** Text of an object, where secrets are. */
const hidden = wicked.map((text) => `${text}${secret}${text}`);
const secrets = fc.dictionary(hidden, hidden, { maxKeys: 3, noNullPrototype: true });

const metadata = fc.record({
  name: wicked,
  namespace: fc.oneof(fc.constant('acme-web'), wicked),
  labels: secrets,
  annotations: secrets,
});
const object = fc.oneof(
  fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constant('Pod'),
    metadata,
    spec: fc.record({
      hostNetwork: fc.boolean(),
      containers: fc.array(
        fc.record({
          name: hidden,
          image: hidden,
          env: fc.array(fc.record({ name: hidden, value: hidden }), { maxLength: 2 }),
        }),
        { maxLength: 2 },
      ),
    }),
  }),
  fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('Namespace'), metadata }),
  fc.record({
    apiVersion: fc.constant('networking.k8s.io/v1'),
    kind: fc.constant('NetworkPolicy'),
    metadata,
    spec: fc.record({
      podSelector: fc.record({ matchLabels: secrets }),
      ingress: fc.array(
        fc.record({ from: fc.array(fc.record({ namespaceSelector: fc.record({ matchLabels: secrets }) })) }),
      ),
    }),
  }),
  fc.record({ apiVersion: wicked, kind: wicked, metadata }),
);
const user = fc.record({
  username: fc.oneof(fc.constantFrom('alice', cast['platform admin'].username), wicked),
  uid: hidden,
  groups: fc.oneof(fc.constant(['acme-developers']), fc.array(hidden, { maxLength: 2 })),
  extra: fc.dictionary(hidden, fc.array(hidden, { maxLength: 2 }), { maxKeys: 2, noNullPrototype: true }),
});
const sent = fc.record({ user, operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE'), object });

const world = createWorld();
const defects: unknown[] = [];
const review = createAdmission({
  tenancy: () => world.tenancy,
  namespaces: world.namespaces,
  onDefect: (error) => defects.push(error),
});

async function linesOf(phase: Phase, body: unknown): Promise<string[]> {
  const written: string[] = [];
  const { log } = createLog('info', { write: (line: string) => written.push(line) });
  const { decision } = await review(phase, Buffer.from(JSON.stringify(body)), performance.now() + 5000);
  logReview(log, decision, 0.001);
  return written;
}

t.test('one line of printable JSON, without the secrets of the object', async (t) => {
  let judged = 0;
  const holds = fc.asyncProperty(fc.constantFrom(...phases), sent, async (phase, { object, ...rest }) => {
    const operation = rest.operation as 'CREATE' | 'UPDATE' | 'DELETE';
    const body = reviewOf({ ...rest, operation, object, ...(operation !== 'CREATE' && { oldObject: object }) });
    const [line = '', ...others] = await linesOf(phase, body);
    if (others.length > 0 || !line.endsWith('\n')) return false;
    const text = line.slice(0, -1);
    const fields = JSON.parse(text);
    if (fields.code !== 400) judged += 1;
    return !unprintable.test(text) && !text.includes(secret);
  });
  await t.resolves(fc.assert(holds, { numRuns: 2000 }));
  t.ok(judged > 500, `${judged} of them were judged, the others not understood`);
  t.strictSame(defects, [], 'and none was a defect');
});

t.test('what is escaped is not lost', async (t) => {
  const name = 'a\u2028b\u009bc\u202ed\u007fe\u001bf\u00e9';
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'acme-web' }, spec: { containers: [] } };
  const [line = ''] = await linesOf(
    'validate',
    reviewOf({ user: cast['platform admin'], operation: 'CREATE', object: pod }),
  );
  t.equal(JSON.parse(line).name, name, 'whoever parses the line reads what was sent');
  t.match(line, 'a\\u2028b\\u009bc\\u202ed\\u007fe\\u001bf\u00e9', 'letters stay letters');
});

t.test('what comes by pino is escaped as well', async (t) => {
  const written: string[] = [];
  const { log } = createLog('info', { write: (line: string) => written.push(line) });
  log.error({ error: 'the API server said \u2028{"level":30}' }, 'a list failed\u009b2J');
  t.equal(written.length, 1);
  t.match(written[0], '\\u2028');
  t.match(written[0], '\\u009b');
});
