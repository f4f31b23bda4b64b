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
  const annotations = [...(taken(expression).lists[1] ?? none)].map((quoted) => quoted.slice(1, -1));
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
const string = String.raw`"[^"\\]*"`;
const list = new RegExp(String.raw`\[\s*(${string}\s*(,\s*${string}\s*)*)?\]`, 'g');
const stringOrSpace = new RegExp(String.raw`${string}|\s+`, 'g');

interface Taken {
  readonly lists: readonly ReadonlySet<string>[];
  /** With `[]` for each list, and without white space outside of strings. */
  readonly rest: string;
}

/** A list with an escaped character stays in the rest, as its text can say one thing in several ways. */
function taken(expression: string): Taken {
  const lists: ReadonlySet<string>[] = [];
  const rest = expression.replaceAll(list, (text) => {
    lists.push(new Set(text.match(new RegExp(string, 'g'))));
    return '[]';
  });
  return { lists, rest: rest.replaceAll(stringOrSpace, (text) => (text.startsWith('"') ? text : '')) };
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
