/**
 * Whether the API server calls Bulkhead: it sends a write through the API server that Bulkhead rejects for every requester.
 * The write is a dry run, and the answer is read. There is a probe for each pair of configurations, as they select different resources.
 *
 * For namespaces, an update of `kube-public` is sent: every cluster has it, it cannot be deleted, and RBAC can limit updates to one
 * namespace. Inside namespaces the probe goes to one of its own, because only namespaces with the tenant label are selected.
 */
import { randomUUID } from 'node:crypto';
import type { NamespaceRecord } from '../admission/facts.ts';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import { entry } from '../kubernetes/objects.ts';
import { probeAnnotation, probeNamespace, probeReason, probeTenant } from '../tenancy/probe.ts';

/** The name of a pair of configurations. */
export type Pair = 'bulkhead' | 'bulkhead-namespaces';

export type ProbeResult =
  /** Bulkhead refused it, through the API server. */
  | { readonly result: 'proven' }
  /** `admitted`: the API server accepted it. `refused`: it was rejected, but not as a probe. `failed`: there was no answer. */
  | { readonly result: 'admitted' | 'refused' | 'failed'; readonly why: string };

const publicNamespace = 'kube-public';

/** The webhook through which the refusal must come, whatever it is called in the configuration. */
export const provenWebhook = 'validate.bulkhead.dev';

/** How the API server passes the refusal of a webhook on. RBAC, quotas and other webhooks speak otherwise. */
const opening = `admission webhook "${provenWebhook}" denied the request:`;

export async function sendProbe(connection: Connection, pair: Pair, signal: AbortSignal): Promise<ProbeResult> {
  const value = randomUUID();
  const metadata = { annotations: { [probeAnnotation]: value } };
  const answer =
    pair === 'bulkhead'
      ? await connection.request(
          'POST',
          `/apis/networking.k8s.io/v1/namespaces/${probeNamespace}/networkpolicies?dryRun=All`,
          {
            body: {
              apiVersion: 'networking.k8s.io/v1',
              kind: 'NetworkPolicy',
              metadata: { name: 'bulkhead-handshake', ...metadata },
              spec: { podSelector: {} },
            },
            signal,
          },
        )
      : await connection.request('PATCH', `/api/v1/namespaces/${publicNamespace}?dryRun=All`, {
          body: { metadata },
          contentType: 'application/merge-patch+json',
          signal,
        });
  if (answer.ok) return { result: 'admitted', why: 'the probe was admitted, so the API server did not call Bulkhead' };
  if (answer.kind === 'broken') return { result: 'failed', why: answer.message };
  const ours = answer.status === 403 && answer.message.startsWith(opening);
  if (ours && answer.message.includes(probeReason(value))) return { result: 'proven' };
  return { result: 'refused', why: describe(answer) };
}

/**
 * Gives the namespace of the probe the tenant label, and takes the keys of former tenant labels away from it.
 *
 * @param stored undefined: the namespace does not exist
 * @returns why the probe cannot be sent; undefined: it can be
 */
export async function labelProbeNamespace(
  connection: Connection,
  stored: NamespaceRecord | undefined,
  tenantLabel: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (stored === undefined) return `namespace ${probeNamespace} does not exist: apply the manifests of Bulkhead again`;
  const former = Object.entries(stored.labels ?? {}).filter(
    ([key, value]) => value === probeTenant && key !== tenantLabel,
  );
  if (former.length === 0 && entry(stored.labels, tenantLabel) === probeTenant) return undefined;
  const labels = { ...Object.fromEntries(former.map(([key]) => [key, null])), [tenantLabel]: probeTenant };
  const answer = await connection.request('PATCH', `/api/v1/namespaces/${probeNamespace}`, {
    body: { metadata: { labels } },
    contentType: 'application/merge-patch+json',
    signal,
  });
  return answer.ok ? undefined : `namespace ${probeNamespace} could not be labelled: ${describe(answer)}`;
}
