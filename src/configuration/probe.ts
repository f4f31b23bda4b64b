/**
 * Whether the API server asks Bulkhead: a write that Bulkhead refuses from everybody is sent through it, as a dry-run, and what
 * comes back is read. One for each pair of configurations, as they are called for different resources.
 *
 * Both are about `kube-public`: every cluster has it and nobody can delete it, no tenant can own it, and nothing runs in it. Of the
 * namespace itself an update is sent, because RBAC can limit that to one namespace; leave to create cannot be.
 */
import { randomUUID } from 'node:crypto';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import { probeAnnotation, probeReason } from '../tenancy/probe.ts';

/** The name of a pair of configurations. */
export type Pair = 'bulkhead' | 'bulkhead-namespaces';

export type ProbeResult =
  /** Bulkhead refused it, through the API server. */
  | { readonly result: 'proven' }
  /** `admitted`: nobody refused it. `refused`: somebody else did, or nobody could. `failed`: there was no answer. */
  | { readonly result: 'admitted' | 'refused' | 'failed'; readonly why: string };

const place = 'kube-public';

/** The webhook through which the refusal must come, whatever it is called in the configuration. */
export const provenWebhook = 'validate.bulkhead.dev';

/** How the API server passes the refusal of a webhook on. RBAC, quotas and other webhooks speak otherwise. */
const opening = `admission webhook "${provenWebhook}" denied the request:`;

export async function sendProbe(connection: Connection, pair: Pair, signal: AbortSignal): Promise<ProbeResult> {
  const value = randomUUID();
  const metadata = { annotations: { [probeAnnotation]: value } };
  const answer =
    pair === 'bulkhead'
      ? await connection.request('POST', `/apis/networking.k8s.io/v1/namespaces/${place}/networkpolicies?dryRun=All`, {
          body: {
            apiVersion: 'networking.k8s.io/v1',
            kind: 'NetworkPolicy',
            metadata: { name: 'bulkhead-handshake', ...metadata },
            spec: { podSelector: {} },
          },
          signal,
        })
      : await connection.request('PATCH', `/api/v1/namespaces/${place}?dryRun=All`, {
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
