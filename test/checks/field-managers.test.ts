import t from 'tap';
import { takesFields } from '../../src/checks/field-managers.ts';
import type { OwnerReference } from '../../src/kubernetes/objects.ts';
import type { NamespaceRequest } from '../../src/kubernetes/review.ts';

const labels = { 'f:metadata': { 'f:labels': { 'f:app': {} } } };
const status = { 'f:status': { 'f:conditions': {} } };
const one = (manager: string, fieldsV1: object, rest: object = {}) => ({
  manager,
  operation: 'Apply',
  apiVersion: 'v1',
  time: '2026-11-20T10:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...rest,
});
const own = one('acme', labels);
const later = { time: '2026-11-21T10:00:00Z' };
const ofStatus = { subresource: 'status' };

interface Side {
  readonly managedFields?: readonly unknown[] | null;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

function request(subresource: string, before: Side, after: Side): NamespaceRequest {
  const metadata = { name: 'acme-web' };
  return {
    family: 'namespace',
    kind: 'Namespace',
    uid: 'u',
    operation: 'UPDATE',
    subresource,
    name: 'acme-web',
    namespace: 'acme-web',
    user: { username: 'bob', groups: [] },
    dryRun: false,
    object: { metadata: { ...metadata, ...after } },
    oldObject: { metadata: { ...metadata, ...before } },
  };
}

t.test('who manages the fields of a namespace (TEN-23)', async (t) => {
  type Row = readonly [sentence: string, taken: boolean, before: readonly unknown[], after: readonly unknown[] | null];
  const itself: readonly Row[] = [
    ['nothing changes', false, [own], [one('acme', labels)]],
    ['an entry more', true, [own], [own, one('beta', labels)]],
    ['an entry less', true, [own, one('argo', labels)], [own]],
    ['none is left', true, [own], []],
    ['null', true, [own], null],
    ['the list as a wipe is sent', true, [own], [{}]],
    ['another manager', true, [own], [one('beta', labels)]],
    ['other fields of the same one', true, [own], [one('acme', {})]],
    ['another time', true, [own], [one('acme', labels, later)]],
    ['the entry of a status is made up', true, [own], [own, one('beta', status, ofStatus)]],
    ['there was none, and there is none', false, [], null],
  ];
  for (const [sentence, taken, before, after] of itself)
    t.equal(takesFields(request('', { managedFields: before }, { managedFields: after })), taken, sentence);

  const both = { ...labels, ...status };
  const through: readonly Row[] = [
    ['an entry of the status', false, [own], [own, one('beta', status, ofStatus)]],
    ['the status anew', false, [own, one('beta', status, ofStatus)], [own, one('beta', {}, { ...ofStatus, ...later })]],
    ['a label, too', true, [own], [own, one('beta', both, ofStatus)]],
    [
      'a label beside a status of before',
      true,
      [own, one('beta', status, ofStatus)],
      [own, one('beta', both, ofStatus)],
    ],
    [
      'the status anew, of a manager who has a label from before',
      false,
      [own, one('beta', both, ofStatus)],
      [own, one('beta', { ...labels, 'f:status': {} }, { ...ofStatus, ...later })],
    ],
    ['an older entry of the object loses its part of the status', false, [one('acme', both)], [own]],
    ['the oldest updates are merged', false, [own], [one('ancient-changes', labels)]],
  ];
  for (const subresource of ['status', 'finalize'])
    for (const [sentence, taken, before, after] of through)
      t.equal(
        takesFields(request(subresource, { managedFields: before }, { managedFields: after })),
        taken,
        `${subresource}: ${sentence}`,
      );
});

t.test('with a finalizer goes what its manager managed, and nothing comes', async (t) => {
  const finalizers = ['foregroundDeletion', 'orphan'];
  const before = { finalizers, managedFields: [own, one('gone', { 'f:metadata': { 'f:finalizers': {} } })] };
  const rows: readonly [sentence: string, taken: boolean, after: Side][] = [
    ['one is taken off', false, { finalizers: ['orphan'], managedFields: [own] }],
    ['another manager comes with it', true, { finalizers: ['orphan'], managedFields: [own, one('beta', labels)] }],
    ['they stand in another order', true, { finalizers: finalizers.toReversed(), managedFields: [own] }],
  ];
  for (const [sentence, taken, after] of rows) t.equal(takesFields(request('', before, after)), taken, sentence);
});

t.test('of changed owner references, namespace-owner-references decides', async (t) => {
  const collector = one('kube-controller-manager', { 'f:metadata': { 'f:ownerReferences': {} } });
  const before = {
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'bait', uid: 'owner' }],
    managedFields: [own],
  };
  t.equal(takesFields(request('', before, { ownerReferences: [], managedFields: [own, collector] })), false);
  t.equal(takesFields(request('', before, { ...before, managedFields: [own, collector] })), true, 'unchanged ones');
});
