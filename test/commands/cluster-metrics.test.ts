import { Registry } from 'prom-client';
import t from 'tap';
import type { ClusterCounters } from '../../src/cluster/cluster.ts';
import { registerClusterMetrics } from '../../src/commands/cluster-metrics.ts';
import { baselines, borders, certificates, failurePolicy, counters as figures } from './counters.ts';

async function scraped(counters: Partial<ClusterCounters>): Promise<string[]> {
  const registry = new Registry();
  registerClusterMetrics(registry, {
    counters: () => ({
      ...figures,
      baselines: undefined,
      borders: undefined,
      failurePolicy: undefined,
      certificates: undefined,
      ...counters,
    }),
  });
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

t.test('what is counted is scraped', async (t) => {
  t.strictSame((await scraped({ baselines })).sort(), [
    'bulkhead_baseline_conflicting_objects 13',
    'bulkhead_baseline_longest_wait_seconds 2.5',
    'bulkhead_baseline_objects_total{result="applied"} 5',
    'bulkhead_baseline_objects_total{result="failed"} 2',
    'bulkhead_baseline_objects_total{result="healed"} 4',
    'bulkhead_baseline_objects_total{result="pruned"} 3',
    'bulkhead_baseline_waiting_namespaces 1',
    'bulkhead_baseline_withheld_namespaces 6',
    'bulkhead_events_total{result="failed"} 21',
    'bulkhead_events_total{result="suppressed"} 29',
    'bulkhead_events_total{result="written"} 27',
    'bulkhead_gates{state="Expired"} 65',
    'bulkhead_gates{state="HalfOpen"} 63',
    'bulkhead_gates{state="Mismatched"} 64',
    'bulkhead_gates{state="Open"} 62',
    'bulkhead_layer_comparisons_total{result="busy"} 55',
    'bulkhead_layer_comparisons_total{result="failed"} 58',
    'bulkhead_layer_comparisons_total{result="large"} 57',
    'bulkhead_layer_comparisons_total{result="late"} 54',
    'bulkhead_layer_comparisons_total{result="listed"} 53',
    'bulkhead_layer_comparisons_total{result="often"} 56',
    'bulkhead_live_requests_total{result="joined"} 40',
    'bulkhead_live_requests_total{result="refused"} 41',
    'bulkhead_live_requests_total{result="sent"} 39',
    'bulkhead_live_requests{state="in-flight"} 37',
    'bulkhead_live_requests{state="waiting"} 38',
    'bulkhead_pods_held 2',
    'bulkhead_pods_held_total{result="ended"} 11',
    'bulkhead_pods_held_total{result="isolated"} 10',
    'bulkhead_pods_held_total{result="refused"} 12',
    'bulkhead_policies_crossing{direction="egress"} 54',
    'bulkhead_policies_crossing{direction="ingress"} 53',
    'bulkhead_policies_noncompliant{mode="audit"} 16',
    'bulkhead_policies_noncompliant{mode="enforce"} 14',
    'bulkhead_policies_noncompliant{mode="warn"} 15',
    'bulkhead_policy_readings_total{result="completed"} 17',
    'bulkhead_policy_readings_total{result="failed"} 18',
    'bulkhead_tenant_namespaces{isolation="both"} 55',
    'bulkhead_tenant_namespaces{isolation="egress"} 57',
    'bulkhead_tenant_namespaces{isolation="ingress"} 56',
    'bulkhead_tenant_namespaces{isolation="none"} 58',
    'bulkhead_tenants{mode="audit"} 61',
    'bulkhead_tenants{mode="enforce"} 59',
    'bulkhead_tenants{mode="warn"} 60',
    'bulkhead_watch_failures_total{resource="namespaces"} 1',
    'bulkhead_watch_handler_errors_total{resource="namespaces"} 0',
    'bulkhead_watch_lists_total{resource="namespaces"} 2',
    'bulkhead_watch_objects{resource="namespaces"} 7',
    'bulkhead_watch_staleness_seconds{resource="namespaces"} 1.5',
    'bulkhead_watch_watches_total{resource="namespaces"} 3',
  ]);
});

t.test('where registrations are looked after, it is told what became of them', async (t) => {
  const lines = (await scraped({ failurePolicy })).filter((line) =>
    /^bulkhead_(webhook_configuration|probes)/.test(line),
  );
  t.strictSame(
    lines.sort(),
    [
      'bulkhead_webhook_configuration_failure_policy_fail{configuration="mutating/bulkhead"} 0',
      'bulkhead_webhook_configuration_failure_policy_fail{configuration="validating/bulkhead"} 1',
      'bulkhead_webhook_configuration_failure_policy_fail{configuration="validating/bulkhead-workloads"} 0',
      'bulkhead_probes_total{result="admitted"} 23',
      'bulkhead_probes_total{result="failed"} 25',
      'bulkhead_probes_total{result="proven"} 22',
      'bulkhead_probes_total{result="refused"} 24',
      'bulkhead_webhook_configuration_missing_rules 28',
      'bulkhead_webhook_configuration_present{configuration="mutating/bulkhead"} 0',
      'bulkhead_webhook_configuration_present{configuration="validating/bulkhead"} 1',
      'bulkhead_webhook_configuration_present{configuration="validating/bulkhead-workloads"} 1',
      'bulkhead_webhook_configuration_unknown_rules 26',
    ].sort(),
  );
});

t.test('where the settings say observe, no failurePolicy has to be Fail, and no alert fires', async (t) => {
  const lines = await scraped({ failurePolicy: { ...failurePolicy, wantsFail: false } });
  t.notMatch(lines.join(), 'failure_policy_fail');
  t.match(lines.join(), 'bulkhead_webhook_configuration_present');
});

t.test('before all policies were read once, nothing is said of how many cross', async (t) => {
  const lines = await scraped({
    storedPolicies: {
      ...figures.storedPolicies,
      nonCompliant: undefined,
      crossing: undefined,
      isolation: () => undefined,
    },
  });
  t.notMatch(lines.join(), /policies_noncompliant|policies_crossing|tenant_namespaces/);
});

t.test('of borders in the network, the tenants by state are counted where the settings want them', async (t) => {
  t.strictSame(await scraped({ borders }).then((lines) => lines.filter((line) => line.startsWith('bulkhead_border'))), [
    'bulkhead_border_tenants{state="InPlace"} 47',
    'bulkhead_border_tenants{state="Pending"} 48',
    'bulkhead_border_tenants{state="Withheld"} 49',
    'bulkhead_border_tenants{state="NotServed"} 50',
    'bulkhead_border_tenants{state="NameTaken"} 51',
    'bulkhead_border_tenants{state="Failed"} 52',
    'bulkhead_border_objects_total{result="applied"} 42',
    'bulkhead_border_objects_total{result="healed"} 43',
    'bulkhead_border_objects_total{result="pruned"} 44',
    'bulkhead_border_objects_total{result="failed"} 45',
    'bulkhead_border_conflicting_objects 46',
  ]);
  t.notMatch((await scraped({ borders: { ...borders, wanted: false } })).join(), 'border_tenants');
});

t.test('where nothing is reconciled, nothing is said of baselines', async (t) => {
  const names = (await scraped({})).map((line) => line.replace(/\{.*/, ''));
  t.ok(
    names.length > 0 &&
      names.every((name) => /^bulkhead_(watch|polic|live_requests|layer_comparisons|tenant|gates)/.test(name)),
    names.join(),
  );
});

t.test(
  'where Bulkhead writes CA bundles, it says how far the rotation is and whether API servers get through',
  async (t) => {
    const lines = (await scraped({ certificates })).filter((line) => /^bulkhead_(cert|ca_bundle)/.test(line));
    t.match(
      lines.find((line) => line.startsWith('bulkhead_certificate_authority_expiry_seconds')),
      / -\d+/,
    );
    t.strictSame(lines.filter((line) => !line.includes('expiry')).sort(), [
      'bulkhead_ca_bundle_writes_total{result="failed"} 36',
      'bulkhead_ca_bundle_writes_total{result="written"} 35',
      'bulkhead_certificate_in_ca_bundle 1',
      'bulkhead_certificate_rotation_phase{phase="overlap"} 0',
      'bulkhead_certificate_rotation_phase{phase="publishing"} 1',
      'bulkhead_certificate_rotation_phase{phase="steady"} 0',
      'bulkhead_certificate_writes_total{result="failed"} 34',
      'bulkhead_certificate_writes_total{result="written"} 33',
    ]);
    const refused = await scraped({ certificates: { ...certificates, inBundles: false } });
    t.ok(refused.includes('bulkhead_certificate_in_ca_bundle 0'), 'a registration that lacks the authority is told');
  },
);

t.test('what is not known has no value, where a metric has no label', async (t) => {
  const lines = await scraped({ certificates: { ...certificates, inBundles: undefined } });
  t.notMatch(lines.join(), 'certificate_in_ca_bundle', 'a 0 would say that the CA bundle is wrong');
});

t.test('Events about requests that would be refused are counted with the others', async (t) => {
  const before = await scraped({ baselines });
  const lines = await scraped({ baselines, observations: { written: 100, suppressed: 0, failed: 0 } });
  const written = (from: readonly string[]) =>
    Number(from.find((line) => line.startsWith('bulkhead_events_total{result="written"}'))?.split(' ')[1]);
  t.equal(written(lines) - written(before), 100);
});
