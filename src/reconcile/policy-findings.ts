/** What one reading of the stored policies of a kind finds, and where it is reported. */
import { judgeStoredPolicy, type NonCompliantPolicy } from '../admission/stored-policy.ts';
import { isManaged } from '../baseline/managed.ts';
import { isolatedBy } from '../kinds/isolated-by.ts';
import type { PolicyKind } from '../kinds/kind.ts';
import { policyKinds } from '../kinds/policy-kind.ts';
import type { Policy } from '../kubernetes/objects.ts';
import type { Direction, Mode } from '../tenancy/tenant.ts';
import type { StoredPolicyOptions } from './stored-policies.ts';

export interface PolicyFindings {
  see(policy: { readonly metadata: { readonly uid: string }; readonly object: Policy }): void;
  /** All of them were seen. */
  end(): {
    readonly seen: number;
    readonly counts: Readonly<Record<Mode, number>>;
    /** The uids of the non-compliant policies that the log shows. */
    readonly logged: ReadonlySet<string>;
    /** Policies that open a crossing which nothing agrees on. */
    readonly crossing: Readonly<Record<Direction, number>>;
    /** By namespace, the directions in which a policy isolates every pod (isolated-by.ts). */
    readonly isolated: ReadonlyMap<string, number>;
  };
}

const crossingChecks = { ingress: 'cross-tenant-ingress', egress: 'cross-tenant-egress' } as const;

/** The log shows so many non-compliant policies of a kind one by one, and the number of the others. */
const maxLogged = 100;

/**
 * The policies of a namespace come one after the other, and its Event is written behind the last of them.
 *
 * @param before uids of policies that are in the log already
 * @param now    milliseconds since the epoch
 */
export function createPolicyFindings(
  kind: PolicyKind,
  { tenancy: current, namespaces, log, events }: Pick<StoredPolicyOptions, 'tenancy' | 'namespaces' | 'log' | 'events'>,
  before: ReadonlySet<string>,
  now: number,
): PolicyFindings {
  const state = { tenancy: current(), namespaces, now };
  const counts = { enforce: 0, warn: 0, audit: 0 };
  const crossing = { ingress: 0, egress: 0 };
  const isolated = new Map<string, number>();
  const logged = new Set<string>();
  let seen = 0;
  let first: NonCompliantPolicy | undefined;
  let others = 0;

  function recordEvent(): void {
    const namespace = first && namespaces.lookup(first.namespace);
    // Mode audit reports to the platform alone.
    if (first !== undefined && namespace !== undefined && first.tenant.mode !== 'audit')
      events?.record(namespace, 'PolicyNonCompliant', messageOf(first, others), topicOf(kind));
    first = undefined;
    others = 0;
  }

  return {
    see({ metadata, object }) {
      seen++;
      // Of its own policies Bulkhead hears at once.
      const directions = isManaged(object) ? 0 : isolatedBy(kind, object);
      const home = object.metadata?.namespace ?? '';
      if (directions > 0) isolated.set(home, (isolated.get(home) ?? 0) | directions);
      const found = judgeStoredPolicy(kind, object, state);
      if (found === undefined) return;
      const { tenant, namespace, name, findings } = found;
      counts[tenant.mode]++;
      for (const direction of ['ingress', 'egress'] as const)
        if (findings.some(({ check }) => check === crossingChecks[direction])) crossing[direction]++;
      if (logged.size < maxLogged) {
        const { check, path, reason } = findings[0];
        const fields = {
          tenant: tenant.name,
          mode: tenant.mode,
          namespace,
          kind: kind.kind,
          policy: name,
          check,
          path,
        };
        if (!before.has(metadata.uid)) log.warn(fields, `a stored policy would be rejected today: ${path} ${reason}`);
        logged.add(metadata.uid);
      }
      if (first?.namespace !== namespace) recordEvent();
      if (first === undefined) first = found;
      else others++;
    },
    end() {
      recordEvent();
      return { seen, counts, logged, crossing, isolated };
    },
  };
}

/** One Event for each kind: those of Calico have the plural of another one. */
function topicOf({ plural, group }: PolicyKind): string {
  const first = policyKinds.find((kind) => kind.plural === plural);
  return first === undefined || first.group === group ? plural : `${plural}.${group}`;
}

function messageOf({ kind, name, findings: [first] }: NonCompliantPolicy, others: number): string {
  const { check, path, reason, fix } = first;
  const more = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'policy' : 'policies'})`;
  return `${kind} ${name}${more} would be rejected today: ${path} ${reason}; fix: ${fix} (${check})`;
}
