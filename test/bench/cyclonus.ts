/**
 * `npm run bench:cyclonus`: which pods reach which, as src/connectivity and as cyclonus' matcher work it out from the same objects, in turns.
 * The verdicts of all pairs must be the same. Ends with 1 when one differs, or when src/connectivity is less than 100 times as fast with
 * 2,000 pods. Times are of the processor, in all threads. Ours includes reading the objects; theirs is without it.
 *
 *   npm run bench:cyclonus -- 250 500      only these sizes
 */
import { createParties, type PodClass } from '../../src/connectivity/parties.ts';
import { hasPort, portNumber } from '../../src/connectivity/port-set.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { byTheBook } from '../../src/connectivity/readings.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import type { JsonMap } from '../../src/kubernetes/json.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { startMatrixJudge } from '../engines/engine.ts';
import type { AskedParty, MatrixAnswer } from '../engines/protocol.ts';
import { issue } from './large-clusters.ts';

const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [250, 500, 1_000, 2_000];
/** At the largest size. */
const [leastTimes, largest] = [100, 2_000];
const wires = [
  { protocol: 'TCP', port: 5432 },
  { protocol: 'TCP', port: 8080 },
] as const;
const tenancy = createTenancy(defaultSettings, []);

interface Pod extends JsonMap {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly labels: Record<string, string> };
  readonly status: { readonly podIPs: readonly [{ readonly ip: string }] };
}

function ours(objects: readonly JsonMap[], pods: readonly Pod[]): MatrixAnswer {
  const begin = process.cpuUsage();
  const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const world = createWorld(snapshot, parties, tenancy.settings, byTheBook);
  const byName = new Map<string, PodClass>();
  for (const one of parties.classes)
    for (const { namespace, name } of one.workloads) byName.set(`${namespace}/${name}`, one);
  const listed = pods.map(({ metadata: { namespace, name } }): PodClass => {
    const found = byName.get(`${namespace}/${name}`);
    if (found === undefined) throw new Error(`${namespace}/${name} is not read`);
    return found;
  });
  const numbers = wires.map(({ protocol, port }) => portNumber(protocol, port));
  const rows = parties.classes.map((from) => {
    const answers = parties.classes.map((to) => {
      const ports = world.connection(from, to);
      return numbers.map((number) => (hasPort(ports, number) ? '1' : '0'));
    });
    return numbers.map((_, wire) => listed.map(({ index }) => answers[index]?.[wire]).join(''));
  });
  const open = wires.map((_, wire) => listed.map(({ index }) => rows[index]?.[wire] ?? ''));
  const { user, system } = process.cpuUsage(begin);
  return { milliseconds: (user + system) / 1000, open };
}

const judge = await startMatrixJudge();
if ('missing' in judge) throw new Error(judge.missing);
let isBroken = false;
try {
  for (const size of sizes) {
    const objects = issue(size / 10, Math.max(1, Math.round(size / 100)));
    const pods = objects.filter((one): one is Pod => one.kind === 'Pod');
    const labels = new Map(
      objects.flatMap(({ kind, metadata }): [string, Record<string, string>][] => {
        const { name, labels: own } = metadata as { readonly name: string; readonly labels: Record<string, string> };
        return kind === 'Namespace' ? [[name, { ...own, 'kubernetes.io/metadata.name': name }]] : [];
      }),
    );
    const asked = pods.map(({ metadata, status }): AskedParty => {
      const { namespace, labels: own } = metadata;
      const ports = [{ name: 'http', protocol: 'TCP', port: 8080 }];
      return {
        pod: {
          namespace,
          namespaceLabels: labels.get(namespace) ?? {},
          labels: own,
          address: status.podIPs[0].ip,
          ports,
        },
      };
    });
    const before = ours(objects, pods);
    const theirs = await judge.ask({
      ...{ matrix: true, parties: asked, wires, subjects: pods.map((_, index) => index) },
      baseline: objects.flatMap((object) =>
        object.kind === 'NetworkPolicy' ? [{ kind: 'NetworkPolicy', object }] : [],
      ),
    });
    const after = ours(objects, pods);
    const isSame = JSON.stringify(theirs.open) === JSON.stringify(before.open);
    const slower = Math.max(before.milliseconds, after.milliseconds);
    const times = theirs.milliseconds / slower;
    const open = before.open.map((rows) => rows.reduce((sum, row) => sum + row.split('1').length - 1, 0));
    process.stdout.write(
      `${size} pods: ${slower.toFixed(0)} ms and ${theirs.milliseconds.toFixed(0)} ms, ${times.toFixed(0)} times; ` +
        `${isSame ? 'the same verdicts' : 'VERDICTS DIFFER'}, open on the two ports: ${open.join(', ')} of ${pods.length ** 2}\n`,
    );
    isBroken ||= !isSame || (size >= largest && times < leastTimes);
  }
} finally {
  await judge.stop();
}
process.exitCode = isBroken ? 1 : 0;
