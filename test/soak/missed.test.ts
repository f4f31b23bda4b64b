/** The judges of the measurements: what a run must show, and what makes it fail. */
import t, { type Test } from 'tap';
import { auditLimits, missedAudit } from './audit.ts';
import { type Fault, faults } from './fault-proxy.ts';
import { type LatencyResult, fullLimits as latencyLimits, missedLatency } from './latency.ts';
import { missedRace, type RaceResult } from './race.ts';
import { missedScale, type ScaleResult, fullLimits as scaleLimits } from './scale.ts';
import { missedWatch, type WatchResult } from './watch.ts';

t.test('a race fails unless enough rounds were at once and the binder bound', async (t) => {
  const good: RaceResult = { rounds: 5, gaps: [1, 2, 3, 9.9, 40], bound: 3, violations: [], answers: [1], retries: 0 };
  t.same(missedRace(good, 4), []);
  const rows: readonly [string, Partial<RaceResult>, RegExp][] = [
    ['a pod that came too late does not count', { gaps: [1, 2, 3, 11] }, /within 10 ms in 3 rounds instead of 4/],
    ['a pod of which nobody knows does not count', { gaps: [1, 2, 3, Number.NaN] }, /in 3 rounds/],
    ['a binder that never binds', { bound: 0 }, /the binder bound 0 pods, and not at least 2/],
    ['a pod that was faster', { violations: ['acme-race-1: closed at 9'] }, /^acme-race-1: closed at 9$/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedRace({ ...good, ...change }, 4), says);
});

t.test('a measurement of baselines fails unless they are whole, exact, healed and in time', async (t) => {
  const figures = { closed: [100, 200], whole: [150, 250], healed: [300] };
  const good: LatencyResult = { namespaces: 2, objects: 4, ...figures, hurt: 1, wrong: [] };
  t.same(missedLatency(good, latencyLimits), []);
  t.same(missedLatency({ ...good, closed: [1, 900] }), [], 'without limits nothing is asked of the speed');
  const rows: readonly [string, Partial<LatencyResult>, RegExp][] = [
    ['a namespace that was never closed', { closed: [100, Number.NaN] }, /1 of 2 namespaces were closed/],
    ['a baseline that was never whole', { whole: [Number.NaN, 1] }, /1 of 2 namespaces were whole/],
    ['no namespaces', { namespaces: 0, closed: [], whole: [] }, /0 of 0 namespaces were closed/],
    ['an object too many', { wrong: ['acme-1 has more'] }, /acme-1 has more/],
    ['a door that was not healed', { hurt: 2 }, /1 of 2 closed doors were healed/],
    ['no door that was hurt', { hurt: 0, healed: [] }, /0 of 0 closed doors were healed/],
    ['closed too late', { closed: [1, 501] }, /^closed after 501 ms \(p99\)$/],
    ['whole too late', { whole: [1, 501] }, /^whole after 501 ms \(p99\)$/],
    ['healed too late', { healed: [1_001] }, /^healed after 1001 ms \(p99\)$/],
  ];
  for (const [what, change, says] of rows) fails(t, what, missedLatency({ ...good, ...change }, latencyLimits), says);
});

t.test('a run through faults fails unless every fault happened and nothing came of it', async (t) => {
  const wanted = { changes: 100, kills: 4, faults: 2 };
  const inflicted = Object.fromEntries(faults.map((fault) => [fault, 2])) as Record<Fault, number>;
  const counters = {
    ...{ objects: 50, lists: 1, watches: 1, failures: 0, handlerErrors: 0 },
  };
  const good: WatchResult = {
    ...{ written: 100, inflicted, killed: 4, compactions: 4, gone: 2, comparisons: 10, atRest: [50, 50] },
    counters: [counters, counters],
    violations: [],
  };
  t.same(missedWatch(good, wanted), []);
  const rows: readonly [string, Partial<WatchResult>, RegExp][] = [
    ['too few changes', { written: 99 }, /^changes: 99, and not at least 100$/],
    ['an API server that was not killed', { killed: 3 }, /^kills of the API server: 3/],
    ['a history that was kept', { compactions: 3 }, /^compactions: 3/],
    ['no 410 of the API server', { gone: 1 }, /^times the API server said 410: 1, and not at least 2$/],
    ['an empty cluster', { atRest: [50, 0] }, /^objects at rest of .+networkpolicies: 0/],
    ['a difference', { comparisons: 9 }, /^comparisons without a difference: 9, and not at least 10$/],
    ['a handler that failed', { counters: [counters, { ...counters, handlerErrors: 1 }] }, /1 handler errors/],
    ['a follower that is not there', { counters: [counters] }, /networkpolicies: undefined handler errors/],
    ['events out of order', { violations: ['default/object-1: 7 after 8'] }, /7 after 8/],
    ...faults.map(
      (fault) =>
        [`too little of ${fault}`, { inflicted: { ...inflicted, [fault]: 1 } }, new RegExp(`"${fault}": 1`)] as const,
    ),
  ].map(([what, change, says]) => [what, change, says] as [string, Partial<WatchResult>, RegExp]);
  for (const [what, change, says] of rows) fails(t, what, missedWatch({ ...good, ...change }, wanted), says);
});

t.test(
  'a measurement of size fails unless everything is known, nothing is written, and it is fast and small',
  async (t) => {
    const report = {
      readyMilliseconds: 100,
      residentAtReady: 0,
      residentAtRest: 0,
      heapAtRest: 0,
      applied: 0,
      writes: 0,
    };
    const small = { ...report, namespaces: 10, objects: 60 };
    const large = { ...report, namespaces: 110, objects: 660, residentAtRest: 600_000 };
    const good: ScaleResult = { small, large };
    t.same(missedScale(good, scaleLimits), []);
    const rows: readonly [string, Partial<typeof large>, RegExp][] = [
      ['something that is not known', { objects: 659 }, /^659 objects are known instead of 660$/],
      ['a write', { writes: 1 }, /^it wrote 1 times/],
      ['a namespace that is waited for', { applied: 1 }, /although nothing was to be written/],
      ['ready too late', { readyMilliseconds: 5_001 }, /^it was ready too late$/],
      ['too much memory', { residentAtRest: 700_000 }, /^it takes too much memory$/],
    ];
    for (const [what, change, says] of rows)
      fails(t, what, missedScale({ small, large: { ...large, ...change } }, scaleLimits), says);
  },
);

t.test('an audit fails unless it finds every pod and keeps none', async (t) => {
  const small = { pods: 10, found: 10, bytes: 0, peak: 100_000_000, milliseconds: 1 };
  const large = { ...small, pods: 1_000, found: 1_000, peak: 130_000_000 };
  t.same(missedAudit({ small, large }, auditLimits), []);
  const rows: readonly [string, Partial<typeof large>, RegExp][] = [
    ['a pod that is not found', { found: 999 }, /^999 of 1000 pods were found$/],
    ['pods that are kept', { peak: 180_000_000 }, /^it takes too much memory$/],
    ['a peak that is not known', { peak: Number.NaN }, /^it takes too much memory$/],
  ];
  for (const [what, change, says] of rows)
    fails(t, what, missedAudit({ small, large: { ...large, ...change } }, auditLimits), says);
});

/** It is said once. */
function fails(t: Test, what: string, missed: readonly string[], says: RegExp): void {
  const found = missed.filter((one) => says.test(one));
  t.equal(found.length, 1, `${what} makes it fail: ${missed.join('; ')}`);
}
