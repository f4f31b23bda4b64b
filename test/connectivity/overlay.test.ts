/** A cluster with objects applied to it. */
import t from 'tap';
import { compare } from '../../src/connectivity/compare.ts';
import { namedAsIn, overlaid } from '../../src/connectivity/overlay.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { denyAll, namespace, plainTenancy, pod, policy } from './worlds.ts';

const made = (name: string, hash: string, labels: object) => ({
  ...pod(`acme-web/${name}-${hash}-x`, { ...labels, 'pod-template-hash': hash }),
  metadata: {
    ...{ namespace: 'acme-web', name: `${name}-${hash}-x`, labels: { ...labels, 'pod-template-hash': hash } },
    ownerReferences: [{ controller: true, kind: 'ReplicaSet', name: `${name}-${hash}` }],
  },
  status: { podIPs: [{ ip: '10.1.0.7' }] },
});
const deployment = (name: string, labels: object) => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'acme-web', name } },
  spec: { template: { metadata: { labels }, spec: {} } },
});
const cluster = readSnapshot(
  [
    ...[namespace('acme-web', 'acme'), namespace('beta-web', 'beta'), denyAll('acme-web'), denyAll('beta-web')],
    ...[made('web', 'abc', { app: 'web' }), pod('beta-web/web', { app: 'web' })],
    policy('acme-web/to-beta', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'], egress: [{}] }),
  ],
  plainTenancy,
  { hasPods: true, withBaseline: false },
);
const changed = (objects: Parameters<typeof overlaid>[1], prunes = false) =>
  compare(cluster, overlaid(cluster, objects, plainTenancy, { withBaseline: false, prunes }), plainTenancy).changes.map(
    ({ change, from, to, isCrossing }) =>
      [isCrossing ? 'crossing' : change, ...from.members, '>', ...to.members].join(' '),
  );

t.test('the same again changes nothing, and neither does another hash of the template', async (t) => {
  t.same(changed([]), []);
  t.same(changed([deployment('web', { app: 'web' }), namespace('acme-web')]), []);
  t.same(changed([denyAll('acme-web')]), []);
});

t.test('a workload whose labels change is selected by other policies', async (t) => {
  t.same(changed([deployment('web', { app: 'other' })]), [
    'lost acme-web/Deployment/web > nodes',
    'lost acme-web/Deployment/web > any address',
  ]);
});

t.test('a policy takes the place of the one with its name, and others stay', async (t) => {
  const closed = policy('acme-web/to-beta', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'] });
  t.ok(changed([closed]).every((line) => line.startsWith('lost')));
  t.same(changed([policy('acme-web/more', { podSelector: {}, policyTypes: ['Egress'] })]), []);
});

t.test('what the files leave out is gone only where that is asked for', async (t) => {
  const kept = denyAll('acme-web');
  t.same(changed([kept]), []);
  t.ok(changed([kept], true).includes('lost acme-web/Deployment/web > any address'));
});

t.test('a namespace keeps the labels that a file leaves out, and takes those that it writes', async (t) => {
  t.same(changed([namespace('beta-web', undefined, { team: 'x' })]), []);
  const into = policy('beta-web/in', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] });
  t.ok(changed([into]).includes('crossing acme-web/Deployment/web > beta-web/Pod/web'));
  t.notOk(
    changed([into, namespace('beta-web', 'acme')]).some(
      (line) => line === 'crossing acme-web/Deployment/web > beta-web/Pod/web',
    ),
  );
});

t.test('sets of addresses and policies of a mesh stay, unless the files have others', async (t) => {
  const object = (kind: string, group: string, spec: object) =>
    policy('acme-web/one', spec as Record<string, unknown>, kind, group);
  const sets = (nets: readonly string[]) => object('NetworkSet', 'projectcalico.org/v3', { nets });
  const rules = (spec: object) => object('AuthorizationPolicy', 'security.istio.io/v1', spec);
  const options = { hasPods: true, withBaseline: false };
  const before = readSnapshot([namespace('acme-web'), sets(['203.0.113.0/24']), rules({})], plainTenancy, options);
  const after = (objects: Parameters<typeof overlaid>[1], prunes = false) =>
    overlaid(before, objects, plainTenancy, { withBaseline: false, prunes });
  t.strictSame([after([]).sets, after([]).mesh], [before.sets, before.mesh]);
  t.match(after([sets([])]).sets, [{ set: { addresses: [] } }]);
  t.match(after([rules({ rules: [{}] })]).mesh, [{ object: { spec: { rules: [{}] } } }]);
  t.equal(after([sets([])], true).mesh?.length, 0);
});

t.test('a workload is the same in files and in a cluster, where its owners say so', async (t) => {
  const owned = (kind: string, name: string, labels: object = {}) => ({
    ...{ ...pod(`acme-web/${name}-x`), status: { podIPs: [{ ip: '10.1.0.8' }] } },
    metadata: {
      ...{ namespace: 'acme-web', name: `${name}-x`, labels: { app: 'web', ...labels } },
      ownerReferences: [{ controller: true, kind, name }],
    },
  });
  const template = { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } } };
  const maker = (kind: string, name: string, apiVersion = 'batch/v1') => ({
    ...{ apiVersion, kind, metadata: { namespace: 'acme-web', name } },
    spec: kind === 'CronJob' ? { jobTemplate: { spec: template } } : template,
  });
  const open = policy('acme-web/out', { podSelector: {}, policyTypes: ['Egress'], egress: [{}] });
  const changesOf = (pods: readonly object[], files: readonly object[]) => {
    const objects = [namespace('acme-web', 'acme'), open, ...pods] as Parameters<typeof readSnapshot>[0];
    const written = files as Parameters<typeof overlaid>[1];
    const seen = readSnapshot(objects, plainTenancy, { hasPods: true, withBaseline: false });
    const before = namedAsIn(written, seen);
    const after = overlaid(before, written, plainTenancy, { withBaseline: false, prunes: false });
    return compare(before, after, plainTenancy).changes.flatMap(({ from }) => [...from.members]);
  };
  const [first, second] = ['backup-29391234', 'backup-29391294'].map((name) => owned('Job', name));
  t.same(changesOf([first, second] as object[], [maker('CronJob', 'backup')]), [], 'of a CronJob');
  t.same(
    changesOf(
      [owned('ReplicaSet', 'web-5d', { 'rollouts-pod-template-hash': '5d' })],
      [maker('Rollout', 'web', 'argoproj.io/v1alpha1')],
    ),
    [],
    'of a Rollout',
  );
  for (const [kind, name] of [
    ['Job', 'backup-29391234'],
    ['StatefulSet', 'db'],
    ['DaemonSet', 'agent'],
    ['ReplicaSet', 'web-abc'],
  ] as const)
    t.same(changesOf([owned(kind, name)], [maker(kind, name, kind === 'Job' ? 'batch/v1' : 'apps/v1')]), [], kind);

  const isNew = (pods: readonly object[], files: readonly object[]) =>
    [...new Set(changesOf(pods, files))].includes('acme-web/CronJob/backup');
  t.ok(isNew([owned('Job', 'backup-by-hand')], [maker('CronJob', 'backup')]), 'made by hand: it cannot be known');
  t.ok(
    isNew([first as object], [maker('CronJob', 'backup'), maker('Job', 'backup-29391234')]),
    'a Job that has such a name by itself',
  );
  t.ok(isNew([], [maker('CronJob', 'backup')]), 'between two runs it has no pods');
});

t.test('pods stay that the workload of the files does not make, whatever made them is called', async (t) => {
  const owned = (kind: string, name: string, labels: object) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] }, status: { podIPs: [{ ip: '10.1.0.9' }] } },
    metadata: { namespace: 'acme-web', name: 'x', labels, ownerReferences: [{ controller: true, kind, name }] },
  });
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [] } };
  const maker = (apiVersion: string, kind: string, name: string, spec: object) => ({
    ...{ apiVersion, kind, spec, metadata: { namespace: 'acme-web', name } },
  });
  const selecting = (selector: object) => ({ selector, template });
  const selectors = [
    { matchLabels: { app: 'web' } },
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['web'] }] },
  ];
  const cron = maker('batch/v1', 'CronJob', 'backup', { jobTemplate: { spec: { template } } });
  const special = { app: 'special' };
  const both = { app: 'web', role: 'special' };
  const cases = [
    ['Job/backup-12345678', owned('Job', 'backup-12345678', { ...special, 'job-name': 'x' }), cron],
    ['Job/backup-12345678', owned('Job', 'backup-12345678', both), cron],
    ['CronJob/backup', owned('CronJob', 'backup', special), cron],
    ...selectors.flatMap(
      (selector) =>
        [
          [
            'ReplicaSet/web-5d',
            owned('ReplicaSet', 'web-5d', { ...special, 'pod-template-hash': '5d' }),
            maker('apps/v1', 'Deployment', 'web', selecting(selector)),
          ],
          [
            'ReplicaSet/web-5d',
            owned('ReplicaSet', 'web-5d', { ...special, 'rollouts-pod-template-hash': '5d' }),
            maker('argoproj.io/v1alpha1', 'Rollout', 'web', selecting(selector)),
          ],
          [
            'Deployment/web',
            owned('Deployment', 'web', special),
            maker('apps/v1', 'Deployment', 'web', selecting(selector)),
          ],
        ] as const,
    ),
  ] as const;
  for (const [name, seen, written] of cases) {
    const { labels } = seen.metadata;
    const open = policy('acme-web/out', {
      podSelector: { matchLabels: labels as Record<string, string> },
      policyTypes: ['Egress'],
      egress: [{}],
    });
    const before = readSnapshot([namespace('acme-web', 'acme'), denyAll('acme-web'), seen], plainTenancy, {
      hasPods: true,
      withBaseline: false,
    });
    const gained = (files: readonly (typeof written | typeof open)[]) => {
      const named = namedAsIn(files, before);
      const after = overlaid(named, files, plainTenancy, { withBaseline: false, prunes: false });
      return compare(named, after, plainTenancy).changes.filter(
        ({ change, from }) => change === 'gained' && [...from.members].includes(`acme-web/${name}`),
      );
    };
    t.ok(gained([open, written]).length > 0, `${name} of ${JSON.stringify(labels)}`);
  }
});
