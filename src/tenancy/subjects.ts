/** The subjects that documents name, and the users and groups of a request: whether they are the same. */
import type { UserInfo } from '../kubernetes/user.ts';
import type { Subject } from './tenant.ts';

/** A subject as one string, so that equal means the same subject. */
export function identity(subject: Subject): string {
  return subject.kind === 'Group' ? `Group ${subject.name}` : `User ${nameOf(subject)}`;
}

/** Names are compared exactly (ADM-18). */
export function isOneOf(subjects: readonly Subject[], { username, groups }: UserInfo): boolean {
  return subjects.some((one) => (one.kind === 'Group' ? groups.includes(one.name) : nameOf(one) === username));
}

/** As the API server says it of a request. A service account is its user name: the two are one identity. */
export function nameOf(subject: Subject): string {
  return subject.kind === 'ServiceAccount'
    ? `system:serviceaccount:${subject.namespace}:${subject.name}`
    : subject.name;
}

/** What is known of users and of groups, by their names. */
export interface BySubject<Value> {
  readonly users: Map<string, Value>;
  readonly groups: Map<string, Value>;
}

export function bySubject<Value>(): BySubject<Value> {
  return { users: new Map(), groups: new Map() };
}

export function place<Value>({ users, groups }: BySubject<Value>, { kind }: Subject): Map<string, Value> {
  return kind === 'Group' ? groups : users;
}

/** Names are compared exactly (ADM-18). */
export function isAmong({ users, groups }: BySubject<true>, user: UserInfo): boolean {
  return users.has(user.username) || user.groups.some((group) => groups.has(group));
}
