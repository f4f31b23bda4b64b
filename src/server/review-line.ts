/** The one line that the log holds of every review. */
import type { Decision } from '../admission/decision.ts';
import type { Level, Logger } from './log.ts';

/** User names and forged names may be of any length; a line of the log is not. */
const longest = 256;

/**
 * Of the object it logs only the name: objects hold secrets. Refusals and admitted findings are warnings, so that a log at level `warn`
 * holds every review that a user may ask about. A request that Bulkhead could not decide by its own fault is an error.
 * Most reviews are plain, so empty and false fields are left out.
 */
export function logReview(log: Logger, decision: Decision, seconds: number): void {
  const { level, msg } = outcome(decision);
  log.record(level, {
    phase: decision.phase,
    uid: short(decision.uid),
    kind: short(decision.kind),
    operation: short(decision.operation),
    subresource: short(decision.subresource) || undefined,
    namespace: short(decision.namespace),
    name: short(decision.name),
    user: short(decision.username),
    dryRun: decision.dryRun || undefined,
    tenant: decision.tenant,
    mode: decision.mode,
    allowed: decision.allowed,
    code: decision.code,
    checks: decision.checks.length === 0 ? undefined : decision.checks,
    exemptions: decision.exemptions.length === 0 ? undefined : decision.exemptions,
    patched: decision.patched || undefined,
    reason: decision.reason === undefined ? undefined : short(decision.reason),
    microseconds: Math.round(seconds * 1e6),
    msg,
  });
}

function outcome({ code, allowed, checks }: Decision): { level: Level; msg: string } {
  if (code >= 500) return { level: 'error', msg: 'undecided' };
  if (!allowed) return { level: 'warn', msg: 'refused' };
  return checks.length > 0 ? { level: 'warn', msg: 'admitted with findings' } : { level: 'info', msg: 'admitted' };
}

function short(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
