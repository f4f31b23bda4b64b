import { Gauge, Registry } from 'prom-client';
import t from 'tap';
import { createHealthServer, createMetricsServer } from '../../src/server/health-server.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

t.test('liveness and readiness', async (t) => {
  const reasons: string[] = [];
  const notes: string[] = [];
  const server = createHealthServer({ unready: () => reasons, notes: () => notes }, anywhere);
  const { port } = await server.listen();
  t.teardown(() => server.close());
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return `${response.status} ${await response.text()}`;
  };
  t.equal(await ask('/livez'), '200 ok\n', 'alive');
  t.equal(await ask('/readyz'), '200 ok\n', 'ready when nothing speaks against it');
  t.equal(await ask('/readyz?verbose'), '200 [+]ready ok\nreadyz check passed\n');
  notes.push('settings are not in force');
  t.equal(await ask('/readyz'), '200 ok\n', 'a note does not keep requests away');
  t.equal(
    await ask('/readyz?verbose'),
    '200 [+]ready ok\n[!]settings are not in force\nreadyz check passed\n',
    'nor does it when it is told',
  );
  reasons.push('The namespaces are not known yet.', 'It is going away.');
  t.equal(
    await ask('/readyz'),
    '503 The namespaces are not known yet.\nIt is going away.\n',
    'not ready: every reason on a line',
  );
  t.equal(
    await ask('/readyz?verbose'),
    '503 [-]ready failed: The namespaces are not known yet.\n[-]ready failed: It is going away.\n' +
      '[!]settings are not in force\nreadyz check failed\n',
  );
  t.equal(await ask('/livez'), '200 ok\n', 'still alive: it must not be restarted');
  t.equal(await ask('/livez', 'HEAD'), '200 ', 'HEAD is GET without a body');
  t.equal(await ask('/livez', 'POST'), '405 /livez takes GET.\n');
  t.equal(await ask('/'), '404 There is nothing here but /livez and /readyz.\n');
});

t.test('metrics', async (t) => {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'answer', help: 'The answer.', registers: [registry] });
  gauge.set(42);
  const server = createMetricsServer(registry, anywhere);
  const { port } = await server.listen();
  t.teardown(() => server.close());
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(await response.text(), '# HELP answer The answer.\n# TYPE answer gauge\nanswer 42\n');

  new Gauge({
    name: 'broken',
    help: 'A defect.',
    registers: [registry],
    collect() {
      throw new Error('secret of the inside');
    },
  });
  const broken = await fetch(`http://127.0.0.1:${port}/metrics`);
  t.equal(
    `${broken.status} ${await broken.text()}`,
    '500 This page could not be made.\n',
    'a page that fails shows nothing of the inside',
  );

  const same = createMetricsServer(registry, { ...anywhere, port });
  await t.rejects(same.listen(), { code: 'EADDRINUSE' }, 'a port that is taken is an error');
});
