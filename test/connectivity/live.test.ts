import t from 'tap';
import { createLive } from '../../src/connectivity/live.ts';
import { byTheBook } from '../../src/connectivity/readings.ts';
import { searchLive } from './live.ts';
import { engineReadings } from './random-world.ts';
import { denyAll, namespace, plainTenancy, pod, policy } from './worlds.ts';

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
