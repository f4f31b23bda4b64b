/** The command line of `serve`: which options go together, and what they mean for a replica. */
import type { CertificateOptions } from './certificates.ts';
import { defineCommand } from './command.ts';
import { Misuse } from './misuse.ts';
import {
  flag,
  namespacedName,
  type Option,
  oneOf,
  optionalNamespacedName,
  optionalText,
  port,
  text,
  texts,
  type Values,
} from './options.ts';
import { startReplica } from './replica.ts';
import { kubeconfigOption, tenancyOptions } from './shared-options.ts';

/** The names of `--rotation`, each with the limit that it sets. */
const limitNames = {
  settle: 'propagationDelay',
  overlap: 'overlap',
  tick: 'tick',
  authority: 'authorityLifetime',
  server: 'serverLifetime',
  path: 'pathLifetime',
} as const;

/** In milliseconds. */
type Rotation = Readonly<Record<string, number>>;

const rotation: Option<Rotation | undefined> = {
  value: 'LIMITS',
  help: 'set limits of the rotation of --certificate-secret, in seconds',
  default: 'settle=60,overlap=900,tick=60,authority=31536000,server=2592000,path=86400',
  read(texts, flag) {
    const given = texts.at(-1);
    if (given === undefined) return undefined;
    const limits = given.split(',').map((limit) => {
      const [, name = '', seconds] = /^([a-z]+)=(\d+(?:\.\d+)?)$/.exec(limit) ?? [];
      const known = Object.entries(limitNames).find(([one]) => one === name);
      if (known === undefined || !(Number(seconds) > 0))
        throw new Misuse(`${flag} takes ${Object.keys(limitNames).join(', ')} as NAME=SECONDS, not ${limit}`);
      return [known[1], Number(seconds) * 1000] as const;
    });
    return Object.fromEntries(limits);
  },
};

const options = {
  ...tenancyOptions,
  certificates: optionalText(
    'DIR',
    'serve with tls.crt and tls.key of this folder; create them, and ca.crt, where they are missing',
    'certs',
  ),
  'client-ca': optionalText(
    'FILE',
    'verify client certificates with this CA bundle, and refuse clients without one',
    'clients are not authenticated',
  ),
  'client-name': texts(
    'NAME',
    'accept only client certificates with this common name or DNS name; repeat for more names',
    'every name',
  ),
  'certificate-secret': optionalNamespacedName(
    'create and renew certificates in this Secret, which all replicas share, in place of files',
    'files of --certificates',
  ),
  service: namespacedName(
    'issue the certificates of --certificate-secret for this Service, by which the API server calls the webhook',
    'bulkhead-system/bulkhead',
  ),
  rotation,
  kubeconfig: kubeconfigOption,
  namespaces: optionalText(
    'DIR',
    'read Namespaces from the YAML files of this folder, and connect to no API server',
    'the Namespaces of the API server',
  ),
  'read-only': flag('watch the API server, but write nothing to it'),
  'webhook-configurations': flag(
    "manage Bulkhead's webhook configurations: inject the CA bundle and the path, and set failurePolicy to Fail " +
      'once a probe has reached Bulkhead through the API server',
  ),
  host: text('ADDRESS', 'listen on this address', '127.0.0.1'),
  port: port('serve HTTPS for the API server on this port; 0 is any free port', 9443),
  'health-port': port('serve /livez and /readyz on this port', 8081),
  'metrics-port': port('serve /metrics on this port', 8080),
  'log-level': oneOf(
    'LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    'write log lines of this level and above',
    'info',
  ),
};

export const command = defineCommand({
  summary: 'answer the admission reviews of an API server',
  details: 'Files are reloaded when they change.',
  options,
  async run(values, { environment }) {
    const { tenants, config, namespaces, kubeconfig } = values;
    const managesWebhooks = values['webhook-configurations'];
    const readOnly = values['read-only'];
    const clientAuthority = values['client-ca'];
    const clientNames = values['client-name'];
    if (namespaces !== undefined && kubeconfig !== undefined)
      throw new Misuse('give --namespaces or --kubeconfig, not both');
    if (clientAuthority === undefined && clientNames.length > 0)
      throw new Misuse('--client-name needs --client-ca FILE, the CA bundle that verifies such certificates');
    const inCluster = environment.KUBERNETES_SERVICE_HOST !== undefined;
    const withoutCluster = namespaces !== undefined || (kubeconfig === undefined && !inCluster);
    // Without any namespace every pod and policy would be refused for ever.
    if (withoutCluster && (tenants === undefined || namespaces === undefined))
      throw new Misuse(
        'serve needs --tenants DIR and --namespaces DIR, or an API server that has both: give --kubeconfig FILE',
      );
    if (managesWebhooks && (withoutCluster || readOnly))
      throw new Misuse('--webhook-configurations writes to an API server: it excludes --namespaces and --read-only');
    return startReplica({
      tenants,
      config,
      certificates: certificatesOf(values),
      clients: clientAuthority === undefined ? undefined : { authority: clientAuthority, names: clientNames },
      namespaces: namespaces === undefined ? { from: 'cluster', kubeconfig } : { from: 'files', folder: namespaces },
      readOnly,
      managesWebhooks,
      host: values.host,
      ports: { webhook: values.port, health: values['health-port'], metrics: values['metrics-port'] },
      logLevel: values['log-level'],
      environment,
    });
  },
});

function certificatesOf(values: Values<typeof options>): CertificateOptions {
  const { certificates: folder, 'certificate-secret': secret, service, rotation } = values;
  if (secret === undefined) {
    if (rotation !== undefined) throw new Misuse('--rotation goes with --certificate-secret');
    return folder ?? 'certs';
  }
  if (folder !== undefined) throw new Misuse('give --certificates or --certificate-secret, not both');
  if (!values['webhook-configurations'])
    throw new Misuse('--certificate-secret needs --webhook-configurations, which gives API servers the CA bundle');
  return { secret, service, limits: rotation ?? {} };
}
