import { listed } from '../reach/listed.ts';
import { type Check, nothing } from './check.ts';
import { ofSettings } from './grants.ts';

/** Classes beyond these are counted, so that a refusal stays readable. */
const mostShownClasses = 5;

/**
 * A pod of a tenant runs under a runtime that the platform has for tenants.
 * Reads    spec.runtimeClassName, on CREATE, and when containers change (changed-containers.ts)
 * Allowed  missing; every class where the settings have no list (pods.runtimeClasses), else those of the list
 * Why      a class brings its own sandbox, and may bring another data path, another node or an exemption from Pod Security
 *          (POD-17). Classes are the platform's to make, so one that is there is meant to be used until a list says otherwise
 */
export const runtimeClass: Check = {
  id: 'runtime-class',
  headline: 'requests a runtime class that tenants may not use',
  protects: 'border',
  grants: ofSettings('pods.runtimeClasses'),
  sharedByContainers: true,
  pod(request, { owner, tenancy }) {
    const name = request.object.spec?.runtimeClassName;
    const allowed = tenancy.settings.pods.runtimeClasses;
    if (!name || owner === 'platform' || request.operation !== 'CREATE' || (allowed?.has(name) ?? true)) return nothing;
    const others = allowed?.size ? `, or name one of these: ${listed([...allowed], mostShownClasses)}` : '';
    return [
      {
        path: 'spec.runtimeClassName',
        reason: 'is not among the runtime classes that the platform has listed for tenants',
        fix: `remove runtimeClassName${others}`,
      },
    ];
  },
};
