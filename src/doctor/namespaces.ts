import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import { entry } from '../kubernetes/objects.ts';
import type { DoctorCheck } from './check.ts';

export const namespaces: DoctorCheck = {
  about: 'namespaces',
  findings: {
    'namespace-without-owner': {
      severity: 'warning',
      meaning:
        'a namespace has no tenant label, and the settings do not reserve its name for the platform. Bulkhead guards nothing inside it',
      fix: 'give it the tenant label, or list it under platform.namespaces of the settings',
    },
    'namespace-doubtful': {
      severity: 'error',
      meaning: 'the tenant label, or the mark of a provisioner, of a namespace is not what it seems',
      fix: 'correct the label or the mark, as `bulkhead audit` explains',
    },
  },
  async look({ list, found, tenancy, tools }) {
    await list([namespacesPath], (object) => {
      const { name, labels, terminating } = namespaceRecord(object);
      if (terminating) return;
      const where = `Namespace ${name}`;
      for (const why of tools.doubtsAbout(name, object.object, tenancy)) found('namespace-doubtful', { where, why });
      const isLabelled = entry(labels, tenancy.settings.tenantLabel) !== undefined;
      if (!isLabelled && tenancy.reservation(name) === undefined)
        found('namespace-without-owner', {
          where,
          why: `it has no label ${tenancy.settings.tenantLabel}, and its name is not reserved`,
        });
    });
  },
};
