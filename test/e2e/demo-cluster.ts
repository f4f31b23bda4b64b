/** `npm run demo:cluster`: the story of the demo with a real API server and the real kubectl. */
import { tell } from '../../src/commands/tell.ts';
import { findBinaries } from '../apiserver/binaries.ts';
import { startControlPlane } from '../apiserver/control-plane.ts';
import { clusterStage } from './cluster-stage.ts';
import { guard } from './guarded-cluster.ts';

const print = (line: string) => process.stdout.write(`${line}\n`);

const binaries = await findBinaries();
if ('missing' in binaries) {
  print(`There is no API server to show this with: ${binaries.missing}.`);
  process.exitCode = 1;
} else {
  const plane = await startControlPlane({ binaries });
  try {
    const cluster = await guard(plane);
    print('A real kube-apiserver asks Bulkhead, and the real kubectl prints the answers. Both listen on loopback.');
    print('');
    if (!(await tell(clusterStage(plane), print))) process.exitCode = 1;
    await cluster.stop();
  } finally {
    await plane.stop();
  }
}
