/** Namespaces of the platform in which an object of Istio counts for more than one tenant. */
import { once } from '../kubernetes/once.ts';
import type { Settings } from './settings.ts';

/** API groups whose objects say what a proxy of Istio does. */
export const meshGroups: readonly string[] = ['networking.istio.io', 'security.istio.io', 'extensions.istio.io'];

/** The webhook that gets what is written in these namespaces, where the settings have any. */
export const meshWebhook = 'validate.mesh.bulkhead.dev';

type Known = Pick<Settings, 'istio' | 'routes' | 'sharedServices'>;

/**
 * The root namespace of the mesh, and where gateways and shared services run that reach tenants: their proxies carry traffic of all.
 * Empty without a section `istio`. In the order of their names.
 */
export const meshNamespaces: (settings: Known) => ReadonlySet<string> = once(
  ({ istio, routes, sharedServices }: Known): ReadonlySet<string> => {
    if (istio === undefined) return new Set();
    const services = sharedServices.filter(({ direction }) => direction === 'ingress');
    const names = [
      istio.rootNamespace,
      ...(routes.gateways ?? []).map(({ namespace }) => namespace),
      ...services.flatMap(({ namespace }) => namespace ?? []),
    ];
    return new Set(names.sort());
  },
);
