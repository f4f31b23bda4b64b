/** Files that somebody wrote to stop the reader: a long text, or many parts, where an API server takes few. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';

const shared = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml'],
  ...['--tenants', 'manifests/overlays/example/tenants'],
];
const namespace = 'acme-web';
const long = 'x'.repeat(1024 * 1024);
const ofNamespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace, labels: { 'bulkhead.dev/tenant': 'acme' } },
};
const podOf = (labels: object, name = 'front') => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } },
  spec: { containers: [{ name: 'main', image: 'registry.example/front' }] },
});
const policyOf = (from: readonly object[], podSelector: object = {}, name = 'policy') => ({
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace } },
  spec: { podSelector, policyTypes: ['Ingress'], ingress: [{ from }] },
});
const calicoOf = (selector: string) => ({
  ...{ apiVersion: 'projectcalico.org/v3', kind: 'NetworkPolicy', metadata: { name: 'policy', namespace } },
  spec: { selector, types: ['Ingress'], ingress: [{ action: 'Allow', source: { selector } }] },
});
const many = <Item>(count: number, make: (index: number) => Item) => Array.from({ length: count }, (_, at) => make(at));

const cases: Readonly<Record<string, object>> = {
  'a value of a selector': policyOf([{ podSelector: { matchLabels: { app: long } } }]),
  'a value of the subject': policyOf([], { matchLabels: { app: long } }),
  'a key of a selector': policyOf([{ namespaceSelector: { matchLabels: { [long]: 'a' } } }]),
  'a list of values': policyOf([
    { podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: many(30_000, (at) => `v${at}`) }] } },
  ]),
  'a list of expressions': policyOf([
    {
      namespaceSelector: {
        matchExpressions: many(6_000, (at) => ({ key: `k${at}`, operator: 'NotIn', values: ['a'] })),
      },
    },
  ]),
  'a list of peers': policyOf(many(8_000, (at) => ({ podSelector: { matchLabels: { app: `v${at}` } } }))),
  'a list of ranges': policyOf(
    many(8_000, (at) => ({ ipBlock: { cidr: `${at >> 8}.${at & 255}.${(at * 7) & 255}.0/24` } })),
  ),
  'exceptions of a range': policyOf([
    { ipBlock: { cidr: '0.0.0.0/0', except: many(20_000, (at) => `${at >> 8}.${at & 255}.0.0/24`) } },
  ]),
  'a range': policyOf([{ ipBlock: { cidr: long } }]),
  'a name': policyOf([], {}, long),
  'a value in a selector of Calico': calicoOf(`app == '${long}'`),
  'tests in a selector of Calico': calicoOf(many(60_000, (at) => `app != 'v${at}'`).join(' && ')),
  'a label of a pod': podOf({ app: long }, 'other'),
  'the name of a pod': podOf({}, long),
};

async function run(args: readonly string[]) {
  const lines: string[] = [];
  try {
    const code = await runCommandLine([...args, ...shared], {
      print: (line) => void lines.push(line),
      environment: {},
      input: new Blob([]).stream(),
    });
    return { code, text: lines.join('\n') };
  } catch (error) {
    if (error instanceof CannotStart) return { code: error.code, text: `${lines.join('\n')}${error.message}` };
    throw error;
  }
}

/** No screen, log or comment on a change holds more. */
const most = 10_000;

for (const [says, object] of Object.entries(cases))
  t.test(`${says}: each command answers, and in few words`, async (t) => {
    const folder = t.testdir({});
    const [before, after] = [join(folder, 'before.json'), join(folder, 'after.json')];
    const list = (...items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await writeFile(before, list(ofNamespace, podOf({ app: 'front' })));
    await writeFile(after, list(ofNamespace, podOf({ app: 'front' }), object));
    for (const args of [
      ['lint', after],
      ['audit', '-f', after],
      ['explain', `${namespace}/front`, `${namespace}/front`, '-f', after],
      ['diff', before, after],
    ]) {
      const { code, text } = await run(args);
      t.ok(code === 0 || code === 1 || code === 2, `${args[0]} ends with ${code}`);
      t.ok(text.length < most, `${args.join(' ').slice(0, 30)}: ${text.length} characters`);
    }
  });

t.test('ranges of many policies: audit answers, and in few words', async (t) => {
  const policies = many(10, (policy) =>
    policyOf(
      many(1_000, (at) => ({ ipBlock: { cidr: `203.${at >> 7}.${(at * 2) & 255}.${policy}/32` } })),
      {},
      `policy-${policy}`,
    ),
  );
  const items = [ofNamespace, podOf({ app: 'front' }), ...policies];
  const file = join(t.testdir({ 'all.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) }), 'all.json');
  const { user } = process.cpuUsage();
  const { code, text } = await run(['audit', '-f', file]);
  const seconds = (process.cpuUsage().user - user) / 1e6;
  t.equal(code, 0, text.slice(0, 1000));
  t.ok(text.length < most, `${text.length} characters`);
  t.ok(seconds < 15, `${seconds} s of a processor: more than half a minute, if each range is compared with all`);
});
