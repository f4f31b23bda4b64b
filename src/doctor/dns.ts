/** Whether tenants find names: what the settings select for DNS is there. That they open DNS at all is checked when they are loaded. */
import { fieldsAt } from '../client/decode.ts';
import { valueAt } from '../kubernetes/json.ts';
import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import { opensNames } from '../tenancy/parse-services.ts';
import type { SharedService } from '../tenancy/settings.ts';
import type { DoctorCheck, Examination } from './check.ts';

const nodeLocal = 'node-local-dns';
const home = 'kube-system';

export const dns: DoctorCheck = {
  about: 'DNS',
  findings: {
    'dns-without-pods': {
      severity: 'warning',
      meaning: 'the shared service for DNS selects no pod that exists',
      fix: 'correct namespace and podSelector of the shared service; the labels are those of the pods, not of the Service',
    },
    'dns-of-tenant': {
      severity: 'error',
      meaning: 'the namespace of the shared service for DNS belongs to a tenant, which then answers the queries of all',
      fix: 'in sharedServices, name the namespace in which the platform runs DNS',
    },
    'dns-node-local': {
      severity: 'warning',
      meaning: 'the nodes have a DNS cache of their own (NodeLocal DNSCache), and no shared service opens its address',
      fix: 'add the address of the cache to the shared service (docs/how-to/shared-services.md)',
    },
  },
  async look(examination) {
    const { tenancy, found, list } = examination;
    const services = tenancy.settings.sharedServices.filter(opensNames);
    for (const service of services) await findPods(service, examination);
    await list([`/apis/apps/v1/namespaces/${home}/daemonsets`], ({ metadata }) => {
      if (metadata.name !== nodeLocal || services.length === 0) return;
      if (services.every(({ addresses, endpoints = [] }) => addresses.length + endpoints.length === 0))
        found('dns-node-local', {
          where: `DaemonSet ${home}/${nodeLocal}`,
          why: 'the shared services for DNS list no address, and the cache answers on an address of the node',
        });
    });
  },
};

async function findPods(service: SharedService, examination: Examination): Promise<void> {
  const { name, namespace, podSelector } = service;
  if (namespace === undefined) return;
  const where = `settings, shared service ${name}`;
  const owner = examination.ownerOf(namespace);
  if (owner === undefined) {
    examination.found('dns-without-pods', { where, why: `there is no namespace ${namespace}` });
    return;
  }
  if (owner !== 'platform') {
    examination.found('dns-of-tenant', { where, why: `namespace ${namespace} has the label of tenant ${owner.name}` });
    return;
  }
  const selector = parseSelector(podSelector ?? {});
  let count = 0;
  const isRead = await examination.list([`/api/v1/namespaces/${namespace}/pods`], ({ object }) => {
    const phase = valueAt(object, 'status', 'phase');
    if (phase === 'Succeeded' || phase === 'Failed') return;
    if (selector.ok && isSelected(selector.value, fieldsAt(object, 'metadata', 'labels'))) count++;
  });
  if (isRead && count === 0)
    examination.found('dns-without-pods', {
      where,
      why: `no pod in namespace ${namespace} has the labels of its podSelector`,
    });
}

export function isSelected(selector: Selector, labels: Readonly<Record<string, unknown>>): boolean {
  const texts = Object.entries(labels).filter((one): one is [string, string] => typeof one[1] === 'string');
  return matches(selector, new Map(texts));
}
