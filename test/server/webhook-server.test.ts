import t from 'tap';
import type { Review } from '../../src/admission/decision.ts';
import { responseOf, reviewOf, uid } from '../fixtures/review.ts';
import { answerOf, echo, everything, exchange, open, repliesIn, request, serve, until } from './serving.ts';

const message = (body: string): unknown => JSON.parse(body).message;

t.test('a review gets the bytes that were sent, whatever they are called (SRV-07)', async (t) => {
  const { port } = await serve(t, echo);
  const cases: [what: string, bytes: string, answer: object][] = [
    [
      'JSON',
      request('POST', '/mutate', '{"a":1}', { 'Content-Type': 'application/json' }),
      { phase: 'mutate', bytes: 7 },
    ],
    ['no content type', request('POST', '/validate', '{"a":1}'), { phase: 'validate', bytes: 7 }],
    [
      'another content type',
      request('POST', '/validate', 'a=1', { 'Content-Type': 'application/x-www-form-urlencoded' }),
      { phase: 'validate', bytes: 3 },
    ],
    [
      'no JSON',
      request('POST', '/validate', '{"a":', { 'Content-Type': 'application/json' }),
      { phase: 'validate', bytes: 5 },
    ],
    [
      'a content type that is none',
      request('POST', '/mutate', '{}', { 'Content-Type': 'json' }),
      { phase: 'mutate', bytes: 2 },
    ],
    [
      'a content type with a tab',
      request('POST', '/mutate', '{}', { 'Content-Type': 'application/json\t; charset=utf-8' }),
      { phase: 'mutate', bytes: 2 },
    ],
    [
      'a content type with blanks before it',
      request('POST', '/validate', '{}', { 'Content-Type': '   application/json' }),
      { phase: 'validate', bytes: 2 },
    ],
    [
      'two content types',
      request('POST', '/validate', '{}', { 'Content-Type': 'application/json', 'content-type': 'text/plain' }),
      { phase: 'validate', bytes: 2 },
    ],
    ['no body', request('POST', '/validate'), { phase: 'validate', bytes: 0 }],
    ['a body in chunks', chunked('/validate', ['{"a"', ':1}']), { phase: 'validate', bytes: 7 }],
    [
      'a body announced by Expect',
      request('POST', '/validate', '{}', { Expect: '100-continue' }),
      { phase: 'validate', bytes: 2 },
    ],
    [
      'a wish to upgrade',
      request('POST', '/validate', '{}', { Upgrade: 'h2c', Connection: 'close, Upgrade' }),
      { phase: 'validate', bytes: 2 },
    ],
  ];
  for (const [what, bytes, answer] of cases) {
    const reply = repliesIn(await exchange(port, bytes)).at(-1);
    t.equal(reply?.status, 200, `${what}: is reviewed`);
    t.equal(reply?.headers.get('content-type'), 'application/json', `${what}: is answered in JSON`);
    t.same(JSON.parse(reply?.body ?? ''), answer, `${what}: arrives whole`);
  }
});

t.test('what is no review is told so, in a Status whose message the API server can quote', async (t) => {
  const { port } = await serve(t, echo);
  const cases: [what: string, bytes: string, status: number, message: RegExp][] = [
    ['another path', request('POST', '/other', '{}'), 404, /\/mutate, \/validate and \/warn/],
    ['an empty segment', request('POST', '//validate', '{}'), 404, /There is nothing here\./],
    ['a segment', request('POST', '/other/validate', '{}'), 404, /There is nothing here\./],
    ['one that cannot be decoded', request('POST', '/%zz/validate', '{}'), 404, /There is nothing here\./],
    ['another method', request('GET', '/validate?timeout=1s'), 405, /^\/validate takes POST/],
    ['a method with a body', request('PUT', '/mutate', '{}'), 405, /^\/mutate takes POST/],
    ['a tunnel', 'CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere\r\n\r\n', 405, /no proxy/],
    ['a path that is none', request('POST', '/%zz', '{}'), 400, /not a valid URL path/],
    ['an unknown expectation', request('POST', '/mutate', '{}', { Expect: 'wonders' }), 417, /only 100-continue/],
    ['no HTTP', 'hello\r\n\r\n', 400, /not an HTTP\/1.1 request/],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, /not an HTTP\/1.1 request/],
    [
      'two lengths',
      'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      400,
      /not an HTTP\/1.1 request/,
    ],
    [
      'length and chunks',
      'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      /not an HTTP\/1.1 request/,
    ],
    ['headers without end', `POST /mutate HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`, 431, /larger than 16 KiB/],
  ];
  for (const [what, bytes, status, expected] of cases) {
    const [reply] = repliesIn(await exchange(port, bytes));
    t.equal(reply?.status, status, `${what}: ${status}`);
    t.match(
      JSON.parse(reply?.body ?? ''),
      { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason: /^\w+$/, message: expected },
      `${what}: says ${expected}`,
    );
    t.notMatch(reply?.body, /node_modules|\.ts|Error/, `${what}: shows nothing of the inside`);
  }
});

t.test('a body has a greatest size', async (t) => {
  const { port, metrics } = await serve(t, echo, { bodyBytes: 1000 });
  const [exact] = repliesIn(await exchange(port, request('POST', '/validate', 'x'.repeat(1000))));
  t.match(exact, { status: 200, body: '{"phase":"validate","bytes":1000}' }, 'that is still reviewed');

  const announced = await open(port);
  const refusal = everything(announced);
  announced.write(request('POST', '/validate', '', { 'Content-Length': '1001' }));
  const early = await new Promise<string>((resolve) =>
    announced.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  t.match(
    repliesIn(early)[0],
    { status: 413, body: /larger than a review/ },
    'one that is announced to be larger is refused before it is sent',
  );
  announced.destroy();
  await refusal;

  const [grown] = repliesIn(await exchange(port, chunked('/validate', ['x'.repeat(600), 'x'.repeat(600)])));
  t.equal(grown?.status, 413, 'one that grows larger is refused too');
  t.match(
    await metrics.registry.metrics(),
    /bulkhead_requests_refused_total\{reason="too-large"\} 2/,
    'both are counted',
  );
});

t.test('a review of two objects of the greatest size passes', async (t) => {
  const { port } = await serve(t, echo);
  // 1.5 MiB of `<`, each of which the API server writes as six bytes, and the review around them.
  const body = 'x'.repeat(2 * 6 * 1.5 * 1024 * 1024 + 100_000);
  t.match(repliesIn(await exchange(port, request('POST', '/validate', body)))[0], {
    status: 200,
    body: JSON.stringify({ phase: 'validate', bytes: body.length }),
  });
});

t.test('nineteen mebibytes are the most, and one byte more is refused', async (t) => {
  const { port } = await serve(t, echo);
  const most = 19 * 1024 * 1024;
  const [exact] = repliesIn(await exchange(port, request('POST', '/validate', 'x'.repeat(most))));
  t.match(exact, { status: 200, body: JSON.stringify({ phase: 'validate', bytes: most }) });
  const [more] = repliesIn(await exchange(port, chunked('/validate', ['x'.repeat(most), 'x'])));
  t.equal(more?.status, 413);
});

t.test('all bodies together have a greatest size', async (t) => {
  const { review, waiting } = heldReview();
  const { port, metrics } = await serve(t, review, { heldBytes: 1500 });
  const complete = exchange(port, request('POST', '/validate', 'x'.repeat(600)));
  await until(() => waiting.length === 1);
  const [refused] = repliesIn(await exchange(port, request('POST', '/validate', 'x'.repeat(600))));
  t.match(
    refused,
    { status: 503, body: /as many request bodies as it may/ },
    'a body for which there is no room beside one that is complete is refused',
  );
  t.equal(refused?.headers.get('retry-after'), '1', 'and told to come again');
  t.match(await metrics.registry.metrics(), /refused_total\{reason="no-room"\} 1/);
  waiting[0]?.();
  t.equal(repliesIn(await complete)[0]?.status, 200, 'what is complete is answered');
  const next = exchange(port, request('POST', '/validate', 'x'.repeat(600)));
  await until(() => waiting.length === 2);
  waiting[1]?.();
  t.equal(repliesIn(await next)[0]?.status, 200, 'and what it held is free again');
});

t.test('a client that goes away in the middle of its body is counted, and holds nothing', async (t) => {
  const { port, metrics } = await serve(t, echo, { heldBytes: 1500 });
  const unfinished = await open(port);
  const none = everything(unfinished);
  unfinished.write(request('POST', '/validate', 'x'.repeat(600), { 'Content-Length': '601' }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  unfinished.destroy();
  await none;
  await until(async () => /refused_total\{reason="aborted"\} 1/.test(await metrics.registry.metrics()));
  t.equal(repliesIn(await exchange(port, request('POST', '/validate', 'x'.repeat(600))))[0]?.status, 200);
  t.match(await metrics.registry.metrics(), /refused_total\{reason="displaced"\} 0/);
});

t.test('reviews at one time have a greatest number', async (t) => {
  const { review, waiting } = heldReview();
  const { port, metrics } = await serve(t, review, { inFlight: 2 });
  const first = exchange(port, request('POST', '/mutate', '{}'));
  const second = exchange(port, request('POST', '/validate', '{}'));
  await until(async () => waiting.length === 2);
  t.match(await metrics.registry.metrics(), /bulkhead_requests_in_flight 2/, 'those in flight are counted');
  const [third] = repliesIn(await exchange(port, request('POST', '/validate', '{}')));
  t.match(third, { status: 503, body: /as many reviews as it may/ }, 'one more is refused');
  t.equal(third?.headers.get('retry-after'), '1', 'and told to come again');
  for (const go of waiting) go();
  t.same(
    [...repliesIn(await first), ...repliesIn(await second)].map(({ status }) => status),
    [200, 200],
    'the others are answered',
  );
  const fourth = exchange(port, request('POST', '/validate', '{}'));
  await until(async () => waiting.length === 3);
  waiting[2]?.();
  t.equal(repliesIn(await fourth)[0]?.status, 200, 'and there is room again');
});

t.test('an answer comes in time', async (t) => {
  const deadlines: number[] = [];
  const never: Review = (_phase, _body, deadline) => {
    deadlines.push(deadline - performance.now());
    return new Promise(() => {});
  };
  const { port, metrics } = await serve(t, never);
  const [late] = repliesIn(await exchange(port, request('POST', '/validate?timeout=100ms', '{}')));
  t.match(late, { status: 503, body: /did not decide in time/ }, 'also when the review gives none and no uid is known');
  t.equal(late?.headers.get('retry-after'), '1', 'and it may be tried again');
  t.ok((deadlines[0] ?? 0) <= 90, 'the review was told of an earlier deadline');
  t.match(await metrics.registry.metrics(), /refused_total\{reason="late"\} 1/, 'it is counted');
  t.match(await metrics.registry.metrics(), /bulkhead_requests_in_flight 0/, 'and no longer in flight');
});

t.test('a review that is late is denied, to be tried again, under its own uid', async (t) => {
  const { port, metrics, lines } = await serve(t, () => new Promise(() => {}));
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-new' } };
  const body = JSON.stringify(reviewOf({ user: { username: 'alice', groups: [] }, operation: 'CREATE', object }));
  for (const phase of ['mutate', 'validate']) {
    const [reply] = repliesIn(await exchange(port, request('POST', `/${phase}?timeout=50ms`, body)));
    t.equal(
      reply?.status,
      200,
      `${phase}: any other status would be a failed call, which the user reads as an internal error`,
    );
    t.equal(reply?.headers.get('retry-after'), undefined, 'and no time is left to ask again');
    t.strictSame(
      responseOf(reply?.body ?? ''),
      {
        uid,
        allowed: false,
        status: {
          status: 'Failure',
          code: 503,
          reason: 'ServiceUnavailable',
          message: 'Namespace acme-new: was not decided in time\n  fix: try again in 1 second',
          details: { retryAfterSeconds: 1 },
        },
        auditAnnotations: {},
      },
      phase,
    );
  }
  const line = { level: 50, uid, name: 'acme-new', user: 'alice', allowed: false, code: 503, msg: 'undecided' };
  t.match(
    lines(),
    [
      { ...line, phase: 'mutate' },
      { ...line, phase: 'validate' },
    ],
    'each has its line in the log',
  );
  const text = await metrics.registry.metrics();
  t.match(
    text,
    'bulkhead_reviews_total{phase="validate",kind="Namespace",operation="CREATE",allowed="false",code="503"}',
  );
  t.match(text, 'bulkhead_requests_refused_total{reason="late"} 2');
});

t.test('in observe a review that is late is admitted, from the moment that the settings say so', async (t) => {
  let observes = true;
  const never: Review = () => new Promise(() => {});
  const { port, metrics, lines } = await serve(t, never, {}, 0, undefined, [''], () => observes);
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-new' } };
  const body = JSON.stringify(reviewOf({ user: { username: 'alice', groups: [] }, operation: 'CREATE', object }));
  const ask = async (phase: string) => {
    const [reply] = repliesIn(await exchange(port, request('POST', `/${phase}?timeout=50ms`, body)));
    t.equal(reply?.status, 200, phase);
    return responseOf(reply?.body ?? '');
  };
  for (const phase of ['mutate', 'validate']) t.match(await ask(phase), { uid, allowed: true, patch: undefined });
  t.match(lines(), [
    { phase: 'mutate', allowed: true, code: 503, msg: 'undecided' },
    { phase: 'validate', allowed: true, code: 503, msg: 'undecided' },
  ]);
  t.match(await metrics.registry.metrics(), 'bulkhead_requests_refused_total{reason="late"} 2', 'they are counted');
  observes = false;
  t.match(await ask('validate'), { uid, allowed: false });
});

t.test('what is large and late is not read a second time', async (t) => {
  const { port, metrics } = await serve(t, () => new Promise(() => {}));
  const metadata = { name: 'acme-new', annotations: { note: 'x'.repeat(1024 * 1024) } };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
  const body = JSON.stringify(reviewOf({ user: { username: 'alice', groups: [] }, operation: 'CREATE', object }));
  const [reply] = repliesIn(await exchange(port, request('POST', '/validate?timeout=50ms', body)));
  t.match(reply, { status: 503, body: /did not decide in time/ });
  t.equal(reply?.headers.get('retry-after'), '1');
  t.match(await metrics.registry.metrics(), /refused_total\{reason="late"\} 1/);
});

t.test('a warning that is late is none', async (t) => {
  const { port, lines } = await serve(t, () => new Promise(() => {}));
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'acme-web' } };
  const body = JSON.stringify(reviewOf({ user: { username: 'alice', groups: [] }, operation: 'CREATE', object }));
  const [reply] = repliesIn(await exchange(port, request('POST', '/warn?timeout=50ms', body)));
  t.equal(reply?.status, 200);
  t.strictSame(responseOf(reply?.body ?? ''), { uid, allowed: true, auditAnnotations: {} }, 'and refuses nothing');
  t.match(lines(), [{ phase: 'warn', kind: 'Deployment', allowed: true, code: 503, msg: 'undecided' }]);
});

t.test('requests that are refused without a review are told in few lines', async (t) => {
  const { port, server, lines } = await serve(t, echo, { bodyBytes: 10 });
  for (let count = 0; count < 5; count++) await exchange(port, request('POST', '/validate', 'x'.repeat(11)));
  t.match(lines(), [{ level: 40, refused: { 'too-large': 1 }, msg: /without a review/ }], 'the first one at once');
  await server.close();
  const told = lines().map(({ refused }) => Object(refused)['too-large']);
  t.equal(
    told.reduce((sum, number) => sum + number),
    5,
    'the others by their number, none left out at the end',
  );
});

t.test('a review that fails against its promise is a defect', async (t) => {
  const { port, metrics, lines } = await serve(t, async () => {
    throw new Error('secret of the inside');
  });
  const [reply] = repliesIn(await exchange(port, request('POST', '/validate', '{}')));
  t.equal(reply?.status, 500, 'it is answered');
  t.equal(message(reply?.body ?? ''), 'Bulkhead failed to answer. Its log says why.', 'without the reason');
  t.match(lines(), [{ level: 50, error: /secret of the inside/, msg: 'a request failed' }], 'the reason is in the log');
  t.match(await metrics.registry.metrics(), /refused_total\{reason="failed"\} 1/, 'it is counted');
});

t.test('each review is one line of the log and counted once', async (t) => {
  const review: Review = async (phase) =>
    answerOf({ phase, allowed: false, code: 403, checks: ['host-network'], kind: 'Pod', operation: 'CREATE' });
  const { port, metrics, lines } = await serve(t, review);
  for (const path of ['/mutate', '/validate', '/validate']) await exchange(port, request('POST', path, '{}'));
  t.match(lines(), [{ phase: 'mutate' }, { phase: 'validate' }, { phase: 'validate' }], 'in the order of the answers');
  const text = await metrics.registry.metrics();
  t.match(text, 'bulkhead_reviews_total{phase="validate",kind="Pod",operation="CREATE",allowed="false",code="403"} 2');
  t.match(text, 'bulkhead_findings_total{check="host-network",mode="enforce"} 3');
  t.match(text, 'bulkhead_review_duration_seconds_count{phase="validate"} 2');
});

t.test('an answer keeps the status that the review gives it', async (t) => {
  const { port } = await serve(t, async () => ({
    ...answerOf({ uid: '', code: 400, allowed: false }, '{"kind":"AdmissionReview"}'),
    status: 400,
  }));
  t.match(repliesIn(await exchange(port, request('POST', '/mutate', 'x'))), [
    { status: 400, body: '{"kind":"AdmissionReview"}' },
  ]);
});

function chunked(target: string, chunks: readonly string[]): string {
  const body = [...chunks, ''].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return `POST ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
}

t.test('where it is called by a path that nobody guesses, everything else is nothing', async (t) => {
  const secrets = ['0'.repeat(48), '1'.repeat(48)];
  const { port } = await serve(t, echo, {}, 0, undefined, secrets);
  const [newest = '', before = ''] = secrets;
  for (const [what, sent] of [
    ['the path of the phase alone', request('POST', '/validate', '{}')],
    ['another one', request('POST', `/${'2'.repeat(48)}/validate`, '{}')],
    ['a part of it', request('POST', `/${newest.slice(1)}/validate`, '{}')],
    ['one with more', request('POST', `/${newest}0/validate`, '{}')],
    ['none', request('POST', '//validate', '{}')],
    ['another method', request('GET', `/${newest}/validate`)],
    ['another phase', request('POST', `/${newest}/other`, '{}')],
  ] as const) {
    const [reply] = repliesIn(await exchange(port, sent));
    t.match(reply, { status: 404, body: /There is nothing here\./ }, what);
    t.notMatch(reply?.body, /mutate|validate|warn|review/i, 'and nothing is said');
  }
  for (const path of [newest, before])
    t.match(repliesIn(await exchange(port, request('POST', `/${path}/validate?timeout=5s`, '{}')))[0], { status: 200 });
});

/** Each review waits until its turn in `waiting` is called. */
function heldReview(): { readonly review: Review; readonly waiting: (() => void)[] } {
  const waiting: (() => void)[] = [];
  const review: Review = async () => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return answerOf({});
  };
  return { review, waiting };
}
