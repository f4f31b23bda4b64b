/**
 * What a kubelet would do for the pods of a Deployment, as far as a process needs it: binds them, fills their ConfigMap and
 * Secret volumes, starts the container's command as a process on the pod's address, probes it, and reports the pod's status.
 * From that the controllers make the EndpointSlices by which the API server finds the process.
 */
import { mkdir, readdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';
import { compileCache } from '../compile-cache.ts';

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
}

export interface Pod {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName: string;
    readonly volumes: readonly Volume[];
    readonly containers: readonly [
      {
        readonly name: string;
        readonly image: string;
        readonly args: readonly string[];
        readonly env: readonly { readonly name: string; readonly valueFrom?: { readonly fieldRef: unknown } }[];
        readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
        readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
        readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
      },
    ];
  };
}

/** A pod whose process runs and is ready. */
export interface RunningPod {
  readonly name: string;
  readonly address: string;
  portOf(name: string): number;
  /** Whether its readiness probe succeeds now. */
  ready(): Promise<boolean>;
  /** Brings its volumes up to date. */
  refresh(): Promise<void>;
  /** SIGTERM, as the kubelet sends it: the process goes on for as long as it drains. */
  terminate(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const node = 'stand-in';
const deadlineInMilliseconds = 20_000;

/**
 * Waits for as many pods as there are addresses and runs them.
 *
 * @param selector of the pods, as a label selector in text
 * @param addresses one for each pod
 * @param command what the image's ENTRYPOINT is; the arguments of the container follow
 */
export async function runPods(
  plane: ControlPlane,
  { namespace, selector }: { readonly namespace: string; readonly selector: string },
  addresses: readonly string[],
  command: readonly [string, ...string[]],
): Promise<RunningPod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const list = async () =>
    ((await plane.request('GET', `${path}?labelSelector=${selector}`)).body as { readonly items: readonly Pod[] })
      .items;
  await until(async () => (await list()).length === addresses.length, `${addresses.length} pods in ${namespace}`);
  await makeNode(plane);
  const pods = await list();
  return Promise.all(addresses.map((address, index) => run(plane, `${path}/`, pods[index], address, command)));
}

/** The node that the pods are bound to. */
export async function makeNode(plane: ControlPlane): Promise<void> {
  const room = { cpu: '8', memory: '16Gi', pods: '110' };
  await request(plane, 'POST', '/api/v1/nodes', {
    metadata: { name: node },
    status: {
      ...{ capacity: room, allocatable: room },
      conditions: [{ type: 'Ready', status: 'True', reason: 'StandIn', message: 'its pods run as processes' }],
    },
  });
}

/**
 * Follows the rollout of a Deployment: runs each new pod that its controller makes, and ends one of the old pods when that is deleted.
 *
 * @param addresses one for each new pod
 * @param end what becomes of an old pod
 */
export async function replacePods(
  plane: ControlPlane,
  { namespace, selector }: { readonly namespace: string; readonly selector: string },
  old: readonly RunningPod[],
  addresses: readonly string[],
  command: readonly [string, ...string[]],
  end: (pod: RunningPod) => void | Promise<void> = (pod) => pod.kill(),
): Promise<RunningPod[]> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const left = new Map(old.map((pod) => [pod.name, pod]));
  const started: RunningPod[] = [];
  const list = async (): Promise<readonly Pod[]> =>
    ((await plane.request('GET', `${path}?labelSelector=${selector}`)).body as { readonly items: readonly Pod[] })
      .items;
  for (const address of addresses) {
    const isNew = ({ metadata, spec }: Pod): boolean =>
      spec.nodeName === undefined && metadata.deletionTimestamp === undefined;
    await until(async () => (await list()).some(isNew), 'a new pod');
    started.push(await run(plane, `${path}/`, (await list()).find(isNew), address, command));
    const leaves = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined && left.has(metadata.name);
    await until(async () => (await list()).some(leaves), 'an old pod to be deleted');
    for (const { metadata } of (await list()).filter(leaves)) {
      const old = left.get(metadata.name);
      if (old) await end(old);
      left.delete(metadata.name);
      await plane.request('DELETE', `${path}/${metadata.name}?gracePeriodSeconds=0`);
    }
  }
  for (const pod of left.values()) await end(pod);
  return started;
}

/** @param path of the pods of its namespace, with a slash at its end */
export async function run(
  plane: ControlPlane,
  path: string,
  pod: Pod | undefined,
  address: string,
  [program, ...entrypoint]: readonly [string, ...string[]],
): Promise<RunningPod> {
  if (pod === undefined) throw new Error('a pod has gone');
  const { name, namespace } = pod.metadata;
  const [container] = pod.spec.containers;
  await request(plane, 'POST', `${path}${name}/binding`, { metadata: { name }, target: { kind: 'Node', name: node } });

  const root = join(plane.directory, name);
  const refresh = async (): Promise<void> => {
    for (const { name: volumeName, mountPath } of container.volumeMounts) {
      const volume = pod.spec.volumes.find((one) => one.name === volumeName);
      // The mount of the service account's token stands for who asks, which is told by a kubeconfig here.
      if (volume?.configMap || volume?.secret)
        await fill(join(root, mountPath), await contentOf(plane, namespace, volume));
    }
  };
  await refresh();
  const account = `system:serviceaccount:${namespace}:${pod.spec.serviceAccountName}`;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const kubeconfig = await plane.kubeconfigFor({ user: account, groups });
  const rooted = container.args.map((argument) =>
    argument.replace('$(POD_IP)', address).replace(/=\/(?=etc\/)/, `=${root}/`),
  );
  const child = spawnGuarded(program, [...entrypoint, ...rooted, `--kubeconfig=${kubeconfig}`], {
    env: { PATH: process.env.PATH, HOME: root, ...compileCache },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));

  const portOf = (wanted: string): number => {
    const port = container.ports.find((one) => one.name === wanted)?.containerPort;
    if (port === undefined) throw new Error(`${name} has no port ${wanted}`);
    return port;
  };
  const probe = container.readinessProbe.httpGet;
  const ready = async (): Promise<boolean> => {
    const answer = await fetch(`http://${address}:${portOf(probe.port)}${probe.path}`).catch(() => undefined);
    return answer?.ok === true;
  };
  await until(ready, () => `${name} to become ready:\n${log}`);
  const status = {
    phase: 'Running',
    podIP: address,
    podIPs: [{ ip: address }],
    conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True' })),
    containerStatuses: [
      {
        ...{ name: container.name, image: container.image, imageID: '', restartCount: 0, ready: true, started: true },
        state: { running: { startedAt: new Date().toISOString() } },
      },
    ],
  };
  await request(plane, 'PATCH', `${path}${name}/status`, { status }, 'application/merge-patch+json');
  const terminate = (): void => void child.kill('SIGTERM');
  return { name, address, portOf, ready, refresh, terminate, kill: () => killGuarded(child) };
}

async function contentOf(plane: ControlPlane, namespace: string, volume: Volume): Promise<Map<string, Buffer>> {
  const [resource, name] = volume.configMap
    ? ['configmaps', volume.configMap.name]
    : ['secrets', volume.secret?.secretName];
  const { body } = await plane.request('GET', `/api/v1/namespaces/${namespace}/${resource}/${name}`);
  const { data = {} } = body as { readonly data?: Readonly<Record<string, string>> };
  return new Map(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, volume.configMap ? 'utf8' : 'base64')]),
  );
}

/** As the kubelet's atomic writer does: a folder with a date, a link to it that is replaced at once, and a link for each file. */
async function fill(folder: string, content: ReadonlyMap<string, Buffer>): Promise<void> {
  const version = `..${new Date().toISOString().replace(/[-:T]/g, '_')}`;
  await mkdir(join(folder, version), { recursive: true });
  for (const [name, bytes] of content) await writeFile(join(folder, version, name), bytes, { mode: 0o400 });
  await symlink(version, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  for (const name of content.keys()) {
    await symlink(join('..data', name), join(folder, `..${name}_tmp`));
    await rename(join(folder, `..${name}_tmp`), join(folder, name));
  }
  for (const name of await readdir(folder))
    if (!name.startsWith('..') && !content.has(name)) await unlink(join(folder, name));
}

/** @throws when the API server refuses */
export async function request(
  plane: ControlPlane,
  method: string,
  path: string,
  body: unknown,
  contentType = 'application/json',
): Promise<unknown> {
  const answer = await plane.request(method, path, body, { contentType });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** @throws when it does not come true in time */
export async function until(
  isTrue: () => Promise<boolean>,
  what: string | (() => string),
  limit = deadlineInMilliseconds,
): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await sleep(150);
  }
}
