import { excerpt } from '../kubernetes/json.ts';
import type { Report, Step } from './problem.ts';
import type { SubjectDocument } from './schema/subject-schema.ts';
import type { Subject } from './tenant.ts';

/** Groups and users that include every client: to list one is to list every client. */
const everybody: ReadonlySet<string> = new Set([
  'system:authenticated',
  'system:unauthenticated',
  'system:serviceaccounts',
  'system:anonymous',
]);

const serviceAccountUser = 'system:serviceaccount:';
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** DNS subdomain, at most 253 characters. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Reads one subject; undefined when it was reported. A name means exactly that name, so what could only be a pattern is refused. */
export function parseSubject(document: SubjectDocument, steps: readonly Step[], report: Report): Subject | undefined {
  const { kind, name, namespace } = document;
  const at = [...steps, 'name'];
  if (kind === 'ServiceAccount') {
    if (namespace === undefined) {
      return report([...steps, 'namespace'], 'is missing', 'a ServiceAccount is known by its namespace and its name');
    }
    if (!label.test(namespace))
      return report([...steps, 'namespace'], `${excerpt(namespace)} is not the name of a namespace`);
    if (name.length > 253 || !subdomain.test(name))
      return report(at, `${excerpt(name)} is not the name of a ServiceAccount`);
    return { kind, namespace, name };
  }
  if (namespace !== undefined) {
    return report([...steps, 'namespace'], `a ${kind} lives in no namespace`, 'leave it out', 'key');
  }
  if (name.includes('*')) {
    return report(
      at,
      `${excerpt(name)} looks like a pattern, and names are compared exactly`,
      'list each name, or a group',
    );
  }
  if (everybody.has(name)) {
    return report(at, `${name} is everybody, not one ${kind.toLowerCase()}`, 'list those who are meant');
  }
  if (name !== name.trim() || /\p{Cc}/u.test(name)) {
    return report(
      at,
      `${excerpt(name)} begins or ends with white space, or holds control characters`,
      'names are compared exactly',
    );
  }
  if (kind === 'User' && name.startsWith(serviceAccountUser)) {
    const [home = 'NAMESPACE', account = 'NAME'] = name.slice(serviceAccountUser.length).split(':');
    return report(
      at,
      `${excerpt(name)} is a service account`,
      `write kind: ServiceAccount, namespace: ${home || 'NAMESPACE'}, name: ${account || 'NAME'}`,
    );
  }
  return { kind, name };
}

/** Every service account of a namespace, and every node, is in a group of its own: a tenant can be in it, too. */
export function parseNamedSubject(
  document: SubjectDocument,
  steps: readonly Step[],
  report: Report,
): Subject | undefined {
  const subject = parseSubject(document, steps, report);
  if (subject?.kind !== 'Group' || !subject.name.startsWith('system:')) return subject;
  return report(
    [...steps, 'name'],
    `${subject.name} is a group that the API server puts accounts into by itself`,
    'list the account by its own name: kind ServiceAccount or User',
  );
}
