/** What a stored namespace tells an audit by itself: labels and marks that are not what they seem, and reserved keys. */
import { excerpt, isMap, valueAt } from '../kubernetes/json.ts';
import { entry, type KubernetesObject } from '../kubernetes/objects.ts';
import { type AuditReport, mostNames } from '../report/audit-report.ts';
import { hasWriter, provisionerMark } from '../tenancy/namespace-grant.ts';
import { probeNamespace, probeTenant } from '../tenancy/probe.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import { fixOfMisplaced, misplacedKeys } from '../tenancy/trusted-labels.ts';

/** What speaks against the tenant label of a namespace or its having none, and against its mark. */
export function doubtsAbout(name: string, namespace: KubernetesObject, tenancy: Tenancy): readonly string[] {
  const { labels } = namespace.metadata ?? {};
  const owner = tenancy.ownerByLabels(labels);
  const label = entry(labels, tenancy.settings.tenantLabel);
  const misplaced = misplacedKeys({ name, labels }, tenancy.settings).map(
    (key) => `has ${key}, and the settings do not list it for that value: ${fixOfMisplaced(name, key)}`,
  );
  return [
    aboutLabel(name, label, owner, tenancy) ?? [],
    aboutMark(namespace, owner, tenancy.settings) ?? [],
    misplaced,
  ].flat();
}

function aboutLabel(name: string, label: string | undefined, owner: Owner, tenancy: Tenancy): string | undefined {
  const reserved = tenancy.reservation(name);
  if (label === probeTenant) return name === probeNamespace ? undefined : 'has the label of the probe of Bulkhead';
  if (owner === 'platform')
    return reserved === undefined || reserved === 'platform'
      ? undefined
      : `has no tenant label, and its name is reserved for ${reserved.name}: label it, or Bulkhead does not guard it`;
  if (!tenancy.declares(owner)) return `has the label of ${owner.name}, which is no tenant that is declared`;
  // Accounts in it may count as agents and controllers, whose writes are not sent.
  if (reserved === 'platform') return `has the label of ${owner.name}, and its name is reserved for the platform`;
  if (owner.reserved.size > 0)
    return reserved === owner
      ? undefined
      : `has the label of ${owner.name}, and its name is not reserved for that tenant${owner.enforcePrefix ? ', so its members could not create it' : ''}`;
  // Once the label is guarded, it can be relied on.
  return tenancy.settings.enforcement === 'observe'
    ? `has the label of ${owner.name}, which has no reserved names: make sure that it is that tenant's`
    : undefined;
}

/** A namespace with the mark of a provisioner belongs to that provisioner, wherever it is: it may write there, and delete the namespace. */
function aboutMark({ metadata }: KubernetesObject, owner: Owner, { platform }: Settings): string | undefined {
  if (entry(metadata?.labels, provisionerMark) !== undefined)
    return `has ${provisionerMark} as a label, and Bulkhead writes it as an annotation only: remove the label`;
  const mark = entry(metadata?.annotations, provisionerMark);
  if (mark === undefined) return undefined;
  const provisioner = platform.provisioners.find(({ name }) => name === mark);
  if (provisioner === undefined)
    return `has the mark ${provisionerMark}: ${excerpt(mark)}, and the settings list no such provisioner: remove the mark`;
  const { name, tenantFrom, undecided } = provisioner;
  if (tenantFrom === undefined || entry(metadata?.annotations, tenantFrom)) return undefined;
  return owner === 'platform' && undecided === 'platform'
    ? undefined
    : `has the mark of provisioner ${name}, and no ${tenantFrom}, which it always writes: remove the mark, or write the annotation`;
}

/** What the platform does about a key that no account is listed for. */
export const fixOfKey =
  'remove the key, or list the account of the platform that writes it in platform.namespaceWriters or platform.provisioners';

/** Gathers the reserved keys of namespaces. */
export function createKeys(settings: Settings) {
  interface Row {
    readonly key: string;
    readonly listed: boolean;
    count: number;
    last: string;
    readonly names: string[];
    readonly managers: Set<string>;
  }
  const rows = new Map<string, Row>();
  return {
    /**
     * @param reserved the entry that reserves it
     * @param path such as `metadata.labels[KEY]`
     * @returns whether the settings list an account that may write it there
     */
    add(name: string, namespace: KubernetesObject, reserved: string, path: string): boolean {
      const [, map = '', key = ''] = /^metadata\.(labels|annotations)\[(.*)\]$/s.exec(path) ?? [];
      const listed = hasWriter(settings, name, namespace.metadata?.annotations, map, key);
      const known = rows.get(`${listed} ${reserved}`);
      const row = known ?? { key: reserved, listed, count: 0, last: '', names: [], managers: new Set<string>() };
      if (known === undefined) rows.set(`${listed} ${reserved}`, row);
      for (const manager of managersOf(namespace, map, key)) row.managers.add(manager);
      if (row.last === name) return listed;
      row.last = name;
      row.count++;
      if (row.names.length < mostNames) row.names.push(name);
      return listed;
    },
    list: (): AuditReport['keys'] =>
      [...rows.values()].map(({ last: _, managers, ...row }) => ({ ...row, managers: [...managers].sort() })),
  };
}

/** Who manages a field, by the names that the clients chose. */
function managersOf(object: KubernetesObject, map: string, key: string): readonly string[] {
  return (object.metadata?.managedFields ?? []).flatMap((one) =>
    isMap(one) &&
    typeof one.manager === 'string' &&
    valueAt(one.fieldsV1, 'f:metadata', `f:${map}`, `f:${key}`) !== undefined
      ? one.manager
      : [],
  );
}
