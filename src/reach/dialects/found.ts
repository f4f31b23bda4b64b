/** What the reader of a policy has found so far, and how much it still looks at. */
import type { FieldPath } from '../../kubernetes/field-path.ts';
import { type AllowRule, type Diagnostic, type DiagnosticScope, diagnostic, type PlacedDiagnostic } from '../model.ts';

/** How many of each one policy may have; what is beyond is `unproven`. */
export interface Limits {
  readonly rules: number;
  readonly peers: number;
  readonly ports: number;
  readonly excepts: number;
  /** Requirements on labels, of all selectors of peers. */
  readonly labels: number;
}

export class Found {
  readonly rules: AllowRule[] = [];
  readonly diagnostics: PlacedDiagnostic[] = [];
  readonly #limits: Limits;
  readonly #left: { -readonly [What in keyof Limits]: number };

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#left = { ...limits };
  }

  add(part: AllowRule | Diagnostic): void {
    if ('verdict' in part) this.diagnostics.push({ ...part, rulesBefore: this.rules.length });
    else this.rules.push(part);
  }

  /** Whether so many more are examined. Otherwise a diagnostic says that they are not. */
  examines(count: number, what: keyof Limits, scope: DiagnosticScope, path: FieldPath): boolean {
    this.#left[what] -= count;
    if (this.#left[what] >= 0) return true;
    const reason = `goes beyond the ${this.#limits[what]} ${what} of one policy that are examined, so it is not proven to stay inside`;
    this.add(diagnostic(scope, 'unproven', path, reason, 'split the policy into several: policies add up'));
    return false;
  }
}
