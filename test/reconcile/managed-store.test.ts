import t from 'tap';
import { createManagedStore, type ManagedStore } from '../../src/reconcile/managed-store.ts';
import { fakeClock } from '../client/fake-clock.ts';
import { deny, label, policy } from './kept-baselines.ts';

const key = 'NetworkPolicy bulkhead-x';
const place = { namespace: 'acme-web', name: 'bulkhead-x' };

function start() {
  const clock = fakeClock();
  const looks: string[] = [];
  const store = createManagedStore(
    clock,
    () => label,
    (namespace, gone) => looks.push(gone ? `${namespace} gone` : namespace),
  );
  return { clock, looks, store };
}

/** What the watch tells of the object. */
const change = (store: ManagedStore, version: number, spec: object = deny, uid = 'u1') =>
  store.handlers.NetworkPolicy.changed({
    metadata: { ...place, uid, resourceVersion: String(version) },
    object: { ...policy('bulkhead-x', spec) },
  });
const remove = (store: ManagedStore, uid = 'u1') => store.handlers.NetworkPolicy.removed({ ...place, uid });
const stateAfter = (spec: object): string => {
  const { store } = start();
  change(store, 1, spec);
  return store.state('acme-web', key) ?? '';
};
const wanted = stateAfter(deny);
const other = stateAfter({ podSelector: {} });
const answer = (version: number, uid = 'u1') => ({ uid, version, state: wanted });

t.test('an own write counts until the watch tells of it, and is nobody else\u2019s', async (t) => {
  const { store, clock } = start();
  change(store, 1, { podSelector: {} });
  store.wrote('acme-web', key, answer(5), undefined);
  t.equal(store.state('acme-web', key), wanted);
  change(store, 3, { podSelector: { matchLabels: { older: 'x' } } });
  t.equal(store.state('acme-web', key), wanted, 'what was before it is over');
  change(store, 5);
  t.equal(store.state('acme-web', key), wanted);
  change(store, 6, { podSelector: {} });
  t.equal(store.state('acme-web', key), other, 'what comes after it counts');
  t.match(store.drift('acme-web', key), { left: { version: 6 } });
  clock.advance(10_000);
  t.same(clock.waits(), [], 'nothing is awaited any more');
});

t.test('an own write that the watch does not tell of is looked at again', async (t) => {
  const { store, clock, looks } = start();
  store.wrote('acme-web', key, answer(5), undefined);
  clock.advance(4_999);
  t.same(looks, []);
  clock.advance(1);
  t.same(looks, ['acme-web']);
  t.equal(store.state('acme-web', key), undefined);
});

t.test('a write that changes nothing is told of by nobody, and needs no second look', async (t) => {
  const { store, clock } = start();
  // It carries another tenant label by now than when it was looked at.
  change(store, 5, { podSelector: {} });
  store.wrote('acme-web', key, answer(5), undefined);
  t.equal(store.state('acme-web', key), wanted);
  t.same(clock.waits(), []);
});

t.test('the watch can be faster than the answer', async (t) => {
  const rows: readonly [sentence: string, tell: (store: ManagedStore) => void, state: unknown, drifts: boolean][] = [
    ['of the write itself', (store) => change(store, 5), wanted, false],
    ['of what was before it', (store) => change(store, 4, { podSelector: {} }), wanted, false],
    [
      'of a change after it',
      (store) => {
        change(store, 5);
        change(store, 6, { podSelector: {} });
      },
      other,
      true,
    ],
    [
      'of a deletion after it',
      (store) => {
        change(store, 5);
        remove(store);
      },
      undefined,
      true,
    ],
    ['of the end of the one before', (store) => remove(store, 'u0'), wanted, false],
  ];
  for (const [sentence, tell, state, drifts] of rows) {
    const { store } = start();
    change(store, 3, { podSelector: { matchLabels: { a: 'b' } } }, sentence.includes('one before') ? 'u0' : 'u1');
    const before = store.drift('acme-web', key);
    tell(store);
    store.wrote('acme-web', key, answer(5), before);
    t.equal(store.state('acme-web', key), state, sentence);
    t.equal(store.drift('acme-web', key) !== undefined, drifts, `${sentence}: somebody else did it`);
  }
});

t.test('what is written after a drift ends it', async (t) => {
  const { store } = start();
  change(store, 3);
  remove(store);
  const drift = store.drift('acme-web', key);
  t.same(drift, { manager: undefined, left: { deleted: 'u1' } });
  // One that only lost its mark is gone for the watch, and keeps its uid.
  store.wrote('acme-web', key, answer(5), drift);
  t.equal(store.drift('acme-web', key), undefined);
  t.equal(store.state('acme-web', key), wanted);
});
