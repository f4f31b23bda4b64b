/** Addresses that tenants are granted, and the ranges that the settings protect. Cost: ranges of tenants times protected ranges. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { familyNames } from '../kubernetes/ip-address.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import { isOfNodes } from './node-sources.ts';
import { type Problem, problemAt, type Step } from './problem.ts';
import type { ProtectedRange, Settings } from './settings.ts';
import type { Judge } from './validate-tenancy.ts';

interface Guard extends ProtectedRange {
  readonly addresses: IpSet;
}

function guardsOf({ protectedRanges }: Settings): readonly Guard[] {
  return protectedRanges.map((guard) => ({ ...guard, addresses: destinations([guard.range]) }));
}

/** Those that cover one of the addresses. */
function touching(guards: readonly Guard[], range: IpRange): readonly Guard[] {
  const reached = destinations([range]);
  return guards.filter(({ addresses }) => intersect(reached, addresses).length > 0);
}

/** What is granted on every port is outside the cluster. */
const insideTheCluster: Judge = (tenants, settings) => {
  const guards = guardsOf(settings);
  return tenants.flatMap(({ value, locate }) =>
    value.network.egressRanges.flatMap((range, index) => {
      const [touched] = touching(guards, range);
      const steps = ['spec', 'network', 'egressCIDRs', index];
      const fix = 'list ranges that leave it out, or write the range under egress, where it stays out by itself';
      return touched === undefined ? [] : [problemAt(locate, steps, `reaches into ${named(touched)}`, fix)];
    }),
  );
};

/** Of a grant that lies wholly in protected ranges nothing is left. */
const grantsOfNothing: Judge = (tenants, settings) => {
  const guards = guardsOf(settings);
  const guarded = normalise(guards.flatMap(({ addresses }) => addresses));
  return tenants.flatMap(({ value, locate }) =>
    value.network.egress.flatMap(({ cidr, except }, index) => {
      if (cidr === 'internet') return [];
      const granted = subtract(destinations([cidr]), destinations(normalise(except)));
      if (subtract(granted, guarded).length > 0) return [];
      const [touched] = touching(guards, cidr);
      const steps = ['spec', 'network', 'egress', index, 'cidr'];
      const [reason, fix] =
        touched === undefined || granted.length === 0
          ? ['has no address that except leaves', 'correct except, or remove the grant']
          : [`lies in ${named(touched)}, which is never granted`, 'grant single addresses of it under vouched'];
      return [problemAt(locate, steps, reason, fix)];
    }),
  );
};

/** The identity of a node is never given away; what pods may get is given only where the platform says that they do not. */
const wronglyVouched: Judge = (tenants, settings) => {
  const guards = guardsOf(settings);
  return tenants.flatMap(({ value, locate }) =>
    value.network.vouched.flatMap(({ address, notAssignedToPods }, index): Problem[] => {
      const steps: Step[] = ['spec', 'network', 'vouched', index, 'cidr'];
      const touched = touching(guards, address);
      const metadata = touched.find(({ kind }) => kind === 'metadata');
      if (metadata !== undefined)
        return [problemAt(locate, steps, `reaches into ${named(metadata)}, which no tenant may reach`, 'remove it')];
      if (address.first !== address.last && !isOfNodes(address, settings.protectedRanges)) {
        const reason = 'has more than one address, and they are not all in nodeCIDRs or loadBalancerCIDRs alone';
        return [problemAt(locate, steps, reason, 'write one entry for each address, or a range of nodes')];
      }
      if (notAssignedToPods) return [];
      const fix = 'write notAssignedToPods: true once the network plugin leaves the address out';
      const ofPods = touched.find(({ name }) => name === 'pod network');
      if (ofPods !== undefined) return [problemAt(locate, steps, `lies in ${named(ofPods)}: any pod may get it`, fix)];
      const family = destinations([address])[0]?.family ?? 4;
      if (!settings.unlistedFamilies.includes(family)) return [];
      const reason = `may be the address of a pod, as the settings do not list all ${familyNames[family]} ranges of the cluster`;
      return [problemAt(locate, steps, reason, fix)];
    }),
  );
};

export const addressJudges: readonly Judge[] = [insideTheCluster, grantsOfNothing, wronglyVouched];

export const vouchesThatEnded: Judge = (tenants, _, now) =>
  tenants.flatMap(({ value, locate }) =>
    value.network.vouched.flatMap(({ expires }, index): Problem[] => {
      if (expires === undefined || now < expires) return [];
      const steps = ['spec', 'network', 'vouched', index, 'expires'];
      return [problemAt(locate, steps, 'has passed, so the address is not granted', 'remove the entry, or renew it')];
    }),
  );

function named({ name, text }: ProtectedRange): string {
  return `${text}, the ${name} of the cluster`;
}
