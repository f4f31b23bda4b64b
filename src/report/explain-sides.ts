/** What `bulkhead explain` says of each side of a connection: the rules that decide, and those that would. */
import { nameOfClass } from '../connectivity/endpoints.ts';
import { type PairAnswer, pathText, type Side } from '../connectivity/explain.ts';
import { differenceOf, intersectionOf, noPorts, type PortSet, portNumber, unionOf } from '../connectivity/port-set.ts';
import { portsText, sameSet } from '../connectivity/port-text.ts';
import { refText, type SnapshotPolicy } from '../connectivity/snapshot.ts';

const mostPolicies = 4;

/** The called pod has no port with the name that was asked for, or to which a Service leads. */
export function namelessText({ to }: PairAnswer): readonly string[] {
  if (to.kind !== 'pod') return [];
  const own = to.ports.map(({ name, protocol, port }) => `${name} (${port}/${protocol})`);
  const has = own.length === 0 ? 'no port with a name' : own.slice(0, mostPolicies).join(', ');
  return [`  ${nameOfClass(to)} has no port of that name: it has ${has}`];
}

export function sideText(side: Side, { asked, to }: PairAnswer, isWide: boolean): readonly string[] {
  const { direction, pods, open, decisions, onOtherPorts } = side;
  const what = direction === 'egress' ? 'leaving' : 'entering';
  const verdict = open.length === 0 ? 'blocked' : sameSet(open, asked) ? 'open' : `open on ${portsText(open)}`;
  return [
    `  ${what} ${pods.namespace.name}: ${verdict}`,
    ...decisions.map((one) => `    ${decisionText(one, asked, isWide)}`),
    ...(isWide ? othersText(side) : []),
    ...onOtherPorts.slice(0, isWide ? undefined : mostPolicies).map((one) => `    ${otherPortsText(one, to)}`),
  ];
}

/** What decides nothing more, as others have decided it already. */
function othersText({ allowing, closedBy, decisions, open }: Side): readonly string[] {
  const decided = new Set(
    decisions.flatMap(({ step }) => (step === undefined ? [] : [keyOf(step.policy, pathText(step))])),
  );
  const also = allowing.filter(({ policy, path }) => !decided.has(keyOf(policy, path)));
  const isDenied = decisions.some(({ step, action }) => step !== undefined && action === 'deny');
  const before = isDenied ? 'the denial decides' : 'an earlier stage decides';
  const isSaid = decisions.some(({ stage, step }) => step === undefined && stage !== undefined);
  return [
    ...new Set(
      also.map(({ policy, path, ports }) => {
        const how = intersectionOf(ports, open).length > 0 ? 'allows it too' : `allows it, but ${before}`;
        return `    ${refText(policy.ref)} ${path} ${how}`;
      }),
    ),
    ...(isSaid || closedBy.length === 0 ? [] : [`    it is isolated by ${policiesText(closedBy, true)}`]),
  ];
}

function keyOf({ ref }: SnapshotPolicy, path: string): string {
  return `${refText(ref)} ${path}`;
}

function otherPortsText({ policy, path, ports, names }: Side['allowing'][number], to: PairAnswer['to']): string {
  const where = `${refText(policy.ref)} ${path} allows it on`;
  const called = to.kind === 'pod' ? nameOfClass(to) : 'the called end';
  const own = to.kind === 'pod' ? to.ports : [];
  const found = names.map((text) => {
    const meant = own.filter(({ name, protocol }) => `${name}/${protocol}` === text);
    return {
      text,
      ports: meant
        .map(({ protocol, port }) => portNumber(protocol, port))
        .map(single)
        .reduce(unionOf, noPorts),
    };
  });
  const numbers = differenceOf(ports, found.map((one) => one.ports).reduce(unionOf, noPorts));
  const lacking = found.filter((one) => one.ports.length === 0).map(({ text }) => text);
  if (names.length === 0) return `${where} ${portsText(ports)} alone`;
  if (numbers.length === 0 && lacking.length === names.length)
    return `${where} ${names.join(', ')} alone, and ${called} has no port of that name`;
  if (numbers.length === 0 && lacking.length === 0)
    return `${where} ${portsText(ports)} alone, as ${called} calls it ${names.join(', ')}`;
  const listed = [
    ...(numbers.length > 0 ? [portsText(numbers)] : []),
    ...found.map((one) => (one.ports.length === 0 ? one.text : `${one.text} (${portsText(one.ports)})`)),
  ];
  return `${where} ${listed.join(', ')} alone${lacking.length > 0 ? `, and ${called} has no port ${lacking.join(', ')}` : ''}`;
}

function single(port: number): PortSet {
  return [port, port];
}

function decisionText(
  { stage, step, action, ports }: Side['decisions'][number],
  asked: PortSet,
  isWide: boolean,
): string {
  const on = sameSet(ports, asked) ? '' : ` on ${portsText(ports)}`;
  if (step !== undefined) {
    const verbs = { allow: 'allows', deny: 'denies', pass: 'leaves to the next stage what comes' } as const;
    const where = `${refText(step.policy.ref)} ${pathText(step)}`;
    const only =
      step.rule.layer7 === undefined
        ? ''
        : `, for ${step.rule.layer7.slice(0, 3).join(', ')} alone, as a proxy decides`;
    const untyped = step.rule.isUntyped === true ? ', although policyTypes leaves that direction out' : '';
    return action === 'pass'
      ? `${where} leaves it to the next stage${on}`
      : `${where} ${verbs[action]} it${on}${only}${untyped}`;
  }
  if (stage === undefined) return `nothing denies it${on}`;
  return `no rule allows it${on}, and it is isolated by ${policiesText(stage.closedBy, isWide)}`;
}

function policiesText(policies: readonly SnapshotPolicy[], isWide: boolean): string {
  const [first = '', ...others] = new Set(policies.map(({ ref }) => refText(ref)));
  if (isWide) return [first, ...others].join(', ');
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
