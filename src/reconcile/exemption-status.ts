/** The status of Exemption objects, and the Events about those that exempt nothing, or soon will. */
import type { NamespaceRecord } from '../admission/facts.ts';
import { type Doubt, doubtAbout, tenantsOf, textOf } from '../exemptions/doubt.ts';
import { type ExemptionObject, type ExemptionObjects, exemptionsPath } from '../facts/exemptions.ts';
import { formatProblem } from '../tenancy/problem.ts';
import { soon } from '../tenancy/soon.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { EventReason, NamespaceEvents } from './namespace-events.ts';
import { type ReadyCondition, readyCondition } from './ready-condition.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';

/** The status of bulkhead.dev/v1alpha1 Exemption. */
export interface ExemptionStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly [ReadyCondition<'InForce' | 'Invalid' | 'Deleted' | Doubt['kind']>];
}

/** @param now milliseconds since the epoch */
export function exemptionStatusOf(object: ExemptionObject, doubt: Doubt | undefined, now: number): ExemptionStatus {
  const { generation, loaded, terminating } = object;
  const condition = (ready: boolean, reason: Doubt['kind'] | 'InForce' | 'Invalid' | 'Deleted', message: string) => ({
    observedGeneration: generation,
    conditions: [readyCondition(object, ready, reason, message, now)] as const,
  });
  if (!loaded.ok) {
    const lines = loaded.problems.map((problem) => formatProblem({ ...problem, file: '' }));
    return condition(
      false,
      'Invalid',
      `${lines.join('\n').slice(0, 2_000)}\nuntil this is corrected nothing is exempted`,
    );
  }
  if (terminating) return condition(false, 'Deleted', 'is being deleted, so nothing is exempted');
  if (doubt === undefined) return condition(true, 'InForce', 'what is written is in force');
  return condition(doubt.kind === 'EndsSoon', doubt.kind, textOf(doubt));
}

export interface ExemptionStatusOptions extends StatusWriterOptions {
  readonly exemptions: Pick<ExemptionObjects, 'objects' | 'object'>;
  readonly tenancy: () => Tenancy;
  readonly lookup: (namespace: string) => NamespaceRecord | undefined;
  /** Where Events go about exemptions whose namespace is not the tenant's: it is not to read of them. */
  readonly ownNamespace: string;
  readonly events: Pick<NamespaceEvents, 'record'>;
}

const eventReasons: Readonly<Record<Doubt['kind'], EventReason>> = {
  Expired: 'ExemptionExpired',
  EndsSoon: 'ExemptionEndsSoon',
  MatchesNothing: 'ExemptionMatchesNothing',
};

export function createExemptionStatusWriter(options: ExemptionStatusOptions): StatusWriter {
  const { exemptions, tenancy, lookup, ownNamespace, events, ...common } = options;
  /** The last Event of each object: there is one for each change of it. */
  const reported = new Map<string, string>();

  function tell(name: string, uid: string, namespace: string, tenant: string, doubt: Doubt | undefined): void {
    const said = `${uid} ${doubt?.kind}`;
    if (reported.get(name) === said) return;
    const owner = tenantsOf(tenancy(), lookup)(namespace);
    const isOwned = owner !== 'missing' && owner.tenant === tenant;
    const place = lookup(isOwned ? namespace : ownNamespace);
    if (doubt !== undefined && place !== undefined) {
      // An Event that is left out, because there were too many, is written the next time.
      const text = `exemption ${name}: ${textOf(doubt)}`;
      if (!events.record(place, eventReasons[doubt.kind], text, uid)) return;
    }
    reported.set(name, said);
  }

  return createStatusWriter(common, {
    kind: 'Exemption',
    pathOf: (name) => `${exemptionsPath}/${name}`,
    names: () => exemptions.objects().map(({ name }) => name),
    look(name, now) {
      const object = exemptions.object(name);
      if (object === undefined) {
        reported.delete(name);
        return undefined;
      }
      const { uid, loaded, terminating, status: stored } = object;
      const doubt = loaded.ok ? doubtAbout(loaded.value, tenancy(), now, tenantsOf(tenancy(), lookup)) : undefined;
      if (loaded.ok && !terminating) tell(name, uid, loaded.value.namespace, loaded.value.tenant, doubt);
      const left = loaded.ok ? loaded.value.expires - now : 0;
      const lasts = left > soon ? left - soon : left > 0 ? left : Number.POSITIVE_INFINITY;
      return { uid, status: exemptionStatusOf(object, doubt, now), stored, lasts };
    },
  });
}
