/** Contradictions about requests and callers: methods, and identities. */
import { formatPath } from '../../kubernetes/field-path.ts';
import { listed } from '../../reach/listed.ts';
import type { AllowRule } from '../../reach/model.ts';
import { type Authorization, peerAuthenticationsFor } from '../mesh.ts';
import { refText } from '../snapshot.ts';
import { isAllow, type LayerContext, opening, whoIs } from './context.ts';

/** Methods that Calico lets through and Istio does not, and the other way round, so that nothing passes both. */
export function contradictingRequests({ pods, own, inherited, worlds, report }: LayerContext): void {
  // Policies that allow add up.
  const allowing = [...own, ...inherited].filter(isAllow);
  const methods = allowing.map((one) => one.methods);
  if (allowing.length === 0 || methods.includes(undefined)) return;
  const taken = new Set(methods.flatMap((one) => [...(one ?? [])]));
  if (taken.size === 0) return;
  for (const { policy, rule } of opening(pods, worlds)) {
    if (policy.inForce.stage.kind !== 'calico' || rule.layer7 === undefined) continue;
    const given = rule.layer7.map((one) => one.split(' ')[0] ?? '');
    if (given.includes('') || given.includes('*') || given.some((method) => taken.has(method.toUpperCase()))) continue;
    report({
      ...{ check: 'calico-http', object: refText(policy.ref), path: formatPath(rule.path) },
      other: listed(
        allowing.map(({ ref }) => refText(ref)),
        3,
      ),
      ...{ otherObject: allowing.map(({ ref }) => refText(ref))[0], otherPath: 'spec.rules' },
      reason: `lets ${listed([...new Set(given)])} through to ${whoIs(pods)}, and Istio ${listed([...taken])}, so no request passes both`,
      fix: 'write the same methods in both policies, or leave http to one of them',
    });
  }
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
function refusesUnknown(all: readonly Authorization[]): boolean {
  const opens = all.filter(isAllow).map((one) => one.opens);
  const asks = ({ peer }: AllowRule): boolean => peer.kind === 'identity' && peer.all.length > 0;
  return all.some(({ deniesUnknown }) => deniesUnknown) || (opens.length > 0 && opens.flat().every(asks));
}
