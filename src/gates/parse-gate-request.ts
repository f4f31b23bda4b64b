import type { GateRequest } from '../tenancy/gate-request.ts';
import { parsePorts } from '../tenancy/parse-network.ts';
import { parseTime } from '../tenancy/parse-time.ts';
import { inReadingOrder, type Loaded, type Located, type Problem, reportInto } from '../tenancy/problem.ts';
import { checkDocumentBy } from '../tenancy/schema/check-document.ts';
import { type GateRequestDocument, gateRequestSchema } from './gate-request-schema.ts';

const checkDocument = checkDocumentBy<GateRequestDocument>(gateRequestSchema);

/** What a problem of a GateRequest names as its file: what kubectl takes. */
export function gateRequestFile(name: string): string {
  return `gaterequests.bulkhead.dev/${name}`;
}

/** Reads one `GateRequest` document. Only what the document says by itself is judged; agreement.ts looks at the rest. */
export function parseGateRequest(document: Located<unknown>): Loaded<GateRequest> {
  const checked = checkDocument(document);
  if (!checked.ok) return checked;
  const { tenant, direction, ports, expires } = checked.value.value.spec;
  const problems: Problem[] = [];
  const report = reportInto(problems, document.locate);
  const read = parsePorts(ports, ['spec', 'ports'], report);
  const end = parseTime(expires);
  if (!end.ok) report(['spec', 'expires'], end.reason, end.fix);
  const value: GateRequest = { tenant, direction, ports: read, expires: end.ok ? end.value : 0 };
  return problems.length === 0 ? { ok: true, value, warnings: [] } : { ok: false, problems: inReadingOrder(problems) };
}
