/** What the checks of the catalogue need gathered, so that admission/gather.ts knows no single check. */
import type {
  NamespaceRequest,
  NeighbourRequest,
  PodRequest,
  TenantRequest,
  UnreadRequest,
} from '../kubernetes/review.ts';
import { catalogue } from './catalogue.ts';
import type { Needs } from './check.ts';

const ofEmptied = declared('namespaceEmptied');
const ofAccount = declared('accountOwner');
const ofNames = declared('namesOfOthers');
const ofNamespaces = declared('namespacesNamed');
const ofUnread = declared('namespacesNamedByUnread');
const ofOthers = declared('othersOfUnread');
const ofNeighbours = declared('accountOwnerOfNeighbour');
const nowhere: readonly string[] = [];

function declared<Name extends keyof Needs>(name: Name): readonly NonNullable<Needs[Name]>[] {
  return catalogue.flatMap(({ needs }) => needs?.[name] ?? []);
}

export function needsNamespaceEmptied(request: NamespaceRequest): boolean {
  return ofEmptied.some((needs) => needs(request));
}

export function needsAccountOwner(request: PodRequest): boolean {
  return ofAccount.some((needs) => needs(request));
}

/** Whole names and prefixes; several checks may ask for the same one. */
export function neededNames(request: TenantRequest): ReadonlySet<string> {
  return new Set(ofNames.flatMap((needs) => needs(request)));
}

/** Each once; any of them may be no name at all. */
export function namespacesNamed(request: NeighbourRequest | UnreadRequest): readonly string[] {
  if (request.family === 'unread') return [...new Set(ofUnread.flatMap((needs) => needs(request)))];
  let named: Set<string> | undefined;
  for (const needs of ofNamespaces)
    for (const name of needs(request)) {
      named ??= new Set();
      named.add(name);
    }
  return named === undefined ? nowhere : [...named];
}

export function needsOwnerOfAccount(request: NeighbourRequest): boolean {
  return ofNeighbours.some((needs) => needs(request));
}

/** The versions in which the others of its kind may be served. Empty: they are not needed. */
export function versionsOfOthers(request: UnreadRequest): readonly string[] {
  return ofOthers.flatMap((needs) => needs(request));
}
