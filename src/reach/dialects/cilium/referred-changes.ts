/** Which rules refer to a Service or CiliumCIDRGroup that changes, and whether the change is one of theirs. */
import { isDeepStrictEqual } from 'node:util';
import type { InForce, InForcePeer, Referring } from '../../in-force.ts';
import { isMeant, type ReferredService } from './referred.ts';

/** Whether the rules refer to the Service, as it is now. */
export function concernsService(referring: readonly Referring[], one: ReferredService): boolean {
  return referring.some(({ to }) => to.kind === 'services' && to.any.some((asked) => isMeant(one, asked)));
}

/** Whether a change of the group may change the rules: labels of other groups count for the same addresses. */
export function concernsGroup(referring: readonly Referring[], name: string): boolean {
  return referring.some(({ to }) => to.kind === 'groups' && (to.name === undefined || to.name === name));
}

/** Of one policy, with what it refers to before and after a change. */
export function isAlike(before: InForce, after: InForce): boolean {
  const alike = new Map<InForcePeer, InForcePeer>();
  const hasAlikePeer = (one: InForcePeer | undefined, other: InForcePeer): boolean => {
    if (one === undefined) return false;
    if (alike.get(one) !== other && !isDeepStrictEqual(one, other)) return false;
    alike.set(one, other);
    return true;
  };
  return (
    before.parts.length === after.parts.length &&
    before.unread.length === after.unread.length &&
    after.unread.every((one, index) => one === before.unread[index]) &&
    after.parts.every((part, index) => {
      const known = before.parts[index];
      return (
        known === part ||
        (known?.subject === part.subject &&
          known.rules.length === part.rules.length &&
          part.rules.every((rule, at) => {
            const one = known.rules[at];
            return one?.path === rule.path && hasAlikePeer(one?.peer, rule.peer);
          }))
      );
    })
  );
}
