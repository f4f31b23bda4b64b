/** `toPorts[].rules` of cilium.io/v2: what requests must be, which Cilium's proxy decides (pkg/policy/api/l4.go, http.go, kafka, fqdn). */
import type { FieldPath } from '../../../kubernetes/field-path.ts';
import { isMap, type JsonMap, listOf } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import type { InForceRule, Part } from '../../in-force.ts';
import { Found } from '../found.ts';
import { limits } from './policy.ts';
import { readRulePorts } from './ports.ts';

/** Rules whose ports are for some requests alone say so; one of which some ports are for every request becomes two. */
export function withRequests(parts: readonly Part[], policy: Policy): readonly Part[] {
  if (!asksRequests(policy)) return parts;
  return parts.map((part) => ({ ...part, rules: part.rules.flatMap((rule) => split(rule, policy)) }));
}

/** Most policies say nothing of requests. */
function asksRequests({ spec, specs }: { spec?: unknown; specs?: unknown }): boolean {
  const all: readonly unknown[] = [spec, ...listOf(specs)];
  return all.some(
    (one) =>
      isMap(one) &&
      [one.ingress, one.egress].some((rules) =>
        listOf(rules).some((rule) => isMap(rule) && listOf(rule.toPorts).some((item) => requestsOf(item).length > 0)),
      ),
  );
}

function split(rule: InForceRule, policy: Policy): readonly InForceRule[] {
  const written = writtenRule(rule.path, policy);
  const items = written === undefined ? [] : listOf(written.toPorts);
  if (!items.some((item) => requestsOf(item).length > 0)) return [rule];
  const plain = items.filter((item) => requestsOf(item).length === 0);
  const portsOf = (toPorts: readonly unknown[]): InForceRule['ports'] => {
    const scope = { direction: rule.direction, kind: 'any' } as const;
    const read = readRulePorts({ toPorts }, { path: rule.path, scope, namespace: '', found: Found.within(limits) });
    return read === 'unlisted' ? [] : read;
  };
  return [
    { ...rule, ports: portsOf(plain) },
    ...items.flatMap((item): readonly InForceRule[] => {
      const layer7 = requestsOf(item);
      return layer7.length === 0 ? [] : [{ ...rule, ports: portsOf([item]), layer7 }];
    }),
  ].filter(({ ports }) => ports.length > 0);
}

/** `spec.egress[0].toEndpoints[1]` and `specs[0].egress[0]` are in the rule `egress[0]`. */
function writtenRule(path: FieldPath, policy: Policy): JsonMap | undefined {
  const steps: (string | number)[] = [];
  for (let at: FieldPath | undefined = path; at !== undefined; at = at.parent) steps.unshift(at.step);
  let value: unknown = policy;
  for (const step of steps.slice(0, steps[0] === 'specs' ? 4 : 3)) value = valueAt(value, step);
  return isMap(value) ? value : undefined;
}

function valueAt(value: unknown, step: string | number): unknown {
  if (typeof step === 'number') return listOf(value)[step];
  return isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

/** `GET /orders`, `kafka produce orders`, `dns *.example.org`. Empty: every request. */
function requestsOf(item: unknown): readonly string[] {
  const rules: unknown = isMap(item) ? item.rules : undefined;
  if (!isMap(rules)) return [];
  const http = listOf(rules.http).map(httpText);
  const kafka = listOf(rules.kafka).map((one) =>
    ['kafka', ...texts(one, ['role', 'apiKey', 'topic', 'clientID'])].join(' '),
  );
  const dns = listOf(rules.dns).map((one) => ['dns', ...texts(one, ['matchName', 'matchPattern'])].join(' '));
  const proto = typeof rules.l7proto === 'string' ? [`${rules.l7proto} requests`] : [];
  const all = [...http, ...kafka, ...dns, ...proto];
  // One that takes every request narrows nothing.
  return all.includes('*') || all.includes('dns *') || all.includes('kafka') ? [] : all;
}

function httpText(rule: unknown): string {
  const [method = '*'] = texts(rule, ['method']);
  const rest = texts(rule, ['path', 'host']);
  const headers = isMap(rule) && (listOf(rule.headers).length > 0 || listOf(rule.headerMatches).length > 0);
  return [method, ...rest, ...(headers ? ['with headers'] : [])].join(' ');
}

function texts(map: unknown, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const value = valueAt(map, name);
    return typeof value === 'string' && value !== '' ? [value] : [];
  });
}
