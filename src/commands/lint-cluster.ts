/** Judges what tenants have in a cluster as `bulkhead audit` does, with each finding by itself and the hints. */
import type { WrittenObject } from '../files/written-objects.ts';
import { apiVersionsOf } from '../kinds/resource-name.ts';
import type { LintedObject, LintFinding } from '../report/lint-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { inCluster } from './cluster-tenancy.ts';
import type { Surroundings } from './command.ts';
import { countedAs, judgeStored, type Listeners, type Stored, storedIn } from './judge-stored.ts';
import { findingOf, linted } from './lint-finding.ts';
import type { Scope } from './scope.ts';

export interface LintedCluster {
  readonly tenancy: Tenancy;
  /** By object. Pods that are made alike have theirs once, as those of their workload. */
  readonly findings: readonly LintFinding[];
  readonly objects: readonly LintedObject[];
  /** What could not be listed, and why. */
  readonly unread: readonly string[];
}

/** In place of the name of a file. */
const cluster = '<cluster>';

/** @throws CannotStart */
export function lintCluster(
  values: Parameters<typeof inCluster>[1],
  { environment, progress }: Surroundings,
  scope: Scope | undefined,
): Promise<LintedCluster> {
  return inCluster('lint', values, environment, async (reader, tenancy) => {
    const { settings } = tenancy;
    const findings = new Map<string, LintFinding>();
    const objects = new Map<string, LintedObject>();
    const onJudged: Listeners['onJudged'] = (one, judged) => {
      const written = writtenOf(one);
      const own = linted(written, one.decoded.metadata.namespace);
      const object = { ...own, object: countedAs(one) };
      objects.set(object.object, objects.get(object.object) ?? object);
      if (objects.size % 1000 === 0) progress?.(`${objects.size} objects`);
      const compared = !('family' in one.kind) ? 'object' : one.kind.family === 'policy' ? 'rule' : 'field';
      for (const finding of judged) {
        const key = `${object.object} ${finding.check} ${finding.path}`;
        if (!findings.has(key)) findings.set(key, findingOf(finding, written, object, { settings, compared }));
      }
    };
    const { unread, state } = await judgeStored(storedIn(reader), tenancy, { onJudged }, scope);
    progress?.('');
    scope?.know([...state.namespaces.all()].map(({ name }) => ({ kind: 'Namespace', metadata: { name } })));
    scope?.require(unread);
    const sorted = [...findings.values()].toSorted((one, other) =>
      one.object < other.object ? -1 : one.object > other.object ? 1 : 0,
    );
    return { tenancy, findings: sorted, objects: [...objects.values()], unread };
  });
}

function writtenOf({ kind, decoded: { object } }: Stored): WrittenObject {
  const apiVersion = 'family' in kind ? apiVersionsOf(kind)[0] : `${kind.group}/${kind.path.split('/')[3]}`;
  const place = { file: cluster, line: 0, column: 0 };
  return { object, apiVersion, kind: kind.kind, file: cluster, placeOf: () => place };
}
