import { type Check, type Finding, nothing } from './check.ts';
import { ofSettings } from './grants.ts';

/**
 * The kernel settings of the network that Kubernetes calls safe: each pod has its own, and none touches another pod of the node.
 * Source: kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster, as of Kubernetes 1.37.
 */
const safe: ReadonlySet<string> = new Set([
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_notsent_lowat',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_slow_start_after_idle',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/**
 * A pod of a tenant does not turn the network's kernel settings.
 * Reads    spec.securityContext.sysctls[*].name, with dots or with slashes, on CREATE, and when containers change (changed-containers.ts)
 * Allowed  the safe ones above, those of the settings (pods.sysctls), and all that does not begin with `net.`: kubelets and Pod
 *          Security hold those back
 * Why      with them a pod forwards packets, takes redirects or answers for addresses of others (POD-04)
 */
export const sysctls: Check = {
  id: 'sysctls',
  headline: 'sets network sysctls that are not allowed',
  protects: 'border',
  grants: ofSettings('pods.sysctls'),
  sharedByContainers: true,
  pod(request, { owner, tenancy }) {
    const asked = request.object.spec?.securityContext?.sysctls;
    if (!asked || owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const [index, { name = '' }] of asked.entries()) {
      const dotted = withDots(name);
      if (!dotted.startsWith('net.') || safe.has(dotted) || tenancy.settings.pods.sysctls.has(dotted)) continue;
      findings.push({
        path: `spec.securityContext.sysctls[${index}].name`,
        reason: 'is none of the settings of the network that Kubernetes calls safe, nor one that the platform allows',
        fix: 'remove the entry, or ask the platform to allow it in pods.sysctls',
      });
    }
    return findings;
  },
};

/** Where a slash comes first it separates, and dots are part of the names between (man 8 sysctl; Kubernetes reads both). */
function withDots(name: string): string {
  if (/[./]/.exec(name)?.[0] !== '/') return name;
  return name.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
}
