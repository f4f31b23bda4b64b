import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { familyNames, formatAddress } from '../kubernetes/ip-address.ts';
import { type IpRange, knownRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect } from '../kubernetes/ip-set.ts';
import { excerpt, isGiven } from '../kubernetes/json.ts';
import type { Volume } from '../kubernetes/objects.ts';
import { formatPort, type PortRange } from '../kubernetes/port-range.ts';
import { type GrantedRange, openIn, opens } from '../reach/address-grants.ts';
import { listed } from '../reach/listed.ts';
import { addressLists } from '../reach/tenant-addresses.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofSettings, ofTenant } from './grants.ts';
import { addressOf } from './name-servers.ts';
import { mayUseDriver } from './pod-grants.ts';

interface Server {
  readonly path: string;
  readonly text: string;
  readonly kind: keyof typeof services;
}

/** The TCP ports where the volume names none. Of Ceph's two the client takes either, by the options of the mount. */
const services = { nfs: [2049], iscsi: [3260], ceph: [3300, 6789] } as const;

/** In-tree sources that name no address, or take it from an object or a file server of the tenant's own choice. */
export const withoutAddress = ['glusterfs', 'gitRepo', 'quobyte', 'scaleIO', 'storageos'] as const;
/** The driver by which kubelets mount azureFile (CSI migration). */
export const azureFileDriver = 'file.csi.azure.com';

const otherwise = 'mount a claim (persistentVolumeClaim.claimName)';

/**
 * The volumes of a pod are mounted from no address that its tenant may not reach.
 * Reads    spec.volumes[*].{nfs,iscsi,cephfs,rbd,glusterfs,gitRepo,quobyte,scaleIO,storageos,azureFile,flexVolume,csi}, on CREATE (they
 *          never change)
 * Allowed  nfs, iscsi, cephfs and rbd by addresses that the tenant may reach at the TCP port of the service: those of shared services
 *          and vouched ones, and those of network.egressCIDRs and egress, but not `internet`: its servers may have any owner, and one
 *          may send the node on to another. csi and flexVolume by drivers that pods.csiDrivers allows the tenant; azureFile as its driver.
 *          Every other source: claims, which storage classes and the platform's volumes answer, and what the API server or the node fills
 * Why      the node mounts them, past every policy of the pod: other tenants' servers, the node's own loopback, storage of the platform
 *          (POD-23). A name leads wherever its DNS says when the node asks
 */
export const networkVolumes: Check = {
  id: 'network-volumes',
  headline: 'mounts volumes from the network that its tenant may not reach',
  protects: 'border',
  grants: [...ofTenant('network.egress', 'network.vouched'), ...ofSettings('pods.csiDrivers')],
  pod(request, { owner, tenancy: { settings }, now }) {
    const volumes = request.object.spec?.volumes;
    if (!volumes || owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const [index, volume] of volumes.entries()) {
      const path = `spec.volumes[${index}]`;
      for (const server of serversOf(volume, path)) {
        const violation = violationAt(server, owner, settings, now);
        if (violation !== undefined) findings.push({ path: server.path, ...violation });
      }
      for (const source of withoutAddress) {
        if (!isGiven(volume[source])) continue;
        const reason =
          'is mounted by the node past every network policy, and names no address that the platform could grant';
        findings.push({ path: `${path}.${source}`, reason, fix: otherwise, ungrantable: true });
      }
      for (const { path: place, driver } of driversOf(volume, path)) {
        if (mayUseDriver(driver, owner, settings.pods)) continue;
        const reason = `names driver ${excerpt(driver)}, which the platform does not allow ${owner.name}: the node mounts whatever it leads to`;
        findings.push({
          path: place,
          reason,
          fix: `${otherwise}, or ask the platform to allow the driver in pods.csiDrivers`,
        });
      }
    }
    return findings;
  },
};

function* serversOf({ nfs, iscsi, cephfs, rbd }: Volume, path: string): Generator<Server> {
  if (nfs) yield { path: `${path}.nfs.server`, text: nfs.server ?? '', kind: 'nfs' };
  if (iscsi) {
    yield { path: `${path}.iscsi.targetPortal`, text: iscsi.targetPortal ?? '', kind: 'iscsi' };
    for (const [index, text] of (iscsi.portals ?? []).entries())
      yield { path: `${path}.iscsi.portals[${index}]`, text, kind: 'iscsi' };
  }
  for (const [index, text] of (cephfs?.monitors ?? []).entries())
    yield { path: `${path}.cephfs.monitors[${index}]`, text, kind: 'ceph' };
  for (const [index, text] of (rbd?.monitors ?? []).entries())
    yield { path: `${path}.rbd.monitors[${index}]`, text, kind: 'ceph' };
}

function* driversOf({ csi, flexVolume, azureFile }: Volume, path: string): Generator<{ path: string; driver: string }> {
  if (csi) yield { path: `${path}.csi.driver`, driver: csi.driver ?? '' };
  if (flexVolume) yield { path: `${path}.flexVolume.driver`, driver: flexVolume.driver ?? '' };
  if (isGiven(azureFile)) yield { path: `${path}.azureFile`, driver: azureFileDriver };
}

type Violation = Pick<Finding, 'reason' | 'fix' | 'ungrantable'>;

function violationAt(server: Server, tenant: Tenant, settings: Settings, now: number): Violation | undefined {
  const read = endpointOf(server);
  if (read === undefined) {
    const reason = `${excerpt(server.text)} is not an address that all programs read alike, and for a name its DNS decides where the node connects`;
    return { reason, fix: `write the address of the server, or ${otherwise}` };
  }
  const { range, ports } = read;
  const address = destinations([range]);
  const shown = formatAddress(range.family, range.first);
  if (intersect(address, ownAddresses).length > 0)
    return { reason: `is ${shown}, where the node itself answers`, fix: otherwise, ungrantable: true };
  const { assured, all } = addressLists('egress', tenant, settings, address);
  const onPorts = opens(ports, now);
  const isOpen = (lists: readonly (readonly GrantedRange[])[]) => contains(openIn(lists, onPorts), address);
  const unlisted = settings.unlistedFamilies.find((one) => address.some(({ family }) => family === one));
  if (isOpen(unlisted === undefined ? all.map((list) => list.flatMap(named)) : assured)) return undefined;
  const places = settings.protectedRanges.filter(
    ({ range: one }) => intersect(address, destinations([one])).length > 0,
  );
  const at = listed(ports.map(formatPort));
  const ask = (field: string) =>
    `${otherwise}, or ask the platform to grant the address at ${at} in network.${field} of ${tenant.name}`;
  if (places.length > 0) {
    const names = [...new Set(places.map(({ name }) => name))];
    return {
      reason: `is ${shown}, an address of the ${listed(names)}: the node mounts it past every network policy`,
      ...(places.some(({ kind }) => kind === 'metadata')
        ? { fix: otherwise, ungrantable: true }
        : { fix: ask('vouched') }),
    };
  }
  if (unlisted !== undefined) {
    const reason = `is ${shown}, which may be an address of the cluster, as the settings do not list its ${familyNames[unlisted]} pod, service and node ranges`;
    return { reason, fix: `${ask('vouched')}, or to complete the settings` };
  }
  if (!isOpen(all))
    return {
      reason: `is ${shown}, which network.egress of ${tenant.name} does not grant at ${at}`,
      fix: ask('egress'),
    };
  return {
    reason: `is ${shown}, which ${tenant.name} may reach as part of the internet alone: a server that anyone may run could send the node on to another address`,
    fix: ask('egress'),
  };
}

/** Without the grants of the internet. */
function named(range: GrantedRange): readonly GrantedRange[] {
  const grants = range.grants.filter(({ internet }) => internet !== true);
  return grants.length === 0 ? [] : [{ ...range, grants }];
}

/** The loopback, and the addresses that stand for it. */
const ownAddresses: IpSet = ['0.0.0.0/8', '127.0.0.0/8', '::/127'].map(knownRange);

/**
 * `ADDRESS` or `ADDRESS:PORT`, with IPv6 addresses in brackets; for nfs an address alone, without brackets. No zone, and no IPv4 address
 * in the form of IPv6 (::ffff:0:0/96): mount.nfs gets these without brackets, and reads another host in them.
 */
function endpointOf({
  text,
  kind,
}: Server): { readonly range: IpRange; readonly ports: readonly PortRange[] } | undefined {
  const bare = kind === 'nfs' || !text.includes(':');
  const [, six, four = '', port] = bare
    ? [undefined, ...(text.includes(':') ? [text] : [undefined, text])]
    : (/^(?:\[([^[\]]+)\]|([^:[\]]+))(?::([1-9][0-9]{0,4}))?$/.exec(text) ?? []);
  const range = /[%/]/.test(text) ? undefined : addressOf(six ?? four);
  if (range === undefined || (six !== undefined) !== (range.family === 6) || Number(port ?? 1) > 65535)
    return undefined;
  const ports = port === undefined ? services[kind] : [Number(port)];
  return { range, ports: ports.map((one) => ({ protocol: 'TCP', first: one, last: one })) };
}
