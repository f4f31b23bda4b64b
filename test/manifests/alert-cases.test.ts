/** manifests/overlays/prometheus/alerts.test.yaml is run by Prometheus' own tool; here it is held to the alerts and to the metrics. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { alertsFile } from '../../manifests/overlays/prometheus/generated-files.ts';
import { wholeRegistry } from '../commands/whole-registry.ts';
import { apiServerSeries } from './api-server-series.ts';
import { seriesIn } from './exposition.ts';

interface Cases {
  readonly tests: readonly {
    readonly name: string;
    readonly input_series?: readonly { readonly series: string }[];
    readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[];
  }[];
}

const cases: Cases = parse(readFileSync('manifests/overlays/prometheus/alerts.test.yaml', 'utf8'));
const rules: { groups: { rules: { alert: string }[] }[] } = parse(readFileSync(alertsFile, 'utf8'));

t.test('every alert is seen to fire', async (t) => {
  const fired = cases.tests.flatMap(({ promql_expr_test }) =>
    promql_expr_test.flatMap(({ exp_samples }) =>
      exp_samples.map(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1]),
    ),
  );
  const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
  t.strictSame([...new Set(fired)].sort(), alerts.sort());
});

t.test('and by series that there are', async (t) => {
  const known = [...seriesIn(await wholeRegistry().metrics()), ...seriesIn(apiServerSeries)];
  const written = cases.tests.flatMap(({ input_series = [] }) => input_series.map(({ series }) => series));
  for (const series of new Set(written)) {
    const [one] = seriesIn(`${series} 1`);
    const same = known.filter(({ name }) => name === one?.name);
    t.not(same.length, 0, `${series}: its name`);
    for (const label of one?.labels.keys() ?? [])
      t.ok(label === 'instance' || same.some(({ labels }) => labels.has(label)), `${series}: its label ${label}`);
  }
});
