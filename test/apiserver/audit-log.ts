import { readFile } from 'node:fs/promises';

/** An entry of the audit log (audit.k8s.io/v1, stage ResponseComplete or Panic), with the fields tests ask for. */
export interface AuditEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly level: string;
  readonly verb: string;
  readonly requestURI: string;
  /** When the request arrived, and when this entry was made; by the clock of the API server, in microseconds (RFC 3339). */
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string; readonly message?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
}

/**
 * Writes with all bodies; by name only reads, most of them watches of the control plane itself, and definitions of kinds, which are as
 * long as a book; no health checks.
 */
export const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: None
  nonResourceURLs: ['*']
- level: Metadata
  verbs: [get, list, watch]
- level: Metadata
  resources: [{ group: apiextensions.k8s.io }]
- level: RequestResponse
`;

/** The API server writes a line at a time; one that is still being written is left out. */
export async function readAuditLog(path: string): Promise<AuditEvent[]> {
  const text = await readFile(path, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEvent);
}
