import { stampAnnotation } from '../backstop/backstop.ts';
import { fieldsAt } from '../client/decode.ts';
import { entry } from '../kubernetes/objects.ts';
import type { DoctorCheck } from './check.ts';

const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';

export const appliedBackstop: DoctorCheck = {
  about: 'backstop',
  findings: {
    'backstop-older': {
      severity: 'warning',
      meaning: 'the applied backstop was made from other settings, tenants or exemptions than those given here',
      fix: 'print it with `bulkhead backstop`, and apply it again',
    },
  },
  async look({ list, found, tools }) {
    const stamps: (string | undefined)[] = [];
    const isRead = await list([path], ({ object }) => {
      if (entry(fieldsAt(object, 'metadata', 'labels'), 'app.kubernetes.io/component') !== 'backstop') return;
      const stamp = entry(fieldsAt(object, 'metadata', 'annotations'), stampAnnotation);
      stamps.push(typeof stamp === 'string' ? stamp : undefined);
    });
    if (isRead && tools.backstopAge(stamps) === 'older')
      found('backstop-older', {
        where: `${stamps.length} ValidatingAdmissionPolicies with the label app.kubernetes.io/component: backstop`,
        why: 'the annotation that names their version is not that of the settings, tenants and exemptions',
      });
  },
};
