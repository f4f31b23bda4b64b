import { kinds } from './kinds.ts';

/** The kinds that requests are judged as, for labels of metrics. */
export const kindNames: ReadonlySet<string> = new Set(
  kinds.filter(({ judgedAs }) => judgedAs === undefined).map(({ kind }) => kind),
);
