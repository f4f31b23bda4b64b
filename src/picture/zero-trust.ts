/**
 * How far each tenant is towards zero trust: the five requirements of docs/zero-trust.md, with the evidence of one snapshot. What Bulkhead
 * cannot see is not known, and never met.
 */
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Protection, Rejected, WebhookState } from './protection.ts';
import { type RequirementId, requirements } from './requirements.ts';

export interface Assessment {
  readonly requirement: RequirementId;
  readonly state: 'met' | 'partly' | 'not' | 'not known';
  /** Sentences. Not empty. */
  readonly evidence: readonly string[];
}

/** What was counted of one tenant. */
export interface TenantFacts {
  readonly tenant: string;
  readonly pods: number;
  /** Pods that no policy isolates. */
  readonly open: { readonly ingress: number; readonly egress: number };
  /** Pods that are open in both directions, and so are under no policy. */
  readonly openBoth: number;
  /** Pods on the network of their node. */
  readonly onNodes: number;
  /** Crossings that nothing grants. */
  readonly violations: number;
  /** The same with pods that are created later. */
  readonly toCome: number;
  /** Connections to and from outside that the tenant may not open. */
  readonly outside: number;
  /** Those of which that is not proven. */
  readonly unproven: number;
  /** Parts of policies about its pods, or about every namespace, that are not understood. */
  readonly unread: number;
  /** Pods that take connections with mutual TLS alone, and those that also name callers by identity alone. */
  readonly strict: number;
  readonly byIdentity: number;
  /** Names of exemptions in force. */
  readonly exempted: readonly string[];
  /** Of its objects that are there, those that would be rejected. */
  readonly rejected: readonly Rejected[];
}

/** @returns one for each requirement, in their order */
export function assess(facts: TenantFacts, tenancy: Tenancy, protection: Protection): readonly Assessment[] {
  const { problems } = protection;
  return [
    withRejected(enforced(facts), facts),
    withRejected(identity(facts, protection), facts),
    unless(problems, withRejected(explicit(facts), facts)),
    unless(problems, noWayAround(facts, tenancy, protection)),
    withRejected(encryption(facts, protection), facts),
  ];
}

/** What a check of the requirement would reject is against it. */
function withRejected(one: Assessment, { rejected }: TenantFacts): Assessment {
  const against = rejectedBy(one.requirement, rejected);
  if (against.length === 0) return one;
  return { ...one, state: one.state === 'met' ? 'partly' : one.state, evidence: [...one.evidence, ...against] };
}

const checksShown = 5;

function rejectedBy(requirement: RequirementId, rejected: readonly Rejected[]): readonly string[] {
  const checks = requirements.find(({ id }) => id === requirement)?.checks ?? [];
  const counts = new Map<string, number>();
  for (const { check, count } of rejected)
    if (checks.includes(check)) counts.set(check, (counts.get(check) ?? 0) + count);
  if (counts.size === 0) return [];
  const shown = [...counts].slice(0, checksShown).map(([check, number]) => `${count(number, 'object')} by ${check}`);
  const more = counts.size > checksShown ? `, and by ${count(counts.size - checksShown, 'other check')}` : '';
  return [`Would be rejected if it were written now: ${shown.join(', ')}${more}.`];
}

/** What could not be read may be against it. */
function unless(problems: readonly string[], one: Assessment): Assessment {
  const [first] = problems;
  if (first === undefined || one.state !== 'met') return one;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return { ...one, state: 'not known', evidence: [`Not everything could be read: ${first}${more}.`] };
}

function enforced({ pods, open, openBoth, onNodes }: TenantFacts): Assessment {
  const all = pods + onNodes;
  if (all === 0) return { requirement: 'enforced', state: 'not known', evidence: ['The tenant has no pods.'] };
  const evidence = [
    `${pods - open.ingress} of ${all} pods are isolated for ingress, and ${pods - open.egress} for egress.`,
    ...(onNodes > 0 ? [`${count(onNodes, 'pod')} on the network of the node, which no policy isolates.`] : []),
  ];
  const isMet = open.ingress + open.egress + onNodes === 0;
  return { requirement: 'enforced', state: isMet ? 'met' : openBoth + onNodes === all ? 'not' : 'partly', evidence };
}

function identity({ pods, onNodes, strict, byIdentity }: TenantFacts, { mutualTls }: Protection): Assessment {
  const requirement = 'identity';
  const all = pods + onNodes;
  if (mutualTls === undefined || all === 0)
    return {
      requirement,
      state: 'not known',
      evidence: [
        'NetworkPolicies know pods by labels and addresses, which is no cryptographic proof.',
        'No PeerAuthentication was read: with Istio, add those of the mesh to the files, or look at what istioctl proxy-status says.',
      ],
    };
  const evidence = [
    `${strict} of ${all} pods demand mutual TLS for TCP (PeerAuthentications in mode STRICT, and labels that put the pods into the mesh).`,
    `${byIdentity} of ${all} pods have AuthorizationPolicies that allow callers by identity alone.`,
  ];
  const isMet = strict === all && byIdentity === all;
  return { requirement, state: isMet ? 'met' : strict === 0 ? 'not' : 'partly', evidence };
}

function explicit({ open, pods, openBoth, violations, toCome, outside, unproven, unread }: TenantFacts): Assessment {
  const evidence = [
    ...(violations > 0 ? [`${count(violations, 'crossing')} that neither a gate nor a shared service grants.`] : []),
    ...(toCome > 0
      ? [`${count(toCome, 'crossing')} with pods that are created later: rules open ports to them that nothing grants.`]
      : []),
    ...(outside > 0 ? [`${count(outside, 'connection')} with addresses outside that the Tenant does not grant.`] : []),
    ...(unproven > 0
      ? [
          `${count(unproven, 'connection')} with addresses that may be of the cluster: the settings do not list its ranges.`,
        ]
      : []),
    ...(unread > 0
      ? [`${count(unread, 'part')} of policies that Bulkhead does not understand, which may open more.`]
      : []),
    ...(open.ingress + open.egress > 0
      ? [`Everything is open, without a rule, to ${open.ingress} pods for ingress and ${open.egress} for egress.`]
      : []),
  ];
  if (pods === 0) return { requirement: 'explicit', state: 'not known', evidence: ['The tenant has no pods.'] };
  if (evidence.length === 0)
    return {
      requirement: 'explicit',
      state: 'met',
      evidence: ['Each open connection is one that a rule allows and a grant covers.'],
    };
  return { requirement: 'explicit', state: openBoth === pods ? 'not' : 'partly', evidence };
}

function noWayAround(
  { tenant: name, onNodes, exempted, rejected }: TenantFacts,
  tenancy: Tenancy,
  { webhooks }: Protection,
): Assessment {
  const requirement = 'no-way-around';
  const tenant = tenancy.tenants.get(name);
  if (tenancy.settings.enforcement === 'observe')
    return { requirement, state: 'not', evidence: ['The settings say observe: nothing is rejected.'] };
  if (typeof webhooks === 'object' && webhooks.found.length === 0)
    return {
      requirement,
      state: 'not',
      evidence: ['No webhook configuration of Bulkhead is in the cluster: nothing is rejected.'],
    };
  const isDeclared = tenant !== undefined && tenancy.declares(tenant);
  const against = [
    ...(isDeclared ? [] : ['No such tenant is declared.']),
    ...(isDeclared && tenant.mode !== 'enforce'
      ? [`The tenant is in mode ${tenant.mode}: findings about its border are not rejected.`]
      : []),
    ...(onNodes > 0 ? [`${count(onNodes, 'pod')} on the network of the node.`] : []),
    ...(exempted.length > 0 ? [`Exempted: ${exempted.join(', ')}.`] : []),
    ...rejectedBy(requirement, rejected),
    ...(typeof webhooks === 'object' ? gapsOf(webhooks) : []),
  ];
  const unknown = typeof webhooks === 'string' ? [unseen[webhooks]] : [];
  if (against.length > 0) return { requirement, state: 'partly', evidence: [...against, ...unknown] };
  if (unknown.length > 0) return { requirement, state: 'not known', evidence: unknown };
  return {
    requirement,
    state: 'met',
    evidence: [
      'The tenant is in mode enforce, has no exemption, and no pod on the network of a node.',
      'Every validating webhook of Bulkhead has failurePolicy Fail.',
    ],
  };
}

const unseen: Readonly<Record<Extract<WebhookState, string>, string>> = {
  files:
    'Files do not show whether the webhooks of Bulkhead are installed with failurePolicy Fail: run bulkhead audit or bulkhead doctor on the cluster.',
  'not read': 'The webhook configurations could not be listed: the ClusterRole bulkhead-auditor has the right.',
};

function gapsOf({ missing, ignoring }: Exclude<WebhookState, string>): readonly string[] {
  return [
    ...(missing.length > 0 ? [`Webhook configurations are missing: ${missing.join(', ')}.`] : []),
    ...(ignoring.length > 0
      ? [`Webhooks with failurePolicy Ignore let objects pass while Bulkhead does not answer: ${ignoring.join(', ')}.`]
      : []),
  ];
}

function encryption({ pods, onNodes, strict }: TenantFacts, { encryption, mutualTls }: Protection): Assessment {
  const requirement = 'encryption';
  const all = pods + onNodes;
  const evidence = [
    ...encryption.map((one) => one.evidence),
    ...(mutualTls === undefined
      ? []
      : [
          `${strict} of ${all} pods take TCP connections encrypted by Istio alone; what they open to others is not known.`,
        ]),
  ];
  if (evidence.length === 0)
    return {
      requirement,
      state: 'not known',
      evidence: [
        'Nothing that was read says whether the network plugin or a mesh encrypts traffic.',
        'Add the ConfigMap cilium-config, FelixConfigurations or PeerAuthentications to the files, or ask with the tools of the plugin.',
      ],
    };
  const isOn = encryption.some((one) => one.isOn);
  if (isOn && encryption.every((one) => one.isOn)) return { requirement, state: 'met', evidence };
  if (isOn || strict > 0) return { requirement, state: 'partly', evidence };
  return { requirement, state: encryption.length > 0 ? 'not' : 'not known', evidence };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
