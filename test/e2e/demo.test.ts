import t from 'tap';
import { demo } from '../../src/commands/demo.ts';
import { tell } from '../../src/commands/tell.ts';
import { clusterStage } from './cluster-stage.ts';
import { guardedTest } from './guarded-cluster.ts';

let told: string[] = [];

t.test('the demo ends as it should', async (t) => {
  t.equal(await demo((line) => told.push(line)), true, told.join('\n'));
});

await guardedTest('a real API server and kubectl print what the demo prints', async (t, { plane }) => {
  const lines: string[] = [];
  t.equal(await tell(clusterStage(plane), (line) => lines.push(line)), true, lines.join('\n'));
  // The first two lines of the demo say that there is no cluster.
  t.same(lines, told.slice(2));
  told = [];
});
