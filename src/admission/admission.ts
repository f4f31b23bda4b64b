/** Review in, review out: decode, gather, judge, respond. A function of the request and of caches; it writes nothing (ADM-13). */
import type { Gathered } from '../checks/check.ts';
import { handshake } from '../checks/handshake.ts';
import { type Judged, judge } from '../checks/judge.ts';
import { type AdmissionRequest, isWorkload } from '../kubernetes/review.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { BesideSource, GatheredBeside } from './beside.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Answer, Asked, Review } from './decision.ts';
import { decode } from './decode.ts';
import type { BaselineSource, NamespaceSource } from './facts.ts';
import { gather } from './gather.ts';
import { intentsOf } from './intents.ts';
import { layerTexts, skippedTexts } from './layer-texts.ts';
import { comparedLayers } from './layers.ts';
import { FactsUnavailable } from './live-facts.ts';
import { denialText, narrowingTexts, plainDenial, previewTexts, warningTexts } from './message.ts';
import { applyIntents, patchText } from './patch.ts';
import { previewLines } from './preview.ts';
import { refuseUnread, respond, retrySeconds } from './respond.ts';

export interface AdmissionOptions {
  /** Undefined: the tenants are not known, and every request is to be tried again. */
  readonly tenancy: () => Tenancy | undefined;
  readonly namespaces: NamespaceSource;
  /** Undefined where nothing puts baselines in place: pods are not held there. */
  readonly baselines?: BaselineSource | undefined;
  /** Lists of the policies that stand beside a written one. Undefined where there is no cluster: they are not compared. */
  readonly beside?: BesideSource | undefined;
  /** Whether denials are only logged (`observe`); known even while the tenants are not. Default: no. */
  readonly observes?: (() => boolean) | undefined;
  /** Called for each request that `observe` admits and that would be denied, except dry runs. */
  readonly onObserved?: ((observed: Observed) => void) | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Called for defects (never for refusals), for the log. */
  readonly onDefect: (error: unknown) => void;
}

/** A request that would be denied, now or in mode `enforce` of the tenant. */
export interface Observed {
  readonly request: AdmissionRequest;
  /** At least one; those that would refuse it now first. */
  readonly findings: readonly [Judged, ...Judged[]];
  readonly owner: Owner;
  /** Whether the requester is a member of the tenant that owns the namespace. */
  readonly member: boolean;
}

export function createAdmission(options: AdmissionOptions): Review {
  const { tenancy, namespaces, clock = systemClock, onDefect } = options;
  return async (phase, body, deadline) => {
    const asked = { phase, observes: options.observes?.() === true };
    let request: AdmissionRequest | undefined;
    try {
      const decoded = decode(body);
      if (!decoded.ok) return refuseUnread(asked, decoded.uid, 400, decoded.reason);
      request = decoded.request;
      const known = tenancy();
      if (known === undefined) throw new FactsUnavailable('the tenants are not known');
      // Live requests get half of what is left, so that there is always time to answer.
      const timeBudget = (deadline - clock.elapsed()) / 2;
      const sources = { namespaces, tenancy: known, clock, now: clock.wall(), timeBudget };
      // In observe no baseline is put in place, so no pod waits for one.
      const baselines = asked.observes ? undefined : options.baselines;
      if (phase === 'mutate') return mutate(asked, await gather(request, { ...sources, mutating: true }));
      // In observe mutate changes nothing, and what enforce would add is not missing.
      if (asked.observes)
        applyIntents(request.object, intentsOf(await gather(request, { ...sources, mutating: true })).all);
      // Without a mesh in the settings nothing stands beside a policy of a tenant.
      const isListed = known.settings.istio !== undefined || request.family === 'unread';
      const beside = isListed ? options.beside : undefined;
      return validate(asked, await gather(request, { ...sources, baselines, beside }), options);
    } catch (error) {
      if (request !== undefined && error instanceof FactsUnavailable) return tryAgain(asked, request, error);
      onDefect(error);
      const reason = 'Bulkhead failed on this request, and what is not understood is not admitted';
      return refuseUnread(asked, request?.uid ?? '', 500, reason);
    }
  };
}

/**
 * Judges nothing: validate alone refuses findings, because it sees the object after all mutations. Missing facts are a retryable 503
 * here too. Otherwise validate, which may have the facts a moment later or on another replica, would refuse the object with 403: it
 * cannot know why the label is missing (SRV-18).
 */
function mutate(asked: Asked, gathered: Gathered): Answer {
  const { request, facts } = gathered;
  if (asked.observes) return respond(asked, request, { owner: facts.owner });
  const { narrowed, all } = intentsOf(gathered);
  const patch = patchText(request.object, all);
  const warnings = narrowingTexts(narrowed);
  return respond(asked, request, { owner: facts.owner, warnings, ...(patch !== undefined && { patch }) });
}

type Listeners = Pick<AdmissionOptions, 'onObserved' | 'onDefect' | 'clock'>;

function validate(given: Asked, gathered: GatheredBeside, listeners: Listeners): Answer {
  const { request, facts } = gathered;
  const { owner, requester } = facts;
  const found = judge(gathered);
  if (found.length === 0) return respond(given, request, { owner, ...hints(gathered, listeners) });
  // An exemption was granted, so it causes no warning: the audit log, the log and a metric have it.
  const judged = found.filter(({ exemption }) => exemption === undefined);
  const exempted = found.flatMap(({ check, exemption }) => (exemption === undefined ? [] : [{ check, exemption }]));
  const checks = [...new Set(judged.map(({ check }) => check))];
  const refusing = judged.filter(({ refuses }) => refuses);
  // A probe is refused in any case: a replica that enforces may have sent it.
  const observes = given.observes && !refusing.some(({ check }) => check === handshake.id);
  const asked = { ...given, observes };
  // Mode audit gives no warnings to users of the cluster. With `observe` they are given, because it shows what `enforce` would reject.
  const isSilent = !observes && owner !== 'platform' && owner.mode === 'audit';
  const shown = isSilent ? [] : judged.filter(({ refuses }) => !refuses);
  // The pods are rejected when they are created; the author of the workload learns it before.
  if (isWorkload(request)) {
    const said = observes ? saidOf('would refuse the pods') : (one: Judged) => (one.refuses ? ' refuses the pods' : '');
    return respond(asked, request, { owner, checks, warnings: warningTexts([...refusing, ...shown], said), exempted });
  }
  const [mostSevere, ...others] = refusing;
  const [observed, ...more] = [...refusing, ...shown.filter(({ refusesInEnforce }) => refusesInEnforce)];
  if (observes && observed !== undefined && !request.dryRun) {
    const member = owner !== 'platform' && requester.tenants.includes(owner);
    listeners.onObserved?.({ request, findings: [observed, ...more], owner, member });
  }
  const { warnings, layers }: Hints = mostSevere === undefined || observes ? hints(gathered, listeners) : noHints;
  return respond(asked, request, {
    ...{ owner, checks, exempted, layers },
    warnings: [
      ...(observes ? warningTexts([...refusing, ...shown], saidOf('would refuse this')) : warningTexts(shown)),
      ...warnings,
    ],
    ...(mostSevere && { denial: { code: 403, message: denialText(request, facts, [mostSevere, ...others]) } }),
  });
}

interface Hints {
  readonly warnings: readonly string[];
  readonly layers?: string;
}

const noHints: Hints = { warnings: [] };

/** Where one fails, the request is answered without it. */
function hints(gathered: GatheredBeside, { onDefect, clock = systemClock }: Listeners): Hints {
  const warnings: string[] = [];
  const tried = <Value>(make: () => Value): Value | undefined => {
    try {
      return make();
    } catch (error) {
      onDefect(error);
      return undefined;
    }
  };
  warnings.push(...(tried(() => previewTexts(previewLines(gathered))) ?? []));
  if (gathered.beside === undefined) return { warnings };
  const { beside } = gathered;
  const begun = clock.elapsed();
  const compare = (): ReturnType<typeof comparedLayers> =>
    'skipped' in beside || beside.hasTime() ? comparedLayers(gathered) : { skipped: 'often' };
  const layers = tried(compare) ?? { skipped: 'failed' };
  if (!('skipped' in beside)) beside.charge(clock.elapsed() - begun, 'skipped' in layers ? layers.skipped : undefined);
  return {
    warnings: [...warnings, ...('skipped' in layers ? skippedTexts(layers.skipped) : layerTexts(layers))],
    layers:
      'skipped' in layers
        ? `skipped: ${layers.skipped}`
        : [...new Set(layers.findings.map(({ check }) => check))].join(','),
  };
}

/** What a warning says in observe. */
function saidOf(refusal: string): (one: Judged) => string {
  return ({ refuses, refusesInEnforce }) =>
    refuses ? ` ${refusal}` : refusesInEnforce ? ` ${refusal} in mode enforce` : '';
}

function tryAgain(asked: Asked, request: AdmissionRequest, error: FactsUnavailable): Answer {
  const shown = plainDenial(request, `cannot be judged now: ${error.message}`, `try again in ${retrySeconds} second`);
  return respond(asked, request, { denial: { code: 503, message: shown }, reason: explained(error) });
}

/** With the cause, which is for the log and not for the requester. */
function explained({ message, cause }: FactsUnavailable): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
