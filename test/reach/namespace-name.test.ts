/** Namespaces that a policy selects by their names: whose a name is, and what is said where that is not proven. */
import t from 'tap';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import { namesToLookUp } from '../../src/reach/names-to-look-up.ts';
import type { Border } from '../../src/reach/violation.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import { createTenancy, type Owner } from '../../src/tenancy/tenancy.ts';
import { acme, beta, border, dns, ingressController, judge, label, nameLabel, settings, tenant } from './world.ts';

const by = (key: string, operator: string, ...values: string[]) => ({ key, operator, values });
const select = (...matchExpressions: object[]) => ({
  ingress: [{ from: [{ namespaceSelector: { matchExpressions } }] }],
});
const named = (...values: string[]) => select(by(nameLabel, 'In', ...values));
const held = (owners: Readonly<Record<string, Owner | 'none' | undefined>>): Border => ({
  ...border,
  ownerByName: (name) => owners[name],
});

const add = `add ${label}: acme to its matchLabels`;
const partner = `or that of a tenant with an open gate: ${label}: beta`;
const agree = 'or agree on a gate with the other tenant and add its label';
const only = 'or select only names that begin with acme-, which are reserved to it';
const ask = (what = 'the name') => `or ask the platform to reserve ${what} (namespaces.names of tenant acme)`;
/** Ingress on every port, which the gate does not open. */
const reserve = (names = 1) => `${add}, ${agree}, ${only}; ${ask(names === 1 ? 'the name' : 'these names')}`;
const at = (name: string) => `a namespace with the labels ${label}=not-acme-2, ${nameLabel}=${name}`;

t.test('what names alone would prove holds as long as they are the tenant’s, and is not admitted', (t) => {
  const table: readonly [sentence: string, spec: object, assumed: readonly string[], reason: string][] = [
    [
      'a name that nobody has reserved',
      named('web'),
      ['web'],
      'matches the namespace web, but that name is not reserved for acme, so another tenant could create it',
    ],
    [
      'one that only begins like a reserved one',
      named('acmeweb'),
      ['acmeweb'],
      'matches the namespace acmeweb, but that name is not reserved for acme, so another tenant could create it',
    ],
    [
      'beside names that are proven',
      named('acme-web', 'acme-db', 'web'),
      ['web'],
      'matches the namespace web, but that name is not reserved for acme, so another tenant could create it',
    ],
    [
      'several',
      named('web', 'shop'),
      ['web', 'shop'],
      'matches the namespaces web and shop, but these names are not reserved for acme, so another tenant could create them',
    ],
    [
      'many',
      named('a', 'b', 'c', 'd', 'e'),
      ['a', 'b', 'c', 'd', 'e'],
      'matches the namespaces a, b, c and 2 more, but these names are not reserved for acme, so another tenant could create them',
    ],
    [
      'with a tenant label that does not leave the tenant out',
      select(by(nameLabel, 'In', 'web'), by(label, 'NotIn', 'beta')),
      ['web'],
      'matches the namespace web, but that name is not reserved for acme, so another tenant could create it',
    ],
  ];
  for (const [sentence, spec, assumedOwn, reason] of table) {
    const [first = ''] = assumedOwn;
    const said = { verdict: 'conditional', assumedOwn, reason, witness: at(first), fix: reserve(assumedOwn.length) };
    t.match(judge(spec), [said], sentence);
  }
  const without = tenant('acme');
  const where = { ...border, tenant: without, tenancy: createTenancy(settings, [without]) };
  const [said] = judge(named('acme-db'), where);
  t.match(said, { verdict: 'conditional', fix: `${add}, ${agree}; ${ask()}` }, 'no prefix');
  t.end();
});

t.test('each of several prefixes proves, and each whole name, as long as nobody else has it', (t) => {
  const namespaces = { prefix: 'acme-', prefixes: ['ac-', 'a-x-'], names: ['payments', 'a-x', 'w', 'x', 'y'] };
  const several = { ...acme, reserved: reservedIn({ namespaces }) };
  const owners: Readonly<Record<string, Owner>> = { payments: acme, x: beta };
  const judged = (...names: string[]) =>
    judge(named(...names), {
      ...border,
      tenant: several,
      tenancy: createTenancy(settings, [several, beta]),
      ownerByName: (name) => owners[name] ?? 'none',
    });
  for (const names of [['ac-web'], ['a-x-web', 'acme-db'], ['payments'], ['a-x', 'payments', 'w']])
    t.strictSame(judged(...names), [], names.join());
  const names = 'begin with acme- or ac- or a-x-, or are payments or a-x or w or 2 more, which are reserved to it';
  const instead = `${agree}, or select only names that ${names}; ${ask()}`;
  for (const name of ['a-y', 'payments-x', 'payment', 'xpayments'])
    t.match(judged(name), [{ verdict: 'conditional', fix: `${add}, ${instead}` }], name);
  t.match(judged('x'), [{ verdict: 'escapes', reason: /^matches the namespace x, which is not of acme although/ }]);
  t.end();
});

t.test('whoever assumes what cannot come true lets others in', (t) => {
  const table: readonly [sentence: string, spec: object][] = [
    ['a name that another tenant has reserved', named('beta-db')],
    ['beside a free one', named('web', 'beta-db')],
    ['a name of the platform', named('web', 'kube-public')],
    ['where the tenant itself is left out', select(by(nameLabel, 'In', 'web'), by(label, 'NotIn', 'acme'))],
    ['where no tenant can be meant', select(by(nameLabel, 'In', 'web'), by(label, 'DoesNotExist'))],
    ['where another one is', select(by(nameLabel, 'In', 'web'), by(label, 'In', 'gamma'))],
  ];
  for (const [sentence, spec] of table) t.match(judge(spec), [{ verdict: 'escapes', witness: String }], sentence);
  t.end();
});

t.test('a name that another tenant has reserved is told from a free one not at all', (t) => {
  const said = ({ verdict: _, assumedOwn: __, ...text }: ReturnType<typeof judge>[number]) => text;
  const unreserved = createTenancy(settings, [acme, { ...beta, reserved: new Map() }, tenant('not-acme')]);
  for (const names of [['beta-db'], ['web', 'beta-db'], ['beta-db', 'web']]) {
    const reserved = judge(named(...names)).map(said);
    const free = judge(named(...names), { ...border, tenancy: unreserved }).map(said);
    t.strictSame(reserved, free, names.join());
    t.equal(reserved.length, 1);
  }
  t.end();
});

t.test('with a gate for these ports, the label of that tenant is told, whosever the name is', (t) => {
  const on = (port: number, spec: object) => {
    const { ingress: [{ from }] = [{ from: undefined }] } = spec as { ingress?: [{ from: unknown }] };
    return { ingress: [{ from, ports: [{ port }] }] };
  };
  const told = `${add}, ${partner}, ${only}; ${ask()}`;
  const texts = ['beta-db', 'gamma-db', 'web'].map((name) => {
    const [said, ...more] = judge(on(443, named(name)));
    t.match(said, { reason: /^matches the namespace \S+, but that name is not reserved for acme/, fix: told }, name);
    t.same(more, []);
    const followed = { namespaceSelector: { matchLabels: { [nameLabel]: name, [label]: 'beta' } } };
    t.same(judge(on(443, { ingress: [{ from: [followed] }] })), [], `${name}: the fix is admitted`);
    return JSON.stringify({ ...said, verdict: '', assumedOwn: [] }).replaceAll(name, 'NAME');
  });
  t.equal(new Set(texts).size, 1, 'a name that beta has is told from one that it has not in nothing');

  const shut: readonly [sentence: string, spec: object][] = [
    ['a port that beta does not open', on(444, named('beta-db'))],
    ['another direction', { egress: [{ to: on(443, named('beta-db')).ingress[0]?.from, ports: [{ port: 443 }] }] }],
    ['only acme has declared its half, or it has expired', on(444, named('gamma-db'))],
    ['beta is left out', on(443, select(by(nameLabel, 'In', 'beta-db'), by(label, 'NotIn', 'beta')))],
  ];
  for (const [sentence, spec] of shut) t.match(judge(spec), [{ fix: `${add}, ${agree}, ${only}; ${ask()}` }], sentence);
  const later = { ...border, now: border.now + 1 };
  t.match(
    judge(on(443, named('beta-db')), later),
    [{ fix: `${add}, ${agree}, ${only}; ${ask()}` }],
    'once it has expired',
  );
  t.end();
});

t.test('a reserved name counts as the tenant’s while nobody else has it', (t) => {
  const table: readonly [sentence: string, holder: Owner | 'none' | undefined, verdict: string | undefined][] = [
    ['there is no such namespace', 'none', undefined],
    ['the tenant has it', acme, undefined],
    ['the tenant, as an earlier snapshot knew it', { ...acme, mode: 'warn' }, undefined],
    ['another tenant has it from before', beta, 'escapes'],
    ['the platform has it', 'platform', 'escapes'],
    ['it was not looked up', undefined, 'unproven'],
  ];
  for (const [sentence, holder, verdict] of table) {
    const found = judge(named('acme-db'), held({ 'acme-db': holder }));
    t.strictSame(
      found.map((one) => one.verdict),
      verdict === undefined ? [] : [verdict],
      sentence,
    );
  }
  const reason = 'matches the namespace acme-db, which is not of acme although that name is reserved to it';
  const fix = `${add}, or remove the name`;
  const [said] = judge(named('acme-db'), held({ 'acme-db': beta }));
  t.match(said, { reason, witness: at('acme-db'), fix }, 'it is said whose it is not, and not whose it is');
  const pinned = select(by(nameLabel, 'In', 'acme-db'), by(label, 'In', 'acme'));
  t.same(judge(pinned, held({ 'acme-db': beta })), [], 'the fix is admitted');
  t.same(judge(named('acme-web'), held({})), [], 'the own namespace needs no look: the policy ends with it');
  t.match(judge(named('acme-db'), { ...border, ownerByName: undefined }), [{ verdict: 'unproven' }], 'nobody looked');
  t.end();
});

t.test('who was not looked up hides nobody who surely gets through', (t) => {
  const where = held({ 'acme-db': undefined, 'acme-cache': beta });
  t.match(judge(named('acme-db', 'acme-cache'), where), [{ verdict: 'escapes', witness: at('acme-cache') }]);
  t.match(judge(named('acme-db', 'web'), where), [{ verdict: 'escapes', witness: at('web'), assumedOwn: undefined }]);
  const shut = select(by(nameLabel, 'In', 'acme-db'), by(label, 'In', 'gamma'));
  t.match(judge(shut, where), [{ verdict: 'unproven', witness: undefined }], 'nor does the tenant label make him one');
  t.end();
});

t.test('the namespace of a shared service is never assumed to be the tenant’s', (t) => {
  const service = { ...ingressController, namespace: 'infra', podSelector: { matchLabels: { app: 'entry' } } };
  const where = { ...border, tenancy: createTenancy({ ...settings, sharedServices: [dns, service] }, [acme]) };
  t.match(judge(named('infra'), where), [{ verdict: 'escapes' }]);
  t.end();
});

t.test('only names that holders can be told apart by are looked up, each once', (t) => {
  const peer = (...matchExpressions: object[]) => ({ namespaceSelector: { matchExpressions } });
  const many = Array.from({ length: 51 }, (_, index) => `acme-${index}`);
  const of = (...from: object[]) => {
    const spec = { ingress: [{ from }], egress: [{ to: [peer(by(nameLabel, 'In', 'acme-db'))] }] };
    return namesToLookUp(readNetworkPolicy(JSON.parse(JSON.stringify({ spec }))), border);
  };
  const table: readonly [sentence: string, peers: object[], names: readonly string[]][] = [
    ['reserved ones', [peer(by(nameLabel, 'In', 'acme-db', 'acme-cache'))], ['acme-db', 'acme-cache']],
    [
      'not the own, nor names of others or of nobody',
      [peer(by(nameLabel, 'In', 'acme-web', 'beta-db', 'web', 'kube-system'))],
      ['acme-db'],
    ],
    ['not what no namespace can be called', [peer(by(nameLabel, 'In', 'acme-Db', 'acme-'))], ['acme-db']],
    [
      'not where the tenant label proves it',
      [peer(by(nameLabel, 'In', 'acme-cache'), by(label, 'In', 'acme'))],
      ['acme-db'],
    ],
    [
      'but where it proves less',
      [peer(by(nameLabel, 'In', 'acme-cache'), by(label, 'In', 'acme', 'beta'))],
      ['acme-cache', 'acme-db'],
    ],
    ['not what is left out', [peer(by(nameLabel, 'NotIn', 'acme-cache'))], ['acme-db']],
    ['no pods, addresses or nonsense', [{ podSelector: {} }, { ipBlock: { cidr: '10.0.0.0/8' } }, {}], ['acme-db']],
    ['fifty', [peer(by(nameLabel, 'In', ...many.slice(0, 49)))], [...many.slice(0, 49), 'acme-db']],
    ['and none of more than fifty', [peer(by(nameLabel, 'In', ...many.slice(0, 50)))], []],
  ];
  for (const [sentence, peers, names] of table) t.strictSame(of(...peers), names, sentence);
  const [verdict] = judge(named(...many), held({}));
  const reason = 'belongs to a policy that selects more than 50 namespaces by name, and only so many are looked up';
  t.match(verdict, { verdict: 'unproven', reason, fix: add, witness: undefined }, 'such a policy is told how to do it');
  t.same(judge(select(by(nameLabel, 'In', ...many), by(label, 'In', 'acme')), held({})), [], 'and may do so');
  t.end();
});
