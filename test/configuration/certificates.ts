/** Replicas with their certificates over a small API server, with a clock that the test moves. */
import type { Test } from 'tap';
import { certificatesIn } from '../../src/certificates/authorities.ts';
import type { KeyPair } from '../../src/certificates/key-pair.ts';
import { createConnection } from '../../src/client/connection.ts';
import { startListWatch } from '../../src/client/list-watch.ts';
import type { CertificateTools, ReplicaCertificates } from '../../src/configuration/certificates.ts';
import { createWebhookConfigurations } from '../../src/configuration/webhook-configurations.ts';
import { type FakeApiServer, startFakeApiServer } from '../client/fake-api-server.ts';
import { type FakeClock, fakeClock } from '../client/fake-clock.ts';

export const systemNamespace = 'bulkhead-system';
export const now = Date.parse('2026-11-21T12:00:00Z');

export interface Stage {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  /** Lets time pass, and what goes on meanwhile with it. */
  pass(milliseconds: number): Promise<void>;
  start<Certificates extends ReplicaCertificates>(
    keep: (tools: CertificateTools) => Certificates,
  ): Replica<Certificates>;
}

export interface Replica<Certificates> {
  readonly certificates: Certificates;
  readonly served: KeyPair[];
  readonly logged: string[];
  stop(): Promise<void>;
}

/** What goes over sockets takes turns of this process, however long a turn takes on a busy machine. */
const quietTurns = 8;

/** No request has come in for some turns. */
async function atRest({ requests }: FakeApiServer): Promise<void> {
  let seen = requests.length;
  for (let quiet = 0; quiet < quietTurns; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (requests.length !== seen) quiet = 0;
    seen = requests.length;
  }
}

const kinds = {
  mutating: ['mutatingwebhookconfigurations', 'bulkhead', 'mutate.bulkhead.dev'],
  validating: ['validatingwebhookconfigurations', 'bulkhead', 'validate.bulkhead.dev'],
} as const;

export async function stage(t: Test): Promise<Stage> {
  const server = await startFakeApiServer();
  const clock = fakeClock();
  const replicas = new Set<Replica<unknown>>();
  server.put('namespaces', { metadata: { name: systemNamespace } });
  t.teardown(async () => {
    await Promise.all([...replicas].map((replica) => replica.stop()));
    await server.stop();
  });
  return {
    server,
    clock,
    async pass(milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += 1000) {
        clock.advance(Math.min(1000, milliseconds - passed));
        await atRest(server);
      }
    },
    start(keep) {
      const authentication = {
        credentials: async () => ({ server: server.url, headers: {}, tls: {} }),
        refused() {},
      };
      const connection = createConnection(authentication, clock);
      const logged: string[] = [];
      const log = {
        info: (_: unknown, message: string) => void logged.push(message),
        warn: (fields: unknown, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`),
        error: (_: unknown, message: string) => void logged.push(message),
      };
      const configurations = createWebhookConfigurations(connection, (path, handler) =>
        startListWatch({ connection, path, handler, clock, log }),
      );
      const certificates = keep({ connection, clock, log, wallClock: () => now + clock.now(), configurations });
      const served: KeyPair[] = [];
      void certificates.first.then((pair) => served.push(pair));
      certificates.follow((pair) => served.push(pair));
      const replica = {
        certificates,
        served,
        logged,
        async stop() {
          if (!replicas.delete(replica)) return;
          await Promise.all([...configurations.watches.values(), certificates].map((one) => one.stop()));
          connection.close();
        },
      };
      replicas.add(replica);
      return replica;
    },
  };
}

export function register(server: FakeApiServer, caBundle?: string, more: object = {}): void {
  for (const [resource, name, webhook] of Object.values(kinds)) {
    const service = { namespace: systemNamespace, name: 'bulkhead', port: 443 };
    const encoded = caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') };
    server.put(resource, {
      metadata: { name, ...more },
      webhooks: [{ name: webhook, failurePolicy: 'Ignore', clientConfig: { service, ...encoded } }],
    });
  }
}

/** As the API server notes that Bulkhead has applied a caBundle. */
export const ours = {
  managedFields: ['mutate', 'validate'].map((phase) => ({
    manager: 'bulkhead-trust',
    operation: 'Apply',
    fieldsV1: {
      'f:webhooks': { [`k:{"name":"${phase}.bulkhead.dev"}`]: { 'f:clientConfig': { 'f:caBundle': {} } } },
    },
  })),
};

export interface Registered {
  readonly authorities: readonly string[];
  readonly path: string | undefined;
  readonly failurePolicy: string;
}

export function registered(server: FakeApiServer): Registered[] {
  return Object.values(kinds).flatMap(([resource, name]) => {
    const webhooks = server.get(resource, name)?.webhooks as
      | { failurePolicy: string; clientConfig: { caBundle?: string; service: { path?: string } } }[]
      | undefined;
    return (webhooks ?? []).map(({ failurePolicy, clientConfig }) => ({
      authorities: certificatesIn(Buffer.from(clientConfig.caBundle ?? '', 'base64').toString()),
      path: clientConfig.service.path,
      failurePolicy,
    }));
  });
}
