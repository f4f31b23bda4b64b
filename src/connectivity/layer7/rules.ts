/** The rules of one AuthorizationPolicy for one caller: on which ports they match whatever the request is, and on which some requests match. */
import { isMap, listOf, valueAt } from '../../kubernetes/json.ts';
import { differenceOf, intersectionOf, noPorts, type PortSet, setOf, unionOf } from '../port-set.ts';
import { isFilled } from '../tokens.ts';
import { allOf, anyOf, type Caller, conditionText, type Match, matchCondition, matchSource } from './callers.ts';
import { isAboutHttp, withoutHttp } from './http.ts';

export interface RuleMatch {
  /** `spec.rules[0]` */
  readonly path: string;
  /** Whatever the request is. */
  readonly sure: PortSet;
  /** Where the request meets the conditions, if there are any. Never empty, and holds `sure`. */
  readonly may: PortSet;
  readonly conditions: readonly string[];
  /** Some are about HTTP, and where the traffic is TCP there are none. */
  readonly isHttp: boolean;
}

/** A mesh of Istio is about these alone. */
export const everyTcpPort: PortSet = setOf([{ protocol: 'TCP', first: 1, last: 65535 }]);

/**
 * @param isTcp a proxy decides that reads no HTTP
 * @returns those that may match
 */
export function matchRules(spec: unknown, caller: Caller, namespace: string, isTcp: boolean): readonly RuleMatch[] {
  const action = valueAt(spec, 'action') ?? 'ALLOW';
  return listOf(valueAt(spec, 'rules')).flatMap((written, index): readonly RuleMatch[] => {
    if (written === null) return [];
    const isHttp = isAboutHttp(written);
    if (isTcp && isHttp && action === 'ALLOW') return [];
    const rule = isTcp && action === 'DENY' ? withoutHttp(written) : written;
    const from = listOf(valueAt(rule, 'from'));
    const sources = from.map((one) => matchSource(valueAt(one, 'source'), caller, namespace));
    const when = listOf(valueAt(rule, 'when'));
    const callers = allOf([
      ...(sources.length === 0 ? [] : [anyOf(sources)]),
      ...when.flatMap((one) => matchCondition(one, caller, namespace) ?? []),
    ]);
    if (callers.sure === 'no') return [];
    const operations = listOf(valueAt(rule, 'to')).map((one) => matchOperation(valueAt(one, 'operation')));
    const asked = portsOfConditions(when);
    const joined = (ports: readonly PortSet[]) =>
      intersectionOf(asked, operations.length === 0 ? everyTcpPort : ports.reduce(unionOf, noPorts));
    const may = joined(operations.map((one) => one.may));
    if (may.length === 0) return [];
    const sure = callers.sure === 'yes' ? joined(operations.map((one) => one.sure)) : noPorts;
    const conditions = [...new Set([...callers.conditions, ...operations.flatMap((one) => one.conditions)])];
    return [{ path: `spec.rules[${index}]`, sure, may, conditions, isHttp: isHttp && rule === written }];
  });
}

interface OperationMatch {
  readonly sure: PortSet;
  readonly may: PortSet;
  readonly conditions: Match['conditions'];
}

function matchOperation(operation: unknown): OperationMatch {
  if (!isMap(operation)) return { sure: everyTcpPort, may: everyTcpPort, conditions: [] };
  let may = everyTcpPort;
  if (isFilled(operation.ports)) may = portsOf(operation.ports);
  if (isFilled(operation.notPorts)) may = differenceOf(may, portsOf(operation.notPorts));
  const conditions = Object.entries(operation)
    .filter(([name, list]) => name !== 'ports' && name !== 'notPorts' && isFilled(list))
    .map(([name, list]) => conditionText(name, list));
  return { sure: conditions.length === 0 ? may : noPorts, may, conditions };
}

/** All of them must hold. */
function portsOfConditions(when: readonly unknown[]): PortSet {
  let ports = everyTcpPort;
  for (const one of when) {
    if (valueAt(one, 'key') !== 'destination.port') continue;
    const [values, notValues] = [valueAt(one, 'values'), valueAt(one, 'notValues')];
    if (isFilled(values)) ports = intersectionOf(ports, portsOf(values));
    if (isFilled(notValues)) ports = differenceOf(ports, portsOf(notValues));
  }
  return ports;
}

function portsOf(list: unknown): PortSet {
  const numbers = listOf(list).map(Number);
  return setOf(
    numbers
      .filter((port) => Number.isInteger(port) && port > 0 && port < 65536)
      .map((port) => ({ protocol: 'TCP', first: port, last: port })),
  );
}
