/** All that `serve` shows at /metrics, with every label value that it can have. */
import type { Registry } from 'prom-client';
import { type Phase, phases } from '../../src/admission/decision.ts';
import { catalogue } from '../../src/checks/catalogue.ts';
import { registerClusterMetrics } from '../../src/commands/cluster-metrics.ts';
import { registerProcessMetrics } from '../../src/commands/process-metrics.ts';
import { kindNames } from '../../src/kinds/kind-names.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { admitted } from '../server/serving.ts';
import { counters } from './counters.ts';

export function wholeRegistry(): Registry {
  const metrics = createMetrics();
  metrics.serving(Date.now() + 1000);
  for (const phase of phases)
    for (const kind of [...kindNames, 'Forged'])
      for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'FORGED'])
        for (const [code, allowed] of outcomes(phase))
          metrics.reviewed({ ...admitted, phase, kind, operation, code, allowed }, 0.001);
  for (const { id } of catalogue)
    for (const mode of ['enforce', 'warn', 'audit'] as const)
      metrics.reviewed({ ...admitted, mode, checks: [id], exempted: [id] }, 0.001);
  registerClusterMetrics(metrics.registry, { counters: () => counters });
  registerProcessMetrics(metrics.registry, () => []);
  return metrics.registry;
}

/** The phase `warn` refuses nothing, but for what is no review at all. */
function outcomes(phase: Phase): readonly (readonly [code: number, allowed: boolean])[] {
  const refusals = [400, 403, 500, 503].map((code) => [code, false] as const);
  const told = phase === 'warn' ? refusals.map(([code]) => [code, true] as const) : [];
  return [[200, true], ...refusals, ...told];
}
