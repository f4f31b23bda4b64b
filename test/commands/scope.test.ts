/** -n, -A and -l: what lint, audit, diff and replay report about. Everything is read whatever they say. */

import t from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';

const configuration = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml'],
  ...['--tenants', 'docs/examples/audit/tenants.yaml'],
];

async function run(args: readonly string[], input = '') {
  const lines: string[] = [];
  const code = await runCommandLine([...args, ...configuration], {
    print: (line) => void lines.push(line),
    environment: {},
    input: new Blob([input]).stream(),
  });
  const text = lines.join('\n');
  return { code, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}

const cluster = 'docs/examples/audit/cluster.yaml';
const audit = (...args: readonly string[]) => run(['audit', '-f', cluster, '-o', 'json', ...args]);

t.test('audit -n reports about one namespace, by the policies of all', async (t) => {
  const all = await audit();
  const { code, json } = await audit('-n', 'delta-net');
  t.equal(code, 1);
  t.strictSame(json.scope, { namespace: 'delta-net' });
  const { connectivity } = json;
  t.strictSame(
    connectivity.crossings.map(({ from, to, violation }: Record<string, string>) => `${from} ${to} ${violation}`),
    all.json.connectivity.crossings
      .filter(({ from, to }: Record<string, string>) => [from, to].includes('delta'))
      .map(({ from, to, violation }: Record<string, string>) => `${from} ${to} ${violation}`),
    'both directions, with the ports that the pods of others open too',
  );
  t.strictSame(
    connectivity.namespaces.map(({ name }: { name: string }) => name),
    ['delta-net'],
  );
  t.strictSame([...new Set(connectivity.outside.map(({ tenant }: { tenant: string }) => tenant))], ['delta']);
  t.strictSame(
    connectivity.tenants,
    all.json.connectivity.tenants.filter(({ name }: { name: string }) => name === 'delta'),
    'a tenant is shown as a whole',
  );
  t.strictSame(json.rejected, [], 'what would be rejected is elsewhere');
  t.match((await audit('-n', 'epsilon-web')).json.rejected, [{ check: 'host-network', tenant: 'epsilon', count: 1 }]);
  const table = await run(['audit', '-f', cluster, '-n', 'delta-net']);
  t.match(
    table.text,
    /^Scope: namespace delta-net\. Everything was read; what was found elsewhere is left out\.\n\nNothing of the files/,
  );
  t.notMatch(table.text, 'epsilon-web  ');
});

t.test('only what is in the scope decides how audit ends, and -A wins over -n', async (t) => {
  t.equal((await audit('-n', 'acme-web')).code, 0, 'its only crossing is granted');
  const both = await audit('-n', 'acme-web', '-A');
  const all = await audit();
  t.strictSame([both.code, both.json], [1, all.json]);
  t.equal((await audit('-A')).code, 1);
});

t.test('audit -l reports about pods, policies and other objects with these labels', async (t) => {
  const { json } = await audit('-l', 'app in (shop)');
  t.strictSame(json.scope, { selector: 'app in (shop)' });
  t.strictSame(
    json.connectivity.namespaces.map(({ name, pods }: Record<string, unknown>) => `${name} ${pods}`),
    ['acme-web 2'],
  );
  t.strictSame(json.connectivity.selectNothing, [], 'the policy that selects nothing has no labels');
  t.strictSame((await audit('-l', '!app')).json.connectivity.selectNothing, ['NetworkPolicy acme-web/old']);
  const agent = `apiVersion: v1
kind: Pod
metadata: { name: agent, namespace: acme-web, labels: { app: agent } }
spec: { hostPID: true, containers: [] }
---
apiVersion: v1
kind: Pod
metadata: { name: other, namespace: acme-web }
spec: { hostPID: true, containers: [] }
`;
  const names = async (selector: string) =>
    (await run(['audit', '-f', '-', '-l', selector, '-o', 'json'], agent)).json.rejected.map(
      (one: { names: string[] }) => one.names,
    );
  t.strictSame(await names('app=agent'), [['Pod acme-web/agent']]);
  t.strictSame(await names('!app'), [['Pod acme-web/other']]);
});

t.test('a scope with nothing in it is an error, and not a good answer', async (t) => {
  const of = (...args: readonly string[]) => run(['audit', '-f', cluster, ...args]);
  await t.rejects(of('-n', 'acme-wbe'), { code: 2, message: /^there is no namespace acme-wbe in what was read: / });
  await t.rejects(of('-n', 'acme-web', '-l', 'app=agent'), {
    ...{ code: 2, message: /^nothing in namespace acme-web has labels that app=agent selects: correct -l$/ },
  });
  await t.rejects(of('-l', 'app=none'), { code: 2, message: /^nothing that was read has labels that app=none/ });
  await t.rejects(of('-l', 'app in'), {
    ...{ name: 'Error', command: 'audit', message: /^--selector is no label selector: "in" is followed by \(/ },
  });
  await t.rejects(of('-n', ''), { command: 'audit', message: /^--namespace needs a NAME/ });
  t.equal((await of('-n', 'kube-system', '-l', '')).code, 1, 'an empty selector is everything, as for kubectl');
});

const changed = ['docs/examples/diff/old', 'docs/examples/diff/new', '-o', 'json'];
const endsOf = ({ changes }: { changes: { from: { members: string[] }; to: { members: string[] } }[] }) =>
  changes.map(({ from, to }) => `${from.members} > ${to.members}`);

t.test('diff reports about connections with an end in the scope, or because of a policy there', async (t) => {
  const web = await run(['diff', ...changed, '-n', 'acme-web']);
  t.equal(web.code, 1);
  t.strictSame(endsOf(web.json), ['acme-web/Deployment/web > 203.0.112.0/24']);
  t.strictSame(web.json.scope, { namespace: 'acme-web' });
  const data = await run(['diff', ...changed, '-l', 'app=orders']);
  t.strictSame(endsOf(data.json), [
    'any pod in a namespace of a tenant other than acme > acme-data/StatefulSet/orders',
  ]);
  const policy = (namespace: string, port: number, metadata = '') => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: in, namespace: ${namespace}${metadata} }
spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ podSelector: {} }], ports: [{ port: ${port} }] }] }
---`;
  const pod = (namespace: string, name: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${name} } }
spec: { containers: [] }
---`;
  const pods = ['acme-a', 'acme-b'].flatMap((space) => [pod(space, 'one'), pod(space, 'two')]).join('');
  const folder = t.testdir({
    'old.yaml': pods + policy('acme-a', 1) + policy('acme-b', 1),
    'new.yaml': pods + policy('acme-a', 2, ', labels: { owner: ops }') + policy('acme-b', 2),
  });
  const inside = (...args: readonly string[]) =>
    run(['diff', `${folder}/old.yaml`, `${folder}/new.yaml`, '--no-baseline', '-o', 'json', ...args]);
  const members = ({ json }: Awaited<ReturnType<typeof inside>>) => [
    ...new Set(json.changes.flatMap(({ to }: { to: { members: string[] } }) => to.members)),
  ];
  t.ok(members(await inside()).some((one) => String(one).startsWith('acme-b/')));
  const own = await inside('-n', 'acme-a');
  t.strictSame(
    members(own).filter((one) => !/^(acme-a\/|any |a )/.test(String(one))),
    [],
    'those elsewhere are not named, although they change alike',
  );
  t.strictSame(await inside('-n', 'acme-a', '-A'), await inside());
  t.ok((await inside('-l', 'owner=ops')).json.changes.length > 0, 'by the labels of the policy that is the cause');
  t.equal((await inside('-n', 'acme-a', '-l', 'app=one')).code, 0);
});

t.test('replay reports about flows with an end in the scope, and rules of policies there', async (t) => {
  const args = ['replay', '-f', 'docs/examples/diff/new', '-o', 'json', 'docs/examples/flows/hubble.jsonl'];
  const all = await run(args);
  t.equal(all.code, 1);
  const web = await run([...args, '-n', 'acme-web']);
  t.match(web, { code: 1, json: { dropped: all.json.dropped, scope: { namespace: 'acme-web' }, flows: 5 } });
  t.equal(web.json.unknown.flows, 0, 'the unknown end is elsewhere');
  const data = await run([...args, '-n', 'acme-data']);
  t.match(data, { code: 0, json: { dropped: [], flows: 5 } });
  t.notMatch((await run([...args.slice(0, 3), '-n', 'acme-data', args[5] ?? ''])).text, 'acme-web/Deployment');
  t.match(await run([...args, '-l', 'app=web']), { code: 1, json: { dropped: all.json.dropped } });
  const none = 'source_namespace,source,destination_ip,port\nacme-web,web,203.0.112.10,443\n';
  const unused = async (...more: readonly string[]) =>
    (await run(['replay', '-', ...args.slice(1, 5), ...more], none)).json.unused.map(
      ({ policy }: { policy: string }) => policy,
    );
  t.strictSame(await unused(), ['NetworkPolicy acme-data/orders']);
  t.strictSame(await unused('-n', 'acme-web'), []);
});

const open = (namespace: string, labels = '') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: open${namespace === '' ? '' : `, namespace: ${namespace}`}${labels} }
spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] }
---
`;

t.test('lint reports about objects in the scope, and judges them by all', async (t) => {
  const lint = (input: string, ...args: readonly string[]) => run(['lint', '-', '-o', 'json', ...args], input);
  const objects = ({ json }: Awaited<ReturnType<typeof lint>>) =>
    json.findings
      .filter(({ severity }: { severity: string }) => severity === 'error')
      .map(({ object }: { object: string }) => object);
  const both = open('acme-web', ', labels: { app: web }') + open('beta-db') + open('');
  t.strictSame(objects(await lint(both)), [
    ...['NetworkPolicy acme-web/open', 'NetworkPolicy beta-db/open', 'NetworkPolicy open'],
  ]);
  const web = await lint(both, '-n', 'acme-web');
  t.strictSame(objects(web), ['NetworkPolicy acme-web/open', 'NetworkPolicy acme-web/open']);
  t.match(web.json, { objects: 2, scope: { namespace: 'acme-web' }, assumedNamespaces: ['acme-web'] });
  t.strictSame(objects(await lint(both, '-n', 'acme-web', '-A')).sort(), [
    ...['NetworkPolicy acme-web/open', 'NetworkPolicy acme-web/open', 'NetworkPolicy beta-db/open'],
  ]);
  t.strictSame(objects(await lint(both, '-l', 'app=web')), ['NetworkPolicy acme-web/open']);
  const fine = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: acme-web }\n---\n';
  t.equal((await lint(fine + open('beta-db'), '-n', 'acme-web')).code, 0, 'what is elsewhere decides nothing');
  t.equal((await lint(fine + open('beta-db'), '-n', 'beta-db')).code, 1);

  const label =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: anything, labels: { bulkhead.dev/tenant: acme } }\n---\n';
  const known = await lint(label + open('anything', ', labels: { app: web }'), '-l', 'app=web');
  t.match(known.json.findings, [{ check: 'cross-tenant-ingress' }], 'a Namespace out of the scope says whose it is');
  const everywhere =
    'apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: { name: all }\nspec: {}\n';
  t.strictSame(
    objects(await lint(fine + everywhere, '-n', 'acme-web')),
    ['CiliumClusterwideNetworkPolicy all'],
    'kubectl would apply what is in no namespace',
  );
  await t.rejects(lint(`${fine}\na: [`, '-n', 'acme-web'), {
    ...{ code: 2, message: /^there is no namespace acme-web in what was read: .*\n<stdin>:/ },
  });
  const folder = t.testdir({ 'broken.yaml': 'a: [', 'fine.yaml': fine });
  const partly = await run(['lint', folder, '-n', 'acme-web', '-o', 'json']);
  t.match(
    partly,
    { code: 1, json: { findings: [{ check: 'unreadable' }] } },
    'a file that is not read may be about it',
  );
  await t.rejects(lint(open('beta-db'), '-n', 'gamma-x'), { code: 2, message: /^there is no namespace gamma-x/ });
  await t.rejects(lint(both, '-l', 'app=none'), { code: 2, message: /^nothing that was read has labels/ });
  t.match((await run(['lint', '-', '-l', 'app=web'], both)).text, /^Scope: labels app=web\. Everything was read;/);
});

t.test('the baseline of lint knows findings out of the scope, too', async (t) => {
  const baseline = `${t.testdir({})}/baseline.json`;
  const both = open('acme-web') + open('beta-db');
  await run(['lint', '-', '--write-baseline', baseline], both);
  const { code, text } = await run(['lint', '-', '--baseline', baseline, '-n', 'acme-web'], both);
  t.equal(code, 0);
  t.match(text, /^Baseline: 1 known, 0 gone\.$/m);
});
