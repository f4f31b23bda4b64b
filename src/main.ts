#!/usr/bin/env node
/** The command line: the only file that reads argv and env, installs signal handlers, and ends the process. */
import { inspect, type ParseArgsConfig, parseArgs } from 'node:util';
import { CannotStart } from './commands/cannot-start.ts';
import type { CertificateOptions } from './commands/certificates.ts';

const usage = `bulkhead keeps the tenants of one Kubernetes cluster apart.

  bulkhead serve     answer the admission reviews of an API server
  bulkhead audit     say what the baselines would cut off in a cluster that is in use; changes nothing
  bulkhead backstop  print the policies by which the API server keeps what matters most, also without Bulkhead
  bulkhead demo      see it at work: no cluster needed

serve
  --tenants DIR        YAML files with Tenant documents; changes are picked up. Without it, the Tenant objects of the
                       API server (manifests/crds)
  --config FILE        YAML file with the Settings document; without it, the defaults
  --certificates DIR   ca.crt, tls.crt and tls.key; made on the first start when the folder has none (default: certs)
  --client-ca FILE     the authority of client certificates: nobody without one gets an answer; changes are picked up.
                       Without it, everybody who reaches the port
  --client-name NAME   a common name or DNS name of such a certificate that may ask; may be given again. Without it, all
  --certificate-secret NAMESPACE/NAME
                       in place of files: the replicas make certificates, renew them, and share them in this Secret
  --service NAMESPACE/NAME
                       how the API server calls the webhook (default: bulkhead-system/bulkhead)
  --rotation FIGURES   seconds of the rotation of --certificate-secret, for example settle=60,overlap=900; also tick,
                       and authority, server and path, which are lifetimes
  --kubeconfig FILE    how to reach the API server; not needed in a pod. Never taken from $KUBECONFIG: serve writes there
  --namespaces DIR     YAML files with the Namespaces that exist, when there is no API server to ask; changes are
                       picked up
  --read-only          watch the API server, but put nothing in place
  --registration       complete the webhook configurations of Bulkhead in the API server: whom it trusts (caBundle), the
                       path, and that they fail closed, once the API server was seen to ask
  --host ADDRESS       where to listen (default: 127.0.0.1)
  --port N             HTTPS for the API server (default: 9443)
  --health-port N      /livez and /readyz (default: 8081)
  --metrics-port N     /metrics (default: 8080)
  --log-level LEVEL    trace, debug, info, warn, error or silent (default: info)

audit
  --tenants DIR, --config FILE, --kubeconfig FILE    as for serve

backstop
  --tenants DIR, --config FILE    as for serve
`;

const serveOptions = {
  tenants: { type: 'string' },
  config: { type: 'string' },
  certificates: { type: 'string' },
  'certificate-secret': { type: 'string' },
  service: { type: 'string', default: 'bulkhead-system/bulkhead' },
  rotation: { type: 'string' },
  'client-ca': { type: 'string' },
  'client-name': { type: 'string', multiple: true, default: [] },
  kubeconfig: { type: 'string' },
  namespaces: { type: 'string' },
  'read-only': { type: 'boolean', default: false },
  registration: { type: 'boolean', default: false },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '9443' },
  'health-port': { type: 'string', default: '8081' },
  'metrics-port': { type: 'string', default: '8080' },
  'log-level': { type: 'string', default: 'info' },
} as const satisfies ParseArgsConfig['options'];

const auditOptions = {
  tenants: serveOptions.tenants,
  config: serveOptions.config,
  kubeconfig: serveOptions.kubeconfig,
};

const backstopOptions = { tenants: serveOptions.tenants, config: serveOptions.config };

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** A mistake of the person at the keyboard: said in a sentence, without a stack trace. */
class Misuse extends Error {}

async function main([command, ...args]: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) return main(['help']);
  switch (command) {
    case 'serve':
      return runServe(args);
    case 'audit': {
      const { tenants, config, kubeconfig } = parse(args, auditOptions).values;
      const { audit } = await import('./commands/audit.ts');
      const print = (line: string) => process.stdout.write(`${line}\n`);
      return audit({ tenants, config, kubeconfig, environment: process.env }, print);
    }
    case 'backstop': {
      const { tenants, config } = parse(args, backstopOptions).values;
      const { backstop } = await import('./commands/backstop.ts');
      process.stdout.write(await backstop({ tenants, config }));
      return;
    }
    case 'demo': {
      if (args.length > 0) throw new Misuse('demo takes no arguments');
      const { demo } = await import('./commands/demo.ts');
      process.exitCode = (await demo((line) => process.stdout.write(`${line}\n`))) ? 0 : 1;
      return;
    }
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(usage);
      return;
    default:
      throw new Misuse(`${command} is not a command of bulkhead; it knows serve, audit, backstop and demo`);
  }
}

async function runServe(args: readonly string[]): Promise<void> {
  const { values } = parse(args, serveOptions);
  const { tenants, config, namespaces, kubeconfig } = values;
  const ports = {
    webhook: portOf('port', values.port),
    health: portOf('health-port', values['health-port']),
    metrics: portOf('metrics-port', values['metrics-port']),
  };
  const inCluster = process.env.KUBERNETES_SERVICE_HOST !== undefined;
  const level = logLevels.find((known) => known === values['log-level']);
  if (level === undefined) throw new Misuse(`--log-level is one of ${logLevels.join(', ')}`);
  if (namespaces !== undefined && kubeconfig !== undefined)
    throw new Misuse('give --namespaces or --kubeconfig, not both');
  const clientAuthority = values['client-ca'];
  const clientNames = values['client-name'];
  if (clientNames.includes('')) throw new Misuse('--client-name is a name, not nothing');
  if (clientAuthority === undefined && clientNames.length > 0)
    throw new Misuse('--client-name needs --client-ca FILE, the authority that gives such names');
  const withoutCluster = namespaces !== undefined || (kubeconfig === undefined && !inCluster);
  // Without any namespace every pod and policy would be refused for ever.
  if (withoutCluster && (tenants === undefined || namespaces === undefined))
    throw new Misuse(
      'serve needs --tenants DIR and --namespaces DIR, or an API server that has both: give --kubeconfig FILE',
    );
  if (values.registration && (withoutCluster || values['read-only']))
    throw new Misuse('--registration writes to an API server: it goes neither with --namespaces nor with --read-only');
  // Each command loads what it needs, and serve none of what the others do.
  const { startReplica } = await import('./commands/replica.ts');
  const running = await startReplica({
    tenants,
    config,
    certificates: certificatesOf(values),
    clients: clientAuthority === undefined ? undefined : { authority: clientAuthority, names: clientNames },
    namespaces: namespaces === undefined ? { from: 'cluster', kubeconfig } : { from: 'files', folder: namespaces },
    readOnly: values['read-only'],
    registration: values.registration,
    host: values.host,
    ports,
    logLevel: level,
    environment: process.env,
  });
  // The first SIGTERM lets clients leave at their own pace; a second one, or an interrupt at the keyboard, does not wait for them.
  const end = () => running.stop().catch(endedBadly);
  process.once('SIGTERM', () => {
    process.once('SIGTERM', end);
    running.drain().catch(endedBadly);
  });
  process.once('SIGINT', end);
}

function certificatesOf(values: {
  readonly certificates?: string;
  readonly 'certificate-secret'?: string;
  readonly service: string;
  readonly rotation?: string;
  readonly registration: boolean;
}): CertificateOptions {
  const { certificates, service, rotation, 'certificate-secret': secret } = values;
  if (secret === undefined) {
    if (rotation !== undefined) throw new Misuse('--rotation goes with --certificate-secret');
    return certificates ?? 'certs';
  }
  if (certificates !== undefined) throw new Misuse('give --certificates or --certificate-secret, not both');
  if (!values.registration)
    throw new Misuse('--certificate-secret needs --registration: API servers must learn whom to trust');
  return {
    secret: namespacedName('certificate-secret', secret),
    service: namespacedName('service', service),
    limits: rotation === undefined ? {} : rotationOf(rotation),
  };
}

function namespacedName(option: string, text: string): { readonly namespace: string; readonly name: string } {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) throw new Misuse(`--${option} is NAMESPACE/NAME, not ${text}`);
  return { namespace, name };
}

const rotationFigures = {
  settle: 'settle',
  overlap: 'overlap',
  tick: 'tick',
  authority: 'authorityLifetime',
  server: 'serverLifetime',
  path: 'pathLifetime',
} as const;

function rotationOf(text: string): Readonly<Record<string, number>> {
  const figures = text.split(',').map((figure) => {
    const [, name = '', seconds] = /^([a-z]+)=(\d+(?:\.\d+)?)$/.exec(figure) ?? [];
    const known = Object.entries(rotationFigures).find(([one]) => one === name);
    if (known === undefined || !(Number(seconds) > 0))
      throw new Misuse(`--rotation takes ${Object.keys(rotationFigures).join(', ')} as NAME=SECONDS, not ${figure}`);
    return [known[1], Number(seconds) * 1000] as const;
  });
  return Object.fromEntries(figures);
}

/** What could not be ended may keep the process alive. */
function endedBadly(error: unknown): never {
  process.stderr.write(`bulkhead: ${inspect(error)}\n`);
  process.exit(1);
}

function parse<Options extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

/** 0 is any free port. */
function portOf(option: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new Misuse(`--${option} is a port from 0 to 65535, not ${text}`);
  return Number(text);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof Misuse) {
    process.stderr.write(`bulkhead: ${error.message}\nTry: --help\n`);
    process.exitCode = 2;
  } else if (error instanceof CannotStart) {
    // Whatever the level of the log is: without it nobody knows what to mend.
    for (const line of error.message.split('\n')) process.stderr.write(`bulkhead: ${line}\n`);
    process.exitCode = 1;
  } else throw error;
});
