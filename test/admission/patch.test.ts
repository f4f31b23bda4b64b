import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { patchText } from '../../src/admission/patch.ts';
import { field } from '../../src/kubernetes/field-path.ts';
import type { KubernetesObject, StringMap } from '../../src/kubernetes/objects.ts';
import { cast } from '../fixtures/cast.ts';
import { applied, operationsOf } from '../fixtures/json-patch.ts';
import { bytesOf, farDeadline, responseOf, reviewOf } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

/** Keys as hostile as a map of labels may hold, `~` and `/` among them. */
const key = fc.oneof(
  fc.string({ minLength: 1, unit: fc.constantFrom('~', '/', '0', '1', 'a', '.') }),
  fc.constantFrom('__proto__', 'constructor', 'toString', tenantLabel, 'a/b~c', '~1', '~0', '/'),
);
const anyLabels: fc.Arbitrary<StringMap> = fc
  .array(fc.tuple(key, fc.string()))
  .map((entries) => Object.fromEntries(entries));
const metadata = fc.oneof(
  fc.constant({ name: 'web', namespace: 'acme-web' }),
  fc.constant({ name: 'web', namespace: 'acme-web', labels: null }),
  anyLabels.map((labels) => ({ name: 'web', namespace: 'acme-web', labels, annotations: { note: 'kept' } })),
);
const object: fc.Arbitrary<KubernetesObject> = metadata.map((metadata) =>
  Object.assign({ apiVersion: 'v1', kind: 'Pod', metadata }, { spec: { containers: [] } }),
);

/** The object with the label, worked out without a patch. */
function labelled(object: KubernetesObject, key: string, value: string): KubernetesObject {
  const entries = Object.entries(object.metadata?.labels ?? {}).filter(([name]) => name !== key);
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries([...entries, [key, value]]) } };
}

const labels = field(field(undefined, 'metadata'), 'labels');

function patched(object: KubernetesObject, patch = '[]'): KubernetesObject {
  return applied(object, operationsOf(Buffer.from(patch).toString('base64')));
}

t.test('the patch is the object with the label, and nothing else (SRV-09)', async (t) => {
  fc.assert(
    fc.property(object, key, fc.string(), (object, key, value) => {
      t.strictSame(patched(object, patchText(object, [{ labels, key, value }])), labelled(object, key, value));
    }),
    { numRuns: 300 },
  );
});

t.test('the patch is one operation, whatever the size of the object', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key-${index}`, 'x']));
  const large = { kind: 'Pod', metadata: { labels: many } };
  t.equal(
    patchText(large, [{ labels, key: 'a/b~c', value: 'acme' }]),
    '[{"op":"add","path":"/metadata/labels/a~1b~0c","value":"acme"}]',
  );
});

t.test('there is one operation for each label, in the order of the intents', async (t) => {
  const wide = { namespaceSelector: {} };
  const tight = { namespaceSelector: { matchLabels: { 'a/b~c': 'x' } } };
  const empty = { namespaceSelector: { matchLabels: null } };
  const policy = { metadata: { labels: { app: 'web' } }, spec: { egress: [{ to: [wide] }, { to: [tight, empty] }] } };
  const selector = (rule: number, peer: number) => {
    const at = field(field(field(field(field(undefined, 'spec'), 'egress'), rule), 'to'), peer);
    return { labels: field(field(at, 'namespaceSelector'), 'matchLabels'), key: 'a/b~c', value: 'acme' };
  };
  const intents = [{ labels, key: 'tenant', value: 'acme' }, selector(0, 0), selector(1, 0), selector(1, 1)];
  t.strictSame(JSON.parse(patchText(policy, intents) ?? ''), [
    { op: 'add', path: '/metadata/labels/tenant', value: 'acme' },
    { op: 'add', path: '/spec/egress/0/to/0/namespaceSelector/matchLabels', value: { 'a/b~c': 'acme' } },
    { op: 'add', path: '/spec/egress/1/to/0/namespaceSelector/matchLabels/a~1b~0c', value: 'acme' },
    { op: 'add', path: '/spec/egress/1/to/1/namespaceSelector/matchLabels', value: { 'a/b~c': 'acme' } },
  ]);
  t.equal(patchText(policy, []), undefined, 'and no patch where nothing is to be added');
});

t.test('mutating twice changes nothing', async (t) => {
  const { tenancy, namespaces } = createWorld();
  const onDefect = (error: unknown) => t.fail('a defect', { error });
  const review = createAdmission({ tenancy: () => tenancy, namespaces, onDefect });
  const mutate = async (object: KubernetesObject) => {
    const sent = { user: cast['acme developer'], operation: 'CREATE', object } as const;
    const { body } = await review('mutate', bytesOf(reviewOf(sent)), farDeadline());
    return responseOf(body).patch;
  };
  let patches = 0;
  await fc.assert(
    fc.asyncProperty(object, async (object) => {
      const patch = await mutate(object);
      if (patch === undefined) return Object.hasOwn(object.metadata?.labels ?? {}, tenantLabel);
      patches++;
      return (await mutate(applied(object, operationsOf(patch)))) === undefined;
    }),
    { numRuns: 300 },
  );
  t.ok(patches > 50, 'most objects were patched');
});
