/**
 * Callers of a mesh, by their identity: whether everything that a source of an AuthorizationPolicy matches is the tenant's, or agreed.
 *
 * An identity names a namespace, and the namespace decides whose it is (namespace-name.ts). Fields of one source narrow each other, so a
 * source is contained when every way to meet all of them is: by an own name, a shared service, a gate, or addresses. What is left out
 * (`not…`) proves nothing, and neither does the name of a service account or what a request says of itself.
 */
import { excerpt } from '../kubernetes/json.ts';
import type { Fix } from './fix.ts';
import { partnersFor } from './gate.ts';
import { type Conjunction, conjunctionsOf, identitiesOf, nameIn } from './identity/conjunction.ts';
import { beginningOf } from './identity/glob.ts';
import type { IdentityPattern } from './identity/pattern.ts';
import { judgeIdentityName } from './identity-name.ts';
import { judgeAddresses } from './ip-block-peer.ts';
import type { AllowRule, IdentityPeer } from './model.ts';
import { ownershipOf } from './namespace-name.ts';
import { arePlainlyOwn, trustedDomains } from './plainly-own-callers.ts';
import { servicesOf } from './shared-service.ts';
import type { Border, Violation } from './violation.ts';
import { anotherTenant } from './witness.ts';

/** What a source can come to, over all values of its fields. */
const mostConjunctions = 1000;

const severity = ['escapes', 'unproven', 'conditional'] as const;

export function judgeIdentity(peer: IdentityPeer, rule: AllowRule, border: Border): Violation | undefined {
  const { all, addresses } = peer;
  if (arePlainlyOwn(peer, border)) return undefined;
  const byAddress = addresses && judgeAddresses({ kind: 'ipBlock', addresses }, rule, border);
  if (addresses !== undefined && byAddress === undefined) return undefined;
  if (all.length === 0) return everyCaller(peer, rule, border);
  const conjunctions = conjunctionsOf(all, mostConjunctions);
  if (conjunctions === undefined) {
    const reason = `has fields with more than ${mostConjunctions} combinations of values, which are not examined`;
    return { verdict: 'unproven', reason, fix: 'write one of the fields alone, or split the source' };
  }
  const live = conjunctions.filter((one) => one.isPossible);
  if (live.length === 0) {
    const which = all.length === 1 ? excerpt(all[0]?.[0]?.text) : 'these fields together';
    return {
      verdict: 'nothing',
      reason: `matches no identity of a mesh, as none fits ${which}`,
      fix: { id: 'remove-peer' },
    };
  }
  const found = live.flatMap((one) => judgeConjunction(one, peer, rule, border) ?? []);
  const verdict = severity.find((one) => found.some((violation) => violation.verdict === one));
  const violation = found.find((one) => one.verdict === verdict);
  if (violation === undefined || byAddress === undefined)
    return violation && { ...violation, ...assumed(found, violation) };
  // The identity of the example must also come from the addresses.
  if (byAddress.verdict !== 'escapes') return { ...violation, verdict: 'unproven' };
  return { ...violation, ...(violation.witness && { witness: `${violation.witness} at ${byAddress.witness}` }) };
}

function assumed(found: readonly Violation[], { verdict }: Violation): Pick<Violation, 'assumedOwn'> {
  return verdict === 'conditional' ? { assumedOwn: found.flatMap(({ assumedOwn = [] }) => assumedOwn) } : {};
}

export const callerWithoutIdentity = 'a caller without an identity, such as a pod outside the mesh';

function everyCaller({ none }: IdentityPeer, rule: AllowRule, border: Border): Violation {
  return {
    verdict: 'escapes',
    reason:
      none.length === 0
        ? 'names no caller, so it allows every identity, and callers without one'
        : 'only leaves callers out, so it allows every other identity, and callers without one',
    witness: callerWithoutIdentity,
    fix: fixFor(rule, border),
  };
}

function judgeConjunction(
  one: Conjunction,
  peer: IdentityPeer,
  rule: AllowRule,
  border: Border,
): Violation | undefined {
  const trustDomains = trustedDomains(border);
  const name = nameIn(one);
  const { text } = one.patterns[0] ?? { text: '' };
  const escapes = (
    reason: string,
    fix: Fix | string,
    names: readonly string[],
    accounts: readonly string[] = [],
  ): Violation => {
    const witness = witnessOf(one, names, accounts, peer, trustDomains);
    if (witness !== undefined) return { verdict: 'escapes', reason, witness, fix };
    const why = peer.none.length > 0 ? `${reason}; what it leaves out proves nothing` : reason;
    return { verdict: 'unproven', reason: why, fix };
  };
  if (one.domain !== undefined && !trustDomains.has(one.domain)) {
    const fix = 'write a trust domain of the mesh, or ask the platform to list this one (settings: istio.trustDomains)';
    const reason = `names the trust domain ${excerpt(one.domain)}, which the settings do not list`;
    // One that every version matches, where versions differ about the account.
    const written = one.patterns.filter((pattern) => pattern.doubt !== undefined).map((pattern) => accountIn(pattern));
    return escapes(reason, fix, name === undefined ? [] : [name], written);
  }
  const doubt = one.patterns.find((pattern) => pattern.doubt !== undefined);
  if (doubt !== undefined) {
    const fix = `write principals: ["*/ns/${name ?? border.namespace}/sa/${accountIn(doubt)}"] instead, which every version compares exactly`;
    return escapes(`${excerpt(doubt.text)} has ${doubt.doubt}`, fix, name === undefined ? [] : [name]);
  }
  if (name !== undefined) {
    const about = judgeIdentityName(name, one.account, rule, border);
    return about?.verdict === 'escapes' || about?.verdict === 'conditional'
      ? named(about, escapes(about.reason, about.fix, [name]))
      : about;
  }
  const foreign = one.names(anotherTenant(border, new Set())).filter((word) => isForeign(word, rule, border));
  if (foreign.length > 0) {
    const reason = `${excerpt(text)} matches namespaces of other tenants, including ones created later`;
    return escapes(reason, fixFor(rule, border), foreign);
  }
  const beginning = one.namespaces.map(beginningOf).toSorted((a, b) => b.length - a.length)[0] ?? '';
  return {
    verdict: 'unproven',
    reason: `${excerpt(text)} matches every namespace that begins with ${excerpt(beginning)}, and one from before that was reserved may be another tenant's`,
    fix: { id: 'name-callers', namespace: border.namespace, partners: [], services: [] },
  };
}

/** Of a text of `serviceAccounts`. */
function accountIn({ text }: IdentityPattern): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

/** The verdict about a name, with the witness where there is one. */
function named(about: Violation, example: Violation): Violation {
  return example.verdict === 'unproven' ? example : { ...about, ...(example.witness && { witness: example.witness }) };
}

/** Whether an owner without an agreement may have a namespace of this name. */
function isForeign(name: string, { direction }: AllowRule, border: Border): boolean {
  const ownership = ownershipOf(name, border);
  if (ownership === 'platform') return servicesOf(name, direction, border).length === 0;
  return ownership === 'unreserved' || ownership === 'taken';
}

/** `a pod with the service account default in the namespace beta` */
function witnessOf(
  one: Conjunction,
  names: readonly string[],
  first: readonly string[],
  { none }: IdentityPeer,
  trustDomains: ReadonlySet<string>,
): string | undefined {
  for (const { domain, namespace, account } of identitiesOf(one, names, first, trustDomains, none)) {
    const where = trustDomains.has(domain) ? '' : ` of the trust domain ${domain}`;
    return `a pod with the service account ${account} in the namespace ${namespace}${where}`;
  }
  return undefined;
}

export function fixFor(rule: AllowRule, border: Border): Fix {
  const { direction } = rule;
  const { settings } = border.tenancy;
  return {
    id: 'name-callers',
    namespace: border.namespace,
    partners: partnersFor(rule, border),
    services: settings.sharedServices.filter(
      ({ direction: side, namespace }) => side === direction && namespace !== undefined && isServed(namespace, border),
    ),
  };
}

const isServed = (namespace: string, border: Border) => servicesOf(namespace, 'ingress', border).length > 0;
