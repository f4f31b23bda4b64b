/** `bulkhead replay`: flows of each format in, what would be dropped and what is unused out; hostile lines; memory. */
import t from 'tap';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { flowLines } from '../../src/commands/flow-stream.ts';
import type { ReplayReport } from '../../src/report/replay-report.ts';

const configuration = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml'],
  ...['--tenants', 'manifests/overlays/example/tenants'],
];
const policies = ['-f', 'docs/examples/diff/new'];

async function replay(args: readonly string[], input: AsyncIterable<Uint8Array> | string = '') {
  const lines: string[] = [];
  const surroundings = {
    print: (line: string) => void lines.push(...line.split('\n')),
    environment: {},
    input: typeof input === 'string' ? new Blob([input]).stream() : input,
  };
  try {
    return { code: await runCommandLine(['replay', ...configuration, ...args], surroundings), lines, error: '' };
  } catch (error) {
    if (error instanceof CannotStart) return { code: error.code, lines, error: error.message };
    throw error;
  }
}

async function reportOf(
  args: readonly string[],
  input: AsyncIterable<Uint8Array> | string = '',
): Promise<ReplayReport> {
  const { lines, error } = await replay([...args, '-o', 'json'], input);
  if (error !== '') throw new Error(error);
  return JSON.parse(lines.join('\n'));
}

const header = 'source_namespace,source,destination_namespace,destination,destination_ip,port,protocol,verdict\n';

t.test('the formats say the same of the same flows', async (t) => {
  const of = (name: string) => reportOf([...policies, `docs/examples/flows/${name}`]);
  const hubble = await of('hubble.jsonl');
  t.match(hubble, { flows: 5, other: 2, unknown: { flows: 1, ends: ['beta-data/report'] }, broken: { lines: 0 } });
  t.match(hubble.dropped, [
    {
      ...{ from: 'acme-web/Deployment/web', to: '198.51.100.7', port: '80/TCP', flows: 1 },
      because: 'egress: NetworkPolicy acme-web/web-to-the-internet isolates the pods, and no rule allows it',
    },
  ]);
  t.same(hubble.unused, []);
  for (const name of ['calico.jsonl', 'flows.csv']) {
    const report = await of(name);
    t.match(report, { flows: 3, dropped: [], unused: [], unknown: { flows: 1 } }, name);
  }
});

t.test('it ends with 1 when something would be dropped, with 2 when nothing can be read', async (t) => {
  const flow = (port: number) => `${header}acme-web,web,,,203.0.112.10,${port},TCP,allowed\n`;
  t.equal((await replay([...policies, '-'], flow(443))).code, 0);
  t.equal((await replay([...policies, '-'], flow(444))).code, 1);
  t.match(await replay([...policies, '-'], ''), { code: 2, error: /no flow could be read: there is none/ });
  t.match(await replay([...policies, '-'], 'a,b\n'), { code: 2, error: /<stdin>:1: the line is neither/ });
  t.match(await replay([...policies, 'no-such-file']), { code: 2, error: /no-such-file/ });
  await t.rejects(replay(policies), { message: /give files of flows/ });
  await t.rejects(replay(['-f', '-', '-']), { message: /either flows or objects/ });
});

t.test('what cannot be read is never a clean answer', async (t) => {
  const good = `${header}acme-web,web,,,203.0.112.10,443,TCP,allowed\n`;
  const folder = t.testdir({
    'good.csv': good,
    'odd.txt': 'one two three\nfour five six\n',
    'other.json': '{"a":1}\n{"b":2}\n',
    'torn.csv': `tail-of-a-line,443,TCP\n${good}`,
    'torn.jsonl':
      '"destination":{"namespace":"acme-data"}}\n' +
      '{"verdict":"FORWARDED","l4":{"TCP":{"destination_port":5432}},"source":{"namespace":"acme-web","pod_name":"web-5d4f8c7b9-x7k2p"},"destination":{"namespace":"acme-data","pod_name":"orders-0"}}\n',
    'empty.csv': '',
  });
  const of = async (...names: readonly string[]) =>
    await replay([...policies, ...names.map((name) => `${folder}/${name}`)]);
  t.match(await of('good.csv', 'empty.csv'), { code: 0 });
  const odd = await of('good.csv', 'odd.txt');
  t.equal(odd.code, 2);
  t.match(odd.lines.join('\n'), /Not read: \S*odd\.txt: has no known format; write flows with hubble observe -o json/);
  t.match(odd.lines.join('\n'), /The answer is not complete/);
  t.equal((await of('good.csv', 'other.json')).code, 2, 'JSON that is no flow');
  for (const name of ['torn.csv', 'torn.jsonl']) {
    const report = await reportOf([...policies, `${folder}/${name}`]);
    t.match(
      report,
      { flows: 1, broken: { lines: 1 }, unreadFiles: [], isComplete: true },
      `${name} loses one line alone`,
    );
  }
});

t.test('a policy about the flows that is not understood makes the answer incomplete', async (t) => {
  const policy = (name: string, app: string) =>
    JSON.stringify({
      ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name, namespace: 'acme-web' } },
      spec: { endpointSelector: { matchLabels: { app } }, egressDeny: [{ toGroups: [{ aws: {} }] }] },
    });
  const folder = t.testdir({ 'web.json': policy('about-web', 'web'), 'other.json': policy('about-others', 'other') });
  const flow = `${header}acme-web,web,,,203.0.112.10,443,TCP,allowed\n`;
  const found = await replay([...policies, '-f', `${folder}/web.json`, '-'], flow);
  t.equal(found.code, 2);
  t.match(found.lines.join('\n'), /Not understood: CiliumNetworkPolicy acme-web\/about-web spec\.egressDeny\[0\]/);
  t.equal((await replay([...policies, '-f', `${folder}/other.json`, '-'], flow)).code, 0, 'about no pod of the flows');
});

t.test('a rule that no flow uses is named, and so are ports of one', async (t) => {
  const folder = t.testdir({
    'a.yaml': `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: acme-web, labels: { app: web } }
spec: {}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: out, namespace: acme-web }
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
  - to: [{ ipBlock: { cidr: 203.0.113.0/24 } }]
    ports: [{ port: 443 }, { port: 8000, endPort: 8010 }, { port: 9090 }]
  - to: [{ ipBlock: { cidr: 198.51.100.0/24 } }]
`,
  });
  const lines = [443, 8004, 8005, 8006].map((port) => `acme-web,web,,,203.0.113.7,${port},TCP,allowed`);
  const { unused } = await reportOf(['-f', folder, '-'], header + lines.join('\n'));
  t.match(unused, [
    { policy: 'NetworkPolicy acme-web/out', path: 'spec.egress[0].to[0].ipBlock', ports: ['9090/TCP'], isWhole: false },
    { policy: 'NetworkPolicy acme-web/out', path: 'spec.egress[1].to[0].ipBlock', isWhole: true },
  ]);
  t.equal(unused.length, 2);
  const denied = await reportOf(['-f', folder, '-'], `${header}acme-web,web,,,203.0.113.7,443,TCP,denied\n`);
  t.match(denied, { dropped: [], opened: [{ to: '203.0.113.7', port: '443/TCP' }] });
  t.equal(denied.unused.filter(({ isWhole }) => isWhole).length, 2, 'what was dropped has used nothing');
});

t.test('broken and hostile lines are counted with their numbers, and the others are read', async (t) => {
  const good =
    '{"verdict":"FORWARDED","l4":{"TCP":{"destination_port":5432}},"source":{"namespace":"acme-web","pod_name":"web-5d4f8c7b9-x7k2p"},"destination":{"namespace":"acme-data","pod_name":"orders-0"}}';
  const hostile = [
    good,
    '{"verdict":',
    '[]',
    'null',
    '{"a":1}',
    '{"verdict":"FORWARDED","l4":{"TCP":{"destination_port":"5432"}}}',
    '{"verdict":"FORWARDED","l4":{"TCP":{"destination_port":70000}}}',
    '{"verdict":"FORWARDED","l4":{"TCP":[]},"source":[],"destination":null}',
    '{"verdict":"FORWARDED","l4":{"TCP":{"destination_port":1}},"source":{"labels":{"a":1},"workloads":"x"},"destination":{"namespace":7}}',
    `{"verdict":"FORWARDED","l4":{"TCP":{"destination_port":1}},"source":{"namespace":"__proto__","pod_name":"constructor\\u001b[31m"},"destination":{"namespace":"toString"}}`,
    '{"action":"allow","reporter":"src","proto":6,"dest_port":5432,"source_labels":[null],"dest_labels":7}',
    `${'['.repeat(200_000)}`,
    `{"a":"${'x'.repeat(1 << 20)}"}`,
    '{"lost_events":{"source":"PERF_EVENT_RING_BUFFER","num_events_lost":"3"}}',
    `${good}\r`,
    '',
    good,
  ];
  const report = await reportOf([...policies, '-'], hostile.join('\n'));
  t.match(report, { flows: 6, other: 2, unknown: { flows: 3 }, broken: { lines: 8 } });
  t.same(
    report.broken.examples.map(({ line }) => line),
    [2, 3, 4, 5, 6, 7, 12, 13],
  );
  const { lines } = await replay([...policies, '-'], hostile.join('\n'));
  t.notMatch(lines.join('\n'), /[\p{Cc}]\[/u);
});

t.test('lines end at line feeds alone, wherever chunks end', async (t) => {
  const text = 'a\u2028b\r\n\u00e9\u00e9\n\nlast';
  for (const size of [1, 2, 3, 100]) {
    const bytes = Buffer.from(text);
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const read: unknown[] = [];
    for await (const { number, text } of flowLines(chunks())) read.push([number, text]);
    t.same(
      read,
      [
        [1, 'a\u2028b'],
        [2, '\u00e9\u00e9'],
        [3, ''],
        [4, 'last'],
      ],
      `${size}`,
    );
  }
});

t.test('memory does not follow the number of flows', async (t) => {
  const chunks = async function* () {
    yield Buffer.from(header);
    // 300,000 flows to as many addresses and ports.
    for (let chunk = 0; chunk < 300; chunk++) {
      const lines = Array.from({ length: 1000 }, (_, at) => {
        const address = `198.${chunk % 250}.${at % 250}.${(chunk * 7 + at) % 250}`;
        return `acme-web,web,,,${address},${((chunk * 1000 + at) % 60_000) + 1},TCP,allowed\n`;
      });
      yield Buffer.from(lines.join(''));
    }
  };
  const report = await reportOf([...policies, '-'], chunks());
  t.equal(report.flows, 300_000);
  t.equal(report.dropped.length, 10_000);
  t.ok(report.beyond > 200_000);
});

t.test('names in CSV are NAMESPACE/NAME where no column has the namespace', async (t) => {
  const flow = 'source,destination_ip,port,protocol\nacme-web/web,203.0.112.10,443,TCP\n';
  t.match(await reportOf([...policies, '-'], flow), { flows: 1, dropped: [], unknown: { flows: 0 } });
});

t.test('a workload that is not known is no other one with a shorter name', async (t) => {
  const workload = (kind: string, name: string, app = name) => ({
    ...{ apiVersion: 'apps/v1', kind, metadata: { namespace: 'acme-web', name } },
    spec: { template: { metadata: { labels: { app } }, spec: { containers: [] } } },
  });
  const items = [
    workload('Deployment', 'web'),
    workload('StatefulSet', 'db'),
    workload('DaemonSet', 'agent'),
    workload('Rollout', 'shop'),
    workload('Deployment', 'twin', 'web-twin'),
  ].map((one) => (one.kind === 'Rollout' ? { ...one, apiVersion: 'argoproj.io/v1alpha1' } : one));
  const folder = t.testdir({ 'all.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const flow = (pod_name: string, workloads: readonly string[] = [], app?: string) =>
    JSON.stringify({
      ...{ verdict: 'FORWARDED', l4: { TCP: { destination_port: 444 } }, IP: { destination: '203.0.112.10' } },
      source: {
        ...{ namespace: 'acme-web', pod_name, workloads: workloads.map((name) => ({ name })) },
        labels: app === undefined ? [] : [`k8s:app=${app}`],
      },
      destination: { labels: ['reserved:world'] },
    });
  const fromOf = async (line: string) => {
    const { dropped, unknown } = await reportOf(['-f', folder, '-'], line);
    return unknown.flows > 0 ? undefined : dropped[0]?.from;
  };
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['a pod of a Deployment', flow('web-5d4f8c7b9-x7k2p'), 'acme-web/Deployment/web'],
    ['one of a StatefulSet', flow('db-0'), 'acme-web/StatefulSet/db'],
    ['one of a DaemonSet', flow('agent-x7k2p'), 'acme-web/DaemonSet/agent'],
    ['one of a kind that is not known', flow('shop-5d4f8c7b9-x7k2p'), 'acme-web/Rollout/shop'],
    ['a StatefulSet that is not known', flow('web-admin-0', ['web-admin'], 'admin'), undefined],
    ['one by the name of its pod', flow('web-admin-0'), undefined],
    ['a DaemonSet that is not known', flow('web-logs-x7k2p'), undefined],
    ['a pod without a controller', flow('web-debug'), undefined],
    ['a pod of a StatefulSet with the name of a Deployment', flow('web-0'), undefined],
    ['a workload that is not known, with pods of one that is', flow('web-5d4f8c7b9-x7k2p', ['other']), undefined],
    ['labels go before the name', flow('web-5d4f8c7b9-x7k2p', [], 'web-twin'), 'acme-web/Deployment/twin'],
  ];
  for (const [says, line, expected] of cases) t.equal(await fromOf(line), expected, says);
});
