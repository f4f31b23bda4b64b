/** The webhook configurations and their certificates, for Prometheus. */
import type { Register } from './metric-register.ts';

export function registerConfigurationMetrics(register: Register): void {
  register.each(
    'webhook_configuration_present',
    'Whether a webhook configuration of Bulkhead exists.',
    'configuration',
    ({ failurePolicy }) => (failurePolicy?.configurations ?? []).map(({ name, present }) => [name, Number(present)]),
  );
  register.each(
    'webhook_configuration_failure_policy_fail',
    'Whether its failurePolicy is Fail. validating/bulkhead-workloads only warns and stays at 0; another one at 0 enforces nothing while Bulkhead cannot be reached. It has no value where the settings say observe.',
    'configuration',
    ({ failurePolicy }) =>
      failurePolicy?.wantsFail === true
        ? failurePolicy.configurations.map(({ name, fails }) => [name, Number(fails)])
        : [],
  );
  register.each(
    'probes_total',
    'Writes that Bulkhead must refuse, sent through the API server: proven (Bulkhead refused it), admitted, refused by another webhook or policy, failed without an answer.',
    'result',
    ({ failurePolicy }) => Object.entries(failurePolicy?.probes ?? {}),
  );
  register.one(
    'webhook_configuration_unknown_rules',
    'Entries in the rules of the webhook configurations that the API server does not serve, such as a misspelt subresource. The log names them.',
    ({ failurePolicy }) => failurePolicy?.rules.unknown,
  );
  register.one(
    'webhook_configuration_missing_rules',
    'Resources that Bulkhead must review and that no rule names. The log names them.',
    ({ failurePolicy }) => failurePolicy?.rules.missing,
  );
}

/** Where the CA bundles are written. */
export function registerCertificateMetrics(register: Register): void {
  register.one(
    'certificate_in_ca_bundle',
    'Whether the CA bundle of every webhook configuration has the authority of the certificate that is served (1), or not (0).',
    ({ certificates }) => (certificates?.inBundles === undefined ? undefined : Number(certificates.inBundles)),
  );
  register.each(
    'ca_bundle_writes_total',
    'Writes of the CA bundle to webhook configurations: written, failed (tried again).',
    'result',
    ({ certificates }) => Object.entries(certificates?.caBundles ?? {}),
  );
  register.each(
    'certificate_rotation_phase',
    'Phase of the replacement of the authority: 1 for steady, publishing (its successor is added to the CA bundles) or overlap (the previous one is still in them).',
    'phase',
    ({ certificates }) =>
      ['steady', 'publishing', 'overlap'].flatMap((phase) =>
        certificates?.rotation === undefined ? [] : [[phase, Number(phase === certificates.rotation.phase)] as const],
      ),
  );
  register.one(
    'certificate_authority_expiry_seconds',
    'Seconds until the authority in the Secret expires; negative afterwards. It is replaced at two thirds of its life.',
    ({ certificates }) => {
      const expiry = certificates?.rotation?.authorityExpiry;
      return expiry === undefined ? undefined : (expiry - Date.now()) / 1000;
    },
  );
  register.each(
    'certificate_writes_total',
    'Writes of certificates to the Secret: written, failed (tried again).',
    'result',
    ({ certificates: { rotation } = {} }) =>
      rotation === undefined ? [] : Object.entries({ written: rotation.written, failed: rotation.failed }),
  );
}
