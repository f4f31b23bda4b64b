/** Which namespaces the configurations select, as settings, labels and other clients change. With a real API server: e2e/registration. */
import t, { type Test } from 'tap';
import type { Answer, Connection } from '../../src/client/connection.ts';
import type { Handler, ListWatch } from '../../src/client/list-watch.ts';
import { keepNamespaceSelectors, type NamespaceSelectors } from '../../src/configuration/namespace-selectors.ts';
import { ownSelector } from '../../src/configuration/own-selector.ts';
import { createWebhookConfigurations } from '../../src/configuration/webhook-configurations.ts';
import { namespaceSelector, noNamespace } from '../../src/kinds/selected-namespaces.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { type FakeClock, fakeClock, until } from '../client/fake-clock.ts';

const usual = 'bulkhead.dev/tenant';
const wide = namespaceSelector(undefined);

interface Stored {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly webhooks: readonly {
    readonly name: string;
    readonly namespaceSelector: object;
    readonly failurePolicy: string;
  }[];
}

interface World {
  readonly selectors: NamespaceSelectors;
  readonly clock: FakeClock;
  readonly lines: string[];
  readonly writes: () => number;
  tenantLabel: string;
  observes: boolean;
  readonly carried: Set<string>;
  /** Webhooks whose kinds the settings switch off. */
  readonly off: Set<string>;
  /** As another client writes it. */
  put(selector: object, annotation?: string, failurePolicy?: string): void;
  stored(): Stored;
  /** Whether every webhook of Bulkhead in it has this selector. */
  selects(selector: object): boolean;
}

function world(t: Test): World {
  const clock = fakeClock();
  const lines: string[] = [];
  let handler: Handler | undefined;
  let version = 1;
  let writes = 0;
  let stored: Stored = { metadata: { name: 'bulkhead' }, webhooks: [] };
  const tell = (): void => {
    const metadata = { ...stored.metadata, namespace: '', uid: 'u', resourceVersion: String(++version) };
    handler?.changed({ metadata, object: { ...stored, metadata } });
  };
  const connection: Connection = {
    async request(_, __, { body }): Promise<Answer> {
      writes++;
      const applied = body as Stored;
      stored = {
        metadata: { ...stored.metadata, ...applied.metadata },
        webhooks: stored.webhooks.map((one) => ({ ...one, ...applied.webhooks.find(({ name }) => name === one.name) })),
      };
      const metadata = { ...stored.metadata, uid: 'u', resourceVersion: String(++version) };
      return { ok: true, body: { ...stored, metadata } };
    },
    open: () => Promise.reject(new Error('nothing is followed')),
    close() {},
  };
  const follow = (path: string, given: Handler): ListWatch => {
    if (path.includes('validating')) handler = given;
    const counters = { objects: 0, lists: 0, watches: 0, failures: 0, handlerErrors: 0 };
    return {
      synced: Promise.resolve(),
      staleness: () => 0,
      isCurrent: () => true,
      trouble: () => undefined,
      counters: () => counters,
      stop: () => Promise.resolve(),
    };
  };
  const say = (_: unknown, message: string): void => void lines.push(message);
  const selectors = keepNamespaceSelectors({
    clock,
    log: { info: say, warn: say, error: say },
    configurations: createWebhookConfigurations(connection, follow),
    tenantLabel: () => one.tenantLabel,
    observes: () => one.observes,
    isCarried: (key) => one.carried.has(key),
    ownSelector: (webhook) => (one.off.has(webhook) ? noNamespace : undefined),
  });
  t.teardown(() => selectors.stop());
  const one: World = {
    selectors,
    clock,
    lines,
    writes: () => writes,
    tenantLabel: usual,
    observes: false,
    carried: new Set([usual]),
    off: new Set(),
    put(selector, annotation, failurePolicy = 'Ignore') {
      const annotations = annotation === undefined ? {} : { 'bulkhead.dev/tenant-labels': annotation };
      stored = {
        metadata: { name: 'bulkhead', annotations },
        webhooks: ['validate.bulkhead.dev', 'validate.filtered.bulkhead.dev', 'validate.example.com'].map((name) => ({
          name,
          namespaceSelector: selector,
          failurePolicy,
        })),
      };
      tell();
    },
    stored: () => stored,
    selects: (selector) =>
      stored.webhooks
        .filter(({ name }) => name.endsWith('bulkhead.dev'))
        .every((webhook) => JSON.stringify(webhook.namespaceSelector) === JSON.stringify(selector)),
  };
  return one;
}

/** From what the manifests have to what the settings say. */
async function begun(t: Test): Promise<World> {
  const one = world(t);
  one.put(wide);
  one.selectors.begin();
  await until('it is narrow', () => one.selects(namespaceSelector(usual)));
  t.equal(one.writes(), 1);
  return one;
}

t.test('enforce selects the namespaces with the tenant label, observe all', async (t) => {
  const one = await begun(t);
  t.ok(one.selects(namespaceSelector(usual)));
  one.observes = true;
  one.selectors.changed();
  await until('it is wide', () => one.selects(wide));
  one.observes = false;
  one.selectors.changed();
  await until('it is narrow again', () => one.selects(namespaceSelector(usual)));
  t.strictSame(one.stored().metadata.annotations, { 'bulkhead.dev/tenant-labels': usual });
});

t.test(
  'with failurePolicy Fail observe does not widen the selector, until the manifests are applied again',
  async (t) => {
    const one = await begun(t);
    one.put(namespaceSelector(usual), usual, 'Fail');
    one.observes = true;
    one.selectors.changed();
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.ok(one.selects(namespaceSelector(usual)), 'pods of the platform do not wait for Bulkhead');
    one.put(wide, usual);
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.ok(one.selects(wide), 'with Ignore they do not either');
    one.put(wide, usual, 'Fail');
    await until('it is narrow again', () => one.selects(namespaceSelector(usual)));
  },
);

t.test('a webhook whose kinds are switched off selects no namespace, until they are switched on', async (t) => {
  const one = await begun(t);
  const selectorOf = (name: string) =>
    one.stored().webhooks.find((webhook) => webhook.name === name)?.namespaceSelector;
  one.off.add('validate.filtered.bulkhead.dev');
  one.selectors.changed();
  await until('it selects none', () => one.writes() === 2);
  t.strictSame(selectorOf('validate.filtered.bulkhead.dev'), noNamespace);
  t.strictSame(selectorOf('validate.bulkhead.dev'), namespaceSelector(usual), 'the others stay');
  one.off.clear();
  one.selectors.changed();
  await until('it is narrow again', () => one.selects(namespaceSelector(usual)));
});

t.test('in observe, nothing of the manifests is changed', async (t) => {
  const one = world(t);
  one.observes = true;
  one.put(wide);
  one.selectors.begin();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(one.writes(), 0);
});

t.test('what another client writes is undone, and other webhooks are left alone', async (t) => {
  const one = await begun(t);
  const others = { matchLabels: { team: 'a' } };
  one.put(others, usual);
  await until('it is narrow again', () => one.selects(namespaceSelector(usual)));
  t.ok(one.lines.includes('namespaceSelector was changed by another client; it is written again'));
  t.match(one.stored().webhooks.at(-1), { name: 'validate.example.com', namespaceSelector: others });
});

t.test('one that undoes every write is answered less and less often', async (t) => {
  const one = await begun(t);
  for (let index = 0; index < 50; index++) {
    one.put(wide, usual);
    await new Promise((resolve) => setImmediate(resolve));
    one.clock.advance(100);
  }
  t.ok(one.writes() < 12, `${one.writes()} writes in five seconds`);
});

t.test('with a new tenant label, namespaces with the former one stay selected until none carries it', async (t) => {
  const one = await begun(t);
  one.tenantLabel = 'example.com/team';
  one.carried.add('example.com/team');
  one.selectors.changed();
  await until('it is wide', () => one.selects(wide));
  t.strictSame(one.stored().metadata.annotations, { 'bulkhead.dev/tenant-labels': `${usual} example.com/team` });
  one.carried.delete(usual);
  one.clock.advance(31_000);
  await until('it is narrow', () => one.selects(namespaceSelector('example.com/team')));
  t.strictSame(one.stored().metadata.annotations, { 'bulkhead.dev/tenant-labels': 'example.com/team' });
});

t.test('a replica that starts in the middle of that remembers the former label', async (t) => {
  const one = world(t);
  one.tenantLabel = 'example.com/team';
  one.put(wide, `${usual} example.com/team`);
  one.selectors.begin();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.ok(one.selects(wide), 'it stays wide');
});

t.test('of configurations without the annotation, the usual label counts as a former one', async (t) => {
  for (const selector of [wide, namespaceSelector(usual)]) {
    const one = world(t);
    one.tenantLabel = 'example.com/team';
    one.put(selector);
    one.selectors.begin();
    await until('it is wide', () => one.writes() > 0 && one.selects(wide));
    one.carried.clear();
    one.clock.advance(31_000);
    await until('it has the other label', () => one.selects(namespaceSelector('example.com/team')));
  }
});

t.test('nothing is written before namespaces and settings are known', async (t) => {
  const one = world(t);
  one.put(wide);
  one.selectors.changed();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(one.writes(), 0);
});

t.test('the webhook of the mesh selects the namespaces that the settings name, and none without a mesh', async (t) => {
  const services = [
    { name: 'dns', direction: 'egress', namespace: 'kube-system', ports: [], addresses: [] },
    { name: 'ingress', direction: 'ingress', namespace: 'ingress-nginx', ports: [], addresses: [] },
    { name: 'scraper', direction: 'ingress', namespace: 'kube-system', ports: [], addresses: [] },
  ] as const;
  const istio = { rootNamespace: 'istio-system', trustDomains: new Set(['a']), providers: [], mtls: 'strict' } as const;
  const gateways = [{ namespace: 'gateways', name: 'shared' }];
  const { routes } = defaultSettings;
  const meshed = { ...defaultSettings, sharedServices: services, routes: { ...routes, gateways } };
  const values = ['gateways', 'ingress-nginx', 'istio-system'];
  t.strictSame(
    ownSelector('validate.mesh.bulkhead.dev', {
      ...meshed,
      istio: { ...istio, mtlsGrants: [], domain: 'cluster.local', defaultExportTo: ['*'], ambient: false },
    }),
    {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }],
    },
  );
  t.equal(ownSelector('validate.mesh.bulkhead.dev', meshed), noNamespace);
  t.equal(
    ownSelector('validate.routes.bulkhead.dev', { ...meshed, routes: { ...routes, judged: false } }),
    noNamespace,
  );
  t.equal(ownSelector('validate.routes.bulkhead.dev', meshed), undefined);
});
