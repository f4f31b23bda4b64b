/** Soft isolation on a real API server: what is narrowed is said, is stored, and can be applied again by whoever wrote it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { Output } from '../apiserver/control-plane.ts';
import { guard } from './guarded-cluster.ts';

const policy = <Spec extends object>(name: string, spec: Spec) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'gamma-lab' },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
});
const wide = (name: string) =>
  policy(name, { ingress: [{ from: [{ podSelector: {} }, { namespaceSelector: { matchLabels: { env: 'x' } } }] }] });
const everybody = policy('everybody', { ingress: [{}] });
const field = 'spec.ingress[0].from[1].namespaceSelector.matchLabels';
const said = `Warning: narrowed: bulkhead.dev/tenant: gamma was added to ${field}`;

interface Stored {
  readonly metadata: { readonly resourceVersion: string; readonly generation: number };
  readonly spec: { readonly ingress: unknown };
}

await clusterTest(
  'a soft tenant applies a policy that is too wide, and applies it again',
  async (t, plane) => {
    const folder = join(plane.directory, 'tenants');
    await mkdir(folder);
    const gamma = await readFile('manifests/overlays/example/tenants/gamma.yaml', 'utf8');
    // Its pods reach nobody by the baseline, so that no narrowed policy is one too many (check already-allowed).
    await writeFile(join(folder, 'gamma.yaml'), `${gamma}  network: { within: none }\n`);
    const cluster = await guard(plane, folder);
    t.teardown(() => cluster.stop());
    const gina = await plane.kubeconfigFor({ user: 'gina', groups: ['gamma-developers'] });
    const kubectl = (command: readonly string[], object: object): Promise<Output> =>
      plane.kubectl(gina, [...command, '-f', '-'], { stdin: JSON.stringify(object) });
    const stored = async (name: string): Promise<Stored> => {
      const path = `/apis/networking.k8s.io/v1/namespaces/gamma-lab/networkpolicies/${name}`;
      return (await plane.request('GET', path)).body as Stored;
    };
    const made = await plane.kubectl(gina, ['create', 'namespace', 'gamma-lab']);
    t.equal(made.code, 0, made.stderr);

    const dead = policy('dead', { policyTypes: ['Egress'], ingress: wide('dead').spec.ingress });
    const narrowed = await kubectl(['apply'], dead);
    t.match(narrowed.stderr, said, 'rules of a direction that policyTypes leaves out are narrowed too (NP-21)');
    t.match((await stored('dead')).spec.ingress, [
      { from: [{}, { namespaceSelector: { matchLabels: { env: 'x', 'bulkhead.dev/tenant': 'gamma' } } }] },
    ]);

    for (const [name, apply, unchanged] of [
      ['client-side', ['apply'], 'configured'],
      ['server-side', ['apply', '--server-side'], 'serverside-applied'],
    ] as const) {
      const dry = await kubectl([...apply, '--dry-run=server'], wide(name));
      const first = await kubectl(apply, wide(name));
      t.equal(first.code, 0, `${name}: admitted ${first.stderr}`);
      t.equal(first.stderr.trim(), said, `${name}: the warning shows the change`);
      t.equal(dry.stderr, first.stderr, `${name}: a dry run says the same`);
      const before = await stored(name);
      t.strictSame(
        before.spec.ingress,
        [
          {
            from: [
              { podSelector: {} },
              { namespaceSelector: { matchLabels: { env: 'x', 'bulkhead.dev/tenant': 'gamma' } } },
            ],
          },
        ],
        `${name}: what is stored is narrowed`,
      );

      // Managed fields carry seconds: within one, a write would not show.
      await sleep(1100);
      const second = await kubectl(apply, wide(name));
      t.equal(second.code, 0, `${name}: the same file again ${second.stderr}`);
      t.equal(second.stderr.trim(), said, `${name}: and the same warning`);
      t.match(second.stdout, new RegExp(`^networkpolicy.networking.k8s.io/${name} ${unchanged}`), `${name}: is said`);
      t.strictSame(await stored(name), before, `${name}: nothing is written`);
      const diff = await kubectl(apply.length > 1 ? ['diff', '--server-side'] : ['diff'], wide(name));
      t.equal(diff.code, 0, `${name}: kubectl diff finds no difference ${diff.stdout}`);

      const corrected = JSON.parse(
        JSON.stringify(wide(name)).replace('"env":"x"', '"env":"x","bulkhead.dev/tenant":"gamma"'),
      );
      const third = await kubectl(apply, corrected);
      t.equal(third.code, 0, `${name}: corrected as the warning says`);
      t.equal(third.stderr, '', `${name}: there is no warning any more`);
      t.equal((await stored(name)).metadata.generation, before.metadata.generation, `${name}: the spec is the same`);
    }

    const refused = await kubectl(['apply'], everybody);
    t.equal(refused.code, 1, 'what cannot be narrowed is refused');
    t.match(refused.stderr, 'lists no peers, so it allows every pod', 'as under hard isolation');
  },
  { controllers: false },
);
