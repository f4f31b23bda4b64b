/**
 * The border of a tenant: which peers of a policy are not proven to stay inside it. Pure, total, and linear in the size of
 * the policy; its cost does not depend on how many tenants, namespaces or policies there are. Soft isolation is judged as hard.
 */
import { formatPath } from '../kubernetes/field-path.ts';
import { excerpt } from '../kubernetes/json.ts';
import { namePorts, type Port } from '../kubernetes/port-range.ts';
import { isInBaseline } from '../tenancy/served-tenants.ts';
import type { SharedService } from '../tenancy/settings.ts';
import { isAnsweredFor, judgeClusters } from './cluster-peer.ts';
import { judgeEntity } from './entity-peer.ts';
import { judgeExpression } from './expression-peer.ts';
import type { Fix, GrantedAddresses } from './fix.ts';
import { judgeIdentity } from './identity-peer.ts';
import { judgeAddresses } from './ip-block-peer.ts';
import type { AllowRule, DiagnosticScope, Reach, Subject } from './model.ts';
import { judgeName } from './name-peer.ts';
import { judgeProviders } from './providers.ts';
import { podServices, servicesOn } from './shared-service.ts';
import { judgeSubject } from './subject.ts';
import type { Border, Violation } from './violation.ts';
import { anotherTenant } from './witness.ts';

/** What is to be said about one peer that is not plainly contained. */
export interface PeerVerdict extends DiagnosticScope, Violation {
  /** The field that says it: `spec.ingress[0].from[1].namespaceSelector`. */
  readonly path: string;
}

/**
 * One verdict for each peer, and for each subject, that is not contained in the tenant, in the order of the fields; contained ones get
 * none. What a deny rule takes away is not asked.
 */
export function judgeBorder(reach: Reach, border: Border): readonly PeerVerdict[] {
  const { rules, diagnostics } = reach;
  const verdicts: PeerVerdict[] = [];
  if (reach.tiers !== undefined) verdicts.push(...judgeTiers(reach, border));
  if (reach.providers !== undefined) verdicts.push(...judgeProviders(reach, border));
  let judged: Subject | undefined;
  let told = 0;
  for (let index = 0; index <= rules.length; index++) {
    for (let one = diagnostics[told]; one !== undefined && one.rulesBefore <= index; one = diagnostics[++told]) {
      const { rulesBefore: _, path, cluster, witness, ...verdict } = one;
      const placed = { ...verdict, path: formatPath(path) };
      if (cluster !== undefined && isAnsweredFor(cluster, border)) verdicts.push({ ...placed, verdict: 'unproven' });
      else verdicts.push(witness === undefined ? placed : { ...placed, witness });
    }
    const rule = rules[index];
    if (rule === undefined || rule.action === 'deny') continue;
    const { subject, direction, peer } = rule;
    if (subject !== judged && subject.namespaces !== undefined) {
      judged = subject;
      const about = judgeSubject(subject, border);
      if (about !== undefined) {
        verdicts.push({ direction, kind: 'selector', path: formatPath(subject.path), ...about });
      }
    }
    const violation = judgeRule(rule, border);
    if (violation === undefined) continue;
    verdicts.push({ direction, kind: peer.kind, path: formatPath(rule.path), ...violation });
  }
  return verdicts;
}

/** A tier in which the settings let no tenant write: what a policy allows there, the platform's policies of later tiers cannot take away. */
export function judgeTiers({ tiers = [] }: Reach, { tenancy }: Border): readonly PeerVerdict[] {
  const { calicoTiers } = tenancy.settings;
  return tiers
    .filter(({ name }) => !calicoTiers.has(name))
    .map(({ name, path }) => ({
      ...({ direction: 'ingress', kind: 'any', verdict: 'unproven', path: formatPath(path) } as const),
      reason: `${excerpt(name)} is a tier in which the settings let no tenant write`,
      fix: { id: 'other-tier', tiers: [...calicoTiers], isName: path.step === 'name' },
    }));
}

/** Undefined: the peer is contained in the tenant, or agreed. Of the subject it says nothing. */
export function judgeRule(rule: AllowRule, border: Border): Violation | undefined {
  const { peer } = rule;
  switch (peer.kind) {
    case 'any':
      return judgeAnyPeer(rule, border);
    case 'selector':
      return meantForNames(judgeClusters(peer, rule, border), rule, border);
    case 'expression':
      return meantForNames(judgeExpression(peer, rule, border), rule, border);
    case 'ipBlock':
      return meantForNames(judgeAddresses(peer, rule, border), rule, border);
    case 'entity':
      return meantForNames(judgeEntity(peer, rule, border), rule, border);
    case 'name':
      return judgeName(peer, border);
    case 'identity':
      return judgeIdentity(peer, rule, border);
  }
}

/** A rule for the ports of DNS is there to resolve names, whatever its peers are. The baseline makes that possible. */
function meantForNames(violation: Violation | undefined, rule: AllowRule, border: Border): Violation | undefined {
  if (violation?.verdict !== 'escapes' || !isVague(violation.fix)) return violation;
  const fix = nameServerFor(rule, border);
  return fix === undefined ? violation : { ...violation, fix };
}

/** It may be about anything. Of addresses outside the cluster, another name server may be meant. */
function isVague(fix: Fix | string): boolean {
  if (typeof fix === 'string') return false;
  if (fix.id === 'only-granted-ranges' || fix.id === 'leave-out-ranges') return fix.coversCluster;
  return (
    fix.id === 'add-tenant-label' ||
    fix.id === 'not-by-name' ||
    fix.id === 'set-tenant-label' ||
    fix.id === 'entity-of-pods' ||
    fix.id === 'remove-name'
  );
}

function nameServerFor(rule: AllowRule, border: Border): Fix | undefined {
  if (rule.direction !== 'egress' || !rule.ports.every(isOfDns)) return undefined;
  const service = servicesOn(rule, border).find(isInBaseline);
  return service && { id: 'open-already', service };
}

function isOfDns(port: Port): boolean {
  return !('name' in port) && port.first === port.last && namePorts.includes(port.first);
}

function judgeAnyPeer(rule: AllowRule, border: Border): Violation {
  const { tenantLabel } = border.tenancy.settings;
  const { direction, ports } = rule;
  return {
    verdict: 'escapes',
    reason: 'lists no peers, so it allows every pod and every external address',
    witness: `a pod in a namespace with the label ${tenantLabel}=${anotherTenant(border, new Set())}`,
    fix: nameServerFor(rule, border) ?? {
      id: 'list-peers',
      direction,
      ports,
      services: servicesMeantBy(rule, border),
      granted: addressesGranted(rule, border),
    },
  };
}

function servicesMeantBy(rule: AllowRule, border: Border): readonly SharedService[] {
  const listing = servicesOn(rule, border);
  return listing.length > 0 ? listing : podServices(rule.direction, border).filter(({ ports }) => ports.length === 0);
}

function addressesGranted({ direction }: AllowRule, { tenant: { network }, now }: Border): readonly GrantedAddresses[] {
  const vouched = network.vouched
    .filter((one) => one.direction === direction && (one.expires === undefined || now < one.expires))
    .map(({ address, ports }) => ({ cidr: address, ports }));
  if (direction === 'ingress') return vouched;
  return [...vouched, ...network.egress, ...network.egressRanges.map((cidr) => ({ cidr, ports: [] }))];
}
