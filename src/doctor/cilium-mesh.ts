/** Whether what Cilium says of its mesh of clusters agrees with the settings. Cilium alone reads names of clusters in policies. */
import { fieldsAt } from '../client/decode.ts';
import type { DoctorCheck } from './check.ts';
import { type InstalledProgram, installedPrograms } from './installed.ts';
import { isTrue } from './programs.ts';
import { compareVersions } from './version.ts';

const configMap = 'cilium-config';
/** From here on, `policy-default-local-cluster` is true by default. */
const scoped = { numbers: [1, 19], isEarly: false };
const option = 'policy-default-local-cluster';

export const ciliumMesh: DoctorCheck = {
  about: "Cilium's mesh of clusters",
  findings: {
    'cilium-cluster-name': {
      severity: 'error',
      meaning:
        'the settings give this cluster another name than Cilium does, so policies that name a cluster are misread',
      fix: 'write cluster-name of the ConfigMap as network.clusterName of the settings',
    },
    'cilium-mesh-unscoped': {
      severity: 'error',
      meaning:
        'in a mesh, policies that name no cluster also select the namespaces of the same names and labels in other clusters',
      fix: `set ${option}: "true" in the ConfigMap and restart the agents, with Cilium 1.18 or later`,
    },
  },
  async look(examination) {
    const { get, found, tenancy } = examination;
    const installed = await installedPrograms(examination, 'DaemonSet');
    const cilium = installed?.programs.find(({ program }) => program.options?.configMap === configMap);
    if (cilium === undefined) return;
    const data = fieldsAt(await get(`/api/v1/namespaces/${cilium.namespace}/configmaps/${configMap}`), 'data');
    const where = `ConfigMap ${cilium.namespace}/${configMap}`;
    const { clusterName } = tenancy.settings;
    const name = data['cluster-name'];
    if (clusterName !== undefined && typeof name === 'string' && name !== clusterName)
      found('cilium-cluster-name', {
        where,
        why: `cluster-name is ${name}, and network.clusterName is ${clusterName}`,
      });
    const id = data['cluster-id'];
    if (typeof id !== 'string' || id === '' || id === '0') return;
    const why = whyUnscoped(data[option], cilium);
    if (why !== undefined) found('cilium-mesh-unscoped', { where, why: `cluster-id is ${id}, and ${why}` });
  },
};

function whyUnscoped(written: unknown, { version, tag }: InstalledProgram): string | undefined {
  if (typeof written === 'string') return isTrue(written) ? undefined : `${option} is ${written}`;
  if (version === undefined || compareVersions(version, scoped) >= 0) return undefined;
  return `${option} is missing, which is false in Cilium ${tag}`;
}
