/** The dashboard, arranged by the questions of its reader. Grafana reads dashboard.json. */
import { laidOut, type Panel, type Question } from './dashboard-panels.ts';

const named = (...names: string[]): string => `name=~"(${names.join('|')})[.]bulkhead[.]dev"`;
const guarding = [
  ...['mutate', 'mutate[.]filtered', 'validate', 'validate[.]filtered'],
  ...['validate[.]network', 'validate[.]services', 'validate[.]routes', 'validate[.]mesh'],
];
/** Those that refuse. */
const guards = named(...guarding);
const webhooks = named(...guarding, 'warn', 'warn[.]rights');
/** What every process says of itself, of the replicas of Bulkhead alone. */
const ofBulkhead = (expression: string): string => `${expression} and on (job, instance) bulkhead_ready`;
const perSecond = (selector: string, by: string): string => `sum by (${by}) (rate(${selector}[$__rate_interval]))`;
const quantile = (fraction: number, histogram: string, by: string): string =>
  `histogram_quantile(${fraction}, ${perSecond(histogram, `${by}, le`)})`;

const up: Question = {
  title: 'Is it up?',
  panels: [
    {
      title: 'Replicas that take requests',
      description: 'As their own readiness says. None: tenants cannot write the objects that Bulkhead reviews.',
      type: 'stat',
      targets: [{ expr: 'sum(bulkhead_ready) or vector(0)', legend: 'ready' }],
      thresholds: { red: 0, orange: 1, green: 2 },
    },
    {
      title: 'Calls that failed, last hour',
      description:
        'The API server could not call Bulkhead, and rejected the write. Anything but 0 was noticed by a user.',
      type: 'stat',
      targets: [
        {
          expr: `sum(increase(apiserver_admission_webhook_rejection_count{${guards}, error_type="calling_webhook_error"}[1h])) or vector(0)`,
          legend: 'failed',
        },
      ],
      thresholds: { green: 0, red: 1 },
    },
    {
      title: 'Writes admitted without an answer, last hour',
      description:
        'The API server could not call Bulkhead, and admitted the write because failurePolicy is Ignore. Of warn it always is.',
      type: 'stat',
      targets: [
        {
          expr: `sum by (name) (increase(apiserver_admission_webhook_fail_open_count{${webhooks}}[1h])) or vector(0)`,
          legend: '{{name}}',
        },
      ],
      thresholds: { green: 0, red: 1 },
    },
    {
      title: 'Certificate expires in',
      description: 'Of the certificates that replicas serve, the one that expires first.',
      type: 'stat',
      unit: 's',
      targets: [{ expr: 'min(bulkhead_tls_certificate_expiry_seconds)', legend: 'expires' }],
      thresholds: { red: 0, orange: 86_400, green: 604_800 },
    },
    {
      title: 'Authority expires in',
      description:
        'Where Bulkhead keeps its own certificates: the authority in the Secret. It is replaced at two thirds of its life.',
      type: 'stat',
      unit: 's',
      targets: [{ expr: 'min(bulkhead_certificate_authority_expiry_seconds)', legend: 'expires' }],
      thresholds: { red: 0, orange: 604_800, green: 2_592_000 },
    },
    {
      title: 'CA bundles have the authority',
      description: '0: a webhook configuration lacks the authority of a certificate that a replica serves.',
      type: 'timeseries',
      targets: [{ expr: 'min(bulkhead_certificate_in_ca_bundle)', legend: 'in the CA bundles' }],
    },
    {
      title: 'Rotation of the authority',
      description: 'Publishing: its successor is added to the CA bundles. Overlap: the previous one is still in them.',
      type: 'timeseries',
      targets: [{ expr: 'max by (phase) (bulkhead_certificate_rotation_phase)', legend: '{{phase}}' }],
    },
    {
      title: 'Writes of certificates and CA bundles',
      description: 'To the Secret, and to the webhook configurations. Each that failed is tried again.',
      type: 'timeseries',
      targets: [
        { expr: 'sum by (result) (increase(bulkhead_certificate_writes_total[10m]))', legend: 'Secret, {{result}}' },
        {
          expr: 'sum by (result) (increase(bulkhead_ca_bundle_writes_total[10m]))',
          legend: 'webhook configurations, {{result}}',
        },
      ],
    },
    {
      title: 'Versions',
      description: 'More than one: a rollout is under way.',
      type: 'timeseries',
      targets: [{ expr: 'count by (version) (bulkhead_build_info)', legend: '{{version}}' }],
    },
    {
      title: 'Webhook configurations with failurePolicy Fail',
      description:
        '1: the API server rejects what it reviews while Bulkhead cannot be reached. validating/bulkhead-workloads only warns and stays at 0.',
      type: 'timeseries',
      targets: [
        {
          expr: 'min by (configuration) (bulkhead_webhook_configuration_failure_policy_fail)',
          legend: '{{configuration}}',
        },
      ],
    },
    {
      title: 'Webhook configurations that exist',
      description: '0: it was deleted, and the API server does not call Bulkhead for it.',
      type: 'timeseries',
      targets: [
        { expr: 'min by (configuration) (bulkhead_webhook_configuration_present)', legend: '{{configuration}}' },
      ],
    },
    {
      title: 'Rules that do not fit',
      description: 'Entries that the API server does not serve, and resources that no rule names. Both should be 0.',
      type: 'timeseries',
      targets: [
        { expr: 'max(bulkhead_webhook_configuration_unknown_rules)', legend: 'unknown' },
        { expr: 'max(bulkhead_webhook_configuration_missing_rules)', legend: 'missing' },
      ],
    },
    {
      title: 'Probes',
      description: 'Writes that Bulkhead must refuse, sent through the API server before failurePolicy becomes Fail.',
      type: 'timeseries',
      unit: 'ops',
      targets: [{ expr: perSecond('bulkhead_probes_total', 'result'), legend: '{{result}}' }],
    },
  ],
};

const refuses: Question = {
  title: 'What does it refuse?',
  panels: [
    {
      title: 'Reviews by kind and outcome',
      description: '200 admitted, 403 refused, 400 not understood, 503 to be tried again, 500 a defect.',
      type: 'timeseries',
      unit: 'reqps',
      targets: [{ expr: perSecond('bulkhead_reviews_total', 'kind, code'), legend: '{{kind}} {{code}}' }],
    },
    {
      title: 'What is not admitted, by webhook',
      description: 'Everything but 200. warn never refuses: it tells what will be.',
      type: 'timeseries',
      unit: 'reqps',
      targets: [
        { expr: perSecond('bulkhead_reviews_total{code!="200"}', 'phase, code'), legend: '{{phase}} {{code}}' },
      ],
    },
    {
      title: 'Findings in mode enforce, by check',
      description: 'Most of them are refusals. Checks that only warn are counted, too.',
      type: 'timeseries',
      unit: 'reqps',
      targets: [{ expr: perSecond('bulkhead_findings_total{mode="enforce"}', 'check'), legend: '{{check}}' }],
    },
    {
      title: 'Findings in modes warn and audit and in observe, by check',
      description: 'What would be refused if these tenants were enforced, and what is refused in every mode.',
      type: 'timeseries',
      unit: 'reqps',
      targets: [
        { expr: perSecond('bulkhead_findings_total{mode!="enforce"}', 'mode, check'), legend: '{{mode}} {{check}}' },
        { expr: perSecond('bulkhead_exemptions_used_total', 'check'), legend: 'exempted {{check}}' },
      ],
    },
    {
      title: 'Stored policies that would be rejected today',
      description:
        'They were admitted under a gate, a prefix or a range that is gone, and stay in force. The log and an Event name them.',
      type: 'timeseries',
      targets: [{ expr: 'max by (mode) (bulkhead_policies_noncompliant)', legend: '{{mode}}' }],
    },
    {
      title: 'Refusals as the API server counts them',
      description: 'no_error: refused by Bulkhead. calling_webhook_error: refused because Bulkhead did not answer.',
      type: 'timeseries',
      unit: 'reqps',
      targets: [
        {
          expr: perSecond(`apiserver_admission_webhook_rejection_count{${guards}}`, 'name, error_type'),
          legend: '{{name}} {{error_type}}',
        },
      ],
    },
  ],
};

const serverSide = 'apiserver_admission_webhook_admission_duration_seconds';

const fast: Question = {
  title: 'How fast is it?',
  panels: [
    {
      title: 'Calls as the API server measures them',
      description: 'With the network between. Its finest bound is 5 ms: a line below that may be anywhere below.',
      type: 'timeseries',
      unit: 's',
      targets: [
        { expr: quantile(0.5, `${serverSide}_bucket{${webhooks}}`, 'name'), legend: '{{name}} p50' },
        { expr: quantile(0.99, `${serverSide}_bucket{${webhooks}}`, 'name'), legend: '{{name}} p99' },
      ],
    },
    {
      title: 'Calls within 5 ms, as the API server measures them',
      description: 'At least 99 in a hundred are promised.',
      type: 'timeseries',
      unit: 'percentunit',
      targets: [
        {
          expr: `${perSecond(`${serverSide}_bucket{${webhooks}, le="0.005"}`, 'name')} / ${perSecond(`${serverSide}_count{${webhooks}}`, 'name')}`,
          legend: '{{name}}',
        },
      ],
    },
    {
      title: 'Reviews as Bulkhead measures them',
      description:
        'From the arrival of a request to its answer. A pod that waits until its namespace is isolated counts as long as it waits.',
      type: 'timeseries',
      unit: 's',
      targets: [
        { expr: quantile(0.5, 'bulkhead_review_duration_seconds_bucket', 'phase'), legend: '{{phase}} p50' },
        { expr: quantile(0.99, 'bulkhead_review_duration_seconds_bucket', 'phase'), legend: '{{phase}} p99' },
      ],
    },
    {
      title: 'Requests in flight',
      description: 'Above its limit a replica answers 503.',
      type: 'timeseries',
      targets: [{ expr: 'bulkhead_requests_in_flight', legend: '{{instance}}' }],
    },
    {
      title: 'Requests that were not judged',
      description:
        'overloaded, no-room, late: too many at once. displaced, slow-body: bodies that arrive too slowly. no-certificate, other-client: who may not ask. failed: a defect.',
      type: 'timeseries',
      unit: 'reqps',
      targets: [{ expr: perSecond('bulkhead_requests_refused_total', 'reason'), legend: '{{reason}}' }],
    },
    {
      title: 'Live requests',
      description:
        'GETs to the API server that reviews wait for. Each namespace has its own queue. Many that wait: the API server answers slowly.',
      type: 'timeseries',
      targets: [{ expr: 'sum by (state) (bulkhead_live_requests)', legend: '{{state}}' }],
    },
    {
      title: 'Live requests, by result',
      description:
        'Sent, joined to an equal one in the queue, or refused with 503 because the queue of the namespace was full.',
      type: 'timeseries',
      unit: 'ops',
      targets: [{ expr: perSecond('bulkhead_live_requests_total', 'result'), legend: '{{result}}' }],
    },
    {
      title: 'Comparisons of layers 4 and 7, by result',
      description:
        'Written policies for which their namespace was listed, or why it was not. Only warnings depend on it. Late: the API server answers slowly.',
      type: 'timeseries',
      unit: 'ops',
      targets: [{ expr: perSecond('bulkhead_layer_comparisons_total', 'result'), legend: '{{result}}' }],
    },
    {
      title: 'Delay of the event loop, p99',
      description:
        'How long a request may wait for another one. Much more than a review takes: the processor is short.',
      type: 'timeseries',
      unit: 's',
      targets: [{ expr: ofBulkhead('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
    },
  ],
};

const follows: Question = {
  title: 'Does it follow the cluster?',
  panels: [
    {
      title: 'Age of the object cache',
      description:
        'The time since the last list, change or bookmark, in the replica where it is longest. A healthy watch gets one every minute.',
      type: 'timeseries',
      unit: 's',
      targets: [{ expr: 'max by (resource) (bulkhead_watch_staleness_seconds)', legend: '{{resource}}' }],
    },
    {
      title: 'Objects in the cache',
      description: 'By each replica. The lines of replicas should lie on each other.',
      type: 'timeseries',
      targets: [{ expr: 'bulkhead_watch_objects', legend: '{{resource}} {{instance}}' }],
    },
    {
      title: 'Lists, watches and their failures',
      description: 'A watch is begun anew every few minutes; lists are rare.',
      type: 'timeseries',
      unit: 'ops',
      targets: [
        { expr: perSecond('bulkhead_watch_watches_total', 'resource'), legend: 'watches of {{resource}}' },
        { expr: perSecond('bulkhead_watch_lists_total', 'resource'), legend: 'lists of {{resource}}' },
        { expr: perSecond('bulkhead_watch_failures_total', 'resource'), legend: 'failures of {{resource}}' },
      ],
    },
    {
      title: 'Defects of following, last hour',
      description: 'Changes that could not be handled. There should be none.',
      type: 'timeseries',
      targets: [
        {
          expr: 'sum by (resource) (increase(bulkhead_watch_handler_errors_total[1h]))',
          legend: 'errors of {{resource}}',
        },
      ],
    },
    {
      title: 'Readings of policies',
      description: 'How often the policies in place were read and judged again.',
      type: 'timeseries',
      unit: 'ops',
      targets: [{ expr: perSecond('bulkhead_policy_readings_total', 'result'), legend: 'readings {{result}}' }],
    },
    {
      title: 'Problems in tenants and settings',
      description: 'Above 0, what was in force before still is. The log says what is wrong.',
      type: 'timeseries',
      targets: [{ expr: 'bulkhead_tenancy_reload_problems', legend: '{{instance}}' }],
    },
  ],
};

const isolation: Question = {
  title: 'Are the namespaces isolated?',
  panels: [
    {
      title: 'Namespaces that wait for their baseline',
      description: 'Withheld are those whose tenant is in mode audit or warn.',
      type: 'timeseries',
      targets: [
        { expr: 'max(bulkhead_baseline_waiting_namespaces)', legend: 'waiting' },
        { expr: 'max(bulkhead_baseline_withheld_namespaces)', legend: 'withheld' },
      ],
    },
    {
      title: 'Namespaces of tenants by isolation',
      description:
        'The directions in which a policy isolates all pods: of Bulkhead or of the tenant. none and one direction are open to others.',
      type: 'timeseries',
      targets: [{ expr: 'max by (isolation) (bulkhead_tenant_namespaces)', legend: '{{isolation}}' }],
    },
    {
      title: 'Policies that open what nothing agrees on',
      description: 'Stored policies that open a crossing between tenants without a gate. bulkhead audit names them.',
      type: 'timeseries',
      targets: [{ expr: 'max by (direction) (bulkhead_policies_crossing)', legend: '{{direction}}' }],
    },
    {
      title: 'Tenants and gates',
      description: 'Tenants by mode, and halves of gates by state. HalfOpen and Mismatched open nothing.',
      type: 'timeseries',
      targets: [
        { expr: 'max by (mode) (bulkhead_tenants)', legend: 'tenants in mode {{mode}}' },
        { expr: 'max by (state) (bulkhead_gates)', legend: 'gates {{state}}' },
      ],
    },
    {
      title: 'Longest wait',
      description:
        'Of the namespace that waits longest. More than a few seconds: something keeps baselines from being applied.',
      type: 'timeseries',
      unit: 's',
      targets: [{ expr: 'max(bulkhead_baseline_longest_wait_seconds)', legend: 'longest' }],
    },
    {
      title: 'Managed objects',
      description: 'healed: restored after another client had deleted or changed them. failed: tried again.',
      type: 'timeseries',
      unit: 'ops',
      targets: [{ expr: perSecond('bulkhead_baseline_objects_total', 'result'), legend: '{{result}}' }],
    },
    {
      title: 'Objects in conflict',
      description:
        'Managed objects that another client changes or deletes again and again. The log and an Event name the last writer.',
      type: 'timeseries',
      targets: [{ expr: 'max(bulkhead_baseline_conflicting_objects)', legend: 'in conflict' }],
    },
    {
      title: 'Tenants by the state of their border in the network',
      description: 'With network.clusterPolicy. The condition BorderInNetwork of a Tenant says why one is not InPlace.',
      type: 'timeseries',
      targets: [{ expr: 'max by (state) (bulkhead_border_tenants)', legend: '{{state}}' }],
    },
    {
      title: 'ClusterNetworkPolicies of borders',
      description: 'healed: restored after another client had deleted or changed them. failed: tried again.',
      type: 'timeseries',
      unit: 'ops',
      targets: [
        { expr: perSecond('bulkhead_border_objects_total', 'result'), legend: '{{result}}' },
        { expr: 'max(bulkhead_border_conflicting_objects)', legend: 'in conflict now' },
      ],
    },
    {
      title: 'Pods that wait until their namespace is isolated',
      description: 'isolated: it was, and they were judged. ended, refused: they got a retryable answer.',
      type: 'timeseries',
      targets: [
        { expr: 'sum(bulkhead_pods_held)', legend: 'waiting now' },
        { expr: perSecond('bulkhead_pods_held_total', 'result'), legend: '{{result}} a second' },
      ],
    },
    {
      title: 'Events',
      description: 'Events on namespaces. suppressed: too many at once.',
      type: 'timeseries',
      unit: 'ops',
      targets: [{ expr: perSecond('bulkhead_events_total', 'result'), legend: '{{result}}' }],
    },
  ],
};

const process: Question = {
  title: 'What does it cost?',
  panels: [
    usage(
      'Resident memory',
      'Grows with the cluster, and not with the traffic.',
      'bytes',
      'process_resident_memory_bytes',
    ),
    usage(
      'Processor',
      'Seconds of processor time a second.',
      'short',
      'rate(process_cpu_seconds_total[$__rate_interval])',
    ),
    usage('Open files', 'Most of them are connections of API servers.', 'short', 'process_open_fds'),
  ],
};

function usage(title: string, description: string, unit: string, expression: string): Panel {
  return {
    title,
    description,
    type: 'timeseries',
    unit,
    targets: [{ expr: ofBulkhead(expression), legend: '{{instance}}' }],
  };
}

export const dashboard = laidOut([up, refuses, fast, follows, isolation, process]);
