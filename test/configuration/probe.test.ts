/** Which answers of the API server are taken for Bulkhead's own refusal. Those of a real one: test/e2e/registration.test.ts. */
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { NamespaceRecord, NamespaceSource } from '../../src/admission/facts.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import type { Answer, Connection } from '../../src/client/connection.ts';
import { broken, statusFailure } from '../../src/client/failure.ts';
import { type Pair, sendProbe } from '../../src/configuration/probe.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { settings, tenant } from '../baseline/samples.ts';
import { submit } from '../fixtures/review.ts';

const signal = new AbortController().signal;

interface Sent {
  readonly path: string;
  readonly value: string;
}

async function shake(answer: (sent: Sent) => Answer, pair: Pair = 'bulkhead') {
  const sent: Sent[] = [];
  const connection: Connection = {
    async request(_, path, { body }) {
      const [, value = ''] = /"bulkhead.dev\/handshake":"(.+?)"/.exec(JSON.stringify(body)) ?? [];
      sent.push({ path, value });
      return answer({ path, value });
    },
    open: () => Promise.reject(new Error('nothing is followed')),
    close() {},
  };
  return { ...(await sendProbe(connection, pair, signal)), sent };
}

function refused(status: number, message: string): Answer {
  return { ok: false, kind: 'refused', status, reason: '', causes: [], message, retryAfter: 0 };
}

const denied = 'admission webhook "validate.bulkhead.dev" denied the request: ';
const words = (value: string) => `probe "${value}" is rejected, as every probe is`;

t.test('its own refusal proves it', async (t) => {
  for (const pair of ['bulkhead', 'bulkhead-namespaces'] as const) {
    const { result, sent } = await shake(({ value }) => refused(403, `${denied}${words(value)}`), pair);
    t.equal(result, 'proven', pair);
    t.match(sent, [{ path: /\?dryRun=All$/ }], 'and nothing is meant');
  }
});

t.test('nothing else does', async (t) => {
  const rows: readonly [what: string, result: string, answer: (sent: Sent) => Answer][] = [
    ['nobody refuses it', 'admitted', () => ({ ok: true, body: {} })],
    ['RBAC refuses it', 'refused', ({ value }) => refused(403, `networkpolicies is forbidden: ${words(value)}`)],
    [
      'another webhook does',
      'refused',
      ({ value }) => refused(403, `admission webhook "other" denied the request: ${words(value)}`),
    ],
    ['one of that name that is not Bulkhead does', 'refused', () => refused(403, `${denied}no`)],
    ['it is the refusal of another probe', 'refused', () => refused(403, `${denied}${words('old')}`)],
    ['Bulkhead does not know the tenants yet', 'refused', () => refused(503, `${denied}the tenants are not known`)],
    ['the words come with another status', 'refused', ({ value }) => refused(500, `${denied}${words(value)}`)],
    [
      'the webhook is not reached and closed already',
      'refused',
      () => refused(500, 'Internal error occurred: failed calling webhook "validate.bulkhead.dev"'),
    ],
    ['there is no answer', 'failed', () => broken('connect ECONNREFUSED')],
  ];
  for (const [what, result, answer] of rows) t.equal((await shake(answer)).result, result, what);
});

t.test('each probe has a value of its own', async (t) => {
  const values = await Promise.all([1, 2].map(async () => (await shake(() => refused(403, ''))).sent[0]?.value));
  t.not(values[0], values[1]);
});

t.test('Bulkhead refuses it on every cluster', async (t) => {
  const account = {
    username: 'system:serviceaccount:bulkhead-system:bulkhead',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:bulkhead-system', 'system:authenticated'],
  };
  const administrator = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
  const acme = tenant({ mode: 'audit' });
  const labels = { 'bulkhead.dev/tenant': 'acme' };
  const rows = [
    ['without tenants, by the account of the manifests', defaultSettings, [], account, {}],
    ['by an account that counts as nobody', settings([]), [acme], account, {}],
    ['by an administrator', defaultSettings, [tenant({})], administrator, {}],
    ['where a tenant in mode audit has the namespace', defaultSettings, [acme], account, labels],
    ['where a soft tenant has it', defaultSettings, [{ ...tenant({}), isolation: 'soft' as const }], account, labels],
  ] as const;
  for (const [what, set, tenants, user, labelled] of rows) {
    const tenancy = createTenancy(set, tenants);
    const store = createNamespaceStore(() => tenancy);
    const record = (name: string): NamespaceRecord => ({ name, uid: name, labels: labelled, terminating: false });
    for (const name of ['kube-public', 'bulkhead-probe', 'bulkhead-system']) store.set(record(name));
    const namespaces: NamespaceSource = {
      ...store,
      isFree: () => false,
      fetch: async (name) => record(name),
      hasPods: async () => false,
    };
    const review = createAdmission({ tenancy: () => tenancy, namespaces, onDefect: (error) => t.fail(`${error}`) });
    for (const pair of ['bulkhead', 'bulkhead-namespaces'] as const) {
      const connection: Connection = {
        async request(method, _, { body }) {
          const { metadata, ...rest } = body as KubernetesObject;
          const oldObject = {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name: 'kube-public', labels: labelled },
          };
          const { allowed, status } = await submit(
            review,
            method === 'POST'
              ? {
                  user,
                  operation: 'CREATE',
                  dryRun: true,
                  object: { ...rest, metadata: { ...metadata, namespace: 'bulkhead-probe' } },
                }
              : {
                  user,
                  operation: 'UPDATE',
                  dryRun: true,
                  object: { ...oldObject, metadata: { ...oldObject.metadata, ...metadata } },
                  oldObject,
                },
          );
          // As the API server passes it on, and as a connection reads it.
          const message = `admission webhook "validate.bulkhead.dev" denied the request: ${status?.message}`;
          return allowed ? { ok: true, body } : statusFailure({ code: status?.code, message }, 403);
        },
        open: () => Promise.reject(new Error('nothing is followed')),
        close() {},
      };
      t.strictSame(await sendProbe(connection, pair, signal), { result: 'proven' }, `${pair}, ${what}`);
    }
  }
});
