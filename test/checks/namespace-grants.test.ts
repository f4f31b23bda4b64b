/** Namespaces that others write: what platforms write on them, judged with the settings of the page. */
import t from 'tap';
import { createAdmission, type Observed } from '../../src/admission/admission.ts';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { applied, operationsOf } from '../fixtures/json-patch.ts';
import { bytesOf, farDeadline, responseOf, reviewOf, type Sent, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';
import { allBlocks, blocks, type Metadata, tenants, type Written, written } from './written-namespaces.ts';

const located = (value: unknown) => ({ value, locate: unlined('test') });

function loaded(settings: object = allBlocks(), declared: readonly object[] = tenants): Tenancy {
  const read = loadTenancy(located(settings), declared.map(located), Date.now());
  if (!read.ok) throw new Error(read.problems.map(({ path, reason }) => `${path} ${reason}`).join('\n'));
  return read.value;
}

function reviewing(tenancy: Tenancy, observes = false, onObserved?: (observed: Observed) => void) {
  const home = { 'bulkhead.dev/tenant': 'acme' };
  const records = new Map<string, NamespaceRecord>(
    ['acme-web', 'cattle-system'].map((name) => [
      name,
      { name, uid: `uid-of-${name}`, labels: name === 'acme-web' ? home : {}, terminating: false },
    ]),
  );
  return createAdmission({
    tenancy: () => tenancy,
    namespaces: {
      ...createWorld().namespaces,
      lookup: (name) => records.get(name),
      fetch: async (name) => records.get(name),
    },
    observes: () => observes,
    onObserved,
    onDefect(error) {
      throw error;
    },
  });
}

function namespace(name: string, metadata: Metadata): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } as object };
}

function sent({ by, name, stored, after }: Written): Sent {
  const user = { username: by, groups: [] };
  if (after === 'deleted') return { user, operation: 'DELETE', oldObject: namespace(name, stored ?? {}) };
  return stored === undefined
    ? { user, operation: 'CREATE', object: namespace(name, after) }
    : { user, operation: 'UPDATE', object: namespace(name, after), oldObject: namespace(name, stored) };
}

t.test('a provisioner, too, keeps to the names of a tenant with enforcePrefix', async (t) => {
  const kept = tenants.map((tenant) => ({
    ...tenant,
    spec: { ...tenant.spec, namespaces: { ...tenant.spec.namespaces, names: ['alices'], enforcePrefix: true } },
  }));
  const [acme, beta] = kept;
  const review = reviewing(loaded(allBlocks(), [acme ?? {}, { ...beta, spec: { ...beta?.spec, namespaces: {} } }]));
  const [example] = written.filter(({ sentence }) => sentence === 'a project that alice asks for');
  if (example === undefined) throw new Error('no such project');
  const answers = ['shop', 'acme-shop', 'alices'].map((name) => submit(review, sent({ ...example, name })));
  const [shop, prefixed, whole] = await Promise.all(answers);
  t.match(findingsIn(shop?.status?.message ?? ''), [{ check: 'unreserved-name', path: 'metadata.name' }]);
  t.ok(prefixed?.allowed && whole?.allowed, 'reserved names are created');
});

t.test('every block of the page is a whole document', async (t) => {
  t.strictSame([...blocks.keys()], ['openshift', 'rancher', 'calico', 'gke', 'kubeflow']);
  for (const [platform, block] of blocks) t.match(parseSettings(located(block)), { ok: true }, platform);
});

t.test('what platforms write on namespaces, and what is refused beside it (TEN-25, TEN-26)', async (t) => {
  const review = reviewing(loaded());
  for (const one of written) {
    const { allowed, status, warnings } = await submit(review, sent(one));
    const paths = findingsIn(status?.message ?? '').map(({ path }) => path);
    t.equal(allowed, one.refused === undefined, one.sentence, { said: status?.message });
    if (one.refused !== undefined) t.ok(paths.includes(one.refused), `${one.sentence}: ${one.refused}`, { paths });
    if (one.by === 'sandboxes' && one.name === 'sandbox-1')
      t.match(warnings?.join('\n'), /makes it a namespace of the platform: names carol/, 'never silently');
    else t.notOk(warnings, `${one.sentence}: no warning`);
  }
});

t.test('a provisioned namespace gets the label of its tenant and the mark of its provisioner', async (t) => {
  const review = reviewing(loaded());
  for (const one of written.filter(
    ({ stored, refused, mark }) => stored === undefined && refused === undefined && mark,
  )) {
    const request = sent(one);
    const { patch } = responseOf((await review('mutate', bytesOf(reviewOf(request)), farDeadline())).body);
    const { metadata } = applied(request.object ?? {}, operationsOf(patch ?? ''));
    t.equal(metadata?.annotations?.['bulkhead.dev/provisioner'], one.mark, `${one.sentence}: the mark`);
    t.equal(metadata?.labels?.['bulkhead.dev/tenant'], one.tenant, `${one.sentence}: the tenant`);
  }
});

t.test('validate proves what mutate has added', async (t) => {
  const review = reviewing(loaded());
  const request = written.find(({ sentence }) => sentence === 'a project that alice asks for');
  if (request === undefined) throw new Error('it is above');
  const { body } = await review('validate', bytesOf(reviewOf(sent(request))), farDeadline());
  t.match(responseOf(body).status?.message, /metadata\.labels\[bulkhead\.dev\/tenant\]\n {4}is missing/);
});

t.test('observe adds nothing, and says what would be refused', async (t) => {
  const review = reviewing(loaded(), true);
  for (const one of written) {
    const request = sent(one);
    const { patch } = responseOf((await review('mutate', bytesOf(reviewOf(request)), farDeadline())).body);
    t.equal(patch, undefined, `${one.sentence}: nothing is added`);
    const { allowed, warnings = [] } = await submit(review, request);
    t.ok(allowed, one.sentence);
    t.equal(
      warnings.some((line) => line.includes('would refuse')),
      one.refused !== undefined,
      one.sentence,
      { warnings },
    );
  }
});

t.test('a generated name begins as it says, and the same decides before and after', async (t) => {
  const review = reviewing(loaded());
  const project = (generateName: string, requester: string) => ({
    user: { username: 'system:serviceaccount:openshift-apiserver:openshift-apiserver-sa', groups: [] },
    operation: 'CREATE' as const,
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { generateName, annotations: { 'openshift.io/requester': requester } },
    },
  });
  t.match(await submit(review, project('beta-', 'dora')), { allowed: true });
  t.match(await submit(review, project('beta-', 'alice')), { allowed: false });
  t.match(await submit(review, project('acme', 'alice')), { allowed: true });
});

t.test('an account that lives in a namespace of a tenant is granted nothing', async (t) => {
  const settings = {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Settings',
    spec: {
      platform: {
        namespaceWriters: [
          {
            subjects: [{ kind: 'ServiceAccount', namespace: 'old', name: 'robot' }],
            keys: ['openshift.io/node-selector'],
          },
        ],
      },
    },
  };
  const tenancy = loaded(settings);
  const owners: Record<string, Record<string, string>> = { tenant: { 'bulkhead.dev/tenant': 'beta' }, platform: {} };
  for (const [whose, labels] of Object.entries(owners)) {
    const review = createAdmission({
      tenancy: () => tenancy,
      namespaces: {
        ...createWorld().namespaces,
        lookup: (name) => ({ name, uid: 'u', labels, terminating: false }),
      },
      onDefect(error) {
        throw error;
      },
    });
    const stored = namespace('acme-x', { labels: { 'bulkhead.dev/tenant': 'acme' } });
    const object = namespace('acme-x', {
      labels: { 'bulkhead.dev/tenant': 'acme' },
      annotations: { 'openshift.io/node-selector': 'pool=theirs' },
    });
    const user = { username: 'system:serviceaccount:old:robot', groups: [] };
    t.match(await submit(review, { user, operation: 'UPDATE', object, oldObject: stored }), {
      allowed: whose === 'platform',
    });
  }
});

t.test('field managers: only of what is granted', async (t) => {
  const review = reviewing(loaded());
  const entry = (manager: string, fields: object, operation = 'Update') => ({
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': fields },
  });
  const owners = entry('kubectl', { 'f:labels': { '.': {}, 'f:bulkhead.dev/tenant': {}, 'f:team': {} } });
  const own = { 'f:annotations': { '.': {}, 'f:openshift.io/sa.scc.uid-range': {} } };
  const stored = { labels: { 'bulkhead.dev/tenant': 'acme', team: 'shop' }, managedFields: [owners] };
  const annotations = { 'openshift.io/sa.scc.uid-range': '1/2' };
  const rows: readonly (readonly [sentence: string, managedFields: readonly object[], allowed: boolean])[] = [
    ['its own entry', [owners, entry('controller', own)], true],
    ['an entry of server-side apply', [owners, entry('controller', own, 'Apply')], true],
    [
      'a label of others in its entry',
      [owners, entry('controller', { ...own, 'f:labels': { 'f:team': {} } }, 'Apply')],
      false,
    ],
    ['the entry of others gone', [entry('controller', own)], false],
    [
      'a label of others gone from their entry',
      [entry('kubectl', { 'f:labels': { 'f:bulkhead.dev/tenant': {} } }), entry('controller', own)],
      false,
    ],
    ['no entries', [], false],
    [
      'the oldest entries merged by the API server',
      [
        entry('ancient-changes', { 'f:labels': { '.': {}, 'f:bulkhead.dev/tenant': {}, 'f:team': {} } }),
        entry('controller', own),
      ],
      true,
    ],
    [
      'a finalizer in its entry',
      [owners, entry('controller', { ...own, 'f:finalizers': { 'v:"x"': {} } }, 'Apply')],
      false,
    ],
  ];
  for (const [sentence, managedFields, allowed] of rows) {
    const object = namespace('acme-x', { ...stored, annotations, managedFields } as Metadata);
    const user = {
      username: 'system:serviceaccount:openshift-infra:namespace-security-allocation-controller',
      groups: [],
    };
    const said = await submit(review, {
      user,
      operation: 'UPDATE',
      object,
      oldObject: namespace('acme-x', stored as Metadata),
    });
    t.equal(said.allowed, allowed, sentence, { said: said.status?.message });
  }
});

t.test('the denial names the setting, and no tenant of others', async (t) => {
  const review = reviewing(loaded());
  const message = async (sentence: string) => {
    const one = written.find((each) => each.sentence === sentence);
    if (one === undefined) throw new Error(sentence);
    return (await submit(review, sent(one))).status?.message ?? '';
  };
  t.match(await message('another key of OpenShift beside them'), 'platform.namespaceWriters of the settings');
  t.match(await message('a project with an owner reference'), '(settings: platform.provisioners, openshift-projects)');
  t.match(
    await message('the level of a namespace that is not its own'),
    'if this provisioner has created the namespace, the platform can write bulkhead.dev/provisioner: ',
  );
  t.match(await message('a project of nobody'), '(settings: platform.provisioners, openshift-projects)');
  t.match(await message('a project of gus, known by a group alone'), 'list gus by name under members of its tenant');
  const foreign = await message('a project of bob under the prefix of another tenant');
  t.match(foreign, 'acme-bob is reserved for another tenant or for the platform');
  t.notMatch(foreign, /tenant acme/);
  t.equal(
    foreign.replaceAll('acme-bob', 'NAME'),
    (await message('a project of bob under a name of the platform')).replaceAll('calico-bob', 'NAME'),
    'one text for every name that is not to be had (TEN-24)',
  );
});

t.test('observe names the account and the domain of a key that no list reserves', async (t) => {
  const observed: Observed[] = [];
  const settings = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Settings', spec: {} };
  const review = reviewing(loaded(settings), true, (one) => observed.push(one));
  const group = written.find(({ sentence }) => sentence === 'an operator group');
  const plain = written.find(({ sentence }) => sentence === 'a key of others that a writer takes away');
  for (const one of [group, plain]) if (one !== undefined) await submit(review, sent(one));
  t.strictSame(
    observed.map(({ findings, member }) => [member, ...findings.map(({ reserved }) => reserved)]),
    [
      [false, 'olm.operatorgroup.uid/'],
      [false, 'team'],
    ],
  );
});
