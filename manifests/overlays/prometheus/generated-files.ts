/** The files that others read as they are, and their text. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboard } from './dashboard.ts';

export const alertsFile = join(import.meta.dirname, 'alerts.yaml');
const ruleFile = join(import.meta.dirname, 'prometheus-rule.yaml');
const dashboardFile = join(import.meta.dirname, 'dashboard.json');

export function generatedFiles(): readonly { readonly file: string; readonly text: string }[] {
  return [
    { file: ruleFile, text: prometheusRule(readFileSync(alertsFile, 'utf8')) },
    { file: dashboardFile, text: `${JSON.stringify(dashboard, null, 2)}\n` },
  ];
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
