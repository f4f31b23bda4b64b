/** manifests/overlays/prometheus: what it asks for exists, what it says leads somewhere, and what it shows can be drawn. */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { dashboard } from '../../manifests/overlays/prometheus/dashboard.ts';
import { alertsFile, generatedFiles } from '../../manifests/overlays/prometheus/generated-files.ts';
import { wholeRegistry } from '../commands/whole-registry.ts';
import { apiServerSeries } from './api-server-series.ts';
import { only } from './base.ts';
import { type Series, seriesIn } from './exposition.ts';
import { type Matcher, readQuery } from './promql.ts';

const folder = 'manifests/overlays/prometheus';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const rules: { groups: readonly { name: string; rules: readonly Alert[] }[] } = parse(readFileSync(alertsFile, 'utf8'));
const alerts = rules.groups.flatMap((group) => group.rules);
/** The sections of docs/alerts.md, by their titles. A title is one word, so its anchor is the title in lower case. */
const sections = new Map(
  readFileSync('docs/alerts.md', 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section): [string, string] => [section.slice(0, section.indexOf('\n')), section]),
);

const drawn = dashboard.panels.filter((panel) => panel.type !== 'row');
const questions: readonly { readonly of: string; readonly expr: string }[] = [
  ...alerts.map(({ alert, expr }) => ({ of: alert, expr })),
  ...drawn.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ of: title, expr }))),
];

const own = seriesIn(await wholeRegistry().metrics());
const known = [...own, ...seriesIn(apiServerSeries)];
/** What Prometheus adds to every series, from where it was scraped. */
const targetLabels = ['instance', 'job'];

t.test('the committed files are what is made of alerts.yaml and dashboard.ts', async (t) => {
  for (const { file, text } of generatedFiles()) t.equal(readFileSync(file, 'utf8'), text, 'run npm run monitoring');
  const rule = parse(readFileSync(`${folder}/prometheus-rule.yaml`, 'utf8'));
  t.strictSame(rule.spec, rules, 'the operator gets the rules of the plain file');
  t.strictSame(JSON.parse(readFileSync(`${folder}/dashboard.json`, 'utf8')), JSON.parse(JSON.stringify(dashboard)));
});

t.test('what is asked for is PromQL, and exists', async (t) => {
  for (const { of, expr } of questions) {
    const { errors, selectors, groupings } = readQuery(expr);
    t.strictSame(errors, [], `${of}: the grammar of Prometheus takes it`);
    t.not(selectors.length, 0, `${of} asks for something`);
    for (const { metric, matchers } of selectors) {
      const series = known.filter(({ name }) => name === metric);
      t.not(series.length, 0, `${of}: ${metric} exists`);
      for (const matcher of matchers)
        t.strictSame(
          unmatched(matcher, series),
          [],
          `${of}: ${metric} has ${matcher.label}${matcher.operator}"${matcher.value}"`,
        );
    }
    for (const { labels, metrics } of groupings)
      for (const metric of metrics) {
        const has = new Set([
          ...targetLabels,
          ...known.filter(({ name }) => name === metric).flatMap(({ labels: own }) => [...own.keys()]),
        ]);
        t.strictSame(
          labels.filter((label) => !has.has(label)),
          [],
          `${of}: ${metric} has the labels ${labels.join(', ')}`,
        );
      }
  }
});

t.test('what the API server counts of a webhook that guards is asked for by every question about it', async (t) => {
  const guarding = new Set(
    known.flatMap(({ labels }) => labels.get('name') ?? []).filter((name) => /^(mutate|validate)\./.test(name)),
  );
  const files = globSync('manifests/base/webhooks-*.yaml').map((file) => readFileSync(file, 'utf8'));
  const installed = files.flatMap((text) =>
    [...text.matchAll(/- name: ((?:mutate|validate)\.\S+)/g)].map(([, name]) => name),
  );
  t.strictSame([...guarding].sort(), [...new Set(installed)].sort(), 'those of the manifests');
  for (const { of, expr } of questions)
    for (const { metric, matchers } of readQuery(expr).selectors) {
      const names = matchers.find(({ label }) => label === 'name');
      if (!metric.startsWith('apiserver_admission_webhook_') || names === undefined) continue;
      const left = [...guarding].filter((name) => !new RegExp(`^(?:${names.value})$`).test(name));
      t.strictSame(left, [], `${of}: ${metric}`);
    }
});

t.test('every metric of Bulkhead is on the dashboard', async (t) => {
  const shown = new Set(
    drawn.flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => readQuery(expr).selectors.map(({ metric }) => metric)),
    ),
  );
  const names = new Set(own.map(({ name }) => name).filter((name) => name.startsWith('bulkhead_')));
  // Of a histogram, buckets are enough.
  const needed = [...names].filter((name) => !/_seconds_(sum|count)$/.test(name));
  t.strictSame(
    needed.filter((name) => !shown.has(name)),
    [],
  );
});

t.test('every alert says how grave it is, what it is, and where to read on', async (t) => {
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'each name is there once');
  for (const { alert, labels, annotations, expr, for: lasting = '0s' } of alerts) {
    t.match(alert, /^Bulkhead[A-Z]\w+$/);
    t.match(labels.severity, /^(critical|warning)$/, `${alert} has a severity`);
    t.match(lasting, /^\d+[smh]$/);
    t.match(annotations.summary, /^[A-Z].*\.$/, `${alert} has a summary`);
    t.match(annotations.description, /\.$/, `${alert} has a description`);
    const [page, anchor] = annotations.runbook_url?.split('#') ?? [];
    t.equal(page, 'docs/alerts.md', `${alert} leads to the page`);
    t.strictSame(
      [...sections.keys()].filter((title) => title.toLowerCase() === anchor),
      [alert],
      `${alert} leads to its section`,
    );
    const { selectors, groupings } = readQuery(expr);
    const kept = new Set(groupings.flatMap(({ labels: names }) => names));
    for (const [, label = ''] of Object.values(annotations)
      .join()
      .matchAll(/\$labels\.(\w+)/g))
      t.ok(kept.has(label), `${alert} keeps the label ${label} of which it speaks`);
    const metricsPage = readFileSync('docs/metrics.md', 'utf8');
    for (const { metric } of selectors.filter(({ metric: name }) => name.startsWith('bulkhead_')))
      t.ok(metricsPage.includes(`\`${metric}\``), `${metric} is in docs/metrics.md`);
  }
});

t.test('runbooks are where --docs-url says, whatever the file said before', async (t) => {
  const expected = alerts.map(({ alert }) => `https://wiki.example/bulkhead/alerts.md#${alert.toLowerCase()}`);
  const texts = generatedFiles('https://wiki.example/bulkhead').map(({ text }) => text);
  for (const text of texts.slice(0, 2))
    t.strictSame(
      [...text.matchAll(/^ *runbook_url: (.*)$/gm)].map(([, url]) => url),
      expected,
    );
});

t.test('every alert has its section, and every section an alert', async (t) => {
  t.strictSame(
    [...sections.keys()],
    alerts.map(({ alert }) => alert),
    'in the order of the rules',
  );
  for (const { alert, labels, expr } of alerts) {
    const section = sections.get(alert) ?? '';
    t.match(section, `\n**${labels.severity === 'critical' ? 'Critical' : 'Warning'}.**`, `${alert}: how bad`);
    for (const part of ['Meaning', 'Diagnosis', 'Mitigation'])
      t.match(section, `\n**${part}.** `, `${alert}: ${part.toLowerCase()}`);
    const metrics = new Set(readQuery(expr).selectors.map(({ metric }) => metric.replace(/_(bucket|count)$/, '')));
    for (const metric of metrics) t.ok(section.includes(metric), `${alert}: its section names ${metric}`);
  }
});

t.test('every metric that docs/alerts.md names exists', async (t) => {
  const names = new Set(known.map(({ name }) => name));
  const named = [...sections.values()].join().matchAll(/`((?:bulkhead|apiserver)_\w+)/g);
  for (const [, name = ''] of named)
    t.ok(
      [name, `${name}_bucket`].some((one) => names.has(one)),
      `${name} exists`,
    );
});

t.test('every line of the log that docs/alerts.md quotes is one', async (t) => {
  const sources = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
  const quoted = [...sections.values()].flatMap((section) => [
    ...section.replace(/`[^`]*`/g, '').matchAll(/"([^"]+)"/g),
  ]);
  t.not(quoted.length, 0);
  const rows = dashboard.panels.flatMap(({ type, title }) => (type === 'row' ? [title] : []));
  for (const [, words = ''] of quoted)
    t.ok(rows.includes(words) || sources.some((source) => source.includes(`'${words}'`)), `"${words}"`);
});

t.test('the dashboard is one that Grafana can draw', async (t) => {
  const { panels, templating } = dashboard;
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'every panel has an id of its own');
  const cells = new Map<string, string>();
  for (const {
    title,
    gridPos: { x, y, w, h },
  } of panels) {
    t.ok(x >= 0 && x + w <= 24, `${title} is on the grid`);
    for (let column = x; column < x + w; column++)
      for (let line = y; line < y + h; line++) {
        const cell = `${column},${line}`;
        if (cells.has(cell)) t.fail(`${title} lies on ${cells.get(cell)}`);
        cells.set(cell, title);
      }
  }
  t.strictSame(
    templating.list.map(({ name, type, query }) => ({ name, type, query })),
    [{ name: 'datasource', type: 'datasource', query: 'prometheus' }],
  );
  for (const { title, description, datasource, targets, fieldConfig } of drawn) {
    t.match(description, /\.$/, `${title} is described`);
    t.strictSame(
      datasource,
      { type: 'prometheus', uid: '$datasource' },
      `${title} asks the data source that is chosen`,
    );
    t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, 'and each query has its letter');
    const [first, ...others] = fieldConfig.defaults.thresholds.steps.map(({ value }) => value);
    t.equal(first, null, 'the first colour holds from the lowest value on');
    t.strictSame(
      others,
      [...others].sort((one, other) => Number(one) - Number(other)),
    );
    for (const { legendFormat, expr } of targets) {
      const kept = readQuery(expr).groupings.flatMap(({ labels }) => labels);
      const carried = known
        .filter(({ name }) => name === readQuery(expr).selectors[0]?.metric)
        .flatMap(({ labels }) => [...labels.keys()]);
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        t.ok(
          (kept.length > 0 ? kept : [...targetLabels, ...carried]).includes(label),
          `${title}: its legend can say ${label}`,
        );
    }
  }
  // What `kubectl apply` keeps in an annotation of the ConfigMap has this limit.
  t.ok(JSON.stringify(dashboard, null, 2).length < 256 * 1024);
});

t.test('who is scraped, and who may scrape', async (t) => {
  const deployment = only('Deployment');
  const { labels } = deployment.spec.template.metadata;
  const metricsPort = deployment.spec.template.spec.containers[0].ports.find(({ name }) => name === 'metrics');
  const monitor = documents('pod-monitor.yaml')[0];
  t.match(monitor, {
    metadata: { namespace: deployment.metadata.namespace },
    spec: { selector: { matchLabels: labels }, podMetricsEndpoints: [{ port: metricsPort?.name }] },
  });
  const policy = documents('network-policy.yaml')[0] as {
    spec: {
      podSelector: object;
      policyTypes: string[];
      ingress: { from: { namespaceSelector: { matchLabels: Record<string, string> } }[]; ports: object[] }[];
    };
  };
  t.strictSame(policy.spec.podSelector, { matchLabels: labels });
  t.strictSame(policy.spec.policyTypes, ['Ingress'], 'it opens nothing outwards');
  t.equal(policy.spec.ingress.length, 1);
  t.strictSame(policy.spec.ingress[0]?.ports, [{ protocol: 'TCP', port: metricsPort?.containerPort }], 'one port');
  for (const { namespaceSelector } of policy.spec.ingress[0]?.from ?? [])
    t.strictSame(
      Object.keys(namespaceSelector.matchLabels),
      ['kubernetes.io/metadata.name'],
      'to a namespace that nobody can pretend to be',
    );
  const settings = parse(readFileSync('manifests/overlays/example/bulkhead.yaml', 'utf8'));
  t.ok(settings.spec.platform.namespaces.includes('monitoring'), 'which the example settings keep for the platform');
});

function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(`${folder}/${file}`, 'utf8')).map((document) => document.toJS());
}

/** The values, of those that a matcher lists, which no series has; a matcher that excludes must have something to exclude. */
function unmatched({ label, operator, value }: Matcher, series: readonly Series[]): string[] {
  const values = new Set(series.map(({ labels }) => labels.get(label)));
  const wanted = operator.endsWith('~') ? alternatives(value) : [value];
  return wanted.filter((one) => !values.has(one));
}

/** Of a regular expression that only lists: `(a|b)[.]c` are `a.c` and `b.c`. */
function alternatives(pattern: string): string[] {
  const [, before = '', list, after = ''] = /^([^()]*)\((.*)\)([^()]*)$/.exec(pattern) ?? [undefined, '', pattern, ''];
  return (list ?? '').split('|').map((one) => `${before}${one}${after}`.replaceAll('[.]', '.'));
}
