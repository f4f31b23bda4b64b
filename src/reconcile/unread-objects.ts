/**
 * Tenant and Exemption objects while files are in force: their status says that they have no effect. They are listed every 20 seconds:
 * nothing depends on them, and the API server may not serve them at all.
 */
import { pause } from '../client/clock.ts';
import { type DecodedObject, fieldsAt } from '../client/decode.ts';
import { readPages } from '../client/paged-list.ts';
import { exemptionsPath } from '../facts/exemptions.ts';
import { tenantsPath } from '../facts/tenants.ts';
import { readyCondition } from './ready-condition.ts';
import { createStatusWriter, type StatusWriter, type StatusWriterOptions } from './status-writer.ts';

const lookEvery = 20_000;

interface UnreadObject {
  readonly uid: string;
  readonly generation: number;
  readonly status: unknown;
}

export interface UnreadObjects {
  /** From now on the cluster is written to. */
  begin(): void;
  stop(): Promise<void>;
}

export function keepUnreadObjects(options: StatusWriterOptions): UnreadObjects {
  const kinds = [keep(options, 'Tenant', tenantsPath), keep(options, 'Exemption', exemptionsPath)];
  return {
    begin() {
      for (const kind of kinds) kind.begin();
    },
    async stop() {
      await Promise.all(kinds.map((kind) => kind.stop()));
    },
  };
}

function keep(options: StatusWriterOptions, kind: 'Tenant' | 'Exemption', path: string): UnreadObjects {
  const { connection, clock } = options;
  const stopping = new AbortController();
  let objects = new Map<string, UnreadObject>();
  let looking: Promise<void> | undefined;
  const writer: StatusWriter = createStatusWriter(options, {
    kind,
    pathOf: (name) => `${path}/${name}`,
    names: () => [...objects.keys()],
    look(name, now) {
      const object = objects.get(name);
      if (object === undefined) return undefined;
      const { uid, generation, status: stored } = object;
      const plural = kind === 'Tenant' ? 'tenants' : 'exemptions';
      const message = `${plural} are read from files (--tenants), so this object has no effect`;
      const status = {
        observedGeneration: generation,
        conditions: [readyCondition(object, false, 'FilesInForce', message, now)],
      };
      return { uid, status, stored, lasts: Number.POSITIVE_INFINITY };
    },
  });

  async function look(): Promise<void> {
    while (!stopping.signal.aborted) {
      const found = new Map<string, UnreadObject>();
      const each = ({ metadata, object }: DecodedObject): void => {
        const { generation } = fieldsAt(object.metadata);
        const number = typeof generation === 'number' ? generation : 0;
        found.set(metadata.name, { uid: metadata.uid, generation: number, status: object.status });
      };
      // Not served, or not reached: there is nothing to say, and the next look asks again.
      const read = await readPages({ connection, path, clock }, each, stopping.signal);
      if (read.ok) {
        objects = found;
        writer.changed();
      }
      await pause(clock, lookEvery, stopping.signal);
    }
  }

  return {
    begin() {
      writer.begin();
      looking ??= look();
    },
    async stop() {
      stopping.abort();
      await looking;
      await writer.stop();
    },
  };
}
