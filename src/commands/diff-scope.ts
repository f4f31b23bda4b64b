/** Of a comparison, what is in the scope: connections with an end there or because of a policy there, and what else changes there. */
import { type Alike, aloneOf, type Changes, createChanges, type PartEnd } from '../connectivity/changes.ts';
import type { Comparison } from '../connectivity/compare.ts';
import { refText } from '../connectivity/snapshot.ts';
import type { Scope } from './scope.ts';

/** Changes of which those between others are left out as they are found, before those that are alike are joined. */
export function changesIn(scope: Scope | undefined): Changes {
  const changes = createChanges();
  if (scope === undefined) return changes;
  return {
    all: () => changes.all(),
    add(part, all = aloneOf(part), isMany = false) {
      const [from, to] = [endsIn(all.from, scope), endsIn(all.to, scope)];
      if (from.length > 0) changes.add(part, withOwnPolicies({ ...all, from }), isMany);
      if (to.length > 0) changes.add(part, withOwnPolicies({ ...all, to }), isMany);
      const isCause = all.policies.some((refs) => refs.some((ref) => scope.hasObject(refText(ref))));
      if (from.length + to.length === 0 && isCause) changes.add(part, all, isMany);
    },
  };
}

/** What is not understood stays: it may open connections of the scope too. */
export function inScope(comparison: Comparison, scope: Scope): Comparison {
  return {
    ...comparison,
    services: comparison.services.filter(({ service }) => scope.hasObject(`Service ${service}`)),
    layer7: comparison.layer7.filter(({ policy }) => scope.hasObject(policy)),
  };
}

/** Of those that exist. */
function endsIn(ends: readonly PartEnd[], scope: Scope): readonly PartEnd[] {
  const isIn = (member: string): boolean => {
    const [namespace, kind, name, ...more] = member.split('/');
    return name !== undefined && more.length === 0 && scope.hasObject(`${kind} ${namespace}/${name}`);
  };
  return ends.flatMap((end) => {
    const members = end.isHypothetical ? [] : end.members.filter(isIn);
    return members.length === 0 ? [] : [{ ...end, members }];
  });
}

/** Without the policies of those who are left out. */
function withOwnPolicies(all: Alike): Alike {
  const members = [...all.from, ...all.to].flatMap((end) => end.members);
  const namespaces = new Set(['', ...members.map((one) => one.slice(0, Math.max(0, one.indexOf('/'))))]);
  const policies = all.policies.map((refs) => {
    const own = refs.filter(({ namespace }) => namespaces.has(namespace));
    return own.length === 0 ? refs : own;
  });
  return { ...all, policies };
}
