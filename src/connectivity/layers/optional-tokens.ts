/** RequestAuthentications that no AuthorizationPolicy completes: a request without a token passes them. */
import { listed } from '../../reach/listed.ts';
import type { Authorization, Mesh, RequestAuthentication } from '../mesh.ts';
import { refText } from '../snapshot.ts';
import type { LayerFinding, Scope } from './context.ts';
import { shareOf } from './known-pods.ts';

/** What may ask for a token counts: whether pods are selected by both is not asked. Those of the root namespace are left to the platform. */
export function optionalTokens(
  { authorizations, waypoints, tokensAtWaypoints }: Omit<Mesh, 'requestAuthentications'>,
  requestAuthentications: readonly RequestAuthentication[],
  root: string,
  scope: Scope,
): readonly (Omit<LayerFinding, 'tenant'> & {
  readonly namespace: string;
  readonly pods: RequestAuthentication['pods'];
})[] {
  if (requestAuthentications.length === 0) return [];
  const byNamespace = Map.groupBy(authorizations, ({ ref }) => ref.namespace);
  const everywhere = byNamespace.get(root) ?? [];
  return requestAuthentications.flatMap(({ ref, pods }) => {
    const { namespace } = ref;
    const own = byNamespace.get(namespace) ?? [];
    if (namespace === root || tokensAtWaypoints.has(namespace) || tokensAtWaypoints.has(root)) return [];
    if ([...own, ...everywhere].some((one) => one.asksToken && isAbout(one, pods))) return [];
    // Of one file alone it is not known what others ask for.
    if (scope === 'files' && own.length === 0 && !waypoints.has(namespace)) return [];
    const beside = own.filter((one) => isAbout(one, pods)).map((one) => refText(one.ref));
    return [
      {
        ...{ check: 'token-optional', object: refText(ref), path: 'spec.jwtRules', namespace, pods },
        other: beside.length === 0 ? 'no AuthorizationPolicy selects these pods' : `${listed(beside, 3)} asks for none`,
        ...(beside.length > 0 && { otherObject: beside[0], otherPath: 'spec.rules' }),
        reason:
          'checks the tokens of requests, and requests without a token pass, as no AuthorizationPolicy asks for one',
        fix: 'add an ALLOW policy for these pods with requestPrincipals: ["*"] in the sources of its from',
      },
    ];
  });
}

/** Of pods of a waypoint it is not known which they are. */
function isAbout(one: Authorization, pods: RequestAuthentication['pods']): boolean {
  return pods === undefined || shareOf(one.pods, pods) !== 'none';
}
