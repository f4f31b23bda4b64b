/** The judges of the measurements of the service itself: what a run must show, and what makes it fail. */
import t, { type Test } from 'tap';
import { fullLimits as apiServerLimits, inOrder, type Judged, missedApiServer, type Round } from './api-server.ts';
import type { Webhook } from './bare-service.ts';
import { type Crowd, type CrowdResult, fullLimits as crowdLimits, missedCrowd, type Run } from './beside-crowd.ts';
import type { Create } from './creates.ts';
import { type IdleOptions, type IdleResult, idle, missedIdle, missedThrough, startBareServer } from './idle.ts';
import { type LossResult, missedLoss } from './loss.ts';
import { missedOverload, type OverloadResult } from './overload.ts';
import { missedRollout, type RolloutResult } from './rollout.ts';
import { missedRotation, phases, type RotationResult } from './rotation.ts';
import { growth, missedSteady, type SteadyResult, fullLimits as steadyLimits } from './steady.ts';
import { since, webhookCounts } from './webhook-counts.ts';

const create = (failure?: string): Create => ({ startedAt: 0, milliseconds: 5, failure });
const counts = { requests: 4, callErrors: 0, failOpen: 0, fast: 4, timed: 4 };

/** It is said once. */
function fails(t: Test, what: string, missed: readonly string[], says: RegExp): void {
  const found = missed.filter((one) => says.test(one));
  t.equal(found.length, 1, `${what} makes it fail: ${missed.join('; ')}`);
}

t.test('the counters of the API server are read by name and label, and those of others are left out', async (t) => {
  const text = `# HELP apiserver_admission_webhook_request_total of all
apiserver_admission_webhook_request_total{code="200",name="mutate.bulkhead.dev",operation="CREATE",rejected="false",type="admit"} 7
apiserver_admission_webhook_request_total{code="200",name="validate.filtered.bulkhead.dev",operation="UPDATE",rejected="false",type="validating"} 3
apiserver_admission_webhook_request_total{code="200",name="hook.example.com",operation="CREATE",rejected="false",type="admit"} 50
apiserver_admission_webhook_rejection_count{error_type="calling_webhook_error",name="mutate.bulkhead.dev",operation="CREATE",rejection_code="0",type="admit"} 2
apiserver_admission_webhook_rejection_count{error_type="no_error",name="validate.bulkhead.dev",operation="CREATE",rejection_code="403",type="validating"} 9
apiserver_admission_webhook_fail_open_count{name="warn.bulkhead.dev",type="validating"} 1
apiserver_admission_webhook_admission_duration_seconds_bucket{name="mutate.bulkhead.dev",operation="CREATE",rejected="false",type="admit",le="0.005"} 6
apiserver_admission_webhook_admission_duration_seconds_bucket{name="mutate.bulkhead.dev",operation="CREATE",rejected="false",type="admit",le="0.025"} 7
apiserver_admission_webhook_admission_duration_seconds_count{name="mutate.bulkhead.dev",operation="CREATE",rejected="false",type="admit"} 7
`;
  const found = webhookCounts(text);
  t.same(found, { requests: 10, callErrors: 2, failOpen: 1, fast: 6, timed: 7 });
  t.same(since(webhookCounts(''), found), found, 'what was not counted yet is 0');
});

t.test('a rollout fails unless everything was replaced and nobody noticed', async (t) => {
  const good: RolloutResult = { replaced: 4, creates: [create(), create()], counts, wrong: [] };
  t.same(missedRollout(good, 2), []);
  const rows: readonly [string, Partial<RolloutResult>, RegExp][] = [
    ['a replica that stayed', { replaced: 3 }, /^3 replicas were replaced, not 4$/],
    [
      'a create that failed',
      { creates: [create(), create('500 EOF')] },
      /^1 of 2 requests failed, the first: 500 EOF$/,
    ],
    ['a failed call', { counts: { ...counts, callErrors: 1 } }, /^calling_webhook_error: 1$/],
    ['a call that was let through', { counts: { ...counts, failOpen: 1 } }, /^fail_open_count: 1$/],
    ['a webhook that is not asked', { counts: { ...counts, requests: 1 } }, /^1 calls of the webhook for 2 requests$/],
    ['no creates', { creates: [] }, /^4 calls of the webhook for 0 requests$/],
    ['a drain that was cut off', { wrong: ['10.0.1.2 had to be killed'] }, /had to be killed/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedRollout({ ...good, ...change }, 2), says);
});

t.test('a rotation fails unless every phase was disturbed and nobody noticed', async (t) => {
  const kills = [...phases, ...phases].map((phase) => ({ phase, serving: true }));
  const good: RotationResult = {
    rotated: 6,
    paths: 3,
    kills,
    creates: [create()],
    counts,
    lost: 3,
    lostCalls: 3,
    wrong: [],
  };
  t.same(missedRotation(good, 6), [], 'what a death costs by itself is no matter of rotations');
  const steady = kills.map(({ serving }) => ({ phase: 'steady' as const, serving }));
  const rows: readonly [string, Partial<RotationResult>, RegExp][] = [
    ['a rotation that did not end', { rotated: 5 }, /^5 rotations, not 6$/],
    ['a path that is not replaced', { paths: 1 }, /^1 paths in 6 rotations$/],
    ['a kill too few', { kills: kills.slice(1) }, /^5 kills, not 6$/],
    ['a phase without a kill', { kills: steady }, /^no kill in phase publishing, overlap$/],
    ['a create that failed', { creates: [create('x509')] }, /^1 of 1 requests failed, the first: x509$/],
    ['a failed call', { counts: { ...counts, callErrors: 1 } }, /^calling_webhook_error: 1$/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedRotation({ ...good, ...change }, 6), says);
});

t.test('a loss fails when it is felt for too long, and when nobody felt it at all', async (t) => {
  const hang: LossResult['hang'] = {
    ...{ seconds: 2, timeoutSeconds: 5, requests: 9, failed: 2, longest: 5050, longestBefore: 30 },
    ...{ lastFailedAfter: 900, throughput: [3, 4], failedAfterwards: 0 },
  };
  const kills = [
    { failedAfter: [3, 980], requests: 9 },
    { failedAfter: [], requests: 9 },
  ];
  const good: LossResult = { kills, hang, wrong: [] };
  const options = { kills: 2, hangSeconds: 2 };
  t.same(missedLoss(good, options), []);
  const rows: readonly [string, Partial<LossResult>, RegExp][] = [
    [
      'a failure after a second',
      { kills: [{ failedAfter: [1001], requests: 9 }, ...kills.slice(1)] },
      /^kill 1: 1 requests failed later/,
    ],
    ['a kill too few', { kills: kills.slice(1) }, /^1 kills, not 2$/],
    ['kills without load', { kills: kills.map((one) => ({ ...one, requests: 0 })) }, /^kill 2: nothing was asked/],
    ['kills that nobody noticed', { kills: kills.map((one) => ({ ...one, failedAfter: [] })) }, /^no kill was noticed/],
    [
      'a request that took too long',
      { hang: { ...hang, longest: 5501 } },
      /^a request took 5501 ms, more than 5500 ms$/,
    ],
    ['a second in which nobody got through', { hang: { ...hang, throughput: [3, 0] } }, /^in 1 seconds nobody got/],
    ['a hang that was too short', { hang: { ...hang, throughput: [3] } }, /^it hung for 1 seconds only$/],
    ['a hang that nobody noticed', { hang: { ...hang, failed: 0, longest: 20 } }, /^the hang was not noticed/],
    ['failures afterwards', { hang: { ...hang, failedAfterwards: 1 } }, /^1 requests failed after it went on$/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedLoss({ ...good, ...change }, options), says);
});

t.test('an overload fails unless goodput holds, refusals say when to come again, and it is over soon', async (t) => {
  const stages = { before: 1, overload: 1, after: 3 };
  const evenly = (count: number, from: number, to: number, took: number): [number, number][] =>
    Array.from({ length: count }, (_, index) => [from + (index * (to - from)) / count, took]);
  const refused = Array.from({ length: 360 }, (_, index) => ({ due: 1000 + index * 2, status: 503, retryAfter: true }));
  const report: OverloadResult['report'] = {
    ...{ sent: 0, refused, broken: 0, dropped: evenly(40, 1000, 2000, 0).map(([due]) => due), unsent: 0, behind: [1] },
    good: [...evenly(50, 0, 1000, 2), ...evenly(100, 1000, 1990, 9), ...evenly(150, 2000, 5000, 2)],
  };
  const good: OverloadResult = { capacity: 100, stages, report };
  t.same(missedOverload(good), []);
  const late = { due: 2050, status: 503, retryAfter: true };
  t.same(missedOverload({ ...good, report: { ...report, refused: [...refused, late] } }), [], 'it may take a moment');
  const lateRefusals = evenly(60, 2000, 4500, 0).map(([due]) => ({ ...late, due }));
  const rows: readonly [string, Partial<OverloadResult['report']>, RegExp][] = [
    [
      'a goodput that falls',
      { good: report.good.filter(([due], index) => due < 1000 || due >= 2000 || index % 2) },
      /^goodput fell/,
    ],
    ['a capacity that is none', { good: [...report.good, ...evenly(30, 1000, 1990, 9)] }, /^goodput is 130 %/],
    [
      'a refusal without Retry-After',
      { refused: [...refused, { ...late, due: 1500, retryAfter: false }] },
      /^1 refusals other/,
    ],
    [
      'another status',
      { refused: [...refused, { ...late, due: 1500, status: 500 }] },
      /^1 refusals other .+ first 500$/,
    ],
    ['a connection that breaks', { broken: 1 }, /^1 connections broke/],
    ['refusals when it is over', { refused: [...refused, ...lateRefusals] }, /^it had not recovered/],
    [
      'slow answers when it is over',
      { good: [...report.good, ...evenly(60, 2000, 4500, 300)] },
      /^it had not recovered/,
    ],
    ['a load that is none', { refused: [] }, /reviews were due$/],
    ['a client that is late', { behind: [30] }, /^the client was late itself/],
  ];
  for (const [what, change, says] of rows)
    fails(t, what, missedOverload({ ...good, report: { ...report, ...change } }), says);
});

t.test('a steady load fails when it is slow, or grows, or errs', async (t) => {
  const samples = Array.from({ length: 9 }, () => ({ resident: 80e6, descriptors: 30 }));
  const one = {
    blocks: [
      [1, 2],
      [1, 2],
    ],
    errors: 0,
    behind: 0.1,
  };
  const good: SteadyResult = { bulkhead: one, bare: one, samples };
  t.same(missedSteady(good, steadyLimits), []);
  const slow = { ...one, blocks: [[9], [9]] };
  t.same(missedSteady({ ...good, bulkhead: slow }), [], 'without limits nothing is asked of the speed');
  const paused = (longest: number): number[] => [...Array(199).fill(1), longest];
  const grown = (change: object) => samples.map((sample, index) => (index < 6 ? sample : { ...sample, ...change }));
  const rows: readonly [string, Partial<SteadyResult>, RegExp][] = [
    ['slow answers', { bulkhead: slow, bare: slow }, /^p99 is 9.00 ms$/],
    [
      'slower than the bare server',
      { bulkhead: { ...one, blocks: [[2.9], [2.9]] }, bare: { ...one, blocks: [[1], [1]] } },
      /^p99 is 2.90 times/,
    ],
    [
      'a rare pause that the bare server has not',
      { bulkhead: { ...one, blocks: [paused(2.9)] }, bare: { ...one, blocks: [paused(1.4)] } },
      /^p99.9 is 2.07 times that of the bare server$/,
    ],
    ['an error', { bulkhead: { ...one, errors: 1 } }, /^bulkhead: 1 errors$/],
    ['no answers', { bare: { ...one, blocks: [] } }, /^the bare server answered nothing$/],
    ['memory that grows', { samples: grown({ resident: 90e6 }) }, /^memory grew by 10000000 bytes$/],
    ['descriptors that grow', { samples: grown({ descriptors: 31 }) }, /^1 descriptors more$/],
    ['no samples', { samples: [] }, /^memory grew by NaN bytes$/],
    ['a client that is late', { bare: { ...one, behind: 2 } }, /^the client was late itself/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedSteady({ ...good, ...change }, steadyLimits), says);
  t.same(growth(samples), { resident: 0, descriptors: 0 });
});

t.test(
  'a comparison at the API server fails when Bulkhead adds more than its share, or its calls are slow',
  async (t) => {
    const hundred = (each: number, slowest: number): number[] => [...Array(98).fill(each), slowest, slowest];
    const round = { none: hundred(2, 4), bare: hundred(4, 8), bulkhead: hundred(4.5, 9.9) };
    const calls = { requests: 300, callErrors: 0, failOpen: 0, fast: 285, timed: 300 };
    const both = { bare: calls, bulkhead: { ...calls, fast: 280 } };
    const good: Judged = { rounds: [round, round, round], failed: [], counts: both };
    t.same(missedApiServer(good, apiServerLimits), []);
    const slow = { ...round, bulkhead: hundred(9, 99) };
    t.same(missedApiServer({ ...good, rounds: [slow, round, round] }, apiServerLimits), [], 'one bad round is none');
    t.same(
      missedApiServer({ ...good, rounds: [slow, slow, slow] }),
      [],
      'without limits nothing is asked of the speed',
    );
    const each = (change: Partial<Round>): Partial<Judged> => ({
      rounds: good.rounds.map((one) => ({ ...one, ...change })),
    });
    const counted = (webhook: 'bare' | 'bulkhead', change: Partial<typeof calls>): Partial<Judged> => ({
      counts: { ...both, [webhook]: { ...both[webhook], ...change } },
    });
    const rows: readonly [string, Partial<Judged>, RegExp][] = [
      [
        'a slower middle',
        each({ bulkhead: hundred(4.6, 9.9) }),
        /^p50: 2\.60 ms are added, and 2\.00 ms by the bare server$/,
      ],
      [
        'a slower p99',
        each({ bulkhead: hundred(4.5, 10.1) }),
        /^p99: 6\.10 ms are added, and 4\.00 ms by the bare server$/,
      ],
      [
        'slow calls',
        counted('bulkhead', { fast: 278 }),
        /^92\.67 % of the calls .+ 95\.00 % of those of the bare server$/,
      ],
      ['calls without a time', counted('bulkhead', { timed: 0, fast: 0 }), /^NaN % of the calls/],
      ['no block without', each({ none: [] }), /^bulkhead: there is nothing to compare$/],
      ['no block of the bare server', each({ bare: [] }), /^bare: there is nothing to compare$/],
      ['a bare server that adds nothing', each({ bare: round.none }), /^p99: .+ and 0\.00 ms by the bare server$/],
      ['a create that failed', { failed: ['500'] }, /^1 creates failed, the first: 500$/],
      ['a failed call', counted('bulkhead', { callErrors: 1 }), /^bulkhead: calling_webhook_error: 1$/],
      ['a bare server that is not called', counted('bare', { requests: 0 }), /^bare: 0 calls of the webhook for 300/],
    ];
    for (const [what, change, says] of rows)
      fails(t, what, missedApiServer({ ...good, ...change }, apiServerLimits), says);
    const orders = Array.from({ length: 6 }, (_, index) => inOrder(index).join());
    t.equal(new Set(orders).size, 6, 'every order has its turn');
  },
);

t.test('a crowd fails when a pod beside it fails or waits, or when there is no crowd', async (t) => {
  const pod = (milliseconds: number, failure?: string): Create => ({ startedAt: 0, milliseconds, failure });
  const run: Run = { pods: Array.from({ length: 40 }, () => pod(20)), members: 420, answers: { 503: 400 } };
  const both = { bare: run, bulkhead: { ...run, pods: [...run.pods.slice(1), pod(120)] } };
  const good: CrowdResult = { runs: { policies: both, 'slow senders': both }, wrong: [] };
  const options = { seconds: 4, perSecond: 10, policies: 200, senders: 420, policiesAfter: 0, crowdBefore: 0 };
  t.same(missedCrowd(good, options, crowdLimits), []);
  const beside = (crowd: Crowd, webhook: Webhook, change: Partial<Run>): CrowdResult => {
    const changed = { ...good.runs[crowd], [webhook]: { ...good.runs[crowd][webhook], ...change } };
    return { ...good, runs: { ...good.runs, [crowd]: changed } };
  };
  const slow = { pods: [...run.pods.slice(1), pod(121)] };
  t.same(
    missedCrowd(beside('policies', 'bulkhead', slow), options),
    [],
    'without limits nothing is asked of the speed',
  );
  const refused = { pods: [...run.pods.slice(1), pod(20, '403')] };
  const rows: readonly [string, CrowdResult, RegExp][] = [
    [
      'a pod that is refused',
      beside('policies', 'bulkhead', refused),
      /^beside policies, bulkhead: 1 of 40 pods failed, the first: 403$/,
    ],
    ['also with the bare server', beside('slow senders', 'bare', refused), /^beside slow senders, bare: 1 of 40 pods/],
    ['pods that wait', beside('policies', 'bulkhead', slow), /^beside policies: p99 is 101 ms longer/],
    [
      'pods that wait beside slow senders',
      beside('slow senders', 'bulkhead', slow),
      /^beside slow senders: p99 is 101 ms/,
    ],
    ['too few pods', beside('policies', 'bare', { pods: run.pods.slice(1) }), /^beside policies, bare: only 39 pods/],
    [
      'too few policies',
      beside('policies', 'bulkhead', { members: 199 }),
      /^beside policies, bulkhead: the crowd had 199 members/,
    ],
    [
      'too few senders',
      beside('slow senders', 'bare', { members: 419 }),
      /^beside slow senders, bare: the crowd had 419/,
    ],
    ['senders that stay', beside('slow senders', 'bulkhead', { answers: {} }), /^no slow sender was cut off$/],
    ['a server that ended', { ...good, wrong: ['a bare server ended with 1'] }, /^a bare server ended/],
  ];
  for (const [what, result, says] of rows) fails(t, what, missedCrowd(result, options, crowdLimits), says);
});

const options: IdleOptions = { connections: 50, requests: 100, shortest: 0.1, longest: 3, clientIdle: 2.5 };

t.test('idle connections fail when one breaks, or is closed by the server, or gaps are left out', async (t) => {
  const gaps = Array.from({ length: 100 }, (_, index) => 0.1 + (2.9 * index) / 100);
  const good: IdleResult = { requests: 100, failed: [], hurried: [], closed: 9, gaps };
  t.same(missedIdle(good, options), []);
  const rows: readonly [string, Partial<IdleResult>, RegExp][] = [
    ['a request that failed', { failed: ['after 2 s: 500'] }, /^1 requests failed, the first: after 2 s: 500$/],
    ['a server that closes', { hurried: [2] }, /^the server closed 1 connections first, one after 2.0 s$/],
    ['too few requests', { requests: 99 }, /^99 requests, not 100$/],
    ['gaps that end early', { gaps: gaps.slice(0, 80) }, /^the gaps leave out/],
    ['gaps with a hole', { gaps: gaps.filter((gap) => gap < 1 || gap > 2) }, /^the gaps leave out up to 1/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedIdle({ ...good, ...change }, options), says);
  const through = { requests: 4, failed: [], counts };
  t.same(missedThrough(through), []);
  fails(
    t,
    'a create that failed',
    missedThrough({ ...through, failed: ['500'] }),
    /^1 creates failed, the first: 500$/,
  );
});

t.test('a server that closes idle connections before its client does is found out, another is not', async (t) => {
  const rows = [
    // Node adds a second of its own.
    { keepAlive: 500, says: /^the server closed \d+ connections first, one after 1\.\d s$/ },
    { keepAlive: 4000, says: undefined },
  ];
  // Side by side, as most of it is waiting.
  await Promise.all(
    rows.map(async ({ keepAlive, says }) => {
      const server = await startBareServer(keepAlive);
      t.teardown(() => server.stop());
      const missed = missedIdle(await idle(server, options), options);
      if (says === undefined) t.same(missed, []);
      else
        t.ok(
          missed.some((one) => says.test(one)),
          missed.join('; '),
        );
    }),
  );
});
