/**
 * Every expression of at most twelve tests is decided: it is contained, or a witness is named. The one exception is names of namespaces
 * by their parts that are all reserved for the tenant: another tenant may have such a namespace from before.
 */
import fc from 'fast-check';
import t from 'tap';
import { calicoGroups } from '../../../src/kinds/calico-groups.ts';
import { calicoNetworkPolicy } from '../../../src/kinds/calico-network-policy/calico-network-policy.ts';
import { isMatched } from '../../../src/reach/expression/expression.ts';
import { judgeExpression } from '../../../src/reach/expression-peer.ts';
import { type ExpressionPeer, ofNamespace } from '../../../src/reach/model.ts';
import type { Border, Violation } from '../../../src/reach/violation.ts';
import { createTenancy } from '../../../src/tenancy/tenancy.ts';
import { readWitness } from '../read-witness.ts';
import { border, label, nameLabel, settings } from '../world.ts';

const kind = calicoNetworkPolicy(calicoGroups[0]);
const reserved = /all of them are reserved/;

interface Judged {
  readonly peer: ExpressionPeer;
  readonly violation: Violation | undefined;
}

function judge(namespaceSelector: string, of: Border = border, selector = ''): Judged {
  const source = { namespaceSelector, ...(selector !== '' && { selector }) };
  const spec = { ingress: [{ action: 'Allow', source }] };
  const [rule] = kind.read({ metadata: { name: 'asked', namespace: of.namespace }, spec } as never).rules;
  if (rule?.action === 'deny' || rule?.peer.kind !== 'expression') throw new Error(namespaceSelector);
  return { peer: rule.peer, violation: judgeExpression(rule.peer, rule, of) };
}

/** The labels of the witness, as the expression asks for them. Undefined: the sentence leaves some out. */
function labelsOf({ witness = '' }: Violation): ReadonlyMap<string, string> | undefined {
  const [, outside] = /^a host endpoint(?: with the labels? (.*))?$/.exec(witness) ?? [];
  const isOutside = witness.startsWith('a host endpoint');
  const read = readWitness(
    isOutside ? `a pod${outside === undefined ? '' : ` with the label ${outside}`} in a namespace` : witness,
  );
  if (read?.party.kind !== 'pod' || / and \d+ more/.test(witness)) return undefined;
  const { namespace, pod } = read.party;
  const ofNamespaces = isOutside ? [] : [...namespace].map(([key, value]) => [`${ofNamespace}${key}`, value] as const);
  return new Map([...pod, ...ofNamespaces]);
}

const texts = ['a', 'ac', 'acme-', 'acme-w', 'cme', '-', 'web', 'kube-', 'beta', 'x', 'A', '.', 'acme-web', 'e', ''];
const values = ['acme', 'beta', 'gamma', 'acme-web', 'acme-db', 'kube-system', 'default', 'shop', 'x', ''];
const ofNames = ['projectcalico.org/name', nameLabel];
const key = fc.constantFrom(label, ...ofNames, ...ofNames, 'team');
const quote = (text: string) => `"${text}"`;
const test = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(key, fc.constantFrom('contains', 'starts with', 'ends with'), fc.constantFrom(...texts))
      .map(([of, operator, text]) => `${of} ${operator} ${quote(text)}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(key, fc.constantFrom('==', '!='), fc.constantFrom(...values))
      .map(([of, operator, value]) => `${of} ${operator} ${quote(value)}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        key,
        fc.constantFrom('in', 'not in'),
        fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }),
      )
      .map(([of, operator, list]) => `${of} ${operator} {${list.map(quote).join(', ')}}`),
  },
  { weight: 1, arbitrary: key.map((of) => `has(${of})`) },
);
const expression = fc
  .array(fc.tuple(test, fc.constantFrom('&&', '&&', '||'), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 12 })
  .map((parts) =>
    parts
      .map(([text, , not]) => (not ? `!(${text})` : text))
      .reduce((before, text, index) => {
        const [, operator, , groups] = parts[index] ?? [];
        return groups === true ? `(${before}) ${operator} ${text}` : `${before} ${operator} ${text}`;
      }),
  );

/** Namespaces of others: of the platform, which have no tenant label, and of tenants. Those of shared services are left out. */
const foreign: readonly ReadonlyMap<string, string>[] = [
  ...['shop', 'x', 'a', 'web', 'aweb', 'web-a', 'xcme-w', 'cme', 'e', 'x-acme-web', 'kube-system', 'default'],
  ...['kube-public', 'beta-db', 'beta', 'ac', 'acme', 'zz', 'any', '0e', 'b-e', 'lacme-w0'],
].flatMap((name) =>
  [undefined, 'beta', 'gamma', 'zeta', 'a', 'web'].flatMap((tenant) =>
    [undefined, 'x', 'acme', 'zz'].map(
      (team) =>
        new Map([
          [`${ofNamespace}${nameLabel}`, name],
          ...(tenant === undefined ? [] : [[`${ofNamespace}${label}`, tenant] as const]),
          ...(team === undefined ? [] : [[`${ofNamespace}team`, team] as const]),
          ['app', 'web'],
        ]),
    ),
  ),
);

const kept = new Map([
  ['x', new Set(['shop', 'kube-system'])],
  ['acme', new Set(['acme-shared'])],
]);
/** The label `team` is written by the platform alone, and one of its namespaces has a name with acme's prefix. */
const trusting: Border = {
  ...border,
  isKept: () => true,
  tenancy: createTenancy(
    {
      ...settings,
      platform: { ...settings.platform, namespaces: new Set(['default', 'ingress-nginx', 'acme-shared']) },
      trustedLabels: new Map([['team', kept]]),
    },
    [...border.tenancy.tenants.values()],
  ),
};

/** A namespace has only values of a trusted label that are listed for its name, or that are listed for none. */
const isPossible = (labels: ReadonlyMap<string, string>) =>
  kept.get(labels.get(`${ofNamespace}team`) ?? '')?.has(labels.get(`${ofNamespace}${nameLabel}`) ?? '') ?? true;

for (const [says, of, parties] of [
  ['', border, foreign],
  [
    ', also with a label that only the platform writes',
    trusting,
    foreign.filter((one) => isPossible(one) && !(one.has(`${ofNamespace}team`) && one.has(`${ofNamespace}${label}`))),
  ],
] as const)
  t.test(`whatever is asked for by at most twelve tests is decided${says}`, async (t) => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(
        expression,
        fc.constantFrom('', 'app == "web"', 'app starts with "w" && !(tier contains "x")'),
        (text, selector) => {
          const { peer, violation } = judge(text, of, selector);
          const verdict = violation?.verdict ?? 'contained';
          ends.set(verdict, (ends.get(verdict) ?? 0) + 1);
          const getsThrough = parties.some((one) => isMatched(peer.expression, one));
          if (violation === undefined || verdict === 'nothing') return !getsThrough;
          if (verdict === 'unproven') return reserved.test(violation.reason) && !getsThrough;
          const labels = labelsOf(violation);
          return violation.witness !== undefined && (labels === undefined || isMatched(peer.expression, labels));
        },
      ),
      { numRuns: 8_000, seed: 20 },
    );
    for (const verdict of ['contained', 'nothing', 'escapes', 'conditional', 'unproven'])
      t.ok((ends.get(verdict) ?? 0) > 20, `${verdict} ${ends.get(verdict)} times`);
  });

t.test('names by their parts', async (t) => {
  const rows: readonly [selector: string, verdict: string | undefined, says?: RegExp][] = [
    ['projectcalico.org/name starts with "acme-"', 'unproven', /all of them are reserved/],
    ['projectcalico.org/name starts with "acme-w" && projectcalico.org/name ends with "b"', 'unproven', /all of them/],
    ['kubernetes.io/metadata.name contains "web"', 'escapes', /kubernetes\.io\/metadata\.name=\w*web/],
    ['projectcalico.org/name contains "acme-"', 'escapes', /metadata\.name=\w+acme-/],
    ['projectcalico.org/name starts with "acme"', 'escapes', /metadata\.name=acme/],
    ['projectcalico.org/name starts with "kube-"', 'escapes', /metadata\.name=kube-/],
    ['projectcalico.org/name ends with "-"', 'nothing'],
    ['projectcalico.org/name contains "A"', 'nothing'],
    ['projectcalico.org/name contains "."', 'nothing'],
    ['!(projectcalico.org/name contains "a") && !(projectcalico.org/name contains "x")', 'escapes', /metadata\.name=/],
    [`projectcalico.org/name starts with "acme-" && ${label} == "acme"`, undefined],
  ];
  for (const [selector, verdict, says] of rows) {
    const { violation } = judge(selector);
    t.equal(violation?.verdict, verdict, selector);
    if (says !== undefined) t.match(violation?.witness ?? violation?.reason, says, selector);
  }
});
