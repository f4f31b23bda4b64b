/** Which cluster a command reads that writes nothing: unlike `serve`, it goes by $KUBECONFIG. */
import type { ClusterLocation } from '../client/authentication.ts';
import { locateCluster } from '../client/location.ts';
import { CannotStart } from './cannot-start.ts';

/** @throws CannotStart with 2: nothing was looked at */
export function locationOf(
  command: string,
  { kubeconfig, context }: { readonly kubeconfig: string | undefined; readonly context: string | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): ClusterLocation {
  const file = kubeconfig ?? (environment.KUBECONFIG || undefined);
  if (kubeconfig === undefined && file?.includes(':'))
    throw new CannotStart(`$KUBECONFIG names several files, and ${command} reads one: give --kubeconfig FILE`, 2);
  const location = locateCluster(file, environment);
  if (location === undefined) throw new CannotStart(`${command} needs a cluster to look at: give --kubeconfig FILE`, 2);
  if (context === undefined) return location;
  if (location.kind !== 'kubeconfig')
    throw new CannotStart('--context goes with a kubeconfig: give --kubeconfig FILE', 2);
  return { ...location, context };
}
