/** Contradictions between layers as warnings: what, where, the other side and the fix. */
import type { Skipped } from './beside.ts';
import type { Compared } from './layers.ts';
import { clip, fixCharacters, printable, warningCharacters } from './message.ts';

/** Two lines each: the API server drops warnings beyond 4 KiB, and other warnings come before these. */
const mostShown = 3;

/** Those at the written policy first. */
export function layerTexts({ findings, object: written }: Compared): readonly string[] {
  const ordered = findings.toSorted((one, other) => Number(other.object === written) - Number(one.object === written));
  const lines = ordered.slice(0, mostShown).flatMap(({ check, object, path, reason, other, fix }) => {
    const place = object === written ? path : `${object} ${path}`;
    const found = printable(`${check}: ${place} ${reason}`);
    const remedy = printable(`${check}: fix: ${fix}; other side: ${other}`);
    return [clip(found, found.length + remedy.length > fixCharacters ? warningCharacters : found.length), remedy];
  });
  const left = findings.length - mostShown;
  return [
    ...lines.map((line) => clip(line, fixCharacters)),
    ...(left > 0 ? [`not shown: ${left} of ${findings.length} contradictions; bulkhead audit lists all`] : []),
  ];
}

/** What passes by itself is in the audit log and the metrics alone: an API server that is slow is not its users' to mend. */
export function skippedTexts(skipped: Skipped): readonly string[] {
  if (skipped !== 'large') return [];
  return ['layers: not compared with the other policies of the namespace, as it holds too many; ask bulkhead audit'];
}
