/** What the reader of a policy has found so far, and how much it still looks at. */
import type { FieldPath } from '../../kubernetes/field-path.ts';
import { formatPort, type Port } from '../../kubernetes/port-range.ts';
import { type AllowRule, type Diagnostic, type DiagnosticScope, diagnostic, type PlacedDiagnostic } from '../model.ts';

/** How many of each one policy may have; what is beyond is `unproven`. */
export interface Limits {
  readonly rules: number;
  readonly peers: number;
  readonly ports: number;
  readonly excepts: number;
  /** Requirements on labels, of all selectors of peers. */
  readonly labels: number;
  /** Of all lists together, whatever they hold: each may be a finding of its own. */
  readonly items: number;
}

/**
 * More values than this for one label are not examined (NP-14). Labels of pods of the own namespace have no such limit: those pods are
 * all the tenant's.
 */
export const valuesPerLabel = 100;

/** With fewer rules, comparing lists of ports costs more than it saves. */
const fewRules = 16;

interface Allowance {
  readonly what: keyof Limits;
  readonly most: number;
  left: number;
}

const allowance = (what: keyof Limits, most: number): Allowance => ({ what, most, left: most });

export class Found {
  readonly rules: AllowRule[] = [];
  readonly diagnostics: PlacedDiagnostic[] = [];
  /** How many of each are still examined. */
  readonly left: { readonly [What in keyof Limits]: Allowance };
  readonly #ports = new Map<string, readonly Port[]>();

  private constructor(left: Found['left']) {
    this.left = left;
  }

  static within({ rules, peers, ports, excepts, labels, items }: Limits): Found {
    return new Found({
      rules: allowance('rules', rules),
      peers: allowance('peers', peers),
      ports: allowance('ports', ports),
      excepts: allowance('excepts', excepts),
      labels: allowance('labels', labels),
      items: allowance('items', items),
    });
  }

  /** One list for all rules on the same ports: what is asked about a list is worked out once (reach/tenant-addresses.ts). */
  onPorts(ports: readonly Port[]): readonly Port[] {
    if (this.rules.length < fewRules) return ports;
    const key = ports.map(formatPort).join();
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    this.#ports.set(key, ports);
    return ports;
  }

  /** Another one for what is kept apart. Both look at no more than the rest of the same limits. */
  aside(): Found {
    return new Found(this.left);
  }

  add(part: AllowRule | Diagnostic): void {
    if ('verdict' in part) this.diagnostics.push({ ...part, rulesBefore: this.rules.length });
    else this.rules.push(part);
  }

  /** Whether so many more are examined. Otherwise a diagnostic says that they are not. */
  examines(count: number, of: Allowance, scope: DiagnosticScope, path: FieldPath): boolean {
    of.left -= count;
    if (of.left >= 0) return true;
    const reason = `goes beyond the ${of.most} ${of.what} of one policy that are examined, so it is not proven to stay inside`;
    this.add(diagnostic(scope, 'unproven', path, reason, 'split the policy into several: policies add up'));
    return false;
  }
}
