/** A replica, as `serve` starts it: facts from the cluster or from files, judged by admission, over HTTPS. */
import { createAdmission } from '../admission/admission.ts';
import type { NamespaceSource } from '../admission/facts.ts';
import { CertificateError } from '../certificates/key-pair.ts';
import type { Clock } from '../client/clock.ts';
import { type Cluster, connectCluster } from '../cluster.ts';
import { poll } from '../files/poll.ts';
import { watchNamespaces } from '../files/watch-namespaces.ts';
import { watchTenancy } from '../files/watch-tenancy.ts';
import { loadClientAuthority } from '../server/client-authority.ts';
import { type ClientCheck, createClientCheck } from '../server/client-check.ts';
import { createHealthServer, createMetricsServer } from '../server/health-server.ts';
import { createLog, type Logger } from '../server/log.ts';
import { createMetrics, type Metrics } from '../server/metrics.ts';
import { createWebhookServer, type WebhookServer } from '../server/webhook-server.ts';
import { formatProblem, type Problem } from '../tenancy/problem.ts';
import { CannotStart } from './cannot-start.ts';
import { type CertificateOptions, openCertificates } from './certificates.ts';
import { registerClusterMetrics } from './cluster-metrics.ts';
import type { LongRunning } from './command.ts';
import { registerProcessMetrics } from './process-metrics.ts';

export interface ReplicaOptions {
  /** A folder of YAML files with Tenant documents; undefined: the Tenant objects of the cluster. */
  readonly tenants: string | undefined;
  /** A YAML file with the Settings document; undefined: the defaults. */
  readonly config: string | undefined;
  readonly certificates: CertificateOptions;
  /** Who may ask: a PEM file with the authority of their certificates, and the names that these may have (none: any). Undefined: everybody. */
  readonly clients?: { readonly authority: string; readonly names: readonly string[] } | undefined;
  readonly namespaces:
    | { readonly from: 'cluster'; readonly kubeconfig: string | undefined }
    | { readonly from: 'files'; readonly folder: string };
  /** Nothing is ever written to the cluster. */
  readonly readOnly: boolean;
  /** The webhook configurations of the cluster are looked after. */
  readonly registration: boolean;
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
  const problems = { files: 0, namespaces: 0, objects: 0 };
  const count = (changed: Partial<typeof problems>) => {
    Object.assign(problems, changed);
    metrics.tenancyProblems(problems.files + problems.namespaces + problems.objects);
  };
  const notInForce = (found: readonly Problem[], what: string) => {
    for (const problem of found) log.error(formatProblem(problem));
    log.error(`the ${what} that were read last are not in force; the ones before still are`);
  };
  const warn = (warnings: readonly Problem[]) => {
    for (const warning of warnings) log.warn(formatProblem(warning));
  };
  const onProblems = (found: readonly Problem[]) => {
    count({ files: found.length });
    notInForce(found, 'tenants and settings');
  };
  const tenancy = await watchTenancy({
    tenants: options.tenants,
    config: options.config,
    onChange: (changed, warnings) => {
      const conflicts = cluster?.settingsChanged(changed.settings) ?? [];
      if (conflicts.length > 0) {
        onProblems(conflicts);
        return;
      }
      count({ files: 0 });
      warn(warnings);
      log.info({ tenants: current().tenants.size }, 'new tenants and settings are in force');
      cluster?.tenancyChanged();
    },
    onProblems,
  });
  if (!tenancy.ok) throw unreadable(tenancy.problems);
  stops.push(() => tenancy.value.stop());
  warn(tenancy.warnings);
  const fromFiles = () => tenancy.value.current();
  const current = () => (cluster?.tenancy ?? fromFiles)();

  const certificates = await openCertificates(options.certificates, options.registration, log);
  let namespaces: NamespaceSource;
  if (options.namespaces.from === 'files') {
    const watched = await watchNamespaces(options.namespaces.folder, current, {
      onChange: ({ size }, warnings) => {
        count({ namespaces: 0 });
        warn(warnings);
        log.info({ namespaces: size }, 'new namespaces are in force');
      },
      onProblems: (found) => {
        count({ namespaces: found.length });
        notInForce(found, 'namespaces');
      },
    });
    if (!watched.ok) throw unreadable(watched.problems);
    stops.push(() => watched.value.stop());
    warn(watched.warnings);
    namespaces = watched.value.source;
    log.info('there is no API server to ask: namespaces are those of the files, and nothing is put in place');
  } else {
    const { kubeconfig } = options.namespaces;
    const { environment } = options;
    const objects = { settings: fromFiles().settings, onTenants: (refused: number) => count({ objects: refused }) };
    const home = options.tenants === undefined ? objects : fromFiles;
    const { registration } = options;
    const source = registration ? certificates.source : undefined;
    cluster = await explained(
      connectCluster({
        kubeconfig,
        environment,
        log,
        tenancy: home,
        reconcile: !options.readOnly,
        registration,
        certificates: source,
        ...(options.clock && { clock: options.clock }),
      }),
    );
    stops.push(() => cluster?.stop());
    namespaces = cluster.namespaces;
    registerClusterMetrics(metrics.registry, cluster);
  }

  const clients = await clientsOf(options.clients);
  const review = createAdmission({
    tenancy: () => (cluster?.tenantsKnown() === false ? undefined : current()),
    namespaces,
    baselines: cluster?.baselines,
    onDefect: (error) => log.error({ stack: stackOf(error) }, 'a review failed'),
  });
  const { host, ports } = options;
  // These answer while a certificate is waited for.
  let server: WebhookServer | undefined;
  const unready = () => {
    if (server === undefined) return ['there is no certificate yet', cluster?.ready()].filter(isText);
    return [server.draining ? 'the server is going away' : undefined, cluster?.ready()].filter(isText);
  };
  registerProcessMetrics(metrics.registry, unready);
  const health = createHealthServer(unready, { host, port: ports.health });
  const scrape = createMetricsServer(metrics.registry, { host, port: ports.metrics });
  const listening = { webhook: 0, health: 0, metrics: 0 };
  const begin = async (
    name: keyof typeof listening,
    one: { listen(): Promise<{ port: number }>; close(): Promise<void> },
  ) => {
    stops.push(() => one.close());
    listening[name] = (await listen(name, one)).port;
  };
  await begin('health', health);
  await begin('metrics', scrape);
  const certificate = certificates.served(cluster);
  const webhook = createWebhookServer({
    review,
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

function unreadable(problems: readonly Problem[]): CannotStart {
  return new CannotStart(problems.map(formatProblem).join('\n'));
}

async function listen(name: string, server: { listen(): Promise<{ port: number }> }): Promise<{ port: number }> {
  try {
    return await server.listen();
  } catch (error) {
    throw new CannotStart(`the ${name} port cannot be listened on: ${error instanceof Error ? error.message : error}`);
  }
}

/** What a connection throws while it is made is a matter of files and settings, in words meant for people. */
async function explained<Value>(value: Promise<Value>): Promise<Value> {
  try {
    return await value;
  } catch (error) {
    throw new CannotStart(error instanceof Error ? error.message : String(error));
  }
}

async function clientsOf(clients: ReplicaOptions['clients']): Promise<ClientCheck | undefined> {
  if (clients === undefined) return undefined;
  return createClientCheck(await loadClientAuthority(clients.authority, Date.now()), clients.names);
}

/** @returns what ends it */
function followClients(path: string, { authority }: ClientCheck, server: WebhookServer, log: Logger): () => void {
  const following = poll({
    load: () => loadClientAuthority(path, Date.now()),
    current: authority,
    same: (one, other) => one.bundle === other.bundle,
    changed: (changed) => {
      server.setClientAuthority(changed);
      log.info({ file: path, authorities: changed.certificates.length }, 'a new client authority is in force');
    },
    failed: (error) => log.error(`${error.message} The client authority from before stays in force.`),
  });
  return () => following.stop();
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}

function stackOf(error: unknown): string {
  return (error instanceof Error && error.stack) || String(error);
}
