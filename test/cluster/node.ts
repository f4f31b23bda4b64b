/** The only node of the cluster. It runs the pods of Bulkhead, as processes of this machine; all others stay pending. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { makeNode, type Pod, type RunningPod, run } from '../e2e/stand-in-kubelet.ts';
import { observe } from '../soak/observer.ts';

const path = '/api/v1/namespaces/bulkhead-system/pods';
const command = [process.execPath, join(import.meta.dirname, '../../src/main.ts')] as const;
const lookEvery = 250;
/** As often a kubelet brings volumes up to date, but faster: here somebody waits for it. */
const refreshEvery = 5_000;

export interface ClusterNode {
  stop(): Promise<void>;
}

/**
 * @param say what went wrong with a pod
 * @param onNamespace each namespace once, as soon as it is made
 */
export async function startNode(
  plane: ControlPlane,
  say: (line: string) => void,
  onNamespace: (name: string) => Promise<void>,
): Promise<ClusterNode> {
  await makeNode(plane);
  const pods = new Map<string, Promise<RunningPod | undefined>>();
  const ready = new Set<RunningPod>();
  let addresses = 1;
  let ending = false;
  let refreshed = performance.now();

  async function start(pod: Pod): Promise<RunningPod | undefined> {
    addresses = (addresses % 250) + 1;
    try {
      const running = await run(plane, `${path}/`, pod, `10.0.1.${addresses}`, command);
      ready.add(running);
      return running;
    } catch (error) {
      if (!ending) say(`Pod ${pod.metadata.name}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  async function end(running: RunningPod | undefined): Promise<void> {
    if (running === undefined) return;
    ready.delete(running);
    await running.kill();
  }

  async function look(): Promise<void> {
    const items = await list<Pod>(plane, `${path}?labelSelector=app.kubernetes.io/name=bulkhead`);
    for (const pod of items)
      if (
        pod.spec.nodeName === undefined &&
        pod.metadata.deletionTimestamp === undefined &&
        !pods.has(pod.metadata.name)
      )
        pods.set(pod.metadata.name, start(pod));
    for (const [name, running] of pods) {
      const pod = items.find(({ metadata }) => metadata.name === name);
      if (pod !== undefined && pod.metadata.deletionTimestamp === undefined) continue;
      pods.delete(name);
      void running.then(end);
      if (pod !== undefined) await plane.request('DELETE', `${path}/${name}?gracePeriodSeconds=0`);
    }
    if (performance.now() - refreshed > refreshEvery) {
      refreshed = performance.now();
      for (const running of ready) await running.refresh();
    }
  }

  const observer = observe(plane.adminKubeconfig);
  const namespaces = new Set<string>();
  // A watch, not a look now and then: the next command of a user follows at once.
  await observer.follow('/api/v1/namespaces', {
    changed({ metadata: { name, uid } }) {
      if (namespaces.has(uid)) return;
      namespaces.add(uid);
      onNamespace(name).catch((error: unknown) => ending || say(`Namespace ${name}: ${error}`));
    },
  });

  const ended = (async () => {
    while (!ending) {
      await look().catch((error: unknown) => ending || say(String(error)));
      await sleep(lookEvery);
    }
  })();
  return {
    async stop() {
      ending = true;
      await Promise.all([ended, observer.stop()]);
      for (const running of pods.values()) await end(await running);
    },
  };
}

async function list<Item>(plane: ControlPlane, from: string): Promise<readonly Item[]> {
  const { status, body, text } = await plane.request('GET', from);
  if (status !== 200) throw new Error(text);
  return (body as { readonly items: readonly Item[] }).items;
}
