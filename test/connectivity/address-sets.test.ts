import t from 'tap';
import { compare } from '../../src/connectivity/compare.ts';
import { createExposure } from '../../src/connectivity/exposure.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { asCalico } from '../../src/connectivity/readings.ts';
import { createUnread } from '../../src/connectivity/unread.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import { policyUse } from '../../src/picture/inventory.ts';
import { namespace, plainTenancy, pod, policy } from './worlds.ts';

type Objects = Parameters<typeof readSnapshot>[0];

const calico = 'projectcalico.org/v3';
const set = (place: string, labels: object, nets: readonly string[], more: object = {}) => {
  const [of, name] = place.includes('/') ? place.split('/') : [undefined, place];
  return {
    apiVersion: calico,
    kind: of === undefined ? 'GlobalNetworkSet' : 'NetworkSet',
    metadata: { ...(of !== undefined && { namespace: of }), name, labels, ...more },
    spec: { nets },
  };
};
const base: Objects = [
  namespace('acme-web', 'acme'),
  namespace('beta-db', 'beta'),
  { ...pod('acme-web/front', { app: 'web' }), status: { podIPs: [{ ip: '10.244.0.7' }] } },
];
const partner = set('acme-web/partner', { role: 'partner' }, ['203.0.113.0/24']);
const out = (destination: object, place = 'acme-web/out') =>
  policy(
    place,
    { selector: 'all()', types: ['Egress'], egress: [{ action: 'Allow', destination }] },
    place.includes('/') ? 'NetworkPolicy' : 'GlobalNetworkPolicy',
    calico,
  );

/** Before a rule that opens everything. */
const denied = (destination: object) =>
  policy(
    'denied',
    { selector: 'all()', types: ['Egress'], egress: [{ action: 'Deny', destination }, { action: 'Allow' }] },
    'GlobalNetworkPolicy',
    calico,
  );

const read = (objects: Objects) => readSnapshot(objects, plainTenancy, { hasPods: true, withBaseline: false });

function worldOf(objects: Objects) {
  const snapshot = read(objects);
  const parties = createParties(snapshot.namespaces, snapshot.workloads, plainTenancy);
  return { snapshot, parties, world: createWorld(snapshot, parties, plainTenancy.settings, asCalico) };
}

/** Whether the first pod reaches the address. */
function opens(objects: Objects, address = '203.0.113.9'): boolean {
  const { world, parties } = worldOf([...base, ...objects]);
  const [front] = parties.classes;
  if (front === undefined) throw new Error('no pod');
  return world.connection(front, { kind: 'address', range: knownRange(`${address}/32`) }).length > 0;
}

const cases: readonly { readonly says: string; readonly objects: Objects; readonly isOpen: boolean }[] = [
  { says: 'a set of the own namespace', objects: [partner, out({ selector: "role == 'partner'" })], isOpen: true },
  { says: 'all() of the own namespace', objects: [partner, out({ selector: 'all()' })], isOpen: true },
  { says: 'a set with another label', objects: [partner, out({ selector: "role == 'other'" })], isOpen: false },
  {
    says: 'a set of another namespace, without a namespaceSelector',
    objects: [set('beta-db/partner', { role: 'partner' }, ['203.0.113.0/24']), out({ selector: "role == 'partner'" })],
    isOpen: false,
  },
  {
    says: 'a set of another namespace that is selected by labels of it',
    objects: [
      set('beta-db/partner', {}, ['203.0.113.0/24']),
      out({ namespaceSelector: 'bulkhead.dev/tenant == "beta"' }),
    ],
    isOpen: true,
  },
  {
    says: 'a set of the cluster, without a namespaceSelector',
    objects: [set('partner', { role: 'partner' }, ['203.0.113.0/24']), out({ selector: "role == 'partner'" })],
    isOpen: false,
  },
  {
    says: 'a set of the cluster, by global()',
    objects: [
      set('partner', { role: 'partner' }, ['203.0.113.0/24']),
      out({ selector: "role == 'partner'", namespaceSelector: 'global()' }),
    ],
    isOpen: true,
  },
  {
    says: 'a set of the cluster, by a namespaceSelector that a missing label meets',
    objects: [set('partner', {}, ['203.0.113.0/24']), out({ namespaceSelector: 'team != "web"' })],
    isOpen: true,
  },
  {
    says: 'a set of the cluster, by a policy of the cluster',
    objects: [set('partner', { role: 'partner' }, ['203.0.113.0/24']), out({ selector: "role == 'partner'" }, 'out')],
    isOpen: true,
  },
  {
    says: 'nets beside the selector',
    objects: [partner, out({ selector: "role == 'partner'", nets: ['203.0.113.128/25'] })],
    isOpen: false,
  },
  {
    says: 'a set that says it is of another namespace',
    objects: [
      set('acme-web/partner', { 'pcns.bulkhead.dev/tenant': 'beta' }, ['203.0.113.0/24']),
      out({ namespaceSelector: 'bulkhead.dev/tenant == "beta"' }),
    ],
    isOpen: true,
  },
  {
    says: 'a set whose labels are in the annotation of its stored form',
    objects: [
      {
        ...set('acme-web/partner', {}, ['203.0.113.0/24'], {
          annotations: { 'projectcalico.org/metadata': '{"labels":{"role":"partner"}}' },
        }),
        apiVersion: 'crd.projectcalico.org/v1',
      },
      out({ selector: "role == 'partner'" }),
    ],
    isOpen: true,
  },
  {
    says: 'notSelector alone, for an address that no set has',
    objects: [out({ notSelector: 'has(role)' }, 'out')],
    isOpen: true,
  },
  {
    says: 'notSelector alone, for an address of a set that it matches',
    objects: [partner, out({ notSelector: 'has(role)' }, 'out')],
    isOpen: false,
  },
  // Calico writes the namespace of a set itself, so one that names another is denied as what it is.
  ...[
    { by: "projectcalico.org/namespace == 'beta-db'", isOpen: true },
    { by: "projectcalico.org/namespace == 'acme-web'", isOpen: true },
    { by: "role == 'partner'", isOpen: false },
  ].map(({ by, isOpen }) => ({
    says: `a denial by ${by} of a set that says it is of another namespace`,
    objects: [
      set('acme-web/partner', { role: 'partner', 'projectcalico.org/namespace': 'beta-db' }, ['203.0.113.0/24']),
      denied({ selector: by }),
    ],
    isOpen,
  })),
  {
    says: 'all but a set that says it is of another namespace',
    objects: [
      set('acme-web/partner', { 'projectcalico.org/namespace': 'beta-db' }, ['203.0.113.0/24']),
      out({ notSelector: "projectcalico.org/namespace == 'beta-db'" }, 'out'),
    ],
    isOpen: true,
  },
  {
    says: 'notSelector beside an empty namespaceSelector, for an address that no set has',
    objects: [out({ notSelector: 'has(role)', namespaceSelector: '' }, 'out')],
    isOpen: true,
  },
];
for (const { says, objects, isOpen } of cases)
  t.test(`Calico: ${says} is ${isOpen ? 'open' : 'closed'}`, async (t) => {
    t.equal(opens(objects), isOpen);
    t.equal(opens([...objects, out({ selector: '!all()' }), out({ nets: ['192.0.2.1'] })], '192.0.2.1'), true);
  });

t.test('the audit sees the addresses of a set as open, and the policy as one that opens something', async (t) => {
  const { snapshot, parties, world } = worldOf([...base, partner, out({ selector: "role == 'partner'" })]);
  const exposed = createExposure(world, plainTenancy, 0);
  const egress = parties.classes.flatMap(exposed).filter(({ direction }) => direction === 'egress');
  t.match(egress, [{ addresses: '203.0.113.0/24' }]);
  t.equal(policyUse(world, snapshot)[0]?.opensNothing, false);
  t.equal(policyUse(world, snapshot)[0]?.rules[0]?.peers, '203.0.113.0/24');
});

t.test('a set that changes is a change of connections', async (t) => {
  const rule = out({ selector: "role == 'partner'" });
  const wider = set('acme-web/partner', { role: 'partner' }, ['203.0.113.0/24', '198.51.100.0/24']);
  const { changes } = compare(read([...base, rule, partner]), read([...base, rule, wider]), plainTenancy);
  t.match(changes, [
    {
      change: 'gained',
      to: { members: new Set(['198.51.100.0/24']) },
      causes: [{ kind: 'allows', policies: [{ kind: 'NetworkPolicy', name: 'out' }] }],
    },
  ]);
  t.strictSame(compare(read([...base, rule, partner]), read([...base, rule, partner]), plainTenancy).changes, []);
});

t.test('a set that is not understood is named', async (t) => {
  const { snapshot, parties } = worldOf([...base, out({}), set('acme-web/odd', {}, ['203.0.113.0/24', '10.0.0.0/33'])]);
  const about = createUnread(snapshot, parties, plainTenancy.settings, [asCalico]);
  t.match(about({ from: parties.classes, to: [] }), [{ policy: 'NetworkSet acme-web/odd', field: 'spec.nets[1]' }]);
});
