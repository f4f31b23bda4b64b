/** What is plainly own is own by the whole proof, too: held against it for random expressions, and case by case. */
import fc from 'fast-check';
import t from 'tap';
import { ofEndpoints, ofNamespaces, parseSelector } from '../../src/reach/dialects/calico/parse-selector.ts';
import { mostSteps } from '../../src/reach/expression/budget.ts';
import type { Expression } from '../../src/reach/expression/expression.ts';
import { judgeExpression } from '../../src/reach/expression-peer.ts';
import { type AllowRule, everyPod, nameKey } from '../../src/reach/model.ts';
import { isPlainlyOwn } from '../../src/reach/plainly-own.ts';
import type { Border } from '../../src/reach/violation.ts';
import { border, label, nameLabel, settings } from './world.ts';

const role = 'example.com/role';
const trusting: Border = {
  ...border,
  isKept: () => true,
  tenancy: {
    ...border.tenancy,
    settings: { ...settings, trustedLabels: new Map([[role, new Map([['edge', new Set(['ingress-nginx'])]])]]) },
  },
};
const ownPods: Expression = { key: nameKey, test: { op: 'in', values: new Set(['acme-web']) }, holds: true };

function peerOf(namespaces: string, pods: string): Expression {
  const [one, other] = [parseSelector(namespaces, ofNamespaces), parseSelector(pods, ofEndpoints)];
  if ('reason' in one || 'reason' in other) throw new Error(`${namespaces}, ${pods} are not selectors`);
  return { all: [namespaces === '' ? ownPods : one.expression, other.expression] };
}

/** By the proof of every alternative: an alternative beside which there is no other is not plain. */
function provenOwn(expression: Expression, where: Border): boolean {
  const peer = {
    kind: 'expression',
    expression: { any: [expression] },
    addresses: undefined,
    steps: mostSteps,
  } as const;
  const subject = { namespaces: undefined, pods: everyPod, path: { parent: undefined, step: 'spec' } };
  const rule: AllowRule = { action: 'allow', direction: 'ingress', ports: [], path: subject.path, subject, peer };
  return judgeExpression(peer, rule, where) === undefined;
}

const own = `${label} == "acme"`;
const cases: readonly {
  readonly says: string;
  readonly namespaces?: string;
  readonly pods?: string;
  readonly where?: Border;
  readonly plain: boolean;
}[] = [
  { says: 'pods of the own namespace', pods: 'app == "web"', plain: true },
  { says: 'the own tenant', namespaces: own, plain: true },
  { says: 'in a list of one', namespaces: `${label} in {"acme"}`, pods: 'app in {"a", "b"} && !has(old)', plain: true },
  { says: 'and another label of the namespace', namespaces: `${own} && stage != "test"`, plain: true },
  {
    says: 'unless only the platform writes it',
    namespaces: `${own} && ${role} == "edge"`,
    where: trusting,
    plain: false,
  },
  { says: 'the own name', namespaces: `${nameLabel} == "acme-web"`, plain: true },
  { says: 'another name', namespaces: `${nameLabel} == "acme-data"`, plain: false },
  { says: 'another name beside the own tenant', namespaces: `${own} && ${nameLabel} == "-"`, plain: false },
  { says: 'another tenant', namespaces: `${label} == "beta"`, plain: false },
  { says: 'two tenants', namespaces: `${label} in {"acme", "beta"}`, plain: false },
  { says: 'not the own tenant', namespaces: `${label} != "acme"`, plain: false },
  { says: 'no label that says so', namespaces: 'stage == "test"', plain: false },
  { says: 'a label of pods that is named like it', pods: own, namespaces: 'all()', plain: false },
  { says: 'an alternative', namespaces: `${own} || stage == "test"`, plain: false },
  { says: 'two tests of one label, which may contradict each other', pods: 'app == "a" && app == "b"', plain: false },
  { says: 'a value that no label can have', pods: 'app == "a b"', plain: false },
  { says: 'a list without values', pods: 'app in {}', plain: false },
  { says: 'a part of a value', pods: 'app starts with "a"', plain: false },
  { says: 'in another cluster', namespaces: own, where: { ...border, cluster: 'east' }, plain: false },
  {
    says: 'more tests than are compared',
    namespaces: own,
    pods: Array.from({ length: 8 }, (_, index) => `has(key-${index})`).join(' && '),
    plain: false,
  },
];

t.test('what is plainly own is told from what has to be proven', (t) => {
  for (const { says, namespaces = '', pods = '', where = border, plain } of cases) {
    const expression = peerOf(namespaces, pods);
    t.equal(isPlainlyOwn(expression, where), plain, says);
    if (plain) t.equal(provenOwn(expression, where), true, `${says}: by the proof, too`);
  }
  t.end();
});

t.test('of nothing that is plainly own the proof says otherwise', (t) => {
  const key = fc.constantFrom(label, label, nameLabel, 'app', 'stage', role, 'projectcalico.org/namespace');
  const value = fc.constantFrom('acme', 'acme', 'beta', 'acme-web', 'acme-web', 'edge', '', 'a b');
  const test = fc.oneof(
    { arbitrary: fc.tuple(key, value).map(([name, text]) => `${name} == "${text}"`), weight: 4 },
    fc.tuple(key, value).map(([name, text]) => `${name} != "${text}"`),
    fc.tuple(key, fc.array(value, { maxLength: 2 })).map(([name, texts]) => `${name} in {"${texts.join('", "')}"}`),
    fc.tuple(key, fc.constantFrom('', '!')).map(([name, not]) => `${not}has(${name})`),
    fc.tuple(key, value).map(([name, text]) => `${name} starts with "${text}"`),
    fc.constant('all()'),
  );
  const selector = fc.array(test, { maxLength: 3 }).map((tests) => tests.join(' && '));
  let plain = 0;
  fc.assert(
    fc.property(selector, selector, fc.constantFrom(border, trusting), (namespaces, pods, where) => {
      const expression = peerOf(namespaces, pods);
      if (!isPlainlyOwn(expression, where)) return true;
      plain++;
      return provenOwn(expression, where);
    }),
    { numRuns: 5_000 },
  );
  t.ok(plain > 500, `${plain} of 5,000 were plain`);
  t.end();
});
