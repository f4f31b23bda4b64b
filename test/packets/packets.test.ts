/**
 * Real packets decide what a policy does: what Bulkhead puts in place, what it admits and what it refuses, enforced by kube-router
 * between real processes.
 */
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

/** Of random admitted policies here; `npm run packets` tries more. */
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
      await isClosedByItsBaseline(t, lab);
      await opensWhatItSays(t, lab);
      await isNarrowed(t, lab);
      await opensNothingElse(t, lab);
      const all = await refused(t, lab);
      // From here on policies come past Bulkhead.
      await lab.removeWebhooks();
      await letsItsWitnessThrough(t, lab, all);
      await isCaught(t, lab);
    },
    { controllers: false },
  );
}

async function isClosedByItsBaseline(t: Test, lab: Lab): Promise<void> {
  const everything = members.flatMap((from) => attemptsOf(from, members)).map(inWords);
  t.strictSame(missing(everything, lab.withoutFirewall), [], 'without a firewall everybody reaches everybody');
  t.ok(violations(lab.withoutFirewall.values()).length > 1_000, 'and most of that nobody agreed on');
  await compareWithBaseline(t, lab, 'of the tenants’ namespaces just what the baseline leaves is open');

  for (const namespace of newcomers) {
    await lab.open(
      namespace,
      newPods.filter((pod) => pod.namespace === namespace),
    );
  }
  await compareWithBaseline(t, lab, 'a fresh namespace is closed to others and open within');
}

async function compareWithBaseline(t: Test, lab: Lab, says: string): Promise<void> {
  const expected = lab.members().flatMap((from) => attemptsOf(from, lab.members()).filter(isLeftOpen));
  const connections = await lab.connections();
  t.strictSame(missing(expected.map(inWords), connections), [], `${says}: all of it`);
  t.strictSame(beyond(connections, new Map(expected.map((one) => [inWords(one), one]))), [], `${says}: nothing else`);
  t.strictSame(violations(connections.values()), [], `${says}: and all of it was agreed on`);
}

/** What the example tenants and settings say of a baseline: what is open within, DNS, and the ingress controller. */
function isLeftOpen(connection: Connection): boolean {
  const { from, to, protocol, port } = connection;
  const mayLeave = !isGuarded(from) || isWithin(connection) || (to.name === 'kube-system/dns' && port === 53);
  const fromController = from.name === 'ingress-nginx/ingress' && protocol === 'TCP' && port === 8080;
  return mayLeave && (!isGuarded(to) || isWithin(connection) || fromController);
}

function isWithin({ from, to }: Connection): boolean {
  if (from.kind !== 'pod' || to.kind !== 'pod' || from.namespace.tenant !== to.namespace.tenant) return false;
  // Tenant beta wants its namespaces apart.
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
    'what is stored is narrowed',
  );
  t.strictSame(beyond(await lab.connections(), before), [], 'and lets in nobody from outside of the tenant');
  await lab.remove([tooWide]);
}

async function opensNothingElse(t: Test, lab: Lab): Promise<void> {
  const tally = emptyTally();
  const counterexample = await searchPackets(lab, { policies: randomPolicies, seed }, tally);
  t.equal(counterexample, undefined, counterexample ?? `${randomPolicies} random policies open what was agreed only`);
  t.comment(summary(tally));
  t.ok(tally.refused > 0, 'others were refused');
  t.ok(tally.agreed > 0, 'some open what a gate lets through');
  t.ok(tally.outside > 0, 'some open addresses outside');
}

interface Refused {
  readonly refusal: Refusal;
  readonly witnesses: readonly Member[];
}

/** The witnesses that Bulkhead names for what it refuses, as members to be brought in. */
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

/** Written past Bulkhead, what it refused does let through whom it has named. */
async function letsItsWitnessThrough(t: Test, lab: Lab, all: readonly Refused[]): Promise<void> {
  const present = new Map(lab.members().map((member) => [member.address, member]));
  const known = ({ address }: Member) => present.get(address);
  for (const { witnesses } of all) {
    for (const witness of witnesses) {
      if (known(witness) !== undefined) continue;
      await lab.bringIn(witness);
      present.set(witness.address, witness);
    }
  }
  const before = await lab.connections();
  for (const { refusal, witnesses } of all) {
    const { says, tenant, policy, direction } = refusal;
    t.equal((await lab.write(tenant, policy)).status, 201, `${says}: is written past Bulkhead`);
    const after = await lab.connections();
    const opened = [...after].flatMap(([words, connection]) => (before.has(words) ? [] : [connection]));
    for (const witness of witnesses) {
      const member = known(witness);
      const through = opened.filter(({ from, to }) => {
        const [inside, outside] = direction === 'ingress' ? [to, from] : [from, to];
        return outside === member && inside.kind === 'pod' && inside.namespace.name === policy.metadata.namespace;
      });
      t.ok(through.length > 0, `${says}: lets ${member?.name} through`);
      t.strictSame(
        violations(through),
        through.map(inWords),
        `${says}: and the judge of this test says that nobody agreed`,
      );
    }
    await lab.remove([policy]);
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
