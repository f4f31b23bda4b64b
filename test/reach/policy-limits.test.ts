/** The cost of a policy is bounded for every kind, whatever its lists and texts hold: the API server sends bodies of 3 MB. */
import t from 'tap';
import { policyKinds } from '../../src/kinds/policy-kind.ts';
import type { Policy } from '../../src/kubernetes/objects.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import { border } from './world.ts';

const many = (count: number, item: unknown) => Array.from({ length: count }, () => item);
const allowed = (source: object) => ({ ingress: [{ action: 'Allow', source }] });
const specs: readonly (readonly [says: string, spec: object])[] = [
  ['a million rules', { ingress: many(500_000, {}), egress: many(500_000, {}) }],
  ['as many ranges', { ...allowed({ nets: many(200_000, '10.0.0.0/8') }), nets: many(200_000, '10.0.0.0/8') }],
  ['a selector of 2 MB', allowed({ selector: `${'has(a) || '.repeat(200_000)}all()` })],
  ['as many brackets', { selector: '('.repeat(500_000) }],
  ['as many ports', { ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: many(300_000, 1) } }] }],
  ['as many specifications', many(500_000, {})],
];

for (const kind of policyKinds) {
  t.test(`${kind.kind} of ${kind.group}`, async (t) => {
    for (const [says, spec] of specs) {
      const metadata = { namespace: 'acme-web', name: 'large' };
      const object: Policy = Object.assign({ metadata }, Array.isArray(spec) ? { specs: spec } : { spec });
      const before = process.cpuUsage();
      const verdicts = judgeBorder(kind.read(object), border);
      const { user, system } = process.cpuUsage(before);
      t.ok(verdicts.length < 10, `${says}: ${verdicts.length} verdicts`);
      // A hundredth of that on a machine that does nothing else.
      t.ok(user + system < 300_000, `${says}: ${(user + system) / 1_000} ms`);
    }
  });
}
