/**
 * An object that is not sent yet, such as one of a file: as the API server would have it judged. It asks twice, as the API server does:
 * what the mutating webhook adds is not missing to the validating one.
 */
import { type Judged, judge } from '../checks/judge.ts';
import type { ReviewedResource } from '../kinds/kind-of-object.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import { entry, type KubernetesObject, namespaceNameLabel, type StringMap } from '../kubernetes/objects.ts';
import { type UserInfo, unaffiliatedUser } from '../kubernetes/user.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Decoded, decode } from './decode.ts';
import { gather } from './gather.ts';
import { intentsOf } from './intents.ts';
import { FactsUnavailable, type Sources } from './live-facts.ts';
import { applyIntents } from './patch.ts';

/** Who writes it. `member`: a member of the tenant that owns the namespace; where there is none, an unaffiliated user. */
export type Author = UserInfo | 'member' | 'platform';

export interface Written {
  readonly resource: ReviewedResource;
  readonly object: JsonMap;
  /** Of the request; empty for what is cluster-scoped. */
  readonly namespace: string;
  readonly author: Author;
  /** Of a namespace that is there already, which is updated: its labels. */
  readonly storedLabels?: StringMap | undefined;
}

/** `refused`: why there is no judgement; the request would be denied. */
export type WrittenVerdict =
  | { readonly refused: string; readonly retry: boolean }
  | {
      readonly refused: undefined;
      readonly owner: Owner;
      /** In catalogue order, those that exemptions cover too. */
      readonly judged: readonly Judged[];
      /** The object as it would be stored. */
      readonly object: KubernetesObject;
    };

export async function judgeWritten(written: Written, sources: Sources): Promise<WrittenVerdict> {
  const asked = asAuthor(written, sources);
  try {
    const sent = decodeWritten(written);
    if (!sent.ok) return { refused: sent.reason, retry: false };
    applyIntents(sent.request.object, intentsOf(await gather(sent.request, { ...asked, mutating: true })).all);
    const completed = decode(reviewOf(written, completedBy(written, sent.request.object)));
    if (!completed.ok) return { refused: completed.reason, retry: false };
    const gathered = await gather(completed.request, asked);
    return {
      refused: undefined,
      owner: gathered.facts.owner,
      judged: judge(gathered),
      object: completed.request.object,
    };
  } catch (error) {
    if (error instanceof FactsUnavailable) return { refused: error.message, retry: true };
    const name = error instanceof Error ? error.name : 'an error';
    return {
      refused: `Bulkhead failed on this object (${name}), and what is not understood is not admitted`,
      retry: false,
    };
  }
}

/** As the webhook would read it, or why it would not. */
export function decodeWritten(written: Written): Decoded {
  return decode(reviewOf(written, written.object));
}

/** The tenant whose member `member` stands for. */
function tenantOf({ resource, object, namespace, storedLabels }: Written, sources: Sources): Owner | undefined {
  const { tenancy, namespaces } = sources;
  if (resource.family !== 'namespace') {
    const record = namespaces.lookup(namespace);
    return record && tenancy.ownerByLabels(record.labels);
  }
  if (storedLabels !== undefined) return tenancy.ownerByLabels(storedLabels);
  const { name, generateName, labels } = metadataOf(object);
  const label: unknown = entry(labels, tenancy.settings.tenantLabel);
  if (typeof label === 'string') return tenancy.tenants.get(label);
  return tenancy.reservation(String(name || generateName || ''));
}

function asAuthor(written: Written, sources: Sources): Sources {
  const { author } = written;
  if (author === 'platform') return { ...sources, tenancy: asPlatform(sources.tenancy) };
  if (author !== 'member') return sources;
  const owner = tenantOf(written, sources);
  return owner === undefined || owner === 'platform'
    ? sources
    : { ...sources, tenancy: asMemberOf(owner, sources.tenancy) };
}

function asMemberOf(tenant: Tenant, tenancy: Tenancy): Tenancy {
  return asAuthorOf({ username: '', platform: false, tenants: [tenant] }, tenancy);
}

function asPlatform(tenancy: Tenancy): Tenancy {
  return asAuthorOf({ username: '', platform: true, tenants: [] }, tenancy);
}

/** The author alone has no name and no group. Checks also ask whom others act for, such as the subjects of a RoleBinding. */
function asAuthorOf(author: Requester, tenancy: Tenancy): Tenancy {
  const isAuthor = ({ username, groups }: UserInfo) => username === '' && groups.length === 0;
  return { ...tenancy, requester: (user, home) => (isAuthor(user) ? author : tenancy.requester(user, home)) };
}

function reviewOf({ resource, namespace, author, storedLabels }: Written, object: object): Buffer {
  const { group, version, kind } = resource;
  const { name, generateName } = metadataOf(object);
  const called = typeof name === 'string' && !isGenerated(name, generateName) ? name : '';
  const stored = { apiVersion: 'v1', kind, metadata: { name, labels: storedLabels } };
  const request = {
    uid: 'lint',
    kind: { group, version, kind },
    resource: { group, version, resource: resource.resource },
    name: called,
    namespace: resource.family === 'namespace' ? called : namespace,
    operation: storedLabels === undefined ? 'CREATE' : 'UPDATE',
    userInfo: author === 'member' || author === 'platform' ? unaffiliatedUser : author,
    object,
    oldObject: storedLabels === undefined ? null : stored,
    dryRun: true,
  };
  return Buffer.from(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }));
}

/** What the API server puts behind `generateName`: a request keeps its empty name. */
const generated = 'x7k2p';

function isGenerated(name: unknown, generateName: unknown): boolean {
  return typeof generateName === 'string' && generateName !== '' && name === `${generateName}${generated}`;
}

/** What the API server does between the two webhooks: it makes the name, and sets the name label of a Namespace. */
function completedBy({ resource, storedLabels }: Written, object: KubernetesObject): KubernetesObject {
  const { name, generateName = '', labels } = object.metadata ?? {};
  const full = name || (generateName && `${generateName}${generated}`);
  if (!full) return object;
  const named =
    resource.family === 'namespace' ? { labels: { ...storedLabels, ...labels, [namespaceNameLabel]: full } } : {};
  return { ...object, metadata: { ...object.metadata, name: full, ...named } };
}

function metadataOf(object: object): { name?: unknown; generateName?: unknown; labels?: StringMap } {
  const metadata: unknown = Reflect.get(object, 'metadata');
  return typeof metadata === 'object' && metadata !== null ? metadata : {};
}
