/**
 * Replicas of Bulkhead as real processes, each on an address of its own, and what a kubelet and the controllers do for them: probe
 * them with the period of the manifests, start again what has died, and keep the EndpointSlice by which the API server finds them.
 *
 *   a replica starts    not in the slice until its first probe that succeeds
 *   SIGTERM             `terminating` in the slice at the same moment; killed after its grace period
 *   it dies             seen at the next look at the processes (once a second, as a kubelet does); started again on its address
 *   it hangs            not ready after `failureThreshold` probes that each wait a second
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { hasEnded, killGuarded, spawnGuarded } from '../apiserver/guarded-process.ts';
import { compileCache } from '../compile-cache.ts';
import { imageFlags } from './image-flags.ts';
import { type Probe, systemNamespace } from './manifests.ts';

export interface ReplicasOptions {
  readonly plane: ControlPlane;
  readonly probe: Probe;
  readonly graceSeconds: number;
  /** Of `bulkhead serve`, for the replica with this folder of its own: all but addresses, ports and how to reach the API server. */
  readonly argumentsOf: (folder: string) => Promise<readonly string[]>;
  /** Flags of Node, beside those of the image. */
  readonly nodeFlags?: readonly string[] | undefined;
}

export interface Replica {
  readonly address: string;
  /** Its own; where its volumes would be. */
  readonly folder: string;
  /** What `/metrics` shows. */
  metrics(): Promise<string>;
}

export interface Replicas {
  /**
   * Resolves when it is ready and the API server may call it.
   * @param aside one that is ready and never called, like a pod that no Service selects
   */
  start(aside?: boolean): Promise<Replica>;
  /** As a rollout ends a pod. Resolves when the signal is sent: it drains on. */
  terminate(replica: Replica): Promise<void>;
  /** The whole process dies at once; it comes back on the same address. Resolves when the signal is sent. */
  kill(replica: Replica): void;
  /** The process hangs, with all its connections open, until `resume`. */
  suspend(replica: Replica): void;
  resume(replica: Replica): void;
  /** Those that are in the slice and ready; and those that are ready without being in it. */
  ready(aside?: boolean): Replica[];
  /** Resolves when those that were told to end have ended. */
  drained(): Promise<void>;
  /** What should not have been: processes that ended by themselves, drains that had to be cut off. */
  readonly wrong: readonly string[];
  stop(): Promise<void>;
}

interface Member extends Replica {
  readonly aside: boolean;
  child: ChildProcess;
  ready: boolean;
  failures: number;
  terminating: boolean;
  killed: boolean;
  gone: boolean;
}

const ports = { webhook: 9443, health: 8081, metrics: 8080 };
const lookEvery = 1000;
const probeTimeout = 1000;
/** With files, a replica whose authority is news waits a minute until API servers have learned of it. */
const readyWithin = 120_000;
const slices = `/apis/discovery.k8s.io/v1/namespaces/${systemNamespace}/endpointslices`;
const sliceName = 'bulkhead-by-hand';

export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { plane, probe, graceSeconds } = options;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${systemNamespace}`];
  const kubeconfig = await plane.kubeconfigFor({ user: `system:serviceaccount:${systemNamespace}:bulkhead`, groups });
  const flags = [...(await imageFlags()), ...(options.nodeFlags ?? [])];
  const members: Member[] = [];
  const wrong: string[] = [];
  const tasks: Promise<void>[] = [];
  let count = 0;
  let ending = false;
  let published: Promise<void> = Promise.resolve();

  const slice = {
    metadata: { name: sliceName, labels: { 'kubernetes.io/service-name': 'bulkhead' } },
    addressType: 'IPv4',
    ports: [{ name: 'webhook', port: ports.webhook, protocol: 'TCP' }],
    endpoints: [],
  };
  const made = await plane.request('POST', slices, slice);
  if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);

  /** One write after the other, each with what is so when it is sent. */
  function publish(): Promise<void> {
    published = published.then(async () => {
      if (ending) return;
      const endpoints = members
        .filter(({ gone, aside }) => !gone && !aside)
        .map(({ address, ready, terminating }) => ({
          addresses: [address],
          conditions: { ready: ready && !terminating, serving: ready, terminating },
        }));
      const merge = { contentType: 'application/merge-patch+json' };
      const { status, text } = await plane.request('PATCH', `${slices}/${sliceName}`, { endpoints }, merge);
      if (status !== 200) wrong.push(`the EndpointSlice could not be written: ${status} ${text}`);
    });
    return published;
  }

  async function run(address: string, folder: string): Promise<ChildProcess> {
    const log = openSync(join(folder, 'log'), 'a');
    const child = spawnGuarded(
      process.execPath,
      [
        ...[...flags, resolve('src/main.ts'), 'serve', ...(await options.argumentsOf(folder))],
        ...[`--host=${address}`, `--kubeconfig=${kubeconfig}`, `--port=${ports.webhook}`],
        ...[`--health-port=${ports.health}`, `--metrics-port=${ports.metrics}`],
      ],
      { env: { PATH: process.env.PATH, HOME: folder, NODE_ENV: 'production', ...compileCache }, output: log },
    );
    closeSync(log);
    return child;
  }

  async function probeOnce(member: Member): Promise<void> {
    const { child } = member;
    const url = `http://${member.address}:${ports.health}/readyz`;
    const ok = await fetch(url, { signal: AbortSignal.timeout(probeTimeout) }).then(
      (answer) => answer.ok,
      () => false,
    );
    // What was asked may have died and been started again since.
    if (ending || member.child !== child || hasEnded(child)) return;
    member.failures = ok ? 0 : member.failures + 1;
    const ready = ok || (member.ready && member.failures < probe.failureThreshold);
    if (ready === member.ready) return;
    member.ready = ready;
    await publish();
  }

  async function probes(member: Member): Promise<void> {
    while (!ending && !member.gone) {
      await Promise.all([probeOnce(member), sleep(probe.periodSeconds * 1000)]);
    }
  }

  async function looks(member: Member): Promise<void> {
    while (!ending) {
      await sleep(lookEvery);
      if (!hasEnded(member.child) || ending) continue;
      const { exitCode, signalCode } = member.child;
      const ended = `${member.address} ended with ${exitCode ?? signalCode}`;
      if (!member.terminating && !member.killed) wrong.push(`${ended} by itself`);
      if (member.terminating && exitCode !== 0) wrong.push(`${ended} instead of 0`);
      member.ready = false;
      member.gone = member.terminating;
      await publish();
      if (member.gone) return;
      member.killed = false;
      member.failures = 0;
      member.child = await run(member.address, member.folder);
    }
  }

  function memberOf(replica: Replica): Member {
    const member = members.find(({ address }) => address === replica.address);
    if (member === undefined) throw new Error(`${replica.address} is none of these replicas`);
    return member;
  }

  /** Why it is not ready, and the end of its log. */
  async function said({ address, folder }: Member): Promise<string> {
    const why = await fetch(`http://${address}:${ports.health}/readyz`).then((answer) => answer.text(), String);
    return `${why}\n${(await readFile(join(folder, 'log'), 'utf8')).slice(-2000)}`;
  }

  return {
    wrong,
    async start(aside = false) {
      const address = `10.0.1.${2 + (count++ % 250)}`;
      const folder = join(plane.directory, `replica-${count}`);
      await mkdir(folder);
      const state = { ready: false, failures: 0, terminating: false, killed: false, gone: false };
      const metrics = async () => (await fetch(`http://${address}:${ports.metrics}/metrics`)).text();
      const member: Member = { address, aside, folder, metrics, child: await run(address, folder), ...state };
      members.push(member);
      tasks.push(probes(member), looks(member));
      const deadline = performance.now() + readyWithin;
      while (!member.ready) {
        if (performance.now() > deadline)
          throw new Error(`${address} did not become ready`, { cause: await said(member) });
        await sleep(20);
      }
      await published;
      return member;
    },
    async terminate(replica) {
      const member = memberOf(replica);
      member.terminating = true;
      const written = publish();
      member.child.kill('SIGTERM');
      tasks.push(cutOff(member));
      await written;
    },
    kill(replica) {
      const member = memberOf(replica);
      member.killed = true;
      member.child.kill('SIGKILL');
    },
    suspend: (replica) => void memberOf(replica).child.kill('SIGSTOP'),
    resume: (replica) => void memberOf(replica).child.kill('SIGCONT'),
    ready: (aside = false) => members.filter((member) => member.ready && !member.terminating && member.aside === aside),
    async drained() {
      const ends = members.filter(({ terminating }) => terminating);
      await Promise.all(ends.map(({ child }) => hasEnded(child) || once(child, 'exit')));
    },
    async stop() {
      ending = true;
      await Promise.all(members.map(({ child }) => killGuarded(child)));
      await Promise.all(tasks);
    },
  };

  async function cutOff({ address, child }: Member): Promise<void> {
    const deadline = performance.now() + graceSeconds * 1000;
    while (!hasEnded(child) && !ending) {
      if (performance.now() > deadline) {
        wrong.push(`${address} had to be killed at the end of its grace period`);
        await killGuarded(child);
      }
      await sleep(100);
    }
  }
}
