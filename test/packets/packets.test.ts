/** Real packets decide what a policy does: kube-router enforces what Bulkhead puts in place, admits and refuses. */
import type { Test } from 'tap';
import { foundOrSkip } from '../apiserver/cluster-test.ts';
import { privateNetworkTest } from '../apiserver/private-network.ts';
import { nameLabel } from '../reach/evaluator.ts';
import { readWitness } from '../reach/read-witness.ts';
import { unmentioned } from '../reach/universe.ts';
import { type CastNamespace, type Member, members, type Pod } from './cast.ts';
import { type Connection, inWords, isGuarded, violations } from './judge.ts';
import { attemptsOf, type Connections, findLab, type Lab, startLab } from './lab.ts';
import { type Refusal, refusals, scenes, tooWide } from './scenes.ts';
import { emptyTally, searchPackets, summary } from './search.ts';

/** `npm run packets` tries more. */
const randomPolicies = 50;
const seed = 1;

const newcomers: readonly CastNamespace[] = [
  { name: 'acme-new', tenant: 'acme', guarded: true, labels: {} },
  { name: 'beta-new', tenant: 'beta', guarded: true, labels: {} },
];
const newPods: readonly Pod[] = newcomers.flatMap((namespace, place) =>
  ['one', 'two'].map((name, index): Pod => {
    const address = `10.244.1.${2 * place + index}`;
    return {
      kind: 'pod',
      name: `${namespace.name}/${name}`,
      namespace,
      address,
      labels: { app: name },
      namedPorts: {},
    };
  }),
);

const sentence = 'what gets through is what was agreed, by real packets';
const kubeRouter = await foundOrSkip(sentence, findLab);
if (kubeRouter !== undefined) {
  await privateNetworkTest(
    import.meta.url,
    sentence,
    async (t, plane) => {
      const lab = await startLab(plane, kubeRouter);
      t.teardown(() => lab.stop());
      await t.test('a namespace is closed to others and open within', (t) => isClosedByItsBaseline(t, lab));
      await t.test('an admitted policy opens what it says and nothing else', (t) => opensWhatItSays(t, lab));
      await t.test('soft isolation narrows a policy that is too wide', (t) => isNarrowed(t, lab));
      await t.test('random admitted policies open nothing else', (t) => opensNothingElse(t, lab));
      await t.test('a refused policy, written past Bulkhead, lets its witness through', async (t) => {
        const all = await refused(t, lab);
        await lab.removeWebhooks();
        await letsItsWitnessThrough(t, lab, all);
      });
      await t.test('policies that come past Bulkhead are caught', (t) => isCaught(t, lab));
    },
    { controllers: false },
  );
}

async function isClosedByItsBaseline(t: Test, lab: Lab): Promise<void> {
  const everything = members.flatMap((from) => attemptsOf(from, members)).map(inWords);
  t.strictSame(missing(everything, lab.withoutFirewall), [], 'without a firewall every connection is open');
  t.ok(violations(lab.withoutFirewall.values()).length > 1_000, 'and the judge finds the ones that are not agreed');
  await compareWithBaseline(t, lab, 'the baseline');

  for (const namespace of newcomers) {
    await lab.open(
      namespace,
      newPods.filter((pod) => pod.namespace === namespace),
    );
  }
  await compareWithBaseline(t, lab, 'a fresh namespace');
}

async function compareWithBaseline(t: Test, lab: Lab, says: string): Promise<void> {
  const expected = lab.members().flatMap((from) => attemptsOf(from, lab.members()).filter(isLeftOpen));
  const connections = await lab.connections();
  t.strictSame(missing(expected.map(inWords), connections), [], `${says}: opens all that it should`);
  t.strictSame(
    beyond(connections, new Map(expected.map((one) => [inWords(one), one]))),
    [],
    `${says}: opens nothing else`,
  );
  t.strictSame(violations(connections.values()), [], `${says}: every open connection is agreed`);
}

/** The baseline of the example tenants and settings: traffic within, DNS, and the ingress controller. */
function isLeftOpen(connection: Connection): boolean {
  const { from, to, protocol, port } = connection;
  const mayLeave = !isGuarded(from) || isWithin(connection) || (to.name === 'kube-system/dns' && port === 53);
  const fromController = from.name === 'ingress-nginx/ingress' && protocol === 'TCP' && port === 8080;
  return mayLeave && (!isGuarded(to) || isWithin(connection) || fromController);
}

function isWithin({ from, to }: Connection): boolean {
  if (from.kind !== 'pod' || to.kind !== 'pod' || from.namespace.tenant !== to.namespace.tenant) return false;
  // Tenant beta has `within: namespace`.
  return from.namespace.tenant !== 'beta' || from.namespace === to.namespace;
}

async function opensWhatItSays(t: Test, lab: Lab): Promise<void> {
  const before = await lab.connections();
  for (const { says, policies, opens } of scenes) {
    for (const { tenant, policy } of policies) {
      const { status, message } = await lab.write(tenant, policy);
      t.equal(status, 201, `${says}: ${policy.metadata.name} is admitted ${message}`);
    }
    t.strictSame(beyond(await lab.connections(), before), [...opens].sort(), `${says}: opens that and nothing else`);
    await lab.remove(policies.map(({ policy }) => policy));
  }
}

async function isNarrowed(t: Test, lab: Lab): Promise<void> {
  const before = await lab.connections();
  const { status, stored } = await lab.write('gamma', tooWide);
  t.equal(status, 201, 'a policy that is too wide is admitted under soft isolation');
  const { spec } = stored as { readonly spec: object };
  t.strictSame(
    spec,
    JSON.parse(JSON.stringify(tooWide.spec).replace('"env":"x"', '"bulkhead.dev/tenant":"gamma","env":"x"')),
    'the stored policy is narrowed',
  );
  t.strictSame(beyond(await lab.connections(), before), [], 'and opens nothing to other tenants');
  await lab.remove([tooWide]);
}

async function opensNothingElse(t: Test, lab: Lab): Promise<void> {
  const tally = emptyTally();
  const counterexample = await searchPackets(lab, { policies: randomPolicies, seed }, tally);
  t.equal(counterexample, undefined, counterexample ?? `${randomPolicies} random policies open only what is agreed`);
  t.comment(summary(tally));
  t.ok(tally.refused > 0, 'others were refused');
  t.ok(tally.agreed > 0, 'some open a gate');
  t.ok(tally.outside > 0, 'some open addresses outside');
}

interface Refused {
  readonly refusal: Refusal;
  readonly witnesses: readonly Member[];
}

/** The witnesses in Bulkhead's refusals, as members to bring in. */
async function refused(t: Test, lab: Lab): Promise<readonly Refused[]> {
  const all: Refused[] = [];
  for (const [index, refusal] of refusals.entries()) {
    const { status, message } = await lab.write(refusal.tenant, refusal.policy);
    t.equal(status, 403, `${refusal.says}: is refused`);
    const sentences = [...message.matchAll(/; for example (.+)$/gm)].map(([, witness = '']) => witness);
    const witnesses = sentences.map((text) => memberOf(text, `witness-${index}`, `10.244.2.${index}`));
    t.ok(witnesses.length > 0, `${refusal.says}: with a witness`);
    all.push({ refusal, witnesses });
  }
  return all;
}

/** @param name of the namespace, where it may be any, and @param address of the pod */
function memberOf(sentence: string, name: string, address: string): Member {
  const party = readWitness(sentence)?.party;
  if (party === undefined) throw new Error(`no witness can be read from: ${sentence}`);
  if (party.kind === 'address') {
    const [, written = ''] = /^the address ([^,]+)/.exec(sentence) ?? [];
    return { kind: 'outside', name: `${name} at ${written}`, address: written, calls: true };
  }
  const named = party.namespace.get(nameLabel);
  const labels = Object.fromEntries([...party.namespace].filter(([key]) => key !== nameLabel));
  const namespace = { name: named === unmentioned || named === undefined ? name : named, guarded: false, labels };
  const pod = `${namespace.name}/witness`;
  return { kind: 'pod', name: pod, namespace, address, labels: Object.fromEntries(party.pod), namedPorts: {} };
}

async function letsItsWitnessThrough(t: Test, lab: Lab, all: readonly Refused[]): Promise<void> {
  // A witness can be a member of the cast, such as the metadata service.
  const present = new Map(lab.members().map((member) => [member.address, member]));
  const newMembers = all.flatMap(({ witnesses }) => witnesses).filter(({ address }) => !present.has(address));
  for (const member of newMembers) present.set(member.address, member);
  await Promise.all([...present.values()].filter((member) => newMembers.includes(member)).map(lab.bringIn));

  for (const { refusal, witnesses } of all) {
    const { says, tenant, policy, direction } = refusal;
    const isInside = (member: Member) => member.kind === 'pod' && member.namespace.name === policy.metadata.namespace;
    for (const witness of witnesses.map(({ address }) => present.get(address))) {
      const isTried = ({ from, to }: Connection) =>
        direction === 'ingress' ? isInside(to) && from === witness : isInside(from) && to === witness;
      t.equal((await lab.connections(isTried)).size, 0, `${says}: without it ${witness?.name} does not get through`);
      t.equal((await lab.write(tenant, policy)).status, 201, `${says}: it is written past Bulkhead`);
      const opened = await lab.connections(isTried);
      t.ok(opened.size > 0, `${says}: lets ${witness?.name} through`);
      t.strictSame(violations(opened.values()), [...opened.keys()], `${says}: and the judge finds it`);
      await lab.remove([policy]);
    }
  }
}

async function isCaught(t: Test, lab: Lab): Promise<void> {
  const counterexample = await searchPackets(lab, { policies: randomPolicies, seed }, emptyTally());
  t.match(
    counterexample,
    / -> .*\n(?:.*\n)*metadata:\n/,
    'the search finds a policy that came past Bulkhead, and names it',
  );
}

function missing(expected: readonly string[], connections: Connections): string[] {
  return expected.filter((words) => !connections.has(words));
}

/** Those that are new, in words. */
function beyond(connections: Connections, before: Connections): string[] {
  return [...connections.keys()].filter((words) => !before.has(words)).sort();
}
