/** Objects of Bulkhead's own kinds, where they grant something: Tenants, Exemptions and GateRequests, and their status. */
import type { NamespaceSource, TenancySource } from '../admission/facts.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import { createExemptions, exemptionsPath } from '../facts/exemptions.ts';
import { createGateRequests, gateRequestsPath } from '../facts/gate-requests.ts';
import { createTenants, type TenantsOptions, tenantsPath } from '../facts/tenants.ts';
import { noRequests } from '../gates/agreement.ts';
import { type Problem, problemAt, unlined } from '../tenancy/problem.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { BorderState } from './border-states.ts';
import { createExemptionStatusWriter } from './exemption-status.ts';
import { createGateRequestStatusWriter } from './gate-request-status.ts';
import type { NamespaceEvents } from './namespace-events.ts';
import type { StatusCounters, StatusWriterOptions } from './status-writer.ts';
import { createTenantStatusWriter } from './tenant-status-writer.ts';

/** Tenants that are objects of the cluster. */
export interface TenantObjects extends Pick<TenantsOptions, 'onTenants'> {
  /** In force until {@link OwnObjects.settingsChanged}. */
  readonly settings: Settings;
}

export interface OwnObjects {
  readonly tenancy: TenancySource;
  readonly watches: ReadonlyMap<string, ListWatch>;
  /** Those that must be known before a review is answered, whatever the settings say. A cluster need not serve the others. */
  readonly needed: readonly string[];
  /** Whether GateRequests count. */
  readRequests(): boolean;
  /** Everything that exists is known: from now on the cluster is written to. */
  begin(): void;
  /** @param isOther whether it is new or gone, or has another owner or is about to go */
  namespaceChanged(name: string, isOther: boolean): void;
  /** Tenants or settings have changed. */
  tenancyChanged(): void;
  /** The border of a tenant in the network has another state. */
  bordersChanged(): void;
  /** What settings count on and the API server does not serve. */
  problemsOf(settings: Settings): readonly Problem[];
  /** Puts settings in force, or says why they do not go together with the tenants. */
  settingsChanged(settings: Settings): readonly Problem[];
  /** The settings that were read last are not in force. */
  settingsRejected(problems: readonly Problem[]): void;
  /** Undefined where nothing is written. */
  tenantStatus(): StatusCounters | undefined;
  stop(): Promise<void>;
}

export interface OwnObjectsOptions {
  readonly common: StatusWriterOptions;
  readonly follow: (path: string, handler: Handler) => ListWatch;
  readonly home: TenantObjects;
  readonly namespaces: Pick<NamespaceSource, 'lookup' | 'countOwned'>;
  /** Undefined: nothing is written, no status either. */
  readonly events: NamespaceEvents | undefined;
  /** Where Bulkhead runs. */
  readonly ownNamespace: string;
  /** Other tenants may be in force. */
  readonly onTenants: () => void;
  /** Other exemptions or gates are in force. */
  readonly onGrants: () => void;
  /** Of the border in the network; undefined: the settings want none. */
  readonly borderOf: (tenant: Tenant) => BorderState | undefined;
}

export function keepOwnObjects(options: OwnObjectsOptions): OwnObjects {
  const { common, follow, home, events, ownNamespace, onGrants } = options;
  const { clock, log } = common;
  const lookup = (name: string) => options.namespaces.lookup(name);
  let rejectedSettings: readonly Problem[] = [];
  const tenants = createTenants({
    ...common,
    settings: home.settings,
    agree: (settings, isInForce) => requests?.agree(settings, isInForce) ?? noRequests,
    onTenants(refused) {
      home.onTenants(refused);
      options.onTenants();
    },
    onObjects: () => tenantStatus?.changed(),
  });
  const tenancy = tenants.current;
  const exemptions = createExemptions({
    clock,
    log,
    onExemptions(inForce, refused) {
      tenants.exemptionsChanged(inForce);
      const count = [...inForce.values()].reduce((sum, { length }) => sum + length, 0);
      log.info({ exemptions: count, refused }, 'new exemptions are in force');
      onGrants();
      exemptionStatus?.changed();
    },
  });
  const requests = createGateRequests({
    clock,
    tenantLabel: () => tenancy().settings.tenantLabel,
    lookup,
    onRequests: requestsChanged,
  });
  const tenantStatus =
    events &&
    createTenantStatusWriter({
      ...{ ...common, tenants, borderOf: options.borderOf, events },
      rejectedSettings: () => rejectedSettings,
      home: () => lookup(ownNamespace),
      countOwned: (tenant) => options.namespaces.countOwned(tenant),
    });
  const exemptionStatus =
    events &&
    createExemptionStatusWriter({ ...common, exemptions, tenancy: () => tenancy(), lookup, ownNamespace, events });
  const requestStatus = events && createGateRequestStatusWriter({ ...common, requests, agreement: tenants.agreement });

  function requestsChanged(): void {
    if (tenants.requestsChanged()) {
      log.info({}, 'other gates by GateRequests are in force');
      onGrants();
    }
    requestStatus?.changed();
  }

  function settingsRejected(problems: readonly Problem[]): void {
    rejectedSettings = problems;
    tenantStatus?.changed();
  }

  const followed = (path: string, { handler, begin }: { readonly handler: Handler; begin(): void }): ListWatch => {
    const watch = follow(path, handler);
    // Before all others that wait for the watch, so that they find its objects in force.
    void watch.synced.then(begin);
    return watch;
  };
  const watchOfRequests = followed(gateRequestsPath, requests);

  return {
    tenancy,
    watches: new Map([
      ['tenants', followed(tenantsPath, tenants)],
      ['exemptions', followed(exemptionsPath, exemptions)],
      ['gaterequests', watchOfRequests],
    ]),
    needed: ['tenants', 'exemptions'],
    readRequests: () => tenancy().settings.gates.from === 'tenants',
    begin() {
      tenantStatus?.begin();
      exemptionStatus?.begin();
      // By the owners of all namespaces.
      requestsChanged();
      requestStatus?.begin();
    },
    namespaceChanged(name, isOther) {
      if (isOther) requests.namespaceChanged(name);
      tenantStatus?.changed();
      exemptionStatus?.changed();
    },
    tenancyChanged() {
      exemptionStatus?.changed();
      requestStatus?.changed();
    },
    problemsOf({ gates }) {
      if (gates.from === 'platform' || watchOfRequests.staleness() !== Number.POSITIVE_INFINITY) return [];
      const reason = `counts on GateRequests, and the API server has not listed them: ${watchOfRequests.trouble() ?? 'not yet'}`;
      return [problemAt(unlined('settings'), ['spec', 'gates', 'from'], reason, 'apply manifests/crds first')];
    },
    settingsChanged(settings) {
      const problems = tenants.settingsChanged(settings);
      if (problems.length === 0) settingsRejected([]);
      return problems;
    },
    settingsRejected,
    tenantStatus: () => tenantStatus?.counters(),
    bordersChanged: () => tenantStatus?.changed(),
    async stop() {
      tenants.stop();
      exemptions.stop();
      requests.stop();
      await tenantStatus?.stop();
      await exemptionStatus?.stop();
      await requestStatus?.stop();
    },
  };
}
