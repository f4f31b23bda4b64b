/** The files that others read as they are, and their text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultDocsURL, docsPage } from '../../../src/tenancy/docs-page.ts';
import { dashboard } from './dashboard.ts';

export const alertsFile = join(import.meta.dirname, 'alerts.yaml');
const ruleFile = join(import.meta.dirname, 'prometheus-rule.yaml');
const dashboardFile = join(import.meta.dirname, 'dashboard.json');

export function generatedFiles(docsURL = defaultDocsURL): readonly { readonly file: string; readonly text: string }[] {
  const alerts = linked(readFileSync(alertsFile, 'utf8'), docsPage({ docsURL }, 'alerts.md'));
  return [
    { file: alertsFile, text: alerts },
    { file: ruleFile, text: prometheusRule(alerts) },
    { file: dashboardFile, text: `${JSON.stringify(dashboard, null, 2)}\n` },
  ];
}

/** The runbook of each alert is a section of the page, after its description. */
function linked(alerts: string, page: string): string {
  return alerts
    .replace(/^ *runbook_url: .*\n/gm, '')
    .replace(
      /- alert: (\w+)\n[\s\S]*?\n( *)description: .*\n/g,
      (rule, alert: string, indent) => `${rule}${indent}runbook_url: ${page}#${alert.toLowerCase()}\n`,
    );
}

const ruleHead = `# Made from alerts.yaml by generate.ts.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bulkhead
  namespace: bulkhead-system
spec:
`;

/** @param alerts a rule file of Prometheus: what a PrometheusRule has as its spec */
function prometheusRule(alerts: string): string {
  const spec = alerts.slice(alerts.search(/^groups:$/m));
  return ruleHead + spec.replace(/^(?=.)/gm, '  ');
}
