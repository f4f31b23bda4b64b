import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Authentication, ClusterLocation } from './authentication.ts';

/**
 * The cluster and user of a context of a kubeconfig, by default the current one, with all that @kubernetes/client-node reads there. The typed API of that
 * package is not used: it renames fields (`from` becomes `_from`) and drops unknown ones. It is loaded with the first request, because
 * it costs 90 MB of resident memory.
 *
 * @throws (in `credentials`) when a file cannot be read or names no such context, with what to change
 */
export function kubeconfigAuthentication(location: Extract<ClusterLocation, { kind: 'kubeconfig' }>): Authentication {
  let loading: Promise<KubeConfig> | undefined;
  return {
    async credentials() {
      loading ??= load(location);
      const current = loading;
      let kubeConfig: KubeConfig;
      try {
        kubeConfig = await current;
      } catch (error) {
        // The file may be right the next time.
        if (loading === current) loading = undefined;
        throw error;
      }
      const cluster = kubeConfig.getCurrentCluster();
      if (cluster === null) throw new Error(noContext(location, kubeConfig));
      const options: RequestOptions = {};
      await kubeConfig.applyToHTTPSOptions(options);
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {}))
        headers[name.toLowerCase()] = String(value).trim();
      if (options.auth) headers.authorization ??= `Basic ${Buffer.from(options.auth).toString('base64')}`;
      const { ca, cert, key, servername, rejectUnauthorized } = options;
      return {
        server: cluster.server,
        headers,
        tls: {
          ...(isText(ca) ? { ca } : {}),
          ...(isText(cert) ? { cert } : {}),
          ...(isText(key) ? { key } : {}),
          ...(servername === undefined ? {} : { servername }),
          ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
        },
        // Without a proxy the agent made here is left alone: it is bound to the first certificate and keeps no connection alive.
        ...(cluster.proxyUrl && typeof options.agent === 'object' ? { agent: options.agent } : {}),
      };
    },
    refused() {
      loading = undefined;
    },
  };
}

async function load(location: Extract<ClusterLocation, { kind: 'kubeconfig' }>): Promise<KubeConfig> {
  const { KubeConfig } = await import('./kubeconfig-loader.ts');
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromFile(location.path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the kubeconfig ${location.path} cannot be used: ${reason}`, { cause: error });
  }
  if (location.context !== undefined) kubeConfig.setCurrentContext(location.context);
  if (kubeConfig.getCurrentCluster() === null) throw new Error(noContext(location, kubeConfig));
  return kubeConfig;
}

function noContext(location: Extract<ClusterLocation, { kind: 'kubeconfig' }>, kubeConfig: KubeConfig): string {
  const known = kubeConfig.getContexts().map((context) => context.name);
  const wanted = kubeConfig.currentContext ? `no usable context ${kubeConfig.currentContext}` : 'no current context';
  const change = location.context === undefined ? 'set current-context to' : 'name';
  const fix = known.length === 0 ? 'it has no contexts at all' : `${change} one of: ${known.join(', ')}`;
  return `the kubeconfig ${location.path} has ${wanted}; ${fix}`;
}

function isText(value: unknown): value is Buffer | string {
  return Buffer.isBuffer(value) || typeof value === 'string';
}
