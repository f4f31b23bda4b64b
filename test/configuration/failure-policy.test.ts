/** When failurePolicy becomes Fail, when not, and what is logged: with the races that a real API server shows only by chance. */
import t, { type Test } from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import type { Answer, Connection, Method } from '../../src/client/connection.ts';
import type { Handler, ListWatch } from '../../src/client/list-watch.ts';
import type { Log } from '../../src/client/log.ts';
import { type FailurePolicies, keepFailurePolicies } from '../../src/configuration/failure-policy.ts';
import { createWebhookConfigurations } from '../../src/configuration/webhook-configurations.ts';
import { type FakeClock, fakeClock, until } from '../client/fake-clock.ts';

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly body: unknown;
}

interface Line {
  readonly level: string;
  readonly text: string;
}

interface World {
  readonly policies: FailurePolicies;
  readonly clock: FakeClock;
  readonly calls: Call[];
  readonly lines: Line[];
  /** Tells of a configuration as the watch does. */
  put(name: string, changes?: Partial<Shape>): void;
  remove(name: string): void;
  /** What was applied, as `validating/bulkhead`. */
  closed(): string[];
  probes(): number;
  /** Answers a probe; the default is Bulkhead's own refusal. */
  answer: (value: string) => Answer;
  /** The namespaces in memory; at first Bulkhead's own and that of the probe, labelled. */
  readonly namespaces: Map<string, NamespaceRecord>;
  tenantLabel: string;
  /** Whether the selectors are written; the default is yes. */
  selectorsAgree: boolean;
  /** Whether the settings say enforce; the default is yes. */
  wantsFail: boolean;
  /** Answers an apply; the default is the configuration with the applied fields. */
  applied: (path: string, body: unknown) => Answer;
}

interface Shape {
  readonly failurePolicy: string;
  readonly caBundle: string;
  readonly path: string;
  readonly service: string;
  readonly uid: string;
  /** How the one with match conditions is different; undefined: there is none. */
  readonly filtered: Partial<Omit<Shape, 'filtered' | 'uid'>> | undefined;
}

const proven = (value: string): Answer =>
  refused(
    403,
    `admission webhook "validate.bulkhead.dev" denied the request: probe "${value}" is rejected, as every probe is`,
  );

function refused(status: number, message: string): Answer {
  return { ok: false, kind: 'refused', status, reason: '', causes: [], message, retryAfter: 0 };
}

function world(t: Test): World {
  const clock = fakeClock();
  const calls: Call[] = [];
  const lines: Line[] = [];
  const handlers = new Map<string, Handler>();
  const stored = new Map<
    string,
    { readonly metadata: object; readonly webhooks: readonly { readonly name: string }[] }
  >();
  let version = 1;
  function applied(path: string, body: unknown): Answer {
    const { metadata, webhooks } = stored.get(nameIn(path)) ?? { metadata: {}, webhooks: [] };
    const fields = (body as { readonly webhooks: readonly { readonly name: string }[] }).webhooks;
    const merged = webhooks.map((webhook) => ({ ...webhook, ...fields.find(({ name }) => name === webhook.name) }));
    return { ok: true, body: { metadata: { ...metadata, resourceVersion: String(++version) }, webhooks: merged } };
  }
  const at =
    (level: string): Log['info'] =>
    (fields, message) =>
      void lines.push({ level, text: `${message} ${JSON.stringify(fields)}` });
  const connection: Connection = {
    async request(method, path, { body }) {
      calls.push({ method, path, body });
      if (path.includes('dryRun')) {
        const [, value = ''] = /"bulkhead.dev\/handshake":"(.+?)"/.exec(JSON.stringify(body)) ?? [];
        return one.answer(value);
      }
      if (method === 'PATCH' && path.includes('webhookconfigurations')) return one.applied(path, body);
      return { ok: true, body: { resources: [] } };
    },
    open: () => Promise.reject(new Error('nothing is followed')),
    close() {},
  };
  const follow = (path: string, handler: Handler): ListWatch => {
    handlers.set(path.replace(/.*\/(\w+)webhookconfigurations$/, '$1'), handler);
    const counters = {
      objects: 0,
      lists: 0,
      watches: 0,
      failures: 0,
      handlerErrors: 0,
    };
    return {
      synced: Promise.resolve(),
      staleness: () => 0,
      isCurrent: () => true,
      trouble: () => undefined,
      counters: () => counters,
      stop: () => Promise.resolve(),
    };
  };
  const policies = keepFailurePolicies({
    connection,
    clock,
    log: { info: at('info'), warn: at('warn'), error: at('error') },
    configurations: createWebhookConfigurations(connection, follow),
    namespaceOf: (name) => one.namespaces.get(name),
    ownNamespace: 'bulkhead-system',
    tenantLabel: () => one.tenantLabel,
    selectors: { agrees: () => one.selectorsAgree },
    wantsFail: () => one.wantsFail,
  });
  t.teardown(() => policies.stop());
  const one: World = {
    policies,
    clock,
    calls,
    lines,
    put(name, { filtered, uid = `uid of ${name}`, ...changes } = {}) {
      const [phase = '', object = ''] = name.split('/');
      const word = object === 'bulkhead-workloads' ? 'warn' : phase === 'mutating' ? 'mutate' : 'validate';
      const webhook = (
        rest: string,
        { failurePolicy = 'Ignore', caBundle = 'Y2E=', path = `/secret/${word}`, service = 'bulkhead' }: Partial<Shape>,
      ) => ({
        name: `${word}.${rest}`,
        failurePolicy,
        clientConfig: { caBundle, service: { namespace: 'bulkhead-system', name: service, port: 443, path } },
        rules: [],
      });
      const webhooks = [
        webhook('bulkhead.dev', changes),
        ...(filtered === undefined ? [] : [webhook('filtered.bulkhead.dev', { ...changes, ...filtered })]),
      ];
      const metadata = { name: object, namespace: '', uid, resourceVersion: String(++version) };
      stored.set(name, { metadata, webhooks });
      handlers.get(phase)?.changed({ metadata, object: { metadata, webhooks } });
    },
    remove(name) {
      const [phase = '', object = ''] = name.split('/');
      handlers.get(phase)?.removed({ namespace: '', name: object, uid: `uid of ${name}` });
    },
    closed: () =>
      calls
        .filter(({ method, path }) => method === 'PATCH' && path.includes('webhookconfigurations'))
        .map(({ path }) => nameIn(path)),
    probes: () => calls.filter(({ path }) => path.includes('dryRun')).length,
    namespaces: new Map(
      [
        { name: 'bulkhead-system', labels: {} },
        { name: 'bulkhead-probe', labels: { 'bulkhead.dev/tenant': 'bulkhead_probe' } },
      ].map((one) => [one.name, { ...one, uid: `uid of ${one.name}`, terminating: false }]),
    ),
    tenantLabel: 'bulkhead.dev/tenant',
    selectorsAgree: true,
    answer: proven,
    wantsFail: true,
    applied,
  };
  return one;
}

/** The configuration in the path of an apply, as `validating/bulkhead`. */
function nameIn(path: string): string {
  return path.replace(/.*\/(\w+)webhookconfigurations\/([\w-]+)\?.*/, '$1/$2');
}

/** Lets what was asked be answered. */
const atRest = () => new Promise((resolve) => setTimeout(resolve, 20));

t.test('nothing is sent before reviews are answered, nor once they will not be any more', async (t) => {
  const one = world(t);
  one.put('validating/bulkhead');
  await atRest();
  t.equal(one.calls.length, 0);
  one.policies.begin();
  await until('it is closed', () => one.closed().length === 1);
  one.policies.end();
  one.put('validating/bulkhead');
  await atRest();
  t.equal(one.probes(), 1);
});

t.test('while the settings say observe no failurePolicy becomes Fail, until they say enforce', async (t) => {
  const one = world(t);
  one.wantsFail = false;
  one.put('validating/bulkhead');
  one.policies.begin();
  await atRest();
  t.equal(one.calls.length, 0, 'nothing is probed');
  one.wantsFail = true;
  one.policies.settingsChanged();
  await until('it is Fail', () => one.closed().length === 1);
});

t.test('both of a pair are closed by one probe, in the version that it was about', async (t) => {
  const one = world(t);
  one.put('validating/bulkhead');
  one.put('mutating/bulkhead');
  one.put('validating/bulkhead-workloads');
  one.policies.begin();
  await until('both are closed', () => one.closed().length === 2);
  t.strictSame(one.closed(), ['validating/bulkhead', 'mutating/bulkhead']);
  t.equal(one.probes(), 1);
  const [first] = one.calls.filter(({ path }) => path.includes('validatingwebhookconfigurations'));
  t.match(first?.path, '?fieldManager=bulkhead-registration&force=true');
  t.strictSame(first?.body, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'bulkhead', uid: 'uid of validating/bulkhead', resourceVersion: '2' },
    webhooks: [{ name: 'validate.bulkhead.dev', failurePolicy: 'Fail' }],
  });
});

t.test('what is closed is left alone', async (t) => {
  const one = world(t);
  one.put('validating/bulkhead', { failurePolicy: 'Fail' });
  one.policies.begin();
  await atRest();
  t.equal(one.probes(), 0);
  t.match(one.policies.counters().configurations, [
    {},
    {},
    { name: 'validating/bulkhead', present: true, fails: true },
  ]);
  one.put('validating/bulkhead');
  await until('it is closed again at once', () => one.closed().length === 1);
  t.ok(
    one.lines.some(({ level, text }) => level === 'warn' && text.startsWith('failurePolicy is Ignore again')),
    'and that is told',
  );
});

t.test('without an authority that is trusted nothing is tried until there is one', async (t) => {
  const one = world(t);
  one.put('validating/bulkhead', { caBundle: '' });
  one.policies.begin();
  await atRest();
  one.clock.advance(120_000);
  await atRest();
  t.equal(one.probes(), 0);
  t.ok(one.lines.some(({ text }) => text.includes('its caBundle is empty')));
  one.put('validating/bulkhead');
  await until('it is closed', () => one.closed().length === 1);
});

t.test('what has conditions is closed with what has none, and only where it leads to the same place', async (t) => {
  const names = (one: World) =>
    one.calls
      .filter(({ path }) => path.includes('webhookconfigurations/'))
      .map(({ body }) => (body as { webhooks: { name: string }[] }).webhooks.map(({ name }) => name));
  const both = world(t);
  both.put('validating/bulkhead', { filtered: {} });
  both.policies.begin();
  await until('it is closed', () => both.closed().length === 1);
  t.strictSame(names(both), [['validate.bulkhead.dev', 'validate.filtered.bulkhead.dev']]);
  t.equal(both.policies.counters().configurations[2]?.fails, true);

  const reopened = world(t);
  reopened.put('validating/bulkhead', { failurePolicy: 'Fail', filtered: { failurePolicy: 'Ignore' } });
  reopened.policies.begin();
  await until('it is closed', () => reopened.closed().length === 1);
  t.strictSame(names(reopened), [['validate.bulkhead.dev', 'validate.filtered.bulkhead.dev']]);

  for (const filtered of [{ service: 'other' }, { caBundle: 'b3RoZXI=' }, { path: '/secret/mutate' }]) {
    const one = world(t);
    one.put('validating/bulkhead', { filtered });
    one.policies.begin();
    await until('the other one is closed', () => one.closed().length === 1);
    await atRest();
    t.strictSame(names(one), [['validate.bulkhead.dev']], JSON.stringify(filtered));
    t.equal(one.policies.counters().configurations[2]?.fails, false);
    t.ok(
      one.lines.some(({ text }) => text.includes('validate.filtered.bulkhead.dev of validating/bulkhead: not called')),
    );
    const closing = () =>
      one.lines.filter(({ text }) => text.startsWith('failurePolicy is Fail')).map(({ text }) => text);
    t.match(closing(), [/"webhooks":\["validate.bulkhead.dev"\]/], 'what is said to be closed is what was closed');
    one.put('validating/bulkhead', { failurePolicy: 'Fail', filtered: { failurePolicy: 'Ignore', ...filtered } });
    await atRest();
    t.equal(one.closed().length, 1, 'what is closed is not closed once more');
    one.put('mutating/bulkhead', { filtered: { service: 'third' } });
    await until('the neighbour is closed', () => one.closed().length === 2);
    one.put('mutating/bulkhead', { failurePolicy: 'Fail', filtered: { failurePolicy: 'Ignore', service: 'third' } });
    await atRest();
    const told = one.lines.filter(({ text }) => text.includes('not called as'));
    t.equal(told.length, 2, 'and each is told once');
  }
});

t.test('a mutating webhook that leads elsewhere is not proven by its neighbour', async (t) => {
  for (const changes of [
    { service: 'other' },
    { caBundle: 'b3RoZXI=' },
    { path: '/mutate' },
    { path: '/secret/validate' },
  ]) {
    const one = world(t);
    one.put('validating/bulkhead');
    one.put('mutating/bulkhead', changes);
    one.policies.begin();
    await until('the neighbour is closed', () => one.closed().length === 1);
    await atRest();
    t.strictSame(one.closed(), ['validating/bulkhead'], JSON.stringify(changes));
    t.ok(one.lines.some(({ text }) => text.includes('mutate.bulkhead.dev of mutating/bulkhead: not called')));
  }
});

t.test('a mutating webhook alone cannot be proven', async (t) => {
  const one = world(t);
  one.put('mutating/bulkhead');
  one.policies.begin();
  await atRest();
  t.equal(one.calls.filter(({ path }) => path.includes('dryRun') || path.includes('fieldManager')).length, 0);
});

t.test('a probe that proves nothing is tried again, ever later, at most every half minute', async (t) => {
  const one = world(t);
  one.answer = () => ({ ok: true, body: {} });
  one.put('validating/bulkhead');
  one.policies.begin();
  const waits: number[] = [];
  for (let count = 1; count <= 12; count++) {
    await until('it was tried', () => one.policies.counters().probes.admitted === count);
    await atRest();
    const [wait = 0] = one.clock.waits();
    waits.push(wait);
    one.clock.advance(Math.max(wait, 1));
  }
  t.strictSame(waits.slice(0, 4), [100, 200, 400, 800]);
  t.equal(Math.max(...waits), 15_000, 'half of the limit, by the chance of this clock');
  t.strictSame(one.closed(), []);
  t.equal(
    one.lines.filter(({ text }) => text.includes('did not call Bulkhead')).length,
    1,
    'what stays the same is told once',
  );
  one.answer = proven;
  one.put('validating/bulkhead');
  await until('a change is not waited for', () => one.closed().length === 1);
});

t.test('a version that is not the one that was proven is proven anew', async (t) => {
  const one = world(t);
  const { applied } = one;
  one.applied = () => refused(409, 'the object has been modified');
  one.put('validating/bulkhead');
  one.policies.begin();
  await until('it was tried', () => one.closed().length === 1);
  await atRest();
  one.applied = applied;
  one.put('validating/bulkhead', { uid: 'another' });
  await until('it is applied once more', () => one.closed().length === 2);
  t.equal(one.probes(), 2);
  t.match(one.calls.filter(({ path }) => path.includes('fieldManager')).at(-1)?.body, { metadata: { uid: 'another' } });
});

t.test('one that is deleted is told once, and stays deleted', async (t) => {
  const one = world(t);
  one.put('validating/bulkhead', { failurePolicy: 'Fail' });
  one.put('mutating/bulkhead', { failurePolicy: 'Fail' });
  one.policies.begin();
  await atRest();
  one.remove('validating/bulkhead');
  await atRest();
  t.strictSame(one.closed(), []);
  t.equal(one.lines.filter(({ level, text }) => level === 'error' && text.includes('was deleted')).length, 1);
  t.match(
    one.calls.filter(({ path }) => path.includes('/events/')),
    [
      {
        method: 'PATCH',
        path: /^\/api\/v1\/namespaces\/bulkhead-system\/events\/bulkhead\.webhookconfigurationdeleted\?/,
      },
    ],
  );
  t.match(one.policies.counters().configurations[2], { present: false, fails: false });
});

t.test('configurations of others are nobody’s business here', async (t) => {
  const one = world(t);
  one.put('validating/other');
  one.policies.begin();
  one.remove('validating/other');
  await atRest();
  t.equal(one.probes(), 0);
  t.equal(one.lines.filter(({ level }) => level === 'error').length, 0);
  t.equal(one.lines.filter(({ text }) => text.startsWith('does not exist')).length, 5, 'what is not there is told');
});

t.test('nothing is probed before the namespaceSelector is written', async (t) => {
  const one = world(t);
  one.selectorsAgree = false;
  one.put('validating/bulkhead');
  one.policies.begin();
  const why = 'the namespaceSelector of validating/bulkhead is not written yet';
  await until('it is logged', () => one.lines.some(({ text }) => text.includes(why)));
  t.equal(one.probes(), 0);
  one.selectorsAgree = true;
  one.put('validating/bulkhead');
  await until('it is Fail', () => one.closed().length === 1);
});

t.test('the namespace of the probe gets the tenant label, and loses former ones', async (t) => {
  const one = world(t);
  one.tenantLabel = 'example.com/team';
  one.put('validating/bulkhead');
  one.policies.begin();
  await until('it is Fail', () => one.closed().length === 1);
  const [labelled, probe] = one.calls.filter(({ path }) => path.includes('namespaces/bulkhead-probe'));
  t.strictSame(labelled?.body, {
    metadata: { labels: { 'bulkhead.dev/tenant': null, 'example.com/team': 'bulkhead_probe' } },
  });
  t.match(probe?.path, '/networkpolicies?dryRun=All', 'before the probe');
});

t.test('without that namespace it is said what to do, and tried again', async (t) => {
  const one = world(t);
  const stored = one.namespaces.get('bulkhead-probe');
  one.namespaces.delete('bulkhead-probe');
  one.put('validating/bulkhead');
  one.policies.begin();
  const why = 'namespace bulkhead-probe does not exist: apply the manifests of Bulkhead again';
  await until('it is logged', () => one.lines.some(({ text }) => text.includes(why)));
  t.equal(one.probes(), 0);
  if (stored !== undefined) one.namespaces.set('bulkhead-probe', stored);
  one.clock.advance(60_000);
  await until('it is Fail', () => one.closed().length === 1);
});
