/**
 * Where network policies (layer 4) and policies of a mesh (layer 7) contradict each other. Both are written by different people, and what
 * one side opens is of use only where the other does too. Hints: nothing here opens a border.
 */
import { isManagedName } from '../../baseline/managed.ts';
import { formatPath } from '../../kubernetes/field-path.ts';
import type { Port, PortRange } from '../../kubernetes/port-range.ts';
import { isLiteral } from '../../reach/identity/glob.ts';
import { listed } from '../../reach/listed.ts';
import type { AllowRule } from '../../reach/model.ts';
import type { Settings } from '../../tenancy/settings.ts';
import { type Group, groupOf } from '../matrix.ts';
import type { PodClass } from '../parties.ts';
import { hasPort, intersectionOf, noPorts, type PortSet, portNumber, resolved, unionOf } from '../port-set.ts';
import { portSummary } from '../port-summary.ts';
import { refText, type Snapshot, type SnapshotService } from '../snapshot.ts';
import type { Step, World } from '../world.ts';
import { type Authorization, isAbout, type Mesh, membershipOf, readMesh, tlsFor } from './mesh.ts';

export type LayerCheck =
  | 'l7-dead'
  | 'l4-unguarded'
  | 'port-mismatch'
  | 'outside-the-mesh'
  | 'calico-http'
  | 'permissive-hole';

/** A contradiction, told where it can be mended; docs/layers.md explains each. */
export interface LayerFinding {
  readonly check: LayerCheck;
  readonly tenant: Group;
  /** `KIND NAMESPACE/NAME`, and a field of it. */
  readonly object: string;
  readonly path: string;
  /** What it contradicts: an object, and maybe a field of it. */
  readonly other: string;
  readonly reason: string;
  readonly fix: string;
}

/** Where ztunnel takes what comes through the mesh (HBONE). */
const tunnel = portNumber('TCP', 15008);
/** Of one policy. */
const mostRules = 100;
/** Of one namespace: pods that a rule is asked about. */
const mostCallers = 50;

/** In the order of the pods. One of each kind for each field. */
export function layersOf(
  { mesh: policies = [], services }: Snapshot,
  worlds: readonly World[],
  settings: Settings,
): readonly LayerFinding[] {
  const mesh = readMesh(policies);
  const root = settings.istio?.rootNamespace ?? 'istio-system';
  const [world] = worlds;
  if (world === undefined || mesh.authorizations.length === 0) return [];
  const found = new Map<string, LayerFinding>();
  const byNamespace = Map.groupBy(mesh.authorizations, ({ ref }) => ref.namespace);
  const servicesOf = Map.groupBy(services, ({ namespace }) => namespace);
  for (const pods of world.parties.classes) {
    const { name } = pods.namespace;
    const around = byNamespace.get(name) ?? [];
    if (around.length === 0) continue;
    const own = around.filter((one) => isAbout(one.pods, pods.labels));
    const everywhere = name === root ? [] : (byNamespace.get(root) ?? []);
    const inherited = everywhere.filter((one) => isAbout(one.pods, pods.labels));
    const asked: Asked = {
      ...{ pods, own, inherited, around, worlds, mesh, root },
      services: (servicesOf.get(name) ?? []).filter(({ selector }) => selector && selects(selector, pods)),
      tell: (check, object, path, other, reason, fix) => {
        const key = `${check} ${object} ${path}`;
        // A wrong port is why nothing opens it.
        const isExplained = check === 'l7-dead' && found.has(`port-mismatch ${object} ${path}`);
        if (!isExplained && !found.has(key))
          found.set(key, { check, tenant: groupOf(pods), object, path, other, reason, fix });
      },
    };
    if (membershipOf(pods) === 'outside') outside(asked);
    else for (const look of [wrongPorts, dead, unguarded, contradictingRequests, permissive]) look(asked);
  }
  return [...found.values()];
}

interface Asked {
  readonly pods: PodClass;
  /** About these pods, of their namespace and of the root namespace. */
  readonly own: readonly Authorization[];
  readonly inherited: readonly Authorization[];
  /** All of the namespace. */
  readonly around: readonly Authorization[];
  readonly worlds: readonly World[];
  readonly mesh: Mesh;
  readonly root: string;
  /** That lead to these pods. */
  readonly services: readonly SnapshotService[];
  readonly tell: (check: LayerCheck, object: string, path: string, other: string, reason: string, fix: string) => void;
}

function selects(selector: Readonly<Record<string, string>>, { labels }: PodClass): boolean {
  return Object.entries(selector).every(([key, value]) => labels.get(key) === value);
}

function whoIs({ workloads: [first], namespace }: PodClass): string {
  return first === undefined ? namespace.name : `${first.kind} ${first.name}`;
}

const isAllow = ({ action }: Authorization): boolean => action === 'ALLOW';

/** A pod that left the mesh has no proxy that would read the policy. */
function outside({ pods, own, tell }: Asked): void {
  for (const { ref } of own)
    tell(
      'outside-the-mesh',
      refText(ref),
      'spec.selector',
      whoIs(pods),
      `selects ${whoIs(pods)}, which has left the mesh, so only network policies decide about it`,
      'narrow the selector to pods of the mesh, or take the pods into the mesh again',
    );
}

/** Callers or ports that the mesh lets in, and no network policy does. */
function dead({ pods, own, worlds, tell }: Asked): void {
  for (const { ref, opens } of own.filter(isAllow))
    for (const rule of opens.slice(0, mostRules)) {
      const callers = callersOf(rule, worlds);
      if (callers === undefined) continue;
      const wanted = resolved(rule.ports, pods.ports);
      const open = openFrom(callers, pods, wanted, worlds);
      if (intersectionOf(open, wanted).length > 0) {
        const throughTunnel =
          membershipOf(pods) === 'ambient' && callers.some((one) => membershipOf(one) === 'ambient');
        if (!throughTunnel || hasPort(open, tunnel)) continue;
        tell(
          'port-mismatch',
          refText(ref),
          formatPath(rule.path),
          closing(pods, worlds),
          `lets ${names(callers)} in through the mesh, which comes to ${whoIs(pods)} on port 15008 (HBONE), and network policies do not open it`,
          `add port 15008/TCP to the ingress rule of the network policy that opens ${portSummary(intersectionOf(open, wanted))}`,
        );
      } else if (!(membershipOf(pods) === 'ambient' && hasPort(open, tunnel)))
        tell(
          'l7-dead',
          refText(ref),
          formatPath(rule.path),
          closing(pods, worlds),
          `lets ${names(callers)} call ${whoIs(pods)} on ${portSummary(wanted)}, and no network policy opens that`,
          'add a rule for these callers and ports to a network policy, on both sides, or remove this one',
        );
    }
}

/** The pods of the namespaces that it names. Undefined: it names others besides, or namespaces without pods. */
function callersOf({ peer }: AllowRule, [world]: readonly World[]): readonly PodClass[] | undefined {
  if (peer.kind !== 'identity' || world === undefined) return undefined;
  for (const patterns of peer.all) {
    const namespaces = patterns.flatMap(({ products }) => products.map(({ namespace }) => namespace));
    if (!namespaces.every(isLiteral)) continue;
    const pods = namespaces.flatMap((name) => world.parties.byName.get(name)?.classes ?? []);
    return pods.length === 0 ? undefined : pods.slice(0, mostCallers);
  }
  return undefined;
}

/** In any reading; no more than it takes to know. */
function openFrom(callers: readonly PodClass[], pods: PodClass, wanted: PortSet, worlds: readonly World[]): PortSet {
  let open = noPorts;
  for (const world of worlds)
    for (const caller of callers) {
      open = unionOf(open, world.connection(caller, pods));
      if (intersectionOf(open, wanted).length > 0 && hasPort(open, tunnel)) return open;
    }
  return open;
}

function names(callers: readonly PodClass[]): string {
  return listed([...new Set(callers.map(({ namespace }) => `namespace ${namespace.name}`))], 3);
}

/** The policy that isolates the pods. */
function closing(pods: PodClass, worlds: readonly World[]): string {
  for (const world of worlds)
    for (const { closedBy } of world.plan(pods, 'ingress'))
      for (const { ref } of closedBy) return `${refText(ref)} isolates them for ingress`;
  return 'the callers are isolated for egress';
}

/** Ports that network policies open to pods that no ALLOW policy guards, in a namespace that has some. */
function unguarded({ pods, own, inherited, around, worlds, tell }: Asked): void {
  if (!around.some(isAllow) || [...own, ...inherited].some(isAllow)) return;
  for (const { policy, rule } of opening(pods, worlds))
    tell(
      'l4-unguarded',
      refText(policy.ref),
      formatPath(rule.path),
      `${whoIs(pods)} is selected by none of ${listed(
        around.filter(isAllow).map(({ ref }) => refText(ref)),
        3,
      )}`,
      `opens ports of ${whoIs(pods)}, which no AuthorizationPolicy with action ALLOW selects, so the mesh lets every request through`,
      'add an AuthorizationPolicy that selects these pods',
    );
}

/** Rules that allow, of policies that people write. */
function opening(pods: PodClass, worlds: readonly World[]): readonly Step[] {
  return worlds.flatMap((world) =>
    world
      .plan(pods, 'ingress')
      .flatMap(({ steps }) =>
        steps.filter(({ policy, rule }) => rule.action === 'allow' && !isManagedName(policy.ref.name)),
      ),
  );
}

/** A port of a Service in place of the port on which its pods listen. */
function wrongPorts({ pods, own, services, worlds, tell }: Asked): void {
  const look = (object: string, path: string, ports: readonly Port[]): void => {
    for (const port of ports) {
      if ('name' in port || port.first !== port.last) continue;
      const service = services.find((one) => misnames(one, port, pods, services));
      if (service === undefined) continue;
      const targets = service.ports
        .filter((one) => one.port === port.first)
        .map(({ targetPort }) => String(targetPort));
      tell(
        'port-mismatch',
        object,
        path,
        `Service ${service.namespace}/${service.name}`,
        `is about port ${port.first}, which is the port of Service ${service.name}; policies see the port of the pods, which is ${listed(targets)}`,
        `write port ${listed(targets)} in place of ${port.first}`,
      );
    }
  };
  for (const { ref, opens } of own)
    for (const rule of opens.slice(0, mostRules)) look(refText(ref), formatPath(rule.path), rule.ports);
  for (const { policy, rule } of opening(pods, worlds))
    if (policy.ref.namespace === pods.namespace.name) look(refText(policy.ref), formatPath(rule.path), rule.ports);
}

function misnames(service: SnapshotService, port: PortRange, pods: PodClass, all: readonly SnapshotService[]): boolean {
  const isTarget = ({ ports }: SnapshotService): boolean =>
    ports.some((one) => targetsOf(one.targetPort, pods).includes(port.first));
  const isNamed = service.ports.some((one) => one.port === port.first && one.protocol === port.protocol);
  return isNamed && !all.some(isTarget) && !pods.ports.some((one) => one.port === port.first);
}

function targetsOf(target: number | string, { ports }: PodClass): readonly number[] {
  return typeof target === 'number' ? [target] : ports.filter(({ name }) => name === target).map(({ port }) => port);
}

/** Methods that Calico lets through and Istio does not, and the other way round, so that nothing passes both. */
function contradictingRequests({ pods, own, worlds, tell }: Asked): void {
  const allowing = own.filter(isAllow);
  const methods = allowing.map((one) => one.methods);
  if (allowing.length === 0 || methods.includes(undefined)) return;
  const taken = new Set(methods.flatMap((one) => [...(one ?? [])]));
  for (const { policy, rule } of opening(pods, worlds)) {
    if (policy.inForce.stage.kind !== 'calico' || rule.layer7 === undefined) continue;
    const given = rule.layer7.map((one) => one.split(' ')[0] ?? '');
    if (given.includes('') || given.includes('*') || given.some((method) => taken.has(method.toUpperCase()))) continue;
    tell(
      'calico-http',
      refText(policy.ref),
      formatPath(rule.path),
      listed(
        allowing.map(({ ref }) => refText(ref)),
        3,
      ),
      `lets ${listed([...new Set(given)])} through to ${whoIs(pods)}, and Istio ${listed([...taken])}, so no request passes both`,
      'write the same methods in both policies, or leave http to one of them',
    );
  }
}

/** Rules by identity where callers need none. */
function permissive({ pods, own, mesh, root, tell }: Asked): void {
  const tls = tlsFor(pods, mesh, root);
  if (tls === undefined || tls.mode === 'STRICT') return;
  for (const { ref, action, passesUnknown } of own) {
    if (passesUnknown === undefined) continue;
    tell(
      'permissive-hole',
      refText(ref),
      passesUnknown,
      `${refText(tls.ref)} spec.mtls.mode is ${tls.mode}`,
      `${action === 'DENY' ? 'denies' : 'leaves out'} callers by their identity, and a caller without mutual TLS has none, so it gets through to ${whoIs(pods)}`,
      'write mode: STRICT in the PeerAuthentication, or an ALLOW rule that names who may call',
    );
  }
}
