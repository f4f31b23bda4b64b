/** Which mesh of Kuma a pod may name: that of its namespace, which the platform decides (POD-25). */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { Pod, StringMap } from '../../src/kubernetes/objects.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { type Sent, validate } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

/** The paths that are refused in acme-web, where that namespace has these labels beside its own. */
async function refused(labels: StringMap, sent: Omit<Sent, 'user'>, role: Role = 'acme developer') {
  const { tenancy, namespaces } = createWorld();
  const review = createAdmission({
    tenancy: () => tenancy,
    namespaces: {
      ...namespaces,
      lookup(name) {
        const record = namespaces.lookup(name);
        return record && { ...record, labels: { ...record.labels, ...labels } };
      },
    },
    onDefect(error) {
      throw error;
    },
  });
  const { status } = await validate(review, { ...sent, user: cast[role] });
  return findingsIn(status?.message ?? '').map(({ check, path }) => `${check}: ${path}`);
}

function pod(map: 'labels' | 'annotations', mesh?: string): Pod {
  const keys: StringMap = mesh === undefined ? {} : { 'kuma.io/mesh': mesh };
  const owned = { 'bulkhead.dev/tenant': 'acme' };
  const maps = map === 'labels' ? { labels: { ...owned, ...keys } } : { labels: owned, annotations: keys };
  const metadata = { name: 'web', namespace: 'acme-web', ...maps };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'main' }] } };
}

const rows: readonly (readonly [sentence: string, ofNamespace: string | undefined, ofPod: string, free: boolean])[] = [
  ['the mesh that Kuma takes by default', undefined, 'default', true],
  ['another where the namespace names none', undefined, 'acme-mesh', false],
  ['the mesh of the namespace', 'acme-mesh', 'acme-mesh', true],
  ['the mesh of others', 'acme-mesh', 'beta-mesh', false],
  ['the default mesh where the namespace names another', 'acme-mesh', 'default', false],
  ['another letter case', 'acme-mesh', 'Acme-mesh', false],
  ['no name', 'acme-mesh', '', false],
  ['the default mesh where the namespace names none in words', '', 'default', true],
  ['no name, as the namespace', '', '', false],
  ['a key of every object', undefined, 'constructor', false],
];

for (const map of ['labels', 'annotations'] as const) {
  const path = `reserved-labels: metadata.${map}[kuma.io/mesh]`;
  t.test(map, async (t) => {
    for (const [sentence, ofNamespace, ofPod, free] of rows) {
      const labels: StringMap = ofNamespace === undefined ? {} : { 'kuma.io/mesh': ofNamespace };
      const expected = free ? [] : [path];
      const object = pod(map, ofPod);
      t.strictSame(await refused(labels, { operation: 'CREATE', object }), expected, sentence);
      t.strictSame(await refused(labels, { operation: 'CREATE', object }, 'controller'), expected, 'by a controller');
      t.strictSame(await refused(labels, { operation: 'CREATE', object }, 'platform admin'), [], 'by the platform');
      for (const subresource of ['', 'status']) {
        const update = { operation: 'UPDATE', subresource, object, oldObject: pod(map, 'old-mesh') } as const;
        t.strictSame(await refused(labels, update), expected, `pods/${subresource}: ${sentence}`);
      }
    }
    const removed = { operation: 'UPDATE', object: pod(map), oldObject: pod(map, 'default') } as const;
    t.strictSame(await refused({}, removed), [path], 'it is not removed');
  });
}

t.test('a tenant moves its namespace to no mesh, nor to the one that Kuma takes by default', async (t) => {
  const named = (mesh: string) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme', 'kuma.io/mesh': mesh } },
  });
  const moved = { operation: 'UPDATE', object: named('default'), oldObject: named('acme-mesh') } as const;
  t.strictSame(await refused({}, moved), ['reserved-labels: metadata.labels[kuma.io/mesh]']);
  t.strictSame(await refused({}, moved, 'platform admin'), []);
});

t.test('the name of the mesh is free under no other reserved key', async (t) => {
  const { metadata, ...rest } = pod('labels', 'default');
  const object = { ...rest, metadata: { ...metadata, annotations: { 'network.alibabacloud.com/mesh': 'default' } } };
  const path = 'reserved-labels: metadata.annotations[network.alibabacloud.com/mesh]';
  t.strictSame(await refused({}, { operation: 'CREATE', object }), [path]);
});
