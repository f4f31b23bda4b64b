/** Cases from the field (test/field) about reserved keys: the right answer to each object. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { createAdmission } from '../../src/admission/admission.ts';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { type Response, submit } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

type Answer = Pick<Response, 'allowed'> & {
  readonly paths: readonly string[];
  readonly text: string;
  readonly said: Response;
};

/**
 * The answers to the objects of a case, by file, each in its order.
 *
 * @param platform fields of the settings in place of those that are written
 * @param mode of all tenants, in place of their own
 */
async function answersOf(
  folder: string,
  platform: object = {},
  mode?: string,
): Promise<ReadonlyMap<string, readonly Answer[]>> {
  const place = join(import.meta.dirname, '../field', folder);
  const located = (path: string) => ({ value: more(documentsIn(path)[0], platform, mode), locate: unlined(path) });
  const tenants = readdirSync(join(place, 'tenants')).map((file) => located(join(place, 'tenants', file)));
  const loaded = loadTenancy(located(join(place, 'settings.yaml')), tenants, Date.now());
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join());
  const records = new Map(
    documentsIn(join(place, 'namespaces/namespaces.yaml')).map(({ metadata: { name, labels } }) => {
      const record: NamespaceRecord = { name, uid: `uid-of-${name}`, labels, terminating: false };
      return [name, record] as const;
    }),
  );
  const review = createAdmission({
    tenancy: () => loaded.value,
    namespaces: {
      ...createWorld().namespaces,
      lookup: (name) => records.get(name),
      fetch: async (name) => records.get(name),
      isFree: (name) => !records.has(name),
    },
    onDefect(error) {
      throw error;
    },
  });
  const answers = new Map<string, Answer[]>();
  for (const file of readdirSync(join(place, 'objects')).sort()) {
    const path = join(place, 'objects', file);
    const [, username = '', groups = '', operation = 'CREATE'] =
      /^# as: (\S+) \[([^\]]*)\] ?(\S*)/.exec(readFileSync(path, 'utf8')) ?? [];
    const user = { username, groups: groups.split(', ') };
    const objects = documentsIn(path);
    const sent =
      operation === 'UPDATE'
        ? [{ user, operation: 'UPDATE', oldObject: objects[0], object: objects[1] } as const]
        : objects.map((object) => ({ user, operation: 'CREATE', object }) as const);
    answers.set(file, []);
    for (const one of sent) {
      const said = await submit(review, one);
      const text = said.status?.message ?? '';
      answers.get(file)?.push({ allowed: said.allowed, paths: findingsIn(text).map(({ path }) => path), text, said });
    }
  }
  return answers;
}

/** Settings with more fields of `platform`; tenants as they are, or with another mode. */
function more(
  document: { kind: string; spec: { platform?: object; mode?: string } },
  platform: object,
  mode?: string,
): unknown {
  if (document.kind !== 'Settings')
    return mode === undefined ? document : { ...document, spec: { ...document.spec, mode } };
  return { ...document, spec: { ...document.spec, platform: { ...document.spec.platform, ...platform } } };
}

function documentsIn(path: string) {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
}

t.test('a service mesh on the cluster', async (t) => {
  const answers = await answersOf('mesh-injection');
  t.strictSame(
    answers.get('01-injected-with-cni-plugin.yaml')?.map(({ text }) => text),
    [''],
    'what the injector wrote',
  );
  t.strictSame(
    answers.get('02-opt-in.yaml')?.map(({ text }) => text),
    ['', ''],
    'joining takes nothing away',
  );
  const [job, pod] = answers.get('03-hook-job-opts-out.yaml') ?? [];
  t.equal(job?.allowed, true, 'a Job is not refused');
  t.match(job?.said.warnings?.[0], /^reserved-labels refuses the pods: spec\.template\.metadata\.annotations\[sidecar/);
  t.strictSame(pod?.paths, ['metadata.annotations[sidecar.istio.io/inject]']);
  t.match(pod?.text, 'would be set, and this key can take the pod, or some of its traffic, out of the mesh');
  t.match(pod?.text, 'or ask the platform team (settings: mesh, reserved.allowedValues, reserved.released)');
});

for (const mode of ['warn', 'audit'])
  t.test(`a service mesh on the cluster stops no pod in mode ${mode}`, async (t) => {
    const answers = await answersOf('mesh-injection', {}, mode);
    for (const [file, all] of answers)
      for (const { allowed, text } of all) t.strictSame([allowed, text], [true, ''], file);
    const [, pod] = answers.get('03-hook-job-opts-out.yaml') ?? [];
    t.match(pod?.said.auditAnnotations, { checks: 'reserved-labels', mode }, 'the finding is recorded');
    const path = 'metadata.annotations[sidecar.istio.io/inject]';
    t.equal(
      pod?.said.warnings?.some((warning) => warning.includes(path)),
      mode === 'warn' || undefined,
      'its author is warned in mode warn alone',
    );
  });

t.test('a tenant in mode audit keeps its StatefulSet', async (t) => {
  const [broker] = (await answersOf('audit-mode')).get('01-broker-comes-back-after-a-drain.yaml') ?? [];
  t.strictSame([broker?.allowed, broker?.text], [true, '']);
});

t.test('controllers that annotate namespaces are told what the key does, whosever the namespace is', async (t) => {
  const answers = await answersOf('controllers-that-annotate-namespaces');
  t.equal(answers.size, 4);
  for (const [file, key] of [
    ['01-uid-ranges.yaml', 'openshift.io/sa.scc.uid-range'],
    ['02-uid-ranges-of-a-platform-namespace.yaml', 'openshift.io/sa.scc.uid-range'],
    ['04-network-operator.yaml', 'projectcalico.org/operator-node-migration'],
  ] as const) {
    const [answer] = answers.get(file) ?? [];
    t.equal(answer?.allowed, false, `${file}: the account is not listed`);
    t.ok(
      answer?.paths.some((path) => path.endsWith(`[${key}]`)),
      file,
    );
    t.notMatch(answer?.text, /of tenants that key/, `${file}: it may be a namespace of no tenant`);
  }
  const [group] = answers.get('03-operator-group.yaml') ?? [];
  t.strictSame([group?.allowed, group?.paths], [false, ['metadata.labels']]);
  t.match(group?.text, /olm-operator-serviceaccount acts neither for its owner nor for the platform/);
  t.match(group?.text, /belongs in platform\.namespaceWriters of the settings/);
});

t.test('controllers that are platform identities write their keys', async (t) => {
  const identity = (namespace: string, name: string) => ({ kind: 'ServiceAccount', namespace, name });
  const identities = [
    identity('openshift-infra', 'namespace-security-allocation-controller'),
    identity('olm', 'olm-operator-serviceaccount'),
    identity('tigera-operator', 'tigera-operator'),
  ];
  const answers = await answersOf('controllers-that-annotate-namespaces', { identities });
  t.equal(answers.size, 4);
  for (const [file, all] of answers)
    for (const { allowed, text } of all) t.strictSame([allowed, text], [true, ''], file);
});

t.test('controllers that the settings list write exactly their keys', async (t) => {
  const writer = (namespace: string, name: string, ...keys: readonly string[]) => ({
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
    keys,
  });
  const ranges = ['openshift.io/sa.scc.uid-range', 'openshift.io/sa.scc.mcs'];
  const allocator = (...keys: readonly string[]) =>
    writer('openshift-infra', 'namespace-security-allocation-controller', ...keys);
  const answers = (...namespaceWriters: readonly object[]) =>
    answersOf('controllers-that-annotate-namespaces', { namespaceWriters });
  const others = [
    writer('olm', 'olm-operator-serviceaccount', 'olm.operatorgroup.uid/'),
    writer('tigera-operator', 'tigera-operator', 'projectcalico.org/operator-node-migration'),
  ];
  for (const [file, [answer]] of await answers(allocator(...ranges), ...others))
    t.strictSame([answer?.allowed, answer?.text], [true, ''], file);
  const [first] = (await answers(allocator('openshift.io/sa.scc.uid-range'))).get('01-uid-ranges.yaml') ?? [];
  t.match(first?.paths, ['metadata.annotations[openshift.io/sa.scc.mcs]'], 'the other key is refused by its name');
  t.match(first?.text, 'platform.namespaceWriters of the settings');
});
