import { azureFileDriver, networkVolumes as check, withoutAddress } from '../checks/network-volumes.ts';
import { allOf, anyOf, literal } from './expressions.ts';
import { podCreations, type Rule } from './rule.ts';

/** Addresses, ports and brackets have no other characters. */
const address = literal('^[0-9A-Fa-f:.\\[\\]]*$');
const servers = [
  '[volume.?nfs.?server.orValue("")]',
  '[volume.?iscsi.?targetPortal.orValue("")]',
  'volume.?iscsi.?portals.orValue([])',
  'volume.?cephfs.?monitors.orValue([])',
  'volume.?rbd.?monitors.orValue([])',
].map((list) => `!${list}.all(server, server.matches(${address}))`);

/**
 * A pod of a tenant mounts nothing from the network that the node is led to by a name, or by a driver of no tenant.
 * Leaves to the webhook   which addresses and which drivers a tenant has
 */
export const networkVolumes: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: (_, { pods }) => {
    const drivers = literal([...new Set(pods.csiDrivers.map(({ driver }) => driver))]);
    const violates = anyOf(
      ...withoutAddress.map((source) => `has(volume.${source})`),
      ...['csi', 'flexVolume'].map((source) =>
        allOf(`has(volume.${source})`, `!(volume.${source}.?driver.orValue("") in ${drivers})`),
      ),
      allOf('has(volume.azureFile)', `!(${literal(azureFileDriver)} in ${drivers})`),
      ...servers,
    );
    return `!object.spec.?volumes.orValue([]).exists(volume, ${violates})`;
  },
};
