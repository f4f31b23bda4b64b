import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, sendApiRequest } from './api-request.ts';
import { type AuditEvent, auditPolicy, readAuditLog } from './audit-log.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { createCertificateAuthority, createSigningKey, type KeyPair } from './certificates.ts';
import { freePort } from './free-port.ts';
import { thriftyGo } from './go-environment.ts';
import { guardFolder, hasEnded, killGuarded, spawnGuarded } from './guarded-process.ts';
import { kubeconfigText } from './kubeconfig.ts';

/** Who asks, as the API server shall see it. */
export interface User {
  readonly user: string;
  readonly groups?: readonly string[];
}

/** What a program printed and its exit code; -1 when it was killed, as after a timeout. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RequestOptions {
  /** Default `application/json`; a patch needs its own, for example `application/merge-patch+json`. */
  readonly contentType?: string;
  /** A path that `kubeconfigFor` gave: whose name the request is made in. Default: `adminKubeconfig`. */
  readonly kubeconfig?: string;
}

export interface ControlPlaneOptions {
  /** Default: what `findBinaries` finds. */
  readonly binaries?: Binaries;
  /**
   * Whether a controller manager runs, so that Deployments make Pods, namespaces terminate and service accounts appear;
   * without it the ServiceAccount admission plugin is off, as nobody would make the accounts. Default: when there is one.
   */
  readonly controllers?: boolean;
  /** Further flags of kube-apiserver, for example `--enable-aggregator-routing=true`. */
  readonly apiServerFlags?: readonly string[];
  /** The folder of what an etcd of these binaries has stored, as `restartEtcd` gives it: the control plane starts with a copy of it. */
  readonly data?: string;
}

export interface ControlPlane {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Of the API server, PEM. */
  readonly caCertificate: string;
  /** A folder of this control plane's own, removed by `stop`. Holds the logs: etcd.log, kube-apiserver.log, ... */
  readonly directory: string;
  /** Path of a kubeconfig of user `admin`, group `system:masters`, for whom RBAC allows everything. */
  readonly adminKubeconfig: string;
  /** Whether a controller manager runs. */
  readonly controllers: boolean;
  /** Writes a kubeconfig with a client certificate of this user and gives its path. */
  kubeconfigFor(user: User): Promise<string>;
  /** Runs kubectl to its end, at most a minute; it knows nothing of the caller's own kubeconfig and caches. */
  kubectl(kubeconfig: string, commandArguments: readonly string[], options?: { stdin?: string }): Promise<Output>;
  /**
   * One request to the API server, without kubectl's start-up time.
   *
   * @param path with the query, for example `/api/v1/namespaces?dryRun=All`
   * @param body sent as JSON
   * @throws when there is no answer; every answer, also a refusal, is returned
   */
  request(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Answer>;
  /** The API server's metrics in Prometheus text form. */
  metrics(): Promise<string>;
  /**
   * Everything the audit log holds: writes with request, response and patches, reads without bodies. The event of a
   * request can appear a moment after its answer.
   */
  auditEvents(): Promise<AuditEvent[]>;
  /** SIGKILL to the API server; what is in etcd stays. */
  killApiServer(): Promise<void>;
  /** Starts the API server again on the same port and waits until it is ready. */
  startApiServer(): Promise<void>;
  /**
   * SIGKILL to the API server and etcd, then starts both again.
   *
   * @param meanwhile given the folder of what etcd has stored, to copy it or to put another in its place
   */
  restartEtcd(meanwhile: (data: string) => Promise<void>): Promise<void>;
  /** Ends all processes, running kubectls too, and removes the folder. May be called twice. */
  stop(): Promise<void>;
}

interface StoredDefinition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

const startTimeoutInMilliseconds = 60_000;
const kubectlTimeoutInMilliseconds = 60_000;
const requestTimeoutInMilliseconds = 60_000;
/** Short, because whoever holds our port in the API server's stead may accept a connection and never say a word. */
const probeTimeoutInMilliseconds = 2_000;
const portAttempts = 5;

const administrator: User = { user: 'admin', groups: ['system:masters'] };

/** Only in a private network does anything listen there. */
const serviceRange = '10.0.0.0/24';
/** Never dialled. Must be given because the API server refuses to guess one on a machine without a default route. */
const advertisedAddress = '10.0.1.1';

/**
 * Sockets in the folder in which the programs run: no port to collide on, and nobody else can reach them. etcd insists
 * on the form `host:port`, which here is the file's name.
 */
const etcdUrl = 'unix://etcd:1';
const etcdPeerUrl = 'unix://etcd:2';

const controllerNames = [
  'namespace-controller',
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'job-controller',
  'daemonset-controller',
  'garbage-collector-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'endpointslice-controller',
  'endpoints-controller',
  'resourcequota-controller',
  'validatingadmissionpolicy-status-controller',
  'clusterrole-aggregation-controller',
];

/**
 * Starts etcd, kube-apiserver and kube-controller-manager for one test, on loopback only, and waits until they serve.
 * They end with this process at the latest, however it ends, and leave nothing behind.
 *
 * @throws with the end of the log of the program that did not start, and when no binaries are given or found
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = options.binaries ?? (await binariesOrThrow());
  const controllerManager = options.controllers === false ? undefined : binaries.kubeControllerManager;
  if (options.controllers && controllerManager === undefined) {
    throw new Error(
      `there is no kube-controller-manager beside ${binaries.kubeApiServer}: put it there, or do without`,
    );
  }
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-apiserver-'));
  const folderGuard = guardFolder(directory);
  const inDirectory = (name: string): string => join(directory, name);
  // Nothing of the caller's: a proxy of his would stand between the API server and a webhook, his HOME holds kubeconfigs.
  const env = { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, ...thriftyGo };
  const authority = createCertificateAuthority('bulkhead test authority');
  const programs = new Map<string, ChildProcess>();
  const kubectls = new Set<ChildProcess>();
  const agents = new Map<string, Agent>();
  let port = 0;

  /** Starts one of the programs with its output in `<name>.log`. */
  function start(name: string, binary: string, flags: readonly string[]): ChildProcess {
    const log = openSync(inDirectory(`${name}.log`), 'a');
    const child = spawnGuarded(binary, flags, { env, output: log, directory });
    closeSync(log);
    programs.set(name, child);
    // A test that forgets to stop the control plane still ends, and the control plane with it.
    child.unref();
    return child;
  }

  /** Polls until `ready` says so; `false` when the program has ended before. */
  async function waitFor(name: string, child: ChildProcess, ready: () => Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + startTimeoutInMilliseconds;
    while (!(await ready())) {
      if (hasEnded(child)) return false;
      if (Date.now() > deadline) throw new Error(`${name} did not become ready\n${await endOfLog(name)}`);
      await sleep(25);
    }
    return true;
  }

  async function endOfLog(name: string): Promise<string> {
    const log = await readFile(inDirectory(`${name}.log`), 'utf8');
    return log.split('\n').slice(-30).join('\n');
  }

  function agentWith(pair: KeyPair): Agent {
    return new Agent({ keepAlive: true, ca: authority.certificate, cert: pair.certificate, key: pair.key });
  }

  async function kubeconfigFor({ user, groups = [] }: User): Promise<string> {
    const pair = authority.issueClient(user, groups);
    const path = inDirectory(`kubeconfig-${agents.size}.json`);
    agents.set(path, agentWith(pair));
    const text = kubeconfigText(`https://127.0.0.1:${port}`, authority.certificate, user, pair);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }

  // Not the one of `adminKubeconfig`: that file can only be written when the port is known.
  const administratorAgent = agentWith(authority.issueClient(administrator.user, administrator.groups ?? []));

  async function request(
    method: string,
    path: string,
    body?: unknown,
    { kubeconfig, contentType }: RequestOptions = {},
  ): Promise<Answer> {
    const agent = kubeconfig === undefined ? administratorAgent : agents.get(kubeconfig);
    if (agent === undefined) throw new Error(`${kubeconfig} is not a kubeconfig of this control plane`);
    const timeoutInMilliseconds = requestTimeoutInMilliseconds;
    return await sendApiRequest(agent, port, { method, path, body, contentType, timeoutInMilliseconds });
  }

  /** Whether this is found, for the administrator. */
  async function answers(path: string): Promise<boolean> {
    const probe = { method: 'GET', path, timeoutInMilliseconds: probeTimeoutInMilliseconds };
    return await sendApiRequest(administratorAgent, port, probe).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async function kubectl(
    kubeconfig: string,
    commandArguments: readonly string[],
    { stdin }: { stdin?: string } = {},
  ): Promise<Output> {
    const child = spawnGuarded(binaries.kubectl, [`--kubeconfig=${kubeconfig}`, ...commandArguments], {
      env,
      input: stdin === undefined ? 'ignore' : 'pipe',
    });
    kubectls.add(child);
    // A program that does not read its input to the end is no error of ours: it says so itself.
    child.stdin?.on('error', () => {}).end(stdin);
    const output = await outputOf(child, kubectlTimeoutInMilliseconds);
    kubectls.delete(child);
    return output;
  }

  function startEtcd(): void {
    start('etcd', binaries.etcd, [
      ...[`--data-dir=${inDirectory('etcd')}`, '--unsafe-no-fsync=true', '--log-level=warn'],
      ...[`--listen-client-urls=${etcdUrl}`, `--advertise-client-urls=${etcdUrl}`],
      ...[`--listen-peer-urls=${etcdPeerUrl}`, `--initial-advertise-peer-urls=${etcdPeerUrl}`],
      `--initial-cluster=default=${etcdPeerUrl}`,
    ]);
  }

  /** The system namespaces are made after `/readyz` turns green, `default` as the last of them. */
  async function isReady(): Promise<boolean> {
    return (await answers('/readyz')) && (await answers('/api/v1/namespaces/default'));
  }

  /** Definitions that are stored already are served after `/readyz` turns green, and their schemas after that. */
  async function servesDefinitions(kubeconfig: string): Promise<boolean> {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const { items } = (await request('GET', definitions)).body as { readonly items: readonly StoredDefinition[] };
    // Its type is text/plain.
    const { paths } = JSON.parse((await request('GET', '/openapi/v3')).text) as { readonly paths: object };
    const versions = items.flatMap(({ spec }) =>
      spec.versions.filter(({ served }) => served).map(({ name }) => `apis/${spec.group}/${name}`),
    );
    if (!versions.every((version) => version in paths)) return false;
    const resources = (await kubectl(kubeconfig, ['api-resources', '-o', 'name'])).stdout.split('\n');
    return items.every(({ metadata }) => resources.includes(metadata.name));
  }

  /**
   * Another program may take the port between our look and the API server's bind: then there is another attempt.
   * An API server on our port that is not ours is never taken for ready, because its certificate is not of our authority.
   */
  async function startApiServerOn(choosePort: () => Promise<number>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      port = await choosePort();
      const child = start('kube-apiserver', binaries.kubeApiServer, [
        `--etcd-servers=${etcdUrl}`,
        ...['--bind-address=127.0.0.1', `--secure-port=${port}`, `--advertise-address=${advertisedAddress}`],
        ...[`--service-cluster-ip-range=${serviceRange}`, '--endpoint-reconciler-type=none'],
        ...[`--tls-cert-file=${inDirectory('server.crt')}`, `--tls-private-key-file=${inDirectory('server.key')}`],
        ...[`--client-ca-file=${inDirectory('ca.crt')}`, '--authorization-mode=RBAC', '--allow-privileged=true'],
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${inDirectory('service-account.key')}`,
        `--service-account-signing-key-file=${inDirectory('service-account.key')}`,
        ...[`--audit-policy-file=${inDirectory('audit-policy.yaml')}`, `--audit-log-path=${inDirectory('audit.log')}`],
        ...(controllerManager ? [] : ['--disable-admission-plugins=ServiceAccount']),
        ...(options.apiServerFlags ?? []),
      ]);
      if (await waitFor('kube-apiserver', child, isReady)) return;
      const log = await endOfLog('kube-apiserver');
      if (attempt === portAttempts || !log.includes('address already in use')) {
        throw new Error(`kube-apiserver ended while starting\n${log}\n${await endOfLog('etcd')}`);
      }
      // A restart has no other port to go to: most probably a run beside this one only looks whether the port is free.
      await sleep(attempt * 200);
    }
  }

  async function startControllerManager(binary: string): Promise<void> {
    const kubeconfig = await kubeconfigFor({ user: 'system:kube-controller-manager' });
    const child = start('kube-controller-manager', binary, [
      ...[`--kubeconfig=${kubeconfig}`, '--use-service-account-credentials=true'],
      ...['--leader-elect=false', '--secure-port=0', `--controllers=${controllerNames.join(',')}`],
      `--service-account-private-key-file=${inDirectory('service-account.key')}`,
      `--root-ca-file=${inDirectory('ca.crt')}`,
    ]);
    // Its first visible deed. Pods cannot be created before: they need the account.
    const ready = (): Promise<boolean> => answers('/api/v1/namespaces/default/serviceaccounts/default');
    if (!(await waitFor('kube-controller-manager', child, ready))) {
      throw new Error(`kube-controller-manager ended while starting\n${await endOfLog('kube-controller-manager')}`);
    }
  }

  async function stop(): Promise<void> {
    for (const agent of [administratorAgent, ...agents.values()]) agent.destroy();
    await Promise.all([...programs.values(), ...kubectls].map(killGuarded));
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    await killGuarded(folderGuard);
  }

  let adminKubeconfig: string;
  try {
    if (options.data !== undefined) await cp(options.data, inDirectory('etcd'), { recursive: true });
    startEtcd();
    const server = authority.issueServer(['127.0.0.1', 'localhost', 'kubernetes', 'kubernetes.default.svc']);
    await Promise.all([
      writeFile(inDirectory('ca.crt'), authority.certificate),
      writeFile(inDirectory('server.crt'), server.certificate),
      writeFile(inDirectory('server.key'), server.key),
      writeFile(inDirectory('service-account.key'), createSigningKey()),
      writeFile(inDirectory('audit-policy.yaml'), auditPolicy),
    ]);
    await startApiServerOn(freePort);
    adminKubeconfig = await kubeconfigFor(administrator);
    const apiServer = programs.get('kube-apiserver');
    if (options.data !== undefined && apiServer)
      await waitFor('kube-apiserver', apiServer, () => servesDefinitions(adminKubeconfig));
    if (controllerManager !== undefined) await startControllerManager(controllerManager);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    url: `https://127.0.0.1:${port}`,
    port,
    caCertificate: authority.certificate,
    directory,
    adminKubeconfig,
    controllers: controllerManager !== undefined,
    kubeconfigFor,
    kubectl,
    request,
    metrics: async () => String((await request('GET', '/metrics')).body),
    auditEvents: () => readAuditLog(inDirectory('audit.log')),
    killApiServer: async () => {
      const child = programs.get('kube-apiserver');
      if (child) await killGuarded(child);
    },
    restartEtcd: async (meanwhile) => {
      for (const name of ['kube-apiserver', 'etcd']) {
        const child = programs.get(name);
        if (child) await killGuarded(child);
      }
      await meanwhile(inDirectory('etcd'));
      startEtcd();
      await startApiServerOn(async () => port);
    },
    startApiServer: async () => {
      const child = programs.get('kube-apiserver');
      if (child && !hasEnded(child)) throw new Error('kube-apiserver runs already: kill it before starting it again');
      await startApiServerOn(async () => port);
    },
    stop,
  };
}

async function binariesOrThrow(): Promise<Binaries> {
  const found = await findBinaries();
  if ('missing' in found) throw new Error(found.missing);
  return found;
}

/** Waits until the program ends, and kills it when that takes too long. */
async function outputOf(child: ChildProcess, timeoutInMilliseconds: number): Promise<Output> {
  const collected = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      collected[name] += chunk;
    });
  }
  const timer = setTimeout(() => void killGuarded(child), timeoutInMilliseconds);
  const [code]: (number | null)[] = await once(child, 'close');
  clearTimeout(timer);
  return { code: code ?? -1, ...collected };
}
