/** Which match conditions of an overlay are those that Bulkhead knows, however they are written. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';
import { listedControllers, notByListedControllers } from '../../src/backstop/service-conditions.ts';
import { unreadConditions } from '../../src/backstop/unread-conditions.ts';
import { addressAnnotations } from '../../src/checks/service-annotations.ts';
import { leavesOutAgents, leavesOutControllers } from '../../src/doctor/overlaid-conditions.ts';
import { builtInAgents } from '../../src/tenancy/network-agents.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { nameOf } from '../../src/tenancy/subjects.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Subject } from '../../src/tenancy/tenant.ts';
import { createWorld } from '../fixtures/world.ts';

const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', namespace, name }) as const;
const [one, other, third] = [account('metallb-system', 'controller'), account('a', 'b'), account('a', 'c')];
const known = createWorld().tenancy.settings;
const tenancyOf = (settings: Settings) => createTenancy(settings, []);
const settings = { ...known, services: { ...known.services, controllers: [one, other] } };
const tenancy = tenancyOf(settings);
const pool = 'metallb.io/ip-allocated-from-pool';
const accepts = (expression: string) => leavesOutControllers(listedControllers, expression, tenancy);
const of = (...controllers: readonly Subject[]) => notByListedControllers(controllers, [pool, 'example.com/pool']);
const right = of(one, other);
const nameList = [one, other].map(nameOf);

t.test('white space and the order of accounts do not count', (t) => {
  for (const [what, expression] of [
    ['as it is', right],
    ['in another order', of(other, one)],
    ['twice', of(other, one, other)],
    ['with spaces in the list', right.replace('","', '", "')],
    [
      'with lines in the list',
      right.replace('["', '[\n  "').replace('","', '",\n  "').replace('"]', '",\n]').replace('",\n]', '"\n]'),
    ],
    ['on one line', right.replaceAll('\n', ' ')],
    ['with spaces inside of parentheses', right.replaceAll('(', '( ').replaceAll(')', ' )')],
  ] as const)
    t.ok(accepts(expression), what);
  t.end();
});

t.test('everything else counts', (t) => {
  for (const [what, expression] of [
    ['an account less', of(one)],
    ['an account more', of(one, other, third)],
    ['another account', of(one, third)],
    ['no account', of()],
    ['a space in a string', right.replace('"Service"', '"Service "')],
    ['a space in an account', right.replace('system:', 'system: ')],
    ['an escape in a list', right.replace('"system:', '"\\u0073ystem:')],
    ['a list in place of a string', right.replace('"Service"', '["Service"]')],
    ['a list more', `${right} || "a" in ["a"]`],
    ['no account, and the accounts as annotations', notByListedControllers([], nameList)],
    ['an account as text', right.replace('["', '[r"')],
    ['three quotes', right.replace('["', '["""')],
    ['a number in a list', right.replace('["', '[1, "')],
    ['a comment in a list', right.replace('["', '[ // "a",\n"')],
    ['a comment', `${right} // || true`],
    ['another operator', right.replace('&&', '||')],
    ['nothing', ''],
  ] as const)
    t.notOk(accepts(expression), what);
  t.notOk(leavesOutControllers('other', right, tenancy), 'the name of the condition');
  t.end();
});

t.test('that of docs/neighbours.md is one', async (t) => {
  const [, text = ''] = /^```yaml overlay\n([\s\S]*?)^```$/m.exec(await readFile('docs/neighbours.md', 'utf8')) ?? [];
  const [{ patch }] = parse(text).patches;
  const [, { value }] = parse(patch);
  const services = { ...known.services, controllers: [account('example-system', 'endpoints'), one] };
  t.ok(leavesOutControllers(value.name, value.expression, tenancyOf({ ...known, services })));
  t.notOk(leavesOutControllers(value.name, value.expression, tenancyOf(known)));
});

t.test('annotations that a check of Services reads are not left out', (t) => {
  const withKeys = (...keys: readonly string[]) => notByListedControllers([one, other], keys);
  t.ok(accepts(withKeys()), 'no annotation');
  t.ok(accepts(withKeys('example.com/pool', pool)), 'any that no check reads');
  for (const key of [
    ...addressAnnotations,
    'service.cilium.io/global',
    'io.cilium/lb-ipam-sharing',
    'mirror.linkerd.io/x',
  ])
    t.notOk(accepts(withKeys(pool, key)), key);
  t.notOk(accepts(withKeys('io.cilium\\/x')), 'a key with an escape');
  const reservedServiceKeys = [
    { entry: 'metallb.io/', protects: 'identity', effect: 'is reserved', settings: [] },
  ] as const;
  const reserving = tenancyOf({ ...settings, reservedServiceKeys });
  t.notOk(leavesOutControllers(listedControllers, right, reserving), 'one that the settings reserve');
  t.end();
});

t.test('the conditions for agents of the network are read the same way', (t) => {
  for (const { name, expression } of unreadConditions(builtInAgents)) {
    t.ok(leavesOutAgents(name, expression.replaceAll('\n', ' ').replaceAll('","', '", "'), known), name);
    t.notOk(leavesOutAgents(name, expression.replace('["', '["system:serviceaccount:acme-web:web","'), known), name);
  }
  t.end();
});
