import { excerpt, isGiven, isMap, type JsonMap, unknownField, valueAt } from '../kubernetes/json.ts';
import { type MutualTls, mutualTlsModes } from '../tenancy/istio-settings.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofSettings } from './grants.ts';
import { contentToJudge, type JudgedContent } from './unread-objects.ts';

/** More findings than these say nothing new. */
const mostFound = 32;

interface Place extends JudgedContent {
  readonly namespace: string;
}

/**
 * A tenant keeps the mutual TLS that the mesh asks of callers.
 * Reads    spec.mtls.mode and spec.portLevelMtls.*.mode of PeerAuthentications of security.istio.io, with selector or without
 * Allowed  modes that are not weaker than istio.mtls of the settings, or than a grant of istio.mtlsGrants for the tenant, the namespace and
 *          the port; UNSET and a missing mode, which inherit; anything for the platform, and for tenants to whom network.policyKinds gives
 *          the kind
 * Why      callers by plain text have no identity. What an AuthorizationPolicy proves of identities is then not asked of them: rules
 *          without `from` and negative ones match them (SVC-11)
 */
export const mutualTls: Check = {
  id: 'mutual-tls',
  headline: 'asks less of callers than mutual TLS, which its tenant must keep',
  protects: 'border',
  grants: ofSettings('istio.mtlsGrants'),
  unread(request, facts) {
    const content = contentToJudge('peerauthentications.security.istio.io', request, facts);
    if (content === undefined || !isGiven(content.spec)) return nothing;
    const place = { ...content, namespace: request.namespace };
    const spec = mapOf(content.spec, ['selector', 'mtls', 'portLevelMtls'], 'spec');
    if ('finding' in spec) return [spec.finding];
    const ports = mapOf(spec.map.portLevelMtls, undefined, 'spec.portLevelMtls');
    if ('finding' in ports) return [ports.finding];
    const findings = [...modeIn(spec.map.mtls, 'spec.mtls', undefined, place)];
    for (const [port, written] of Object.entries(ports.map)) {
      if (findings.length >= mostFound) break;
      findings.push(...modeIn(written, `spec.portLevelMtls[${port}]`, Number(port), place));
    }
    return findings;
  },
};

/** @param known its fields; undefined: keys that users choose */
function mapOf(
  written: unknown,
  known: readonly string[] | undefined,
  path: string,
): { readonly map: JsonMap } | { readonly finding: Finding } {
  if (!isGiven(written)) return { map: {} };
  if (!isMap(written))
    return { finding: { path, reason: `${excerpt(written)} is not a map`, fix: 'write a map', ungrantable: true } };
  const unknown = known && unknownField(written, new Set(known));
  if (unknown === undefined) return { map: written };
  const reason = `${excerpt(unknown)} is not a field that is understood`;
  return { finding: { path, reason, fix: `write ${known?.join(', ')}`, ungrantable: true } };
}

/** @param port of a workload; undefined: for all of it */
function modeIn(written: unknown, path: string, port: number | undefined, place: Place): readonly Finding[] {
  const settings = mapOf(written, ['mode'], path);
  if ('finding' in settings) return [settings.finding];
  const mode = valueAt(settings.map, 'mode');
  // "UNSET: inherit from parent, if has one." A port inherits from its workload, that from its namespace, and that from the mesh.
  if (!isGiven(mode) || mode === 'UNSET') return nothing;
  const least = leastFor(port, place);
  const asked = mutualTlsModes.find((one) => one.toUpperCase() === mode);
  const { namespace, owner } = place;
  const ask = `ask the platform team to list ${namespace} in istio.mtlsGrants`;
  if (asked === undefined) {
    const reason = `${excerpt(mode)} is not a mode that is understood`;
    return [{ path: `${path}.mode`, reason, fix: 'write STRICT, or leave it out', ungrantable: true }];
  }
  if (mutualTlsModes.indexOf(asked) >= mutualTlsModes.indexOf(least)) return nothing;
  const does =
    asked === 'disable'
      ? 'DISABLE takes plain text alone, by which no caller has an identity'
      : 'PERMISSIVE also takes callers by plain text, which have no identity';
  return [
    {
      path: `${path}.mode`,
      reason: `${owner.name} must keep ${least.toUpperCase()}, and ${does}`,
      witness: 'a pod outside the mesh',
      fix: `write ${least.toUpperCase()}, or leave it out; or ${ask}`,
    },
  ];
}

/** The weakest of what holds everywhere, and of the grants. */
function leastFor(port: number | undefined, { istio, owner, namespace }: Place): MutualTls {
  const granted = istio.mtlsGrants.filter(
    ({ tenants, namespaces, ports }) =>
      tenants?.has(owner.name) !== false &&
      namespaces?.has(namespace) !== false &&
      (ports === undefined || (port !== undefined && ports.has(port))),
  );
  const enough = [istio.mtls, ...granted.map(({ mtls }) => mtls)];
  return mutualTlsModes.find((one) => enough.includes(one)) ?? istio.mtls;
}
