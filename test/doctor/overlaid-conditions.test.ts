/** Which match conditions of an overlay are those that Bulkhead knows, however they are written. */
import t from 'tap';
import { listedControllers, notByListedControllers } from '../../src/backstop/service-conditions.ts';
import { unreadConditions } from '../../src/backstop/unread-conditions.ts';
import { leavesOutAgents, leavesOutControllers } from '../../src/doctor/overlaid-conditions.ts';
import { builtInAgents } from '../../src/tenancy/network-agents.ts';
import { createWorld } from '../fixtures/world.ts';

const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', namespace, name }) as const;
const [one, other, third] = [account('metallb-system', 'controller'), account('a', 'b'), account('a', 'c')];
const known = createWorld().tenancy.settings;
const settings = { ...known, services: { ...known.services, controllers: [one, other] } };
const accepts = (expression: string) => leavesOutControllers(listedControllers, expression, settings);
const right = notByListedControllers([one, other]);

t.test('white space and the order of accounts do not count', (t) => {
  for (const [what, expression] of [
    ['as it is', right],
    ['in another order', notByListedControllers([other, one])],
    ['twice', notByListedControllers([other, one, other])],
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
    ['an account less', notByListedControllers([one])],
    ['an account more', notByListedControllers([one, other, third])],
    ['another account', notByListedControllers([one, third])],
    ['no account', notByListedControllers([])],
    ['a space in a string', right.replace('"Service"', '"Service "')],
    ['a space in an account', right.replace('system:', 'system: ')],
    ['an escape in a list', right.replace('"system:', '"\\u0073ystem:')],
    ['a list in place of a string', right.replace('"Service"', '["Service"]')],
    ['a list more', `${right} || "a" in ["a"]`],
    ['a comment', `${right} // || true`],
    ['another operator', right.replace('&&', '||')],
    ['nothing', ''],
  ] as const)
    t.notOk(accepts(expression), what);
  t.notOk(leavesOutControllers('other', right, settings), 'the name of the condition');
  t.end();
});

t.test('the conditions for agents of the network are read the same way', (t) => {
  for (const { name, expression } of unreadConditions(builtInAgents)) {
    t.ok(leavesOutAgents(name, expression.replaceAll('\n', ' ').replaceAll('","', '", "'), known), name);
    t.notOk(leavesOutAgents(name, expression.replace('["', '["system:serviceaccount:acme-web:web","'), known), name);
  }
  t.end();
});
