/** What the model can say beyond NetworkPolicy: actions, requests of layer 7, and subjects in other namespaces. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { field } from '../../src/kubernetes/field-path.ts';
import { contradiction, type Selector } from '../../src/kubernetes/label-selector.ts';
import type { NetworkPolicy } from '../../src/kubernetes/objects.ts';
import { parseSelector } from '../../src/kubernetes/parse-selector.ts';
import { allPorts } from '../../src/kubernetes/port-range.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import type { AllowRule, Reach } from '../../src/reach/model.ts';
import { namesToLookUp } from '../../src/reach/names-to-look-up.ts';
import { overBroadSelectors } from '../../src/reach/over-broad.ts';
import { flawOfWitness } from './border-proof.ts';
import type { World, WrittenSpec } from './evaluator.ts';
import { namespaceSelector, policy } from './search-policies.ts';
import { borderOf, world } from './search-worlds.ts';
import { tryEverything } from './universe.ts';
import { border, label, nameLabel } from './world.ts';

const someCase = fc.tuple(world, policy).map(([world, write]) => ({ world, spec: write(world) }));
const runs = { numRuns: 2000, seed: 1 };

function read(spec: WrittenSpec): Reach {
  const policy: NetworkPolicy = JSON.parse(JSON.stringify({ spec }));
  return readNetworkPolicy(policy);
}

/** The same with every allow rule as something else. */
function changed(reach: Reach, change: (rule: AllowRule) => Reach['rules'][number]): Reach {
  return { ...reach, rules: reach.rules.map((rule) => (rule.action === 'deny' ? rule : change(rule))) };
}

t.test('what is denied crosses nothing, and takes nothing away from what is allowed', async (t) => {
  let allowed = 0;
  fc.assert(
    fc.property(someCase, ({ world, spec }) => {
      const [reach, border] = [read(spec), borderOf(world)];
      const denied = changed(reach, (rule) => ({ ...rule, action: 'deny' }));
      t.ok(judgeBorder(denied, border).length === reach.diagnostics.length, 'diagnostics alone');
      t.strictSame(namesToLookUp(denied, border), []);
      const verdicts = judgeBorder(reach, border);
      const diagnostics = reach.diagnostics.map((one) => ({
        ...one,
        rulesBefore: denied.rules.length + one.rulesBefore,
      }));
      const both = judgeBorder({ ...reach, rules: [...denied.rules, ...reach.rules], diagnostics }, border);
      t.strictSame(both, verdicts);
      allowed += verdicts.length;
    }),
    { ...runs, numRuns: 300 },
  );
  t.ok(allowed > 100, `${allowed} verdicts`);
});

t.test('what is passed on, or narrowed to some requests, is judged as what is allowed', async (t) => {
  fc.assert(
    fc.property(
      someCase,
      fc.constantFrom<Partial<AllowRule>>({ action: 'pass' }, { layer7: ['GET /health'] }, { layer7: [] }),
      ({ world, spec }, change) => {
        const [reach, border] = [read(spec), borderOf(world)];
        const other = changed(reach, (rule) => ({ ...rule, ...change }));
        const [one, two] = [judgeBorder(reach, border), judgeBorder(other, border)];
        if (!isDeepStrictEqual(one, two)) t.strictSame(two, one, JSON.stringify(change));
      },
    ),
    runs,
  );
  t.pass(`${runs.numRuns} policies`);
});

/** The rule of some kind of policy for many namespaces, about the pods of those selected: their own namespace may talk to them. */
function about(namespaces: Selector): Reach {
  const path = field(field(undefined, 'spec'), 'subject');
  const subject = { namespaces, pods: new Map(), path };
  const peer = { kind: 'selector', namespaces: undefined, pods: new Map() } as const;
  const rule = { action: 'allow', subject, direction: 'ingress', peer, ports: allPorts } as const;
  const place = field(field(undefined, 'spec'), 'ingress');
  const rules = [0, 1].map((index) => ({ ...rule, path: field(place, index) }));
  return { rules, isolates: [], diagnostics: [] };
}

function selecting(written: unknown): Selector {
  const parsed = parseSelector(written);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

t.test('a subject is contained exactly when no namespace of others can be selected, whatever is agreed', async (t) => {
  const seen = { contained: 0, escapes: 0 };
  fc.assert(
    fc.property(world, namespaceSelector, (world, write) => {
      const written = write(world, 'ingress');
      const parsed = parseSelector(written);
      fc.pre(parsed.ok);
      const namespaces = parsed.value;
      if (contradiction(namespaces) !== undefined) return;
      // Gates and shared services agree on peers, not on subjects.
      const tenants = world.tenants.map((tenant) => ({ ...tenant, gates: [] }));
      const alone: World = { ...world, services: [], tenants };
      const peer = { namespaceSelector: written };
      const foreign = tryEverything(peer, {}, 'ingress', alone).crossing;
      const verdicts = judgeBorder(about(namespaces), borderOf(world));
      const [verdict] = verdicts;
      if (foreign === undefined) {
        if (verdict !== undefined) throw new Error(`${JSON.stringify(written)} is called ${verdict.verdict}`);
        seen.contained++;
        return;
      }
      if (verdict?.verdict !== 'escapes' || verdicts.length !== 1) {
        throw new Error(`${JSON.stringify(written)} is taken for contained`);
      }
      const flaw = flawOfWitness(verdict.witness, peer, {}, 'ingress', alone);
      if (flaw !== undefined) throw new Error(`${JSON.stringify(written)}: the witness "${verdict.witness}" ${flaw}`);
      seen.escapes++;
    }),
    { ...runs, numRuns: 5000 },
  );
  t.ok(seen.contained > 300 && seen.escapes > 300, JSON.stringify(seen));
});

t.test('what is said of a subject', async (t) => {
  const everywhere = about(new Map());
  t.strictSame(judgeBorder(everywhere, border), [
    {
      direction: 'ingress',
      kind: 'selector',
      path: 'spec.subject',
      verdict: 'escapes',
      reason: 'selects pods outside tenant acme; a tenant can open traffic only for its own pods',
      witness: `a namespace with the label ${label}=not-acme-2`,
      fix: { id: 'select-own-pods' },
    },
  ]);
  const fixed = about(selecting({ matchLabels: { [label]: 'acme' } }));
  t.strictSame(judgeBorder(fixed, border), [], 'the fix mends it');
  t.strictSame(overBroadSelectors(everywhere, border), [], 'soft isolation narrows peers, not subjects');
  const byName = about(selecting({ matchLabels: { [nameLabel]: 'acme-db' } }));
  t.strictSame(namesToLookUp(byName, border), ['acme-db'], 'who has its namespaces is looked up');
  t.strictSame(judgeBorder(byName, border), []);
  const [unknown] = judgeBorder(byName, { ...border, ownerByName: () => undefined });
  t.match(unknown, { verdict: 'unproven', reason: /not looked up/ });
  const [taken] = judgeBorder(byName, { ...border, ownerByName: () => 'platform' });
  t.match(taken, { verdict: 'escapes', witness: /acme-db/ });
});
