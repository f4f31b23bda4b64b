/**
 * Bulkhead as `serve` composes it, with log and metrics and a path that nobody guesses, over namespaces that are in memory already.
 * Argument: how many namespaces there are besides the one that is asked about; every tenth of them has a tenant of its own.
 */
import { createAdmission } from '../../src/admission/admission.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { createLog } from '../../src/server/log.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { createWebhookServer } from '../../src/server/webhook-server.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { host, serveForMeasurement } from './child.ts';
import { namespace, path } from './scenarios.ts';

const count = Number(process.argv[2]);
const acme: Tenant = {
  ...undeclaredTenant('acme'),
  prefix: 'acme-',
  members: [{ kind: 'Group', name: 'acme-developers' }],
};
const others = Array.from(
  { length: count / 10 },
  (_, index): Tenant => ({ ...undeclaredTenant(`tenant-${index}`), prefix: `tenant-${index}-` }),
);
const tenancy = createTenancy(defaultSettings, [acme, ...others]);
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
    certificate,
    paths: () => paths,
    host,
    port: 0,
    log,
    metrics: createMetrics(),
  });
  return (await server.listen()).port;
});
