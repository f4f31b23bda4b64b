/** What test/e2e/in-use.test.ts has seen refused at its end: cases of test/fixtures, and attacks of the catalogue. */
import type { Test } from 'tap';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Case, loadCases } from '../fixtures/cases.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { collectionOf } from '../fixtures/review.ts';
import { intent } from './replayed-cases.ts';
import { restage, stage, submitDry } from './stage-case.ts';

export interface Ledger {
  readonly plane: ControlPlane;
  readonly cases: Set<string>;
  readonly attacks: Set<string>;
  kubeconfig(role: Role): string;
  /** Asserts that the case is refused by its check, and keeps it. */
  refused(t: Test, one: Case, answer: Answer): void;
}

/** Every case that is to be refused. */
export const failing: readonly Case[] = loadCases().filter(
  ({ expects, check }) => expects === 'fail' && !intent.has(check),
);

export async function createLedger(plane: ControlPlane): Promise<Ledger> {
  const kubeconfigs = new Map<Role, string>();
  for (const [role, { username, groups }] of Object.entries(cast) as [Role, (typeof cast)[Role]][])
    kubeconfigs.set(role, await plane.kubeconfigFor({ user: username, groups }));
  const cases = new Set<string>();
  const attacks = new Set<string>();
  return {
    plane,
    cases,
    attacks,
    kubeconfig: (role) => kubeconfigs.get(role) ?? '',
    refused(t, { id, sentence, check, attack }, { status, text }) {
      t.equal(status, 403, `${id}: ${sentence}`, { text: text.slice(0, 1000) });
      t.match(text, `${check}, docs/checks/${check}.md`, `${id}: by its check`);
      cases.add(id);
      for (const each of attack) attacks.add(each);
    },
  };
}

/** Stages the case, sends its request, dry, and leaves namespaces and tenants as they were. */
export async function sendStaged({ plane, kubeconfig }: Ledger, one: Case): Promise<Answer> {
  const { kind, metadata } = one.oldObject ?? {};
  const tenant = kind === 'Tenant' ? `${collectionOf(one.oldObject ?? {})}/${metadata?.name}` : undefined;
  const isDeclared = tenant !== undefined && (await plane.request('GET', tenant)).status === 200;
  if (!isDeclared) await stage(plane, one);
  const answer = await submitDry(plane, one, kubeconfig(one.user));
  if (kind === 'Namespace') await restage(plane, metadata?.name ?? '', metadata?.labels ?? {});
  if (tenant !== undefined && !isDeclared) {
    const held = { metadata: { finalizers: null } };
    await plane.request('PATCH', tenant, held, { contentType: 'application/merge-patch+json' });
    await plane.request('DELETE', tenant);
  }
  return answer;
}

export function messageOf({ body }: Answer): string {
  return (body as { readonly message?: string }).message ?? '';
}
