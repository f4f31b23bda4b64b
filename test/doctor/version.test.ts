import t from 'tap';
import { fixedFor } from '../../src/doctor/advisories.ts';
import { advisoriesAsOf, knownAdvisories } from '../../src/doctor/known-advisories.ts';
import { programs } from '../../src/doctor/programs.ts';
import { baseName, compareVersions, parseVersion, tagOf } from '../../src/doctor/version.ts';

t.test('the tag and the name of an image', async (t) => {
  for (const [image, name, tag] of [
    ['quay.io/cilium/cilium:v1.17.3@sha256:abc', 'cilium', 'v1.17.3'],
    ['registry:5000/calico/node:v3.28.1', 'node', 'v3.28.1'],
    ['registry:5000/calico/node', 'node', undefined],
    ['calico/node@sha256:abc', 'node', undefined],
    ['', '', undefined],
    ['a:b/c:d:e', 'c', 'd:e'],
  ] as const)
    t.strictSame([baseName(image), tagOf(image)], [name, tag], image);
});

t.test('versions are compared by number, and what comes before a release is older', async (t) => {
  const inOrder = ['v1.2', '1.9.9', '1.10.0-rc.1', 'v1.10.0', 'v1.10.0-eksbuild.2', '1.10.1', 'v20240813-c6f155d6'];
  const parsed = inOrder.map((text) => parseVersion(text) ?? t.fail(text));
  for (const [index, one] of parsed.entries())
    for (const [place, other] of parsed.entries()) {
      if (typeof one !== 'object' || typeof other !== 'object') continue;
      const expected = Math.sign(index === 4 && place === 3 ? 0 : index === 3 && place === 4 ? 0 : index - place);
      t.equal(Math.sign(compareVersions(one, other)), expected, `${inOrder[index]} and ${inOrder[place]}`);
    }
  for (const none of ['latest', '', 'v', 'x1.2', '1.2.3.4.5', '9'.repeat(40), '1..2', '\u001b[2J1.2'])
    t.equal(parseVersion(none), undefined, JSON.stringify(none));
});

t.test('an advisory covers the versions before its fix, and in each branch its own', async (t) => {
  const row = knownAdvisories.find(({ id }) => id === 'CVE-2025-64715');
  if (row === undefined) throw new Error('the row is gone');
  for (const [text, fixed] of [
    ['v1.15.9', '1.16.17'],
    ['v1.16.16', '1.16.17'],
    ['v1.16.17', undefined],
    ['v1.17.0-rc.1', '1.17.10'],
    ['v1.17.9', '1.17.10'],
    ['v1.17.10', undefined],
    ['v1.18.4-rc.1', '1.18.4'],
    ['v1.18.4', undefined],
    ['v1.19.0', undefined],
  ] as const)
    t.equal(fixedFor(parseVersion(text) ?? { numbers: [], isEarly: false }, row), fixed, text);
});

t.test('which advisories are said of a version of Cilium', async (t) => {
  const of = (text: string) =>
    knownAdvisories
      .filter(({ program }) => program === 'Cilium')
      .filter((row) => fixedFor(parseVersion(text) ?? { numbers: [], isEarly: false }, row) !== undefined)
      .map(({ id }) => id);
  // An ipBlock of a NetworkPolicy opens its namespace, which is what Bulkhead's tenants write.
  t.strictSame(of('v1.19.4'), ['CVE-2026-56743']);
  t.strictSame(of('v1.19.5'), []);
  t.ok(of('v1.14.1').includes('CVE-2023-41333'));
  t.ok(of('v1.13.0').includes('CVE-2023-27595'));
  t.ok(of('v1.16.3').includes('CVE-2024-52529'));
  t.ok(of('v1.15.9').includes('CVE-2024-47825'));
  t.notOk(of('v1.13.8').includes('CVE-2024-28248'), 'it came with 1.13.9');
  t.notOk(of('v1.18.1').includes('CVE-2026-53935'), 'it came with 1.18.2');
});

t.test('the tables are sound', async (t) => {
  t.match(advisoriesAsOf, /^\d{4}-\d\d-\d\d$/);
  for (const { id, program, affected, source } of knownAdvisories) {
    t.match(id, /^(CVE-\d{4}-\d+|GHSA(-[a-z0-9]{4}){3})$/, id);
    t.match(source, /^https:\/\//, `${id} has a source`);
    t.ok(
      programs.some((one) => one.program === program && one.image !== undefined),
      `${id}: ${program} shows its version`,
    );
    for (const { from, fixed } of affected) {
      const [first, end] = [parseVersion(from ?? '0'), parseVersion(fixed)];
      t.ok(first && end && compareVersions(first, end) < 0, `${id}: ${from} is before ${fixed}`);
    }
  }
  const names = programs.map(({ kind, name }) => `${kind} ${name}`);
  t.equal(new Set(names).size, names.length, 'no program is listed twice');
});
