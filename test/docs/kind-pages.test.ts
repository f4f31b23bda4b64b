/** Pages of docs/kinds say what Bulkhead does: their samples are run (samples.ts), and every kind that is judged by its page has one. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { kinds } from '../../src/kinds/kinds.ts';
import { limits as ofCalico } from '../../src/reach/dialects/calico/policy.ts';
import { limits as ofCilium } from '../../src/reach/dialects/cilium/policy.ts';
import { limits as ofKubernetes } from '../../src/reach/dialects/network-policy-rule.ts';
import { runSamples } from './samples.ts';

const pages = new Map(globSync('docs/kinds/*.md').map((file) => [basename(file, '.md'), readFileSync(file, 'utf8')]));

for (const [name, page] of pages) {
  t.test(name, async (t) => {
    const { verdicts } = await runSamples(t, page, ['yaml']);
    for (const shown of ['admitted', 'refused']) t.ok(verdicts.has(shown), `shows what is ${shown}`);
  });
}

/** Of each policy kind that tenants may write: the page of docs/kinds that says how it is read. */
const pageOf: Readonly<Record<string, string>> = {
  'networkpolicies.networking.k8s.io': 'network-policy',
  'ciliumnetworkpolicies.cilium.io': 'cilium-network-policy',
  ...Object.fromEntries(
    ['projectcalico.org', 'crd.projectcalico.org'].flatMap((group) =>
      ['networkpolicies', 'stagednetworkpolicies', 'stagedkubernetesnetworkpolicies', 'networksets'].map((plural) => [
        `${plural}.${group}`,
        'calico',
      ]),
    ),
  ),
  'authorizationpolicies.security.istio.io': 'istio',
};

t.test('each policy kind that tenants may write has a page, which names it and its API versions', async (t) => {
  const ofTenants = kinds.filter(({ family, writers }) => family === 'policy' && writers === 'tenants');
  t.strictSame(
    ofTenants.map(({ plural, group }) => `${plural}.${group}`).sort(),
    Object.keys(pageOf).sort(),
    'no kind is left out',
  );
  const index = readFileSync('docs/README.md', 'utf8');
  for (const { kind, plural, group, versions } of ofTenants) {
    const name = pageOf[`${plural}.${group}`] ?? '';
    const page = pages.get(name) ?? '';
    t.match(page, kind, `${name}.md names ${kind}`);
    t.match(page, group, `${name}.md names ${group}`);
    for (const version of versions) t.match(page, version, `${name}.md names ${group}/${version}`);
    t.match(index, `kinds/${name}.md`, `the index of the docs lists ${name}.md`);
  }
});

for (const [name, { rules, peers, ports, excepts, labels }] of [
  ['cilium-network-policy', ofCilium],
  ['calico', ofCalico],
  ['network-policy', ofKubernetes],
] as const)
  t.test(`the limits of ${name} are those of the reader`, async (t) => {
    const said = pages.get(name) ?? '';
    const count = (most: number, what: string) => `${most.toLocaleString('en')} ${what}`;
    t.match(said, count(rules, 'rules'));
    t.match(said, count(peers, 'peers'));
    t.match(said, count(ports, 'ports'));
    if (name !== 'calico') t.match(said, count(excepts, 'exceptions'));
    if (Number.isFinite(labels)) t.match(said, count(labels, 'requirements'));
  });
