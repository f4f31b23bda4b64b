/** The names that controllers give to pods: which workload may have made a pod, by its name alone. */

export interface PossibleMaker {
  readonly name: string;
  /** @param kind of the workload with that name */
  isOf(kind: string): boolean;
}

/** Letters and digits of names that the API server makes up: no vowels, so that they are no words. */
const made = '[bcdfghjklmnpqrstvwxz2456789]';
/** The five that `generateName` ends in; flow logs of Calico shorten them to `*`. */
const end = `(?:${made}{5}|\\*)`;

/** Kinds that are not known, such as a Rollout of Argo, may name their pods as any of these do. */
const knownKinds: ReadonlySet<string> = new Set([
  ...['Pod', 'Deployment', 'ReplicaSet', 'ReplicationController', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'],
]);

const patterns: readonly { readonly pattern: RegExp; readonly kinds: readonly string[] }[] = [
  // The hash of a template is a number of 32 bits, each digit a letter or digit.
  { pattern: new RegExp(`^(.+)-${made}{5,10}-${end}$`), kinds: ['Deployment'] },
  // The minute of its Job, and the number of an indexed one.
  { pattern: new RegExp(`^(.+)-\\d{8,10}(?:-\\d+)?-${end}$`), kinds: ['CronJob'] },
  { pattern: new RegExp(`^(.+)-\\d+-${end}$`), kinds: ['Job'] },
  { pattern: new RegExp(`^(.+)-${end}$`), kinds: ['ReplicaSet', 'ReplicationController', 'DaemonSet', 'Job'] },
  { pattern: /^(.+)-(?:\d+|\*)$/, kinds: ['StatefulSet'] },
];

/** The more of the name a pattern explains, the earlier it comes. */
export function possibleMakers(pod: string): readonly PossibleMaker[] {
  return patterns.flatMap(({ pattern, kinds }) => {
    const name = pattern.exec(pod)?.[1];
    return name === undefined ? [] : [{ name, isOf: (kind) => kinds.includes(kind) || !knownKinds.has(kind) }];
  });
}
