/** Panels as Grafana takes them, laid out: a row for each question, three panels beside each other. */

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: 'stat' | 'timeseries';
  /** As Grafana names it; plain numbers without. */
  readonly unit?: string;
  readonly targets: readonly { readonly expr: string; readonly legend: string }[];
  /** From which value on it has which colour. */
  readonly thresholds?: Readonly<Record<string, number>>;
}

export interface Question {
  readonly title: string;
  readonly panels: readonly Panel[];
}

interface Placed {
  readonly id: number;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}
type Row = Placed & { readonly type: 'row'; readonly title: string; readonly collapsed: false; readonly panels: [] };
type Drawn = Placed & ReturnType<typeof grafanaPanel>;

const datasource = { type: 'prometheus', uid: '$datasource' };
/** Grafana's grid. */
const columns = 24;
const sizes = { stat: { w: 6, h: 4 }, timeseries: { w: 8, h: 8 } } as const;

/** JSON of a dashboard, schema version 41 (Grafana 12; later ones bring it up to date when they load it). */
export function laidOut(questions: readonly Question[]) {
  const panels: (Row | Drawn)[] = [];
  let y = 0;
  const nextId = () => panels.length + 1;
  for (const { title, panels: asked } of questions) {
    panels.push({
      id: nextId(),
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: columns, h: 1 },
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of asked) {
      const { w, h } = sizes[panel.type];
      // The next line: this one is full, or of another height.
      if (x + w > columns || (height !== 0 && height !== h)) {
        y += height;
        x = 0;
      }
      height = h;
      panels.push({ id: nextId(), ...grafanaPanel(panel), gridPos: { x, y, w, h } });
      x += w;
    }
    y += height;
  }
  return {
    uid: 'bulkhead',
    title: 'Bulkhead',
    description: 'The admission webhook that keeps tenants apart: docs/metrics.md and docs/alerts.md say more.',
    tags: ['bulkhead'],
    schemaVersion: 41,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: '',
    time: { from: 'now-6h', to: 'now' },
    refresh: '1m',
    templating: {
      list: [
        {
          name: 'datasource',
          label: 'Data source',
          type: 'datasource',
          query: 'prometheus',
          refresh: 1,
          current: {},
          options: [],
        },
      ],
    },
    annotations: { list: [] },
    links: [],
    panels,
  };
}

function grafanaPanel({ title, description, type, unit = 'short', targets, thresholds }: Panel) {
  // The first step has no value: it is the colour of all that is below the second.
  const steps = Object.entries(thresholds ?? { green: 0 }).map(([color, value], index) => ({
    color,
    value: index === 0 ? null : value,
  }));
  return {
    type,
    title,
    description,
    datasource,
    targets: targets.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat: legend,
      ...(type === 'stat' ? { instant: true } : { range: true }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(type === 'timeseries' && { min: 0, custom: { lineWidth: 1, fillOpacity: 10, showPoints: 'never' } }),
        color: { mode: type === 'stat' ? 'thresholds' : 'palette-classic' },
        thresholds: { mode: 'absolute', steps },
      },
      overrides: [],
    },
    options:
      type === 'stat'
        ? {
            reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
            colorMode: 'value',
            graphMode: 'none',
          }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}
