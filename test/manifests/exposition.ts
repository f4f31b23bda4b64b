/** Series in the text form of Prometheus, as `/metrics` shows them. */

export interface Series {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

export function seriesIn(text: string): Series[] {
  return [...text.matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gm)].map(([, name = '', labels = '']) => ({
    name,
    labels: new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value])),
  }));
}
