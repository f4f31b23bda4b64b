/** Which cases of test/fixtures are sent to a real API server, and where. */
import { catalogue } from '../../src/checks/catalogue.ts';
import { type Case, isReplayed, loadCases } from '../fixtures/cases.ts';
import { collectionOf } from '../fixtures/review.ts';

/** Checks that never refuse. */
export const intent: ReadonlySet<string> = new Set(
  catalogue.filter(({ protects }) => protects === 'intent').map(({ id }) => id),
);

export const replayed: readonly Case[] = loadCases().filter(isReplayed);

const ofThePlatform: readonly (string | undefined)[] = ['default', 'ingress-nginx', 'kube-system'];

/** Such requests are sent in observe alone (docs/decisions/0030). */
export function inNamespaceOfThePlatform({ object, check }: Case): boolean {
  // The webhook of the mesh sends them.
  if (check === 'mesh-namespaces') return false;
  return ofThePlatform.includes(object?.metadata?.namespace);
}

export function pathOf({ object }: Case): string {
  return collectionOf(object ?? {});
}
