/** What a policy says as one list, in the order of the object's fields. */
import type { PlacedDiagnostic, Reach } from '../../src/reach/model.ts';

export type Part = Reach['rules'][number] | PlacedDiagnostic;

export function partsOf({ rules, diagnostics }: Reach): readonly Part[] {
  const places = Array.from({ length: rules.length + 1 }, (_, index) => index);
  return places.flatMap((index): readonly Part[] => [
    ...diagnostics.filter(({ rulesBefore }) => rulesBefore === index),
    ...rules.slice(index, index + 1),
  ]);
}
