/** Reconcilers over a small API server, with a clock that the test moves; and the objects that stand there. */
import type { Test } from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { type Connection, createConnection } from '../../src/client/connection.ts';
import { type Handler, startListWatch } from '../../src/client/list-watch.ts';
import { namespaceRecord } from '../../src/facts/namespaces.ts';
import { type BaselineReconciler, createBaselineReconciler } from '../../src/reconcile/baseline-reconciler.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, type Tenancy } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { settings } from '../baseline/samples.ts';
import { type FakeApiServer, type FakeObject, startFakeApiServer } from '../client/fake-api-server.ts';
import { type FakeClock, fakeClock, until } from '../client/fake-clock.ts';

export const label = 'bulkhead.dev/tenant';
export const own = { 'app.kubernetes.io/managed-by': 'bulkhead' };

export const namespace = (
  name: string,
  labels: Record<string, string> = { [label]: 'acme' },
  more: object = {},
): FakeObject => ({
  metadata: { name, labels, ...more },
});
export const policy = (
  name: string,
  spec: object,
  labels: Record<string, string> = { ...own, [label]: 'acme' },
): FakeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'acme-web', labels },
  spec,
});
export const deny = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

export interface Replica {
  readonly reconciler: BaselineReconciler;
  /** What was recorded, as `namespace Reason: message`. */
  readonly events: string[];
  /** The log lines of level info and warn. */
  readonly logged: string[];
  replace(tenants: readonly Tenant[], given?: Settings): void;
}

export interface Kept extends Replica {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  /** Another one over the same API server. */
  join(tenants: readonly Tenant[], given?: Settings): Promise<Replica>;
  /** The policies and quotas of a namespace, by name. */
  names(namespace: string): string[];
  /** The requests that would write, as `PATCH path`. */
  writes(): string[];
  /** How many requests were on their way at once, at most. */
  most(): number;
  /** No request is on its way, and the watches have told of everything. What waits for the clock waits. */
  settled(): Promise<void>;
  /** Lets time pass in steps, and what goes on meanwhile with it. */
  pass(milliseconds: number, step?: number): Promise<void>;
}

const resources = ['namespaces', 'networkpolicies', 'resourcequotas', 'limitranges'];

/** @param chance what the clock's `random` gives */
export async function keep(
  t: Test,
  tenants: readonly Tenant[],
  prepare: (server: FakeApiServer) => void = () => {},
  chance = 0.5,
): Promise<Kept> {
  const server = await startFakeApiServer();
  prepare(server);
  const clock = fakeClock(chance);
  const real = createConnection(
    { credentials: async () => ({ server: server.url, headers: {}, tls: {} }), refused: () => {} },
    clock,
  );
  let onTheWay = 0;
  let most = 0;
  const connection: Connection = {
    ...real,
    async request(...request) {
      most = Math.max(most, ++onTheWay);
      try {
        return await real.request(...request);
      } finally {
        onTheWay--;
      }
    },
  };
  t.teardown(async () => {
    connection.close();
    await server.stop();
  });
  /** How far each watch is, by resource. */
  const told: Map<string, number>[] = [];

  async function join(tenants: readonly Tenant[], given = settings([])): Promise<Replica> {
    const logged: string[] = [];
    const say = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
    const log = { info: say, warn: say, error: () => {} };
    let tenancy: Tenancy = createTenancy(given, tenants);
    const records = new Map<string, NamespaceRecord>();
    const events: string[] = [];
    const reconciler = createBaselineReconciler(
      connection,
      clock,
      log,
      () => tenancy,
      (name) => records.get(name),
      { record: (namespace, reason, message) => events.push(`${namespace.name} ${reason}: ${message}`) > 0 },
    );
    const versions = new Map<string, number>();
    const common = { connection, clock, log };
    const labelSelector = 'app.kubernetes.io/managed-by=bulkhead';
    const { NetworkPolicy, ResourceQuota, LimitRange } = reconciler.handlers;
    /** The same handler; the test learns how far it is. */
    const counted = (resource: string, handler: Handler): Handler => ({
      changed(object) {
        handler.changed(object);
        versions.set(resource, Number(object.metadata.resourceVersion));
      },
      removed: handler.removed,
    });
    const open = server.watches.length;
    const watches = [
      startListWatch({
        ...common,
        path: '/api/v1/namespaces',
        handler: counted('namespaces', {
          changed(object) {
            records.set(object.metadata.name, namespaceRecord(object));
            reconciler.namespaceChanged(object.metadata.name);
          },
          removed({ name }) {
            records.delete(name);
            reconciler.namespaceChanged(name);
          },
        }),
      }),
      startListWatch({
        ...common,
        path: '/apis/networking.k8s.io/v1/networkpolicies',
        labelSelector,
        handler: counted('networkpolicies', NetworkPolicy),
      }),
      startListWatch({
        ...common,
        path: '/api/v1/resourcequotas',
        labelSelector,
        handler: counted('resourcequotas', ResourceQuota),
      }),
      startListWatch({
        ...common,
        path: '/api/v1/limitranges',
        labelSelector,
        handler: counted('limitranges', LimitRange),
      }),
    ];
    t.teardown(async () => {
      await Promise.all(watches.map((watch) => watch.stop()));
      await reconciler.stop();
    });
    await Promise.all(watches.map((watch) => watch.synced));
    reconciler.begin();
    await until('the watches are open', () => server.watches.length === open + 3);
    told.push(versions);
    return {
      reconciler,
      events,
      logged,
      replace(next, other = given) {
        tenancy = createTenancy(other, next);
        reconciler.tenancyChanged();
      },
    };
  }

  async function settled(): Promise<void> {
    // A mark travels behind everything that the watches have to tell. Once it is there and no request is on its way, all is done,
    // unless that has led to more.
    for (let seen = -1; seen !== server.requests.length; ) {
      seen = server.requests.length;
      const marks = resources.map((resource) => {
        const namespace = resource === 'namespaces' ? '' : 'mark';
        const labels = { ...own, version: String(server.version()) };
        const { metadata } = server.put(resource, { metadata: { name: 'mark', namespace, labels } });
        return [resource, Number(metadata.resourceVersion)] as const;
      });
      await until('all is told', () =>
        told.every((versions) => marks.every(([resource, version]) => (versions.get(resource) ?? 0) >= version)),
      );
      await new Promise((resolve) => setImmediate(resolve));
      await until('no request is on its way', () => onTheWay === 0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  return {
    ...(await join(tenants)),
    server,
    clock,
    join,
    names: (namespace) =>
      ['networkpolicies', 'resourcequotas', 'limitranges'].flatMap((resource) =>
        server
          .list(resource)
          .filter(({ metadata }) => metadata.namespace === namespace)
          .map(({ metadata }) => metadata.name),
      ),
    writes: () =>
      server.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`),
    most: () => most,
    settled,
    async pass(milliseconds, step = 250) {
      for (let passed = 0; passed < milliseconds; passed += step) {
        clock.advance(step);
        await settled();
      }
    },
  };
}
