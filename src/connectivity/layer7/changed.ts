/** Policies of layer 7 that differ between two snapshots. What they open and close depends on requests, so connections are not compared by them. */
import { isDryRun } from '../../kinds/istio-authorization-policy/read-policy.ts';
import { canonical, policyKey } from '../fingerprint.ts';
import { refText, type Snapshot } from '../snapshot.ts';

export interface Layer7Change {
  /** `AuthorizationPolicy acme-db/from-web` */
  readonly policy: string;
  readonly change: 'added' | 'changed' | 'removed';
}

/** In the order of their names. */
export function layer7Changes(before: Snapshot, after: Snapshot): readonly Layer7Change[] {
  const [old, now] = [textsOf(before), textsOf(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].sort();
  return names.flatMap((key): readonly Layer7Change[] => {
    const [was, is] = [old.get(key), now.get(key)];
    if (was?.text === is?.text) return [];
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
    return [{ policy: (is ?? was)?.name ?? '', change }];
  });
}

interface Text {
  readonly name: string;
  readonly text: string;
}

/** Of policies of a mesh, and of network policies what they say of requests. */
function textsOf({ mesh = [], policies }: Snapshot): ReadonlyMap<string, Text> {
  const texts = new Map<string, Text>();
  for (const { ref, object } of mesh)
    texts.set(`mesh ${refText(ref)}`, { name: refText(ref), text: canonical([object.spec, isDryRun(object)]) });
  for (const policy of policies) {
    const rules = policy.inForce.parts.flatMap((part) =>
      part.rules.filter(({ layer7 }) => layer7 !== undefined).map((rule) => [part.subject, rule]),
    );
    if (rules.length > 0) texts.set(policyKey(policy), { name: refText(policy.ref), text: canonical(rules) });
  }
  return texts;
}
