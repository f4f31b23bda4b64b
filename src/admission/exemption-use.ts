/** Which exemptions cover a stored object: recorded while the objects are judged (stored-policy.ts, State). */
import { doubtAbout, tenantsOf, textOf } from '../exemptions/doubt.ts';
import type { Exemption } from '../tenancy/exemption.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { State } from './stored-policy.ts';

export interface ExemptionUse {
  /** An object is exempted from a check. */
  see(exemption: string, check: string): void;
  /**
   * Exemptions that exempt nothing, or soon will, in order of their names.
   *
   * @param complete whether every object has been judged
   */
  doubts(state: State, complete: boolean): readonly { readonly name: string; readonly reason: string }[];
}

export function createExemptionUse(tenancy: Tenancy): ExemptionUse {
  const used = new Set<string>();
  const key = (exemption: string, check: string): string => `${exemption} ${check}`;
  const all = [...tenancy.exemptions.values()].flat().toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    see: (exemption, check) => void used.add(key(exemption, check)),
    doubts({ now, namespaces }, complete) {
      return all.flatMap((one) => {
        const { name, namespace } = one;
        const doubt = doubtAbout(one, tenancy, now, tenantsOf(tenancy, namespaces.lookup));
        const doubts = doubt === undefined ? [] : [{ name, reason: textOf(doubt) }];
        const isJudged = complete && namespaces.lookup(namespace)?.terminating !== true;
        if (!isJudged || (doubt !== undefined && doubt.kind !== 'EndsSoon')) return doubts;
        const unused = [...one.checks].filter((check) => showsIn(one, check) && !used.has(key(name, check)));
        if (unused.length === 0) return doubts;
        const remedy = `remove ${unused.length === one.checks.size ? 'the exemption' : 'these checks'}, or correct spec.match`;
        const reason = `exempts no stored object in ${namespace} from ${unused.join(', ')}; ${remedy}`;
        return [...doubts, { name, reason }];
      });
    },
  };
}

/**
 * Whether stored objects show what the exemption is for. They do not show who sent a request or who chose the node, and a container that
 * was added to a running pod is no longer judged.
 */
function showsIn({ match }: Exemption, check: string): boolean {
  if (match.requesters !== undefined || check === 'ephemeral-containers') return false;
  return check !== 'chosen-node' || match.owner !== undefined;
}
