/**
 * Where a policy says what the API refuses, or what readers of it take differently: there a refusal needs no crossing. Naive,
 * and shares no code with src/.
 */

import {
  type Direction,
  isLabelText,
  rulesOf,
  type WrittenPeer,
  type WrittenPort,
  type WrittenSelector,
  type WrittenSpec,
} from './evaluator.ts';
import { readBlock } from './evaluator-addresses.ts';

/** Paths of peers, lists of ports, lists of directions, and the podSelector. */
export function wrongPlaces(spec: WrittenSpec): readonly string[] {
  const wrong: string[] = [];
  const types = spec.policyTypes ?? [];
  if (types.some((type) => type !== 'Ingress' && type !== 'Egress')) wrong.push('spec.policyTypes');
  if (isWrongSelector(spec.podSelector ?? {})) wrong.push('spec.podSelector');
  for (const direction of ['ingress', 'egress'] as const) {
    for (const [index, rule] of rulesOf(spec, direction).entries()) {
      const path = `spec.${direction}[${index}]`;
      if (rule.ports?.some(isWrongPort)) wrong.push(`${path}.ports`);
      const field = direction === 'ingress' ? 'from' : 'to';
      for (const [at, peer] of (rule[field] ?? []).entries()) {
        if (isWrongPeer(peer)) wrong.push(`${path}.${field}[${at}]`);
      }
    }
  }
  return wrong;
}

/** Which peer of which rule a path leads to, or to something in it. */
export function ruleAt(
  path: string,
): { readonly direction: Direction; readonly rule: number; readonly peer: number | undefined } | undefined {
  const [, direction, rule, peer] = /^spec\.(ingress|egress)\[(\d+)\](?:\.(?:from|to)\[(\d+)\])?/.exec(path) ?? [];
  if (direction !== 'ingress' && direction !== 'egress') return undefined;
  return { direction, rule: Number(rule), peer: peer === undefined ? undefined : Number(peer) };
}

function isWrongPeer(peer: WrittenPeer): boolean {
  const written = new Map<string, unknown>(Object.entries(peer));
  const given = [...written.keys()].filter((field) => written.get(field) !== null && written.get(field) !== undefined);
  if (given.length === 0 || given.some((field) => !/^(podSelector|namespaceSelector|ipBlock)$/.test(field)))
    return true;
  if (given.includes('ipBlock') && given.length > 1) return true;
  return given.some((field) =>
    field === 'ipBlock' ? isWrongBlock(Object(written.get(field))) : isWrongSelector(Object(written.get(field))),
  );
}

function isWrongBlock({
  cidr,
  except,
}: {
  readonly cidr?: unknown;
  readonly except?: readonly unknown[] | null;
}): boolean {
  const whole = readBlock(cidr);
  if (whole === undefined) return true;
  return (except ?? []).some((text) => {
    const part = readBlock(text);
    if (part === undefined || part.family !== whole.family) return true;
    const inside = whole.first <= part.first && part.last <= whole.last;
    return !inside || part.last - part.first === whole.last - whole.first;
  });
}

function isWrongSelector({ matchLabels, matchExpressions }: WrittenSelector): boolean {
  if (Object.values(matchLabels ?? {}).some((value) => !isLabelText(value))) return true;
  return (matchExpressions ?? []).some(({ operator, values }) => {
    if (values?.some((value) => !isLabelText(value))) return true;
    const count = (values ?? []).length;
    if (operator === 'In' || operator === 'NotIn') return count === 0;
    return (operator !== 'Exists' && operator !== 'DoesNotExist') || count > 0;
  });
}

function isWrongPort({ protocol, port, endPort }: WrittenPort): boolean {
  if (!['TCP', 'UDP', 'SCTP'].includes(protocol ?? 'TCP')) return true;
  const isNumber = (value: unknown) => typeof value === 'number' && value >= 1 && value <= 65535;
  if (typeof port === 'string') return !/[a-z]/.test(port) || !/^[a-z0-9-]{1,15}$/.test(port) || endPort !== undefined;
  if (port === undefined || port === null) return endPort !== undefined;
  return !isNumber(port) || (endPort !== undefined && (!isNumber(endPort) || Number(endPort) < port));
}
