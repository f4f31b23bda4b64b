/** Observed flows against policies: what would be dropped that was allowed, and what no flow has used. */
import { printable } from '../admission/message.ts';
import { type FlowReader, readerOf } from '../connectivity/flow.ts';
import { createReplay, type Replay } from '../connectivity/replay.ts';
import {
  type BrokenLine,
  isComplete,
  type ReplayReport,
  replayJson,
  replayTable,
  replayYaml,
  type UnreadFile,
} from '../report/replay-report.ts';
import { CannotStart } from './cannot-start.ts';
import { defineCommand, type Surroundings } from './command.ts';
import { chunksOf, flowLines } from './flow-stream.ts';
import { Misuse } from './misuse.ts';
import { oneOf } from './options.ts';
import { saidByReplay } from './said-findings.ts';
import { scopeOf } from './scope.ts';
import { loadSnapshot, snapshotOptions } from './snapshot-source.ts';
import { printedSaid, type SaidBy, toolFormats } from './tool-formats.ts';

const formats = ['table', 'wide', 'json', 'yaml', ...toolFormats, 'html'] as const;
const brokenShown = 10;
/** So many lines are looked at for a format. */
const mostProbed = 100;
const noFormat =
  'has no known format; write flows with hubble observe -o json, take flow logs of Calico, or give CSV a header with source, destination and port';
const noFlow = 'has no line that can be read as a flow';
const linesBetweenProgress = 20_000;

export const command = defineCommand({
  summary: 'report which observed flows policies would drop, and which rules no flow has used',
  details:
    'Reads flows of Hubble (hubble observe -o json), flow logs of Calico, and CSV with a header. ' +
    'Ends with 1 when a flow that was allowed would be dropped. ' +
    'Ends with 2 when a file of flows has no format that is known, or when policies about the flows are not read or not understood.',
  operands: { name: 'FLOWS', help: 'files of flows, one flow a line; - is the standard input' },
  options: {
    ...snapshotOptions,
    output: {
      ...oneOf('FORMAT', formats, 'print the report in this format', 'table'),
      short: 'o',
    },
  },
  async run(values, surroundings, operands) {
    if (operands.length === 0) throw new Misuse('give files of flows, or - for the standard input');
    if (operands.includes('-') && values.filename.includes('-'))
      throw new Misuse('the standard input is either flows or objects');
    const scope = scopeOf(values);
    const { snapshot, tenancy, problems, written } = await loadSnapshot('replay', values, surroundings, scope);
    scope?.require(problems);
    // A policy of a file that cannot be read may decide about any flow.
    if (values.filename.length + values.kustomize.length > 0 && problems.length > 0)
      throw new CannotStart(problems.join('\n'), 2);
    const replay = createReplay(snapshot, tenancy, scope);
    const read: Counts = { other: 0, lines: 0, examples: [], files: [] };
    for (const path of operands) await readAll(path, replay, read, surroundings);
    surroundings.progress?.('');
    const replayed = replay.result();
    if (replayed.flows + read.other === 0) {
      const [first] = read.examples;
      const why = first === undefined ? 'there is none' : `${first.file}:${first.line}: the line ${first.reason}`;
      throw new CannotStart(`no flow could be read: ${why}`, 2);
    }
    const { other, lines, examples, files } = read;
    const ofScope = scope === undefined ? {} : { scope: scope.text };
    const report = printed({
      ...{ ...ofScope, ...replayed, other, broken: { lines, examples }, unreadFiles: files, problems },
    });
    const by = { command: 'replay', written, settings: tenancy.settings };
    for (const line of printedAs(report, values.output, by)) surroundings.print(line);
    if (!isComplete(report)) return 2;
    return report.dropped.length > 0 ? 1 : 0;
  },
});

function printedAs(report: ReplayReport, format: (typeof formats)[number], by: SaidBy): readonly string[] {
  switch (format) {
    case 'table':
    case 'wide':
      return replayTable(report);
    case 'json':
      return [replayJson(report)];
    case 'yaml':
      return [replayYaml(report)];
    default:
      return printedSaid(format, saidByReplay(report), by);
  }
}

interface Counts {
  other: number;
  lines: number;
  readonly examples: BrokenLine[];
  readonly files: UnreadFile[];
}

async function readAll(path: string, replay: Replay, counts: Counts, surroundings: Surroundings): Promise<void> {
  const file = path === '-' ? '<stdin>' : path;
  const broken = (line: number, reason: string): void => {
    counts.lines++;
    if (counts.examples.length < brokenShown) counts.examples.push({ file, line, reason });
  };
  let reader: FlowReader | undefined;
  const counted = { understood: 0, probed: 0, broken: counts.lines };
  try {
    for await (const { number, text } of flowLines(path === '-' ? (surroundings.input ?? none()) : chunksOf(path))) {
      if (number % linesBetweenProgress === 0) surroundings.progress?.(`${file}: ${number} lines`);
      if (text === undefined) {
        broken(number, 'has more than 1 MiB');
        continue;
      }
      const line = text.trim();
      if (line === '') continue;
      if (reader === undefined) {
        const found = readerOf(line);
        if (found === undefined) {
          broken(number, 'is neither JSON nor a header of CSV with source, destination and port');
          // The first line may be the rest of a line that a rotation of the log has cut.
          if (++counted.probed < mostProbed) continue;
          break;
        }
        reader = found.reader;
        if (found.isHeader) continue;
      }
      const one = reader(line);
      if (one.kind === 'broken') broken(number, one.reason);
      else {
        counted.understood++;
        if (one.kind === 'flow') replay.add(one.flow);
        else counts.other++;
      }
    }
    if (counted.understood === 0 && counts.lines > counted.broken)
      counts.files.push({ file, reason: reader === undefined ? noFormat : noFlow });
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw new CannotStart(`${path}: ${error.message}`, 2);
    throw error;
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** Names of flows are anything. */
function printed(report: ReplayReport): ReplayReport {
  const line = (one: ReplayReport['dropped'][number]) => ({
    ...one,
    from: printable(one.from),
    to: printable(one.to),
    because: printable(one.because),
  });
  return {
    ...report,
    dropped: report.dropped.map(line),
    opened: report.opened.map(line),
    unused: report.unused.map((one) => ({ ...one, policy: printable(one.policy), ports: one.ports.map(printable) })),
    unread: report.unread.map(({ policy, field, reason }) => ({
      ...{ policy: printable(policy), field: printable(field), reason: printable(reason) },
    })),
    unreadFiles: report.unreadFiles.map(({ file, reason }) => ({ file: printable(file), reason })),
    unknown: { ...report.unknown, ends: report.unknown.ends.map((end) => printable(end).slice(0, 200)) },
    broken: {
      ...report.broken,
      examples: report.broken.examples.map((one) => ({
        ...one,
        file: printable(one.file),
        reason: printable(one.reason),
      })),
    },
  };
}
