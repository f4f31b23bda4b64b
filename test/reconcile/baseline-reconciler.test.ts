import t from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { baselineOf } from '../../src/baseline/baseline.ts';
import { broken } from '../../src/client/failure.ts';
import { createBaselineReconciler } from '../../src/reconcile/baseline-reconciler.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { settings, tenant } from '../baseline/samples.ts';
import type { FakeApiServer, FakeObject } from '../client/fake-api-server.ts';
import { fakeClock, until } from '../client/fake-clock.ts';
import { deny, keep, label, namespace, own, policy } from './kept-baselines.ts';

const service = (name: string): SharedService => ({
  name,
  direction: 'egress',
  namespace: 'kube-system',
  podSelector: { matchLabels: {}, matchExpressions: [] },
  ports: [],
  addresses: [],
});
const baseline = ['bulkhead-allow-within', 'bulkhead-default-deny'];

t.test('a new namespace of a tenant gets exactly its baseline', async (t) => {
  const kept = await keep(t, [tenant({ resourceQuota: { hard: { pods: '5' } } })]);
  kept.server.put('namespaces', namespace('acme-web'));
  kept.server.put('namespaces', namespace('platform', {}));
  await kept.settled();
  t.same(kept.names('acme-web'), [...baseline, 'bulkhead-quota']);
  t.same(kept.names('platform'), [], 'a namespace of nobody gets nothing');
  const [first, ...others] = kept.writes();
  t.equal(first, 'PATCH /apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/bulkhead-default-deny');
  t.same(
    others.sort(),
    [
      'PATCH /api/v1/namespaces/acme-web/resourcequotas/bulkhead-quota',
      'PATCH /apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/bulkhead-allow-within',
    ],
    'the closed door first, and each once',
  );
  const [patch] = kept.server.requests.filter(({ method }) => method === 'PATCH');
  t.equal(patch?.query.get('fieldManager'), 'bulkhead');
  t.equal(patch?.query.get('force'), 'true');
  t.equal(patch?.headers['content-type'], 'application/apply-patch+yaml');
  t.match(kept.reconciler.counters(), { applied: 3, healed: 0, pruned: 0, failed: 0, waiting: 0 });
});

t.test('for a tenant that is not known no baseline is begun, and one that stands is kept', async (t) => {
  const kept = await keep(t, [], (server) => server.put('namespaces', namespace('acme-web')));
  const seen = async (tenants: readonly Tenant[]) => {
    kept.replace(tenants);
    await kept.settled();
    return kept.names('acme-web');
  };
  t.same(await seen([]), [], 'its mode is not known');
  t.match(kept.events, [
    /^acme-web BaselineWithheld: not isolated while no tenant acme is known; mode enforce puts in place: /,
  ]);
  t.equal(kept.reconciler.counters().withheld, 1);
  t.same(await seen([tenant({ mode: 'audit' })]), [], 'it was audit');
  t.same(await seen([]), [], 'and may be again');
  t.same(await seen([tenant({})]), baseline, 'mode enforce begins it');
  t.same(await seen([]), baseline, 'the tenant is gone, its namespaces stay closed');
  kept.server.remove('networkpolicies', 'bulkhead-allow-within', 'acme-web');
  await kept.settled();
  t.same(kept.names('acme-web'), baseline, 'and are kept so');
});

t.test('a cluster that is as it should be is not written to', async (t) => {
  const quota = { hard: { pods: '5', 'requests.memory': '1Gi' } };
  const stored = { hard: { pods: '5', 'requests.memory': '1024Mi' } };
  const within = { namespaceSelector: { matchLabels: { [label]: 'acme' } } };
  const kept = await keep(t, [tenant({ resourceQuota: quota })], (server) => {
    const uid = server.put('namespaces', namespace('acme-web')).metadata.uid ?? '';
    const wanted = baselineOf('acme-web', tenant({ resourceQuota: quota }), settings([]));
    const annotated = ({ metadata, ...rest }: FakeObject, tied: object = {}): FakeObject => {
      const annotations = wanted.find((one) => one.metadata.name === metadata.name)?.metadata.annotations;
      return { ...rest, metadata: { ...metadata, annotations: { ...annotations, ...tied } } };
    };
    const door = policy('bulkhead-default-deny', deny);
    server.put('networkpolicies', annotated(door, { 'bulkhead.dev/namespace-uid': uid }));
    const inside = { ...deny, ingress: [{ from: [within] }], egress: [{ to: [within] }] };
    server.put('networkpolicies', annotated(policy('bulkhead-allow-within', inside)));
    const limits = policy('bulkhead-quota', stored);
    server.put('resourcequotas', { ...annotated(limits), apiVersion: 'v1', kind: 'ResourceQuota' });
  });
  await kept.settled();
  t.same(kept.writes(), []);
  await t.test('also when the status of the quota changes', async (t) => {
    const quota = kept.server.get('resourcequotas', 'bulkhead-quota', 'acme-web');
    if (quota) kept.server.put('resourcequotas', { ...quota, status: { used: { pods: '1' } } });
    await kept.settled();
    t.same(kept.writes(), []);
  });
});

t.test('what is deleted or edited is put back', async (t) => {
  const edits: [string, (server: FakeApiServer) => void, string[]][] = [
    ['deleted', (server) => server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web'), ['PATCH']],
    [
      'fewer directions',
      (server) => server.put('networkpolicies', policy('bulkhead-default-deny', { ...deny, policyTypes: ['Ingress'] })),
      ['PATCH'],
    ],
    [
      'a rule that opens all, which server-side apply leaves',
      (server) => server.put('networkpolicies', policy('bulkhead-default-deny', { ...deny, ingress: [{}] })),
      ['PATCH', 'PUT'],
    ],
    [
      'no tenant label',
      (server) => server.put('networkpolicies', policy('bulkhead-default-deny', deny, own)),
      ['PATCH'],
    ],
    [
      'not marked as managed any more',
      (server) => server.put('networkpolicies', policy('bulkhead-default-deny', deny, { [label]: 'acme' })),
      ['PATCH'],
    ],
    [
      'given an owner, with which it would be deleted',
      (server) => {
        const { metadata, ...rest } = policy('bulkhead-default-deny', deny);
        server.put('networkpolicies', {
          ...rest,
          metadata: { ...metadata, ownerReferences: [{ kind: 'ConfigMap', name: 'x', uid: 'y' }] },
        });
      },
      ['PATCH', 'PUT'],
    ],
  ];
  edits.push([
    'given a finalizer, with which it would outstay its namespace',
    (server) => {
      const { metadata, ...rest } = policy('bulkhead-default-deny', deny);
      server.put('networkpolicies', { ...rest, metadata: { ...metadata, finalizers: ['example.org/stay'] } });
    },
    ['PATCH', 'PUT'],
  ]);
  for (const [name, edit, methods] of edits) {
    await t.test(name, async (t) => {
      const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')));
      await kept.settled();
      const before = kept.writes().length;
      edit(kept.server);
      await kept.settled();
      t.same(kept.names('acme-web'), baseline);
      const stored = kept.server.get('networkpolicies', 'bulkhead-default-deny', 'acme-web');
      t.same(stored?.spec, deny);
      t.same(stored?.metadata.labels, { ...own, [label]: 'acme' });
      t.equal(stored?.metadata.ownerReferences, undefined);
      t.equal(stored?.metadata.finalizers, undefined);
      t.same(
        kept
          .writes()
          .slice(before)
          .map((write) => write.split(' ')[0]),
        methods,
      );
      t.match(kept.reconciler.counters(), { applied: 2, healed: 1, failed: 0 });
    });
  }
});

t.test('what no tenant wants any more is removed, and nothing else', async (t) => {
  const kept = await keep(t, [tenant({})], (server) => {
    server.put('namespaces', namespace('acme-web'));
    server.put('networkpolicies', policy('bulkhead-allow-old-service', { podSelector: {} }));
    server.put('networkpolicies', policy('mine', { podSelector: {} }, {}));
    server.put('networkpolicies', policy('bulkhead-unmarked', { podSelector: {} }, {}));
    server.put('networkpolicies', policy('marked-by-mistake', { podSelector: {} }));
  });
  await kept.settled();
  const others = ['bulkhead-unmarked', 'marked-by-mistake', 'mine'];
  t.same(kept.names('acme-web').sort(), [...baseline, ...others].sort());
  t.match(kept.reconciler.counters(), { applied: 2, pruned: 1 });

  await t.test('when the tenant opens less inside', async (t) => {
    kept.replace([tenant({ within: 'none' })]);
    await kept.settled();
    t.same(kept.names('acme-web').sort(), ['bulkhead-default-deny', ...others].sort());
  });
  await t.test('when the namespace is the platform\u2019s again', async (t) => {
    kept.server.put('namespaces', namespace('acme-web', {}));
    await kept.settled();
    t.same(kept.names('acme-web').sort(), others);
  });
  t.equal(kept.reconciler.counters().healed, 0, 'own removals are not somebody else\u2019s');
});

t.test('an object that was made anew is not removed in place of the old one', async (t) => {
  const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')));
  await kept.settled();
  kept.server.put('networkpolicies', policy('bulkhead-old', { podSelector: {} }));
  await kept.settled();
  const deletion = kept.server.requests.find(({ method }) => method === 'DELETE');
  t.match(deletion?.body, { kind: 'DeleteOptions', preconditions: { uid: /^uid-/ } });
});

t.test('a tenant in another mode than enforce is told what it would get', async (t) => {
  const objects = 'NetworkPolicy bulkhead-default-deny, NetworkPolicy bulkhead-allow-within';
  const modes = [
    ['audit', []],
    [
      'warn',
      [
        `acme-web BaselineWithheld: not isolated while tenant acme is in mode warn; mode enforce puts in place: ${objects}`,
      ],
    ],
  ] as const;
  for (const [mode, events] of modes) {
    await t.test(mode, async (t) => {
      const kept = await keep(t, [tenant({ mode })], (server) => server.put('namespaces', namespace('acme-web')));
      await kept.settled();
      t.same(kept.writes(), [], 'nothing is put in place');
      const lines = () => kept.logged.filter((line) => line.startsWith('mode enforce would put'));
      t.match(lines(), [`"namespace":"acme-web","tenant":"acme","mode":"${mode}"`], 'one line says what would be');
      t.same(kept.events, events);
      t.equal(kept.reconciler.counters().withheld, 1);

      kept.server.put('namespaces', namespace('acme-web', { [label]: 'acme', team: 'web' }));
      await kept.settled();
      t.equal(lines().length, 1, 'and it is said once');

      kept.replace([tenant({})]);
      await kept.settled();
      t.same(kept.names('acme-web'), baseline, 'mode enforce puts it in place');
      t.equal(kept.reconciler.counters().withheld, 0);
    });
  }
});

t.test('while the settings say observe no baseline is begun, and one that stands is kept', async (t) => {
  const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')));
  await kept.settled();
  kept.replace([tenant({})], { ...settings([]), enforcement: 'observe' });
  kept.server.put('namespaces', namespace('acme-new'));
  await kept.settled();
  t.same(kept.names('acme-web'), baseline, 'what stands is kept');
  t.same(kept.names('acme-new'), [], 'nothing is begun');
  t.match(kept.events.toSorted(), [
    /^acme-new BaselineWithheld: not isolated while the settings say observe; enforcement: enforce puts in place: /,
    /^acme-web BaselineKept: bulkhead-default-deny stays, although the settings say observe; /,
  ]);
  kept.replace([tenant({})], settings([]));
  await kept.settled();
  t.same(kept.names('acme-new'), baseline, 'enforce begins it');
});

t.test('a baseline that stands is kept when the mode is eased, until the platform opens the door', async (t) => {
  const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')));
  await kept.settled();
  for (const mode of ['warn', 'audit'] as const) {
    kept.replace([tenant({ mode })]);
    kept.server.put('networkpolicies', policy('bulkhead-allow-within', { ...deny, ingress: [{}] }));
    await kept.settled();
    t.same(kept.names('acme-web'), baseline, `mode ${mode} takes nothing away`);
    t.match(
      kept.events.find((one) => one.includes(`mode ${mode};`)),
      /^acme-web BaselineKept: bulkhead-default-deny stays, although tenant acme is in mode \w+; to open the namespace delete it: kubectl delete networkpolicy bulkhead-default-deny -n acme-web$/,
      'an Event says so, and how to open the namespace',
    );
    const within = kept.server.get('networkpolicies', 'bulkhead-allow-within', 'acme-web');
    t.not(JSON.stringify(within?.spec), JSON.stringify({ ...deny, ingress: [{}] }), 'and what is edited is put back');
  }
  t.equal(kept.reconciler.counters().withheld, 0);

  kept.server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web');
  await kept.settled();
  t.same(kept.names('acme-web'), [], 'without the closed door the rest makes no sense and goes too');
  t.equal(kept.reconciler.counters().withheld, 1);
});

t.test('a closed door of an earlier namespace of that name does not begin a baseline', async (t) => {
  const { metadata, ...door } = policy('bulkhead-default-deny', deny);
  const annotations = { 'bulkhead.dev/namespace-uid': 'of-another-one' };
  const kept = await keep(t, [tenant({ mode: 'warn' })], (server) => {
    server.put('namespaces', namespace('acme-web'));
    server.put('networkpolicies', { ...door, metadata: { ...metadata, annotations } });
  });
  await kept.settled();
  t.same(kept.names('acme-web'), []);
});

t.test('an Event says what was put back, and what could not be put in place', async (t) => {
  const kept = await keep(t, [tenant({ within: 'none' })], (server) => server.put('namespaces', namespace('acme-web')));
  await kept.settled();
  t.same(kept.events, [], 'nothing worth a word');
  kept.server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web');
  await kept.settled();
  const healed = 'restored after it was deleted or changed: NetworkPolicy bulkhead-default-deny';
  t.same(kept.events, [`acme-web BaselineHealed: ${healed}`]);
  kept.server.failNext({ kind: 'status', code: 403, reason: 'Forbidden' }, ({ method }) => method === 'PATCH');
  kept.server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web');
  await until('the failure is counted', () => kept.reconciler.counters().failed === 1);
  t.equal(
    kept.events[1],
    'acme-web BaselineFailed: the baseline could not be put in place: 403 Forbidden says the fake',
  );
});

t.test('nothing is made in a namespace that is being deleted', async (t) => {
  const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')));
  await kept.settled();
  const writes = kept.writes().length;
  kept.server.put(
    'namespaces',
    namespace('acme-web', { [label]: 'acme' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  );
  kept.server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web');
  kept.server.remove('networkpolicies', 'bulkhead-allow-within', 'acme-web');
  kept.server.remove('namespaces', 'acme-web');
  await kept.settled();
  t.equal(kept.writes().length, writes);
  t.match(kept.reconciler.counters(), { healed: 0, failed: 0 });

  await t.test('and one that is made anew under its name is kept again', async (t) => {
    kept.server.put('namespaces', namespace('acme-web'));
    await kept.settled();
    t.same(kept.names('acme-web'), baseline);
  });
});

t.test(
  'what stands in a namespace that is being deleted is kept as it should be, for the pods that still run',
  async (t) => {
    const ending = namespace('acme-web', { [label]: 'acme' }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    const kept = await keep(t, [tenant({})], (server) => server.put('namespaces', namespace('acme-web')));
    await kept.settled();
    const { server } = kept;
    const uid = server.get('namespaces', 'acme-web')?.metadata.uid ?? '';
    server.put('namespaces', { ...ending, metadata: { ...ending.metadata, uid } });
    const door = server.get('networkpolicies', 'bulkhead-default-deny', 'acme-web');
    server.put('networkpolicies', {
      ...policy('bulkhead-default-deny', {}),
      ...door,
      spec: { ...deny, ingress: [{}] },
    });
    await kept.settled();
    t.same(server.get('networkpolicies', 'bulkhead-default-deny', 'acme-web')?.spec, deny, 'what is opened is closed');
    kept.replace([tenant({ within: 'none' })]);
    await kept.settled();
    t.same(kept.names('acme-web'), ['bulkhead-default-deny'], 'what is not wanted any more is removed');
    kept.replace([tenant({})]);
    await kept.settled();
    t.same(kept.names('acme-web'), ['bulkhead-default-deny'], 'and nothing is made');
    kept.replace([]);
    await kept.settled();
    t.same(kept.names('acme-web'), ['bulkhead-default-deny'], 'the door stays whatever comes');
  },
);

t.test('a namespace that is said to end but known to live is tried again until one of the two is right', async (t) => {
  const ends: readonly [string, object][] = [
    ['it terminates', { code: 403, reason: 'Forbidden', cause: 'NamespaceTerminating' }],
    ['it is gone', { code: 404, reason: 'NotFound' }],
  ];
  for (const [name, status] of ends) {
    const kept = await keep(t, [tenant({})]);
    kept.server.failNext({ kind: 'status', code: 500, ...status }, ({ method }) => method === 'PATCH');
    kept.server.put('namespaces', namespace('acme-web'));
    await until('the answer is counted', () => kept.reconciler.counters().failed === 1);
    t.same(kept.writes().length, 1, `${name}: the others are not tried`);
    kept.clock.advance(1_000);
    await kept.settled();
    t.same(kept.names('acme-web'), baseline, `${name}: it was the one before, of the same name`);
  }
});

t.test('one object that fails holds up no other, and is tried again', async (t) => {
  const kept = await keep(t, [tenant({})]);
  kept.server.failNext({ kind: 'status', code: 429, retryAfter: 3 }, ({ path }) =>
    path.endsWith('bulkhead-default-deny'),
  );
  kept.server.put('namespaces', namespace('acme-web'));
  await kept.settled();
  t.equal(kept.reconciler.counters().failed, 1);
  t.same(kept.names('acme-web'), ['bulkhead-allow-within']);
  kept.clock.advance(2_999);
  t.equal(kept.reconciler.counters().waiting, 1, 'not before the server wants it');
  kept.clock.advance(1);
  await kept.settled();
  t.same(kept.names('acme-web'), baseline);
  t.match(kept.reconciler.counters(), { applied: 2, failed: 1 });
});

t.test('an object that a webhook stores in another form is a failure, not an endless loop', async (t) => {
  const kept = await keep(t, [tenant({ within: 'none' })]);
  kept.server.mutate = (object) => ({ ...object, spec: { ...(object.spec as object), policyTypes: ['Ingress'] } });
  kept.server.put('namespaces', namespace('acme-web'));
  await until('the failure is counted', () => kept.reconciler.counters().failed === 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(kept.writes().length, 2, 'applied, then updated, and then a wait');
  t.equal(kept.reconciler.counters().waiting, 1);
});

t.test('a write that the watch does not tell of is looked at again', async (t) => {
  const kept = await keep(t, [tenant({ within: 'none' })]);
  for (const watch of kept.server.watches) if (watch.resource === 'networkpolicies') watch.mute();
  kept.server.put('namespaces', namespace('acme-web'));
  await until('it is applied', () => kept.reconciler.counters().applied === 1);
  kept.clock.advance(5_000);
  await until('it is applied again', () => kept.writes().length === 2);
  t.same(kept.names('acme-web'), ['bulkhead-default-deny']);
});

t.test('the objects of a baseline are written at once, behind the closed door, and never too many', async (t) => {
  const kept = await keep(t, [tenant({})]);
  const services = Array.from({ length: 10 }, (_, index) => service(`service-${index}`));
  kept.replace([tenant({})], settings(services));
  kept.server.put('namespaces', namespace('acme-1'));
  await kept.settled();
  t.equal(kept.most(), 2, 'two of one namespace');
  for (let index = 2; index < 30; index++) kept.server.put('namespaces', namespace(`acme-${index}`));
  await kept.settled();
  t.ok(kept.most() > 8 && kept.most() <= 16, `${kept.most()} of all, at most 16`);
  for (let index = 1; index < 30; index++) {
    const [first, ...others] = kept.writes().filter((write) => write.includes(`/acme-${index}/`));
    t.match(first, /default-deny$/);
    t.equal(others.length, services.length + 1);
  }
});

t.test('who waits for a namespace has it looked at, also when nothing is known to be wrong', async (t) => {
  const written: string[] = [];
  const connection = {
    request: async (method: string, path: string) => {
      written.push(`${method} ${path.split('?')[0]}`);
      return broken('no');
    },
  };
  let record: NamespaceRecord | undefined;
  const ignore = () => {};
  const reconciler = createBaselineReconciler(
    connection as never,
    fakeClock(),
    { info: ignore, warn: ignore, error: ignore },
    () => createTenancy(settings([]), [tenant({ within: 'none' })]),
    () => record,
    { record: () => true },
  );
  reconciler.expedite('acme-web');
  reconciler.begin();
  reconciler.expedite('acme-web');
  t.same(written, [], 'not before all is known, and not where there is no namespace');
  record = { name: 'acme-web', uid: 'u', labels: { [label]: 'acme' }, terminating: false };
  reconciler.expedite('acme-web');
  await until('it is written', () => written.length > 0);
  t.same(written, ['PATCH /apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies/bulkhead-default-deny']);
  await reconciler.stop();
});

t.test('nothing is written before everything is known', async (t) => {
  const clock = fakeClock();
  const connection = { request: async () => t.fail('a write'), open: async () => t.fail('a read'), close: () => {} };
  const record = { name: 'acme-web', uid: 'u', labels: { [label]: 'acme' }, terminating: false };
  const ignore = () => {};
  const reconciler = createBaselineReconciler(
    connection as never,
    clock,
    { info: ignore, warn: ignore, error: ignore },
    () => createTenancy(settings([]), [tenant({})]),
    () => record,
    { record: () => true },
  );
  reconciler.namespaceChanged('acme-web');
  reconciler.tenancyChanged();
  t.equal(reconciler.counters().waiting, 0);
  await reconciler.stop();
});
