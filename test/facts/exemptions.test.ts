import t from 'tap';
import { createExemptions } from '../../src/facts/exemptions.ts';
import type { Exemptions } from '../../src/tenancy/exemption.ts';
import { fakeClock } from '../client/fake-clock.ts';

const good = {
  tenant: 'acme',
  namespace: 'acme-web',
  checks: ['host-path'],
  match: { names: ['a'] },
  reason: 'why',
  owner: 'net',
  expires: '2090-01-01T00:00:00Z',
};

function follow() {
  const clock = fakeClock();
  const logged: string[] = [];
  const told: string[] = [];
  const log = (_: unknown, message: string) => void logged.push(message);
  const onExemptions = (inForce: Exemptions, refused: number) => {
    const names = [...inForce].map(([namespace, list]) => `${namespace}: ${list.map(({ name }) => name).join(' ')}`);
    told.push(`${names.join(', ') || 'none'}; ${refused} refused`);
  };
  const exemptions = createExemptions({ clock, log: { info: () => {}, warn: log, error: log }, onExemptions });
  let version = 0;
  return {
    exemptions,
    logged,
    told,
    pass: () => clock.advance(20),
    put(name: string, spec: object, more: object = {}) {
      const metadata = { name, uid: `uid-${name}`, generation: ++version, ...more };
      const meta = { name, namespace: '', uid: `uid-${name}`, resourceVersion: String(version) };
      const object = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Exemption', metadata, spec };
      exemptions.handler.changed({ metadata: meta, object });
    },
  };
}

t.test('what is in force, by namespace and name', async (t) => {
  const { exemptions, told, put, pass } = follow();
  put('b', good);
  put('a', good);
  pass();
  t.strictSame(told, [], 'nothing before all are known');
  exemptions.begin();
  put('c', { ...good, namespace: 'acme-db' });
  put('d', { ...good, namespace: 'acme-db' });
  pass();
  t.strictSame(told, ['acme-web: a b; 0 refused', 'acme-web: a b, acme-db: c d; 0 refused'], 'and changes together');
  exemptions.handler.removed({ namespace: '', name: 'a', uid: 'uid-a' });
  pass();
  t.equal(told.at(-1), 'acme-web: b, acme-db: c d; 0 refused', 'a deleted one exempts nothing');
});

t.test('one that cannot be read exempts nothing, whatever it was before', async (t) => {
  const { exemptions, told, logged, put, pass } = follow();
  put('a', good);
  exemptions.begin();
  put('a', { ...good, checks: ['foreign-namespace'] });
  pass();
  t.equal(told.at(-1), 'none; 1 refused');
  t.match(logged, [/^exemptions\.bulkhead\.dev\/a: spec\.checks\[0\]: .*; the exemption is not in force$/]);
  put('b', good);
  pass();
  t.equal(told.at(-1), 'acme-web: b; 1 refused', 'it does not stop others');
  t.equal(logged.length, 1, 'it is logged once');
  put('a', good);
  pass();
  t.equal(told.at(-1), 'acme-web: a b; 0 refused', 'and counts again when it is mended');
});

t.test('one that is held by a finalizer exempts nothing', async (t) => {
  const { exemptions, told, put } = follow();
  put('a', good, { deletionTimestamp: '2026-11-21T01:00:00Z' });
  exemptions.begin();
  t.strictSame(told, ['none; 0 refused']);
});
