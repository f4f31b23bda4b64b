/**
 * Values of reserved keys that every requester may set: those that weaken no protection. An injector writes them on each pod of
 * the mesh, in the name of the requester, or they only tighten. What loosens is judged against the stored value.
 */
import type { PodSecurityLevel, Settings } from '../tenancy/settings.ts';

/** From the stored value to the new one. Undefined: there is none. */
export interface ValueChange {
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

interface Context {
  readonly allowed: ReadonlySet<string>;
  readonly podSecurityDefault: PodSecurityLevel | undefined;
}

type Rule = (change: ValueChange, context: Context) => boolean;

const none: ReadonlySet<string> = new Set();

export function isFree(change: ValueChange, settings: Pick<Settings, 'allowedValues' | 'podSecurityDefault'>): boolean {
  const allowed = settings.allowedValues.get(change.key) ?? none;
  const { after } = change;
  if (after !== undefined && allowed.has(after)) return true;
  const { podSecurityDefault } = settings;
  return rules.get(change.key)?.(change, { allowed, podSecurityDefault }) === true;
}

function oneOf(...values: readonly string[]): Rule {
  const free = new Set(values);
  return ({ after }) => after !== undefined && free.has(after);
}

/** A list of what passes by the mesh: it may lose items, and have those that the mesh itself leaves out. */
function onlyLeavesOut(...own: readonly string[]): Rule {
  return ({ before, after }, { allowed }) => {
    const free = new Set([...own, ...itemsOf(before)]);
    return itemsOf(after).every((item) => free.has(item) || allowed.has(item));
  };
}

/** The same where the defaults of the mesh, which hold without the key, may leave out more. */
function onlyLeavesOutAndStays(): Rule {
  const leavesOut = onlyLeavesOut();
  return (change, settings) => change.after !== undefined && leavesOut(change, settings);
}

/** Multus reads a value with one of these characters as JSON. Its items are whole then: parts of two must not make a third. */
const json = /[[{"]/;

function itemsOf(list = ''): readonly string[] {
  if (!json.test(list)) {
    return list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  try {
    const parsed: unknown = JSON.parse(list);
    return Array.isArray(parsed) ? parsed.map((item) => JSON.stringify(item)) : [list];
  } catch {
    return [list];
  }
}

const port = /^[1-9][0-9]{0,4}$/;

/** A list of ports, captured beside what the mesh captures anyway: it may get more of them, or all. */
const addsCapture: Rule = ({ before, after }) => {
  const captured = itemsOf(after);
  return (
    captured.length > 0 &&
    captured.every((item) => item === '*' || port.test(item)) &&
    itemsOf(before).every((item) => captured.includes(item))
  );
};

const levels: readonly string[] = ['privileged', 'baseline', 'restricted'] satisfies readonly PodSecurityLevel[];

/** `restricted` is the tightest level there is. A label `baseline` would be weaker than a default that is stricter. */
const enforcedLevel: Rule = ({ before, after }, { podSecurityDefault }) =>
  after === 'restricted' || (after === 'baseline' && before === undefined && podSecurityDefault === 'privileged');

/** What only warns or is written to the audit log may also become stricter than it was. */
const shownLevel: Rule = (change, context) => {
  const { before, after } = change;
  if (before === undefined || after === undefined) return enforcedLevel(change, context);
  return levels.indexOf(after) >= Math.max(1, levels.indexOf(before));
};

/** The rules of a later version of Kubernetes are at least as strict. Without a label, those of the latest hold. */
const levelVersion: Rule = ({ before, after }) => {
  if (after === 'latest') return true;
  const [stored, asked] = [minorOf(before), minorOf(after)];
  return stored !== undefined && asked !== undefined && asked > stored;
};

function minorOf(version: string | undefined): number | undefined {
  const minor = /^v1\.(0|[1-9][0-9]{0,3})$/.exec(version ?? '')?.[1];
  return minor === undefined ? undefined : Number(minor);
}

/** The agent's metrics and health, and Envoy's: what Istio's injector excludes by itself. https://istio.io/latest/docs/ops/deployment/application-requirements/ */
const portsOfIstio = ['15020', '15021', '15090'];

const rules: ReadonlyMap<string, Rule> = new Map([
  ['pod-security.kubernetes.io/enforce', enforcedLevel],
  ['pod-security.kubernetes.io/enforce-version', levelVersion],
  ['pod-security.kubernetes.io/warn', shownLevel],
  ['pod-security.kubernetes.io/warn-version', levelVersion],
  ['pod-security.kubernetes.io/audit', shownLevel],
  ['pod-security.kubernetes.io/audit-version', levelVersion],
  ['policy.sigstore.dev/include', oneOf('true')],
  ['k8s.aliyun.com/eci-network-policy-enable', oneOf('true')],
  ['network.alibabacloud.com/enable-network-policy-agent', oneOf('true')],
  ['alibabacloud.com/enable-network-policy-agent', oneOf('true')],
  ['sidecar.istio.io/inject', oneOf('true')],
  ['sidecar.istio.io/interceptionMode', oneOf('REDIRECT', 'TPROXY')],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', oneOf('*')],
  ['traffic.sidecar.istio.io/includeInboundPorts', oneOf('*')],
  ['traffic.sidecar.istio.io/includeOutboundPorts', addsCapture],
  ['security.istio.io/tlsMode', oneOf('istio')],
  ['inject.istio.io/templates', oneOf('sidecar')],
  ['istio.io/dataplane-mode', oneOf('ambient')],
  ['linkerd.io/inject', oneOf('enabled')],
  ['config.linkerd.io/default-inbound-policy', oneOf('deny')],
  ['kuma.io/sidecar-injection', oneOf('enabled', 'true')],
  ['kuma.io/transparent-proxying', oneOf('enabled')],
  ['consul.hashicorp.com/connect-inject', oneOf('true')],
  ['consul.hashicorp.com/transparent-proxy', oneOf('true')],
  ['traffic.sidecar.istio.io/excludeInboundPorts', onlyLeavesOut(...portsOfIstio)],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', onlyLeavesOut(...portsOfIstio)],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', onlyLeavesOut()],
  ['traffic.sidecar.istio.io/excludeInterfaces', onlyLeavesOut()],
  ['config.linkerd.io/skip-inbound-ports', onlyLeavesOutAndStays()],
  ['config.linkerd.io/skip-outbound-ports', onlyLeavesOutAndStays()],
  ['config.linkerd.io/skip-subnets', onlyLeavesOutAndStays()],
  ['traffic.kuma.io/exclude-inbound-ports', onlyLeavesOut()],
  ['traffic.kuma.io/exclude-outbound-ports', onlyLeavesOut()],
  ['traffic.kuma.io/exclude-inbound-ips', onlyLeavesOut()],
  ['traffic.kuma.io/exclude-outbound-ips', onlyLeavesOut()],
  ['consul.hashicorp.com/transparent-proxy-exclude-inbound-ports', onlyLeavesOut()],
  ['consul.hashicorp.com/transparent-proxy-exclude-outbound-ports', onlyLeavesOut()],
  ['consul.hashicorp.com/transparent-proxy-exclude-outbound-cidrs', onlyLeavesOut()],
  // Multus, by which Istio's injector attaches its own network on OpenShift.
  ['k8s.v1.cni.cncf.io/networks', onlyLeavesOut()],
]);
