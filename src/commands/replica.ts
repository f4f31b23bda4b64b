/** A replica, as `serve` starts it: facts from the cluster or from files, judged by admission, over HTTPS. */
import { createAdmission } from '../admission/admission.ts';
import type { NamespaceSource } from '../admission/facts.ts';
import { CertificateError } from '../certificates/key-pair.ts';
import type { Clock } from '../client/clock.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { connectCluster } from '../cluster/connect-cluster.ts';
import { watchNamespaces } from '../files/watch-namespaces.ts';
import { watchTenancy } from '../files/watch-tenancy.ts';
import { createHealthServer, createMetricsServer } from '../server/health-server.ts';
import { createLog, type Logger } from '../server/log.ts';
import { createMetrics, type Metrics } from '../server/metrics.ts';
import { createWebhookServer, type WebhookServer } from '../server/webhook-server.ts';
import type { Problem } from '../tenancy/problem.ts';
import { misplacedLabels } from '../tenancy/trusted-labels.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { type CertificateOptions, openCertificates } from './certificates.ts';
import { type ClientOptions, clientsOf, followClients } from './clients.ts';
import { registerClusterMetrics } from './cluster-metrics.ts';
import type { LongRunning } from './command.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { createReloadReports } from './reload-reports.ts';

export interface ReplicaOptions {
  /** A folder of YAML files with Tenant documents; undefined: the Tenant objects of the cluster. */
  readonly tenants: string | undefined;
  /** A YAML file with the Settings document; undefined: the defaults. */
  readonly config: string | undefined;
  readonly certificates: CertificateOptions;
  /** Who may ask; undefined: everybody. */
  readonly clients?: ClientOptions | undefined;
  readonly namespaces:
    | { readonly from: 'cluster'; readonly kubeconfig: string | undefined }
    | { readonly from: 'files'; readonly folder: string };
  /** Nothing is ever written to the cluster. */
  readonly readOnly: boolean;
  /** The webhook configurations of the cluster are looked after. */
  readonly managesWebhooks: boolean;
  readonly host: string;
  /** 0: a free one. */
  readonly ports: { readonly webhook: number; readonly health: number; readonly metrics: number };
  readonly logLevel: string;
  /** The variables of the process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Measures the age of everything known about the cluster. Default: the system clock. */
  readonly clock?: Clock;
}

export interface Running extends LongRunning {
  readonly ports: { readonly webhook: number; readonly health: number; readonly metrics: number };
  /** Resolves when every namespace of the cluster is known. */
  readonly ready: Promise<void>;
}

/** @throws CannotStart */
export async function startReplica(options: ReplicaOptions): Promise<Running> {
  const { log, flush } = createLog(options.logLevel);
  const metrics = createMetrics();
  const stops: (() => void | Promise<void>)[] = [];
  const stop = async () => {
    const failures: unknown[] = [];
    for (const end of stops.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    flush();
    if (failures.length > 0) throw new AggregateError(failures, 'a part of the server could not be ended');
  };
  try {
    return await start(options, log, metrics, stops, stop);
  } catch (error) {
    // Why it did not start says more than what went wrong on the way out.
    await stop().catch(() => {});
    throw error instanceof CertificateError ? new CannotStart(error.message) : error;
  }
}

async function start(
  options: ReplicaOptions,
  log: Logger,
  metrics: Metrics,
  stops: (() => void | Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Running> {
  let cluster: Cluster | undefined;
  let namespaces: NamespaceSource | undefined;
  const reports = createReloadReports(log, metrics);
  const onProblems = (found: readonly Problem[]) => {
    reports.notInForce('tenants and settings', found);
    cluster?.rejected(found);
  };
  const loaded = await watchTenancy({
    tenants: options.tenants,
    config: options.config,
    onChange: (changed, warnings) => {
      const conflicts = cluster?.settingsChanged(changed.settings) ?? [];
      if (conflicts.length > 0) {
        onProblems(conflicts);
        return;
      }
      const { tenants, settings } = current();
      reports.inForce('tenants and settings', warnings, { enforcement: settings.enforcement, tenants: tenants.size });
      cluster?.tenancyChanged();
    },
    onProblems,
    problemsOf: ({ settings }) => [
      ...(namespaces ? misplacedLabels(settings, namespaces.all(), current().settings) : []),
      ...(cluster?.problemsOf(settings) ?? []),
    ],
  });
  const tenancy = orCannotStart(loaded);
  stops.push(() => tenancy.value.stop());
  reports.warn(tenancy.warnings);
  const fromFiles = () => tenancy.value.current();
  const current = () => (cluster?.tenancy ?? fromFiles)();

  const certificates = await openCertificates(options.certificates, options.managesWebhooks, log);
  if (options.namespaces.from === 'files') {
    const watched = await watchNamespaces(options.namespaces.folder, current, {
      onChange: ({ size }, warnings) => reports.inForce('namespaces', warnings, { namespaces: size }),
      onProblems: (found) => reports.notInForce('namespaces', found),
    });
    const { value, warnings } = orCannotStart(watched);
    stops.push(() => value.stop());
    reports.warn(warnings);
    namespaces = value.source;
    const misplaced = misplacedLabels(fromFiles().settings, namespaces.all());
    if (misplaced.length > 0) orCannotStart({ ok: false, problems: misplaced });
    log.info('there is no API server to ask: namespaces are those of the files, and nothing is put in place');
  } else {
    const { managesWebhooks } = options;
    const objects = {
      settings: fromFiles().settings,
      onTenants: (refused: number) => reports.count('Tenant objects', refused),
    };
    cluster = await connectCluster({
      kubeconfig: options.namespaces.kubeconfig,
      environment: options.environment,
      log,
      tenancy: options.tenants === undefined ? objects : fromFiles,
      reconcile: !options.readOnly,
      managesWebhooks,
      certificates: managesWebhooks ? certificates.source : undefined,
      ...(options.clock && { clock: options.clock }),
      // What it throws is a matter of files and settings, in words meant for people.
    }).catch((error: unknown) => cannotStart(error));
    stops.push(() => cluster?.stop());
    namespaces = cluster.namespaces;
    registerClusterMetrics(metrics.registry, cluster);
  }

  const clients = await clientsOf(options.clients);
  const observes = () => current().settings.enforcement === 'observe';
  const review = createAdmission({
    tenancy: () => (cluster?.tenantsKnown() === false ? undefined : current()),
    namespaces,
    baselines: cluster?.baselines,
    beside: cluster?.beside,
    observes,
    onObserved: cluster?.observed,
    onDefect: (error) =>
      log.error({ stack: (error instanceof Error && error.stack) || String(error) }, 'a review failed'),
  });
  const { host, ports } = options;
  // These answer while a certificate is waited for.
  let server: WebhookServer | undefined;
  const unready = () => {
    const leaving = server?.draining ? 'the server is going away' : undefined;
    const own = server === undefined ? 'there is no certificate yet' : leaving;
    return [own, cluster?.ready()].filter((reason) => reason !== undefined);
  };
  registerProcessMetrics(metrics.registry, unready);
  const health = createHealthServer({ unready, notes: reports.rejected }, { host, port: ports.health });
  const scrape = createMetricsServer(metrics.registry, { host, port: ports.metrics });
  const listening = { webhook: 0, health: 0, metrics: 0 };
  const begin = async (
    name: keyof typeof listening,
    one: { listen(): Promise<{ port: number }>; close(): Promise<void> },
  ) => {
    stops.push(() => one.close());
    const address = one
      .listen()
      .catch((error: unknown) => cannotStart(error, `the ${name} port cannot be listened on: `));
    listening[name] = (await address).port;
  };
  await begin('health', health);
  await begin('metrics', scrape);
  const certificate = certificates.served(cluster);
  const webhook = createWebhookServer({
    review,
    observes,
    certificate: await certificate.first,
    paths: certificate.paths,
    clients,
    host,
    port: ports.webhook,
    log,
    metrics,
  });
  server = webhook;
  stops.push(certificate.follow((pair) => webhook.setCertificate(pair)));
  if (options.clients !== undefined && clients !== undefined)
    stops.push(followClients(options.clients.authority, clients, webhook, log));
  await begin('webhook', webhook);
  log.info({ host, ...listening, tenants: current().tenants.size }, 'listening');
  if (observes()) log.warn('the settings say observe: nothing is refused, changed or put in place');
  cluster?.serving(true);
  return {
    ports: listening,
    ready: cluster?.synced ?? Promise.resolve(),
    drain: async () => {
      cluster?.serving(false);
      await webhook.drain();
      await stop();
    },
    stop,
  };
}

function cannotStart(error: unknown, what = ''): never {
  throw new CannotStart(`${what}${error instanceof Error ? error.message : String(error)}`);
}
