/**
 * Accounts of GitOps tools, by the names that their own manifests give them. What such a tool writes is what a repository says, so a
 * requester that it names proves nothing. The list is a help for people who write settings: no list knows every tool.
 */
import { type Located, type Problem, problemAt } from './problem.ts';
import type { GrantDocuments } from './schema/grant-schemas.ts';
import type { SubjectDocument } from './schema/subject-schema.ts';

/** In any namespace. The operator of Argo CD begins the name with that of the instance. */
const argoAccounts = ['argocd-application-controller', 'argocd-applicationset-controller', 'argocd-server'];
const fluxAccounts: ReadonlySet<string> = new Set(['kustomize-controller', 'helm-controller', 'flux-operator']);
const configSyncNamespace = 'config-management-system';
/** Config Sync has an account for each repository, whose name ends with that of the RootSync, or of the namespace. */
const configSyncAccounts = ['root-reconciler', 'ns-reconciler'];

function gitOpsToolOf({ kind, name, namespace }: SubjectDocument): string | undefined {
  if (kind !== 'ServiceAccount') return undefined;
  if (argoAccounts.some((account) => name === account || name.endsWith(`-${account}`))) return 'Argo CD';
  if (fluxAccounts.has(name)) return 'Flux';
  const isOfConfigSync =
    namespace === configSyncNamespace && configSyncAccounts.some((one) => name === one || name.startsWith(`${one}-`));
  return isOfConfigSync ? 'Config Sync' : undefined;
}

/** Provisioners that say for whom they create a namespace, and say what a repository says. */
export function warningsAboutGitOps(
  { provisioners = [] }: GrantDocuments,
  { locate }: Pick<Located<unknown>, 'locate'>,
): readonly Problem[] {
  return provisioners.flatMap(({ tenantFrom, subjects }, index) =>
    tenantFrom === undefined
      ? []
      : subjects.flatMap((subject, place) => {
          const tool = gitOpsToolOf(subject);
          if (tool === undefined) return [];
          return problemAt(
            locate,
            ['spec', 'platform', 'provisioners', index, 'subjects', place],
            `${subject.name} is an account of ${tool}, which writes what a repository says: its authors choose ${tenantFrom.annotation}, and so the tenant`,
            'leave it out here, and list it among the members of the tenant whose repository it applies',
          );
        }),
  );
}
