/** Contradictions about requests and callers: methods, and identities. */
import { formatPath } from '../../kubernetes/field-path.ts';
import type { InForceRule } from '../../reach/in-force.ts';
import { listed } from '../../reach/listed.ts';
import type { AllowRule } from '../../reach/model.ts';
import { type Authorization, peerAuthenticationsFor } from '../mesh.ts';
import { refText } from '../snapshot.ts';
import { isAllow, type LayerContext, methodsPath, opening, whoIs } from './context.ts';

/** Methods that Calico lets through and Istio does not, and the other way round, so that nothing passes both. */
export function contradictingRequests({ pods, own, inherited, worlds, report }: LayerContext): void {
  const allowing = [...own, ...inherited].filter(isAllow);
  if (allowing.length === 0) return;
  for (const { policy, rule } of opening(pods, worlds)) {
    const apart = policy.inForce.stage.kind === 'calico' ? methodsOutside(rule, allowing) : undefined;
    if (apart === undefined) continue;
    report({
      ...{ check: 'calico-http', object: refText(policy.ref), path: formatPath(rule.path) },
      other: listed(
        allowing.map(({ ref }) => refText(ref)),
        3,
      ),
      ...{ otherObject: namingMethods(allowing), otherPath: methodsPath },
      reason: `lets ${listed(apart.given)} through to ${whoIs(pods)}, and Istio ${listed(apart.taken)}, so no request passes both`,
      fix: 'write the same methods in both policies, or leave http to one of them',
    });
  }
}

/**
 * @param allowing policies that allow, which add up
 * @returns the methods of both sides, where no request passes both
 */
export function methodsOutside(
  { layer7 }: Pick<InForceRule, 'layer7'>,
  allowing: readonly Authorization[],
): { readonly given: readonly string[]; readonly taken: readonly string[] } | undefined {
  const methods = allowing.map((one) => one.methods);
  if (layer7 === undefined || methods.includes(undefined)) return undefined;
  const taken = new Set(methods.flatMap((one) => [...(one ?? [])]));
  const given = [...new Set(layer7.map((one) => one.split(' ')[0] ?? ''))];
  if (taken.size === 0 || given.includes('') || given.includes('*')) return undefined;
  return given.some((method) => taken.has(method.toUpperCase())) ? undefined : { given, taken: [...taken] };
}

function namingMethods(allowing: readonly Authorization[]): string | undefined {
  const first = allowing.find(({ methods }) => methods !== undefined && methods.size > 0);
  return first && refText(first.ref);
}

/** Rules by identity where callers need none. */
export function permissive({ pods, own, inherited, mesh, root, report }: LayerContext): void {
  // The nearest that has a mode decides. Where there is none, none is known.
  const decides = peerAuthenticationsFor(pods, mesh, root).map((scope) => scope.filter(({ mode }) => mode !== 'UNSET'));
  const tls = decides.find((scope) => scope.length > 0)?.find(({ mode }) => mode !== 'STRICT');
  if (tls === undefined) return;
  if (refusesUnknown([...own, ...inherited])) return;
  for (const { ref, action, passesUnknown } of own) {
    if (passesUnknown === undefined) continue;
    report({
      ...{ check: 'permissive-hole', object: refText(ref), path: passesUnknown },
      other: `${refText(tls.ref)} spec.mtls.mode is ${tls.mode}`,
      ...{ otherObject: refText(tls.ref), otherPath: 'spec.mtls.mode' },
      reason: `${action === 'DENY' ? 'denies' : 'leaves out'} callers by their identity, and a caller without mutual TLS has none, so it gets through to ${whoIs(pods)}`,
      fix: 'write mode: STRICT in the PeerAuthentication, or an ALLOW rule that names who may call',
    });
  }
}

/** Whether callers without an identity are denied, or nothing allows them. */
export function refusesUnknown(all: readonly Authorization[]): boolean {
  const opens = all.filter(isAllow).map((one) => one.opens);
  const asks = ({ peer }: AllowRule): boolean => peer.kind === 'identity' && peer.all.length > 0;
  return all.some(({ deniesUnknown }) => deniesUnknown) || (opens.length > 0 && opens.flat().every(asks));
}
