/** Stored policies of every kind are judged again, so Bulkhead must be able to list them. */
import t from 'tap';
import { policyKinds } from '../../src/kinds/policy-kind.ts';

for (const { kind, plural, rights } of policyKinds)
  t.test(`Bulkhead may list every ${kind}`, async (t) => {
    const right = rights.find(({ resources, verbs }) => resources.includes(plural) && verbs.includes('list'));
    t.match(right, { names: undefined }, 'of any name');
  });
