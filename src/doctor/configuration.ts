import type { DoctorCheck } from './check.ts';

export const configuration: DoctorCheck = {
  about: 'settings and tenants',
  findings: {
    'configuration-doubtful': {
      severity: 'warning',
      meaning: 'the settings, a Tenant, an Exemption or a GateRequest cannot be read, or is doubtful',
      fix: 'correct what the message names; `bulkhead check` says the same of files',
    },
    'settings-observe': {
      severity: 'note',
      meaning: 'the settings say enforcement: observe, so nothing is rejected',
      fix: 'set enforcement: enforce when the reports are as you want them (docs/how-to/adopt.md)',
    },
  },
  async look({ doubts, found, tenancy }) {
    for (const why of doubts) found('configuration-doubtful', { where: 'settings and tenants', why });
    if (tenancy.settings.enforcement === 'observe')
      found('settings-observe', { where: 'settings, enforcement', why: 'it is observe' });
  },
};
