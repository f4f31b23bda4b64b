/**
 * Where network policies (layer 4) and policies of a mesh (layer 7) contradict each other. Both are written by different people, and what
 * one side opens is of use only where the other does too. Hints: nothing here opens a border.
 */
import { formatPath } from '../../kubernetes/field-path.ts';
import { listed } from '../../reach/listed.ts';
import type { Settings } from '../../tenancy/settings.ts';
import { groupOf, platformGroup } from '../matrix.ts';
import { isAbout, membershipOf, membershipOfLabels, readMesh } from '../mesh.ts';
import type { PodClass } from '../parties.ts';
import { refText, type Snapshot } from '../snapshot.ts';
import type { World } from '../world.ts';
import {
  isAllow,
  type LayerContext,
  type LayerFinding,
  ofFiles,
  opening,
  podsText,
  type Scope,
  whoIs,
  withField,
} from './context.ts';
import { dead } from './dead.ts';
import { optionalTokens } from './optional-tokens.ts';
import { contradictingRequests, permissive } from './requests.ts';
import { wrongPorts } from './wrong-ports.ts';

/** About 0.2 s. */
const mostPairs = 200_000;

/** In the order of the pods. One of each kind for each field. */
export function layersOf(
  { mesh: policies = [], services }: Snapshot,
  worlds: readonly World[],
  settings: Settings,
  scope: Scope = 'cluster',
): readonly LayerFinding[] {
  const mesh = readMesh(policies);
  const root = settings.istio?.rootNamespace ?? 'istio-system';
  const [world] = worlds;
  if (world === undefined) return [];
  const found = new Map<string, LayerFinding>();
  for (const { namespace, pods: _, ...one } of optionalTokens(mesh, mesh.requestAuthentications, root, scope)) {
    const owner = world.parties.byName.get(namespace)?.owner;
    const tenant = owner === undefined || owner === 'platform' ? platformGroup : owner.name;
    found.set(`${one.check} ${one.object} ${one.path}`, { ...one, tenant });
  }
  if (mesh.authorizations.length === 0) return [...found.values()].map(withField);
  const byNamespace = Map.groupBy(mesh.authorizations, ({ ref }) => ref.namespace);
  const servicesOf = Map.groupBy(services, ({ namespace }) => namespace);
  const budgets = new Map([...byNamespace.keys()].map((name) => [name, { pairs: mostPairs }]));
  for (const pods of world.parties.classes) {
    const { name } = pods.namespace;
    const around = byNamespace.get(name) ?? [];
    if (around.length === 0) continue;
    const own = around.filter((one) => isAbout(one.pods, pods.labels));
    const everywhere = name === root ? [] : (byNamespace.get(root) ?? []);
    const inherited = everywhere.filter((one) => isAbout(one.pods, pods.labels));
    const context: LayerContext = {
      ...{ pods, own, inherited, around, worlds, mesh, root, scope },
      budget: budgets.get(name) ?? { pairs: 0 },
      services: (servicesOf.get(name) ?? []).filter(({ selector }) => selector && selects(selector, pods)),
      report: ({ check, object, path, ...said }) => {
        const key = `${check} ${object} ${path}`;
        if (!found.has(key)) found.set(key, { check, tenant: groupOf(pods), object, path, ...said });
      },
    };
    if (membershipOf(pods) === 'outside') outside(context);
    else for (const look of [wrongPorts, dead, unguarded, contradictingRequests, permissive]) look(context);
  }
  // A wrong port is why nothing opens it.
  const isExplained = ({ check, object, path }: LayerFinding): boolean =>
    check === 'l7-dead' && found.has(`port-mismatch ${object} ${path}`);
  return [...found.values()].filter((one) => !isExplained(one)).map(withField);
}

function selects(selector: Readonly<Record<string, string>>, { labels }: PodClass): boolean {
  return Object.entries(selector).every(([key, value]) => labels.get(key) === value);
}

/** A pod that left the mesh has no proxy that would read the policy. */
function outside({ pods, own, report }: LayerContext): void {
  for (const { ref } of own)
    report({
      ...{ check: 'outside-the-mesh', object: refText(ref), path: 'spec.selector' },
      ...leaving(pods),
      reason: `selects ${whoIs(pods)}, which has left the mesh, so only network policies decide about it`,
      fix: 'narrow the selector to pods of the mesh, or take the pods into the mesh again',
    });
}

/** The labels by which they left. */
function leaving(pods: PodClass): Pick<LayerFinding, 'other' | 'otherObject' | 'otherPath'> {
  if (membershipOfLabels(pods.labels, new Map()) !== 'outside')
    return { other: namespaceText(pods), otherObject: namespaceText(pods), otherPath: 'metadata.labels' };
  const isPod = pods.workloads[0]?.kind === 'Pod';
  const otherPath = isPod ? 'metadata.labels' : 'spec.template.metadata.labels';
  return { other: whoIs(pods), otherObject: podsText(pods), otherPath };
}

const namespaceText = ({ namespace }: PodClass): string => `Namespace ${namespace.name}`;

/** Ports that network policies open to pods that no policy of the mesh guards, in a namespace that has some. */
function unguarded({ pods, own, inherited, around, mesh, worlds, scope, report }: LayerContext): void {
  // A DENY policy may be meant for its own peers alone, so only ALLOW policies count. A waypoint guards pods behind Services, by other policies.
  const isGuarded = own.length > 0 || inherited.length > 0 || mesh.waypoints.has(pods.namespace.name);
  const allowing = around.filter(isAllow).map(({ ref }) => refText(ref));
  if (allowing.length === 0 || isGuarded) return;
  for (const { policy, rule } of opening(pods, worlds))
    report({
      ...{ check: 'l4-unguarded', object: refText(policy.ref), path: formatPath(rule.path) },
      other: `${whoIs(pods)} is selected by none of ${listed(allowing, 3)}`,
      ...{ otherObject: allowing[0], otherPath: 'spec.selector' },
      reason: `opens ports of ${whoIs(pods)}, which no AuthorizationPolicy${ofFiles(scope)} selects, so the mesh lets every request through`,
      fix: 'add an AuthorizationPolicy that selects these pods',
    });
}
