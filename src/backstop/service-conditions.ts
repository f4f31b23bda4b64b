/**
 * The match condition by which an overlay leaves out what accounts of the settings write, so that their writes go on while Bulkhead is
 * down (docs/neighbours.md). manifests/base leaves out the controllers of Kubernetes alone.
 */
import { nameOf } from '../tenancy/subjects.ts';
import type { Subject } from '../tenancy/tenant.ts';
import { allOf, anyOf, literal, metadata, unchanged } from './expressions.ts';

export const listedControllers = 'not-by-listed-controllers';

/**
 * Endpoints, and of Services the status alone: the account may write nothing else for all tenants, and a status writes metadata as well.
 *
 * @param annotations keys that it writes along with the status, such as those that say from which pool an address is
 */
export function notByListedControllers(controllers: readonly Subject[], annotations: readonly string[]): string {
  const [after, before] = [metadata('object', 'annotations'), metadata('oldObject', 'annotations')];
  const isKept = anyOf(`key in ${literal(annotations)}`, `${after}[?key] == ${before}[?key]`);
  return `!(${allOf(
    `request.userInfo.username in ${literal(controllers.map(nameOf))}`,
    anyOf(
      'request.kind.kind != "Service"',
      allOf(
        'request.?subResource.orValue("") == "status"',
        unchanged('labels'),
        `[${after}, ${before}].all(keys, keys.all(key, ${isKept}))`,
      ),
    ),
  )})`;
}
