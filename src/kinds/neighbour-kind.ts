import type { NeighbourRequest } from '../kubernetes/review.ts';
import type { NeighbourKind } from './kind.ts';
import { kinds } from './kinds.ts';

export const neighbourKinds: readonly NeighbourKind[] = kinds.filter((kind) => kind.family === 'neighbour');

const byResource: ReadonlyMap<string, NeighbourKind> = new Map(
  neighbourKinds.map((kind) => [`${kind.plural}.${kind.group}`, kind]),
);

/** @throws for a request that was not decoded by the table */
export function neighbourKindOf({ group, resource }: Pick<NeighbourRequest, 'group' | 'resource'>): NeighbourKind {
  const kind = byResource.get(`${resource}.${group}`);
  if (kind === undefined) throw new Error(`${resource}.${group} leads no traffic in the table of kinds`);
  return kind;
}
