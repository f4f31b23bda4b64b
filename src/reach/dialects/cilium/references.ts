/**
 * Rules of cilium.io/v2 whose peers other objects say: `cidrGroupRef` and `cidrGroupSelector` of CiliumCIDRGroups, `toServices` of Services.
 * A denial by `toServices` is left out: Cilium 1.20 looks no Service up for it (processRule of pkg/policy/k8s/service.go).
 */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import type { IpRange } from '../../../kubernetes/ip-range.ts';
import { normalise } from '../../../kubernetes/ip-set.ts';
import { isGiven, isMap, type JsonMap, listOf } from '../../../kubernetes/json.ts';
import { allPorts } from '../../../kubernetes/port-range.ts';
import type { InForceRule, Reference, Requirement, ServiceReference } from '../../in-force.ts';
import type { Found } from '../found.ts';
import { readRange } from '../range.ts';
import { readRulePorts } from './ports.ts';
import { readSubject } from './selector.ts';

export interface ReferringRule {
  readonly rule: Omit<InForceRule, 'peer'>;
  readonly to: Reference;
}

/** A selector that is known to be valid. */
interface Selecting {
  readonly matchLabels?: Readonly<Record<string, string>> | null;
  readonly matchExpressions?: readonly (Omit<Requirement, 'values'> & Partial<Pick<Requirement, 'values'>>)[] | null;
}

const lists = [
  ['ingress', 'ingress', 'allow'],
  ['ingressDeny', 'ingress', 'deny'],
  ['egress', 'egress', 'allow'],
  ['egressDeny', 'egress', 'deny'],
] as const;

/**
 * Of one specification. What cannot be read of it is left out, and so is what goes beyond the limits of the policy.
 *
 * @param within of the whole policy
 */
export function referringIn(spec: JsonMap, path: FieldPath, within: Found): readonly ReferringRule[] {
  const known = new Map<string, Reference>();
  return lists.flatMap(([name, direction, action]) =>
    listOf(spec[name]).flatMap((rule, index) => {
      const at = field(field(path, name), index);
      if (!isMap(rule) || !within.examines(1, within.left.rules, { direction, kind: 'any' }, at)) return [];
      const found = referencesOf(rule, at, direction, action, within);
      if (found.length === 0) return [];
      const scope = { direction, kind: 'any' } as const;
      const read = readRulePorts(rule, { path: at, scope, namespace: '', found: within });
      const ports = read === 'unlisted' ? allPorts : read;
      const hasPorts = read !== 'unlisted';
      if (ports.length === 0) return [];
      return found.map(({ path, to }): ReferringRule => {
        const asked: Reference = to.kind === 'services' ? { ...to, hasPorts } : to;
        return { rule: { action, direction, ports, path }, to: once(asked, known) };
      });
    }),
  );
}

/** Equal references are one object, so that they are resolved once. */
function once(to: Reference, known: Map<string, Reference>): Reference {
  const key = JSON.stringify(to, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  const same = known.get(key) ?? to;
  known.set(key, same);
  return same;
}

interface FoundReference {
  readonly path: FieldPath;
  readonly to: Reference;
}

function referencesOf(
  rule: JsonMap,
  at: FieldPath,
  direction: InForceRule['direction'],
  action: 'allow' | 'deny',
  within: Found,
): readonly FoundReference[] {
  const name = direction === 'ingress' ? 'fromCIDRSet' : 'toCIDRSet';
  const { left } = within;
  const examined = (name: string): readonly unknown[] => {
    const items = listOf(rule[name]);
    const isExamined = within.examines(items.length, left.peers, { direction, kind: 'any' }, field(at, name));
    return isExamined ? items : [];
  };
  const groups = examined(name).flatMap((item, index) => {
    const path = field(field(at, name), index);
    if (!isMap(item) || !within.examines(listOf(item.except).length, left.excepts, { direction, kind: 'any' }, path))
      return [];
    return groupOf(item, path);
  });
  if (direction === 'ingress' || action === 'deny') return groups;
  const services = examined('toServices').map((item) => (isMap(item) ? serviceOf(item, at) : undefined));
  const any = services.filter((one) => one !== undefined);
  if (any.length === 0 || any.length < services.length || any.length > most) return groups;
  return [...groups, { path: field(at, 'toServices'), to: { kind: 'services', any, hasPorts: false } }];
}

/** "Exactly one of CIDR, CIDRGroupRef, or CIDRGroupSelector must be set." */
function groupOf(item: JsonMap, path: FieldPath): readonly FoundReference[] {
  const { cidr, cidrGroupRef: name, cidrGroupSelector: selector } = item;
  const except = exceptOf(item.except, path);
  if (isGiven(cidr) || isGiven(name) === isGiven(selector) || except === undefined) return [];
  const to = { kind: 'groups', except: normalise(except) } as const;
  if (typeof name === 'string' && name !== '')
    return [{ path: field(path, 'cidrGroupRef'), to: { ...to, name, labels: [] } }];
  const labels = requirementsOf(selector, path);
  if (labels === undefined) return [];
  return [{ path: field(path, 'cidrGroupSelector'), to: { ...to, name: undefined, labels } }];
}

function exceptOf(written: unknown, path: FieldPath): readonly IpRange[] | undefined {
  const found: IpRange[] = [];
  for (const one of listOf(written)) {
    const range = readRange(one, path, { direction: 'egress', kind: 'ipBlock' });
    if ('verdict' in range) return undefined;
    found.push(range);
  }
  return found;
}

/** A selector goes before a name. Without a namespace, it is a Service of any. */
function serviceOf({ k8sServiceSelector, k8sService }: JsonMap, path: FieldPath): ServiceReference | undefined {
  if (isMap(k8sServiceSelector)) {
    const labels = requirementsOf(k8sServiceSelector.selector, path);
    return labels && { namespace: textOf(k8sServiceSelector.namespace), name: undefined, labels };
  }
  const name = isMap(k8sService) ? textOf(k8sService.serviceName) : undefined;
  if (!isMap(k8sService) || name === undefined) return undefined;
  return { namespace: textOf(k8sService.namespace), name, labels: [] };
}

/** Of requirements and Services in one rule: each costs a look at every object, so a rule with more is left unread. */
const most = 100;

/** Undefined: Cilium rejects it, or it is not understood. Keys may have the source `any`; others are of no group and no Service. */
function requirementsOf(written: unknown, path: FieldPath): readonly Requirement[] | undefined {
  if (!isMap(written) || 'verdict' in readSubject(written, path, { direction: 'egress', kind: 'selector' }))
    return undefined;
  const { matchLabels, matchExpressions } = written as Selecting;
  const found: readonly Requirement[] = [
    ...Object.entries(matchLabels ?? {}).map(
      ([key, value]): Requirement => ({ key: plain(key), operator: 'In', values: [value] }),
    ),
    ...(matchExpressions ?? []).map(
      ({ key, operator, values }): Requirement => ({ key: plain(key), operator, values: values ?? [] }),
    ),
  ];
  return found.length > most || found.some(({ key }) => key.includes(':')) ? undefined : found;
}

function plain(key: string): string {
  return key.startsWith('any:') ? key.slice(4) : key;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
