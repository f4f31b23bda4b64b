/** Advisories of network plugins and meshes that admission can prevent: each is in the sentence of a fixture that is refused. */
import t from 'tap';
import { loadCases } from '../fixtures/cases.ts';

/** Which check refuses it. */
const prevented: Readonly<Record<string, string>> = {
  'CVE-2023-39347': 'reserved-labels',
  'GHSA-pfhr-pccp-hwmh': 'reserved-labels',
  'cilium#48027': 'reserved-labels',
  'cilium#40791': 'reserved-labels',
  'CVE-2023-41332': 'reserved-labels',
  'CVE-2022-28224': 'reserved-labels',
  'CVE-2023-41333': 'cross-tenant-ingress',
  'CVE-2025-30163': 'cross-tenant-ingress',
  'cilium#46949': 'cross-tenant-ingress',
  'CVE-2026-39350': 'cross-tenant-ingress',
  'CVE-2025-64715': 'ip-block',
  'CVE-2026-53935': 'platform-kinds',
  'CVE-2026-25804': 'platform-kinds',
  'CVE-2026-32254': 'service-addresses',
  'CVE-2020-8554': 'service-addresses',
  'CVE-2026-41413': 'token-keys',
};

const refused = loadCases().filter(({ expects }) => expects === 'fail');
const named = (sentence: string): readonly string[] =>
  sentence.match(/CVE-\d{4}-\d+|GHSA(-[a-z0-9]{4}){3}|cilium#\d+/g) ?? [];

t.test('each has a fixture of its check that names it', async (t) => {
  for (const [id, check] of Object.entries(prevented)) {
    const own = refused.filter(({ sentence }) => named(sentence).includes(id));
    t.ok(own.length > 0, id);
    for (const one of own) {
      t.equal(one.check, check, `${id}: ${one.id}`);
      t.ok(one.attack.length > 0, `${id}: ${one.id} names the attack, too`);
    }
  }
});

t.test('a fixture names no other', async (t) => {
  t.strictSame(
    refused.flatMap(({ sentence, id }) =>
      named(sentence).flatMap((one) => (one in prevented ? [] : [`${id}: ${one}`])),
    ),
    [],
  );
});
