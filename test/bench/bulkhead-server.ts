/**
 * Bulkhead as `serve` composes it, with log and metrics and a path that nobody guesses, over namespaces that are in memory already.
 * Argument: how many namespaces there are besides the one that is asked about; every tenth of them has a tenant of its own. After a comma:
 * how many exemptions there are; ten of them are for that namespace. After another: how many shared services there are, and how many grants
 * of addresses its tenant has. After a last one: `off` where nothing of the mesh, of Services and routes, and of rights is judged.
 */
import { createAdmission } from '../../src/admission/admission.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { byNamespace } from '../../src/exemptions/load-exemptions.ts';
import type { IpRange } from '../../src/kubernetes/ip-range.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import { createLog } from '../../src/server/log.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { createWebhookServer } from '../../src/server/webhook-server.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { Exemption } from '../../src/tenancy/exemption.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { host, serveForMeasurement } from './child.ts';
import { namespace, path } from './scenarios.ts';

const [counts = '', modules] = (process.argv[2] ?? '').split(/,(?=on$|off$)/);
const [count = 0, exemptionCount = 0, grantCount = 0] = counts.split(',').map(Number);
const tcp = (port: number): PortRange => ({ protocol: 'TCP', first: port, last: port });
const address = (first: number, second: number): bigint => BigInt(first * 2 ** 24 + second * 2 ** 16);
const single = (one: bigint): IpRange => ({ family: 4, first: one, last: one });
function numbered<Item>(length: number, make: (index: number) => Item): readonly Item[] {
  return Array.from({ length }, (_, index) => make(index));
}

const acme: Tenant = {
  ...undeclaredTenant('acme'),
  reserved: reservedIn({ namespaces: { prefix: 'acme-' } }),
  members: [{ kind: 'Group', name: 'acme-developers' }],
  network: {
    ...undeclaredTenant('acme').network,
    // So that the policy is not one too many (check already-allowed).
    within: 'none',
    egress: numbered(grantCount, (index) => ({
      cidr: { family: 4, first: address(203, 0) + BigInt(index * 32), last: address(203, 0) + BigInt(index * 32 + 15) },
      except: [],
      ports: [tcp(443)],
    })),
    vouched: numbered(grantCount, (index) => ({
      address: single(address(10, 128) + BigInt(index + 1)),
      ports: [tcp(5432)],
      direction: 'egress',
      expires: Date.parse('2100-01-01T00:00:00Z'),
      notAssignedToPods: true,
    })),
  },
};
const services = numbered(grantCount, (index) => ({
  name: `service-${index}`,
  direction: 'egress' as const,
  ports: [],
  addresses: [],
  endpoints: [{ address: single(address(10, 96) + BigInt(index + 1)), ports: [tcp(443)] }],
  offer: 'policy' as const,
  tenants: { names: new Set(index % 10 === 0 ? ['acme'] : [`tenant-${index}`]) },
}));
const plain: Settings =
  grantCount === 0
    ? defaultSettings
    : { ...defaultSettings, unlistedFamilies: [], sharedServices: [...defaultSettings.sharedServices, ...services] };
const { services: ofServices, routes } = plain;
const switchedOff: Settings = {
  ...plain,
  services: { ...ofServices, judged: false },
  routes: { ...routes, judged: false },
  rights: { judged: false },
};
const switchedOn: Settings = {
  ...plain,
  istio: {
    rootNamespace: 'istio-system',
    trustDomains: new Set(['cluster.local']),
    providers: [],
    mtls: 'strict',
    mtlsGrants: [],
    domain: 'cluster.local',
    defaultExportTo: ['*'],
    ambient: false,
  },
};
const settings = modules === 'off' ? switchedOff : switchedOn;
const others = Array.from(
  { length: count / 10 },
  (_, index): Tenant => ({
    ...undeclaredTenant(`tenant-${index}`),
    reserved: reservedIn({ namespaces: { prefix: `tenant-${index}-` } }),
  }),
);
const exemptions = Array.from({ length: exemptionCount }, (_, index): Exemption => {
  const isAsked = index < 10;
  const names = new Set([index === 9 ? 'web' : `other-${index}`]);
  const pods = {
    kinds: undefined,
    owner: undefined,
    serviceAccounts: undefined,
    images: undefined,
    requesters: undefined,
  };
  return {
    name: `exemption-${String(index).padStart(4, '0')}`,
    tenant: isAsked ? 'acme' : 'tenant-0',
    namespace: isAsked ? namespace : `tenant-0-${index % 100}`,
    checks: new Set(['network-capabilities']),
    match: { ...pods, names },
    expires: Date.parse('2100-01-01T00:00:00Z'),
  };
});
const tenancy = {
  ...createTenancy(settings, [acme, ...others]),
  exemptions: byNamespace(exemptions),
};
const store = createNamespaceStore(() => tenancy);
const add = (name: string, tenant: string): void => {
  store.set({
    name,
    uid: `uid-of-${name}`,
    labels: { 'bulkhead.dev/tenant': tenant, 'kubernetes.io/metadata.name': name },
    terminating: false,
  });
};
add(namespace, 'acme');
for (let index = 0; index < count; index++) {
  const tenant = `tenant-${index % (count / 10)}`;
  add(`${tenant}-${index}`, tenant);
}

const unexpected = async (): Promise<never> => {
  throw new Error('everything is in memory');
};
const paths = [path];
const { log } = createLog('info');
await serveForMeasurement(async (certificate) => {
  const server = createWebhookServer({
    review: createAdmission({
      tenancy: () => tenancy,
      namespaces: {
        ...store,
        isFree: (name) => store.lookup(name) === undefined,
        fetch: unexpected,
        hasPods: unexpected,
      },
      onDefect: (error) => log.error(error),
    }),
    observes: () => false,
    certificate,
    paths: () => paths,
    host,
    port: 0,
    log,
    metrics: createMetrics(),
  });
  return (await server.listen()).port;
});
