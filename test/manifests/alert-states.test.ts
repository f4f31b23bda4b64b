/** The state that each alert tells of is brought about in a test, in which the metric shows it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { alertsFile } from '../../manifests/overlays/prometheus/generated-files.ts';

/** For each alert: in which file, and words of the assertion or test there. */
const shown: Readonly<Record<string, readonly [file: string, words: string]>> = {
  BulkheadCallsFail: ['e2e/monitoring', 'a pod is refused because mutate does not answer'],
  BulkheadFailedOpen: ['e2e/monitoring', 'both are passed by'],
  BulkheadSlow: ['e2e/monitoring', 'every series that alerts and dashboard ask for was counted'],
  BulkheadNotReady: ['commands/process-metrics', "'bulkhead_ready 0\\n'"],
  BulkheadOneReplica: ['commands/process-metrics', "'bulkhead_ready 1\\n'"],
  BulkheadCertificateExpires: ['server/connections', 'tls_certificate_expiry_seconds'],
  BulkheadCertificateExpiresNow: ['server/metrics', 'negative when the certificate has expired'],
  BulkheadOverloaded: ['server/webhook-server', 'bulkhead_requests_refused_total{reason="late"} 2'],
  BulkheadReviewErrors: ['server/webhook-server', 'kind="Namespace",operation="CREATE",allowed="false",code="503"'],
  BulkheadDefect: ['server/webhook-server', 'refused_total\\{reason="failed"\\} 1'],
  BulkheadClientsRefused: ['server/client-check', 'bulkhead_requests_refused_total{reason="no-certificate"} 2'],
  BulkheadTenancyNotLoaded: ['main', '/^bulkhead_tenancy_reload_problems [1-9]/m'],
  BulkheadFailurePolicyIgnore: ['e2e/registration', 'bulkhead_webhook_configuration_failure_policy_fail'],
  BulkheadRulesWrong: ['e2e/registration', "(await told('unknown_rules')) && (await told('missing_rules'))"],
  BulkheadCABundleWrong: ['commands/cluster-metrics', 'bulkhead_certificate_in_ca_bundle 0'],
  BulkheadWatchStale: ['client/list-watch', 'how old the knowledge is can be asked'],
  BulkheadChangesNotHandled: ['client/list-watch', 'counters().handlerErrors, 1'],
  BulkheadBaselineWaits: ['client/work-queue', 'a failure does not begin the wait anew'],
  BulkheadBaselineConflict: ['e2e/baseline-contest', 'conflicts: 2'],
  BulkheadBorderIncomplete: ['e2e/data-plane-border', 'border_tenants{state="NotServed"}'],
  BulkheadBorderConflict: ['e2e/data-plane-border', "metric('border_conflicting_objects')) > 0"],
  BulkheadPoliciesNonCompliant: ['e2e/stored-policies', 'bulkhead_policies_noncompliant\\{mode="enforce"\\}'],
  BulkheadPodsWait: ['facts/isolated-namespaces', 'counters().held.refused, 2'],
};

t.test('every alert has been seen in its state', async (t) => {
  const rules: { groups: { rules: { alert: string }[] }[] } = parse(readFileSync(alertsFile, 'utf8'));
  const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
  t.strictSame(Object.keys(shown).sort(), alerts.sort());
  for (const [alert, [file, words]] of Object.entries(shown))
    t.ok(
      readFileSync(`test/${file}.test.ts`, 'utf8').includes(words),
      `${alert}: test/${file}.test.ts says "${words}"`,
    );
});
