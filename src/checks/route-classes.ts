import { excerpt, valueAt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';
import { ofTenant } from './grants.ts';
import { fieldOf } from './metadata-changes.ts';
import { textOf } from './written-endpoints.ts';

const annotation = 'kubernetes.io/ingress.class';

/**
 * Ingresses and Gateways have classes that the platform allows.
 * Reads    spec.ingressClassName and the annotation kubernetes.io/ingress.class of Ingresses, spec.gatewayClassName of Gateways
 * Allowed  classes that network.routes of the settings allows every tenant, which are all unless they are listed, and those of
 *          network.routes of the tenant; no class, so that the default of the cluster counts. Anything for the platform
 * Why      a class chooses the controller: one that faces the internet, or one that serves the platform alone (SVC-07, SVC-08)
 */
export const routeClasses: Check = {
  id: 'route-classes',
  headline: 'is of a class that the platform has not allowed its tenant',
  protects: 'border',
  grants: ofTenant('network.routes.ingressClasses', 'network.routes.gatewayClasses'),
  neighbour({ kind, operation, object, oldObject }, { owner, requester, tenancy }) {
    if (owner === 'platform' || requester.platform || operation === 'DELETE') return nothing;
    if (kind !== 'Ingress' && kind !== 'Gateway') return nothing;
    const field = kind === 'Ingress' ? 'ingressClasses' : 'gatewayClasses';
    const allowed = tenancy.settings.routes[field];
    if (allowed === undefined) return nothing;
    const own = owner.network.routes?.[field];
    const named = kind === 'Ingress' ? 'ingressClassName' : 'gatewayClassName';
    const annotated = kind === 'Ingress' ? (entry(object.metadata?.annotations, annotation) ?? '') : '';
    const isChanged = annotated !== entry(oldObject?.metadata?.annotations, annotation);
    const written: readonly { readonly name: string; readonly path: string; readonly ofChange?: true }[] = [
      { path: `spec.${named}`, name: textOf(valueAt(object, 'spec', named)) },
      ...(isChanged
        ? [{ path: fieldOf({ map: 'annotations', key: annotation }), name: annotated, ofChange: true as const }]
        : []),
    ];
    return written.flatMap(({ name, ...where }) => {
      if (name === '' || allowed.has(name) || own?.has(name) === true) return nothing;
      const reason = `names class ${excerpt(name)}, which the platform has not allowed ${owner.name}`;
      const others = [...allowed, ...(own ?? [])].sort().slice(0, 3);
      const instead = others.length === 0 ? 'remove it' : `write ${others.join(' or ')}`;
      return [
        {
          ...where,
          reason,
          fix: `${instead}, or ask the platform team to list it in network.routes.${field} of ${owner.name}`,
        },
      ];
    });
  },
};
