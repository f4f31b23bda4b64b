import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { systemClock } from '../../src/admission/clock.ts';
import { decode } from '../../src/admission/decode.ts';
import {
  type BaselineSource,
  type NamespaceRecord,
  type NamespaceSource,
  TooManyWait,
} from '../../src/admission/facts.ts';
import { gather } from '../../src/admission/gather.ts';
import { FactsUnavailable } from '../../src/admission/live-facts.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Tenant } from '../../src/tenancy/tenant.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { bytesOf, responseOf, reviewOf, type Sent } from '../fixtures/review.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const now = Date.UTC(2026, 10, 21);

/** A source that counts how often the API server is asked. */
function counting(source: Partial<NamespaceSource>) {
  const asked: string[] = [];
  const counted: NamespaceSource = {
    ...namespaces,
    ...source,
    fetch(name, signal, share) {
      asked.push(`namespace ${name}`);
      return (source.fetch ?? namespaces.fetch)(name, signal, share);
    },
    hasPods(name, signal) {
      asked.push(`pods of ${name}`);
      return (source.hasPods ?? namespaces.hasPods)(name, signal);
    },
  };
  return { asked, source: counted };
}

function requestOf(sent: Sent) {
  const decoded = decode(bytesOf(reviewOf(sent)));
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.request;
}

function podIn(namespace: string, role: Role = 'acme developer'): Sent {
  return {
    user: cast[role],
    operation: 'CREATE',
    object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace } },
  };
}

function namespaceCreation(role: Role, name: string, labels = {}): Sent {
  return {
    user: cast[role],
    operation: 'CREATE',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } },
  };
}

const defaultDeny = { name: 'bulkhead-default-deny', labels: { 'app.kubernetes.io/managed-by': 'bulkhead' } };

function deletion(namespace: string, role: Role, own?: string): Sent {
  const metadata = { ...(own === undefined ? defaultDeny : { name: own }), namespace };
  const oldObject = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata };
  return { user: cast[role], operation: 'DELETE', oldObject };
}

t.test('what memory knows is not asked for', async (t) => {
  const { asked, source } = counting({});
  const { facts } = await gather(requestOf(podIn('acme-web')), {
    namespaces: source,
    tenancy,
    clock: systemClock,
    now,
    timeBudget: 1000,
  });
  t.equal(facts.owner, tenancy.tenants.get('acme'), 'the owner of the namespace owns the pod');
  t.strictSame(asked, []);
});

t.test('a miss is one live request', async (t) => {
  const fresh: NamespaceRecord = { name: 'acme-new', uid: '1', labels: { [tenantLabel]: 'acme' }, terminating: false };
  const { asked, source } = counting({ fetch: async () => fresh });
  const { facts } = await gather(requestOf(podIn('acme-new')), {
    namespaces: source,
    tenancy,
    clock: systemClock,
    now,
    timeBudget: 1000,
  });
  t.equal(facts.owner, tenancy.tenants.get('acme'), 'its answer counts');
  t.strictSame(asked, ['namespace acme-new'], 'one');
});

t.test(
  'who owns the namespace of a service account is found out when it writes addresses of a pod, and not else',
  async (t) => {
    const podIP = 'cni.projectcalico.org/podIP';
    const written = (annotations: object, user: Sent['user'], operation: 'CREATE' | 'UPDATE' = 'UPDATE'): Sent => {
      const stored = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'acme-web' } };
      const object = { ...stored, metadata: { ...stored.metadata, annotations: { ...annotations } } };
      return { user, operation, object, ...(operation === 'UPDATE' && { oldObject: stored }) };
    };
    const account = (namespace: string): Sent['user'] => ({
      username: `system:serviceaccount:${namespace}:cni`,
      groups: [],
    });
    const calico: NamespaceRecord = { name: 'calico-system', uid: '1', labels: {}, terminating: false };
    const acme = tenancy.tenants.get('acme');
    const address = { [podIP]: '10.0.0.1' };
    const rows: readonly [string, Sent, asked: readonly string[], owner: unknown][] = [
      ['memory knows it', written(address, account('kube-system')), [], 'platform'],
      ['of a tenant', written(address, account('acme-db')), [], acme],
      ['memory does not know it', written(address, account('calico-system')), ['namespace calico-system'], 'platform'],
      ['it is gone', written(address, account('gone')), ['namespace gone'], undefined],
      ['a kubelet', written(address, cast['kubelet of node-1']), [], undefined],
      ['the platform', written(address, cast['platform admin']), [], undefined],
      ['another annotation', written({ note: 'x' }, account('calico-system')), [], undefined],
      ['a pod that is created', written(address, account('calico-system'), 'CREATE'), [], undefined],
    ];
    for (const [sentence, sent, expected, owner] of rows) {
      const { asked, source } = counting({ fetch: async (name) => (name === 'calico-system' ? calico : undefined) });
      const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 1000 };
      const { facts } = await gather(requestOf(sent), sources);
      t.strictSame(asked, expected, `${sentence}: who is asked`);
      t.equal('accountOwner' in facts ? facts.accountOwner : undefined, owner, `${sentence}: the owner`);
      await gather(requestOf(sent), { ...sources, mutating: true });
      t.strictSame(asked, expected, `${sentence}: the mutating phase asks for nothing`);
    }
    const { source } = counting({ fetch: () => Promise.reject(new Error('ECONNREFUSED')) });
    const unasked = gather(requestOf(written(address, account('calico-system'))), {
      namespaces: source,
      tenancy,
      clock: systemClock,
      now,
      timeBudget: 1000,
    });
    await t.rejects(unasked, FactsUnavailable, 'a request that fails is a refusal for now');
  },
);

t.test('a live request that fails is a refusal for now', async (t) => {
  const failure = new Error('ECONNREFUSED');
  const { source } = counting({ fetch: () => Promise.reject(failure) });
  const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 1000 };
  const refusal = await gather(requestOf(podIn('acme-new')), sources).catch((error: unknown) => error);
  t.ok(refusal instanceof FactsUnavailable, 'it can be tried again');
  t.match(refusal, { message: 'the API server could not be asked', cause: failure });
});

t.test('a namespace that there is not, is not known', async (t) => {
  const { source } = counting({ fetch: async () => undefined });
  const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 1000 };
  const unknown = new FactsUnavailable('namespace acme-new is not known');
  await t.rejects(gather(requestOf(podIn('acme-new')), sources), unknown);
});

t.test('without time nobody is asked', async (t) => {
  const { asked, source } = counting({});
  for (const timeBudget of [0, -1]) {
    const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget };
    const outOfTime = new FactsUnavailable('there was no time left to ask the API server');
    await t.rejects(gather(requestOf(podIn('acme-new')), sources), outOfTime, `${timeBudget} ms`);
  }
  t.strictSame(asked, []);
});

t.test('a live request gets half of the time that is left, and is told to stop', async (t) => {
  // As a socket would, the timer keeps the process alive while the request is under way.
  const stuck: NamespaceSource['fetch'] = (_, signal) =>
    new Promise((_resolve, reject) => {
      const socket = setTimeout(() => reject(new Error('nobody ended the request')), 30_000);
      signal.addEventListener('abort', () => {
        clearTimeout(socket);
        reject(signal.reason);
      });
    });
  const { source } = counting({ fetch: stuck });
  const review = createAdmission({
    tenancy: () => tenancy,
    namespaces: source,
    onDefect: (error) => t.fail(`${error}`),
  });
  const asked = performance.now();
  const deadline = asked + 200;
  const { body } = await review('validate', bytesOf(reviewOf(podIn('acme-new'))), deadline);
  const waited = performance.now() - asked;
  t.equal(responseOf(body).status?.code, 503, 'the request is refused for now');
  t.ok(waited >= 95, 'not before half of the time is over', { waited });
});

t.test('the time to ask need not be a whole number of milliseconds', async (t) => {
  const fresh: NamespaceRecord = { name: 'acme-new', uid: '1', labels: {}, terminating: false };
  const { source } = counting({ fetch: async () => fresh });
  const { facts } = await gather(requestOf(podIn('acme-new')), {
    namespaces: source,
    tenancy,
    clock: systemClock,
    now,
    timeBudget: 1000.25,
  });
  t.equal(facts.owner, 'platform');
});

t.test('a label that names no declared tenant makes a namespace nobody’s, not everybody’s', async (t) => {
  const ghost: NamespaceRecord = { name: 'ghost', uid: '1', labels: { [tenantLabel]: 'omega' }, terminating: false };
  const { source } = counting({ fetch: async () => ghost });
  const { facts } = await gather(requestOf(podIn('ghost')), {
    namespaces: source,
    tenancy,
    clock: systemClock,
    now,
    timeBudget: 1000,
  });
  t.match(facts.owner, { name: 'omega', mode: 'enforce', isolation: 'hard', members: [] });
});

t.test('who creates a namespace', async (t) => {
  const { asked, source } = counting({});
  const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 1000 };
  const factsOf = async (role: Role, name: string, labels?: object) =>
    (await gather(requestOf(namespaceCreation(role, name, labels)), sources)).facts;

  const developer = await factsOf('acme developer', 'acme-shop');
  t.match(developer, { ownership: { kind: 'decided' }, namespacesOwned: 4 }, 'owns it with all the others');
  t.equal(developer.owner, tenancy.tenants.get('acme'));
  const stranger = await factsOf('stranger', 'shop');
  t.match(stranger, { owner: 'platform', ownership: { kind: 'undecided', why: 'unaffiliated' }, namespacesOwned: 0 });
  const account = await factsOf('service account in acme-web', 'acme-shop');
  t.equal(account.owner, tenancy.tenants.get('acme'), 'a service account speaks for the tenant it lives in');
  t.strictSame(asked, [], 'all of that is known');
});

t.test('a service account whose namespace is gone speaks for nobody', async (t) => {
  const { asked, source } = counting({ lookup: () => undefined, fetch: async () => undefined });
  const sent = namespaceCreation('service account in acme-web', 'acme-shop');
  const { facts } = await gather(requestOf(sent), {
    namespaces: source,
    tenancy,
    clock: systemClock,
    now,
    timeBudget: 1000,
  });
  t.strictSame(facts.requester.tenants, []);
  t.strictSame(asked, ['namespace acme-web']);
});

t.test('the stored labels of a namespace say whose it is, whatever the new ones say', async (t) => {
  const stored = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'acme-web', labels: { [tenantLabel]: 'acme' } },
  };
  const claimed = { ...stored, metadata: { name: 'acme-web', labels: { [tenantLabel]: 'beta' } } };
  const sent: Sent = { user: cast['beta developer'], operation: 'UPDATE', object: claimed, oldObject: stored };
  const { facts } = await gather(requestOf(sent), { namespaces, tenancy, clock: systemClock, now, timeBudget: 1000 });
  t.equal(facts.owner, tenancy.tenants.get('acme'));
});

t.test('whether a namespace is emptied is asked only where it decides', async (t) => {
  const rows: readonly [sentence: string, sent: Sent, emptied: boolean, asked: string[]][] = [
    ['a managed policy of a namespace in use', deletion('acme-web', 'controller'), false, []],
    ['of one that still has pods', deletion('acme-leaving', 'controller'), false, ['pods of acme-leaving']],
    ['of an emptied one', deletion('acme-emptied', 'controller'), true, ['pods of acme-emptied']],
    ['by the platform, which needs no leave', deletion('acme-emptied', 'platform admin'), false, []],
    ['a policy of the tenant’s own', deletion('acme-emptied', 'acme developer', 'own'), false, []],
    [
      'one of the tenant’s own with a reserved name',
      deletion('acme-emptied', 'acme developer', 'bulkhead-open'),
      false,
      [],
    ],
  ];
  const ofPods = (asked: string) => asked.startsWith('pods of');
  for (const [sentence, sent, emptied, expected] of rows) {
    const { asked, source } = counting({});
    const { facts } = await gather(requestOf(sent), {
      namespaces: source,
      tenancy,
      clock: systemClock,
      now,
      timeBudget: 1000,
    });
    t.equal('namespaceEmptied' in facts && facts.namespaceEmptied, emptied, sentence);
    t.strictSame(asked.filter(ofPods), expected, `${sentence}: asked`);
  }
});

/** A source of baselines that writes down what it is asked. */
function baselinesThat(answers: Partial<BaselineSource>) {
  const asked: string[] = [];
  const unasked = () => {
    throw new Error('nobody should have asked');
  };
  const { isIsolated = () => false, whenIsolated = unasked, fetchIsolated = unasked } = answers;
  const baselines: BaselineSource = {
    isIsolated: (namespace) => {
      asked.push(`memory ${namespace.name} ${namespace.uid}`);
      return isIsolated(namespace);
    },
    whenIsolated: (namespace, signal) => {
      asked.push('watch');
      return whenIsolated(namespace, signal);
    },
    fetchIsolated: (namespace, signal) => {
      asked.push('live');
      return fetchIsolated(namespace, signal);
    },
  };
  return { asked, baselines };
}

const open: BaselineSource['whenIsolated'] = async () => false;
const uidOf = (name: string) => namespaces.lookup(name)?.uid;

t.test('a pod is held until its namespace is isolated (POD-16)', async (t) => {
  const memory = `memory acme-web ${uidOf('acme-web')}`;
  const rows: readonly [sentence: string, answers: Partial<BaselineSource>, asked: string[], refusal?: RegExp][] = [
    ['it is: nobody is asked', { isIsolated: () => true }, [memory]],
    ['the watch tells of it in time', { whenIsolated: async () => true }, [memory, 'watch']],
    [
      'the watch is behind, the API server knows',
      { whenIsolated: open, fetchIsolated: async () => true },
      [memory, 'watch', 'live'],
    ],
    [
      'nobody knows of it',
      { whenIsolated: open, fetchIsolated: open },
      [memory, 'watch', 'live'],
      /^namespace acme-web has no default-deny policy yet, and no pod is admitted before it$/,
    ],
    [
      'the API server does not answer',
      { whenIsolated: open, fetchIsolated: () => Promise.reject(new Error('ECONNREFUSED')) },
      [memory, 'watch', 'live'],
      /^the API server could not be asked$/,
    ],
    [
      'too many wait',
      { whenIsolated: () => Promise.reject(new TooManyWait()) },
      [memory, 'watch'],
      /; others wait for it already$/,
    ],
  ];
  for (const [sentence, answers, expected, refusal] of rows) {
    const { asked, baselines } = baselinesThat(answers);
    const gathered = gather(requestOf(podIn('acme-web')), {
      namespaces,
      baselines,
      tenancy,
      clock: systemClock,
      now,
      timeBudget: 1000,
    });
    if (refusal === undefined) await gathered;
    else await t.rejects(gathered, { name: 'FactsUnavailable', message: refusal }, sentence);
    t.strictSame(asked, expected, sentence);
  }
});

t.test('a defect of whoever knows the baselines is no refusal for now', async (t) => {
  const defect = new TypeError('undefined is not a function');
  const { baselines } = baselinesThat({ whenIsolated: () => Promise.reject(defect) });
  const gathered = gather(requestOf(podIn('acme-web')), {
    namespaces,
    baselines,
    tenancy,
    clock: systemClock,
    now,
    timeBudget: 1000,
  });
  await t.rejects(gathered, defect);
});

t.test('which requests are held, and which are not', async (t) => {
  const binding: Sent = {
    ...podIn('acme-web'),
    subresource: 'binding',
    object: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'web', namespace: 'acme-web' } },
  };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'acme-web' } };
  const mirror = { ...object.metadata, annotations: { 'kubernetes.io/config.mirror': 'x' } };
  const placed = Object.assign({ ...object }, { spec: { nodeName: 'n1' } });
  const rows: readonly [sentence: string, sent: Sent, held: boolean][] = [
    ['a pod', podIn('acme-web'), true],
    ['a dry run, which gets the same answer', { ...podIn('acme-web'), dryRun: true }, true],
    ['the mirror of a static pod', { ...podIn('acme-web'), object: { ...object, metadata: mirror } }, true],
    ['a pod that names its node', { ...podIn('acme-web'), object: placed }, true],
    ['a pod of a controller', podIn('acme-web', 'controller'), true],
    ['a pod of the platform', podIn('acme-web', 'platform admin'), true],
    ['a Binding: its pod was admitted before', binding, false],
    ['an update', { ...podIn('acme-web'), operation: 'UPDATE', oldObject: object }, false],
    ['a pod in a namespace of the platform', podIn('kube-system', 'platform admin'), false],
    [
      'a policy',
      {
        ...deletion('acme-web', 'acme developer', 'own'),
        operation: 'CREATE',
        object: deletion('acme-web', 'acme developer', 'own').oldObject ?? object,
      },
      false,
    ],
  ];
  for (const [sentence, sent, held] of rows) {
    const { asked, baselines } = baselinesThat({ isIsolated: () => true });
    await gather(requestOf(sent), { namespaces, baselines, tenancy, clock: systemClock, now, timeBudget: 1000 });
    t.equal(asked.length > 0, held, sentence);
  }
});

t.test('only a tenant whose baseline is put in place is waited for', async (t) => {
  for (const mode of ['audit', 'warn', 'enforce'] as const) {
    const acme = tenancy.tenants.get('acme');
    if (acme === undefined) throw new Error('there is no acme');
    const moded = { ...tenancy, ownerByLabels: () => ({ ...acme, mode }) };
    const { asked, baselines } = baselinesThat({ isIsolated: () => true });
    await gather(requestOf(podIn('acme-web')), {
      namespaces,
      baselines,
      tenancy: moded,
      clock: systemClock,
      now,
      timeBudget: 1000,
    });
    t.equal(asked.length > 0, mode === 'enforce', mode);
  }
});

t.test('the mutating phase never waits, and without baselines nobody does', async (t) => {
  const { asked, baselines } = baselinesThat({ whenIsolated: open, fetchIsolated: open });
  const onDefect = (error: unknown) => t.fail(`${error}`);
  const review = createAdmission({ tenancy: () => tenancy, namespaces, baselines, onDefect });
  const bytes = bytesOf(reviewOf(podIn('acme-web')));
  const { body: mutated } = await review('mutate', bytes, performance.now() + 1000);
  t.equal(responseOf(mutated).allowed, true);
  t.strictSame(asked, []);
  const { body: validated } = await review('validate', bytes, performance.now() + 1000);
  t.match(responseOf(validated).status, {
    code: 503,
    details: { retryAfterSeconds: 1 },
    message: /has no default-deny policy yet/,
  });
  const unheld = createAdmission({ tenancy: () => tenancy, namespaces, onDefect });
  t.not(responseOf((await unheld('validate', bytes, performance.now() + 1000)).body).status?.code, 503);
});

t.test('a held pod takes half of the time that is left, the watch three quarters of that', async (t) => {
  const lasted: Record<string, number> = {};
  const stuck = (what: string) => (_: unknown, signal: AbortSignal) => {
    const began = performance.now();
    return new Promise<boolean>((resolve) => {
      // As a socket would, the timer keeps the process alive meanwhile.
      const socket = setTimeout(resolve, 30_000, false);
      signal.addEventListener('abort', () => {
        clearTimeout(socket);
        lasted[what] = performance.now() - began;
        resolve(false);
      });
    });
  };
  const { baselines } = baselinesThat({ whenIsolated: stuck('watch'), fetchIsolated: stuck('live') });
  await t.rejects(
    gather(requestOf(podIn('acme-web')), { namespaces, baselines, tenancy, clock: systemClock, now, timeBudget: 400 }),
    FactsUnavailable,
  );
  t.ok((lasted.watch ?? 0) >= 290, 'the watch is waited for', lasted);
  t.ok((lasted.watch ?? 0) + (lasted.live ?? 0) >= 390, 'and the API server gets the rest', lasted);
});

t.test('a namespace on its way out may have a successor of its name, and that one is judged', async (t) => {
  const labels = { [tenantLabel]: 'acme' };
  const leaving: NamespaceRecord = { name: 'acme-web', uid: 'older', labels, terminating: true };
  const newer: NamespaceRecord = { ...leaving, uid: 'newer', labels: { [tenantLabel]: 'beta' }, terminating: false };
  const own = deletion('acme-web', 'beta developer', 'own');
  const rows: readonly [sentence: string, sent: Sent][] = [
    ['a pod', podIn('acme-web')],
    ['a policy', { ...own, operation: 'CREATE', object: own.oldObject }],
    ['the end of a managed policy, which has to stay', deletion('acme-web', 'beta developer')],
    ['a namespace that an account of it creates', namespaceCreation('service account in acme-web', 'beta-shop')],
  ];
  for (const [sentence, sent] of rows) {
    const answers = { lookup: () => leaving, fetch: async () => newer, hasPods: async () => false };
    const { asked, source } = counting(answers);
    const isolated = baselinesThat({ isIsolated: () => true });
    const sources = {
      namespaces: source,
      baselines: isolated.baselines,
      tenancy,
      clock: systemClock,
      now,
      timeBudget: 1000,
    };
    const { facts } = await gather(requestOf(sent), sources);
    t.strictSame(asked, ['namespace acme-web'], `${sentence}: it is asked for`);
    t.equal(facts.owner, tenancy.tenants.get('beta'), `${sentence}: whose it is`);
    t.equal('namespaceEmptied' in facts && facts.namespaceEmptied, false, sentence);
    t.strictSame(
      isolated.asked,
      sent.object?.kind === 'Pod' ? ['memory acme-web newer'] : [],
      `${sentence}: its default-deny policy`,
    );
  }
});

/** A policy of acme-web that selects namespaces by these names. */
function policyNaming(...values: readonly string[]): Sent {
  const from = [
    { namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] } },
  ];
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'by-name', namespace: 'acme-web' },
    spec: { podSelector: {}, ingress: [{ from }] },
  };
  return { user: cast['acme developer'], operation: 'CREATE', object };
}

t.test('NP-23: a name that is certainly free costs no GET', async (t) => {
  const others: NamespaceRecord = { name: 'acme-old', uid: '1', labels: { [tenantLabel]: 'beta' }, terminating: false };
  const leaving: NamespaceRecord = { ...others, name: 'acme-gone', terminating: true };
  const lookup = (name: string) => [others, leaving].find((one) => one.name === name) ?? namespaces.lookup(name);
  const names = ['acme-new', 'acme-old', 'acme-gone', 'acme-db'];
  const rows: readonly [sentence: string, free: boolean, asked: string[]][] = [
    ['memory knows all names, and the reservation is old', true, ['acme-gone']],
    ['memory may be behind, or the reservation is new', false, ['acme-new', 'acme-gone']],
  ];
  for (const [sentence, free, expected] of rows) {
    const shares: (string | undefined)[] = [];
    const { asked, source } = counting({
      lookup,
      isFree: (name, tenant) => free && tenant === 'acme' && lookup(name) === undefined,
      fetch: async (name, _, share) => {
        shares.push(share);
        return lookup(name);
      },
    });
    const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 1000 };
    const { facts } = await gather(requestOf(policyNaming(...names)), sources);
    const ownerByName = 'ownerByName' in facts ? facts.ownerByName : undefined;
    t.strictSame(
      asked,
      expected.map((name) => `namespace ${name}`),
      sentence,
    );
    t.strictSame(
      shares,
      expected.map(() => 'acme-web'),
      `${sentence}: in the share of the namespace of the policy`,
    );
    const [acme, beta] = ['acme', 'beta'].map((tenant) => tenancy.tenants.get(tenant));
    t.strictSame(
      names.map((name) => ownerByName?.(name)),
      ['none', beta, beta, acme],
      `${sentence}: who has them`,
    );
  }
});

t.test('NP-23: nor does a name that is certainly free for the partner of a gate', async (t) => {
  const gate = (tenant: string, direction: 'ingress' | 'egress') => ({
    ...{ tenant, direction, ports: [{ protocol: 'TCP', first: 8080, last: 8080 }] as const, expires: undefined },
  });
  const member = (name: string, gates: Tenant['network']['gates']): Tenant => {
    const plain = undeclaredTenant(name);
    const reserved = reservedIn({ namespaces: { prefix: `${name}-` } });
    return { ...plain, reserved, network: { ...plain.network, gates } };
  };
  const istio = {
    ...{ rootNamespace: 'istio-system', trustDomains: new Set(['cluster.local']), providers: [] },
    ...{ mtls: 'strict' as const, mtlsGrants: [], domain: 'cluster.local', defaultExportTo: ['*'], ambient: false },
  };
  const agreed = createTenancy({ ...tenancy.settings, istio }, [
    member('acme', [gate('beta', 'ingress')]),
    member('beta', [gate('acme', 'egress')]),
  ]);
  const spec = {
    rules: [{ from: [{ source: { namespaces: ['beta-new'] } }], to: [{ operation: { ports: ['8080'] } }] }],
  };
  const metadata = { name: 'by-name', namespace: 'acme-web' };
  const object = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata, spec };
  const sent: Sent = { user: cast['acme developer'], operation: 'CREATE', object };
  const rows: readonly [sentence: string, reservedFor: string, asked: string[]][] = [
    ['the reservation of the partner is old', 'beta', []],
    ['one of the own tenant says nothing of it', 'acme', ['namespace beta-new']],
  ];
  for (const [sentence, reservedFor, expected] of rows) {
    const { asked, source } = counting({
      isFree: (_, tenant) => tenant === reservedFor,
      fetch: async () => undefined,
    });
    const sources = { namespaces: source, tenancy: agreed, clock: systemClock, now, timeBudget: 1000 };
    const { facts } = await gather(requestOf(sent), sources);
    t.strictSame(asked, expected, sentence);
    t.equal('ownerByName' in facts && facts.ownerByName?.('beta-new'), 'none', `${sentence}: no tenant has it`);
  }
});

t.test('NP-23: a namespace with too many GETs is refused for now, and its other GETs are aborted', async (t) => {
  const left: string[] = [];
  const { source } = counting({
    isFree: () => false,
    fetch: (name, signal) =>
      name === 'acme-3'
        ? Promise.reject(new TooManyWait())
        : new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              left.push(name);
              reject(signal.reason);
            });
          }),
  });
  const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 30_000 };
  await t.rejects(
    gather(requestOf(policyNaming('acme-1', 'acme-2', 'acme-3')), sources),
    new FactsUnavailable('too many requests in this namespace wait for the API server'),
  );
  t.strictSame(left, ['acme-1', 'acme-2']);
});

t.test('all that is asked live for one request has to come in time', async (t) => {
  const { asked, source } = counting({
    async fetch(name, signal) {
      // As a socket would, the timer keeps the process alive meanwhile.
      const socket = setTimeout(() => {}, 30_000);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      clearTimeout(socket);
      // An answer that comes at the last moment.
      await new Promise((resolve) => setTimeout(resolve, 5));
      return namespaces.lookup(name);
    },
  });
  const sources = { namespaces: source, tenancy, clock: systemClock, now, timeBudget: 20 };
  const outOfTime = new FactsUnavailable('there was no time left to ask the API server');
  await t.rejects(gather(requestOf(deletion('acme-emptied', 'controller')), sources), outOfTime);
  t.strictSame(asked, ['namespace acme-emptied'], 'the second question has what the first has left');
});
