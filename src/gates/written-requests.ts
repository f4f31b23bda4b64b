/** GateRequests in files, judged as if all of them were stored: by what the webhook and the status of stored ones judge them. */
import { valueAt } from '../kubernetes/json.ts';
import type { GateRequest } from '../tenancy/gate-request.ts';
import { inReadingOrder, type Loaded, type Located, type Problem, problemAt } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { type Agreement, agree, keyOf, type StoredRequest } from './agreement.ts';
import { beyond, type Flaw, undeclared, unreadRequests } from './beyond.ts';
import { doubtsAbout } from './doubt.ts';
import { parseGateRequest } from './parse-gate-request.ts';
import { voidTexts } from './void-text.ts';

export interface WrittenRequest {
  readonly document: Located<unknown>;
  readonly loaded: Loaded<GateRequest>;
}

export function readRequest(document: Located<unknown>): WrittenRequest {
  return { document, loaded: parseGateRequest(document) };
}

/**
 * What is doubtful about requests that can be read. The owner of a namespace is whom its name is reserved to; of another name, whom the
 * tenant label of a request names.
 *
 * @param areRead whether the tenants are objects, too: otherwise no request is read
 * @param now milliseconds since the epoch
 */
export function doubtsAboutWritten(
  written: readonly WrittenRequest[],
  tenancy: Tenancy,
  areRead: boolean,
  now: number,
): readonly Problem[] {
  const { settings } = tenancy;
  const unread = unreadRequests(settings.gates, areRead);
  const located = ({ locate }: Located<unknown>, { steps, reason, fix }: Flaw): Problem =>
    problemAt(locate, steps, reason, fix);
  if (unread !== undefined) return written.map(({ document }) => located(document, unread));
  const requests = written.map(({ document, loaded }) => ({ document, stored: storedAs(document, loaded, tenancy) }));
  const byLabel = new Map<string, string>();
  for (const { stored } of requests)
    if (stored.label !== undefined && !byLabel.has(stored.namespace)) byLabel.set(stored.namespace, stored.label);
  const tenantOf = (namespace: string): string | undefined => {
    const owner = tenancy.reservation(namespace);
    const name = owner === undefined ? byLabel.get(namespace) : owner === 'platform' ? undefined : owner.name;
    return name === undefined ? undefined : tenancy.tenants.get(name)?.name;
  };
  const agreement = agree(
    // The mutating webhook writes the label where there is none.
    requests.map(({ stored }) => ({ ...stored, label: stored.label ?? tenantOf(stored.namespace) })),
    settings,
    tenantOf,
  );
  return inReadingOrder(
    requests.flatMap(({ document, stored }) =>
      flawsOf(stored, tenantOf(stored.namespace), agreement, tenancy, now).map((flaw) => located(document, flaw)),
    ),
  );
}

/** The oldest come first among stored ones; here, those that are first by name. */
function storedAs({ value }: Located<unknown>, loaded: Loaded<GateRequest>, { settings }: Tenancy): StoredRequest {
  const [namespace, name] = [valueAt(value, 'metadata', 'namespace'), valueAt(value, 'metadata', 'name')];
  const label = valueAt(value, 'metadata', 'labels', settings.tenantLabel);
  return {
    namespace: typeof namespace === 'string' ? namespace : '',
    name: typeof name === 'string' ? name : '',
    ...{ created: '', label: typeof label === 'string' ? label : undefined, terminating: false, loaded },
  };
}

function flawsOf(
  stored: StoredRequest,
  from: string | undefined,
  { outcomes, requests }: Agreement,
  tenancy: Tenancy,
  now: number,
): readonly Flaw[] {
  const { settings, tenants } = tenancy;
  const half = outcomes.get(keyOf(stored));
  if (from === undefined || half === 'NoTenant')
    return [
      {
        steps: ['metadata', 'namespace'],
        reason: 'is reserved to no declared tenant, so the request acts for none here',
        fix: `write it in a namespace of a tenant, or name the tenant in the label ${settings.tenantLabel}`,
      },
    ];
  if (half === 'OtherTenant')
    return [{ steps: ['metadata', 'labels', settings.tenantLabel], ...voided(voidTexts.OtherTenant) }];
  if (!stored.loaded.ok) return [];
  const { tenant } = stored.loaded.value;
  const flaws = [...beyond(stored.loaded.value, from, settings), ...undeclared(tenant, [...tenants.keys()])];
  if (half === 'TooMany') return [...flaws, { steps: ['metadata', 'name'], ...voided(voidTexts.TooMany) }];
  const isHalf = half !== undefined && typeof half !== 'string';
  // Of a tenant that is not declared there is no request, and that is said.
  return isHalf && tenants.has(tenant) ? [...flaws, ...doubtsAbout(half, requests, now)] : flaws;
}

/** What is to be done stands behind a semicolon, where there is something to do. */
function voided(text: string): Pick<Flaw, 'reason' | 'fix'> {
  const [reason = text, fix = ''] = text.split('; ');
  return { reason, fix };
}
