/**
 * Observed flows, one a line, as tools write them:
 *
 *   Hubble   `hubble observe -o json` and `-o jsonpb` (cilium/cilium, api/v1/flow/flow.proto)
 *   Calico   flow logs in JSON, of files and of Elasticsearch (docs.tigera.io, flow log data types)
 *   CSV      with a header; {@link columns}
 *
 * A line is untrusted data: a line with an invalid field is left out, and never an error.
 */
import { isMap, valueAt } from '../kubernetes/json.ts';
import type { PortRange } from '../kubernetes/port-range.ts';

export interface FlowEnd {
  /** Empty: not in a namespace. */
  readonly namespace: string;
  /** Of the pod, or of what made it; may end in `*`. */
  readonly name: string;
  /** What made the pod, where the flow says so. */
  readonly workloads: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
  /** Empty: not known. */
  readonly address: string;
  readonly isNode: boolean;
}

export interface Flow {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  readonly protocol: PortRange['protocol'];
  readonly port: number;
  readonly wasAllowed: boolean;
}

/** `broken`: it is no flow. `other`: it is one that says nothing of a new connection, or is neither TCP, UDP nor SCTP. */
export type ReadFlow =
  | { readonly kind: 'flow'; readonly flow: Flow }
  | { readonly kind: 'other' }
  | { readonly kind: 'broken'; readonly reason: string };

export type FlowReader = (line: string) => ReadFlow;

const other: ReadFlow = { kind: 'other' };
const broken = (reason: string): ReadFlow => ({ kind: 'broken', reason });

/** @param line the first that is not empty; of CSV it is the header, and no flow */
export function readerOf(line: string): { readonly reader: FlowReader; readonly isHeader: boolean } | undefined {
  if (line.startsWith('{')) return { reader: readJson, isHeader: false };
  const reader = csvReader(line);
  return reader && { reader, isHeader: true };
}

function readJson(line: string): ReadFlow {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return broken('is not JSON');
  }
  if (!isMap(value)) return broken('is not an object');
  // Of Elasticsearch, what is stored.
  const record = isMap(value._source) ? value._source : value;
  if (isMap(record.flow)) return readHubble(record.flow);
  if ('verdict' in record) return readHubble(record);
  if ('action' in record && 'reporter' in record) return readCalico(record);
  if (betweenFlows.some((key) => key in record)) return other;
  return broken('is neither a flow of Hubble nor one of Calico');
}

const betweenFlows = ['node_status', 'lost_events', 'agent_event', 'debug_event'];
const hubbleAllowed: ReadonlySet<unknown> = new Set(['FORWARDED', 'REDIRECTED', 'AUDIT']);

function readHubble(flow: Readonly<Record<string, unknown>>): ReadFlow {
  // A reply belongs to a connection that was judged before.
  if (flow.is_reply === true || flow.reply === true) return other;
  const wasAllowed = hubbleAllowed.has(flow.verdict);
  if (!wasAllowed && flow.verdict !== 'DROPPED') return other;
  const [protocol, l4] =
    protocols.map((one) => [one, valueAt(flow, 'l4', one)] as const).find(([, value]) => isMap(value)) ?? [];
  if (protocol === undefined) return other;
  const end = (key: 'source' | 'destination'): FlowEnd => {
    const endpoint = flow[key];
    const labels = listOf(valueAt(endpoint, 'labels'));
    const names = listOf(valueAt(endpoint, 'workloads')).map((one) => textOf(valueAt(one, 'name')));
    return {
      namespace: textOf(valueAt(endpoint, 'namespace')),
      name: textOf(valueAt(endpoint, 'pod_name')),
      workloads: names.filter((one) => one !== ''),
      labels: labelsOf(labels.filter((one) => typeof one === 'string' && !one.startsWith('reserved:'))),
      address: textOf(valueAt(flow, 'IP', key)),
      isNode: labels.some((one) => one === 'reserved:host' || one === 'reserved:remote-node'),
    };
  };
  return flowOf(end('source'), end('destination'), protocol, valueAt(l4, 'destination_port'), wasAllowed);
}

function readCalico(record: Readonly<Record<string, unknown>>): ReadFlow {
  const { action, proto = record.protocol } = record;
  const wasAllowed = textOf(action).toLowerCase() === 'allow';
  if (!wasAllowed && textOf(action).toLowerCase() !== 'deny') return other;
  const protocol = protocolOf(proto);
  if (protocol === undefined) return other;
  const end = (side: 'source' | 'dest'): FlowEnd => {
    const namespace = dashed(record[`${side}_namespace`]);
    const labels = record[`${side}_labels`];
    const name = dashed(record[`${side}_name`]) || dashed(record[`${side}_name_aggr`]);
    return {
      ...{ namespace, name: namespace === '' ? '' : name, workloads: [] },
      labels: labelsOf(typeof labels === 'string' ? labels.split(' | ') : listOf(valueAt(labels, 'labels') ?? labels)),
      address: dashed(record[`${side}_ip`]),
      isNode: record[`${side}_type`] === 'hep',
    };
  };
  return flowOf(end('source'), end('dest'), protocol, record.dest_port, wasAllowed);
}

/** Of CSV; those of Calico are known too. */
export const columns = [
  ...['source_namespace', 'source', 'source_ip', 'destination_namespace', 'destination', 'destination_ip'],
  ...['port', 'protocol', 'verdict'],
] as const;
type Column = (typeof columns)[number];
const otherNames: ReadonlyMap<string, Column> = new Map(
  Object.entries({
    ...{ source_name: 'source', source_pod: 'source', dest_namespace: 'destination_namespace' },
    ...{ dest_name: 'destination', destination_name: 'destination', destination_pod: 'destination' },
    ...{ dest_ip: 'destination_ip', dest_port: 'port', destination_port: 'port' },
    ...{ proto: 'protocol', action: 'verdict' },
  } as const satisfies Readonly<Record<string, Column>>),
);
const allowedWords: ReadonlySet<string> = new Set([
  '',
  'allow',
  'allowed',
  'forwarded',
  'accept',
  'redirected',
  'audit',
]);

function csvReader(header: string): FlowReader | undefined {
  const cells = cellsOf(header)?.map((one) => one.trim().toLowerCase()) ?? [];
  const places = new Map<Column, number>();
  for (const [at, cell] of cells.entries()) {
    const column = columns.find((one) => one === cell) ?? otherNames.get(cell);
    if (column !== undefined && !places.has(column)) places.set(column, at);
  }
  const knows = (...names: readonly Column[]) => names.some((name) => places.has(name));
  if (!(places.has('port') && knows('source', 'source_ip') && knows('destination', 'destination_ip'))) return undefined;
  return (line) => {
    const own = cellsOf(line);
    if (own === undefined) return broken('has a quote that does not end');
    if (own.length !== cells.length) return broken(`has ${own.length} cells, and the header has ${cells.length}`);
    const cell = (name: Column): string => own[places.get(name) ?? -1]?.trim() ?? '';
    const protocol = protocolOf(cell('protocol') || 'TCP');
    if (protocol === undefined) return other;
    const end = (side: 'source' | 'destination'): FlowEnd => {
      const named = dashed(cell(side));
      const slash = named.indexOf('/');
      // As explain takes it; a name has no slash.
      const namespace = dashed(cell(`${side}_namespace`)) || named.slice(0, Math.max(0, slash));
      return {
        ...{ namespace, name: named.slice(slash + 1), workloads: [] },
        ...{ labels: new Map(), address: dashed(cell(`${side}_ip`)), isNode: false },
      };
    };
    const wasAllowed = allowedWords.has(cell('verdict').toLowerCase());
    const port = cell('port');
    return flowOf(
      end('source'),
      end('destination'),
      protocol,
      /^\d{1,5}$/.test(port) ? Number(port) : port,
      wasAllowed,
    );
  };
}

/** Undefined: a quote does not end on the line. */
function cellsOf(line: string): readonly string[] | undefined {
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < line.length; at++) {
    const one = line[at];
    if (one === '"' && isQuoted && line[at + 1] === '"') {
      cell += '"';
      at++;
    } else if (one === '"') isQuoted = !isQuoted;
    else if (one === ',' && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += one;
  }
  return isQuoted ? undefined : [...cells, cell];
}

function flowOf(
  from: FlowEnd,
  to: FlowEnd,
  protocol: PortRange['protocol'],
  port: unknown,
  wasAllowed: boolean,
): ReadFlow {
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
    return broken('has no port of the destination from 1 to 65535');
  return { kind: 'flow', flow: { from, to, protocol, port, wasAllowed } };
}

const protocols = ['TCP', 'UDP', 'SCTP'] as const;
const numbers: ReadonlyMap<string, PortRange['protocol']> = new Map([
  ...([
    ['6', 'TCP'],
    ['17', 'UDP'],
    ['132', 'SCTP'],
  ] as const),
]);

function protocolOf(written: unknown): PortRange['protocol'] | undefined {
  const text = String(written).toUpperCase();
  return protocols.find((one) => one === text) ?? numbers.get(text);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Calico writes `-` where there is nothing. */
function dashed(value: unknown): string {
  return value === '-' ? '' : textOf(value);
}

/** `k8s:app=web` of Cilium, `app=web` of Calico. Those that Cilium makes of the namespace are left out. */
function labelsOf(written: readonly unknown[]): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const one of written) {
    const text = textOf(one).replace(/^[a-z0-9]+:/, '');
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    if (key !== '' && !key.startsWith('io.cilium.') && !key.startsWith('io.kubernetes.'))
      labels.set(key, at < 0 ? '' : text.slice(at + 1));
  }
  return labels;
}
