/**
 * How far each tenant is towards zero trust: the five requirements of docs/zero-trust.md, with the evidence of one snapshot. What Bulkhead
 * cannot see is not known, and never met.
 */
import type { Tenancy } from '../tenancy/tenancy.ts';

export const requirements = [
  { id: 'enforced', title: 'Every connection is enforced' },
  { id: 'identity', title: 'Identity rests on cryptographic proof' },
  { id: 'explicit', title: 'Only what is allowed explicitly' },
  { id: 'no-way-around', title: 'Workloads cannot get around it' },
  { id: 'encryption', title: 'Traffic is encrypted' },
] as const;
export type RequirementId = (typeof requirements)[number]['id'];

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
  /** Connections to and from outside that the tenant may not open. */
  readonly outside: number;
  /** Those of which that is not proven. */
  readonly unproven: number;
}

/** @returns one for each requirement, in their order */
export function assess(facts: TenantFacts, tenancy: Tenancy): readonly Assessment[] {
  return [enforced(facts), identity, explicit(facts), noWayAround(facts, tenancy), encryption];
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

const identity: Assessment = {
  requirement: 'identity',
  state: 'not known',
  evidence: [
    'NetworkPolicies know pods by labels and addresses, which is no cryptographic proof. Bulkhead does not read whether a mesh demands one.',
  ],
};

function explicit({ open, pods, openBoth, violations, outside, unproven }: TenantFacts): Assessment {
  const evidence = [
    ...(violations > 0 ? [`${count(violations, 'crossing')} that neither a gate nor a shared service grants.`] : []),
    ...(outside > 0 ? [`${count(outside, 'connection')} with addresses outside that the Tenant does not grant.`] : []),
    ...(unproven > 0
      ? [
          `${count(unproven, 'connection')} with addresses that may be of the cluster: the settings do not list its ranges.`,
        ]
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

function noWayAround({ tenant: name, onNodes }: TenantFacts, tenancy: Tenancy): Assessment {
  const requirement = 'no-way-around';
  const tenant = tenancy.tenants.get(name);
  if (tenancy.settings.enforcement === 'observe')
    return { requirement, state: 'not', evidence: ['The settings say observe: nothing is rejected.'] };
  const isDeclared = tenant !== undefined && tenancy.declares(tenant);
  const exempted = [...tenancy.exemptions.values()].flat().filter((one) => one.tenant === name);
  const against = [
    ...(isDeclared ? [] : ['No such tenant is declared.']),
    ...(isDeclared && tenant.mode !== 'enforce'
      ? [`The tenant is in mode ${tenant.mode}: findings are not rejected.`]
      : []),
    ...(onNodes > 0 ? [`${count(onNodes, 'pod')} on the network of the node.`] : []),
    ...(exempted.length > 0 ? [`Exempted: ${exempted.map((one) => one.name).join(', ')}.`] : []),
  ];
  if (against.length > 0) return { requirement, state: 'partly', evidence: against };
  return {
    requirement,
    state: 'met',
    evidence: ['The tenant is in mode enforce, has no exemption, and no pod on the network of a node.'],
  };
}

const encryption: Assessment = {
  requirement: 'encryption',
  state: 'not known',
  evidence: ['Neither the settings nor policies say whether the network plugin or a mesh encrypts traffic.'],
};

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
