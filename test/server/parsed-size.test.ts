/** What bodies become in memory is bounded before they are parsed (SRV-17). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { mostPerByte, parsedSize } from '../../src/server/parsed-size.ts';
import { webhookLimits } from '../../src/server/webhook-limits.ts';
import { imageFlags } from '../soak/image-flags.ts';
import { everything, open, repliesIn, request } from './serving.ts';

const mebibyte = 1024 * 1024;

/** A list of about so many bytes. */
function list(bytes: number, item: (index: number) => string): string {
  const items: string[] = [];
  for (let length = 0; length < bytes; length += (items.at(-1)?.length ?? 0) + 1) items.push(item(items.length));
  return `[${items.join(',')}]`;
}

const key = (index: number): string => index.toString(36);

function numbers(count: number, highest: number): string {
  return Array.from({ length: count }, (_, index) => `"${highest - index}":0`).join(',');
}

const shapes: readonly [what: string, json: (bytes: number) => string][] = [
  ['empty objects', (bytes) => list(bytes, () => '{}')],
  ['empty lists', (bytes) => list(bytes, () => '[]')],
  ['objects in lists', (bytes) => list(bytes, () => '[{}]')],
  ['objects with the same key', (bytes) => list(bytes, () => '{"a":0}')],
  ['objects with keys of their own', (bytes) => list(bytes, (index) => `{"${key(index)}":0}`)],
  ['objects with a number as key', (bytes) => list(bytes, () => '{"99":0}')],
  ['objects with a large number as key', (bytes) => list(bytes, () => '{"999":{}}')],
  ['objects with the worst number as key', (bytes) => list(bytes, () => '{"31":0}')],
  ['that number escaped', (bytes) => list(bytes, () => '{"\\u00331":0}')],
  ['objects with it and another key', (bytes) => list(bytes, (index) => `{"${key(index)}":0,"31":0}`)],
  ['objects with it in objects with it', (bytes) => `${'{"31":'.repeat(bytes / 7)}0`],
  ['objects with eleven numbers as keys', (bytes) => list(bytes, () => `{${numbers(11, 200)}}`)],
  ['objects with 22 numbers as keys', (bytes) => list(bytes, () => `{${numbers(22, 400)}}`)],
  ['one object with many keys', (bytes) => `{${list(bytes, (index) => `"${key(index)}":{}`).slice(1, -1)}}`],
  ['lists in lists', (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2)],
  [
    'objects in objects, with keys of their own',
    (bytes) =>
      list(bytes, (index) => `{"${key(index)}":`)
        .slice(1, -1)
        .replaceAll(',', '')
        .concat('0'),
  ],
  ['short strings', (bytes) => list(bytes, (index) => `"${key(index)}"`)],
  ['strings beyond Latin-1', (bytes) => list(bytes, (index) => `"\u0416${key(index)}"`)],
  ['numbers and others', (bytes) => list(bytes, (index) => (index === 0 ? '""' : '0.5'))],
  ['one text', (bytes) => `["\u0416${'x'.repeat(bytes)}"]`],
  ['one text of escapes', (bytes) => `["\u0416${'\\u003c'.repeat(bytes / 6)}"]`],
  ['one text of quotes', (bytes) => `["${'\\"'.repeat(bytes / 2)}"]`],
];

/** Completes what was left open. */
function closed(json: string): string {
  return json.endsWith('0') ? json + '}'.repeat(json.split('{').length - 1) : json;
}

t.test('a body takes no more than it is counted as', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  let kept: unknown;
  const taken = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const sizeOf = (body: Buffer): number => {
    kept = undefined;
    const before = taken();
    kept = JSON.parse(body.toString());
    return taken() - before;
  };
  for (const [what, json] of shapes) {
    const body = Buffer.from(closed(json(mebibyte)));
    const size = sizeOf(body);
    t.ok(size <= parsedSize(body) + 100_000, `${what}: ${size} bytes counted as ${parsedSize(body)}`);
    t.ok(size <= body.length * (mostPerByte - 1), `${what}: ${(size / body.length).toFixed(1)} for each`);
    t.ok(kept);
  }
});

t.test('text is counted as text, and structure by what it begins', async (t) => {
  const cases: [json: string, size: number][] = [
    ['{}', 128],
    ['[[],{}]', 64 + 64 + 40 + 128],
    ['{"31":"a1"}', 128 + 160 + 80 + 4 * 2],
    ['{"a":"{[:,"}', 128 + 80 + 2 + 4 * 2],
    ['"<\\u003c\\n\\"\\\\"', 5 * 2],
    ['"a\\\\","', 4 + 40],
    ['"\\u0031"', 160 + 2],
    ['123', 0],
    ['', 0],
    ['"a\\', 4],
  ];
  for (const [json, size] of cases) t.equal(parsedSize(Buffer.from(json)), size, json);
});

t.test('the greatest legal reviews fit several times or once', async (t) => {
  const ports = Array.from({ length: 100_000 }, () => ({ protocol: 'TCP', port: 80 }));
  const policies = Buffer.from(JSON.stringify({ object: ports, oldObject: ports }));
  t.ok(policies.length + parsedSize(policies) <= webhookLimits.heldBytes);
  const text = `"${'\\u003c'.repeat(1.4 * mebibyte)}"`;
  const pods = Buffer.from(`{"object":${text},"oldObject":${text}}`);
  t.ok(5 * (pods.length + parsedSize(pods)) <= webhookLimits.heldBytes);
});

t.test('no crowd of large bodies ends a process with the memory of the image', { timeout: 60_000 }, async (t) => {
  const program = join(import.meta.dirname, 'full-server.ts');
  const server = spawn(process.execPath, ['--max-old-space-size=256', ...(await imageFlags()), program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => server.kill());
  const exit = once(server, 'exit');
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const ask = async (body: string): Promise<number | undefined> => {
    const socket = await open(port, { rejectUnauthorized: false });
    const answer = everything(socket);
    socket.write(request('POST', '/validate', body));
    return repliesIn(await answer).at(-1)?.status;
  };
  const large = 18.9 * mebibyte;
  const bodies = [
    ...[list(large, () => '{}'), '['.repeat(large), `["\u0416${'\\n'.repeat(large / 2)}"]`, list(large, key)],
    ...Array.from({ length: 4 }, () => `["\u0416${'\\n'.repeat(large / 2 - 10)}"]`),
    ...Array.from({ length: 6 }, () => list(2 * mebibyte, () => '{"31":0}')),
    ...Array.from({ length: 12 }, () => list(0.9 * mebibyte, () => '{"31":0}')),
    ...Array.from({ length: 60 }, () => '['.repeat(100_000) + ']'.repeat(100_000)),
  ];
  const statuses = await Promise.all(bodies.map(ask));
  t.ok(statuses.includes(200), 'some fit');
  t.ok(statuses.includes(503), 'others may come again');
  t.strictSame(
    [...new Set(statuses)].filter((status) => status !== 200 && status !== 413 && status !== 503),
    [],
  );
  t.equal(await ask(bodies[0] ?? ''), 413, 'the densest never fits');
  t.equal(await ask('{}'), 200, 'who asks then has an answer');
  server.stdin.end();
  const most = Number((await lines.next()).value);
  t.comment(`at most ${most} MiB were resident`);
  t.ok(most < 512, 'which is what the container may have');
  t.strictSame(await exit, [0, null]);
});
