/** Tenant objects, as the watch reports them, as a tenancy. */
import { isDeepStrictEqual } from 'node:util';
import type { TenancySource } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import { type DecodedObject, fieldsAt } from '../client/decode.ts';
import type { Handler } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import { type Agreement, noRequests, withAgreed } from '../gates/agreement.ts';
import { isGiven } from '../kubernetes/json.ts';
import type { Exemptions } from '../tenancy/exemption.ts';
import { parseTenant } from '../tenancy/parse-tenant.ts';
import { formatProblem, type Problem, unlined } from '../tenancy/problem.ts';
import { reservedIn } from '../tenancy/reserved-names.ts';
import {
  type DeclaredTenant,
  locatedTenant,
  type Resolution,
  resolveTenants,
  tenantFile,
} from '../tenancy/resolve-tenants.ts';
import type { Settings } from '../tenancy/settings.ts';
import { createTenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { validateTenancy } from '../tenancy/validate-tenancy.ts';

export const tenantsPath = '/apis/bulkhead.dev/v1alpha1/tenants';

/** A Tenant object, as far as its status needs it. */
export interface TenantObject extends DeclaredTenant {
  readonly uid: string;
  readonly generation: number;
  /** metadata.labels as JSON; a change of them is no new generation. */
  readonly labels: string;
  /** It has a deletionTimestamp: a finalizer holds it. */
  readonly terminating: boolean;
  readonly status: unknown;
}

export interface TenantVerdict {
  readonly object: TenantObject;
  /** The version that counts, if there ever was one. */
  readonly inForce: Tenant | undefined;
  /** Why it is not the newest one; empty when it is. */
  readonly problems: readonly Problem[];
}

export interface Tenants {
  readonly handler: Handler;
  /** Everything that exists is known: from now on tenants are in force. Until then there are none. */
  begin(): void;
  readonly current: TenancySource;
  /** Puts settings in force, unless they do not go together with the tenants in force: then these problems say why. */
  settingsChanged(settings: Settings): readonly Problem[];
  /** Puts exemptions in force beside the tenants. */
  exemptionsChanged(exemptions: Exemptions): void;
  /** Puts what GateRequests agree on in force beside the tenants. Gives whether that has changed. */
  requestsChanged(): boolean;
  /** What was put in force last. */
  agreement(): Agreement;
  /** One for each object that has been judged as it is now. */
  verdicts(): readonly TenantVerdict[];
  verdict(name: string): TenantVerdict | undefined;
  stop(): void;
}

export interface TenantsOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** What GateRequests agree on under these settings, among the tenants that are in force. Default: nothing. */
  readonly agree?: ((settings: Settings, isInForce: (tenant: string) => boolean) => Agreement) | undefined;
  /** Other tenants may be in force; the newest version of so many objects is not. */
  readonly onTenants: (refused: number) => void;
  /** An object, or its verdict, is another one. */
  readonly onObjects: () => void;
}

/** Objects that are applied together arrive within milliseconds of each other; they are judged together. */
const debounce = 20;

export function createTenants(options: TenantsOptions): Tenants {
  const { clock, log, wallClock, onTenants, onObjects, agree = () => noRequests } = options;
  let { settings } = options;
  const objects = new Map<string, TenantObject>();
  /** Known before a list that has begun: after a restore of etcd the same generation may be another one. */
  const doubtful = new Set<string>();
  /** By name, the version of each object that was last in force as its newest one. */
  const lastGood = new Map<string, Tenant>();
  let resolution: Resolution = { inForce: new Map(), closed: [], refused: new Map(), warnings: [] };
  let exemptions: Exemptions = new Map();
  let agreement = noRequests;
  let tenancy = createTenancy(settings, []);
  /** What `resolution` is about. */
  let judged: ReadonlyMap<string, TenantObject['loaded']> = new Map();
  /** Texts that are logged already and still hold. */
  let logged = new Set<string>();
  let begun = false;
  let cancel: (() => void) | undefined;

  function resolve(): void {
    cancel?.();
    cancel = undefined;
    resolution = resolveTenants([...objects.values()], lastGood, settings, wallClock());
    const { inForce, refused, warnings } = resolution;
    for (const { name, loaded } of objects.values())
      if (loaded.ok && inForce.get(name) === loaded.value) lastGood.set(name, loaded.value);
    judged = new Map([...objects.values()].map(({ name, loaded }) => [name, loaded]));
    agreement = agree(settings, (name) => inForce.has(name));
    build();
    const texts = new Map<string, 'warn' | 'error'>();
    for (const warning of warnings) texts.set(formatProblem(warning), 'warn');
    for (const problem of [...refused.values()].flat()) texts.set(formatProblem(problem), 'error');
    for (const [text, level] of texts) if (!logged.has(text)) log[level]({}, text);
    logged = new Set(texts.keys());
    log.info({ tenants: tenancy.tenants.size, refused: refused.size }, 'new tenants are in force');
    onTenants(refused.size);
    onObjects();
  }

  function build(): void {
    const { inForce, closed } = resolution;
    const made = createTenancy(settings, [...inForce.values()].map(asItStands), closed.map(asItStands));
    tenancy = { ...made, exemptions, requests: agreement.requests };
  }

  function asItStands(tenant: Tenant): Tenant {
    const agreed = withAgreed(tenant, agreement);
    return objects.get(tenant.name)?.terminating ? { ...agreed, terminating: true } : agreed;
  }

  function verdictOf(object: TenantObject | undefined): TenantVerdict[] {
    if (object === undefined || judged.get(object.name) !== object.loaded) return [];
    return [
      { object, inForce: resolution.inForce.get(object.name), problems: resolution.refused.get(object.name) ?? [] },
    ];
  }

  function resolveSoon(): void {
    if (begun) cancel ??= clock.after(debounce, resolve);
  }

  return {
    handler: {
      changed(decoded) {
        const { name } = decoded.metadata;
        const before = objects.get(name);
        const object = read(decoded, doubtful.delete(name) ? undefined : before);
        // A version that is replaced at once may still be the last good one.
        if (cancel !== undefined && before !== undefined && judged.get(name) !== before.loaded) resolve();
        objects.set(name, object);
        if (object.uid !== before?.uid) lastGood.delete(name);
        // A new version of the object need not be one of what it declares: labels, or the status.
        if (object.loaded !== before?.loaded || object.terminating !== before.terminating) resolveSoon();
        else if (begun) onObjects();
      },
      forgetVersions() {
        for (const name of objects.keys()) doubtful.add(name);
      },
      removed({ name }) {
        objects.delete(name);
        doubtful.delete(name);
        // The next object of this name has no version before.
        lastGood.delete(name);
        resolveSoon();
      },
    },
    begin() {
      begun = true;
      resolve();
    },
    current: () => tenancy,
    settingsChanged(next) {
      const { problems } = validateTenancy(next, [...resolution.inForce.values()].map(locatedTenant), wallClock());
      if (problems.length > 0) return problems;
      settings = next;
      if (begun) resolve();
      else tenancy = createTenancy(settings, []);
      return [];
    },
    exemptionsChanged(next) {
      exemptions = next;
      tenancy = { ...tenancy, exemptions };
    },
    requestsChanged() {
      if (!begun) return false;
      const before = agreement.gates;
      agreement = agree(settings, (name) => resolution.inForce.has(name));
      const isOther = !isDeepStrictEqual(agreement.gates, before);
      if (isOther) build();
      else tenancy = { ...tenancy, requests: agreement.requests };
      onObjects();
      return isOther;
    },
    agreement: () => agreement,
    verdicts: () => [...objects.values()].flatMap(verdictOf),
    verdict: (name) => verdictOf(objects.get(name))[0],
    stop: () => cancel?.(),
  };
}

/** The spec is read as from a file. */
function read({ metadata: { name, uid }, object }: DecodedObject, before: TenantObject | undefined): TenantObject {
  const { apiVersion, kind, metadata, spec, status } = object;
  const labels = JSON.stringify(fieldsAt(metadata).labels ?? {});
  const { generation, creationTimestamp: created, deletionTimestamp } = fieldsAt(metadata);
  const number = typeof generation === 'number' ? generation : 0;
  const same = before !== undefined && before.uid === uid && before.generation === number && before.labels === labels;
  const document = { apiVersion, kind, metadata, spec };
  return {
    name,
    uid,
    generation: number,
    labels,
    created: typeof created === 'string' ? created : '',
    loaded: same ? before.loaded : parseTenant({ value: document, locate: unlined(tenantFile(name)) }),
    reserved: reservedIn(spec),
    terminating: isGiven(deletionTimestamp),
    status,
  };
}
