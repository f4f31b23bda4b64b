/**
 * Who has rights that lead around Bulkhead, by whatever binding. Of Roles it keeps those that write, of bindings some names and a count:
 * a tenant may create very many of both, and hides only its own among them.
 */
import type { DecodedObject } from '../client/decode.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { DoctorCheck, Examination, Found } from './check.ts';
import { hazardKinds } from './hazard-findings.ts';
import { type Hazard, hazardsOf, rulesOf, writes } from './hazards.ts';
import { type Who, whoIs } from './subjects.ts';
import { type GroupResource, servedUncovered } from './uncovered-policies.ts';

const api = '/apis/rbac.authorization.k8s.io/v1';
const abroad = 'right-in-foreign-namespace';

export const rights: DoctorCheck = {
  about: 'rights',
  findings: {
    ...hazardKinds,
    [abroad]: {
      severity: 'error',
      meaning:
        'a member of a tenant may write, or run something, in a namespace of another tenant or of the platform; or any account in that of Bulkhead. For an account without a tenant that may do so everywhere it is a warning',
      fix: 'remove the subject from the binding, or list the account under platform.identities if it is the platform',
    },
  },
  async look(examination) {
    const uncovered = await servedUncovered(examination);
    const judge = createRightsJudge(examination, uncovered);
    const { list } = examination;
    // A binding says nothing without its role, so roles come first.
    if (!(await list([`${api}/clusterroles`], judge.role))) return;
    if (!(await list([`${api}/roles`], judge.role))) return;
    await list([`${api}/clusterrolebindings`], judge.binding);
    await list([`${api}/rolebindings`], judge.binding);
    for (const [id, found] of judge.judged()) examination.found(id, found);
  },
};

interface Row {
  readonly id: string;
  readonly why: string;
  readonly severity: 'error' | 'warning' | undefined;
  readonly names: string[];
  count: number;
}

/** Bindings that a finding names. */
const mostNamed = 5;
/** Kubernetes takes any text as the name of a subject. */
const longestName = 160;
/** A role that is worth keeping. */
interface Kept {
  readonly hazards: readonly Hazard[];
  readonly writes: boolean;
}
const onlyWrites: Kept = { hazards: [], writes: true };
/** A user who writes there changes Bulkhead itself. */
const ownNamespace = 'bulkhead-system';

export function createRightsJudge(
  examination: Pick<Examination, 'tenancy' | 'ownerOf' | 'isPlatform'>,
  uncovered: readonly GroupResource[],
) {
  const { ownerOf } = examination;
  /** By `NAMESPACE/NAME`; the namespace of a ClusterRole is empty. */
  const roles = new Map<string, Kept>();
  const rows = new Map<string, Row>();

  function add(key: string, row: Omit<Row, 'names' | 'count'>, name: string): void {
    const known = rows.get(key) ?? { ...row, names: [], count: 0 };
    rows.set(key, known);
    known.count++;
    if (known.names.length < mostNamed) known.names.push(name);
  }

  /** Whether an account that binds this ClusterRole gets nothing by it that is reported. One that does not exist gives nothing. */
  function isHarmless(name: string, isOwn: boolean): boolean {
    const kept = roles.get(`/${name}`);
    return kept === undefined || (isOwn && !kept.hazards.some(({ reach }) => reach === 'inside'));
  }

  /** @param namespace empty: the binding counts in all of them */
  function judge(who: Who, kept: Kept, role: string, binding: string, namespace: string): void {
    if (who.is === 'platform') return;
    const owner = namespace === '' ? undefined : ownerOf(namespace);
    const ownerName = owner === undefined || owner === 'platform' ? '' : owner.name;
    const isOwn = namespace !== '' && (who.tenants.includes(ownerName) || who.home === namespace);
    const name = `${who.text.slice(0, longestName)}, by ${binding.slice(0, longestName)}`;
    const group = `${who.is} ${who.tenants.join(' ')} ${namespace === '' ? '*' : ownerName}`;
    let isSaid = false;
    let isGrave = false;
    for (const { id, reach, rule, binds } of kept.hazards) {
      if (namespace !== '' && (reach === 'cluster' || (isOwn && reach !== 'inside'))) continue;
      if (binds?.every((one) => isHarmless(one, isOwn))) continue;
      // Inside its own namespaces Bulkhead judges whom else it lets in; an unlisted account may be the platform's after all.
      const isMild = (isOwn && id !== 'right-uncovered-policy') || who.is === 'unlisted';
      isSaid = true;
      isGrave ||= !isMild && hazardKinds[id]?.severity === 'error';
      // Roles of tenants are many, so they share a row.
      const shared = role.startsWith('Role ') ? 'Role' : role;
      add(
        `${id} ${shared} ${group} ${isOwn}`,
        { id, why: `${role} says: ${rule}`, severity: isMild ? 'warning' : undefined },
        name,
      );
    }
    // Of a role in all namespaces the graver finding is enough.
    if (namespace === '' && (isGrave || (who.is === 'unlisted' && isSaid))) return;
    // That of Bulkhead is among all namespaces.
    const isForAll = namespace === '' || namespace === ownNamespace;
    if (!kept.writes || isOwn || (who.is === 'unlisted' && !isForAll)) return;
    const whose =
      owner === undefined
        ? 'every namespace'
        : `a namespace of ${ownerName === '' ? 'the platform' : `tenant ${ownerName}`}`;
    const whom = {
      tenant: `a member of ${who.tenants.join(', ')}`,
      everybody: 'every account',
      unlisted: 'an account',
    };
    add(
      `${abroad} ${group}`,
      {
        ...{ id: abroad, why: `${whom[who.is]} has ${role} in ${whose}` },
        severity: who.is === 'unlisted' && namespace === '' ? 'warning' : undefined,
      },
      name,
    );
  }

  return {
    role({ metadata, object }: DecodedObject): void {
      const rules = rulesOf(object);
      const found = hazardsOf(rules, uncovered);
      const isWriting = writes(rules);
      if (found.length > 0 || isWriting)
        roles.set(
          `${metadata.namespace}/${metadata.name}`,
          found.length === 0 ? onlyWrites : { hazards: found, writes: isWriting },
        );
    },
    binding({ metadata, object }: DecodedObject): void {
      const { namespace, name } = metadata;
      const [kind, roleName] = [valueAt(object, 'roleRef', 'kind'), String(valueAt(object, 'roleRef', 'name'))];
      const kept = roles.get(`${kind === 'Role' ? namespace : ''}/${roleName}`);
      const subjects = valueAt(object, 'subjects');
      if (kept === undefined || !Array.isArray(subjects)) return;
      const role = kind === 'Role' ? `Role ${namespace}/${roleName}` : `ClusterRole ${roleName}`;
      const binding = namespace === '' ? `ClusterRoleBinding ${name}` : `RoleBinding ${namespace}/${name}`;
      for (const subject of subjects) {
        const who = whoIs(subject, examination);
        if (who !== undefined) judge(who, kept, role, binding, namespace);
      }
    },
    judged(): readonly (readonly [id: string, found: Found])[] {
      // Of one id only the first are listed, and a tenant may add many.
      const inOrder = [...rows.values()].sort(
        (one, other) => Number(one.severity !== undefined) - Number(other.severity !== undefined),
      );
      return inOrder.map(({ id, why, severity, names, count }) => {
        // The count comes first: names may be long, and what is too long is cut off at its end.
        const all = count === 1 ? '' : `${count} bindings${count > names.length ? `, ${names.length} of them` : ''}: `;
        return [id, { where: `${all}${names.join('; ')}`, why, ...(severity && { severity }) }];
      });
    },
  };
}
