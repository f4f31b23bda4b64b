import t from 'tap';
import { kindNames } from '../../src/kinds/kind-names.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { admitted } from './serving.ts';

t.test('a review is counted by what it was about and what it came to', async (t) => {
  const metrics = createMetrics();
  metrics.reviewed({ ...admitted, phase: 'mutate' }, 0.0004);
  metrics.reviewed(admitted, 0.003);
  metrics.reviewed(admitted, 5);
  metrics.reviewed({ ...admitted, allowed: false, code: 403, checks: ['host-network', 'host-ports'] }, 0.02);
  metrics.reviewed({ ...admitted, mode: 'audit', checks: ['host-ports'] }, 0.02);
  metrics.reviewed({ ...admitted, phase: 'warn', exempted: ['host-path'] }, 0.02);
  metrics.reviewed({ ...admitted, phase: 'validate', exempted: ['host-ports'] }, 0.00001);
  const text = await metrics.registry.metrics();
  const lines = [
    'bulkhead_exemptions_used_total{check="host-ports"} 1',
    'bulkhead_reviews_total{phase="mutate",kind="Pod",operation="CREATE",allowed="true",code="200"} 1',
    'bulkhead_reviews_total{phase="validate",kind="Pod",operation="CREATE",allowed="true",code="200"} 4',
    'bulkhead_reviews_total{phase="validate",kind="Pod",operation="CREATE",allowed="false",code="403"} 1',
    'bulkhead_findings_total{check="host-network",mode="enforce"} 1',
    'bulkhead_findings_total{check="host-ports",mode="enforce"} 1',
    'bulkhead_findings_total{check="host-ports",mode="audit"} 1',
    'bulkhead_review_duration_seconds_bucket{le="0.001",phase="mutate"} 1',
    'bulkhead_review_duration_seconds_bucket{le="0.0025",phase="validate"} 1',
    'bulkhead_review_duration_seconds_bucket{le="0.005",phase="validate"} 2',
    'bulkhead_review_duration_seconds_bucket{le="2.5",phase="validate"} 4',
    'bulkhead_review_duration_seconds_bucket{le="+Inf",phase="validate"} 5',
  ];
  for (const line of lines) t.ok(text.includes(`${line}\n`), line);
  t.notMatch(text, 'host-path', 'a warning to the author of a workload is no use of an exemption');
});

t.test('every kind that is understood has its label', async (t) => {
  const metrics = createMetrics();
  const names = [...kindNames];
  for (const kind of names) metrics.reviewed({ ...admitted, phase: 'warn', kind }, 0.001);
  const text = await metrics.registry.metrics();
  for (const kind of names) {
    t.match(
      text,
      `bulkhead_reviews_total{phase="warn",kind="${kind}",operation="CREATE",allowed="true",code="200"} 1\n`,
    );
  }
  t.match(text, `bulkhead_review_duration_seconds_count{phase="warn"} ${names.length}\n`);
});

t.test('what a forged request says makes no label (SRV-15)', async (t) => {
  const metrics = createMetrics();
  for (let index = 0; index < 50; index++) {
    metrics.reviewed(
      {
        ...admitted,
        kind: `Kind${index}`,
        operation: `DO-${index}`,
        tenant: `tenant-${index}`,
        namespace: `n-${index}`,
      },
      0.001,
    );
  }
  const reviews = (await metrics.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('bulkhead_reviews_total{'));
  t.same(reviews, [
    'bulkhead_reviews_total{phase="validate",kind="other",operation="other",allowed="true",code="200"} 50',
  ]);
});

t.test('the state of the server is shown', async (t) => {
  const metrics = createMetrics();
  t.match(await metrics.registry.metrics(), 'bulkhead_tenancy_reload_problems 0\n');
  metrics.tenancyProblems(3);
  metrics.inFlight(7);
  metrics.serving(Date.now() - 60_000);
  metrics.refused('overloaded');
  const text = await metrics.registry.metrics();
  t.match(text, 'bulkhead_tenancy_reload_problems 3\n');
  t.match(text, 'bulkhead_requests_in_flight 7\n');
  t.match(text, /bulkhead_tls_certificate_expiry_seconds -6\d\n/, 'negative when the certificate has expired');
  t.match(text, 'bulkhead_requests_refused_total{reason="overloaded"} 1\n');
  t.match(text, 'nodejs_eventloop_lag_seconds', 'and the process itself');
});
