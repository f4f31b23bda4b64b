/** Which rules of RBAC lead around Bulkhead. Pure. */
import { kinds } from '../kinds/kinds.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { GroupResource } from './uncovered-policies.ts';

/** rbac.authorization.k8s.io/v1 PolicyRule. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames: readonly string[];
}

/**
 * Where a right counts. `inside`: also in a namespace of the subject's own tenant. `abroad`: in namespaces of others. `cluster`: only by a
 * ClusterRoleBinding, as what it is about is in no namespace.
 */
export type Reach = 'inside' | 'abroad' | 'cluster';

interface HazardKind {
  readonly id: string;
  readonly reach: Reach;
  matches(rule: PolicyRule, uncovered: readonly GroupResource[]): boolean;
}

export interface Hazard {
  readonly id: string;
  readonly reach: Reach;
  /** The rule as text. */
  readonly rule: string;
  /** Of a right to bind: the names of the only ClusterRoles that it is about. */
  readonly binds?: readonly string[];
}

const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const hazards: readonly HazardKind[] = [
  {
    id: 'right-everything',
    reach: 'inside',
    matches: (rule) => isAll(rule.apiGroups) && isAll(rule.resources) && isAll(rule.verbs),
  },
  {
    id: 'right-wildcard',
    reach: 'inside',
    matches: (rule, uncovered) =>
      isAll(rule.resources) &&
      has(rule.verbs, ...writing) &&
      has(rule.apiGroups, '', 'networking.k8s.io', ...uncovered.map(({ group }) => group)),
  },
  { id: 'right-pod-status', reach: 'inside', matches: (rule) => may(rule, ['update', 'patch'], '', 'pods/status') },
  {
    id: 'right-bind',
    reach: 'inside',
    matches: (rule) => may(rule, ['bind', 'escalate'], 'rbac.authorization.k8s.io', 'roles', 'clusterroles'),
  },
  {
    id: 'right-impersonate',
    reach: 'abroad',
    matches: (rule) =>
      may(rule, ['create'], '', 'serviceaccounts/token') ||
      may(rule, ['update', 'patch'], 'certificates.k8s.io', 'certificatesigningrequests/approval') ||
      may(rule, impersonating(rule), '', 'users', 'groups', 'serviceaccounts') ||
      may(
        rule,
        impersonating(rule),
        'authentication.k8s.io',
        'users',
        'groups',
        'serviceaccounts',
        'uids',
        'userextras',
      ),
  },
  { id: 'right-portforward', reach: 'abroad', matches: (rule) => may(rule, ['create', 'get'], '', 'pods/portforward') },
  {
    id: 'right-proxy',
    reach: 'abroad',
    matches: (rule) => may(rule, ['get', ...writing], '', 'pods/proxy', 'services/proxy', 'nodes/proxy'),
  },
  {
    id: 'right-uncovered-policy',
    reach: 'inside',
    matches: (rule, uncovered) => uncovered.some(({ group, resource }) => may(rule, writing, group, resource)),
  },
  {
    id: 'right-webhook-configurations',
    reach: 'cluster',
    matches: (rule) =>
      may(
        ...[rule, writing, 'admissionregistration.k8s.io', 'validatingwebhookconfigurations'],
        ...['mutatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
        ...['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'],
      ),
  },
  { id: 'right-secrets', reach: 'abroad', matches: (rule) => may(rule, ['get', 'list', 'watch'], '', 'secrets') },
  {
    id: 'right-api-extensions',
    reach: 'cluster',
    matches: (rule) =>
      may(rule, writing, 'apiextensions.k8s.io', 'customresourcedefinitions') ||
      may(rule, writing, 'apiregistration.k8s.io', 'apiservices'),
  },
  {
    id: 'right-namespaces',
    reach: 'cluster',
    matches: (rule) => may(rule, writing.slice(1), '', 'namespaces', 'namespaces/status', 'namespaces/finalize'),
  },
  { id: 'right-nodes', reach: 'cluster', matches: (rule) => may(rule, writing, '', 'nodes', 'nodes/status') },
  {
    id: 'right-volumes',
    reach: 'cluster',
    matches: (rule) => may(rule, ['create', 'update', 'patch'], '', 'persistentvolumes'),
  },
] as const;

/** The hazards of a role; a wildcard is reported alone, as it includes the others. */
export function hazardsOf(rules: readonly PolicyRule[], uncovered: readonly GroupResource[]): readonly Hazard[] {
  const found = new Map<string, Hazard>();
  for (const rule of rules) {
    const own = hazards.filter(({ matches }) => matches(rule, uncovered));
    const widest = own.find(({ id }) => id === 'right-everything' || id === 'right-wildcard');
    for (const { id, reach } of widest === undefined ? own : [widest])
      found.set(id, wider(found.get(id), { id, reach, rule: ruleText(rule), ...(id === 'right-bind' && bound(rule)) }));
  }
  const everything = found.get('right-everything');
  return everything === undefined ? [...found.values()] : [everything];
}

function wider(known: Hazard | undefined, other: Hazard): Hazard {
  if (known === undefined) return other;
  if (known.binds === undefined) return known;
  return other.binds === undefined ? other : { ...known, binds: [...known.binds, ...other.binds] };
}

/** An account that may escalate a role writes into it what it lacks. A Role of a name may exist in every namespace. */
function bound({ verbs, resources, resourceNames }: PolicyRule): Pick<Hazard, 'binds'> {
  const isOfAny = resourceNames.length === 0 || has(verbs, 'escalate') || has(resources, 'roles');
  return isOfAny ? {} : { binds: resourceNames };
}

/** By which a request to read does more: `kubectl exec` may be sent as GET. */
const running = ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy'];
/** Their objects are in no namespace, or are questions that change nothing. */
const groupsOutside: ReadonlySet<string> = new Set([
  ...['admissionregistration.k8s.io', 'apiextensions.k8s.io', 'apiregistration.k8s.io', 'policy.networking.k8s.io'],
  ...['authentication.k8s.io', 'authorization.k8s.io', 'flowcontrol.apiserver.k8s.io', 'internal.apiserver.k8s.io'],
  ...['node.k8s.io', 'storagemigration.k8s.io'],
]);
/** Other kinds of that sort, as `RESOURCE.GROUP`. What is not known here counts: most kinds are in namespaces. */
const outside: ReadonlySet<string> = new Set([
  ...kinds.filter(({ scope }) => scope === 'Cluster').map(({ plural, group }) => `${plural}.${group}`),
  ...['nodes.', 'persistentvolumes.', 'componentstatuses.', 'users.', 'groups.'],
  ...['clusterroles.rbac.authorization.k8s.io', 'clusterrolebindings.rbac.authorization.k8s.io'],
  ...['ingressclasses.networking.k8s.io', 'ipaddresses.networking.k8s.io', 'servicecidrs.networking.k8s.io'],
  ...['certificatesigningrequests.certificates.k8s.io', 'clustertrustbundles.certificates.k8s.io'],
  ...['deviceclasses.resource.k8s.io', 'resourceslices.resource.k8s.io', 'devicetaintrules.resource.k8s.io'],
  ...['storageclasses.storage.k8s.io', 'volumeattachments.storage.k8s.io', 'csidrivers.storage.k8s.io'],
  ...['csinodes.storage.k8s.io', 'volumeattributesclasses.storage.k8s.io', 'priorityclasses.scheduling.k8s.io'],
  ...['volumesnapshotclasses.snapshot.storage.k8s.io', 'volumesnapshotcontents.snapshot.storage.k8s.io'],
  'gatewayclasses.gateway.networking.k8s.io',
  // They are in namespaces, and change nothing there.
  ...['events.', 'events.events.k8s.io'],
]);
/** By the name alone, for rules about every group. */
const namesOutside: ReadonlySet<string> = new Set([...outside].map((one) => one.slice(0, one.indexOf('.'))));

/** Whether a role changes anything in namespaces, or runs something there. */
export function writes(rules: readonly PolicyRule[]): boolean {
  return rules.some(
    (rule) =>
      (has(rule.verbs, ...writing) &&
        rule.apiGroups.some((group) => rule.resources.some((resource) => isInside(group, resource)))) ||
      may(rule, ['get'], '', ...running),
  );
}

function isInside(group: string, resource: string): boolean {
  const [plural = ''] = resource.split('/');
  return group === '*' ? !namesOutside.has(plural) : !groupsOutside.has(group) && !outside.has(`${plural}.${group}`);
}

export function rulesOf(role: unknown): readonly PolicyRule[] {
  const rules = valueAt(role, 'rules');
  return (Array.isArray(rules) ? rules : []).map((rule) => ({
    apiGroups: textsOf(rule, 'apiGroups'),
    resources: textsOf(rule, 'resources'),
    verbs: textsOf(rule, 'verbs'),
    resourceNames: textsOf(rule, 'resourceNames'),
  }));
}

function ruleText({ verbs, resources, apiGroups, resourceNames }: PolicyRule): string {
  const some = (list: readonly string[]) =>
    `${list.slice(0, 8).join(', ')}${list.length > 8 ? ` and ${list.length - 8} more` : ''}`;
  const groups = apiGroups.map((group) => (group === '' ? 'core' : group));
  const names = resourceNames.length === 0 ? '' : `, named ${some(resourceNames)}`;
  return `${some(verbs)} on ${some(resources)} of ${some(groups)}${names}`;
}

/** Source: RBAC VerbMatches, APIGroupMatches and ResourceMatches (pkg/apis/rbac/v1/evaluation_helpers.go). `pods/*` matches nothing. */
function may(rule: PolicyRule, verbs: readonly string[], group: string, ...resources: readonly string[]): boolean {
  return (
    has(rule.verbs, ...verbs) &&
    has(rule.apiGroups, group) &&
    resources.some((resource) => {
      const [, subresource] = resource.split('/');
      return has(rule.resources, resource, ...(subresource === undefined ? [] : [`*/${subresource}`]));
    })
  );
}

/** The verb, and those of impersonation with constraints (`impersonate:user-info`, Kubernetes 1.35). */
function impersonating({ verbs }: PolicyRule): readonly string[] {
  return ['impersonate', ...verbs.filter((verb) => verb.startsWith('impersonate:'))];
}

function has(list: readonly string[], ...values: readonly string[]): boolean {
  return isAll(list) || values.some((value) => list.includes(value));
}

const isAll = (list: readonly string[]): boolean => list.includes('*');

function textsOf(rule: unknown, field: string): readonly string[] {
  const value = valueAt(rule, field);
  return (Array.isArray(value) ? value : []).filter((one) => typeof one === 'string');
}
