/** Kinds of the policy groups that no entry of the table reads: how they are decoded and judged, and that an entry takes its kind out. */
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { generatedFiles } from '../../manifests/base/generated-files.ts';
import { createAdmission } from '../../src/admission/admission.ts';
import { decode } from '../../src/admission/decode.ts';
import type { PolicyKind } from '../../src/kinds/kind.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { readResources } from '../../src/kinds/unread-kinds.ts';
import { policyGroups } from '../../src/tenancy/policy-groups.ts';
import { readKinds } from '../../src/tenancy/table-of-kinds.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { bytesOf, farDeadline, responseOf, uid } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';
import { chatPolicy } from './invented/chat-policy.ts';

const { tenancy, namespaces } = createWorld();
const options = {
  tenancy: () => tenancy,
  namespaces,
  onDefect(error: unknown) {
    throw error;
  },
};

interface Sent {
  readonly group?: string;
  readonly version?: string;
  readonly resource: string;
  readonly subResource?: string;
  readonly operation?: string;
  readonly namespace?: string;
  readonly user?: Role;
  readonly object?: unknown;
  readonly oldObject?: unknown;
}

function reviewOf({ group = 'cilium.io', version = 'v2', resource, operation = 'CREATE', ...sent }: Sent): Buffer {
  const { namespace = 'acme-web', user = 'acme developer', subResource = '', oldObject = null } = sent;
  const metadata = { name: 'one', ...(namespace !== '' && { namespace }) };
  const { object = { apiVersion: `${group}/${version}`, kind: 'Some', metadata } } = sent;
  const kind = { group, version, kind: 'Some' };
  const request = {
    ...{ uid, operation, namespace, name: 'one', userInfo: cast[user], subResource, object, oldObject },
    ...{ kind, resource: { group, version, resource } },
  };
  return bytesOf({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request });
}

async function checksOf(sent: Sent, admission = createAdmission(options)): Promise<readonly string[]> {
  const { allowed, status } = responseOf((await admission('validate', reviewOf(sent), farDeadline())).body);
  const found = findingsIn(status?.message ?? '').map(({ check }) => check);
  return allowed || found.length > 0 ? found : [status?.message ?? '?'];
}

t.test('every group of the table is guarded, in every version, with every subresource', async (t) => {
  for (const { group } of policyGroups) {
    for (const namespace of ['acme-web', ''])
      for (const subResource of ['', 'status', 'scale']) {
        const sent = { group, version: 'v7alpha3', resource: 'surprises', namespace, subResource };
        t.strictSame(await checksOf(sent), ['unknown-policy-kind'], `${group} ${namespace} ${subResource}`);
        t.strictSame(await checksOf({ ...sent, user: 'platform admin' }), [], `${group} by the platform`);
      }
  }
  for (const group of ['example.com', 'cilium.io.example.com', 'sub.cilium.io', 'CILIUM.IO'])
    t.match(await checksOf({ group, resource: 'surprises' }), [/is not a resource that Bulkhead understands/], group);
});

t.test('the objects are untrusted data', async (t) => {
  const metadata = { name: 'one', namespace: 'acme-web' };
  const rows: readonly [says: string, object: unknown, refused: RegExp][] = [
    ['null', null, /request\.object is not an object/],
    ['a list', [], /request\.object is not an object/],
    ['without metadata', { spec: {} }, /request\.object\.metadata is not an object/],
    ['labels that are numbers', { metadata: { ...metadata, labels: { a: 1 } } }, /metadata\.labels holds something/],
    ['finalizers that are a map', { metadata: { ...metadata, finalizers: {} } }, /metadata\.finalizers is not a list/],
    ['another namespace', { metadata: { name: 'one', namespace: 'beta-data' } }, /disagree about the namespace/],
    ['another name', { metadata: { ...metadata, name: 'two' } }, /disagree about the name/],
  ];
  for (const [says, object, refused] of rows) {
    const decoded = decode(reviewOf({ resource: 'ciliumfoos', object }));
    t.match(decoded.ok ? 'decoded' : decoded.reason, refused, says);
  }
  for (const spec of [null, 7, [], { redirectFrontend: 7 }, { redirectFrontend: { serviceMatcher: [] } }, undefined])
    t.strictSame(
      await checksOf({ resource: 'ciliumlocalredirectpolicies', object: { metadata, spec } }),
      ['platform-kinds'],
      `a redirect whose spec is ${JSON.stringify(spec)}`,
    );
  const forged = JSON.parse(
    '{"metadata":{"name":"one","namespace":"acme-web"},"__proto__":{"spec":{}},"spec":{"services":[null,7,{"namespace":{}}]}}',
  );
  t.strictSame(await checksOf({ resource: 'ciliumenvoyconfigs', object: forged }), ['platform-kinds']);
});

t.test('a refusal calls a cluster-scoped object by its name alone', async (t) => {
  const review = reviewOf({ resource: 'ciliumfoos', namespace: '' });
  const { status } = responseOf((await createAdmission(options)('validate', review, farDeadline())).body);
  t.match(status?.message, /^Some one: is of a kind/);
});

t.test('a kind with an entry in the table is judged by it alone', async (t) => {
  const entry = {
    ...chatPolicy,
    group: 'cilium.io',
    versions: ['v2'],
    plural: 'ciliumchats',
    kind: 'Some',
  } as PolicyKind;
  const table = { '../../src/kinds/kinds.ts': { kinds: [...kinds, entry] } };
  const admission = await t.mockImport<typeof import('../../src/admission/admission.ts')>(
    '../../src/admission/admission.ts',
    table,
  );
  const judged = admission.createAdmission(options);
  t.strictSame(await checksOf({ resource: 'ciliumchats' }), ['unknown-policy-kind'], 'without the entry');
  t.notMatch(await checksOf({ resource: 'ciliumchats' }, judged), ['unknown-policy-kind'], 'with it');
  t.strictSame(await checksOf({ resource: 'ciliumfoos' }, judged), ['unknown-policy-kind'], 'others as before');
  t.match(
    await checksOf({ resource: 'ciliumchats', version: 'v9' }, judged),
    [/v9 ciliumchats is not a resource that Bulkhead understands/],
    'a version that the entry does not read is not waved through',
  );
  const manifests = await t.mockImport<typeof import('../../manifests/base/generated-files.ts')>(
    '../../manifests/base/generated-files.ts',
    table,
  );
  const conditionIn = (files: typeof generatedFiles) =>
    ['webhooks-inside-namespaces.yaml', 'webhooks-for-namespaces.yaml'].map((name) => {
      const text = files().find(({ file }) => file.endsWith(name))?.text ?? '';
      const webhooks = parseAllDocuments(text).flatMap((document) => document.toJS().webhooks);
      const { matchConditions } = webhooks.find((one) => one.name === 'validate.network.bulkhead.dev');
      return matchConditions
        .find(({ name }: { name: string }) => name === 'not-read')
        ?.expression.replaceAll(/\s+/g, ' ');
    });
  const read = (...added: readonly string[]) => {
    const ofCilium = [...kinds.flatMap(({ group, plural }) => (group === 'cilium.io' ? [plural] : [])), ...added];
    return `(request.resource.group == "cilium.io" && request.resource.resource in ${JSON.stringify(ofCilium)})`;
  };
  for (const condition of conditionIn(generatedFiles)) t.ok(condition.includes(read()), condition);
  for (const condition of conditionIn(manifests.generatedFiles))
    t.ok(condition.startsWith('!(') && condition.includes(read('ciliumchats')), `and sent once: ${condition}`);
  const source = manifests.generatedFiles().find(({ file }) => file.endsWith('/table-of-kinds.ts'))?.text ?? '';
  t.match(source, "  ['ciliumchats.cilium.io', undefined],\n", 'and network.policyKinds does not give it');
});

t.test('what the settings cannot give, as it is read, is what the table reads', async (t) => {
  const read = [...readResources()].flatMap(([group, plurals]) => plurals.map((plural) => `${plural}.${group}`));
  t.strictSame([...readKinds.keys()].toSorted(), [...new Set(read)].toSorted(), 'readKinds has them');
});
