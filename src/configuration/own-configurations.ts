/** Bulkhead's own webhook configurations, where it manages them: failurePolicy, CA bundle, path and namespace selector. */
import type { NamespaceRecord, NamespaceSource, TenancySource } from '../admission/facts.ts';
import type { Connection } from '../client/connection.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import { entry } from '../kubernetes/objects.ts';
import type { StatusWriterOptions } from '../reconcile/status-writer.ts';
import { probeNamespace } from '../tenancy/probe.ts';
import type { ReplicaCertificates } from './certificates.ts';
import { type FailurePolicyCounters, keepFailurePolicies } from './failure-policy.ts';
import { type FileCertificates, keepFileCertificates, type VouchedPair } from './file-certificates.ts';
import { keepNamespaceSelectors } from './namespace-selectors.ts';
import { ownSelector } from './own-selector.ts';
import { keepSecretCertificates, type SecretCertificatesOptions } from './secret-certificates.ts';
import { createWebhookConfigurations } from './webhook-configurations.ts';

export type CertificateSource =
  | ({ readonly from: 'secret' } & SecretCertificatesOptions)
  | { readonly from: 'files'; readonly first: VouchedPair };

export interface OwnConfigurations {
  readonly watches: ReadonlyMap<string, ListWatch>;
  /** Undefined where Bulkhead does not write CA bundles. */
  readonly certificates: ReplicaCertificates | undefined;
  /** Where certificates come from files: these have changed. */
  certificateFilesChanged(files: VouchedPair): void;
  tenancyChanged(): void;
  /** The cluster is known, and reviews are answered from now on. */
  begin(): void;
  /** Reviews will soon not be answered any more. */
  end(): void;
  counters(): FailurePolicyCounters;
  stop(): Promise<void>;
}

export interface OwnConfigurationsOptions {
  readonly common: StatusWriterOptions & { readonly connection: Connection };
  readonly follow: (path: string, handler: Handler) => ListWatch;
  readonly source: CertificateSource | undefined;
  readonly tenancy: TenancySource;
  readonly namespaces: Pick<NamespaceSource, 'lookup' | 'all'>;
  readonly ownerLabel: (namespace: NamespaceRecord) => string | undefined;
  /** Where Bulkhead runs. */
  readonly ownNamespace: string;
}

export function keepOwnConfigurations(options: OwnConfigurationsOptions): OwnConfigurations {
  const { common, follow, source, tenancy, namespaces, ownerLabel, ownNamespace } = options;
  const configurations = createWebhookConfigurations(common.connection, follow);
  const tools = { ...common, configurations };
  let fromFiles: FileCertificates | undefined;
  if (source?.from === 'files') fromFiles = keepFileCertificates(tools, source.first);
  const certificates = source?.from === 'secret' ? keepSecretCertificates(tools, source) : fromFiles;
  const tenantLabel = () => tenancy().settings.tenantLabel;
  const selectors = keepNamespaceSelectors({
    ...tools,
    tenantLabel,
    observes: () => tenancy().settings.enforcement === 'observe',
    ownSelector: (webhook) => ownSelector(webhook, tenancy().settings),
    isCarried: (key) =>
      [...namespaces.all()].some(
        (one) => one.name !== probeNamespace && entry(one.labels, key) !== undefined && ownerLabel(one) === undefined,
      ),
  });
  const failurePolicies = keepFailurePolicies({
    ...tools,
    selectors,
    namespaceOf: namespaces.lookup,
    ownNamespace,
    tenantLabel,
    wantsFail: () => tenancy().settings.enforcement === 'enforce',
  });

  return {
    watches: configurations.watches,
    certificates,
    certificateFilesChanged: (changed) => fromFiles?.offer(changed),
    tenancyChanged() {
      selectors.changed();
      failurePolicies.settingsChanged();
    },
    begin() {
      selectors.begin();
      failurePolicies.begin();
    },
    end: () => failurePolicies.end(),
    counters: () => failurePolicies.counters(),
    async stop() {
      await selectors.stop();
      await failurePolicies.stop();
      await certificates?.stop();
    },
  };
}
