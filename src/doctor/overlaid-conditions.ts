/** Match conditions that an overlay writes with accounts of the settings, in other lines and in any order. */
import { listedControllers, notByListedControllers } from '../backstop/service-conditions.ts';
import { unreadConditions } from '../backstop/unread-conditions.ts';
import { isJudgedOnServices } from '../checks/service-annotations.ts';
import { builtInAgents } from '../tenancy/network-agents.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/** Those of the manifests, or, where an overlay adds the accounts of the settings, with these. */
export function leavesOutAgents(name: string, expression: string, { platform }: Settings): boolean {
  return [builtInAgents, platform.networkAgents].some((agents) =>
    unreadConditions(agents).some((one) => one.name === name && isSame(one.expression, expression)),
  );
}

/** For the accounts of the settings, with annotations that no check reads. */
export function leavesOutControllers(name: string, expression: string, tenancy: Tenancy): boolean {
  const annotations = [...(taken(expression).lists[1] ?? none)];
  return (
    name === listedControllers &&
    isSame(notByListedControllers(tenancy.settings.services.controllers, annotations), expression) &&
    !annotations.some((key) => isJudgedOnServices(key, tenancy))
  );
}

/** Whether two expressions differ in white space alone, and in the order of lists of strings. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [taken(one), taken(other)];
  return a.rest === b.rest && a.lists.every((list, index) => isSameSet(list, b.lists[index] ?? none));
}

const none: ReadonlySet<string> = new Set();

interface Taken {
  readonly lists: readonly ReadonlySet<string>[];
  /** With `[*]` for each list that is not empty, which is no CEL, and without white space outside of strings. */
  readonly rest: string;
}

function taken(expression: string): Taken {
  // An escape can say one thing in several ways, and hide the end of a string.
  if (expression.includes('\\')) return { lists: [], rest: expression };
  // Pieces at odd places are inside of quotes.
  const pieces = expression.split('"').map((piece, index) => (index % 2 === 0 ? piece.replaceAll(/\s/g, '') : piece));
  const lists: ReadonlySet<string>[] = [];
  let rest = '';
  for (let at = 0; at < pieces.length; at++) {
    const strings = at % 2 === 1 && rest.endsWith('[') ? listFrom(at, pieces) : [];
    rest += strings.length > 0 ? '*' : at % 2 === 1 ? `"${pieces[at]}"` : pieces[at];
    if (strings.length === 0) continue;
    lists.push(new Set(strings));
    at += 2 * (strings.length - 1);
  }
  return { lists, rest };
}

/** The strings from this one on to the end of the list. None: something else is in it. */
function listFrom(first: number, pieces: readonly string[]): readonly string[] {
  let last = first;
  while (pieces[last + 1] === ',' && last + 2 < pieces.length) last += 2;
  return pieces[last + 1]?.startsWith(']') ? pieces.slice(first, last + 1).filter((_, index) => index % 2 === 0) : [];
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
