/** One random world, as src/connectivity reads it and as another judge does: every pair, every port, and the matrix of tenants. */
import { matrixOf, platformGroup } from '../../src/connectivity/matrix.ts';
import { node, type Party, type PodClass } from '../../src/connectivity/parties.ts';
import { hasPort, portNumber } from '../../src/connectivity/port-set.ts';
import { asCalico, asCilium, byTheBook, type Reading, readingsOf } from '../../src/connectivity/readings.ts';
import type { World } from '../../src/connectivity/world.ts';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';
import type { Naive, NaiveParty, NaivePod } from './naive.ts';
import {
  type EngineReading,
  nodeNetwork,
  podNetwork,
  type RandomWorld,
  tenantLabel,
  type Written,
  wires,
} from './random-world.ts';
import { worldOf } from './worlds.ts';

export const readings: Readonly<Record<EngineReading, Reading>> = {
  'by the book': byTheBook,
  enforced: readingsOf('antrea', [])[0] ?? byTheBook,
  Cilium: asCilium,
  Calico: asCalico,
};

function rangeOf(text: string) {
  const parsed = parseCidr(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

export const tenancy: Tenancy = createTenancy(
  {
    ...defaultSettings,
    clusterName: 'here',
    protectedRanges: [
      { name: 'pod network', text: podNetwork, range: rangeOf(podNetwork), kind: 'cluster' },
      { name: 'node network', text: nodeNetwork, range: rangeOf(nodeNetwork), kind: 'cluster' },
    ],
  },
  [],
);

/** What src/connectivity makes of the world, with a way to find its pods. */
export interface Read {
  readonly world: World;
  podOf(namespace: string, name: string): PodClass;
}

/** @param change a bug for the search to find */
export function readWorld(
  { objects, reading }: RandomWorld,
  change: (object: Written) => unknown = (one) => one,
): Read {
  const changed = objects.map((one) => change(structuredClone(one)) as Written);
  const world = worldOf(changed, readings[reading], tenancy);
  const byName = new Map(
    world.parties.classes.flatMap((pods) =>
      pods.workloads.map((one) => [`${one.namespace}/${one.name}`, pods] as const),
    ),
  );
  return {
    world,
    podOf(namespace, name) {
      const pods = byName.get(`${namespace}/${name}`);
      if (pods === undefined) throw new Error(`${namespace}/${name} is not read`);
      return pods;
    },
  };
}

export function partyOf(party: NaiveParty, { podOf }: Read): Party {
  switch (party.kind) {
    case 'pod':
      return podOf(party.namespace, party.name);
    case 'address': {
      const { family, value } = party.address;
      return { kind: 'address', range: { family, first: value, last: value } };
    }
    case 'name':
      return { kind: 'name', name: party.name };
    case 'node':
      return node;
  }
}

export const wireNumbers: readonly number[] = wires.map(({ protocol, port }) =>
  portNumber(protocol as PortRange['protocol'], port),
);

export function textOf(party: NaiveParty): string {
  if (party.kind === 'pod') return `${party.namespace}/${party.name}`;
  if (party.kind === 'address') return `address ${party.address.value}`;
  return party.kind === 'name' ? party.name : 'node';
}

/** The first difference, in words; undefined: there is none. */
export function differenceWith(naive: Naive, read: Read): string | undefined {
  const { world } = read;
  const all: readonly NaiveParty[] = [...naive.pods, ...naive.others];
  const cells = new Map<string, Set<number>>();
  for (const from of all)
    for (const to of all) {
      if (from.kind !== 'pod' && to.kind !== 'pod') continue;
      const ports = world.connection(partyOf(from, read), partyOf(to, read));
      for (const [index, wire] of wires.entries()) {
        const number = wireNumbers[index] ?? 0;
        const expected = naive.connects(from, to, wire);
        if (hasPort(ports, number) !== expected)
          return `${textOf(from)} > ${textOf(to)}: ${wire.port}/${wire.protocol} is ${expected ? 'open' : 'closed'}`;
        if (!expected || from.kind !== 'pod' || to.kind !== 'pod') continue;
        const cell = `${groupOf(from)} > ${groupOf(to)}`;
        const known = cells.get(cell) ?? new Set();
        cells.set(cell, known.add(number));
      }
    }
  const matrix = matrixOf(world);
  const groups = [...new Set(naive.pods.map(groupOf))];
  for (const from of groups)
    for (const to of groups) {
      const ports = matrix.cell(from, to)?.ports ?? [];
      for (const number of wireNumbers) {
        const expected = cells.get(`${from} > ${to}`)?.has(number) === true;
        if (hasPort(ports, number) !== expected)
          return `matrix: ${from} > ${to}: ${number} is ${expected ? 'open' : 'closed'}`;
      }
    }
  for (const { from, to } of matrix.cells)
    if (!groups.includes(from) || !groups.includes(to)) return `matrix: ${from} > ${to} is nobody's`;
  return undefined;
}

function groupOf({ namespaceLabels }: NaivePod): string {
  return namespaceLabels.get(tenantLabel) ?? platformGroup;
}
