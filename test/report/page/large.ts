/** A cluster of the size that the page must stay usable at: tenants, ten namespaces each, gates in a ring, and some that forgot isolation. */

import { readSnapshot } from '../../../src/connectivity/read-snapshot.ts';
import { type Picture, pictureOf } from '../../../src/picture/picture.ts';
import { defaultSettings } from '../../../src/tenancy/default-settings.ts';
import { createTenancy, undeclaredTenant } from '../../../src/tenancy/tenancy.ts';
import { denyAll, namespace, pod, policy } from '../../connectivity/worlds.ts';

const spacesEach = 10;

export function largePicture(tenants: number): Picture {
  const names = [...Array(tenants).keys()].map((index) => `tenant-${String(index).padStart(4, '0')}`);
  const ports = [{ protocol: 'TCP', first: 5432, last: 5432 } as const];
  const towards = (tenant: string, direction: 'ingress' | 'egress') => ({
    tenant,
    direction,
    ports,
    expires: undefined,
  });
  const at = (index: number) => names[(index + tenants) % tenants] ?? '';
  const tenancy = createTenancy(
    { ...defaultSettings, plugin: 'kube-router' },
    names.map((name, index) => {
      const plain = undeclaredTenant(name);
      const gates = [towards(at(index + 1), 'egress'), towards(at(index - 1), 'ingress')];
      return { ...plain, network: { ...plain.network, gates } };
    }),
  );
  const to = (place: string, tenant: string, direction: 'ingress' | 'egress') => {
    const peers = [{ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': tenant } } }];
    return policy(place, {
      podSelector: {},
      policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
      [direction]: [{ [direction === 'ingress' ? 'from' : 'to']: peers, ports: [{ protocol: 'TCP', port: 5432 }] }],
    });
  };
  const objects = names.flatMap((name, index) =>
    [...Array(spacesEach).keys()].flatMap((number) => {
      const space = `${name}-${number}`;
      // One in fifty has forgotten the policies of one namespace.
      const isOpen = number === 0 && index % 50 === 0;
      return [
        namespace(space, name),
        ...['front', 'back', 'jobs'].map((app) => pod(`${space}/${app}`, { app })),
        ...(isOpen
          ? []
          : [
              ...[denyAll(space), to(`${space}/out`, name, 'egress'), to(`${space}/in`, name, 'ingress')],
              ...(number === 1 ? [to(`${space}/gate-out`, at(index + 1), 'egress')] : []),
              ...(number === 2 ? [to(`${space}/gate-in`, at(index - 1), 'ingress')] : []),
            ]),
      ];
    }),
  );
  const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
  return pictureOf(snapshot, tenancy, Date.now());
}
