/** A cluster of a test, read once as `audit` reads one, without an API server. */

import type { Answer } from '../../src/client/connection.ts';
import type { DecodedObject } from '../../src/client/decode.ts';
import { survey } from '../../src/commands/audit-survey.ts';
import { withExemptions } from '../../src/exemptions/load-exemptions.ts';
import { Unreadable } from '../../src/facts/cluster-reader.ts';
import type { AuditReport } from '../../src/report/audit-report.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { type Loaded, unlined } from '../../src/tenancy/problem.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';

export interface Stored {
  /** The spec of the Settings. */
  readonly settings?: object;
  /** The specs of the tenants, by name. */
  readonly tenants: Readonly<Record<string, object>>;
  /** The specs of the exemptions, by name. */
  readonly exemptions?: Readonly<Record<string, object>>;
  /** By the path of their collection, such as `/api/v1/pods`. */
  readonly objects: Readonly<Record<string, readonly { readonly metadata: object }[]>>;
  /** Paths that the API server does not let be listed. */
  readonly unreadable?: readonly string[];
  /** What discovery answers, by path; nothing of the rest is served. */
  readonly discovery?: Readonly<Record<string, unknown>>;
}

const apiVersion = 'bulkhead.dev/v1alpha1';
const located = (value: object) => ({ value: { apiVersion, ...value }, locate: unlined('test') });

/** The settings, tenants and exemptions. */
export function tenancyOf({ settings = {}, tenants, exemptions = {} }: Omit<Stored, 'objects'>): Tenancy {
  const named = (kind: string, specs: Readonly<Record<string, object>>) =>
    Object.entries(specs).map(([name, spec]) => located({ kind, metadata: { name }, spec }));
  const now = Date.now();
  const alone = loadedValue(loadTenancy(located({ kind: 'Settings', spec: settings }), named('Tenant', tenants), now));
  return loadedValue(withExemptions(alone, named('Exemption', exemptions), now));
}

export async function surveyOf({
  objects,
  unreadable = [],
  discovery = {},
  ...documents
}: Stored): Promise<AuditReport> {
  const tenancy = tenancyOf(documents);
  const each = async (path: string, tell: (object: DecodedObject) => void): Promise<void> => {
    if (unreadable.includes(path)) throw new Unreadable(`${path} cannot be listed: 403`);
    for (const object of objects[path] ?? []) {
      const metadata = { uid: 'a', resourceVersion: '1', name: '', namespace: '', ...object.metadata };
      // Each reader may change what it is given.
      tell({ metadata, object: structuredClone({ ...object, metadata }) });
    }
  };
  const eachServed = async (paths: readonly [string, ...string[]], tell: (object: DecodedObject) => void) => {
    await each(paths[0], tell);
  };
  const get = async (path: string): Promise<Answer> =>
    Object.hasOwn(discovery, path)
      ? { ok: true, body: discovery[path] }
      : {
          ok: false,
          kind: 'refused',
          status: 404,
          reason: 'NotFound',
          causes: [],
          message: 'not found',
          retryAfter: 0,
        };
  const other = (): never => {
    throw new Error('audit lists, and reads discovery');
  };
  const connection = { request: other };
  const reader = { each, eachServed, get, connection, dryRun: other, tenancy: async () => tenancy, close: () => {} };
  return (await survey(reader, tenancy, 'listed')).report;
}

function loadedValue<Value>(loaded: Loaded<Value>): Value {
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join('\n'));
  return loaded.value;
}
