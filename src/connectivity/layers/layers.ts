/**
 * Where network policies (layer 4) and policies of a mesh (layer 7) contradict each other. Both are written by different people, and what
 * one side opens is of use only where the other does too. Hints: nothing here opens a border.
 */
import { formatPath } from '../../kubernetes/field-path.ts';
import { listed } from '../../reach/listed.ts';
import type { Settings } from '../../tenancy/settings.ts';
import { groupOf } from '../matrix.ts';
import { isAbout, membershipOf, readMesh } from '../mesh.ts';
import type { PodClass } from '../parties.ts';
import { refText, type Snapshot } from '../snapshot.ts';
import type { World } from '../world.ts';
import { isAllow, type LayerContext, type LayerFinding, opening, whoIs } from './context.ts';
import { dead } from './dead.ts';
import { contradictingRequests, permissive } from './requests.ts';
import { wrongPorts } from './wrong-ports.ts';

/** About 0.2 s. */
const mostPairs = 200_000;

/** In the order of the pods. One of each kind for each field. */
export function layersOf(
  { mesh: policies = [], services }: Snapshot,
  worlds: readonly World[],
  settings: Settings,
): readonly LayerFinding[] {
  const mesh = readMesh(policies);
  const root = settings.istio?.rootNamespace ?? 'istio-system';
  const [world] = worlds;
  if (world === undefined || mesh.authorizations.length === 0) return [];
  const found = new Map<string, LayerFinding>();
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
      ...{ pods, own, inherited, around, worlds, mesh, root },
      budget: budgets.get(name) ?? { pairs: 0 },
      services: (servicesOf.get(name) ?? []).filter(({ selector }) => selector && selects(selector, pods)),
      report: (check, object, path, other, reason, fix) => {
        const key = `${check} ${object} ${path}`;
        if (!found.has(key)) found.set(key, { check, tenant: groupOf(pods), object, path, other, reason, fix });
      },
    };
    if (membershipOf(pods) === 'outside') outside(context);
    else for (const look of [wrongPorts, dead, unguarded, contradictingRequests, permissive]) look(context);
  }
  // A wrong port is why nothing opens it.
  const isExplained = ({ check, object, path }: LayerFinding): boolean =>
    check === 'l7-dead' && found.has(`port-mismatch ${object} ${path}`);
  return [...found.values()].filter((one) => !isExplained(one));
}

function selects(selector: Readonly<Record<string, string>>, { labels }: PodClass): boolean {
  return Object.entries(selector).every(([key, value]) => labels.get(key) === value);
}

/** A pod that left the mesh has no proxy that would read the policy. */
function outside({ pods, own, report }: LayerContext): void {
  for (const { ref } of own)
    report(
      'outside-the-mesh',
      refText(ref),
      'spec.selector',
      whoIs(pods),
      `selects ${whoIs(pods)}, which has left the mesh, so only network policies decide about it`,
      'narrow the selector to pods of the mesh, or take the pods into the mesh again',
    );
}

/** Ports that network policies open to pods that no policy of the mesh guards, in a namespace that has some. */
function unguarded({ pods, own, inherited, around, mesh, worlds, report }: LayerContext): void {
  // One that denies may leave nobody out but who is meant. A waypoint guards pods behind Services, by other policies.
  const isGuarded = own.length > 0 || inherited.length > 0 || mesh.waypoints.has(pods.namespace.name);
  if (!around.some(isAllow) || isGuarded) return;
  for (const { policy, rule } of opening(pods, worlds))
    report(
      'l4-unguarded',
      refText(policy.ref),
      formatPath(rule.path),
      `${whoIs(pods)} is selected by none of ${listed(
        around.filter(isAllow).map(({ ref }) => refText(ref)),
        3,
      )}`,
      `opens ports of ${whoIs(pods)}, which no AuthorizationPolicy selects, so the mesh lets every request through`,
      'add an AuthorizationPolicy that selects these pods',
    );
}
