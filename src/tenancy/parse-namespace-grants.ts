import { ownKeys } from '../keys/built-in-keys.ts';
import { covers, isBeginning, isEnding, type ReservedKey } from '../keys/reserved-keys.ts';
import { excerpt } from '../kubernetes/json.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { parseNamedSubject } from './parse-subject.ts';
import type { Report, Step } from './problem.ts';
import type { GrantDocuments, NamespaceWriterDocument, ProvisionerDocument } from './schema/grant-schemas.ts';
import type { NamespaceWriter, Provisioner } from './settings.ts';
import { identity } from './subjects.ts';
import type { Subject } from './tenant.ts';
import type { TrustedLabels } from './trusted-labels.ts';

interface Context {
  readonly tenantLabel: string;
  readonly identities: readonly Subject[];
  /** On namespaces, with the {@link requesterKeys}. */
  readonly reserved: readonly ReservedKey[];
  readonly trustedLabels: TrustedLabels;
}

const steps = (field: keyof GrantDocuments, ...rest: readonly Step[]): Step[] => ['spec', 'platform', field, ...rest];

/** The annotations in which provisioners name the user for whom they create a namespace. Only provisioners set them, and they are frozen. */
export function requesterKeys({ provisioners = [] }: GrantDocuments): readonly ReservedKey[] {
  return provisioners.flatMap(({ tenantFrom }): readonly ReservedKey[] => {
    if (tenantFrom === undefined) return [];
    const effect = 'says for whom a provisioner has created the namespace';
    return [{ entry: tenantFrom.annotation, protects: 'identity', effect, settings: ['platform.provisioners'] }];
  });
}

export function parseNamespaceGrants(
  { namespaceWriters = [], provisioners = [] }: GrantDocuments,
  context: Context,
  report: Report,
): { readonly namespaceWriters: readonly NamespaceWriter[]; readonly provisioners: readonly Provisioner[] } {
  const frozen = requesterKeys({ provisioners });
  const names = new Set<string>();
  const taken = new Map<string, string>();
  const identities = new Set(context.identities.map(identity));

  function parse(
    field: keyof GrantDocuments,
    index: number,
    { subjects, keys }: NamespaceWriterDocument | ProvisionerDocument,
  ): { readonly subjects: readonly Subject[]; readonly keys: readonly string[] } {
    for (const [place, key] of keys.entries())
      judgeKey(key, steps(field, index, 'keys', place), context, frozen, report);
    const parsed = subjects.flatMap((document, place) => {
      const at = steps(field, index, 'subjects', place);
      const subject = parseNamedSubject(document, at, report);
      if (subject === undefined || field === 'namespaceWriters' || !identities.has(identity(subject)))
        return subject ?? [];
      report(
        at,
        `${subject.name} is a platform identity, which may write everything already`,
        'list it in one of the two',
      );
      return [];
    });
    return { subjects: parsed, keys };
  }

  return {
    namespaceWriters: namespaceWriters.map((document, index) => ({
      ...parse('namespaceWriters', index, document),
      finalizers: document.finalizers ?? [],
      namespaces: document.namespaces && new Set(document.namespaces),
    })),
    provisioners: provisioners.map((document, index) => {
      const { name, tenantFrom, ownerReferences = false, undecided = 'refuse' } = document;
      const parsed = parse('provisioners', index, document);
      if (names.has(name))
        report(
          steps('provisioners', index, 'name'),
          `${name} is the name of another provisioner`,
          'choose another name',
        );
      names.add(name);
      for (const [place, subject] of parsed.subjects.entries()) {
        const other = taken.get(identity(subject));
        if (other !== undefined)
          report(
            steps('provisioners', index, 'subjects', place),
            `${subject.name} is provisioner ${other} already, and can act as one alone`,
            'merge the two',
          );
        taken.set(identity(subject), name);
      }
      const annotation = tenantFrom?.annotation;
      if (annotation !== undefined && neverGranted(annotation, context) !== undefined)
        report(
          steps('provisioners', index, 'tenantFrom', 'annotation'),
          `${annotation} is written by Bulkhead or the API server, not by a provisioner`,
          'name the annotation in which the provisioner writes who asked for the namespace',
        );
      return { name, ...parsed, tenantFrom: annotation, ownerReferences, undecided };
    }),
  };
}

/** What proofs rest on is not written by accounts that are granted keys. Gives that key, if the granted one is or covers one. */
function neverGranted(key: string, { tenantLabel, trustedLabels }: Context): string | undefined {
  const covered = [tenantLabel, namespaceNameLabel, ...trustedLabels.keys()].find((one) => covers(key, one));
  return covered ?? (ownKeys.some((own) => key.startsWith(own)) ? key : undefined);
}

function judgeKey(
  key: string,
  at: readonly Step[],
  context: Context,
  frozen: readonly ReservedKey[],
  report: Report,
): void {
  const whole = isBeginning(key) ? 'name each key whole' : 'leave it out';
  const never = neverGranted(key, context);
  if (never !== undefined) {
    const what = never === key ? 'says' : `covers ${never}, which says`;
    const about = context.trustedLabels.has(never)
      ? 'which namespaces others let in'
      : 'whose a namespace is or what it is called';
    report(at, `${excerpt(key)} ${what} ${about}, and cannot be granted`, whole);
    return;
  }
  const one = frozen.find(({ entry }) => covers(key, entry));
  if (one !== undefined) {
    report(at, `${one.entry} ${one.effect}, and is frozen once that exists`, whole);
    return;
  }
  const taken = isBeginning(key)
    ? context.reserved.find(({ entry, protects }) => protects === 'identity' && overlaps(key, entry))
    : undefined;
  if (taken !== undefined)
    report(at, `${excerpt(key)} covers keys of ${taken.entry}, and such a key ${taken.effect}`, 'name each key whole');
}

/** Whether a key can be of this domain and of a reserved entry. */
function overlaps(domain: string, entry: string): boolean {
  if (isEnding(entry)) return (domain + entry.slice(entry.indexOf('/') + 1)).endsWith(entry.slice(1));
  return entry.startsWith(domain) || (isBeginning(entry) && domain.startsWith(entry));
}
