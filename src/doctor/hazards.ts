/** Which rules of RBAC lead around Bulkhead. Pure. */
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
/** Whose objects are in namespaces, but for those below. Reviews of one's own rights are in none of these groups. */
const groupsInside = ['', 'apps', 'autoscaling', 'batch', 'discovery.k8s.io', 'networking.k8s.io', 'policy'];
const roles = 'rbac.authorization.k8s.io';
const harmless: ReadonlySet<string> = new Set([
  ...['namespaces', 'namespaces/status', 'namespaces/finalize', 'nodes', 'nodes/status', 'nodes/proxy'],
  ...['persistentvolumes', 'persistentvolumes/status', 'componentstatuses', 'clusterroles', 'clusterrolebindings'],
  ...['ingressclasses', 'ipaddresses', 'servicecidrs', 'servicecidrs/status', 'users', 'groups'],
  // They are in namespaces, and change nothing there.
  'events',
]);

/** Whether a role changes anything in namespaces, or runs something there. */
export function writes(rules: readonly PolicyRule[]): boolean {
  return rules.some(
    (rule) =>
      (rule.resources.some((resource) => !harmless.has(resource)) &&
        has(rule.verbs, ...writing) &&
        has(rule.apiGroups, roles, ...groupsInside)) ||
      may(rule, ['get'], '', ...running),
  );
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
