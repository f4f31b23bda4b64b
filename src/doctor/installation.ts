/** Whether Bulkhead itself goes on while a node is drained, or dies. */
import { type DecodedObject, fieldsAt } from '../client/decode.ts';
import { valueAt } from '../kubernetes/json.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import type { DoctorCheck, Examination } from './check.ts';
import { isSelected } from './dns.ts';

const nameLabel = 'app.kubernetes.io/name';
/** Where the manifests install it. */
const home = 'bulkhead-system';

export const installation: DoctorCheck = {
  about: 'replicas of Bulkhead',
  findings: {
    'replicas-missing': {
      severity: 'error',
      meaning: `namespace ${home} has no Deployment with the label ${nameLabel}: bulkhead`,
      fix: 'apply the manifests of Bulkhead; if it runs elsewhere on purpose, look there',
    },
    'replicas-too-few': {
      severity: 'warning',
      meaning: 'Bulkhead has one replica or none, so an update or a drained node stops the writes of tenants',
      fix: 'set replicas: 2 or more',
    },
    'replicas-not-ready': {
      severity: 'warning',
      meaning: 'replicas of Bulkhead are not ready; with none at all this is an error',
      fix: 'look at the pods of the Deployment, and at their log',
    },
    'disruption-budget-missing': {
      severity: 'warning',
      meaning: 'no PodDisruptionBudget keeps a replica of Bulkhead while nodes are drained',
      fix: 'apply the PodDisruptionBudget of the manifests (minAvailable: 1)',
    },
  },
  async look(examination) {
    const { list, found } = examination;
    const deployments: DecodedObject[] = [];
    const isRead = await list([`/apis/apps/v1/namespaces/${home}/deployments`], (object) => {
      if (
        valueAt(object.object, 'metadata', 'labels', nameLabel) === 'bulkhead' ||
        podLabels(object)[nameLabel] === 'bulkhead'
      )
        deployments.push(object);
    });
    if (!isRead) return;
    if (deployments.length === 0) {
      found('replicas-missing', { where: `namespace ${home}`, why: 'none of its Deployments is Bulkhead' });
      return;
    }
    const budgets: DecodedObject[] = [];
    const knowsBudgets = await list([`/apis/policy/v1/namespaces/${home}/poddisruptionbudgets`], (object) => {
      budgets.push(object);
    });
    for (const deployment of deployments) {
      findReplicas(deployment, found);
      const isKept = budgets.some((budget) => keeps(budget, deployment));
      if (knowsBudgets && !isKept)
        found('disruption-budget-missing', { where: nameOf(deployment), why: 'none selects its pods and keeps one' });
    }
  },
};

function findReplicas(deployment: DecodedObject, found: Examination['found']): void {
  const where = nameOf(deployment);
  const wanted = Number(fieldsAt(deployment.object, 'spec').replicas ?? 1);
  const ready = Number(fieldsAt(deployment.object, 'status').readyReplicas) || 0;
  if (wanted < 2) found('replicas-too-few', { where, why: `it has ${wanted} replica${wanted === 1 ? '' : 's'}` });
  if (ready < wanted)
    found('replicas-not-ready', {
      where,
      why: `${ready} of ${wanted} are ready`,
      severity: ready === 0 ? 'error' : 'warning',
    });
}

/** Whether the budget selects the pods, and does not let all of them go. */
function keeps({ object }: DecodedObject, deployment: DecodedObject): boolean {
  const { selector, minAvailable, maxUnavailable } = fieldsAt(object, 'spec');
  const parsed = parseSelector(selector ?? {});
  if (selector === undefined || !parsed.ok || !isSelected(parsed.value, podLabels(deployment))) return false;
  if (maxUnavailable === undefined) return Number.parseInt(String(minAvailable), 10) > 0;
  const replicas = Number(fieldsAt(deployment.object, 'spec').replicas ?? 1);
  return typeof maxUnavailable === 'number' ? maxUnavailable < replicas : maxUnavailable !== '100%';
}

function podLabels({ object }: DecodedObject): Readonly<Record<string, unknown>> {
  return fieldsAt(object, 'spec', 'template', 'metadata', 'labels');
}

function nameOf({ metadata }: DecodedObject): string {
  return `Deployment ${metadata.namespace}/${metadata.name}`;
}
