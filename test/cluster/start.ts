/**
 * `npm run cluster`: a cluster that stays up until Ctrl-C, with a real kube-apiserver and a node that runs Bulkhead.
 *
 *   --bulkhead       Bulkhead is installed, as manifests/overlays/example has it
 *   --folder FOLDER  for the kubeconfigs, kubectl and helm; default: .cluster
 *
 * The cluster is in a network of its own, where its Services have their addresses. Only the API server can be reached from outside of it,
 * on loopback. Needs what the API server's tests need: Go, util-linux and iproute2.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findBinaries } from '../apiserver/binaries.ts';
import { inNetworkNamespace, whyUnavailable } from '../apiserver/network-namespace.ts';
import { findHelm } from '../helm/helm.ts';
import { claimFolder, removeFolder } from './folder.ts';
import { relayToSocket } from './relay.ts';

try {
  process.exitCode = await start();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function start(): Promise<number> {
  const { values } = parseArgs({
    options: { bulkhead: { type: 'boolean', default: false }, folder: { type: 'string', default: '.cluster' } },
  });
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(`no cluster can be started here: ${binaries.missing}`);
  const unavailable = await whyUnavailable();
  if (unavailable !== undefined) throw new Error(`no cluster can be started here: it ${unavailable}`);

  const helm = await findHelm(4);
  if ('missing' in helm) throw new Error(`no cluster can be started here: ${helm.missing}`);

  const folder = resolve(values.folder);
  await claimFolder(folder);
  // Sockets have short paths, which a folder of the user's may not leave room for.
  const sockets = await mkdtemp(join(tmpdir(), 'bulkhead-cluster-'));
  const relay = await relayToSocket(join(sockets, 'api'));
  try {
    const [program, programArguments] = inNetworkNamespace([
      process.execPath,
      join(import.meta.dirname, 'inside.ts'),
      ...[folder, join(sockets, 'api'), String(relay.port), helm.path, values.bulkhead ? 'bulkhead' : 'bare'],
    ]);
    // Of a group of its own, so that Ctrl-C reaches it once, from here.
    const inside = spawn(program, programArguments, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => inside.kill('SIGTERM'));
    const [code]: (number | null)[] = await once(inside, 'exit');
    return code ?? 1;
  } finally {
    relay.close();
    await rm(sockets, { recursive: true, force: true });
    await removeFolder(folder);
  }
}
