/** Which users a subject of a binding includes: the platform, members of tenants, all users, or an unlisted account. */
import { isMap } from '../kubernetes/json.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';
import type { Examination } from './check.ts';

export interface Who {
  /** `Group acme-developers` */
  readonly text: string;
  readonly is: 'platform' | 'tenant' | 'everybody' | 'unlisted';
  /** Names; empty unless it is a member of tenants. */
  readonly tenants: readonly string[];
  /** Of a service account, or of all of a namespace. */
  readonly home: string | undefined;
}

/** All that pass authentication, or all service accounts: members of every tenant are among them. */
const everybody: ReadonlySet<string> = new Set([
  ...['system:authenticated', 'system:unauthenticated', 'system:anonymous', 'system:serviceaccounts'],
]);
const account = /^system:serviceaccount:([^:]+):([^:]+)$/;
const accountsOf = /^system:serviceaccounts:([^:]+)$/;

export function whoIs(
  subject: unknown,
  { tenancy, ownerOf, isPlatform }: Pick<Examination, 'tenancy' | 'ownerOf' | 'isPlatform'>,
): Who | undefined {
  if (!isMap(subject) || typeof subject.name !== 'string') return undefined;
  const { kind, name } = subject;
  const text = `${String(kind)} ${kind === 'ServiceAccount' ? `${subject.namespace}/` : ''}${name}`;
  if (kind === 'ServiceAccount') return ofAccount(text, String(subject.namespace), name);
  if (everybody.has(name)) return { text, is: 'everybody', tenants: [], home: undefined };
  const [, namespace = '', own = ''] = (kind === 'User' ? account.exec(name) : accountsOf.exec(name)) ?? [];
  if (namespace !== '') return ofAccount(text, namespace, own);
  // Names with this beginning are those of Kubernetes: no authenticator should give them to other users.
  if (name.startsWith('system:')) return { text, is: 'platform', tenants: [], home: undefined };
  const asked = kind === 'User' ? { username: name, groups: [] } : { username: '', groups: [name] };
  return of(text, tenancy.requester(asked, undefined), undefined);

  /** @param own empty: every account of the namespace */
  function ofAccount(text: string, namespace: string, own: string): Who {
    const groups = ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    // Any name will do where every account is meant.
    const username = `system:serviceaccount:${namespace}:${own || 'default'}`;
    const requester = tenancy.requester({ username, groups }, ownerOf(namespace));
    const isMember = !requester.platform && requester.tenants.length > 0;
    // A deployer that the platform runs for a tenant does what members of the tenant tell it.
    if (isPlatform(namespace) && !isMember) return { text, is: 'platform', tenants: [], home: namespace };
    return withHome(of(text, requester, namespace), ownerOf(namespace), tenancy);
  }
}

function of(text: string, { platform, tenants }: Requester, home: string | undefined): Who {
  const names = tenants.map((tenant) => tenant.name);
  return { text, is: platform ? 'platform' : names.length > 0 ? 'tenant' : 'unlisted', tenants: names, home };
}

/** A namespace may have the label of an undeclared tenant: its accounts belong to that tenant. */
function withHome(who: Who, owner: Owner | undefined, { declares }: Pick<Tenancy, 'declares'>): Who {
  if (who.is !== 'unlisted' || owner === undefined || owner === 'platform' || declares(owner)) return who;
  return { ...who, is: 'tenant', tenants: [owner.name] };
}
