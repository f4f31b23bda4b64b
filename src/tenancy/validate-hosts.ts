import { sharesHost } from '../kubernetes/host-name.ts';
import { problemAt } from './problem.ts';
import { compileHosts } from './route-grants.ts';
import type { Judge } from './validate-tenancy.ts';

/** No host is reserved for two. Of two tenants the later one is reported. */
export const hostsOfOthers: Judge = (tenants, { routes }) => {
  const reserved = [
    ...routes.platformHosts.map((host) => ({ host, owner: '', of: 'the platform' })),
    ...tenants.flatMap(({ value: { name, network } }) =>
      (network.routes?.hosts ?? []).map((host) => ({ host, owner: name, of: `tenant ${name}` })),
    ),
  ];
  const { isOfOthers } = compileHosts(reserved);
  return tenants.flatMap(({ value, locate }) =>
    (value.network.routes?.hosts ?? []).flatMap((host, index) => {
      if (!isOfOthers(host, value.name)) return [];
      const before = reserved.findIndex(({ owner }) => owner === value.name);
      const other = reserved.slice(0, before).find((one) => sharesHost(one.host, host));
      if (other === undefined) return [];
      const reason = `${host.text} shares hosts with ${other.host.text}, which is reserved for ${other.of}`;
      return [problemAt(locate, ['spec', 'network', 'hosts', index], reason, 'remove it here or there')];
    }),
  );
};
