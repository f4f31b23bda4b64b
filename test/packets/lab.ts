/**
 * The packet lab: a real API server that Bulkhead guards, the members of cast.ts as processes in network namespaces, and kube-router,
 * which enforces the stored policies on their packets.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane, User } from '../apiserver/control-plane.ts';
import type { Built, Missing } from '../apiserver/go-program.ts';
import { guard } from '../e2e/guarded-cluster.ts';
import {
  type CastNamespace,
  type Member,
  members,
  namespaceLabels,
  namespaces,
  type Pod,
  pods,
  ports,
  type TenantName,
} from './cast.ts';
import { firewallTools } from './firewall-tools.ts';
import { type Connection, inWords } from './judge.ts';
import { canary, findKubeRouter, startKubeRouter } from './kube-router.ts';
import { createNetwork, type Party, shortenConnectionTracking } from './network.ts';
import { protocols } from './probe.ts';

/** A member of each tenant. */
const people = {
  acme: { user: 'alice', groups: ['acme-developers'] },
  beta: { user: 'bob', groups: ['beta-developers'] },
  gamma: { user: 'gina', groups: ['gamma-developers'] },
} as const satisfies Record<TenantName, User>;

export interface Policy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: unknown;
}

/** The answer to a policy that a member of a tenant wrote. */
export interface Written {
  readonly status: number;
  /** The refusal; empty when there is none. */
  readonly message: string;
  /** The policy as it is stored, when it is. */
  readonly stored: unknown;
}

/** By their words. */
export type Connections = ReadonlyMap<string, Connection>;

export interface Lab {
  /** A member of the tenant writes a policy. */
  write(tenant: TenantName, policy: Policy): Promise<Written>;
  /** The platform removes policies. */
  remove(policies: readonly Policy[]): Promise<void>;
  /**
   * The open connections among all members, once the firewall enforces the stored policies.
   *
   * @param isTried which connections are tried; default: all
   */
  connections(isTried?: (connection: Connection) => boolean): Promise<Connections>;
  /** The open connections before there was a firewall. */
  readonly withoutFirewall: Connections;
  /** All members so far. */
  members(): readonly Member[];
  /** A member of a tenant creates a namespace and pods in it. */
  open(namespace: CastNamespace, pods: readonly Pod[]): Promise<void>;
  /**
   * Adds a member that was not in the cast. A pod gets an open namespace of the platform's, so this needs the webhooks to be removed.
   */
  bringIn(member: Member): Promise<void>;
  /** From now on writes do not pass through Bulkhead. */
  removeWebhooks(): Promise<void>;
  stop(): Promise<void>;
}

const node = { name: 'node', address: '192.168.0.1' } as const;

/** Finds or builds the engine. Call it outside of a private network first, since it may download modules. */
export async function findLab(): Promise<Built | Missing> {
  const missing = await firewallTools();
  return missing ?? (await findKubeRouter());
}

/** Call it in a private network, which becomes the lab's own. */
export async function startLab(plane: ControlPlane, kubeRouter: Built): Promise<Lab> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(started.splice(0).map((one) => one.stop()));
  };
  try {
    return { ...(await startWithin(plane, kubeRouter, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param started takes everything that must be stopped later */
async function startWithin(
  plane: ControlPlane,
  kubeRouter: Built,
  started: { stop(): Promise<void> }[],
): Promise<Omit<Lab, 'stop'>> {
  const network = await createNetwork(node.address);
  started.push(network);
  const api = apiOf(plane);
  const parties = new Map<Member, Party>();
  const joinNetwork = async (joining: readonly Member[]): Promise<void> => {
    const joined = await network.join(joining, ports);
    for (const [index, member] of joining.entries()) {
      const party = joined[index];
      if (party !== undefined) parties.set(member, party);
    }
  };
  await api.create('/api/v1/nodes', {
    metadata: { name: node.name },
    status: { addresses: [{ type: 'InternalIP', address: node.address }] },
  });
  await Promise.all([joinNetwork(members), prepareCluster(api)]);

  started.push(await guard(plane));
  const kubeconfigs = new Map<string, string>();
  for (const user of Object.values(people)) kubeconfigs.set(user.user, await plane.kubeconfigFor(user));
  const kubelet = await plane.kubeconfigFor({ user: `system:node:${node.name}`, groups: ['system:nodes'] });
  const as = (tenant: TenantName): string => kubeconfigs.get(people[tenant].user) ?? '';

  const open = async (namespace: CastNamespace, inside: readonly Pod[]): Promise<void> => {
    const kubeconfig = namespace.tenant && as(namespace.tenant);
    await api.create(
      '/api/v1/namespaces',
      { metadata: { name: namespace.name, labels: namespace.labels } },
      kubeconfig,
    );
    await Promise.all(inside.map((pod) => createPod(api, pod, kubeconfig)));
    await baselineOf(plane, namespace.name);
  };
  await Promise.all(
    namespaces
      .filter(({ guarded }) => guarded)
      .map((one) =>
        open(
          one,
          pods.filter(({ namespace }) => namespace === one),
        ),
      ),
  );
  await Promise.all(pods.map((pod) => runPod(api, pod, kubelet)));

  const connections = async (isTried = (_: Connection) => true): Promise<Connections> => {
    const all = [...parties.keys()];
    const found = await Promise.all(
      [...parties].map(([from, party]) => connectionsOf(party, attemptsOf(from, all).filter(isTried))),
    );
    return new Map(found.flat().map((connection) => [inWords(connection), connection]));
  };
  const withoutFirewall = await connections();
  const router = await startKubeRouter(plane, kubeRouter, node.name);
  started.push(router);
  await router.settled();
  await shortenConnectionTracking();

  return {
    withoutFirewall,
    members: () => [...parties.keys()],
    write: async (tenant, policy) => {
      const path = policiesIn(policy.metadata.namespace);
      const { status, body } = await plane.request('POST', path, policy, { kubeconfig: as(tenant) });
      const { message = '' } = body as { readonly message?: string };
      return { status, message, stored: body };
    },
    remove: async (policies) => {
      await Promise.all(
        policies.map(({ metadata: { name, namespace } }) => api.remove(`${policiesIn(namespace)}/${name}`)),
      );
    },
    connections: async (isTried) => {
      await router.settled();
      return connections(isTried);
    },
    open: async (namespace, inside) => {
      await Promise.all([open(namespace, inside), joinNetwork(inside)]);
      await Promise.all(inside.map((pod) => runPod(api, pod, kubelet)));
    },
    bringIn: async (member) => {
      if (member.kind === 'pod') {
        await createOpenNamespace(api, member.namespace);
        await createPod(api, member);
        await runPod(api, member, kubelet);
      }
      await joinNetwork([member]);
    },
    removeWebhooks: () => removeWebhooks(plane),
  };
}

function policiesIn(namespace: string): string {
  return `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
}

const baseline = ['bulkhead-allow-dns', 'bulkhead-allow-ingress', 'bulkhead-allow-within', 'bulkhead-default-deny'];

/** Waits until Bulkhead has put its baseline into a namespace. */
async function baselineOf(plane: ControlPlane, namespace: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(25)) {
    const { body } = await plane.request('GET', policiesIn(namespace));
    const names = (body as { readonly items: readonly Policy[] }).items.map(({ metadata }) => metadata.name);
    if (baseline.every((name) => names.includes(name))) return;
  }
  throw new Error(`${namespace} does not get its baseline`);
}

interface Api {
  create(path: string, body: unknown, kubeconfig?: string): Promise<void>;
  merge(path: string, body: unknown, kubeconfig?: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Requests that must succeed. */
function apiOf(plane: ControlPlane): Api {
  const must = async (...parameters: Parameters<ControlPlane['request']>): Promise<void> => {
    const { status, body } = await plane.request(...parameters);
    if (status >= 300) throw new Error(`${parameters[0]} ${parameters[1]}: ${status} ${JSON.stringify(body)}`);
  };
  return {
    create: (path, body, kubeconfig) => must('POST', path, body, kubeconfig === undefined ? {} : { kubeconfig }),
    merge: (path, body, kubeconfig) =>
      must('PATCH', path, body, { contentType: 'application/merge-patch+json', ...(kubeconfig && { kubeconfig }) }),
    remove: (path) => must('DELETE', path),
  };
}

/** Creates the state before Bulkhead: the platform's pods, and open namespaces of tenants. */
async function prepareCluster(api: Api): Promise<void> {
  await Promise.all(
    namespaces
      .filter(({ guarded }) => !guarded)
      .map(async (namespace) => {
        await createOpenNamespace(api, namespace);
        await Promise.all(pods.filter((pod) => pod.namespace === namespace).map((pod) => createPod(api, pod)));
      }),
  );
  await api.create('/api/v1/namespaces', { metadata: { name: canary.namespace } });
  await createPod(api, canaryPod);
  await runPod(api, canaryPod);
}

/** Its policy allows all traffic, whatever baseline Bulkhead may add. */
async function createOpenNamespace(api: Api, namespace: CastNamespace): Promise<void> {
  const labels = Object.fromEntries(namespaceLabels(namespace));
  if (namespace.name !== 'kube-system') {
    await api.create('/api/v1/namespaces', { metadata: { name: namespace.name, labels } });
  }
  const spec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] };
  await api.create(policiesIn(namespace.name), { metadata: { name: 'allow-all' }, spec });
}

const canaryPod: Pod = {
  kind: 'pod',
  name: `${canary.namespace}/${canary.pod}`,
  namespace: { name: canary.namespace, guarded: false, labels: {} },
  address: canary.address,
  labels: {},
  namedPorts: {},
};

async function createPod(
  api: Api,
  { name: path, namespace, labels, namedPorts }: Pod,
  kubeconfig?: string,
): Promise<void> {
  const [, name = ''] = path.split('/');
  const containerPorts = Object.entries(namedPorts).map(([port, containerPort]) => ({ name: port, containerPort }));
  const container = {
    name: 'main',
    image: 'busybox',
    ports: containerPorts,
    // The quota of tenant acme counts requests.
    resources: { requests: { cpu: '10m', memory: '8Mi' } },
  };
  await api.create(
    `/api/v1/namespaces/${namespace.name}/pods`,
    { metadata: { name, labels }, spec: { containers: [container] } },
    kubeconfig,
  );
}

/** Does what a scheduler and a kubelet do. Default: as the administrator. */
async function runPod(api: Api, { name: path, namespace, address }: Pod, kubelet?: string): Promise<void> {
  const [, name = ''] = path.split('/');
  const pod = `/api/v1/namespaces/${namespace.name}/pods/${name}`;
  await api.create(`${pod}/binding`, { metadata: { name }, target: { kind: 'Node', name: node.name } });
  const status = { phase: 'Running', hostIP: node.address, podIP: address, podIPs: [{ ip: address }] };
  await api.merge(`${pod}/status`, { status }, kubelet);
}

/** Every connection that a member can try. */
export function attemptsOf(from: Member, all: readonly Member[]): Connection[] {
  if (from.kind === 'outside' && !from.calls) return [];
  return all
    .filter((to) => to !== from)
    .flatMap((to) => protocols.flatMap((protocol) => ports.map((port): Connection => ({ from, to, protocol, port }))));
}

async function connectionsOf(party: Party, tried: readonly Connection[]): Promise<Connection[]> {
  const answers = await party.probe(tried.map(({ to: { address }, protocol, port }) => ({ address, protocol, port })));
  return tried.filter((connection, index) => {
    const answer = answers[index];
    if (answer !== undefined && answer !== connection.to.name) {
      throw new Error(`${inWords(connection)}: ${answer} answered`);
    }
    return answer !== undefined;
  });
}

async function removeWebhooks(plane: ControlPlane): Promise<void> {
  const kinds = 'mutatingwebhookconfigurations,validatingwebhookconfigurations';
  const { code, stderr } = await plane.kubectl(plane.adminKubeconfig, ['delete', kinds, '--all']);
  if (code !== 0) throw new Error(stderr);
  // The API server notices a moment later: then a policy is no longer refused, and gets no tenant label.
  const metadata = { name: 'refused-still' };
  const probe = { metadata, spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] } };
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(25)) {
    const { status, body } = await plane.request('POST', `${policiesIn('acme-web')}?dryRun=All`, probe);
    if (status === 201 && !JSON.stringify(body).includes('bulkhead.dev/tenant')) return;
  }
  throw new Error('the API server still calls the removed webhooks');
}
