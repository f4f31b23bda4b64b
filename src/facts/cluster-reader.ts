/** A cluster that is read once, not followed, and never written to. */

import type { NamespaceRecord } from '../admission/facts.ts';
import type { ClusterLocation } from '../client/authentication.ts';
import { systemClock } from '../client/clock.ts';
import {
  type Answer,
  type Connection,
  createConnection,
  type Impersonation,
  type Method,
} from '../client/connection.ts';
import type { DecodedObject } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import { authenticationAt } from '../client/location.ts';
import type { Log } from '../client/log.ts';
import { readPages, readServed } from '../client/paged-list.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { createExemptions, exemptionsPath } from './exemptions.ts';
import { createGateRequests, gateRequestsPath } from './gate-requests.ts';
import { namespaceRecord, namespacesPath } from './namespaces.ts';
import { createTenants, tenantsPath } from './tenants.ts';

/** What the API server or the network says when a collection cannot be listed. */
export class Unreadable extends Error {}

export interface ClusterReader {
  /**
   * Reads every object of a collection, page by page.
   *
   * @param path for example `/api/v1/pods`
   * @throws Unreadable
   */
  each(path: string, tell: (object: DecodedObject) => void): Promise<void>;
  /** The same for the first of these paths that is served. Where none is, there are no objects. @throws Unreadable */
  eachServed(paths: readonly string[], tell: (object: DecodedObject) => void): Promise<void>;
  /** The Tenant, Exemption and GateRequest objects, as they would be in force. Problems are logged. @throws Unreadable */
  tenancy(settings: Settings, log: Log): Promise<Tenancy>;
  close(): void;
}

/** A reader that also sends single requests. */
export interface RequestingReader extends ClusterReader {
  /** One GET. @param path with the query */
  get(path: string): Promise<Answer>;
  /** What the API server says of a write of this user, which it does not carry out. @param path without a query */
  dryRun(as: Impersonation, method: Extract<Method, 'POST' | 'PATCH'>, path: string, body: unknown): Promise<Answer>;
  /** For what reads discovery. */
  readonly connection: Pick<Connection, 'request'>;
}

const never = new AbortController().signal;

export function readCluster(location: ClusterLocation): RequestingReader {
  const clock = systemClock;
  const connection = createConnection(authenticationAt(location, clock), clock);

  async function each(path: string, tell: (object: DecodedObject) => void): Promise<void> {
    const read = await readPages({ connection, path, clock }, tell, never);
    if (!read.ok) throw new Unreadable(`${path} cannot be listed: ${describe(read)}`);
  }

  return {
    each,
    async eachServed(paths, tell) {
      const read = await readServed({ connection, clock }, paths, tell, never);
      if (read?.ok === false) throw new Unreadable(`${paths.join(', ')} cannot be listed: ${describe(read)}`);
    },
    get: (path) => connection.request('GET', path, { signal: never }),
    dryRun: (as, method, path, body) =>
      connection.request(method, `${path}?dryRun=All`, {
        body,
        as,
        ...(method === 'PATCH' && { contentType: 'application/merge-patch+json' }),
        signal: never,
      }),
    connection,
    async tenancy(settings, log) {
      const none = (): void => {};
      const owners = new Map<string, NamespaceRecord>();
      const requests = createGateRequests({
        clock,
        tenantLabel: () => settings.tenantLabel,
        lookup: (name) => owners.get(name),
        onRequests: none,
      });
      const { agree } = requests;
      const tenants = createTenants({
        settings,
        clock,
        log,
        wallClock: Date.now,
        agree,
        onTenants: none,
        onObjects: none,
      });
      const listServed = async (path: string, tell: (object: DecodedObject) => void): Promise<void> => {
        const read = await readServed({ connection, clock }, [path], tell, never);
        if (read?.ok === false) throw new Unreadable(`${path} cannot be listed: ${describe(read)}`);
      };
      try {
        await each(tenantsPath, tenants.handler.changed);
        const onExemptions = tenants.exemptionsChanged;
        const exemptions = createExemptions({ clock, log, onExemptions });
        await listServed(exemptionsPath, exemptions.handler.changed);
        if (settings.gates.from === 'tenants') {
          await each(namespacesPath, (object) => {
            const record = namespaceRecord(object);
            owners.set(record.name, record);
          });
          await listServed(gateRequestsPath, requests.handler.changed);
        }
        requests.begin();
        tenants.begin();
        exemptions.begin();
        return tenants.current();
      } finally {
        tenants.stop();
      }
    },
    close: () => connection.close(),
  };
}
