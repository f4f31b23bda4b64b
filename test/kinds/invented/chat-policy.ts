/** A policy kind that no cluster has: it lets its pods reach namespaces, by one spec or by several, as Cilium's kinds do. */
import { isDeepStrictEqual } from 'node:util';
import type { PolicyKind } from '../../../src/kinds/kind.ts';
import { type FieldPath, field } from '../../../src/kubernetes/field-path.ts';
import { isMap } from '../../../src/kubernetes/json.ts';
import type { Selector } from '../../../src/kubernetes/label-selector.ts';
import { parseSelector } from '../../../src/kubernetes/parse-selector.ts';
import { allPorts } from '../../../src/kubernetes/port-range.ts';
import { type AllowRule, type Diagnostic, diagnostic, type Reach } from '../../../src/reach/model.ts';

const everyPod: Selector = new Map();

export const chatPolicy: PolicyKind = {
  family: 'policy',
  kind: 'ChatPolicy',
  group: 'chat.example.org',
  versions: ['v2', 'v1'],
  plural: 'chatpolicies',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [
    { phase: 'mutate', resources: ['chatpolicies'], operations: ['CREATE', 'UPDATE'] },
    { phase: 'validate', resources: ['chatpolicies'], operations: ['CREATE', 'UPDATE'] },
    { phase: 'validate', resources: ['chatpolicies'], operations: ['DELETE'], filtered: true },
  ],
  optional: ['chatpolicies'],
  rights: [{ why: 'Chats that are in place.', resources: ['chatpolicies'], verbs: ['list', 'watch'] }],
  read(policy) {
    const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
    const path = field(undefined, 'specs');
    const several = Array.isArray(specs) ? specs : [];
    return reachOf([
      ...(spec === undefined ? [] : [readSpec(spec, field(undefined, 'spec'))]),
      ...several.map((one, index) => readSpec(one, field(path, index))),
    ]);
  },
  worded: (verdicts) => verdicts.map((verdict) => ({ ...verdict, fix: 'talk to the namespaces of your own tenant' })),
  unchanged(policy: { spec?: unknown; specs?: unknown }, stored: { spec?: unknown; specs?: unknown }) {
    return isDeepStrictEqual([policy.spec, policy.specs], [stored.spec, stored.specs]);
  },
};

function reachOf(parts: readonly (AllowRule | Diagnostic)[]): Reach {
  const rules: AllowRule[] = [];
  const diagnostics: Reach['diagnostics'][number][] = [];
  for (const part of parts) {
    if ('verdict' in part) diagnostics.push({ ...part, rulesBefore: rules.length });
    else rules.push(part);
  }
  return { rules, isolates: [], diagnostics };
}

function readSpec(spec: unknown, path: FieldPath): AllowRule | Diagnostic {
  const at = field(path, 'talksTo');
  const selector = parseSelector(isMap(spec) ? spec.talksTo : undefined);
  if (!selector.ok)
    return diagnostic({ direction: 'egress', kind: 'selector' }, 'invalid', at, selector.reason, selector.fix);
  const subject = { namespaces: undefined, pods: everyPod, path };
  const peer = { kind: 'selector', namespaces: selector.value, pods: everyPod } as const;
  return { action: 'allow', subject, direction: 'egress', path: at, peer, ports: allPorts };
}
