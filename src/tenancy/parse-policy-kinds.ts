import { excerpt } from '../kubernetes/json.ts';
import { builtInAgents } from './network-agents.ts';
import { parseNamedSubject } from './parse-subject.ts';
import { platformKindOf } from './platform-kinds.ts';
import { onlyAgentsWrite, policyGroupNames } from './policy-groups.ts';
import { type Located, type Problem, problemAt, type Report } from './problem.ts';
import type { NetworkAgentDocument, PolicyKindDocument } from './schema/policy-kinds-schema.ts';
import type { AllowedPolicyKind, NetworkAgent } from './settings.ts';
import { suggestion } from './suggestion.ts';
import { readKinds } from './table-of-kinds.ts';

/** A name that cannot be meant would look like a grant, and have no effect. */
export function parsePolicyKinds(
  documents: readonly PolicyKindDocument[],
  report: Report,
): readonly AllowedPolicyKind[] {
  return documents.map(({ resource, tenants }, index) => {
    const dot = resource.indexOf('.');
    const [plural, group] = [resource.slice(0, dot), resource.slice(dot + 1)];
    const steps = ['spec', 'network', 'policyKinds', index, 'resource'];
    if (!policyGroupNames.has(group)) {
      const meant = suggestion(group, [...policyGroupNames]);
      const fix = meant === undefined ? 'leave it out' : `did you mean ${plural}.${meant}?`;
      report(steps, `${excerpt(resource)} is in none of the API groups that Bulkhead reviews`, fix);
    } else if (onlyAgentsWrite(group, plural) || platformKindOf(group, plural)?.grantable === false)
      report(steps, `${resource} is written by the platform and the agents of the network alone`, 'leave it out');
    return { resource, tenants: tenants && new Set(tenants) };
  });
}

/** Earlier versions admitted the kind unread where it is listed. Now it is judged, and the entry grants nothing. */
export function warningsAboutKinds(
  documents: readonly PolicyKindDocument[],
  { istio }: { readonly istio?: unknown },
  { locate }: Pick<Located<unknown>, 'locate'>,
): readonly Problem[] {
  return documents.flatMap(({ resource }, index) => {
    if (!readKinds.has(resource)) return [];
    const section = readKinds.get(resource);
    if (section !== undefined && istio === undefined) return [];
    const why = section === undefined ? '' : `, as the settings have a section ${section}`;
    return problemAt(
      locate,
      ['spec', 'network', 'policyKinds', index, 'resource'],
      `${resource} is read and judged${why}, so this entry admits nothing`,
      'remove it; bulkhead audit lists what is refused, and gates, shared services and exemptions admit it',
    );
  });
}

export function parseNetworkAgents(
  documents: readonly NetworkAgentDocument[],
  report: Report,
): readonly NetworkAgent[] {
  return builtInAgents.concat(
    documents.map(({ subjects, groups, every = false }, index) => ({
      subjects: subjects.flatMap((one, place) => {
        const steps = ['spec', 'platform', 'networkAgents', index, 'subjects', place];
        return parseNamedSubject(one, steps, report) ?? [];
      }),
      groups,
      every,
    })),
  );
}
