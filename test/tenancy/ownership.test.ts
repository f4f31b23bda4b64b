import t from 'tap';
import type { Namespace } from '../../src/kubernetes/objects.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { decideOwner, type Ownership } from '../../src/tenancy/ownership.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import { createTenancy, type Requester, undeclaredTenant } from '../../src/tenancy/tenancy.ts';

const [acme, beta, gamma] = ['acme', 'beta', 'gamma'].map((name) => ({
  ...undeclaredTenant(name),
  reserved: reservedIn({ namespaces: { prefix: `${name}-`, names: [`${name}shop`] } }),
}));
if (acme === undefined || beta === undefined || gamma === undefined) throw new Error('three tenants are made above');
const tenancy = createTenancy(defaultSettings, [acme, beta, gamma]);

const platform: Requester = { username: 'root', platform: true, tenants: [] };
const member = (...tenants: Requester['tenants']): Requester => ({ username: 'alice', platform: false, tenants });
const named = (name: string, tenant?: string): Namespace => ({
  metadata: { name, ...(tenant !== undefined && { labels: { 'bulkhead.dev/tenant': tenant } }) },
});

/** `acme`, `platform`, or why it is undecided. */
function told(ownership: Ownership): string {
  if (ownership.kind === 'undecided')
    return `${ownership.why}: ${ownership.candidates.map(({ name }) => name).join(', ')}`;
  return ownership.owner === 'platform' ? 'platform' : ownership.owner.name;
}

const cases: readonly (readonly [sentence: string, namespace: Namespace, requester: Requester, decided: string])[] = [
  ['the platform may leave a namespace to itself', named('tools'), platform, 'platform'],
  ['the platform may give a namespace to a tenant', named('tools', 'beta'), platform, 'beta'],
  ['the platform may not name a tenant that is not declared', named('tools', 'betta'), platform, 'unknown-tenant: '],
  ['an unaffiliated user gets no namespace', named('tools'), member(), 'unaffiliated: '],
  ['an unaffiliated user gets no namespace by naming a tenant', named('tools', 'acme'), member(), 'unaffiliated: '],
  ['the only tenant of a member owns what the member creates', named('tools'), member(acme), 'acme'],
  ['a member may name the tenant', named('tools', 'acme'), member(acme), 'acme'],
  ['a member may not name another tenant', named('tools', 'beta'), member(acme), 'not-a-member: acme'],
  ['an empty label names nobody', named('tools', ''), member(acme), 'not-a-member: acme'],
  ['among several tenants a label decides', named('acme-tools', 'beta'), member(acme, beta), 'beta'],
  ['among several tenants a prefix decides', named('beta-tools'), member(acme, beta), 'beta'],
  ['among several tenants a whole name decides', named('betashop'), member(acme, beta), 'beta'],
  ['a whole name of a third tenant decides nothing', named('gammashop'), member(acme, beta), 'several: acme, beta'],
  ['a whole name covers no longer one', named('betashop-x'), member(acme, beta), 'several: acme, beta'],
  [
    'a generated name is no whole name',
    { metadata: { generateName: 'betashop' } },
    member(acme, beta),
    'several: acme, beta',
  ],
  ['a prefix of a third tenant decides nothing', named('gamma-tools'), member(acme, beta), 'several: acme, beta'],
  ['a prefix of the platform decides nothing', named('kube-tools'), member(acme, beta), 'several: acme, beta'],
  ['without label and prefix several stay several', named('tools'), member(acme, beta), 'several: acme, beta'],
  ['a generated name begins as it says (ADM-04)', { metadata: { generateName: 'beta-' } }, member(acme, beta), 'beta'],
  [
    'a name that is empty is not generated yet',
    { metadata: { name: '', generateName: 'acme-' } },
    member(acme, beta),
    'acme',
  ],
  ['a prefix does not make a member', named('beta-tools'), member(acme), 'acme'],
  [
    'a tenant that is not of this tenancy counts for nothing',
    named('tools'),
    member(undeclaredTenant('acme')),
    'unaffiliated: ',
  ],
  [
    'a label by another key is no label',
    { metadata: { name: 'tools', labels: { tenant: 'beta' } } },
    member(acme),
    'acme',
  ],
];
for (const [sentence, namespace, requester, decided] of cases) {
  t.test(sentence, async (t) => {
    t.equal(told(decideOwner(namespace, requester, tenancy)), decided);
  });
}
