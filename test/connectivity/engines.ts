/** The random worlds as Cilium's own code and cyclonus' matcher decide them: all policies are in force together, flow by flow. */

import { hasPort } from '../../src/connectivity/port-set.ts';
import { formatAddress } from '../../src/kubernetes/ip-address.ts';
import type { Direction } from '../../src/tenancy/tenant.ts';
import type { Engine } from '../engines/engine.ts';
import type { AskedParty, Flow, Question } from '../engines/protocol.ts';
import { partyOf, type Read, textOf, wireNumbers } from './compare.ts';
import type { Naive, NaiveParty } from './naive.ts';
import { type RandomWorld, wires } from './random-world.ts';

/** Cilium does not read AdminNetworkPolicy, and cyclonus NetworkPolicy alone. */
const readBy: Readonly<Record<Engine['name'], readonly string[]>> = {
  cilium: ['NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy', 'ClusterNetworkPolicy'],
  cyclonus: ['NetworkPolicy'],
  calico: [],
  istio: [],
};

const directions: readonly Direction[] = ['ingress', 'egress'];

/** Undefined: the engine cannot be asked about this world. */
export function questionOf(world: RandomWorld, naive: Naive, engine: Engine['name']): Question | undefined {
  const policies = world.objects.filter(({ kind }) => kind.endsWith('Policy'));
  if (
    !policies.every(({ kind, apiVersion }) => readBy[engine].includes(kind) && !apiVersion.startsWith('projectcalico'))
  )
    return undefined;
  const parties = partiesOf(naive);
  const flows = parties.flatMap((_, party) =>
    wires.flatMap((_, wire): Flow[] => [
      [0, party, wire],
      [1, party, wire],
    ]),
  );
  return {
    parties: parties.map(askedOf),
    wires,
    subjects: naive.pods.map((_, index) => index),
    baseline: policies.map((object) => ({ kind: object.kind, object })),
    flows,
    policies: [],
    inForce: true,
  };
}

/** Pods first. What is known by its name alone has no flows. */
function partiesOf(naive: Naive): readonly NaiveParty[] {
  return [...naive.pods, ...naive.others.filter(({ kind }) => kind !== 'name')];
}

function askedOf(party: NaiveParty): AskedParty {
  switch (party.kind) {
    case 'pod': {
      const [first] = party.addresses;
      return {
        pod: {
          namespace: party.namespace,
          namespaceLabels: Object.fromEntries(party.namespaceLabels),
          labels: Object.fromEntries(party.labels),
          address: first === undefined ? '192.0.2.1' : formatAddress(first.family, first.value),
          ports: party.ports.map(({ name, protocol, containerPort }) => ({ name, protocol, port: containerPort })),
        },
      };
    }
    case 'address':
      return { address: formatAddress(party.address.family, party.address.value) };
    default:
      return { reserved: 'remote-node' };
  }
}

/** The first difference between what src/connectivity and the engine say of one side of a flow. */
export async function differenceWithEngine(
  question: Question,
  naive: Naive,
  { world, ...read }: Read,
  engine: Engine,
): Promise<string | undefined> {
  const parties = partiesOf(naive);
  const answers = await engine.ask(question);
  for (const [index, { error, own }] of answers.entries()) {
    const pod = naive.pods[index];
    if (pod === undefined || error !== undefined) throw new Error(`${engine.name} does not take it: ${error}`);
    const allowed = new Set(own);
    const pods = read.podOf(pod.namespace, pod.name);
    for (const [at, [side, party, wire]] of question.flows.entries()) {
      const peer = parties[party];
      const direction = directions[side];
      if (peer === undefined || direction === undefined || (engine.name === 'cyclonus' && isUnknown(peer))) continue;
      const isOpen = hasPort(world.allowed(pods, direction, partyOf(peer, { world, ...read })), wireNumbers[wire] ?? 0);
      if (isOpen === allowed.has(at)) continue;
      const { port, protocol } = wires[wire] ?? {};
      return `${engine.name}: ${textOf(pod)} ${direction} ${textOf(peer)}: ${port}/${protocol} is ${isOpen ? 'closed' : 'open'}`;
    }
  }
  return undefined;
}

/** cyclonus knows pods by one address, and no nodes. */
function isUnknown(party: NaiveParty): boolean {
  return party.kind === 'node' || (party.kind === 'pod' && party.addresses.length !== 1);
}
