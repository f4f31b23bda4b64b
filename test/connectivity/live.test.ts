import t from 'tap';
import { createLive } from '../../src/connectivity/live.ts';
import { asCilium, byTheBook } from '../../src/connectivity/readings.ts';
import { searchLive } from './live.ts';
import { engineReadings } from './random-world.ts';
import { denyAll, namespace, plainTenancy, pod, policy, service } from './worlds.ts';

for (const reading of engineReadings)
  t.test(
    `after 1,000 random events, a world that follows a cluster is the one that is made anew: ${reading}`,
    async (t) => {
      const kinds = new Set<string>();
      for (let seed = 1; seed <= 20; seed++) {
        const found = searchLive(seed, reading, 50);
        t.equal(found.difference, undefined, `seed ${seed}`);
        for (const kind of found.kinds.keys()) kinds.add(kind);
      }
      for (const kind of ['Namespace', 'Pod'])
        for (const what of ['put', 'change', 'remove']) t.ok(kinds.has(`${what} ${kind}`), `${what} ${kind}`);
      if (reading === 'Calico')
        for (const kind of ['NetworkSet', 'GlobalNetworkSet'])
          for (const what of ['put', 'remove']) t.ok(kinds.has(`${what} ${kind}`), `${what} ${kind}`);
      t.ok([...kinds].some((kind) => kind.startsWith('change') && kind.endsWith('Policy')));
    },
  );

t.test('a pod waits for its namespace, and for its return', async (t) => {
  const live = createLive([pod('acme-web/front')], plainTenancy, byTheBook);
  t.equal(live.world.parties.classes.length, 0);
  live.put(namespace('acme-web', 'acme'));
  t.equal(live.world.parties.classes.length, 1);
  live.remove(namespace('acme-web', 'acme'));
  t.equal(live.world.parties.classes.length, 0);
  live.put(namespace('acme-web', 'beta'));
  t.match(live.world.parties.classes[0]?.namespace.owner, { name: 'beta' });
});

t.test('a pod that looks like another has its own address', async (t) => {
  const alike = (name: string, ip: string) => ({
    ...pod(`acme-web/${name}`, { app: 'web' }),
    status: { podIPs: [{ ip }] },
  });
  const from = [{ ipBlock: { cidr: '10.0.0.2/32' } }];
  const open = policy('acme-web/open', { podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from }] });
  const live = createLive(
    [namespace('acme-web'), pod('acme-web/db', { app: 'db' }), alike('one', '10.0.0.1'), open],
    plainTenancy,
    byTheBook,
  );
  const isOpen = (): boolean => {
    const [db, web] = live.world.parties.classes;
    if (db === undefined || web === undefined) throw new Error('no pods');
    return live.world.connection(web, db).length > 0;
  };
  t.equal(isOpen(), false);
  live.put(alike('two', '10.0.0.2'));
  t.equal(isOpen(), true);
  live.remove(alike('two', '10.0.0.2'));
  t.equal(isOpen(), false);
});

t.test('a pod that has ended is gone', async (t) => {
  const live = createLive([namespace('acme-web'), pod('acme-web/job')], plainTenancy, byTheBook);
  t.equal(live.world.parties.classes.length, 1);
  live.put({ ...pod('acme-web/job'), status: { phase: 'Succeeded' } });
  t.equal(live.world.parties.classes.length, 0);
});

t.test('an event leaves the plans of others as they are', async (t) => {
  const objects = ['acme-web', 'beta-web'].flatMap((one) => [namespace(one), pod(`${one}/front`)]);
  const live = createLive(objects, plainTenancy, byTheBook);
  const [own, other] = live.world.parties.classes;
  if (own === undefined || other === undefined) throw new Error('no pods');
  const before = [own, other].map((one) => live.world.plan(one, 'ingress'));
  live.put(denyAll('acme-web'));
  t.not(live.world.plan(own, 'ingress'), before[0]);
  t.equal(live.world.plan(other, 'ingress'), before[1]);
});

const group = (name: string, externalCIDRs: readonly string[]) => ({
  ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumCIDRGroup', metadata: { name }, spec: { externalCIDRs } },
});
const egress = (place: string, rule: object) =>
  policy(place, { endpointSelector: {}, egress: [rule] }, 'CiliumNetworkPolicy', 'cilium.io/v2');
const toService = (place: string, serviceName: string) =>
  egress(place, { toServices: [{ k8sService: { serviceName, namespace: 'acme-web' } }] });

t.test('a Service or group that changes no rule leaves the plans as they are', async (t) => {
  const live = createLive(
    [
      ...[namespace('acme-web'), pod('acme-web/front', { app: 'web' }), pod('acme-web/db', { app: 'db' })],
      ...[toService('acme-web/out', 'db'), egress('acme-web/far', { toCIDRSet: [{ cidrGroupRef: 'partners' }] })],
      ...[service('acme-web/db', { app: 'db' }), group('partners', ['203.0.113.0/24'])],
    ],
    plainTenancy,
    asCilium,
  );
  const plan = () => {
    const [front] = live.world.parties.classes;
    if (front === undefined) throw new Error('no pod');
    return live.world.plan(front, 'egress');
  };
  const before = plan();
  for (const one of [
    service('acme-web/db', { app: 'db' }),
    service('acme-web/db', { app: 'db' }, { team: 'data' }),
    service('acme-web/other', { app: 'other' }),
    group('partners', ['203.0.113.0/24']),
    group('partners', ['203.0.113.0/25', '203.0.113.128/25']),
    group('others', ['198.51.100.0/24']),
  ]) {
    live.put(one);
    t.equal(plan(), before, `${one.kind} ${one.metadata.name}`);
  }
  live.remove(group('others', ['198.51.100.0/24']));
  t.equal(plan(), before);
  live.put(service('acme-web/db', { app: 'web' }));
  const changed = plan();
  t.not(changed, before);
  live.remove(service('acme-web/db', { app: 'web' }));
  const removed = plan();
  t.not(removed, changed);
  live.put(group('partners', ['203.0.113.0/25']));
  const narrowed = plan();
  t.not(narrowed, removed);
  live.remove(group('partners', ['203.0.113.0/25']));
  t.not(plan(), narrowed);
});

t.test('policies that come before many Services are resolved once', async (t) => {
  const names = Array.from({ length: 1000 }, (_, at) => `s${at}`);
  const base = [namespace('acme-web'), ...['front', 'db'].map((app) => pod(`acme-web/${app}`, { app }))];
  const policies = names.slice(0, 200).map((name) => toService(`acme-web/${name}`, name));
  const services = names.map((name, at) => service(`acme-web/${name}`, { app: at === 199 ? 'db' : name }));
  const begin = performance.now();
  const live = createLive([...base, ...policies, ...services], plainTenancy, asCilium);
  t.ok(performance.now() - begin < 2000);
  const [front, db] = live.world.parties.classes;
  if (front === undefined || db === undefined) throw new Error('no pods');
  t.ok(live.world.allowed(front, 'egress', db).length > 0);
  t.strictSame(live.world.allowed(db, 'egress', front), []);
});
