import t from 'tap';
import type { Observed } from '../../src/admission/admission.ts';
import type { Judged } from '../../src/checks/judge.ts';
import { createObservations } from '../../src/reconcile/observations.ts';
import { undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Mode } from '../../src/tenancy/tenant.ts';

const ownNamespace = 'bulkhead-system';

function observer(existing: readonly string[] = ['acme-web', ownNamespace]) {
  const events: string[] = [];
  const subjects: (string | undefined)[] = [];
  const lines: string[] = [];
  const room = { left: Number.POSITIVE_INFINITY };
  const observed = createObservations({
    log: {
      info: () => {},
      error: () => {},
      warn: (fields, message) => lines.push(`${message}: ${JSON.stringify(fields)}`),
    },
    events: {
      record(namespace, reason, message, about) {
        if (room.left-- <= 0) return false;
        subjects.push(about);
        events.push(`${namespace.name} ${reason}: ${message}`);
        return true;
      },
    },
    namespaceOf: (name) => (existing.includes(name) ? { name, uid: `uid-of-${name}` } : undefined),
    ownNamespace,
  });
  return { observed, events, subjects, lines, room };
}

const finding: Judged = {
  check: 'host-path',
  path: 'spec.volumes[0]',
  reason: 'mounts the node',
  fix: 'leave it out',
  headline: 'is refused',
  refuses: true,
  refusesInEnforce: true,
};
const reserved = (key: string): Judged => ({
  check: 'reserved-labels',
  path: `metadata.labels[${key}]`,
  reserved: key,
  reason: 'would be set',
  fix: 'leave it out',
  headline: 'is refused',
  refuses: true,
  refusesInEnforce: true,
});

function about(findings: Observed['findings'], change: object = {}, member = true, mode: Mode = 'enforce'): Observed {
  const request = {
    kind: 'Pod',
    family: 'pod',
    namespace: 'acme-web',
    name: 'web',
    user: { username: 'alice', groups: [] },
    object: {},
    ...change,
  };
  return {
    request: request as unknown as Observed['request'],
    findings,
    owner: { ...undeclaredTenant('acme'), mode },
    member,
  };
}

t.test('an Event in the namespace says what would be refused, and how to fix it', async (t) => {
  const { observed, events } = observer();
  observed(about([finding, { ...finding, path: 'spec.volumes[1]' }]));
  t.strictSame(events, [
    'acme-web WouldBeRefused: Pod acme-web/web of alice would be refused: host-path: spec.volumes[0] mounts the node; fix: leave it out, and 1 more findings',
  ]);
});

t.test('what only mode enforce of the tenant refuses is told as such, by an Event of its own', async (t) => {
  const { observed, events, subjects } = observer();
  observed(about([{ ...finding, refuses: false }], {}, true, 'audit'));
  t.strictSame(events, [
    'acme-web WouldBeRefused: Pod acme-web/web of alice would be refused in mode enforce (acme is in mode audit): host-path: spec.volumes[0] mounts the node; fix: leave it out',
  ]);
  observed(about([reserved('cluster'), { ...finding, refuses: false }], {}, true, 'audit'));
  t.match(
    events[1],
    /^acme-web WouldBeRefused: Pod acme-web\/web of alice would be refused: reserved-labels: .* more findings$/,
  );
  t.strictSame(subjects.slice(0, 2), ['in-mode-enforce', undefined], 'the one does not replace the other');
});

t.test('what is in no namespace that exists is told in the namespace of Bulkhead', async (t) => {
  const { observed, events } = observer();
  observed(about([finding], { kind: 'Namespace', family: 'namespace', namespace: 'acme-new', name: 'acme-new' }));
  t.match(events, [/^bulkhead-system WouldBeRefused: Namespace acme-new of alice would be refused/]);
  const nowhere = observer([]);
  nowhere.observed(about([finding]));
  t.strictSame(nowhere.events, [], 'without one there is nowhere to write it');
});

t.test('each new pair of requester and reserved key is one line and one Event', async (t) => {
  const { observed, events, lines } = observer();
  for (let times = 0; times < 3; times++) observed(about([reserved('cluster'), reserved('init')]));
  observed(about([reserved('cluster')], { user: { username: 'rancher', groups: [] } }));
  t.strictSame(
    events.filter((one) => one.includes('ReservedKeyWritten')),
    [
      'bulkhead-system ReservedKeyWritten: alice writes the reserved key cluster on a Pod',
      'bulkhead-system ReservedKeyWritten: alice writes the reserved key init on a Pod',
      'bulkhead-system ReservedKeyWritten: rancher writes the reserved key cluster on a Pod',
    ],
  );
  t.equal(lines.length, 3);
});

t.test('a pair whose Event found no room is told when it comes again', async (t) => {
  const { observed, events, room } = observer();
  room.left = 0;
  observed(about([reserved('cluster')]));
  t.strictSame(events, []);
  room.left = 10;
  observed(about([reserved('cluster')]));
  t.equal(events.filter((one) => one.includes('ReservedKeyWritten')).length, 1);
});

t.test('a tenant that makes up requesters fills no memory, and silences nobody else', async (t) => {
  const { observed, events, lines } = observer();
  for (let index = 0; index < 2_000; index++)
    observed(about([reserved('cluster')], { user: { username: `account-${index}`, groups: [] } }));
  const pairs = () => events.filter((one) => one.includes('ReservedKeyWritten'));
  t.equal(pairs().length, 200);
  t.equal(lines.length, 201);
  t.match(lines.at(-1), /more pairs of requester and reserved key are not logged/);
  observed(about([reserved('cluster')], { namespace: 'other', user: { username: 'rancher', groups: [] } }));
  t.match(pairs().at(-1), /rancher writes the reserved key cluster on a Pod/);
});

t.test('what users name cannot command the terminal of whoever reads the Event', async (t) => {
  const { observed, events } = observer();
  observed(about([finding], { user: { username: 'al\u001b[31mice', groups: [] } }));
  t.notOk(events.join().includes('\u001b'));
});

t.test('the Event in a namespace of a tenant names no account outside the tenant', async (t) => {
  const { observed, events } = observer();
  const told = { ...finding, reason: 'would be changed, but rancher acts neither for its owner nor for the platform' };
  observed(about([told, reserved('field.cattle.io/')], { user: { username: 'rancher', groups: [] } }, false));
  t.strictSame(events, [
    'acme-web WouldBeRefused: Pod acme-web/web of an account outside the tenant would be refused: host-path: spec.volumes[0] would be changed, but an account outside the tenant acts neither for its owner nor for the platform; fix: leave it out, and 1 more findings',
    'bulkhead-system ReservedKeyWritten: rancher writes the reserved key field.cattle.io/* on a Pod',
  ]);
});

t.test('a service account of the namespace is named, and so is everybody in the namespace of Bulkhead', async (t) => {
  const { observed, events } = observer();
  const account = { username: 'system:serviceaccount:acme-web:deployer', groups: [] };
  observed(about([finding], { user: account }, false));
  observed(about([finding], { user: { username: 'rancher', groups: [] }, namespace: 'acme-new' }, false));
  t.match(events, [
    /^acme-web .* of system:serviceaccount:acme-web:deployer would/,
    /^bulkhead-system .* of rancher would/,
  ]);
});
