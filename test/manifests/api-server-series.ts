/**
 * What the alerts and the dashboard ask of kube-apiserver, as its own `/metrics` shows it: test/e2e/monitoring.test.ts brings a real one
 * to show every one of these.
 */
const webhooks = [
  { name: 'mutate.bulkhead.dev', type: 'admit', operation: 'CREATE' },
  { name: 'mutate.filtered.bulkhead.dev', type: 'admit', operation: 'UPDATE' },
  { name: 'validate.bulkhead.dev', type: 'validating', operation: 'CREATE' },
  { name: 'validate.filtered.bulkhead.dev', type: 'validating', operation: 'UPDATE' },
  { name: 'validate.network.bulkhead.dev', type: 'validating', operation: 'CREATE' },
  { name: 'validate.services.bulkhead.dev', type: 'validating', operation: 'CREATE' },
  { name: 'validate.routes.bulkhead.dev', type: 'validating', operation: 'CREATE' },
  { name: 'validate.mesh.bulkhead.dev', type: 'validating', operation: 'CREATE' },
  { name: 'warn.rights.bulkhead.dev', type: 'validating', operation: 'CREATE' },
  { name: 'warn.bulkhead.dev', type: 'validating', operation: 'CREATE' },
];

export const apiServerSeries: string = webhooks
  .flatMap(({ name, type, operation }) => [
    // Of a webhook that never refuses and fails open there is none of the first.
    ...(name.startsWith('warn')
      ? []
      : [
          `rejection_count{error_type="calling_webhook_error",name="${name}",operation="${operation}",rejection_code="503",type="${type}"} 1`,
        ]),
    `fail_open_count{name="${name}",type="${type}"} 1`,
    `admission_duration_seconds_bucket{name="${name}",operation="${operation}",rejected="false",type="${type}",le="0.005"} 1`,
    `admission_duration_seconds_count{name="${name}",operation="${operation}",rejected="false",type="${type}"} 1`,
  ])
  .map((series) => `apiserver_admission_webhook_${series}`)
  .join('\n');
