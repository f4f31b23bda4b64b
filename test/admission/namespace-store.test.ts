import { deepStrictEqual, equal } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { createNamespaceStore } from '../../src/admission/namespace-store.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';

const labelledBy = (tenantLabel: string) => createTenancy({ ...defaultSettings, tenantLabel }, []);
const record = (name: string, labels: NamespaceRecord['labels'] = {}): NamespaceRecord => ({
  name,
  uid: name,
  labels,
  terminating: false,
});

t.test('a namespace is known from when it is set until it is deleted', async (t) => {
  const store = createNamespaceStore(() => labelledBy('tenant'));
  const first = record('a', { tenant: 'acme' });
  t.equal(store.lookup('a'), undefined);
  store.set(first);
  t.equal(store.lookup('a'), first);
  t.equal(store.countOwned('acme'), 1);
  store.set(record('a', { tenant: 'beta' }));
  t.strictSame([store.countOwned('acme'), store.countOwned('beta')], [0, 1], 'it changes hands');
  store.set(record('a-b'));
  store.set(record('ab'));
  t.same([...store.all()].map(({ name }) => name).sort(), ['a', 'a-b', 'ab'], 'all are there');
  store.delete('a');
  store.delete('a');
  t.strictSame([store.lookup('a'), store.countOwned('beta')], [undefined, 0]);
});

t.test('names and labels that every object has by birth are nothing special', async (t) => {
  const store = createNamespaceStore(() => labelledBy('constructor'));
  t.equal(store.lookup('__proto__'), undefined);
  store.set(record('plain'));
  t.equal(store.countOwned('constructor'), 0);
  store.set(record('__proto__', { constructor: 'toString' }));
  t.strictSame([store.lookup('__proto__')?.name, store.countOwned('toString')], ['__proto__', 1]);
});

t.test('when the settings name another tenant label, namespaces are counted by that', async (t) => {
  let tenancy = labelledBy('old');
  const store = createNamespaceStore(() => tenancy);
  store.replaceAll([record('a', { old: 'acme', new: 'beta' }), record('b', { old: 'acme' })]);
  tenancy = labelledBy('new');
  store.set(record('c', { old: 'acme', new: 'beta' }));
  store.delete('b');
  t.strictSame([store.countOwned('acme'), store.countOwned('beta')], [0, 2]);
  tenancy = labelledBy('old');
  t.strictSame([store.countOwned('acme'), store.countOwned('beta')], [2, 0]);
});

t.test('a label that only the platform writes is kept while no namespace has it that must not', async (t) => {
  const trusted = (key: string) =>
    createTenancy({ ...defaultSettings, trustedLabels: new Map([[key, new Map([['', new Set(['edge'])]])]]) }, []);
  let tenancy = trusted('group');
  const store = createNamespaceStore(() => tenancy);
  t.ok(store.isKept('group'));
  store.set(record('edge', { group: '' }));
  t.ok(store.isKept('group'), 'on the namespace that is listed');
  store.set(record('edge', { group: '', 'bulkhead.dev/tenant': 'acme' }));
  t.notOk(store.isKept('group'), 'not when that is a tenant’s');
  store.set(record('edge', { group: '' }));
  store.set(record('spare', { group: '' }));
  t.notOk(store.isKept('group'), 'not on another');
  store.set(record('spare', { group: 'x' }));
  t.ok(store.isKept('group'), 'but for another value');
  store.set(record('web', { role: 'x', 'bulkhead.dev/tenant': 'acme' }));
  tenancy = trusted('role');
  t.notOk(store.isKept('role'), 'other settings, other labels');
  store.delete('web');
  t.ok(store.isKept('role'));
});

t.test('after any history the store says what its records say', async (t) => {
  const label = fc.constantFrom('one', 'two');
  const tenant = fc.constantFrom('acme', 'beta');
  const any = fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.dictionary(label, tenant))
    .map(([name, labels]) => record(name, labels));
  const step = fc.oneof(
    any.map((one) => ({ kind: 'set' as const, one })),
    any.map((one) => ({ kind: 'delete' as const, one })),
    fc.array(any, { maxLength: 4 }).map((all) => ({ kind: 'replaceAll' as const, all })),
    label.map((key) => ({ kind: 'reload' as const, key })),
  );
  const property = fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
    let key = 'one';
    const tenancies = { one: labelledBy('one'), two: labelledBy('two') };
    const store = createNamespaceStore(() => (key === 'one' ? tenancies.one : tenancies.two));
    let model: NamespaceRecord[] = [];
    for (const one of steps) {
      if (one.kind === 'reload') key = one.key;
      else if (one.kind === 'replaceAll') {
        store.replaceAll(one.all);
        model = one.all.filter(({ name }, index) => !one.all.slice(index + 1).some((later) => later.name === name));
      } else {
        model = model.filter(({ name }) => name !== one.one.name);
        if (one.kind === 'set') model.push(one.one);
        if (one.kind === 'set') store.set(one.one);
        else store.delete(one.one.name);
      }
    }
    for (const name of ['a', 'b', 'c', 'd'])
      deepStrictEqual(
        store.lookup(name),
        model.find((one) => one.name === name),
      );
    for (const tenant of ['acme', 'beta']) {
      const names = model.filter(({ labels }) => labels[key] === tenant).map(({ name }) => name);
      equal(store.countOwned(tenant), names.length);
      deepStrictEqual([...store.namesOwned(tenant)].sort(), names.sort());
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
});
