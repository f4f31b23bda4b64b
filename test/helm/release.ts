/** A release of the chart in a cluster, and what looks at it while Helm works. */
import type { Test } from 'tap';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { request } from '../e2e/stand-in-kubelet.ts';
import { eventually, observe } from '../soak/observer.ts';

const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
const registered = '/apis/admissionregistration.k8s.io/v1';
const denied = 'admission webhook "validate.bulkhead.dev" denied the request';

/** Opens the border of acme to everyone. */
export const openPolicy = {
  metadata: { name: 'open' },
  spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] },
};

interface Webhook {
  readonly name: string;
  readonly failurePolicy: string;
  readonly namespaceSelector?: object;
  readonly clientConfig: { readonly caBundle?: string };
  readonly timeoutSeconds: number;
}

export interface Configuration {
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly Webhook[];
}

export interface Attempts {
  /** Ends it. @returns how many Bulkhead has refused, and the answers to those that were not refused at all */
  stop(): Promise<{ readonly refused: number; readonly admitted: readonly string[] }>;
}

/** Applies a policy that must be refused, again and again. */
export function keepTrying(plane: ControlPlane, kubeconfig: string): Attempts {
  let goesOn = true;
  let refused = 0;
  const admitted: string[] = [];
  const ended = (async () => {
    while (goesOn) {
      const { status, text } = await plane.request('POST', `${policies}?dryRun=All`, openPolicy, { kubeconfig });
      if (status < 400) admitted.push(`${status} ${text}`);
      // The stand-in for the kubelet ends a process in the middle of an answer. With failurePolicy Fail this refuses as well.
      else if (status === 403 && JSON.parse(text).message.startsWith(denied)) refused++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async stop() {
      goesOn = false;
      await ended;
      return { refused, admitted };
    },
  };
}

export interface Versions {
  stop(): Promise<{
    /** Every version of a webhook that was seen with failurePolicy Ignore, but for the one that only warns. */
    readonly ignoring: readonly string[];
    /** For how long one had another failurePolicy or selector than at the beginning, in milliseconds; infinite if it still has. */
    readonly mendedAfter: number;
  }>;
}

/** Follows the webhook configurations from now on, when they are as Bulkhead wants them. */
export async function watchConfigurations(plane: ControlPlane): Promise<Versions> {
  const observer = observe(plane.adminKubeconfig);
  const ignoring: string[] = [];
  const wanted = new Map<string, string>();
  const changedAt = new Map<string, number>();
  let mendedAfter = 0;
  const compare = (key: string, fields: object): void => {
    const now = JSON.stringify(fields);
    if (!wanted.has(key)) wanted.set(key, now);
    if (wanted.get(key) !== now) changedAt.set(key, changedAt.get(key) ?? performance.now());
    else if (changedAt.has(key)) {
      mendedAfter = Math.max(mendedAfter, performance.now() - (changedAt.get(key) ?? 0));
      changedAt.delete(key);
    }
  };
  for (const kind of ['mutating', 'validating']) {
    await observer.follow(`${registered}/${kind}webhookconfigurations`, {
      changed({ object }) {
        const { metadata, webhooks } = object as unknown as Configuration;
        for (const { name, failurePolicy, namespaceSelector } of webhooks) {
          const key = `${kind}/${metadata.name} ${name}`;
          if (failurePolicy !== 'Fail' && !name.startsWith('warn.')) ignoring.push(key);
          compare(key, { failurePolicy, namespaceSelector });
        }
      },
    });
  }
  return {
    async stop() {
      await observer.stop();
      return { ignoring, mendedAfter: changedAt.size === 0 ? mendedAfter : Number.POSITIVE_INFINITY };
    },
  };
}

export async function configurations(plane: ControlPlane): Promise<readonly Configuration[]> {
  const lists = await Promise.all(
    ['mutating', 'validating'].map((kind) => plane.request('GET', `${registered}/${kind}webhookconfigurations`)),
  );
  return lists.flatMap(({ body }) => (body as { readonly items: readonly Configuration[] }).items);
}

export interface Owned extends Pick<Webhook, 'failurePolicy' | 'namespaceSelector' | 'clientConfig'> {
  /** CONFIGURATION WEBHOOK. */
  readonly webhook: string;
}

/** What Bulkhead owns in them. */
export async function ownedFields(plane: ControlPlane): Promise<readonly Owned[]> {
  return (await configurations(plane)).flatMap(({ metadata, webhooks }) =>
    webhooks.map(({ name, failurePolicy, namespaceSelector, clientConfig }) => ({
      webhook: `${metadata.name} ${name}`,
      failurePolicy,
      ...(namespaceSelector && { namespaceSelector }),
      clientConfig,
    })),
  );
}

/** Everything in the cluster that bears the name of Bulkhead, as KIND NAMESPACE/NAME; objects of tenants are left out. */
export async function remains(t: Test, run: (command: string) => Promise<string>): Promise<readonly string[]> {
  const kinds = (await run('kubectl api-resources --verbs=list,delete -o name')).trim().split('\n');
  const columns = 'KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name';
  const found = await run(
    `kubectl get ${kinds.join()} -A --no-headers --ignore-not-found -o custom-columns=${columns}`,
  );
  t.ok(found.includes('kube-root-ca.crt'), 'every kind is looked at');
  return found
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([kind, namespace, name]) => kind !== 'Event' && `${namespace} ${name}`.includes('bulkhead'))
    .filter(([, namespace = '']) => !namespace.startsWith('acme-'))
    .map((columns) => columns.join(' '))
    .sort();
}

export async function isRefused(plane: ControlPlane, kubeconfig: string): Promise<void> {
  await eventually('a policy that opens the border is refused', async () => {
    const { status, text } = await plane.request('POST', `${policies}?dryRun=All`, openPolicy, { kubeconfig });
    return status === 403 && JSON.parse(text).message.startsWith(denied);
  });
}

/** Namespaces with the tenant label. */
export const narrow = { matchExpressions: [{ key: 'bulkhead.dev/tenant', operator: 'Exists' }] };

/** Something else refuses that a namespace is deleted, as an API server that still calls a deleted webhook. */
export async function refusedOnce(t: Test, plane: ControlPlane, uninstall: () => Promise<Output>): Promise<void> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['namespaces'], operations: ['DELETE'] };
  const webhook = {
    ...{ name: 'unreachable.example.com', clientConfig: { url: 'https://127.0.0.1:1' }, rules: [rule] },
    ...{ sideEffects: 'None', admissionReviewVersions: ['v1'] },
  };
  await request(plane, 'POST', path, { metadata: { name: 'unreachable' }, webhooks: [webhook] });
  const trial = async () => (await plane.request('DELETE', '/api/v1/namespaces/acme-web?dryRun=All')).text;
  await eventually('it is called', async () => (await trial()).includes('unreachable.example.com'));
  t.not((await uninstall()).code, 0, 'Helm reports what could not be deleted');
  await request(plane, 'DELETE', `${path}/unreachable`, undefined);
  await eventually('it is called no more', async () => !(await trial()).includes('unreachable.example.com'));
}

/** As a replica does, when there is none. */
export async function closeByHand(plane: ControlPlane): Promise<void> {
  const patch = [
    { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' },
    { op: 'replace', path: '/webhooks/0/namespaceSelector', value: narrow },
  ];
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/bulkhead';
  await request(plane, 'PATCH', path, patch, 'application/json-patch+json');
}

/** Its pods have nobody who ends them. */
export async function isGone(plane: ControlPlane): Promise<void> {
  const own = '/api/v1/namespaces/bulkhead-system';
  await eventually('its namespace is gone', async () => {
    const { body } = await plane.request('GET', `${own}/pods`);
    for (const { metadata } of (body as { items?: readonly { metadata: { name: string } }[] }).items ?? [])
      await plane.request('DELETE', `${own}/pods/${metadata.name}?gracePeriodSeconds=0`);
    return (await plane.request('GET', own)).status === 404;
  });
}
