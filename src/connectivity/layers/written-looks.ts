/** The comparisons of a written policy (written.ts), one function for each pair of sides. */
import { formatPath } from '../../kubernetes/field-path.ts';
import type { Selector } from '../../kubernetes/label-selector.ts';
import type { Port } from '../../kubernetes/port-range.ts';
import { isLiteral } from '../../reach/identity/glob.ts';
import { listed as joined } from '../../reach/listed.ts';
import type { AllowRule } from '../../reach/model.ts';
import { type Authorization, membershipOfLabels, type PeerAuthentication } from '../mesh.ts';
import { hasPort, intersectionOf, portNumber, resolved } from '../port-set.ts';
import { portSummary } from '../port-summary.ts';
import { refText, type SnapshotPolicy } from '../snapshot.ts';
import { isAllow, methodsPath, mostRules } from './context.ts';
import { exactOf, selectorOf, shareOf } from './known-pods.ts';
import { type Caller, mayBeOpen, type PartAbout, partsAbout, shareOfPart, spend } from './may-open.ts';
import { methodsOutside, refusesUnknown } from './requests.ts';
import type { Around, WrittenFinding } from './written.ts';

const tunnel = portNumber('TCP', 15008);
const ambientLabel = 'istio.io/dataplane-mode';

/** Callers or ports that the mesh lets in, and that no network policy of the namespace opens. */
export function closedCallers(policy: Authorization, around: Around): readonly WrittenFinding[] {
  if (!isAllow(policy)) return [];
  const parts = partsAbout(policy.pods, around);
  return policy.opens.slice(0, mostRules).flatMap((rule): readonly WrittenFinding[] => {
    const callers = callersOf(rule, around);
    if (callers === undefined) return [];
    const wanted = resolved(rule.ports, []);
    const open = mayBeOpen(parts, callers, around);
    const names = joined(
      callers.map(({ name }) => `namespace ${name}`),
      3,
    );
    const place = { object: refText(policy.ref), path: formatPath(rule.path) };
    const other = `the network policies of ${around.namespace}`;
    if (hasPort(open, tunnel)) return [];
    if (intersectionOf(open, wanted).length === 0)
      return [
        {
          ...{ check: 'l7-dead', ...place, ...(isolating(parts) ?? { other }) },
          reason: `lets ${names} in on ${portSummary(wanted)}, which no network policy of ${around.namespace} opens`,
          fix: 'open it to these callers in a network policy, or remove this rule',
        },
      ];
    const isAmbient = [around, ...callers].every(({ labels }) => labels.get(ambientLabel) === 'ambient');
    if (!isAmbient || membershipOfLabels(exactOf(policy.pods), around.labels) !== 'ambient') return [];
    return [
      {
        ...{ check: 'port-mismatch', ...place, other },
        reason: `lets ${names} in through the mesh, on port 15008 (HBONE), which no network policy opens`,
        fix: `add port 15008/TCP to the ingress rule that opens ${portSummary(intersectionOf(open, wanted))}`,
      },
    ];
  });
}

/** Namespaces of the same tenant, by their names. Undefined: who calls is not known. */
function callersOf({ peer }: AllowRule, { callerOf }: Around): readonly Caller[] | undefined {
  if (peer.kind !== 'identity') return undefined;
  for (const patterns of peer.all) {
    const names = patterns.flatMap(({ products }) => products.map(({ namespace }) => namespace));
    if (!names.every(isLiteral)) continue;
    const callers = [...new Set(names)].map(callerOf);
    return callers.every((one) => one !== undefined) && callers.length > 0 ? callers : undefined;
  }
  return undefined;
}

function isolating(
  parts: readonly PartAbout[],
): Pick<WrittenFinding, 'other' | 'otherObject' | 'otherPath'> | undefined {
  const found = parts.find(({ part, share }) => share === 'all' && part.isolates.includes('ingress'));
  if (found === undefined) return undefined;
  const object = refText(found.policy.ref);
  return { other: `${object} isolates the pods for ingress`, otherObject: object, otherPath: 'spec.ingress' };
}

/** A port of a Service that selects all of the pods, and that no Service leads to. */
export function wrongServicePorts(
  object: string,
  path: string,
  ports: readonly Port[],
  pods: Selector,
  { services, budget }: Around,
): readonly WrittenFinding[] {
  spend(budget, services.length);
  const beside = services.filter(
    ({ selector }) => selector !== undefined && shareOf(selectorOf(selector), pods) !== 'none',
  );
  return ports.flatMap((port) => {
    if ('name' in port || port.first !== port.last) return [];
    spend(budget, 1 + beside.length);
    // A name may be of this port.
    const isTarget = beside.some(({ ports: all }) =>
      all.some(({ targetPort }) => typeof targetPort === 'string' || targetPort === port.first),
    );
    if (isTarget) return [];
    for (const { namespace, name, selector = {}, isHeadless, ports: all } of beside) {
      const own = all.filter((one) => one.port === port.first && one.protocol === port.protocol);
      if (isHeadless === true || own.length === 0 || shareOf(selectorOf(selector), pods) !== 'all') continue;
      const targets = joined(own.map(({ targetPort }) => String(targetPort)));
      const other = `Service ${namespace}/${name}`;
      const otherPath = `spec.ports[${all.findIndex((one) => own.includes(one))}].targetPort`;
      return [
        {
          ...{ check: 'port-mismatch', object, path, other, otherObject: other, otherPath },
          reason: `is about port ${port.first} of Service ${name}; policies see the port of the pods, ${targets}`,
          fix: `write port ${targets} in place of ${port.first}`,
        } as const,
      ];
    }
    return [];
  });
}

/** Methods of Calico's `http` beside those of Istio, where one selects all pods of the other. */
export function contradictingMethods(
  policy: Authorization,
  other: SnapshotPolicy,
  around: Around,
): readonly WrittenFinding[] {
  const { stage, parts } = other.inForce;
  if (stage.kind !== 'calico' || !isAllow(policy) || policy.methods === undefined) return [];
  spend(around.budget, around.mesh.authorizations.length);
  const allowing = around.mesh.authorizations.filter(
    (one) => isAllow(one) && shareOf(one.pods, policy.pods) !== 'none',
  );
  return parts.flatMap(({ subject, rules }) => {
    if (shareOfPart(subject, policy.pods, around) !== 'all') return [];
    return rules.flatMap((rule): readonly WrittenFinding[] => {
      const apart = methodsOutside(rule, allowing);
      if (rule.action !== 'allow' || rule.direction !== 'ingress' || apart === undefined) return [];
      return [
        {
          ...{ check: 'calico-http', object: refText(other.ref), path: formatPath(rule.path) },
          ...{ other: refText(policy.ref), otherObject: refText(policy.ref), otherPath: methodsPath },
          reason: `lets ${joined(apart.given, 5)} through, and Istio ${joined(apart.taken, 5)}, so no request passes both`,
          fix: 'write the same methods in both policies, or leave http to one of them',
        },
      ];
    });
  });
}

/** A rule by identity where callers need none: the nearest PeerAuthentication with a mode decides, and more than one may be it. */
export function holeAt(policy: Authorization, { mesh, root, namespace, budget }: Around): readonly WrittenFinding[] {
  if (policy.passesUnknown === undefined) return [];
  spend(budget, mesh.authorizations.length + mesh.peerAuthentications.length);
  if (mayRefuseUnknown(mesh.authorizations, policy.pods)) return [];
  const modes = mesh.peerAuthentications.filter(({ mode }) => mode !== 'UNSET');
  const own = modes.filter(({ ref }) => ref.namespace === namespace);
  const tls = decisive(
    [
      own.filter(({ pods }) => pods !== undefined),
      own.filter(({ pods }) => pods === undefined),
      modes.filter(({ ref, pods }) => ref.namespace === root && pods === undefined),
    ],
    policy.pods,
  );
  if (tls === undefined) return [];
  const isOwn = tls.ref.namespace === namespace;
  return [
    {
      ...{ check: 'permissive-hole', object: refText(policy.ref), path: policy.passesUnknown },
      other: `${isOwn ? refText(tls.ref) : 'the PeerAuthentication of the mesh'} spec.mtls.mode is ${tls.mode}`,
      ...(isOwn && { otherObject: refText(tls.ref), otherPath: 'spec.mtls.mode' }),
      reason: `${policy.action === 'DENY' ? 'denies' : 'leaves out'} callers by identity; one without mutual TLS has none and gets through`,
      fix: 'write mode: STRICT in the PeerAuthentication, or an ALLOW rule that names who may call',
    },
  ];
}

/** Callers without an identity may be denied, or nothing certainly allows them where anything may be allowed alone. */
function mayRefuseUnknown(authorizations: readonly Authorization[], pods: Selector): boolean {
  const shares = authorizations.map((one) => [one, shareOf(one.pods, pods)] as const);
  const beside = shares.filter(([, share]) => share !== 'none').map(([one]) => one);
  if (beside.some(({ deniesUnknown }) => deniesUnknown)) return true;
  const certain = shares.filter(([one, share]) => share === 'all' && isAllow(one)).map(([one]) => one);
  return beside.some(isAllow) && !certain.some((one) => !refusesUnknown([one]));
}

/** One that is not strict and decides about all of these pods, unless one that is nearer may be about some of them and is strict. */
function decisive(scopes: readonly (readonly PeerAuthentication[])[], pods: Selector): PeerAuthentication | undefined {
  for (const scope of scopes) {
    const about = scope.filter((one) => one.pods === undefined || shareOf(one.pods, pods) !== 'none');
    if (about.some(({ mode }) => mode === 'STRICT')) return undefined;
    const all = about.find((one) => one.pods === undefined || shareOf(one.pods, pods) === 'all');
    if (all !== undefined) return all;
  }
  return undefined;
}
