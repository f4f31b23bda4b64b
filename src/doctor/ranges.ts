/** Whether the settings list every address range of the cluster: what they leave out counts as outside, where policies of tenants may go. */
import { isRecord } from '../client/decode.ts';
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { familyNames } from '../kubernetes/ip-address.ts';
import { type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { contains, normalise } from '../kubernetes/ip-set.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { DoctorCheck } from './check.ts';

/** As parse-cluster-addresses.ts names the ranges. */
type Network = 'pod network' | 'service network' | 'node network';

const fieldOf = {
  'pod network': 'network.podCIDRs',
  'service network': 'network.serviceCIDRs',
  'node network': 'network.nodeCIDRs',
} as const;

export const ranges: DoctorCheck = {
  about: 'address ranges',
  findings: {
    'range-service-missing': {
      severity: 'error',
      meaning: 'a ServiceCIDR of the cluster lies outside network.serviceCIDRs of the settings',
      fix: 'add it to network.serviceCIDRs',
    },
    'range-pod-missing': {
      severity: 'error',
      meaning: 'a node gives pods addresses, or a pod has one, outside network.podCIDRs of the settings',
      fix: 'add the range from which pods get addresses to network.podCIDRs',
    },
    'range-node-missing': {
      severity: 'error',
      meaning: 'a node has an address outside network.nodeCIDRs of the settings',
      fix: 'add the range of the nodes to network.nodeCIDRs',
    },
    'range-family-missing': {
      severity: 'error',
      meaning: 'the cluster uses an address family of which the settings list no range',
      fix: 'list the ranges of the family, and name it in network.ipFamilies where that field is given',
    },
  },
  async look({ list, found, notLookedAt, tenancy }) {
    const judge = createJudge(tenancy.settings);
    let services = 0;
    const paths = ['v1', 'v1beta1'].map((version) => `/apis/networking.k8s.io/${version}/servicecidrs`);
    const isRead = await list(paths as [string, string], ({ metadata, object }) => {
      services++;
      judge.see('service network', textsAt(object, 'spec', 'cidrs'), `ServiceCIDR ${metadata.name}`);
    });
    // Kubernetes makes one with its own range.
    if (isRead && services === 0)
      notLookedAt('the range of Services', 'the API server has no ServiceCIDR; compare network.serviceCIDRs by hand');
    await list(['/api/v1/nodes'], ({ metadata, object }) => {
      const podCIDRs = textsAt(object, 'spec', 'podCIDRs');
      judge.see('pod network', podCIDRs, `Node ${metadata.name}, spec.podCIDRs`);
      const addresses = valueAt(object, 'status', 'addresses');
      for (const one of (Array.isArray(addresses) ? addresses : []).filter(isRecord))
        if (one.type === 'InternalIP' || one.type === 'ExternalIP')
          judge.see('node network', [String(one.address)], `Node ${metadata.name}, ${one.type}`);
    });
    await list(['/api/v1/pods'], ({ metadata, object }) => {
      // On the network of its node a pod has the address of the node.
      if (valueAt(object, 'spec', 'hostNetwork') === true) return;
      const addresses = valueAt(object, 'status', 'podIPs');
      const texts = (Array.isArray(addresses) ? addresses : []).filter(isRecord).map(({ ip }) => String(ip));
      judge.see('pod network', texts, `Pod ${metadata.namespace}/${metadata.name}`);
    });
    for (const [id, where, why] of judge.judged()) found(id, { where, why });
  },
};

/** Of each kind, only so many pods are shown. */
const mostShown = 5;

export function createJudge(settings: Pick<Settings, 'protectedRanges' | 'unlistedFamilies'>) {
  const listed = new Map<Network, readonly IpRange[]>(
    (Object.keys(fieldOf) as Network[]).map((network) => {
      const own = settings.protectedRanges.filter(({ name, kind }) => kind === 'cluster' && name === network);
      return [network, normalise(destinations(own.map(({ range }) => range)))];
    }),
  );
  const outside = new Map<string, { readonly network: Network; readonly shown: string[]; count: number }>();

  function tell(id: string, network: Network, text: string): void {
    const row = outside.get(`${id} ${network}`) ?? { network, shown: [], count: 0 };
    outside.set(`${id} ${network}`, row);
    row.count++;
    if (row.shown.length < mostShown) row.shown.push(text);
  }

  return {
    /** @param texts addresses and ranges */
    see(network: Network, texts: readonly string[], where: string): void {
      for (const text of texts) {
        const range = parseCidr(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
        if (!range.ok) {
          tell(idOf(network), network, `${where}: ${text}, which cannot be read`);
          continue;
        }
        const reached = destinations([range.value]);
        const known = listed.get(network) ?? [];
        if (contains(known, normalise(reached))) continue;
        const family = reached.find((one) => !known.some((other) => other.family === one.family))?.family;
        if (family === undefined) tell(idOf(network), network, `${where}: ${text}`);
        else tell(`range-family-missing ${family}`, network, `${where}: ${text}`);
      }
    },
    /** What lies outside: id, where, why. */
    judged(): readonly (readonly [id: string, where: string, why: string])[] {
      return [...outside].map(([key, { network, shown, count }]) => {
        const [id = '', family] = key.split(' ');
        const more = count > shown.length ? ` and ${count - shown.length} more` : '';
        const where = `${shown.join('; ')}${more}`;
        if (id !== 'range-family-missing') return [id, where, `no range of ${fieldOf[network]} covers it`];
        const name = familyNames[family === '4' ? 4 : 6];
        const isUnlisted = settings.unlistedFamilies.includes(family === '4' ? 4 : 6);
        const effect = isUnlisted
          ? `so every ${name} ipBlock of a tenant is rejected`
          : `and network.ipFamilies leaves ${name} out, so ${name} addresses of the cluster count as outside`;
        return [id, where, `${fieldOf[network]} has no ${name} range, ${effect}`];
      });
    },
  };
}

function idOf(network: Network): string {
  return `range-${network.split(' ')[0]}-missing`;
}

function textsAt(object: unknown, ...path: readonly string[]): readonly string[] {
  const value = valueAt(object, ...path);
  return (Array.isArray(value) ? value : []).filter((one) => typeof one === 'string');
}
