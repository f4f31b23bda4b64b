/** A range of addresses as every kind of policy writes it. */
import type { FieldPath } from '../../kubernetes/field-path.ts';
import { type IpRange, parseCidr } from '../../kubernetes/ip-range.ts';
import { excerpt } from '../../kubernetes/json.ts';
import { type Diagnostic, type DiagnosticScope, invalid } from '../model.ts';

/** With a prefix length. */
export function readRange(text: unknown, path: FieldPath, scope: DiagnosticScope): IpRange | Diagnostic {
  if (typeof text !== 'string')
    return invalid(scope, path, `${excerpt(text)} is not an IP range`, 'write text such as 203.0.113.0/24');
  const range = parseCidr(text);
  if (range.ok) return range.value;
  return invalid(scope, path, range.reason, `write ${range.fix ?? 'a range such as 203.0.113.0/24'}`);
}

/** A range, or one address in its own spelling, which is a range of one. */
export function readRangeOrAddress(text: unknown, path: FieldPath, scope: DiagnosticScope): IpRange | Diagnostic {
  const single = typeof text === 'string' && !text.includes('/') ? parseCidr(text) : undefined;
  const isOne = single?.ok === false && single.fix?.slice(0, single.fix.lastIndexOf('/')) === text;
  return readRange(isOne ? single.fix : text, path, scope);
}
