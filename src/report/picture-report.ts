/** What `bulkhead audit` prints of who reaches whom. With `-o json` it is the field `connectivity` (docs/audit-report.md). */
import type { Picture } from '../picture/picture.ts';
import type { PictureCrossing } from '../picture/picture-crossings.ts';
import { type Requirement, requirements } from '../picture/requirements.ts';
import { table } from './table.ts';

const platform = '(platform)';
const namesShown = 5;

/** Whether something is open that nothing grants, or open by default. */
export function hasViolations({ crossings, outside, namespaces }: Picture): boolean {
  return (
    crossings.some(({ violation }) => violation !== '') ||
    outside.some(({ tenant, state }) => tenant !== platform && state === 'not granted') ||
    namespaces.some(({ tenant, open }) => tenant !== platform && open.ingress + open.egress > 0)
  );
}

/** @param isWide also what is as it should be */
export function pictureLines(picture: Picture, isWide: boolean): readonly string[] {
  const parts = [
    ...[crossingLines, isolationLines, outsideLines, gateLines, exemptionLines],
    ...[policyLines, unreadLines, layerLines, zeroTrustLines],
  ];
  return parts
    .map((part) => part(picture, isWide))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function crossingLines({ crossings, readings, unread }: Picture, isWide: boolean): readonly string[] {
  const isQuiet = ({ grants, violation, onlyIn }: PictureCrossing) =>
    !isWide && violation === '' && onlyIn === undefined && grants.every(({ kind }) => kind === 'shared service');
  const shown = crossings.filter((one) => !isQuiet(one));
  const rows = shown.flatMap((one) => [
    ...(one.violation === ''
      ? []
      : [[one.from, one.to, one.violation, 'VIOLATION', `${one.example.from} to ${one.example.to}${readIn(one)}`]]),
    ...one.grants
      .filter(({ kind }) => isWide || kind === 'gate')
      .map(({ kind, name, ports }) => [one.from, one.to, ports, `${kind} ${name}`.trimEnd(), readIn(one).trimStart()]),
  ]);
  const quiet = crossings.length - shown.length;
  const engines = readings.map((name) => (name === 'by the book' ? 'Kubernetes' : name)).join(' and ');
  const read = `The policies were read as ${engines} ${readings.length === 1 ? 'reads' : 'read'} them.`;
  const served = `${quiet} more between tenants and shared services of the platform: -o wide lists them.`;
  const none = `No tenant reaches another one${unread.length > 0 ? ', as far as the policies are understood' : ''}.`;
  if (rows.length === 0) return [none, ...(quiet > 0 ? [served] : []), read];
  const violations = crossings.filter(({ violation }) => violation !== '').length;
  return [
    ...table([['FROM', 'TO', 'PORTS', 'GRANTED BY', 'EXAMPLE'], ...rows]),
    '',
    violations === 0
      ? 'Gates and shared services grant every crossing.'
      : `${violations} crossings have ports that neither a gate nor a shared service grants. EXAMPLE: two pods that connect.`,
    ...(crossings.some((one) => one.toCome === true)
      ? ['(tenants to come): rules also open to tenants that are created later.']
      : []),
    ...(quiet > 0 ? [served] : []),
    read,
  ];
}

function unreadLines({ unread }: Picture): readonly string[] {
  return unread.map(unreadText);
}

export function unreadText({ policy, field, reason }: Picture['unread'][number]): string {
  return `Not understood: ${policy} ${field}: ${reason}`;
}

function readIn({ onlyIn, ports }: PictureCrossing): string {
  if (onlyIn === undefined) return '';
  return ` (${onlyIn.map((one) => (one.ports === ports ? one.reading : `${one.reading}: ${one.ports}`)).join('; ')} only)`;
}

function isolationLines({ namespaces }: Picture): readonly string[] {
  const open = namespaces.filter(({ tenant, open }) => tenant !== platform && open.ingress + open.egress > 0);
  const all = namespaces.filter(({ tenant }) => tenant !== platform).length;
  if (open.length === 0) return [`Policies isolate every pod of the ${all} namespaces of tenants, in both directions.`];
  const rows = open.map(({ name, tenant, pods, open: { ingress, egress }, workloads }) => [
    ...[name, tenant, String(pods), String(ingress), String(egress)],
    some(workloads.filter((one) => one.open.length > 0).map((one) => one.name)),
  ]);
  return [
    ...table([['NAMESPACE', 'TENANT', 'PODS', 'INGRESS', 'EGRESS', 'WORKLOADS'], ...rows]),
    '',
    'INGRESS, EGRESS: pods that no policy isolates in that direction.',
  ];
}

function outsideLines({ outside }: Picture, isWide: boolean): readonly string[] {
  const shown = outside.filter(({ tenant, state }) => isWide || (tenant !== platform && state !== 'granted'));
  if (shown.length === 0) return [];
  const rows = shown.map(({ tenant, direction, addresses, ports, state, namespaces, example }) => [
    ...[tenant, direction, addresses, ports, state, String(namespaces), example],
  ]);
  return [
    ...table([['TENANT', 'DIRECTION', 'OUTSIDE', 'PORTS', 'STATE', 'NAMESPACES', 'EXAMPLE'], ...rows]),
    '',
    'What is open to (egress) and from (ingress) addresses outside of the cluster, and whether the Tenant grants it.',
  ];
}

function gateLines({ gates }: Picture, isWide: boolean): readonly string[] {
  const shown = gates.filter(({ state }) => isWide || state !== 'used');
  if (shown.length === 0) return [];
  const rows = shown.map(({ from, to, ports, state, declaredBy }) => [from, to, ports, state, declaredBy]);
  return [
    ...table([['GATE FROM', 'TO', 'PORTS', 'STATE', 'DECLARED BY'], ...rows]),
    '',
    'half open: the other tenant does not open these ports. unused: both do, and policies of the two do not open them.',
  ];
}

function exemptionLines({ exemptions }: Picture): readonly string[] {
  if (exemptions.length === 0) return [];
  const rows = exemptions.map(({ name, namespace, tenant, checks, expires }) => [
    ...[name, namespace, tenant, some(checks), expires.slice(0, 16).replace('T', ' ')],
  ]);
  return [
    ...table([['EXEMPTION', 'NAMESPACE', 'TENANT', 'CHECKS', 'UNTIL'], ...rows]),
    '',
    'Exemptions that are in force. UNTIL is in UTC.',
  ];
}

function policyLines({ selectNothing, openNothing }: Picture): readonly string[] {
  return [
    ...(selectNothing.length > 0 ? [`${selectNothing.length} policies select no pods: ${some(selectNothing)}`] : []),
    ...(openNothing.length > 0
      ? [`${openNothing.length} policies open nothing, as their peers do not exist: ${some(openNothing)}`]
      : []),
  ];
}

const layersShown = 20;

function layerLines({ layers }: Picture, isWide: boolean): readonly string[] {
  if (layers.length === 0) return [];
  const shown = isWide ? layers : layers.slice(0, layersShown);
  return [
    `${layers.length} contradictions between network policies and policies of the mesh (docs/layers.md):`,
    ...shown.flatMap(({ check, object, path, other, reason, fix }) => [
      `  ${check}  ${object}  ${path}`,
      `    ${reason}`,
      `    other side: ${other}`,
      `    fix: ${fix}`,
    ]),
    ...(layers.length > shown.length ? [`  ${layers.length - shown.length} more: -o wide lists them.`] : []),
  ];
}

function zeroTrustLines({ tenants }: Picture, isWide: boolean): readonly string[] {
  const assessed = tenants.filter(({ zeroTrust }) => zeroTrust.length > 0);
  if (assessed.length === 0) return [];
  const head = ['TENANT', ...requirements.map(({ id }) => id.toUpperCase().replaceAll('-', ' '))];
  const rows = assessed.map(({ name, zeroTrust }) => [name, ...zeroTrust.map(({ state }) => state)]);
  return [
    ...table([head, ...rows]),
    '',
    `Zero trust: whether each requirement is met (docs/zero-trust.md).${isWide ? '' : ' -o wide shows the evidence.'}`,
    ...(isWide ? [...assessed.flatMap(evidenceLines), ...requirements.map(checksLine)] : []),
  ];
}

function evidenceLines({ name, zeroTrust }: Picture['tenants'][number]): readonly string[] {
  return zeroTrust.flatMap(({ requirement, state, evidence }) =>
    evidence.map((sentence) => `  ${name}, ${requirement}: ${state}. ${sentence}`),
  );
}

function checksLine({ id, checks }: Requirement): string {
  return `Checks of ${id}: ${checks.join(', ')}.`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, namesShown);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}
