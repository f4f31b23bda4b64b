import type { NeighbourRequest } from '../kubernetes/review.ts';
import type { NeighbourKind } from './kind.ts';
import { kinds } from './kinds.ts';

export const neighbourKinds: readonly NeighbourKind[] = kinds.filter((kind) => kind.family === 'neighbour');

/** By the plural, which two groups may share. Every request asks, and a name of both would be put together each time. */
const byPlural: ReadonlyMap<string, readonly NeighbourKind[]> = Map.groupBy(neighbourKinds, ({ plural }) => plural);

/** @throws for a request that was not decoded by the table */
export function neighbourKindOf({ group, resource }: Pick<NeighbourRequest, 'group' | 'resource'>): NeighbourKind {
  const kind = byPlural.get(resource)?.find((one) => one.group === group);
  if (kind === undefined) throw new Error(`${resource}.${group} leads no traffic in the table of kinds`);
  return kind;
}
