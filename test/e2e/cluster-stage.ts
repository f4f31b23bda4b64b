/** The stage of the demo with a real API server and the real kubectl. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from '../../src/commands/scenes.ts';
import type { Ran, Stage } from '../../src/commands/tell.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';

export function clusterStage(plane: ControlPlane): Stage {
  const kubectl = async ({ name, groups }: Person, command: readonly string[]): Promise<Ran> => {
    const impersonation = ['--as', name, ...groups.flatMap((group) => ['--as-group', group])];
    const { code, stdout, stderr } = await plane.kubectl(plane.adminKubeconfig, [...impersonation, ...command]);
    return { code, output: stderr + stdout };
  };
  return {
    async kubectl(person, command) {
      // A baseline comes from the watch, a moment after its namespace.
      for (let attempt = 0; command[0] === 'get' && attempt < 100; attempt++) {
        const { output } = await kubectl(person, command);
        if (output.split('\n').filter((line) => line.includes('/bulkhead-')).length >= 4) break;
        await sleep(100);
      }
      return kubectl(person, command);
    },
    async labelsOf(file) {
      const { stdout } = await plane.kubectl(plane.adminKubeconfig, ['get', '-f', file, '-o', 'json']);
      return JSON.parse(stdout).metadata.labels;
    },
  };
}
