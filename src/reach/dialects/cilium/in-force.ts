/** CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy of cilium.io/v2 -> what they do in a cluster, their denials included. */
import { type FieldPath, field, formatPath, valueAtPath } from '../../../kubernetes/field-path.ts';
import { isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import type { Selector } from '../../../kubernetes/label-selector.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import {
  additive,
  type InForce,
  type InForcePeer,
  type InForceRule,
  type InForceSubject,
  type Part,
  type Referring,
  type Unread,
} from '../../in-force.ts';
import { Found } from '../found.ts';
import { limits, readCiliumPolicy } from './policy.ts';
import { withoutPortless } from './portless.ts';
import { referringIn } from './references.ts';
import { withRequests } from './requests.ts';
import { readEndpoints, readSubject } from './selector.ts';

/** Peers of a deny rule that are not understood are left out and listed as unread, so no pod counts as denied by mistake. */
export function ciliumInForce(policy: Policy): InForce {
  const plain = withoutPortless(policy);
  const read = additive(readCiliumPolicy(plain), 'cilium');
  const allows = { ...read, parts: withRequests(read.parts, plain) };
  const specs = specsOf(plain);
  const denying = specs.flatMap((one) => denialsOf(one, plain) ?? []);
  const within = Found.within(limits);
  const referring = specs.flatMap((one) => referringOf(one, plain, within));
  const all = referring.length === 0 ? allows : { ...allows, referring };
  if (denying.length === 0) return all;
  const [parts, unread] = [denying.flatMap((one) => one.parts), denying.flatMap((one) => one.unread)];
  return { ...all, parts: [...allows.parts, ...parts], unread: withoutTwins([...allows.unread, ...unread]) };
}

/** Rules for some requests alone say so. */
function referringOf({ spec, path }: Spec, policy: Policy, within: Found): readonly Referring[] {
  const found = referringIn(spec, path, within);
  if (found.length === 0) return [];
  const pods = readSubject(spec.endpointSelector, field(path, 'endpointSelector'), {
    direction: 'ingress',
    kind: 'selector',
  });
  if ('verdict' in pods) return [];
  const subject: InForceSubject = { namespaces: undefined, pods };
  return found.flatMap(({ rule, to }) =>
    withRequests([{ subject, isolates: [], rules: [{ ...rule, peer: { kind: 'any' } }] }], policy).flatMap(
      ({ rules }) => rules.map(({ peer: _, ...one }): Referring => ({ subject, rule: one, to })),
    ),
  );
}

/** A specification is read twice where it denies, and what is wrong with all of it is found twice. */
function withoutTwins(unread: readonly Unread[]): readonly Unread[] {
  return [...new Map(unread.map((one) => [`${formatPath(one.path)} ${one.reason}`, one])).values()];
}

/**
 * Without a namespace: its selectors are about every namespace, where they say nothing of namespaces ("namespace Exists",
 * getEndpointSelector). A specification with a nodeSelector is about hosts, and no pod.
 */
export function ciliumClusterwideInForce(policy: Policy): InForce {
  const parts: Part[] = [];
  const unread: Unread[] = [];
  const referring: Referring[] = [];
  for (const { spec, path } of specsOf(policy)) {
    if (isGiven(spec.nodeSelector)) continue;
    const read = ciliumInForce(
      path.step === 'spec' ? Object.assign({ ...policy }, { spec, specs: undefined }) : withSpecs(policy, [spec]),
    );
    const moved = (at: FieldPath): FieldPath => (path.step === 'spec' ? at : writtenAt(at, path, new Map()));
    for (const one of read.unread) unread.push({ ...one, path: moved(one.path) });
    const at = field(path, 'endpointSelector');
    const subject = readEndpoints(spec.endpointSelector, at, { direction: 'ingress', kind: 'selector' });
    if ('verdict' in subject) {
      if (subject.verdict !== 'nothing') unread.push(subject);
      continue;
    }
    const about = { namespaces: subject.namespaces ?? everyNamespace, pods: subject.pods };
    for (const { rule, to } of read.referring ?? [])
      referring.push({ subject: about, rule: { ...rule, path: moved(rule.path) }, to });
    for (const { isolates, rules } of read.parts)
      parts.push({
        subject: about,
        isolates,
        rules: rules.map((rule) => ofCluster({ ...rule, path: moved(rule.path) })),
      });
  }
  return {
    stage: { kind: 'network', engine: 'cilium' },
    parts,
    unread,
    ...(referring.length > 0 && { referring }),
  };
}

const everyNamespace: Selector = new Map();

function ofCluster(rule: InForceRule): InForceRule {
  const { peer } = rule;
  if (peer.kind !== 'selector' || peer.namespaces !== undefined) return rule;
  const everywhere: InForcePeer = { ...peer, namespaces: everyNamespace };
  return { ...rule, peer: everywhere };
}

interface Spec {
  readonly spec: JsonMap;
  readonly path: FieldPath;
}

function specsOf(policy: Policy): readonly Spec[] {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
  const listed: readonly unknown[] = Array.isArray(specs) ? specs : [];
  const all = [
    { spec, path: field(undefined, 'spec') },
    ...listed.map((one, index) => ({ spec: one, path: field(field(undefined, 'specs'), index) })),
  ];
  return all.flatMap(({ spec, path }) => (isMap(spec) ? [{ spec, path }] : []));
}

function withSpecs(policy: Policy, specs: readonly JsonMap[]): Policy {
  return Object.assign({ ...policy }, { spec: undefined, specs });
}

/** The rules that deny, read in place of those that allow: they have the same fields. Undefined: there are none. */
function denialsOf({ spec, path }: Spec, policy: Policy): Pick<InForce, 'parts' | 'unread'> | undefined {
  const { endpointSelector, ingressDeny, egressDeny } = spec;
  if (!isGiven(ingressDeny) && !isGiven(egressDeny)) return undefined;
  const read = additive(
    readCiliumPolicy(withSpecs(policy, [{ endpointSelector, ingress: ingressDeny, egress: egressDeny }])),
    'cilium',
  );
  const parts = read.parts.map(({ subject, rules }) => ({
    subject,
    isolates: [],
    rules: rules
      .map((rule): InForceRule => ({ ...rule, action: 'deny', path: writtenAt(rule.path, path) }))
      .filter((rule) => !isOfSomeNodes(rule, policy)),
  }));
  return { parts, unread: read.unread.map((one) => ({ ...one, path: writtenAt(one.path, path) })) };
}

/** The labels of nodes are not known: a denial about some of them leaves others open. */
function isOfSomeNodes({ path }: InForceRule, policy: Policy): boolean {
  const list = path.parent?.step;
  if (list !== 'fromNodes' && list !== 'toNodes') return false;
  const selector = valueAtPath(policy, path);
  return !isMap(selector) || [selector.matchLabels, selector.matchExpressions].some(isFilled);
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isMap(value) && Object.keys(value).length > 0;
}

const denyFields: ReadonlyMap<FieldPath['step'], string> = new Map([
  ['ingress', 'ingressDeny'],
  ['egress', 'egressDeny'],
]);

/** `specs[0].egress[1]` of what was read -> `spec.egressDeny[1]`, where it is written. */
function writtenAt({ parent, step }: FieldPath, spec: FieldPath, names = denyFields): FieldPath {
  if (parent === undefined || (parent.parent === undefined && step === 0)) return spec;
  const above = writtenAt(parent, spec, names);
  return field(above, above === spec ? (names.get(step) ?? step) : step);
}
