/**
 * `npm run bench`: what Bulkhead costs, as ratios to the least that could do its work. README.md says how it is measured.
 * `--smoke`: only that every measured server answers right. `--budget`: only the instructions of budget.json, which `--update` writes anew.
 * `--neighbours`: only what the mesh and the neighbours cost a pod.
 */
import { spawnSync } from 'node:child_process';
import { compareWithBudget, countInstructions, lower, readBudget, writeBudget } from './budget.ts';
import { type Counting, instructionsPerRequest, steady, usual } from './instructions.ts';
import { measureLargestPolicy } from './largest-policy.ts';
import { type MeasuredServer, type Program, startServer } from './measured-server.ts';
import { median } from './median.ts';
import {
  calicoValidate,
  ciliumValidate,
  istioValidate,
  podExempted,
  podMutate,
  policyGranted,
  policyValidate,
  type Scenario,
  scenarios,
  serviceValidate,
} from './scenarios.ts';

interface Comparison {
  readonly name: string;
  readonly scenario: Scenario;
  readonly measured: Program;
  readonly against: Program;
  /** How many times what it is compared with it may cost, in instructions. Processor time is noise at that margin, and only printed. */
  readonly most: number;
  readonly counting: Counting;
}

const bare = (scenario: Scenario): Program => ({ file: 'bare-server.ts', argument: scenarios.indexOf(scenario) });
const bulkhead = (namespaces: number, exemptions = 0, grants = 0, modules = 'on'): Program => ({
  file: 'bulkhead-server.ts',
  argument: `${namespaces},${exemptions},${grants},${modules}`,
});

/** Of the mesh, Services and routes, and rights: a pod is to cost no more where they are judged. */
const neighboursOn = 'mesh and neighbours on : off';

const comparisons: readonly Comparison[] = [
  {
    name: 'Bulkhead : bare server',
    scenario: podMutate,
    measured: bulkhead(10),
    against: bare(podMutate),
    most: 1.4,
    counting: usual,
  },
  {
    name: 'Bulkhead : bare server',
    scenario: policyValidate,
    measured: bulkhead(10),
    against: bare(policyValidate),
    most: 1.45,
    counting: usual,
  },
  {
    name: 'Bulkhead : bare server',
    scenario: ciliumValidate,
    measured: bulkhead(10),
    against: bare(ciliumValidate),
    most: 1.6,
    counting: usual,
  },
  {
    name: 'Bulkhead : bare server',
    scenario: istioValidate,
    measured: bulkhead(10),
    against: bare(istioValidate),
    most: 1.6,
    counting: usual,
  },
  {
    name: 'Bulkhead : bare server',
    scenario: serviceValidate,
    measured: bulkhead(10),
    against: bare(serviceValidate),
    most: 1.4,
    counting: usual,
  },
  {
    name: 'Bulkhead : bare server',
    scenario: calicoValidate,
    measured: bulkhead(10),
    against: bare(calicoValidate),
    most: 1.6,
    counting: usual,
  },
  {
    name: '10,000 : 10 namespaces',
    scenario: podMutate,
    measured: bulkhead(10_000),
    against: bulkhead(10),
    most: 1.02,
    counting: steady,
  },
  {
    name: '10,000 : 10 namespaces',
    scenario: policyValidate,
    measured: bulkhead(10_000),
    against: bulkhead(10),
    most: 1.02,
    counting: steady,
  },
  {
    name: '1,000 : 10 exemptions',
    scenario: podExempted,
    measured: bulkhead(10, 1_000),
    against: bulkhead(10, 10),
    most: 1.02,
    counting: steady,
  },
  {
    name: '1,000 : 10 grants and services',
    scenario: policyGranted,
    measured: bulkhead(10, 0, 1_000),
    against: bulkhead(10, 0, 10),
    most: 1.02,
    counting: steady,
  },
  ...[podMutate, podExempted].map(
    (scenario): Comparison => ({
      ...{ name: neighboursOn, scenario, most: 1.005, counting: steady },
      ...{ measured: bulkhead(10, 10), against: bulkhead(10, 10, 0, 'off') },
    }),
  ),
];

/** Milliseconds of processor time to judge one policy of 1,000 peers and 5,000 exceptions, of 1,000 rules of Cilium or Calico, or of 500 of Istio. */
const mostForLargest = 20;

/** Of the measurement of processor time. V8 goes on compiling for tens of thousands of requests, and a webhook runs for weeks. */
const warmUp = 30_000;
const rounds = 15;
const requestsInRound = 1000;

async function smoke(): Promise<void> {
  for (const { name, scenario, measured, against } of comparisons) {
    for (const program of [against, measured]) {
      const server = await startServer(program);
      await server.send(scenario, 5).finally(() => server.stop());
    }
    say(`${scenario.name}, ${name}: both answer right`);
  }
}

async function budget(): Promise<boolean> {
  const written = await readBudget();
  const first = await countInstructions();
  let verdict = compareWithBudget(first, written);
  // What else the machine does makes a request dearer, never cheaper: the lower of two counts is nearer to the truth.
  if (!verdict.kept) verdict = compareWithBudget(lower(first, await countInstructions()), written);
  for (const line of verdict.lines) say(line);
  return verdict.kept;
}

async function update(): Promise<boolean> {
  const counted = await countInstructions();
  await writeBudget(counted);
  const { lines, kept } = compareWithBudget(counted, counted);
  for (const line of lines) say(line);
  return kept;
}

/** Of the whole run: one server and scenario is counted once. */
const counts = new Map<string, Promise<number>>();

async function compareInstructions({ name, scenario, measured, against, most, counting }: Comparison) {
  const counted = (seed: number) =>
    Promise.all(
      [measured, against].map((program) => {
        const key = `${program.file} ${program.argument} ${scenario.name} ${counting.warmUp} ${seed}`;
        const known = counts.get(key) ?? instructionsPerRequest(program, scenario, counting, seed);
        counts.set(key, known);
        return known;
      }),
    );
  let [own = Number.NaN, other = Number.NaN] = await counted(1);
  if (counting === steady && own / other > most) {
    // What V8 decides by chance is worth more than these bounds.
    const runs = [[own, other], await counted(2), await counted(3)];
    [own, other] = [0, 1].map((side) => median(runs.map((run) => run[side] ?? Number.NaN))) as [number, number];
  }
  const ratio = own / other;
  const within = ratio <= most;
  return {
    within,
    text: `${`${scenario.name}, ${name}`.padEnd(54)}${`${thousands(own)} : ${thousands(other)} = ${ratio.toFixed(4)}`.padEnd(34)}`,
    verdict: `at most ${most}: ${within ? 'kept' : 'BROKEN'}`,
  };
}

async function neighbours(): Promise<boolean> {
  let kept = true;
  for (const comparison of comparisons.filter(({ name }) => name === neighboursOn)) {
    const { text, verdict, within } = await compareInstructions(comparison);
    say(`${text}${verdict}`);
    kept &&= within;
  }
  return kept;
}

async function measure(): Promise<boolean> {
  say(`${'what is measured'.padEnd(54)}${'instructions a request'.padEnd(34)}processor time a request`);
  let kept = true;
  for (const comparison of comparisons) {
    const { measured, against, scenario } = comparison;
    const { text, verdict, within } = await compareInstructions(comparison);
    const [ownTime, otherTime, timeRatio] = await compareTime(measured, against, scenario);
    kept &&= within;
    say(`${text}${ownTime.toFixed(0)} : ${otherTime.toFixed(0)} µs = ${timeRatio.toFixed(2)}   ${verdict}`);
  }
  const { examined, beyond, cilium, calico, istio, beyondIstio, hostileIstio } = measureLargestPolicy();
  const slowest = Math.max(examined, cilium, calico, istio, beyondIstio, hostileIstio);
  const bounded = slowest <= mostForLargest && beyond <= examined;
  say(
    `The largest policy that is examined ${examined.toFixed(1)} ms, one of ten times its size ${beyond.toFixed(1)} ms, a CiliumNetworkPolicy ${cilium.toFixed(1)} ms, a NetworkPolicy of Calico ${calico.toFixed(1)} ms, an AuthorizationPolicy ${istio.toFixed(1)} ms, one of 1.4 MiB ${beyondIstio.toFixed(1)} ms, the dearest of the hostile ones ${hostileIstio.toFixed(1)} ms   ` +
      `at most ${mostForLargest} ms: ${bounded ? 'kept' : 'BROKEN'}`,
  );
  return kept && bounded;
}

/** Medians over rounds that alternate between the two servers: microseconds of each a request, and their ratio. */
async function compareTime(measured: Program, against: Program, scenario: Scenario): Promise<[number, number, number]> {
  const one = await startServer(measured);
  const other = await startServer(against);
  try {
    await Promise.all([one.send(scenario, warmUp), other.send(scenario, warmUp)]);
    const times: { own: number; other: number }[] = [];
    for (let round = 0; round < rounds; round++)
      times.push({ own: await timeOf(one, scenario), other: await timeOf(other, scenario) });
    return [
      median(times.map(({ own }) => own)),
      median(times.map(({ other }) => other)),
      median(times.map(({ own, other }) => own / other)),
    ];
  } finally {
    await Promise.all([one.stop(), other.stop()]);
  }
}

async function timeOf(server: MeasuredServer, scenario: Scenario): Promise<number> {
  const before = await server.processorTime();
  await server.send(scenario, requestsInRound);
  return ((await server.processorTime()) - before) / requestsInRound;
}

function thousands(count: number): string {
  return `${Math.round(count / 1000)}k`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What counts instructions, by its option; without one, everything is measured. */
const counting = new Map([
  ['--budget', budget],
  ['--update', update],
  ['--neighbours', neighbours],
]);

if (process.argv.includes('--smoke')) await smoke();
else if (spawnSync('valgrind', ['--version']).status !== 0) {
  process.stderr.write('Counting instructions takes valgrind, which is not installed: apt-get install valgrind\n');
  process.exitCode = 1;
} else {
  const [, , option = ''] = process.argv;
  if (!(await (counting.get(option) ?? measure)())) process.exitCode = 1;
}
