/** What tenants and settings must not say together. Cost linear in the input, save for addresses: ranges of tenants times those of the cluster. */
import { commonPorts, orAllPorts } from '../kubernetes/port-range.ts';
import { opposite } from './gate-request.ts';
import { type Locate, type Located, type Problem, type Problems, problemAt, type Step, unlined } from './problem.ts';
import { isPrefix, prefixesOf, reservationsOf } from './reserved-names.ts';
import type { Settings } from './settings.ts';
import { identity } from './subjects.ts';
import { suggestion } from './suggestion.ts';
import type { Gate, Subject, Tenant } from './tenant.ts';
import { addressJudges, vouchesThatEnded } from './validate-addresses.ts';
import { hostsOfOthers } from './validate-hosts.ts';

/** A judgement of all tenants; problems refuse the load, warnings do not. */
export type Judge = (tenants: readonly Located<Tenant>[], settings: Settings, now: number) => readonly Problem[];

/**
 * @param now milliseconds since the epoch
 * @param locate where the settings were written
 */
export function validateTenancy(
  settings: Settings,
  tenants: readonly Located<Tenant>[],
  now: number,
  locate: Locate = unlined('settings'),
): Problems {
  const all = (judges: readonly Judge[]) => judges.flatMap((judge) => judge(tenants, settings, now));
  return {
    problems: all([
      declaredTwice,
      overlappingReservations,
      alsoThePlatform,
      accountsOfOthers,
      hostsOfOthers,
      ...addressJudges,
    ]),
    warnings: [...all([gatesThatStayShut, vouchesThatEnded]), ...unknownTenants(tenants, settings, locate)],
  };
}

const declaredTwice: Judge = (tenants) => {
  const first = new Map<string, Located<Tenant>>();
  return tenants.flatMap((tenant) => {
    const { name } = tenant.value;
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, tenant);
      return [];
    }
    const reason = `tenant ${name} is declared in ${placeOf(other, ['metadata', 'name'])} already`;
    return [problemAt(tenant.locate, ['metadata', 'name'], reason, 'keep one of the two')];
  });
};

/**
 * A name is reserved to one owner. So a name or prefix of a tenant may not be reserved to another owner.
 * It may not begin with a prefix of another owner, or cover its names. Of two tenants the later one gets the problem.
 */
const overlappingReservations: Judge = (tenants, { platform }) => {
  const problems: Problem[] = [];
  const report = ({ value, locate }: Located<Tenant>, reserved: string, reason: string) => {
    const steps = value.reserved.get(reserved) ?? [];
    const fix = isPrefix(reserved) ? 'choose a prefix that shares no names' : 'remove it here or there';
    problems.push(problemAt(locate, steps, `${reserved} ${reason}`, fix));
  };
  const reservedBy = new Map<string, Located<Tenant>>();
  for (const tenant of tenants) {
    for (const [reserved, steps] of tenant.value.reserved) {
      const other = reservedBy.get(reserved);
      if (other === undefined) reservedBy.set(reserved, tenant);
      else {
        const place = placeOf(other, other.value.reserved.get(reserved) ?? steps);
        report(tenant, reserved, `is reserved to tenant ${other.value.name} (${place}) already`);
      }
    }
  }
  const ofPlatform = new Set(platform.prefixes);
  const seen = new Set<Located<Tenant>>();
  for (const [reserved, tenant] of reservedBy) {
    seen.add(tenant);
    const shorter = prefixesOf(reserved);
    const covering = shorter.find((part) => ofPlatform.has(part));
    if (covering !== undefined) report(tenant, reserved, `lies under ${covering}, which is reserved to the platform`);
    for (const part of shorter) {
      const other = part === reserved ? undefined : reservedBy.get(part);
      if (other === undefined || other === tenant) continue;
      if (seen.has(other))
        report(tenant, reserved, `lies under ${part}, which is reserved to tenant ${other.value.name}`);
      else report(other, part, `covers ${reserved}, which is reserved to tenant ${tenant.value.name}`);
    }
  }
  for (const prefix of platform.prefixes) {
    for (const part of prefixesOf(prefix)) {
      const other = part === prefix ? undefined : reservedBy.get(part);
      if (other !== undefined) report(other, part, `covers ${prefix}, which is reserved to the platform`);
    }
  }
  for (const name of platform.namespaces) {
    const named = reservedBy.get(name);
    if (named !== undefined) report(named, name, 'is a namespace of the platform');
    for (const part of prefixesOf(name)) {
      const other = ofPlatform.has(part) ? undefined : reservedBy.get(part);
      if (other !== undefined) report(other, part, `covers ${name}, a namespace of the platform`);
    }
  }
  return problems;
};

const alsoThePlatform: Judge = (tenants, { platform, services }) => {
  const { identities, namespaceWriters, provisioners, networkAgents } = platform;
  const trusted = new Map<string, string>();
  const add = (subjects: readonly Subject[], what: string) => {
    for (const subject of subjects) trusted.set(identity(subject), what);
  };
  for (const { subjects } of namespaceWriters)
    add(subjects, 'in platform.namespaceWriters, for namespaces of all tenants');
  for (const { subjects } of networkAgents) add(subjects, 'in platform.networkAgents, for pods of all tenants');
  add(services.controllers, 'in network.services.controllers, for Services of all tenants');
  for (const { subjects } of provisioners) add(subjects, 'in platform.provisioners, which say whose a namespace is');
  add(identities, 'a platform identity, which may do everything for every tenant');
  return tenants.flatMap(({ value, locate }) =>
    value.members.flatMap((member, index) => {
      const what = trusted.get(identity(member));
      if (what === undefined) return [];
      const fix = 'list it here or in the settings, not in both';
      return [problemAt(locate, ['spec', 'members', index], `${member.kind} ${member.name} is ${what}`, fix)];
    }),
  );
};

const gatesThatStayShut: Judge = (tenants, _, now) => {
  const declared = new Map(tenants.map(({ value }) => [value.name, value]));
  return tenants.flatMap(({ value, locate }) =>
    value.network.gates.flatMap((gate, index): Problem[] => {
      const shut = shutGate(gate, value, declared, now);
      if (shut === undefined) return [];
      const [field, reason, fix] = shut;
      return [problemAt(locate, ['spec', 'network', 'gates', index, ...(field === '' ? [] : [field])], reason, fix)];
    }),
  );
};

function shutGate(
  { tenant, direction, ports, expires }: Gate,
  { name }: Tenant,
  declared: ReadonlyMap<string, Tenant>,
  now: number,
): readonly [field: string, reason: string, fix: string] | undefined {
  const other = declared.get(tenant);
  if (other === undefined) {
    const meant = suggestion(tenant, [...declared.keys()]);
    const fix = meant === undefined ? 'the gate stays shut until it is' : `did you mean ${meant}?`;
    return ['tenant', `${tenant} is not a declared tenant`, fix];
  }
  if (expires !== undefined && expires <= now)
    return ['expires', 'has passed, so the gate is shut', 'remove the gate, or agree on a later time'];
  const mirrors = other.network.gates.filter((one) => one.tenant === name && one.direction === opposite(direction));
  const mirror = `a gate for ${opposite(direction)} with ${name}`;
  if (mirrors.length === 0)
    return [
      'tenant',
      `${tenant} does not declare the mirror image, so the gate is shut`,
      `declare ${mirror} in tenant ${tenant}`,
    ];
  const alive = mirrors.filter((one) => one.expires === undefined || now < one.expires);
  if (alive.length === 0)
    return [
      'tenant',
      `the half of ${tenant} has expired, so the gate is shut`,
      `agree on a later time in tenant ${tenant}`,
    ];
  const theirs = alive.flatMap((one) => orAllPorts(one.ports));
  if (commonPorts(orAllPorts(ports), theirs).length > 0) return undefined;
  return [
    'ports',
    `have nothing in common with those of ${tenant}, so the gate is shut`,
    'name the same ports on both sides',
  ];
}

/** Tenants that the settings name and that are not declared. */
function unknownTenants(
  tenants: readonly Located<Tenant>[],
  { sharedServices, pods, gates }: Settings,
  locate: Locate,
): readonly Problem[] {
  // Where tenants are objects, the settings are read before any of them is known.
  if (tenants.length === 0) return [];
  const declared = new Set(tenants.map(({ value }) => value.name));
  const named: (readonly [steps: readonly Step[], names: ReadonlySet<string> | undefined])[] = [
    ...sharedServices.map(
      ({ tenants: served }, index) =>
        [['sharedServices', index], served !== undefined && 'names' in served ? served.names : undefined] as const,
    ),
    ...pods.csiDrivers.map(({ tenants: allowed }, index) => [['pods', 'csiDrivers', index], allowed] as const),
    ...pods.tolerations.map(({ tenants: allowed }, index) => [['pods', 'tolerations', index], allowed] as const),
    ...pods.devices.map(({ tenants: allowed }, index) => [['pods', 'devices', index], allowed] as const),
    ...(gates.between ?? []).map((some, index) => [['gates', 'between', index], some] as const),
  ];
  return named.flatMap(([steps, names]) =>
    [...(names ?? [])].flatMap((name, at): Problem[] => {
      if (declared.has(name)) return [];
      const meant = suggestion(name, [...declared]);
      const fix = meant === undefined ? 'declare it, or remove the name' : `did you mean ${meant}?`;
      const reason = `${name} is not a declared tenant`;
      return [problemAt(locate, ['spec', ...steps, 'tenants', at], reason, fix)];
    }),
  );
}

/** The creator of a namespace controls its service accounts: it must be the platform, or the tenant itself. */
const accountsOfOthers: Judge = (tenants, { platform }) => {
  const reservedBy = new Map(
    tenants.flatMap(({ value: { name, reserved } }) =>
      [...reserved.keys()].map((one): [string, string] => [one, name]),
    ),
  );
  const ofThePlatform = (namespace: string) =>
    platform.namespaces.has(namespace) || platform.prefixes.some((prefix) => namespace.startsWith(prefix));
  return tenants.flatMap(({ value, locate }) =>
    value.members.flatMap((member, index): Problem[] => {
      if (member.kind !== 'ServiceAccount' || ofThePlatform(member.namespace)) return [];
      const other = reservationsOf(member.namespace).flatMap((part) => reservedBy.get(part) ?? [])[0];
      if (other === value.name) return [];
      const [reason, fix] =
        other === undefined
          ? [
              `${member.namespace} is not a reserved name, so another tenant could create it and this service account`,
              'list it under platform.namespaces of the settings or namespaces.names of the tenant, or use a namespace with its prefix',
            ]
          : [
              `${member.namespace} is reserved to tenant ${other}, which controls this service account`,
              'use a service account of the tenant or the platform',
            ];
      return [problemAt(locate, ['spec', 'members', index, 'namespace'], reason, fix)];
    }),
  );
};

function placeOf({ locate }: Located<unknown>, steps: readonly Step[]): string {
  const { file, line } = locate(steps, 'value');
  return line === 0 ? file : `${file}:${line}`;
}
