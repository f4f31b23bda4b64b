/** The load that does not wait: it says how late answers are, whatever was in their way. */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import t, { type Test } from 'tap';
import { issueAuthority, issueServerCertificate } from '../../src/certificates/issue-certificate.ts';
import { type Load, type LoadReport, runLoad } from './load-client.ts';
import { quantile } from './observer.ts';
import { type Reply, replyReader } from './reply-reader.ts';

const request = Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}').toString('base64');

async function load(t: Test, listener: RequestListener, change: Partial<Load>): Promise<LoadReport> {
  const authority = issueAuthority(Date.now());
  const pair = issueServerCertificate(authority, ['127.0.0.1'], Date.now());
  const server = createServer({ cert: pair.certificate, key: pair.key }, listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return runLoad({
    ...{ host: '127.0.0.1', port: address.port, caBundle: authority.certificate, request },
    ...{ connections: 4, stages: [{ perSecond: 100, seconds: 1 }], whenTaken: 'wait', ...change },
  });
}

const ok: RequestListener = (message, response) => {
  message.resume().on('end', () => response.writeHead(200, { 'Content-Length': 2 }).end('{}'));
};

t.test('every review is sent, and answered', async (t) => {
  const report = await load(t, ok, {});
  t.match(report, { sent: 100, refused: [], broken: 0, dropped: [], unsent: 0 });
  t.equal(report.good.length, 100);
});

t.test('a pause of the server is felt by all that were due in it', async (t) => {
  let paused = false;
  const report = await load(
    t,
    (message, response) => {
      // Nobody is served for half a second, once.
      const wait = paused ? 0 : 500;
      if (!paused) {
        paused = true;
        const end = performance.now() + wait;
        while (performance.now() < end);
      }
      ok(message, response);
    },
    { stages: [{ perSecond: 100, seconds: 2 }], connections: 1 },
  );
  // The client is of the same process and stands still as well: what it could not send counts from when it was due.
  const slow = report.good.filter(([, took]) => took > 100);
  t.ok(slow.length >= 30, `${slow.length} of those that were due in the pause were late, not one alone`);
  t.equal(report.good.length, 200);
});

t.test('a load that does not wait drops what finds no connection', async (t) => {
  const slow: RequestListener = (message, response) => void setTimeout(() => ok(message, response), 200);
  const report = await load(t, slow, { connections: 2, whenTaken: 'drop' });
  t.ok(report.dropped.length > 50, `${report.dropped.length} were dropped`);
  t.equal(report.dropped.length + report.sent, 100);
  t.ok(
    quantile(
      report.good.map(([, took]) => took),
      1,
    ) < 1000,
    'and nobody waited for those before',
  );
});

t.test('refusals and broken connections are told apart', async (t) => {
  let count = 0;
  const report = await load(
    t,
    (message, response) => {
      count++;
      if (count === 10) message.socket.destroy();
      else if (count % 2 === 0) response.writeHead(503, { 'Retry-After': '1', 'Content-Length': 0 }).end();
      else if (count === 21) response.writeHead(200, { Connection: 'close', 'Content-Length': 0 }).end();
      else ok(message, response);
    },
    {},
  );
  t.equal(report.broken, 1, 'a close that was announced is none');
  t.ok(report.refused.length >= 40);
  t.ok(report.refused.every(({ status, retryAfter }) => status === 503 && retryAfter));
  t.equal(report.good.length + report.refused.length + report.broken, 100);
});

t.test('answers are told apart in whatever pieces they come', async (t) => {
  const bytes = Buffer.from(
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nConnection: close\r\ncontent-length: 0\r\n\r\n',
  );
  const expected = [
    { status: 200, retryAfter: false, close: false },
    { status: 503, retryAfter: true, close: true },
  ];
  for (const size of [1, 7, bytes.length]) {
    const replies: Reply[] = [];
    const read = replyReader((reply) => replies.push(reply));
    for (let index = 0; index < bytes.length; index += size) read(bytes.subarray(index, index + size));
    t.same(replies, expected, `${size} bytes at a time`);
  }
});
