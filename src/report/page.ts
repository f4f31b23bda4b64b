/**
 * The page of an audit, which needs no network: a policy that allows this script and this style alone, the data as JSON that no name in it
 * can end, and nothing else that comes from the cluster.
 */

import type { PictureNamespace, PictureWorkload } from '../picture/picture-namespaces.ts';
import { requirements } from '../picture/requirements.ts';
import { type AuditResult, rejectedIn, warningsOf } from './audit-result.ts';

/** In report/page/, in the order in which they are joined. */
export const scripts = ['elements.js', 'matrix.js', 'lists.js', 'main.js'] as const;
export const styles = ['page.css'] as const;

export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** @param sha256 of a text in UTF-8, as base64 */
export function htmlPage(result: AuditResult, { script, style }: PageParts, sha256: (text: string) => string): string {
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${sha256(script)}'`,
    `style-src 'sha256-${sha256(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Bulkhead: who reaches whom</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript, which it carries itself. It loads nothing.</noscript>
<script type="application/json" id="data">${dataOf(result)}</script>
<script>${script}</script>
</body>
</html>`;
}

/** Without `<`, no text ends the element that holds it; U+2028 and U+2029 are fine in JSON, and nothing here is run. */
function dataOf(result: AuditResult): string {
  const { connectivity } = result;
  const texts = createTexts();
  const data = {
    ...connectivity,
    namespaces: connectivity.namespaces.map((one) => packed(one, texts.numberOf)),
    requirements,
    warnings: warningsOf(result),
    rejected: rejectedIn(result).map(({ check, tenant, count }) => ({ check, tenant, count })),
    texts: texts.list,
  };
  return JSON.stringify(data).replaceAll('<', '\\u003c');
}

/** Large clusters say the same thing in thousands of namespaces, so texts that come again are numbers. */
function packed(one: PictureNamespace, numberOf: (text: string) => number): readonly unknown[] {
  const { name, tenant, pods, onNodes, open, workloads, policies } = one;
  return [
    ...[name, numberOf(tenant), pods, onNodes, open.ingress, open.egress],
    workloads.map((workload) => [workload.name, workload.pods, markOf(workload)]),
    policies.map((policy) => [
      numberOf(policy.name),
      policy.pods,
      policy.rules.map(({ direction, action, peers, ports, layer7 }) =>
        numberOf(
          JSON.stringify([
            ...[direction, action, peers],
            layer7 === undefined ? ports : `${ports}, for ${layer7.slice(0, 3).join(', ')} alone`,
          ]),
        ),
      ),
    ]),
  ];
}

/** 1: open for ingress, 2: for egress, 4: on the network of the node. */
function markOf({ open, onNode }: PictureWorkload): number {
  return (open.includes('ingress') ? 1 : 0) + (open.includes('egress') ? 2 : 0) + (onNode === true ? 4 : 0);
}

function createTexts() {
  const list: string[] = [];
  const numbers = new Map<string, number>();
  return {
    list,
    numberOf(text: string): number {
      let number = numbers.get(text);
      if (number === undefined) {
        number = list.length;
        list.push(text);
        numbers.set(text, number);
      }
      return number;
    },
  };
}
