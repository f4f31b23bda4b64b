/** `spec.sharedServices` of the settings. */
import { contradiction } from '../kubernetes/label-selector.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import { parsePorts, parseRange } from './parse-network.ts';
import type { Report, Step } from './problem.ts';
import type { SharedServiceDocument } from './schema/shared-service-schema.ts';
import type { SharedService } from './settings.ts';

export function parseServices(documents: readonly SharedServiceDocument[], report: Report): readonly SharedService[] {
  const seen = new Map<string, number>();
  return documents.map((document, index) => {
    const steps: Step[] = ['spec', 'sharedServices', index];
    const { name, direction, namespace, podSelector } = document;
    if (name === 'within')
      report([...steps, 'name'], 'within names the policy for traffic inside a tenant', 'choose another name');
    // One service may be both used and let in: the two halves share a name.
    const first = seen.get(`${name} ${direction}`);
    if (first === undefined) seen.set(`${name} ${direction}`, index);
    else
      report(
        [...steps, 'name'],
        `${name} is declared for ${direction} by spec.sharedServices[${first}] already`,
        'merge the two',
      );
    const selector = parseSelector(podSelector);
    const contradictory = selector.ok ? contradiction(selector.value) : undefined;
    if (!selector.ok) report([...steps, 'podSelector', ...selector.steps], selector.reason, selector.fix);
    if (contradictory !== undefined)
      report([...steps, 'podSelector'], `leaves no value for the label ${contradictory}, so it selects no pod`);
    return {
      name,
      direction,
      namespace,
      podSelector,
      ports: parsePorts(document.ports ?? [], [...steps, 'ports'], report),
      addresses: (document.addresses ?? []).flatMap(
        (text, at) => parseRange(text, [...steps, 'addresses', at], report) ?? [],
      ),
    };
  });
}
