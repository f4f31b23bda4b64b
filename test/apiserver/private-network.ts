import { fileURLToPath } from 'node:url';
import tap from 'tap';
import { binariesOrSkip, type ClusterTestOptions, clusterTest, skipOrFail } from './cluster-test.ts';
import { inNetworkNamespace, whyUnavailable } from './network-namespace.ts';

/** Says to the file, started again inside the network, which of its tests to run. */
const insideVariable = 'BULKHEAD_PRIVATE_NETWORK_TEST';

/**
 * Like `clusterTest`, inside a private network in which a Service's address can be listened on: the API server calls a
 * webhook by its Service reference, as in production. The file is started once more inside the network and its results
 * become a subtest, so such tests belong into a file without other tests.
 *
 * Give the Service a fixed `clusterIP` in 10.0.0.0/24 and listen there on the Service's port, below 1024 too. For
 * several replicas pass `apiServerFlags: ['--enable-aggregator-routing=true']` and make the EndpointSlice by hand, with
 * addresses in 10.0.1.0/24 to listen on.
 *
 * Needs Linux with unprivileged user namespaces (or root), util-linux (`unshare`, `setpriv`) and iproute2 (`ip`).
 *
 * @param file the test file's own `import.meta.url`
 */
export async function privateNetworkTest(
  file: string,
  name: string,
  run: Parameters<typeof clusterTest>[1],
  options: ClusterTestOptions = {},
): Promise<void> {
  const inside = process.env[insideVariable];
  if (inside !== undefined) {
    if (inside === name) await clusterTest(name, run, options);
    return;
  }
  const unavailable = await whyUnavailable();
  if (unavailable !== undefined) return skipOrFail(name, unavailable);
  // Built out here if need be, as inside nothing can be downloaded.
  if ((await binariesOrSkip(name)) === undefined) return;
  const node = [process.execPath, ...process.execArgv, fileURLToPath(file)];
  await tap.spawn(
    ...inNetworkNamespace(node),
    { env: { ...process.env, [insideVariable]: name } },
    `${name}, in a private network`,
  );
}
