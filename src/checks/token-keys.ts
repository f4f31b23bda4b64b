import { containsPattern, parsePattern } from '../kubernetes/dns-pattern.ts';
import { parseHttpTarget } from '../kubernetes/http-url.ts';
import { excerpt, isGiven, isMap, type JsonMap, listOf, unknownField } from '../kubernetes/json.ts';
import { type Violation, violationAt } from './carried-addresses.ts';
import { type Check, type Finding, nothing, type UnreadFacts } from './check.ts';
import { ofTenant } from './grants.ts';
import { contentToJudge, type JudgedContent } from './unread-objects.ts';

/** More findings than these say nothing new. */
const mostFound = 32;

const specFields: ReadonlySet<string> = new Set(['selector', 'targetRef', 'targetRefs', 'jwtRules']);
/** security.istio.io JWTRule. `jwks_uri` is another name of jwksUri. */
const ruleFields: ReadonlySet<string> = new Set([
  ...['issuer', 'audiences', 'jwksUri', 'jwks_uri', 'jwks', 'fromHeaders', 'fromParams', 'fromCookies', 'timeout'],
  ...['forwardOriginalToken', 'outputPayloadToHeader', 'outputClaimToHeaders', 'spaceDelimitedClaims'],
]);

/**
 * Keys for tokens come from where the tenant may have them fetched.
 * Reads    spec.jwtRules[*].jwksUri (also jwks_uri) of RequestAuthentications of security.istio.io, and issuer where neither that nor jwks is given
 * Allowed  hosts that network.names of the tenant grants; addresses that network.egress or vouched grants on the port; keys in jwks; anything
 *          for the platform, and for tenants to whom network.policyKinds gives the kind
 * Why      the control plane of the mesh fetches them with its own reach, past every policy of the tenant, and hands the answer to the proxies
 *          of the tenant (CVE-2026-41413). A public name can have an address of the cluster, so each must be granted (SVC-11)
 */
export const tokenKeys: Check = {
  id: 'token-keys',
  headline: 'has the mesh fetch keys from where its tenant may not have it connect',
  protects: 'border',
  grants: ofTenant('network.names', 'network.egress'),
  unread(request, facts) {
    const content = contentToJudge('requestauthentications.security.istio.io', request, facts);
    if (content === undefined || !isGiven(content.spec)) return nothing;
    const { spec } = content;
    if (!isMap(spec)) return [notUnderstood('spec', spec)];
    const unknown = unknownField(spec, specFields);
    if (unknown !== undefined) return [notUnderstood('spec', unknown)];
    if (isGiven(spec.jwtRules) && !Array.isArray(spec.jwtRules)) return [notUnderstood('spec.jwtRules', spec.jwtRules)];
    return listOf(spec.jwtRules)
      .slice(0, mostFound)
      .flatMap((rule, index) => judgedRule(rule, `spec.jwtRules[${index}]`, content, facts));
  },
};

function judgedRule(rule: unknown, path: string, content: JudgedContent, facts: UnreadFacts): readonly Finding[] {
  if (!isGiven(rule)) return nothing;
  if (!isMap(rule)) return [notUnderstood(path, rule)];
  const unknown = unknownField(rule, ruleFields);
  if (unknown !== undefined) return [notUnderstood(path, unknown)];
  const findings: Finding[] = [];
  for (const field of fetchedFields(rule)) {
    const violation = violationOf(rule[field], content, facts);
    if (violation !== undefined) findings.push({ path: `${path}.${field}`, ...violation });
  }
  return findings;
}

/** Without keys and without their place, istiod looks for the place at the issuer, by OpenID Connect discovery (pilot/pkg/model). */
function fetchedFields(rule: JsonMap): readonly string[] {
  const written = ['jwksUri', 'jwks_uri'].filter((field) => isGiven(rule[field]) && rule[field] !== '');
  if (written.length > 0) return written;
  return (isGiven(rule.jwks) && rule.jwks !== '') || !isGiven(rule.issuer) || rule.issuer === '' ? [] : ['issuer'];
}

function violationOf(written: unknown, { owner }: JudgedContent, { tenancy, now }: UnreadFacts): Violation | undefined {
  const ask = (what: string): string =>
    `write the keys into jwks, or ask the platform team to ${what} of ${owner.name}`;
  const read = parseHttpTarget(typeof written === 'string' ? written : '');
  if (!read.ok) return { reason: `${excerpt(written)} ${read.reason}`, fix: ask('list a name in network.names') };
  const { host, port } = read.value;
  if (host.includes(':') || isNumber(host)) {
    const violation = violationAt(host, [{ protocol: 'TCP', first: port, last: port }], {
      tenant: owner,
      tenancy,
      now,
    });
    return violation && { reason: violation.reason, fix: ask(`grant the address at port ${port} in network.egress`) };
  }
  const name = parsePattern(host);
  if (name?.labels === undefined || name.deep || name.text.includes('*'))
    return { reason: `${excerpt(host)} is not a DNS name`, fix: ask('list a name in network.names') };
  if (owner.network.names.some((granted) => containsPattern(granted, name))) return undefined;
  const reason = `the mesh would connect to whatever address ${name.text} has, and network.names of ${owner.name} does not grant it`;
  return { reason, fix: ask(`list ${name.text} in network.names`) };
}

/** WHATWG URL, "ends in a number": such a host is read as an IPv4 address, in decimal, octal or hexadecimal. */
function isNumber(host: string): boolean {
  const labels = host.toLowerCase().split('.');
  const last = (labels.at(-1) === '' ? labels.at(-2) : labels.at(-1)) ?? '';
  return /^[0-9]+$/.test(last) || /^0x[0-9a-f]*$/.test(last);
}

function notUnderstood(path: string, written: unknown): Finding {
  return {
    path,
    reason: `${excerpt(written)} is not understood`,
    fix: 'write the fields of security.istio.io/v1',
    ungrantable: true,
  };
}
