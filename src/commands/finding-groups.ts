/** What would be rejected, by check and tenant. Keeps of each object no more than a name. */
import { catalogue } from '../checks/catalogue.ts';
import { isInEveryMode } from '../checks/check.ts';
import type { Judged } from '../checks/judge.ts';
import { type FindingGroup, mostNames } from '../report/audit-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { fixOfKey } from './audit-namespaces.ts';
import { countedAs, type Listeners } from './judge-stored.ts';

type Group = { -readonly [Field in keyof Omit<FindingGroup, 'names'>]: FindingGroup[Field] } & {
  readonly names: Set<string>;
};

const protectsOf = new Map(catalogue.map(({ id, protects }) => [id, protects]));
const order = new Map(catalogue.map(({ id }, index) => [id, index]));

interface FindingGroups {
  /** @param name as `KIND NAMESPACE/NAME`; an object that is there already is not counted again */
  add(tenant: Tenant, name: string, findings: readonly Judged[]): void;
  /** In the order of the catalogue. */
  list(): readonly FindingGroup[];
}

function createFindingGroups(tenancy: Tenancy): FindingGroups {
  const groups = new Map<string, Group>();
  return {
    add(tenant, name, findings) {
      for (const { check, path, fix, protects = protectsOf.get(check) ?? 'identity' } of findings) {
        if (protects === 'intent') continue;
        const always = isInEveryMode(protects);
        // A key that an account may be listed for is corrected in another way.
        const key = `${check} ${tenant.name} ${always} ${fix === fixOfKey}`;
        const known = groups.get(key);
        const mode = modeOf(tenant, tenancy);
        const begun = { check, tenant: tenant.name, mode, always, count: 0, names: new Set<string>(), path, fix };
        const group = known ?? begun;
        if (known === undefined) groups.set(key, group);
        if (group.names.has(name)) continue;
        if (group.names.size < mostNames) group.names.add(name);
        group.count++;
      }
    },
    list: () => [...groups.values()].map((group) => ({ ...group, names: [...group.names] })).sort(byCheck),
  };
}

export interface RejectionGroups {
  readonly listeners: Required<Pick<Listeners, 'onJudged' | 'onJudgedElsewhere'>>;
  /** Of the scope. */
  reported(): readonly FindingGroup[];
  all(): readonly FindingGroup[];
}

/** @param isWhole there is no scope */
export function createRejections(tenancy: Tenancy, isWhole: boolean): RejectionGroups {
  const own = createFindingGroups(tenancy);
  const every = isWhole ? own : createFindingGroups(tenancy);
  const add =
    (...all: readonly FindingGroups[]): Listeners['onJudged'] =>
    (one, findings) => {
      for (const groups of new Set(all)) groups.add(one.tenant, countedAs(one), findings);
    };
  return {
    listeners: { onJudged: add(own, every), onJudgedElsewhere: add(every) },
    reported: own.list,
    all: every.list,
  };
}

/** Unknown where no such tenant is declared. */
export function modeOf(tenant: Tenant, tenancy: Tenancy): string {
  return tenancy.declares(tenant) ? tenant.mode : 'unknown';
}

function byCheck(one: FindingGroup, other: FindingGroup): number {
  return (order.get(one.check) ?? 0) - (order.get(other.check) ?? 0) || (one.tenant < other.tenant ? -1 : 1);
}
