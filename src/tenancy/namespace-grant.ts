/**
 * What accounts that are neither the platform nor a member may write on namespaces (settings: `platform.namespaceWriters` and
 * `platform.provisioners`). A grant is of keys, one by one; it never holds for the keys of Bulkhead, the tenant label or
 * `kubernetes.io/metadata.name`, which parse-namespace-grants.ts refuses.
 */
import { entry, type StringMap } from '../kubernetes/objects.ts';
import type { UserInfo } from '../kubernetes/user.ts';
import type { NamespaceWriter, Provisioner, Settings } from './settings.ts';
import type { Subject } from './tenant.ts';

/**
 * The annotation that the mutating webhook gives a namespace which a provisioner creates: its name. It is frozen, as every key of
 * Bulkhead; so it proves afterwards who has created the namespace. The platform may write it to hand a namespace over.
 */
export const provisionerMark = 'bulkhead.dev/provisioner';

/** What one account may do to one namespace. */
export interface NamespaceGrant {
  /** As which it acts; undefined for none. */
  readonly provisioner: Provisioner | undefined;
  /** Whether it creates the namespace as that provisioner, or has created it. */
  readonly provisioned: boolean;
  allowsKey(key: string): boolean;
  allowsFinalizer(name: string): boolean;
}

/** Undefined: nothing is granted. The cost depends on how many entries list this account, not on how many there are. */
export type GrantOn = (
  user: UserInfo,
  namespace: string,
  /** Of the stored namespace; `creates`: there is none. */
  annotations: StringMap | null | undefined | 'creates',
) => NamespaceGrant | undefined;

interface Keys {
  readonly keys: ReadonlySet<string>;
  readonly finalizers: ReadonlySet<string>;
}
interface Entry extends Keys {
  readonly writer?: NamespaceWriter;
  readonly provisioner?: Provisioner;
}

/** @param nameOf a subject as the API server says it of a request */
export function compileGrants({ platform }: Settings, nameOf: (subject: Subject) => string): GrantOn {
  const [users, groups] = [new Map<string, Entry[]>(), new Map<string, Entry[]>()];
  const add = (subjects: readonly Subject[], one: Entry): void => {
    for (const subject of subjects) {
      const lists = subject.kind === 'Group' ? groups : users;
      lists.set(nameOf(subject), [...(lists.get(nameOf(subject)) ?? []), one]);
    }
  };
  for (const writer of platform.namespaceWriters)
    add(writer.subjects, { writer, keys: new Set(writer.keys), finalizers: new Set(writer.finalizers) });
  for (const provisioner of platform.provisioners)
    add(provisioner.subjects, { provisioner, keys: new Set(provisioner.keys), finalizers: new Set() });
  if (users.size + groups.size === 0) return () => undefined;

  return (user, namespace, annotations) => {
    const entries = [...(users.get(user.username) ?? []), ...user.groups.flatMap((group) => groups.get(group) ?? [])];
    if (entries.length === 0) return undefined;
    const [provisioner] = entries
      .flatMap((one) => one.provisioner ?? [])
      .toSorted((one, other) => platform.provisioners.indexOf(one) - platform.provisioners.indexOf(other));
    const provisioned =
      provisioner !== undefined &&
      (annotations === 'creates' || entry(annotations, provisionerMark) === provisioner.name);
    const held = entries.filter(({ writer, provisioner: role }) =>
      role === undefined
        ? writer?.namespaces === undefined || writer.namespaces.has(namespace)
        : provisioned && role === provisioner,
    );
    return {
      provisioner,
      provisioned,
      allowsKey: (key) => held.some(({ keys }) => holds(keys, key)),
      allowsFinalizer: (name) => held.some(({ finalizers }) => finalizers.has(name)),
    };
  };
}

function holds(keys: ReadonlySet<string>, key: string): boolean {
  return keys.has(key) || keys.has(key.slice(0, key.indexOf('/') + 1));
}

/** Whether the settings list any account that may write a key on this namespace, or may have when it created it. */
export function hasWriter(
  { platform }: Settings,
  namespace: string,
  annotations: StringMap | null | undefined,
  map: string,
  key: string,
): boolean {
  const mark = entry(annotations, provisionerMark);
  return (
    platform.namespaceWriters.some(
      ({ keys, namespaces }) => (namespaces?.has(namespace) ?? true) && holds(new Set(keys), key),
    ) ||
    platform.provisioners.some(
      ({ name, keys, tenantFrom }) =>
        name === mark &&
        (holds(new Set(keys), key) || (map === 'annotations' && (key === tenantFrom || key === provisionerMark))),
    )
  );
}
