/** Go reads what is stored of a NetworkSet: no admitted set has a label by which its addresses are taken for pods of another namespace. */
import fc from 'fast-check';
import t from 'tap';
import { calicoGroups } from '../../src/kinds/calico-groups.ts';
import { calicoNetworkSet } from '../../src/kinds/calico-network-set/calico-network-set.ts';
import type { Policy } from '../../src/kubernetes/objects.ts';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { type Judge, startSelectorJudge } from './engine.ts';

const kind = calicoNetworkSet(calicoGroups[1]);
const stored = 'projectcalico.org/metadata';
const namespace = 'acme-web';
const namespaceLabels = { 'bulkhead.dev/tenant': 'acme', env: 'x' };

interface Metadata {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Asked {
  readonly sets: readonly { readonly metadata: Metadata; readonly namespaceLabels: object }[];
}
/** Null: Calico leaves the set out. */
type Told = readonly (Readonly<Record<string, string>> | null)[];

const keys = ['app', 'env', 'pcns.bulkhead.dev/tenant', 'pcns.env', 'pcsa.team', 'projectcalico.org/namespace', 'pcn'];
const labels = fc.dictionary(fc.constantFrom(...keys), fc.constantFrom('acme', 'beta', 'x'), { maxKeys: 3 });
/** A member of the stored metadata, as text: a key can be written in many ways, and twice. */
const key = fc.constantFrom(
  ...['labels', 'labels', 'labels', 'Labels', 'LABELS', 'label\u017f', 'l\\u0061bels', '\\u004cabels'],
  ...['annotations', 'label', 'labels ', 'ownerReferences', '__proto__'],
);
const value = fc.oneof(
  { weight: 4, arbitrary: labels.map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: labels.map((one) => JSON.stringify(one).replace('pcns', '\\u0070cns')) },
  { weight: 1, arbitrary: fc.constantFrom('null', '[]', '7', '{"a":1}', '{"a":"\\":\\""}', '{}', '"labels"') },
);
const text = fc.oneof(
  { weight: 6, arbitrary: fc.array(fc.tuple(key, value), { maxLength: 3 }).map((members) => write(members)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '{', 'null', '[]', '"labels"', '{}{}', ' {} ', '{"labels":{"a":"b"}} x'),
  },
);
const write = (members: readonly (readonly [string, string])[]) =>
  `{${members.map(([name, of]) => `"${name}":${of}`).join(',')}}`;
const sets: fc.Arbitrary<Metadata> = fc.record(
  {
    namespace: fc.constant(namespace),
    labels: labels.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => !name.startsWith('pcns.b')))),
    annotations: text.map((one) => ({ [stored]: one })),
  },
  { requiredKeys: ['namespace'] },
);

type IsAdmitted = (metadata: Metadata) => boolean;
const isAdmitted: IsAdmitted = (metadata) => {
  const set: Policy = JSON.parse(JSON.stringify({ metadata: { name: 'asked', ...metadata }, spec: { nets: [] } }));
  return kind.read(set).diagnostics.length === 0;
};

/** What is wrong with the labels that Calico gives the addresses. */
function forgedAmong(told: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(told).find(([name, of]) => {
    if (name.startsWith('pcns.'))
      return { ...namespaceLabels, 'projectcalico.org/name': namespace }[name.slice(5)] !== of;
    return name.startsWith('pcsa.') || (name.startsWith('projectcalico.org/') && of !== namespace);
  })?.[0];
}

async function search(judge: Judge<Asked, Told>, admits: IsAdmitted, rounds: number): Promise<readonly string[]> {
  const found: string[] = [];
  let admitted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(sets, { minLength: 50, maxLength: 50 }), async (drawn) => {
      const asked = drawn.filter(admits);
      admitted += asked.length;
      const told = await judge.ask({ sets: asked.map((metadata) => ({ metadata, namespaceLabels })) });
      for (const [index, one] of told.entries()) {
        const forged = one === null ? undefined : forgedAmong(one);
        if (forged !== undefined) found.push(`${forged}: ${JSON.stringify(asked[index])}`);
      }
    }),
    { numRuns: rounds, seed: 7 },
  );
  if (admitted < rounds) throw new Error(`${admitted} are admitted`);
  return found;
}

/** Each is a trap of what is stored. */
const bugs: Readonly<Record<string, IsAdmitted>> = {
  'what is stored is not read': ({ annotations: _, ...metadata }) => isAdmitted(metadata),
  'own labels are not read': ({ labels: _, ...metadata }) => isAdmitted(metadata),
  'JSON is read as JavaScript reads it': ({ annotations, ...metadata }) => {
    let read: unknown;
    try {
      read = JSON.parse(annotations?.[stored] ?? '{}')?.labels;
    } catch {
      return false;
    }
    const all = { ...metadata.labels, ...(typeof read === 'object' ? read : {}) };
    return isAdmitted({ ...metadata, labels: all });
  },
  'only labels of namespaces are forged': ({ labels: own = {}, ...metadata }) =>
    isAdmitted({
      ...metadata,
      labels: Object.fromEntries(Object.entries(own).filter(([name]) => name.startsWith('pcns.'))),
    }),
};

function judgeSets(judge: Judge<Asked, Told>): void {
  t.teardown(() => judge.stop());
  t.test('no label of an admitted set is forged', async (t) => {
    t.strictSame(await search(judge, isAdmitted, 400), []);
  });
  for (const [bug, admits] of Object.entries(bugs))
    t.test(`a reader with a bug is found out: ${bug}`, async (t) => {
      const found = await search(judge, admits, 60);
      t.ok(found.length > 0, found[0] ?? 'nothing was found');
    });
}

const found = await foundOrSkip('Go reads NetworkSets', () => startSelectorJudge<Asked, Told>());
if (found !== undefined) judgeSets(found);
