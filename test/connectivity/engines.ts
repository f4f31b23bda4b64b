/** The random worlds as Cilium's own code and cyclonus' matcher decide them: all policies are in force together, flow by flow. */

import { hasPort } from '../../src/connectivity/port-set.ts';
import { formatAddress } from '../../src/kubernetes/ip-address.ts';
import type { Direction } from '../../src/tenancy/tenant.ts';
import type { Engine } from '../engines/engine.ts';
import type { AskedGroup, AskedParty, Flow, Question } from '../engines/protocol.ts';
import { partyOf, type Read, textOf, wireNumbers } from './compare.ts';
import { isMeantService, type Naive, type NaiveParty } from './naive.ts';
import { nodeLabels, type RandomWorld, type Written, wires } from './random-world.ts';

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
  const policies = world.objects
    .filter(({ kind }) => kind.endsWith('Policy'))
    .map((one) => (one.kind.startsWith('Cilium') ? withServices(one, world.objects) : one));
  if (
    !policies.every(({ kind, apiVersion }) => readBy[engine].includes(kind) && !apiVersion.startsWith('projectcalico'))
  )
    return undefined;
  const parties = partiesOf(naive, nodesFor(policies));
  // An address of two groups has labels of both, and the engine is told of one.
  if (parties.some((one) => one.kind === 'address' && naive.groupsOf(one.address).length > 1)) return undefined;
  const flows = parties.flatMap((_, party) =>
    wires.flatMap((_, wire): Flow[] => [
      [0, party, wire],
      [1, party, wire],
    ]),
  );
  return {
    parties: parties.map((one) => askedOf(one, naive)),
    wires,
    subjects: naive.pods.map((_, index) => index),
    baseline: policies.map((object) => ({ kind: object.kind, object })),
    flows,
    policies: [],
    inForce: true,
  };
}

/** With labels: the node that has these. */
type Asked =
  | Exclude<NaiveParty, { kind: 'node' }>
  | { readonly kind: 'node'; readonly labels: AskedGroup['labels'] | undefined };

/**
 * A node is one of each that there may be. With labels it has one of its cluster too, so that a selector of pods that only asks for labels not
 * to be there selects nodes. Labels of nodes are an option of Cilium that is off, so nodes have none here where no policy names them, and
 * are left out where both would be asked.
 */
function nodesFor(policies: readonly Written[]): readonly Asked[] {
  const isOfNodes = /^(from|to)Nodes$/;
  const ofPods = JSON.stringify(policies, (key, value) => (isOfNodes.test(key) ? undefined : value));
  if (ofPods === JSON.stringify(policies)) return [{ kind: 'node', labels: undefined }];
  return /"(NotIn|DoesNotExist)"/.test(ofPods) ? [] : nodeLabels.map((labels) => ({ kind: 'node', labels }));
}

/** Pods first. What is known by its name alone has no flows. */
function partiesOf(naive: Naive, nodes: readonly Asked[]): readonly Asked[] {
  const isAddress = (one: NaiveParty): one is Extract<NaiveParty, { kind: 'address' }> => one.kind === 'address';
  return [...naive.pods, ...naive.others.filter(isAddress), ...nodes];
}

/**
 * With peers in place of `toServices`, as processRule of pkg/policy/k8s/service.go puts them: the agent does that with its tables of Services,
 * before it reads the policy. What finds no Service stays as it is.
 */
function withServices(policy: Written, objects: readonly Written[]): Written {
  // biome-ignore lint/suspicious/noExplicitAny: a written object
  const changed: any = structuredClone(policy);
  for (const spec of [changed.spec, ...(changed.specs ?? [])])
    for (const rule of spec?.egress ?? []) {
      const found = objects.filter(
        (one) => one.kind === 'Service' && rule.toServices?.some((item: unknown) => isMeantService(item, one)),
      );
      if (found.length === 0) continue;
      delete rule.toServices;
      // biome-ignore lint/suspicious/noExplicitAny: a written object
      rule.toEndpoints = found.map(({ metadata, spec }: any) => ({
        matchLabels: {
          ...Object.fromEntries(Object.entries(spec.selector).map(([key, value]) => [`k8s:${key}`, value])),
          'k8s:io.kubernetes.pod.namespace': metadata.namespace,
        },
      }));
    }
  return changed;
}

function askedOf(party: Asked, naive: Naive): AskedParty {
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
    case 'address': {
      const [group] = naive.groupsOf(party.address);
      return {
        address: formatAddress(party.address.family, party.address.value),
        ...(group && { group: { name: group.name, labels: Object.fromEntries(group.labels), external: [] } }),
      };
    }
    case 'node':
      return { reserved: 'remote-node', ...(party.labels && { labels: party.labels }) };
    case 'name':
      throw new Error('has no flows');
  }
}

/** The first difference between what src/connectivity and the engine say of one side of a flow. */
export async function differenceWithEngine(
  question: Question,
  naive: Naive,
  { world, ...read }: Read,
  engine: Engine,
): Promise<string | undefined> {
  const parties = partiesOf(naive, nodesFor(question.baseline.map(({ object }) => object as Written)));
  const answers = await engine.ask(question);
  for (const [index, { error, own }] of answers.entries()) {
    const pod = naive.pods[index];
    if (pod === undefined || error !== undefined) throw new Error(`${engine.name} does not take it: ${error}`);
    const allowed = new Set(own);
    const ofSomeNode = new Set(own.map((at) => nodeFlowOf(question.flows[at], parties)));
    const pods = read.podOf(pod.namespace, pod.name);
    for (const [at, [side, party, wire]] of question.flows.entries()) {
      const peer = parties[party];
      const direction = directions[side];
      if (peer === undefined || direction === undefined || (engine.name === 'cyclonus' && isUnknown(peer))) continue;
      const isOpen = hasPort(world.allowed(pods, direction, partyOf(peer, { world, ...read })), wireNumbers[wire] ?? 0);
      const isExpected = peer.kind === 'node' ? ofSomeNode.has(`${side} ${wire}`) : allowed.has(at);
      if (isOpen === isExpected) continue;
      // One node may be denied what only it is allowed: no single node is asked about here.
      if (peer.kind === 'node' && isOpen && deniesSomeNodes(question)) continue;
      const { port, protocol } = wires[wire] ?? {};
      return `${engine.name}: ${textOf(pod)} ${direction} ${textOf(peer)}: ${port}/${protocol} is ${isOpen ? 'closed' : 'open'}`;
    }
  }
  return undefined;
}

function deniesSomeNodes({ baseline }: Question): boolean {
  return /Deny":\[.*(from|to)Nodes":\[\{"/.test(JSON.stringify(baseline));
}

/** Of a flow to or from a node, all but which node it is. */
function nodeFlowOf(flow: Flow | undefined, parties: readonly Asked[]): string | undefined {
  return flow !== undefined && parties[flow[1]]?.kind === 'node' ? `${flow[0]} ${flow[2]}` : undefined;
}

/** cyclonus knows pods by one address, and no nodes. */
function isUnknown(party: Asked): boolean {
  return party.kind === 'node' || (party.kind === 'pod' && party.addresses.length !== 1);
}
