/**
 * Exemption objects, as the watch reports them, by the names of their namespaces. One that cannot be read, or is being deleted,
 * exempts nothing; no version before stands in for it.
 */
import type { Clock } from '../client/clock.ts';
import { type DecodedObject, fieldsAt } from '../client/decode.ts';
import type { Handler } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import { byNamespace } from '../exemptions/load-exemptions.ts';
import { exemptionFile, parseExemption } from '../exemptions/parse-exemption.ts';
import { isGiven } from '../kubernetes/json.ts';
import type { Exemption, Exemptions } from '../tenancy/exemption.ts';
import { formatProblem, type Loaded, unlined } from '../tenancy/problem.ts';

export const exemptionsPath = '/apis/bulkhead.dev/v1alpha1/exemptions';

/** An Exemption object, as far as its status needs it. */
export interface ExemptionObject {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** It has a deletionTimestamp: a finalizer holds it. */
  readonly terminating: boolean;
  readonly loaded: Loaded<Exemption>;
  readonly status: unknown;
}

export interface ExemptionObjects {
  readonly handler: Handler;
  /** Everything that exists is known: from now on exemptions are in force. Until then there are none. */
  begin(): void;
  object(name: string): ExemptionObject | undefined;
  objects(): readonly ExemptionObject[];
  stop(): void;
}

export interface ExemptionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** These are in force from now on; the newest version of so many objects cannot be read. */
  readonly onExemptions: (exemptions: Exemptions, refused: number) => void;
}

/** Objects that are applied together arrive within milliseconds of each other. */
const debounce = 20;

export function createExemptions({ clock, log, onExemptions }: ExemptionsOptions): ExemptionObjects {
  const objects = new Map<string, ExemptionObject>();
  /** Texts that are logged already and still hold. */
  let logged = new Set<string>();
  let begun = false;
  let cancel: (() => void) | undefined;

  function resolve(): void {
    cancel?.();
    cancel = undefined;
    const all = [...objects.values()];
    const refused = all.flatMap(({ loaded }) => (loaded.ok ? [] : [loaded.problems.map(formatProblem)]));
    const texts = new Set(refused.flat());
    for (const text of texts) if (!logged.has(text)) log.error({}, `${text}; the exemption is not in force`);
    logged = texts;
    const inForce = all.flatMap(({ loaded, terminating }) => (loaded.ok && !terminating ? [loaded.value] : []));
    onExemptions(byNamespace(inForce), refused.length);
  }

  function resolveSoon(): void {
    if (begun) cancel ??= clock.after(debounce, resolve);
  }

  return {
    handler: {
      changed(decoded) {
        objects.set(decoded.metadata.name, read(decoded));
        resolveSoon();
      },
      removed({ name }) {
        objects.delete(name);
        resolveSoon();
      },
    },
    begin() {
      begun = true;
      resolve();
    },
    object: (name) => objects.get(name),
    objects: () => [...objects.values()],
    stop: () => cancel?.(),
  };
}

function read({ metadata: { name, uid }, object }: DecodedObject): ExemptionObject {
  const { apiVersion, kind, metadata, spec, status } = object;
  const { generation, deletionTimestamp } = fieldsAt(metadata);
  return {
    name,
    uid,
    generation: typeof generation === 'number' ? generation : 0,
    terminating: isGiven(deletionTimestamp),
    loaded: parseExemption({ value: { apiVersion, kind, metadata, spec }, locate: unlined(exemptionFile(name)) }),
    status,
  };
}
