/** Concrete pods and namespaces that would get through, in words. */
import { freshValue, type Selector, witnessLabels } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { possibleValue } from './trusted-label.ts';
import type { Border } from './violation.ts';

/** A witness shows at most so many labels, so that a denial stays readable. */
const mostShownLabels = 6;

/** What a witness must look like besides what the selectors ask. */
interface Shape {
  /** The value of the tenant label; undefined: without that label. */
  readonly tenant: string | undefined;
  /** The name of the namespace; undefined: any that fits. */
  readonly name: string | undefined;
  /** The labels of the pod. */
  readonly pod: ReadonlyMap<string, string>;
}

/** `a pod with the labels app=web in a namespace with the labels bulkhead.dev/tenant=not-acme` */
export function describeWitness(namespaces: Selector, shape: Shape, { tenancy: { settings } }: Border): string {
  const { tenantLabel, trustedLabels } = settings;
  const wanted = witnessLabels(namespaces);
  wanted.delete(tenantLabel);
  for (const key of wanted.keys()) {
    const value = trustedLabels.has(key) ? possibleValue(namespaces, key, shape.name, settings) : undefined;
    if (value !== undefined) wanted.set(key, value);
  }
  if (shape.name !== undefined) wanted.set(namespaceNameLabel, shape.name);
  const labels: [string, string][] = [...wanted];
  if (shape.tenant !== undefined) labels.unshift([tenantLabel, shape.tenant]);
  const without = shape.tenant === undefined ? ` without the label ${tenantLabel}` : '';
  const joint = without !== '' && labels.length > 0 ? ',' : '';
  const pod = shape.pod.size === 0 ? '' : `a pod${describeLabels([...shape.pod])} in `;
  return `${pod}a namespace${without}${joint}${describeLabels(labels)}`;
}

/** The name of an undeclared tenant: `not-acme`, or with a number where that is taken. */
export function anotherTenant({ tenant, tenancy }: Border, excluded: ReadonlySet<string>): string {
  // A label value has at most 63 characters, and the number needs some.
  const base = tenant.name.length <= 50 ? `not-${tenant.name}` : 'not-this-tenant';
  return freshValue(base, (name) => excluded.has(name) || tenancy.tenants.has(name));
}

/** ` with the labels a=b, c=d`; empty for none. */
export function describeLabels(labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return '';
  const shown = labels.slice(0, mostShownLabels).map(([key, value]) => `${key}=${value}`);
  const more = labels.length > mostShownLabels ? ` and ${labels.length - mostShownLabels} more` : '';
  return ` with the label${labels.length === 1 ? '' : 's'} ${shown.join(', ')}${more}`;
}
