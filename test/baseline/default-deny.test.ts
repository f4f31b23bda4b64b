import t from 'tap';
import { baselineOf } from '../../src/baseline/baseline.ts';
import { namespaceIsolatedBy, namespaceUidOf, tiedTo } from '../../src/baseline/default-deny.ts';
import { settings, tenant } from './samples.ts';

const uid = 'd9b1b9a4-0000-4000-8000-000000000001';
const annotations = { 'bulkhead.dev/namespace-uid': uid };
const labels = { 'app.kubernetes.io/managed-by': 'bulkhead' };
const metadata = { name: 'bulkhead-default-deny', namespace: 'acme-web', labels, annotations };
const spec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

t.test('the closed door of a baseline closes the namespace that it is tied to', async (t) => {
  const objects = baselineOf('acme-web', tenant({ resourceQuota: { hard: { pods: '1' } } }), settings([]));
  const tied = objects.map((object) => tiedTo(object, uid));
  t.same(
    tied.map((object) => [object.metadata.name, namespaceIsolatedBy({ ...object })]),
    [
      ['bulkhead-default-deny', uid],
      ['bulkhead-allow-within', undefined],
      ['bulkhead-quota', undefined],
    ],
  );
  t.same(tied.slice(1), objects.slice(1), 'the others are as they were');
  t.equal(namespaceIsolatedBy({ ...objects[0] }), undefined, 'and untied it closes none');
});

t.test('what the API server may write in another way closes as well', async (t) => {
  const rows: readonly [string, object][] = [
    ['rules that are empty', { ...spec, ingress: [], egress: [] }],
    ['rules that are null', { ...spec, ingress: null, egress: null }],
    ['a selector with empty parts', { ...spec, podSelector: { matchLabels: {}, matchExpressions: [] } }],
    ['the directions the other way round', { ...spec, policyTypes: ['Egress', 'Ingress'] }],
  ];
  for (const [sentence, other] of rows) t.equal(namespaceIsolatedBy({ metadata, spec: other }), uid, sentence);
});

t.test('what leaves anything open does not close', async (t) => {
  const rows: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['a rule that lets in', { metadata, spec: { ...spec, ingress: [{}] } }],
    ['a rule that lets out', { metadata, spec: { ...spec, egress: [{}] } }],
    ['one direction', { metadata, spec: { ...spec, policyTypes: ['Ingress'] } }],
    ['no direction', { metadata, spec: { podSelector: {} } }],
    ['few pods', { metadata, spec: { ...spec, podSelector: { matchLabels: { app: 'x' } } } }],
    [
      'few pods, by expression',
      { metadata, spec: { ...spec, podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } } },
    ],
    ['no selector', { metadata, spec: { policyTypes: spec.policyTypes } }],
    ['another name', { metadata: { ...metadata, name: 'mine' }, spec }],
    ['a deletion under way', { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' }, spec }],
    ['no namespace named', { metadata: { name: metadata.name, labels }, spec }],
    ['no label, so that its owner may delete it', { metadata: { ...metadata, labels: {} }, spec }],
    ['a uid that is no text', { metadata: { ...metadata, annotations: { 'bulkhead.dev/namespace-uid': 1 } }, spec }],
    ['no spec', { metadata }],
    ['no metadata', { spec }],
  ];
  for (const [sentence, object] of rows) t.equal(namespaceIsolatedBy(object), undefined, sentence);
});

t.test('what an object is tied to does not depend on what it does', async (t) => {
  t.equal(namespaceUidOf({ metadata, spec: { ingress: [{}] } }), uid);
  t.equal(namespaceUidOf({ metadata: { name: 'x', annotations: null } }), undefined);
  t.equal(namespaceUidOf({}), undefined);
});
