#!/usr/bin/env node
/** The command line: the only file that reads argv and env, installs signal handlers, and ends the process. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { demo } from './commands/demo.ts';
import { serve } from './commands/serve.ts';

const usage = `bulkhead keeps the tenants of one Kubernetes cluster apart.

  bulkhead serve   answer the admission reviews of an API server
  bulkhead demo    see it at work: no cluster needed

serve
  --tenants DIR        YAML files with Tenant documents; changes are picked up. Without it, the Tenant objects of the
                       API server (manifests/crds)
  --config FILE        YAML file with the Settings document; without it, the defaults
  --certificates DIR   ca.crt, tls.crt and tls.key; made on the first start when the folder has none (default: certs)
  --kubeconfig FILE    how to reach the API server; not needed in a pod. Never taken from $KUBECONFIG: serve writes there
  --namespaces DIR     YAML files with the Namespaces that exist, when there is no API server to ask
  --read-only          watch the API server, but put nothing in place
  --host ADDRESS       where to listen (default: 127.0.0.1)
  --port N             HTTPS for the API server (default: 9443)
  --health-port N      /livez and /readyz (default: 8081)
  --metrics-port N     /metrics (default: 8080)
  --log-level LEVEL    trace, debug, info, warn, error or silent (default: info)
`;

const serveOptions = {
  tenants: { type: 'string' },
  config: { type: 'string' },
  certificates: { type: 'string', default: 'certs' },
  kubeconfig: { type: 'string' },
  namespaces: { type: 'string' },
  'read-only': { type: 'boolean', default: false },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '9443' },
  'health-port': { type: 'string', default: '8081' },
  'metrics-port': { type: 'string', default: '8080' },
  'log-level': { type: 'string', default: 'info' },
} as const satisfies ParseArgsConfig['options'];

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** A mistake of the person at the keyboard: said in a sentence, without a stack trace. */
class Misuse extends Error {}

async function main([command, ...args]: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) return main(['help']);
  switch (command) {
    case 'serve':
      return runServe(args);
    case 'demo':
      if (args.length > 0) throw new Misuse('demo takes no arguments');
      process.exitCode = (await demo((line) => process.stdout.write(`${line}\n`))) ? 0 : 1;
      return;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(usage);
      return;
    default:
      throw new Misuse(`${command} is not a command of bulkhead; it knows serve and demo`);
  }
}

async function runServe(args: readonly string[]): Promise<void> {
  const { values } = parse(args);
  const { tenants, config, namespaces } = values;
  const { kubeconfig } = values;
  const inCluster = process.env.KUBERNETES_SERVICE_HOST !== undefined;
  const level = logLevels.find((known) => known === values['log-level']);
  if (level === undefined) throw new Misuse(`--log-level is one of ${logLevels.join(', ')}`);
  const fromFiles = namespaces !== undefined || (kubeconfig === undefined && !inCluster);
  if (fromFiles && tenants === undefined)
    throw new Misuse('serve needs --tenants DIR, or an API server that has them: give --kubeconfig FILE');
  if (fromFiles && kubeconfig !== undefined) throw new Misuse('give --namespaces or --kubeconfig, not both');
  const running = await serve({
    tenants,
    config,
    certificates: values.certificates,
    namespaces: fromFiles ? { from: 'files', folder: namespaces } : { from: 'cluster', kubeconfig },
    readOnly: values['read-only'],
    host: values.host,
    ports: {
      webhook: portOf('port', values.port),
      health: portOf('health-port', values['health-port']),
      metrics: portOf('metrics-port', values['metrics-port']),
    },
    logLevel: level,
    environment: process.env,
  });
  if (running === undefined) {
    process.exitCode = 1;
    return;
  }
  // The first SIGTERM lets clients leave at their own pace; a second one, or an interrupt at the keyboard, does not wait for them.
  const end = () => void running.stop();
  process.once('SIGTERM', () => {
    process.once('SIGTERM', end);
    void running.drain();
  });
  process.once('SIGINT', end);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: serveOptions, strict: true, allowPositionals: false });
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
  if (!(error instanceof Misuse)) throw error;
  process.stderr.write(`bulkhead: ${error.message}\nTry: --help\n`);
  process.exitCode = 2;
});
