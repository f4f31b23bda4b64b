/** What an expression of PromQL asks for, by the grammar of Prometheus itself. */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Query {
  /** What the grammar does not know, as it is written. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels by which series are added up or brought together, and the metrics that must have them. */
  readonly groupings: readonly { readonly labels: readonly string[]; readonly metrics: readonly string[] }[];
}

/** @param expression with Grafana's `$__rate_interval`, or without */
export function readQuery(expression: string): Query {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const textOf = (node: SyntaxNode): string => text.slice(node.from, node.to);
  const top = parser.parse(text).topNode;
  const selectorOf = (node: SyntaxNode): Selector => ({
    metric: all(node, 'Identifier').map(textOf).join(),
    matchers: all(node, 'UnquotedLabelMatcher').map((matcher) => ({
      label: all(matcher, 'LabelName').map(textOf).join(),
      operator: all(matcher, 'MatchOp').map(textOf).join(),
      value: all(matcher, 'StringLiteral').map(textOf).join().slice(1, -1),
    })),
  });
  return {
    errors: all(top, '⚠').map((node) => `${textOf(node)} at ${node.from} of ${text}`),
    selectors: all(top, 'VectorSelector').map(selectorOf),
    groupings: all(top, 'GroupingLabels').map((node) => ({
      labels: all(node, 'LabelName').map(textOf),
      // The modifier's own parent is the aggregation, or both sides of the operator.
      metrics: all(node.parent?.parent ?? top, 'VectorSelector').map((selector) => selectorOf(selector).metric),
    })),
  };
}

/** All nodes of one type in a part of the tree, in the order of the text. */
function all(part: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  part.cursor().iterate((node) => {
    if (node.name === name) found.push(node.node);
  });
  return found;
}
