import t from 'tap';
import { doubtAbout } from '../../src/exemptions/doubt.ts';
import { parseExemption } from '../../src/exemptions/parse-exemption.ts';
import type { ExemptionObject } from '../../src/facts/exemptions.ts';
import { exemptionStatusOf } from '../../src/reconcile/exemption-status.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { settings, tenant } from '../baseline/samples.ts';

const now = Date.parse('2029-01-01T00:00:00Z');
const tenancy = createTenancy(settings([]), [tenant({ within: 'none' })]);
const [acme = ''] = [...tenancy.tenants.keys()];

const good = {
  tenant: acme,
  namespace: 'acme-web',
  checks: ['host-path'],
  match: { names: ['a'] },
  reason: 'why',
  owner: 'net',
  expires: '2029-06-01T00:00:00Z',
};

function object(changes: object, terminating = false, status: unknown = undefined): ExemptionObject {
  const value = {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Exemption',
    metadata: { name: 'a' },
    spec: { ...good, ...changes },
  };
  const loaded = parseExemption({ value, locate: unlined('exemptions.bulkhead.dev/a') });
  return { name: 'a', uid: 'uid', generation: 3, terminating, loaded, status };
}

const namespaces: Readonly<Record<string, string | undefined>> = {
  'acme-web': acme,
  'beta-web': 'beta',
  free: undefined,
};
const tenantOf = (name: string) =>
  Object.hasOwn(namespaces, name) ? { tenant: namespaces[name] } : ('missing' as const);

function conditionOf(one: ExemptionObject) {
  const doubt = one.loaded.ok ? doubtAbout(one.loaded.value, tenancy, now, tenantOf) : undefined;
  return exemptionStatusOf(one, doubt, now).conditions[0];
}

const states: readonly (readonly [
  sentence: string,
  object: ExemptionObject,
  status: string,
  reason: string,
  text: RegExp,
])[] = [
  ['it is in force', object({}), 'True', 'InForce', /^what is written is in force$/],
  [
    'it ends within a week',
    object({ expires: '2029-01-08T00:00:00Z' }),
    'True',
    'EndsSoon',
    /^spec\.expires is within a week/,
  ],
  ['it has ended', object({ expires: '2029-01-01T00:00:00Z' }), 'False', 'Expired', /^spec\.expires has passed/],
  [
    'its tenant is not declared',
    object({ tenant: 'omega' }),
    'False',
    'MatchesNothing',
    /^spec\.tenant omega is not a declared/,
  ],
  [
    'its namespace does not exist',
    object({ namespace: 'acme-db' }),
    'False',
    'MatchesNothing',
    /there is no namespace acme-db/,
  ],
  [
    'its namespace is of another tenant',
    object({ namespace: 'beta-web' }),
    'False',
    'MatchesNothing',
    /beta-web is not a namespace of/,
  ],
  [
    'its namespace is of no tenant',
    object({ namespace: 'free' }),
    'False',
    'MatchesNothing',
    /free is not a namespace of/,
  ],
  [
    'it cannot be read',
    object({ checks: ['foreign-namespace'] }),
    'False',
    'Invalid',
    /until this is corrected nothing is exempted$/,
  ],
  ['it is being deleted', object({}, true), 'False', 'Deleted', /^is being deleted, so nothing is exempted$/],
];

for (const [sentence, one, status, reason, text] of states)
  t.test(`the status says: ${sentence}`, async (t) => {
    const condition = conditionOf(one);
    t.match(condition, {
      type: 'Ready',
      status,
      reason,
      observedGeneration: 3,
      lastTransitionTime: '2029-01-01T00:00:00Z',
    });
    t.match(condition.message, text);
  });

t.test('the time of a condition that stays is kept', async (t) => {
  const lastTransitionTime = '2028-01-01T00:00:00Z';
  const stored = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime }] };
  t.equal(conditionOf(object({}, false, stored)).lastTransitionTime, lastTransitionTime);
  t.not(conditionOf(object({}, true, stored)).lastTransitionTime, lastTransitionTime);
});
