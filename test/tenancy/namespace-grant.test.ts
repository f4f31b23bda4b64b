import t from 'tap';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { NamespaceWriter, Provisioner, Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import type { Subject } from '../../src/tenancy/tenant.ts';

const robot: Subject = { kind: 'ServiceAccount', namespace: 'tools', name: 'robot' };
const robots: Subject = { kind: 'Group', name: 'robots' };
const user = (username: string, ...groups: string[]) => ({ username, groups });
const asRobot = user('system:serviceaccount:tools:robot');

function granting(namespaceWriters: readonly NamespaceWriter[], provisioners: readonly Provisioner[] = []) {
  const settings: Settings = {
    ...defaultSettings,
    platform: { ...defaultSettings.platform, namespaceWriters, provisioners },
  };
  return createTenancy(settings, []).grantOn;
}

const writer = (subject: Subject, keys: readonly string[], more: Partial<NamespaceWriter> = {}): NamespaceWriter => ({
  subjects: [subject],
  keys,
  finalizers: [],
  ...more,
});
const provisioner = (name: string, subject: Subject, keys: readonly string[] = []): Provisioner => ({
  name,
  subjects: [subject],
  keys,
  tenantFrom: undefined,
  ownerReferences: false,
  undecided: 'refuse',
});

t.test('keys are compared whole, or by their domain', async (t) => {
  const grant = granting([writer(robot, ['a.example/', 'b.example/key', 'name'])])(asRobot, 'acme-web', {});
  for (const [key, allowed] of [
    ['a.example/x', true],
    ['a.example/', true],
    ['a.example', false],
    ['x.a.example/x', false],
    ['A.example/x', false],
    ['b.example/key', true],
    ['b.example/keys', false],
    ['b.example/', false],
    ['name', true],
    ['names', false],
    ['name/x', false],
    ['/x', false],
    ['', false],
    ['constructor', false],
    ['__proto__', false],
  ] as const)
    t.equal(grant?.allowsKey(key), allowed, key);
});

t.test('to whom, and where', async (t) => {
  const limited = writer(robot, ['one'], { namespaces: new Set(['tools-a']), finalizers: ['example.com/hold'] });
  const grantOn = granting([limited, writer(robots, ['two'])]);
  t.equal(grantOn(user('alice'), 'tools-a', {}), undefined, 'nothing to others');
  t.equal(grantOn(user('robot'), 'tools-a', {}), undefined, 'a user is no service account of that name');
  t.equal(grantOn(asRobot, 'tools-a', {})?.allowsKey('one'), true);
  t.equal(grantOn(asRobot, 'tools-a', {})?.allowsFinalizer('example.com/hold'), true);
  t.equal(grantOn(asRobot, 'tools-b', {})?.allowsKey('one'), false, 'in another namespace');
  t.equal(grantOn(asRobot, 'tools-b', {})?.allowsFinalizer('example.com/hold'), false);
  const both = grantOn({ ...asRobot, groups: ['robots'] }, 'tools-a', {});
  t.strictSame([both?.allowsKey('one'), both?.allowsKey('two')], [true, true], 'entries add up');
});

t.test('a provisioner writes on what it creates, and on what has its mark', async (t) => {
  const marked = (name: string) => ({ 'bulkhead.dev/provisioner': name });
  const grantOn = granting(
    [writer(robot, ['any'])],
    [provisioner('first', robot, ['one']), provisioner('second', robots, ['two'])],
  );
  const keys = (of: Parameters<typeof grantOn>[2], who = asRobot) => {
    const grant = grantOn(who, 'acme-web', of);
    return [grant?.provisioned, ...['any', 'one', 'two'].filter((key) => grant?.allowsKey(key))];
  };
  t.strictSame(keys('creates'), [true, 'any', 'one'], 'it creates the namespace');
  t.strictSame(keys(marked('first')), [true, 'any', 'one'], 'it has created the namespace');
  t.strictSame(keys({}), [false, 'any'], 'as a writer it may write on every other');
  t.strictSame(keys(null), [false, 'any']);
  t.strictSame(keys(marked('second')), [false, 'any'], 'another has created it');
  const inGroup = { ...asRobot, groups: ['robots'] };
  t.strictSame(keys('creates', inGroup), [true, 'any', 'one'], 'it acts as the first that lists it');
  t.strictSame(keys(marked('second'), inGroup), [false, 'any']);
  t.strictSame(keys('creates', user('x', 'robots')), [true, 'two'], 'by its group');
});
