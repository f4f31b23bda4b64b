import { excerpt } from '../kubernetes/json.ts';
import { parseQuantity } from '../kubernetes/quantity.ts';
import type { Report, Step } from './problem.ts';
import { suggestion } from './suggestion.ts';

/**
 * Names without a slash that a ResourceQuota may limit; with a slash it is `count/RESOURCE`, an extended resource or a storage class.
 * Source: kubernetes.io, "Resource Quotas".
 */
const resources: readonly string[] = [
  ...['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
  'requests.storage',
  'pods',
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
];

/** The `hard` of a ResourceQuota, every quantity as a string; what is wrong is reported. */
export function parseQuota(
  hard: Readonly<Record<string, string | number>>,
  steps: readonly Step[],
  report: Report,
): Readonly<Record<string, string>> {
  const amounts = Object.entries(hard).map(([name, amount]): [string, string] => {
    if (!isResource(name)) {
      const meant = suggestion(name, resources);
      const fix =
        meant === undefined
          ? 'write a resource such as requests.cpu, pods or count/jobs.batch'
          : `did you mean ${meant}?`;
      report([...steps, name], 'is not a resource that a quota can limit', fix, 'key');
    }
    const text = String(amount);
    const read = text.length > 32 ? undefined : parseQuantity(text);
    if (read === undefined)
      report([...steps, name], `${excerpt(text)} is not a quantity`, 'write one such as 500m, 40 or 64Gi');
    else if (read < 0n) report([...steps, name], `${text} is below zero`);
    return [name, text];
  });
  return Object.fromEntries(amounts);
}

function isResource(name: string): boolean {
  if (resources.includes(name) || /^(requests\.)?hugepages-\d+[KMG]i$/.test(name)) return true;
  return name.length <= 317 && /^[a-z0-9][-a-z0-9.]*\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name);
}
