/** `bulkhead audit --write-reports`: the reports of namespaces as objects of a cluster, of which only those that change are written. */
import { isDeepStrictEqual } from 'node:util';
import type { Fields } from '../client/decode.ts';
import { describe, type Failure } from '../client/failure.ts';
import { type RequestingReader, Unreadable } from '../facts/cluster-reader.ts';
import { valueAt } from '../kubernetes/json.ts';
import { type Report, reportLabel, reportName } from '../report/open-reports.ts';
import { CannotStart } from './cannot-start.ts';

const api = '/apis/openreports.io/v1alpha1';
const never = new AbortController().signal;
const atOnce = 8;

export interface Written {
  readonly written: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** What the API server said of those that could not be written. */
  readonly failed: readonly string[];
}

/** @throws CannotStart where the kind is not served or may not be listed */
export async function writeReports(reader: RequestingReader, reports: readonly Report[]): Promise<Written> {
  const stored = await storedReports(reader);
  const changed = reports.filter((one) => !isSame(one, stored.get(one.metadata.namespace)));
  const wanted = new Set(reports.map(({ metadata }) => metadata.namespace));
  const gone = [...stored.keys()].filter((namespace) => !wanted.has(namespace));
  const failed: string[] = [];
  const said = (namespace: string, answer: { readonly ok: true } | Failure): void => {
    // The namespace is gone, or going.
    if (!answer.ok && answer.status !== 404 && !answer.causes.includes('NamespaceTerminating'))
      failed.push(`the report of ${namespace}: ${describe(answer)}`);
  };
  await inTurns(changed, async (report) => {
    const { namespace } = report.metadata;
    const query = `fieldManager=${reportName}&force=true`;
    const contentType = 'application/apply-patch+yaml';
    const options = { body: report, contentType, signal: never };
    said(namespace, await reader.connection.request('PATCH', `${pathOf(namespace)}?${query}`, options));
  });
  await inTurns(gone, async (namespace) =>
    said(namespace, await reader.connection.request('DELETE', pathOf(namespace), { signal: never })),
  );
  return {
    ...{ written: changed.length, unchanged: reports.length - changed.length, deleted: gone.length },
    failed,
  };
}

const pathOf = (namespace: string) => `${api}/namespaces/${namespace}/reports/${reportName}`;

async function storedReports(reader: RequestingReader): Promise<ReadonlyMap<string, Fields>> {
  const stored = new Map<string, Fields>();
  try {
    await reader.each(`${api}/reports`, ({ metadata: { name, namespace }, object }) => {
      if (name === reportName && valueAt(object, 'metadata', 'labels', reportLabel) === reportName)
        stored.set(namespace, object);
    });
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    throw new CannotStart(
      `${error.message}. --write-reports needs the CustomResourceDefinition reports.openreports.io, and the rights of manifests/components/reports`,
    );
  }
  return stored;
}

/** What others add, such as annotations, is left alone. */
function isSame(report: Report, stored: Fields | undefined): boolean {
  return (
    stored !== undefined &&
    (['source', 'scope', 'summary', 'results'] as const).every((field) =>
      isDeepStrictEqual(JSON.parse(JSON.stringify(report[field])), valueAt(stored, field)),
    )
  );
}

async function inTurns<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
