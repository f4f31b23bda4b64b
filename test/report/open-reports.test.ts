/** Reports are bounded, the same for the same findings, and name nothing of another namespace. */
import t from 'tap';
import type { Picture } from '../../src/picture/picture.ts';
import type { FindingGroup } from '../../src/report/audit-report.ts';
import { openReportsOf } from '../../src/report/open-reports.ts';

const namespace = (name: string, tenant: string) => ({
  ...{ name, tenant, pods: 2, onNodes: 0, workloads: [], policies: [] },
  open: { ingress: 0, egress: 1, both: 0 },
});
const picture = (more: Partial<Picture> = {}): Picture => ({
  ...{
    readings: [],
    tenants: [],
    crossings: [],
    outside: [],
    gates: [],
    selectNothing: [],
    openNothing: [],
    layers: [],
    exemptions: [],
    unread: [],
  },
  namespaces: [namespace('b-web', 'beta'), namespace('a-web', 'acme'), namespace('kube-system', '(platform)')],
  ...more,
});
const group = (names: readonly string[], more: Partial<FindingGroup> = {}): FindingGroup => ({
  ...{
    check: 'host-network',
    tenant: 'acme',
    mode: 'warn',
    always: false,
    count: names.length,
    path: 'spec.hostNetwork',
  },
  ...{ fix: 'ask beta', names },
  ...more,
});
const report = (rejected: readonly FindingGroup[], more?: Partial<Picture>, observes = false) =>
  openReportsOf({ rejected, checksPage: 'docs/checks/', observes }, picture(more));

t.test('one for each namespace of a tenant, in the order of their names', async (t) => {
  t.same(
    report([]).map(({ metadata }) => metadata.namespace),
    ['a-web', 'b-web'],
  );
});

t.test('each object is told in its own namespace alone', async (t) => {
  const [acme, beta] = report([group(['Pod a-web/web', 'Namespace a-web', 'Pod kube-system/x', 'Pod unknown/x'])], {
    selectNothing: ['NetworkPolicy b-web/old'],
    openNothing: ['NetworkPolicy a-web/dead'],
  });
  t.match(acme, {
    summary: { pass: 1, fail: 1, warn: 3, skip: 0 },
    results: [
      { policy: 'isolated-ingress', result: 'pass' },
      { policy: 'isolated-egress', result: 'fail', message: 'No policy isolates 1 of 2 pods for egress.' },
      { policy: 'host-network', result: 'warn', resources: [{ kind: 'Pod', namespace: 'a-web', name: 'web' }] },
      { policy: 'host-network', resources: [{ kind: 'Namespace', name: 'a-web' }] },
      { policy: 'opens-nothing' },
    ],
  });
  t.match(beta, { results: [{}, {}, { policy: 'selects-nothing', resources: [{ name: 'old' }] }] });
  t.notMatch(JSON.stringify(acme), /b-web|beta|kube-system|unknown/);
  t.notMatch(JSON.stringify(beta), /a-web|acme/);
});

t.test('what is rejected now fails', async (t) => {
  for (const more of [{ mode: 'enforce' }, { always: true }])
    t.match(report([group(['Pod a-web/web'], more)])[0], {
      results: [
        {},
        {},
        { result: 'fail', message: 'Would be rejected if it were written now: docs/checks/host-network.md' },
      ],
    });
});

t.test('where the settings observe, nothing fails', async (t) => {
  t.match(report([group(['Pod a-web/web'], { mode: 'enforce' })], {}, true)[0], {
    results: [
      {},
      {},
      { result: 'warn', message: 'Would be rejected if the settings enforced it: docs/checks/host-network.md' },
    ],
  });
});

t.test('a report is bounded, and its counts are whole', async (t) => {
  const names = Array.from({ length: 5000 }, (_, index) => `Pod a-web/${'p'.repeat(200)}${index}`);
  const [acme] = report([group(names)]);
  t.match(acme, { summary: { warn: 5000, skip: 1 } });
  t.equal(acme?.results.length, 201);
  t.match(acme?.results.at(-1), {
    policy: 'more',
    message: '4802 more results are not shown; bulkhead audit shows all.',
  });
  t.ok(JSON.stringify(acme).length < 200_000);
});
