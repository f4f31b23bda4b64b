import { excerpt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity.ts';
import type { Report, Step } from './problem.ts';
import { suggestion } from './suggestion.ts';
import type { LimitRangeSpec } from './tenant.ts';

type Amounts = Readonly<Record<string, string | number>>;

interface ContainerDefaults {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}

/** What a LimitRange can set for containers. */
const defaulted: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];

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
export function parseQuota(hard: Amounts, steps: readonly Step[], report: Report): Readonly<Record<string, string>> {
  const amounts = Object.entries(hard).map(([name, amount]): [string, string] => {
    if (!isResource(name)) {
      const meant = suggestion(name, resources);
      const fix =
        meant === undefined
          ? 'write a resource such as requests.cpu, pods or count/jobs.batch'
          : `did you mean ${meant}?`;
      report([...steps, name], 'is not a resource that a quota can limit', fix, 'key');
    }
    return [name, parseAmount(String(amount), [...steps, name], report)];
  });
  return Object.fromEntries(amounts);
}

/** What containers get that state nothing; undefined where no amount is given. */
export function parseContainerDefaults(
  { requests = {}, limits = {} }: ContainerDefaults,
  steps: readonly Step[],
  report: Report,
): LimitRangeSpec | undefined {
  const read = (amounts: Amounts, field: string): [string, string][] =>
    Object.entries(amounts).map(([name, amount]) => {
      const at = [...steps, field, name];
      if (!defaulted.includes(name))
        report(at, 'is not a resource with a default here', `use ${defaulted.join(', ')}`, 'key');
      return [name, parseAmount(String(amount), at, report)];
    });
  const [wanted, most] = [read(requests, 'requests'), Object.fromEntries(read(limits, 'limits'))];
  for (const [name, amount] of wanted) {
    const limit = entry(most, name);
    if (limit !== undefined && compareQuantities(amount, limit) > 0)
      report([...steps, 'requests', name], `${amount} is above the limit of ${limit}`, 'lower it, or raise the limit');
  }
  // As the API server completes it: a limit is the request where that is not given.
  const defaultRequest = { ...most, ...Object.fromEntries(wanted) };
  if (Object.keys(defaultRequest).length === 0) return undefined;
  const hasLimits = Object.keys(most).length > 0;
  return { limits: [{ type: 'Container', defaultRequest, ...(hasLimits && { default: most }) }] };
}

function parseAmount(text: string, at: readonly Step[], report: Report): string {
  const read = text.length > 32 ? undefined : parseQuantity(text);
  if (read === undefined) report(at, `${excerpt(text)} is not a quantity`, 'write one such as 500m, 40 or 64Gi');
  else if (read < 0n) report(at, `${text} is below zero`);
  return text;
}

function isResource(name: string): boolean {
  if (resources.includes(name) || /^(requests\.)?hugepages-\d+[KMG]i$/.test(name)) return true;
  return name.length <= 317 && /^[a-z0-9][-a-z0-9.]*\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(name);
}
