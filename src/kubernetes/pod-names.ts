/** The names that controllers give to pods: which workload may have made a pod, by its name alone. */

export interface PossibleMaker {
  readonly name: string;
  /** @param kind of the workload with that name */
  isOf(kind: string): boolean;
}

/** Letters and digits of names that the API server makes up: no vowels, so that they are no words. */
const made = /^[bcdfghjklmnpqrstvwxz2456789]+$/;
const isNumber = (text: string) => /^\d+$/.test(text);
/** The five that `generateName` ends in; flow logs of Calico shorten them to `*`. */
const isEnd = (text: string) => text === '*' || (text.length === 5 && made.test(text));
/** The hash of a template is a number of 32 bits, each digit a letter or digit. */
const isHash = (text: string) => text.length >= 5 && text.length <= 10 && made.test(text);
/** The minute of a Job of a CronJob. */
const isMinute = (text: string) => text.length >= 8 && text.length <= 10 && isNumber(text);

/** Kinds that are not known, such as a Rollout of Argo, may name their pods as any of these do. */
const knownKinds: ReadonlySet<string> = new Set([
  ...['Pod', 'Deployment', 'ReplicaSet', 'ReplicationController', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob'],
]);

type IsPart = (part: string) => boolean;

/** What kinds put behind their own name, from its end. */
const patterns: readonly { readonly parts: readonly IsPart[]; readonly kinds: readonly string[] }[] = [
  { parts: [isEnd, isHash], kinds: ['Deployment'] },
  { parts: [isEnd, isMinute], kinds: ['CronJob'] },
  // With the number of an indexed Job.
  { parts: [isEnd, isNumber, isMinute], kinds: ['CronJob'] },
  { parts: [isEnd, isNumber], kinds: ['Job'] },
  { parts: [isEnd], kinds: ['ReplicaSet', 'ReplicationController', 'DaemonSet', 'Job'] },
  { parts: [(part) => part === '*' || isNumber(part)], kinds: ['StatefulSet'] },
];

/** The more of the name a pattern explains, the earlier it comes. */
export function possibleMakers(pod: string): readonly PossibleMaker[] {
  return patterns.flatMap(({ parts, kinds }) => {
    const name = before(parts, pod);
    return name === undefined ? [] : [{ name, isOf: (kind) => kinds.includes(kind) || !knownKinds.has(kind) }];
  });
}

/** The name before these parts, each behind a hyphen. */
function before(parts: readonly IsPart[], pod: string): string | undefined {
  let name = pod;
  for (const isPart of parts) {
    const hyphen = name.lastIndexOf('-');
    if (hyphen < 1 || !isPart(name.slice(hyphen + 1))) return undefined;
    name = name.slice(0, hyphen);
  }
  return name;
}
