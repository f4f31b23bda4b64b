/**
 * GateRequest objects, as the watch reports them. Of each no more is kept than what it opens and its status: members of tenants write them.
 *
 * What has changed counts after 20 ms, but at most once in a second: a request that changes all the time makes nothing else wait. With
 * tens of thousands of requests it takes longer.
 */
import type { NamespaceRecord } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import { type DecodedObject, fieldsAt } from '../client/decode.ts';
import type { Handler } from '../client/list-watch.ts';
import { type Agreement, agree, keyOf, noRequests, type StoredRequest } from '../gates/agreement.ts';
import { gateRequestFile, parseGateRequest } from '../gates/parse-gate-request.ts';
import { isGiven, valueAt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import { unlined } from '../tenancy/problem.ts';
import type { Settings } from '../tenancy/settings.ts';

export const gateRequestsPath = '/apis/bulkhead.dev/v1alpha1/gaterequests';

/** A GateRequest object, as far as its status needs it. */
export interface GateRequestObject extends StoredRequest {
  readonly uid: string;
  readonly generation: number;
  /** The key of its tenant label, as the settings said when it was read. */
  readonly labelKey: string;
  readonly status: unknown;
}

export interface GateRequestObjects {
  readonly handler: Handler;
  /** Everything that exists is known: from now on requests count. Until then there are none. */
  begin(): void;
  /** The owner of a namespace is another one, or the namespace ends. */
  namespaceChanged(name: string): void;
  agree(settings: Settings, isInForce: (tenant: string) => boolean): Agreement;
  /** By `NAMESPACE/NAME`. */
  object(key: string): GateRequestObject | undefined;
  keys(): readonly string[];
  stop(): void;
}

export interface GateRequestsOptions {
  readonly clock: Clock;
  readonly tenantLabel: () => string;
  readonly lookup: (namespace: string) => NamespaceRecord | undefined;
  /** Other requests count, or one says something else. */
  readonly onRequests: () => void;
}

/** Milliseconds. */
const debounce = 20;
/** Of the time that a change takes: so that changes take a twentieth of the time at most. */
const spacing = { least: 1_000, times: 19 };

export function createGateRequests({
  clock,
  tenantLabel,
  lookup,
  onRequests,
}: GateRequestsOptions): GateRequestObjects {
  const objects = new Map<string, GateRequestObject>();
  /** How many there are, by namespace. */
  const counts = new Map<string, number>();
  let begun = false;
  let nextAt = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;

  function tell(): void {
    cancel?.();
    cancel = undefined;
    const began = clock.now();
    onRequests();
    nextAt = clock.now() + Math.max(spacing.least, spacing.times * (clock.now() - began));
  }

  function tellSoon(): void {
    if (begun) cancel ??= clock.after(Math.max(debounce, nextAt - clock.now()), tell);
  }

  function count(namespace: string, more: 1 | -1): void {
    const left = (counts.get(namespace) ?? 0) + more;
    if (left === 0) counts.delete(namespace);
    else counts.set(namespace, left);
  }

  /** Where the settings name another key, what was read by the one before says nothing. */
  function* labelledBy(key: string): Iterable<StoredRequest> {
    for (const one of objects.values()) yield one.labelKey === key ? one : { ...one, label: undefined };
  }

  return {
    handler: {
      changed(decoded) {
        const key = keyOf(decoded.metadata);
        if (!objects.has(key)) count(decoded.metadata.namespace, 1);
        objects.set(key, read(decoded, tenantLabel()));
        tellSoon();
      },
      removed(metadata) {
        if (objects.delete(keyOf(metadata))) count(metadata.namespace, -1);
        tellSoon();
      },
    },
    begin() {
      begun = true;
      tell();
    },
    namespaceChanged(name) {
      if (counts.has(name)) tellSoon();
    },
    agree(settings, isInForce) {
      if (!begun) return noRequests;
      const key = settings.tenantLabel;
      return agree(labelledBy(key), settings, (namespace) => {
        const record = lookup(namespace);
        const name = record === undefined || record.terminating ? undefined : entry(record.labels, key);
        return name !== undefined && isInForce(name) ? name : undefined;
      });
    },
    object: (key) => objects.get(key),
    keys: () => [...objects.keys()],
    stop: () => cancel?.(),
  };
}

function read({ metadata: { namespace, name, uid }, object }: DecodedObject, labelKey: string): GateRequestObject {
  const { apiVersion, kind, metadata, spec, status } = object;
  const { generation, creationTimestamp: created, deletionTimestamp } = fieldsAt(metadata);
  const label = valueAt(metadata, 'labels', labelKey);
  const document = { apiVersion, kind, metadata: { name }, spec };
  return {
    namespace,
    name,
    uid,
    generation: typeof generation === 'number' ? generation : 0,
    created: typeof created === 'string' ? created : '',
    labelKey,
    label: typeof label === 'string' ? label : undefined,
    terminating: isGiven(deletionTimestamp),
    loaded: parseGateRequest({ value: document, locate: unlined(gateRequestFile(name)) }),
    status,
  };
}
