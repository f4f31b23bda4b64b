/** What the settings grant on namespaces (checks/granted.ts), in CEL. */
import { garbageCollectors } from '../checks/namespace-owner-references.ts';
import { isBeginning } from '../keys/reserved-keys.ts';
import { provisionerMark } from '../tenancy/namespace-grant.ts';
import type { Provisioner, Settings } from '../tenancy/settings.ts';
import { identity } from '../tenancy/subjects.ts';
import type { Subject } from '../tenancy/tenant.ts';
import { allOf, anyOf, literal, metadata, onlyRemoves } from './expressions.ts';

/** By the names that the API server knows them by. */
export function subjectNames(listed: readonly Subject[]): {
  readonly users: readonly string[];
  readonly groups: readonly string[];
} {
  const names = listed.map(identity);
  const starting = (word: string): string[] =>
    names.filter((name) => name.startsWith(word)).map((name) => name.slice(word.length));
  return { users: starting('User '), groups: starting('Group ') };
}

/** Whether the requester is one of them. */
export function isAmong(listed: readonly Subject[]): string {
  const { users, groups } = subjectNames(listed);
  return anyOf(
    `request.userInfo.username in ${literal(users)}`,
    `request.userInfo.?groups.orValue([]).exists(group, group in ${literal(groups)})`,
  );
}

export function hasGrants({ platform: { namespaceWriters, provisioners } }: Settings): boolean {
  return namespaceWriters.length + provisioners.length > 0;
}

const mark = `(request.operation == "CREATE" ? object : oldObject).metadata.?annotations[?${literal(provisionerMark)}].orValue("")`;

/** Whether one of these creates the namespace or has created it: the mutating webhook has marked it. */
export function provisionedBy(provisioners: readonly Provisioner[]): string {
  const each = provisioners.map(({ name, subjects }) => allOf(isAmong(subjects), `${mark} == ${literal(name)}`));
  return each.length === 0 ? 'false' : anyOf(...each);
}

/** Lists of what the requester may write on this namespace. Evaluated once, and not for each key. */
export function grantVariables({
  platform,
}: Settings): readonly { readonly name: string; readonly expression: string }[] {
  const { namespaceWriters, provisioners } = platform;
  const grants = [
    ...namespaceWriters.map(({ subjects, namespaces, ...granted }) => ({
      ...granted,
      holds:
        namespaces === undefined
          ? isAmong(subjects)
          : allOf(isAmong(subjects), `oldObject.metadata.name in ${literal([...namespaces])}`),
    })),
    ...provisioners.map((one) => ({ keys: one.keys, finalizers: [], holds: provisionedBy([one]) })),
  ];
  const lists = {
    grantedKeys: grants.map(({ holds, keys }) => [holds, keys.filter((key) => !isBeginning(key))] as const),
    grantedDomains: grants.map(({ holds, keys }) => [holds, keys.filter(isBeginning)] as const),
    grantedFinalizers: grants.map(({ holds, finalizers }) => [holds, finalizers] as const),
  };
  return Object.entries(lists).map(([name, parts]) => {
    const given = parts.filter(([, names]) => names.length > 0);
    const each = given.map(([holds, names]) => `((${holds}) ? ${literal(names)} : [])`);
    return { name, expression: each.join('\n+ ') || '[]' };
  });
}

/** The update changes no other keys of the map than the granted ones. */
export function changesGranted(map: 'labels' | 'annotations'): string {
  const [after, before] = [metadata('object', map), metadata('oldObject', map)];
  const granted = 'key in variables.grantedKeys || variables.grantedDomains.exists(domain, key.startsWith(domain))';
  return allOf(
    `${after}.all(key, (key in ${before} && ${before}[key] == ${after}[key]) || ${granted})`,
    `${before}.all(key, key in ${after} || ${granted})`,
  );
}

/** The update adds no other finalizers than the granted ones, and others that it takes satisfy `mayGo`, which speaks of `one`. */
export function finalizersGranted(mayGo: string): string {
  const ungranted = (object: 'object' | 'oldObject') =>
    `${metadata(object, 'finalizers')}.filter(name, !(name in variables.grantedFinalizers))`;
  return onlyRemoves(ungranted('object'), ungranted('oldObject'), mayGo);
}

/** The end of a namespace that a provisioner has created: by itself, or because the owner that it has set is gone. */
export function deletesProvisioned(provisioners: readonly Provisioner[]): string {
  return allOf(
    'request.operation == "DELETE"',
    anyOf(
      provisionedBy(provisioners),
      allOf(`request.userInfo.username in ${literal([...garbageCollectors])}`, `${mark} != ""`),
    ),
  );
}
