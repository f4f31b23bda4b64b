/** What the API server itself counts about its calls of the webhooks of Bulkhead. */

export interface WebhookCounts {
  readonly requests: number;
  /** Calls without a usable answer: the request of a user has failed. */
  readonly callErrors: number;
  /** Calls without a usable answer that let the request pass. */
  readonly failOpen: number;
  /** Calls that took at most 5 ms, the finest that the API server tells apart; and all whose time was taken. */
  readonly fast: number;
  readonly timed: number;
}

const prefix = 'apiserver_admission_webhook_';

/** @param text of `/metrics` */
export function webhookCounts(text: string): WebhookCounts {
  return {
    requests: sum(text, 'request_total'),
    callErrors: sum(text, 'rejection_count', 'error_type="calling_webhook_error"'),
    failOpen: sum(text, 'fail_open_count'),
    fast: sum(text, 'admission_duration_seconds_bucket', 'le="0.005"'),
    timed: sum(text, 'admission_duration_seconds_count'),
  };
}

export function since(before: WebhookCounts, after: WebhookCounts): WebhookCounts {
  return {
    requests: after.requests - before.requests,
    callErrors: after.callErrors - before.callErrors,
    failOpen: after.failOpen - before.failOpen,
    fast: after.fast - before.fast,
    timed: after.timed - before.timed,
  };
}

function sum(text: string, name: string, label = ''): number {
  let total = 0;
  for (const [, labels = '', value] of text.matchAll(new RegExp(`^${prefix}${name}\\{(.*)\\} (\\S+)$`, 'gm'))) {
    if (/name="[a-z.]+\.bulkhead\.dev"/.test(labels) && labels.includes(label)) total += Number(value);
  }
  return total;
}
