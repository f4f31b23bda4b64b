/** Snapshots for tests, in the words of the API. */
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { byTheBook, type Reading } from '../../src/connectivity/readings.ts';
import { createWorld, type World } from '../../src/connectivity/world.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';

type Object = Readonly<Record<string, unknown>>;

export const namespace = (name: string, tenant?: string, labels: Readonly<Record<string, string>> = {}): Object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { ...labels, ...(tenant !== undefined && { 'bulkhead.dev/tenant': tenant }) } },
});

/** @param place `acme-web/front` */
export function pod(place: string, labels: Readonly<Record<string, string>> = {}, more: Object = {}): Object {
  const [of, name] = place.split('/');
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: of, name, labels }, spec: more };
}

export function policy(
  place: string,
  spec: Object,
  kind = 'NetworkPolicy',
  apiVersion = 'networking.k8s.io/v1',
): Object {
  const [of, name] = place.includes('/') ? place.split('/') : [undefined, place];
  return { apiVersion, kind, metadata: { ...(of !== undefined && { namespace: of }), name }, spec };
}

export function service(place: string, selector?: object, labels: Readonly<Record<string, string>> = {}) {
  const [of, name] = place.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: of, name, labels },
    spec: { selector, ports: [] },
  };
}

export const denyAll = (of: string): Object =>
  policy(`${of}/deny`, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });

export const plainTenancy: Tenancy = createTenancy(defaultSettings, []);

export function worldOf(objects: readonly Object[], reading: Reading = byTheBook, tenancy = plainTenancy): World {
  const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  return createWorld(snapshot, parties, tenancy.settings, reading);
}
