/** Says whether two ends reach each other, which rules decide that on each side, and what would have to change. */
import { printable } from '../admission/message.ts';
import { findEnd, parseAsked, portsAt, type Unknown } from '../connectivity/endpoints.ts';
import { explain } from '../connectivity/explain.ts';
import { createLayer7 } from '../connectivity/layer7/layer7.ts';
import { narrowed } from '../connectivity/narrowed.ts';
import { createParties } from '../connectivity/parties.ts';
import { sameSet } from '../connectivity/port-text.ts';
import { readingsOf } from '../connectivity/readings.ts';
import { createUnread } from '../connectivity/unread.ts';
import { createWorld } from '../connectivity/world.ts';
import { type ExplainReport, explainDocument, explainText, isUnderstood, worstOf } from '../report/explain-report.ts';
import { CannotStart } from './cannot-start.ts';
import { defineCommand } from './command.ts';
import { remediesFor } from './explain-remedy.ts';
import { Misuse } from './misuse.ts';
import { oneOf } from './options.ts';
import { saidByExplain } from './said-findings.ts';
import { namespaceOption } from './scope.ts';
import { loadSnapshot, snapshotOptions } from './snapshot-source.ts';
import { printedSaid, type SaidBy, toolFormats } from './tool-formats.ts';

const formats = ['table', 'wide', 'json', 'yaml', ...toolFormats, 'html'] as const;

// The two ends are the scope.
const { 'all-namespaces': _, selector: __, ...options } = snapshotOptions;

export const command = defineCommand({
  summary: 'say whether one workload reaches another, and which rules decide it',
  details:
    'An end is NAMESPACE/NAME of a workload, pod or Service, KIND/NAMESPACE/NAME, namespace/NAME, tenant/NAME, an address, a range, ' +
    'a DNS name, also NAME.NAMESPACE.svc of a Service, internet or node. A port may follow the second end: :5432, :53/UDP, :http. ' +
    'Ends with 0 when the connection is open, and with 1 when any of it is blocked. ' +
    'Ends with 2 when an end is not found, or when the answer holds only as far as the policies are understood.',
  operands: { name: 'ENDS', help: 'FROM TO[:PORT]: who connects, to whom, and on which port' },
  options: {
    ...options,
    namespace: namespaceOption('take objects and names without a namespace as in this one', 'default'),
    output: { ...oneOf('FORMAT', formats, 'print the answer in this format', 'table'), short: 'o' },
  },
  async run(values, surroundings, operands) {
    const [first, second, third] = operands;
    if (first === undefined || second === undefined || third !== undefined)
      throw new Misuse('explain takes two ends, as in: explain acme-web/front beta-db/db:5432');
    const asked = known(parseAsked(second));
    const { snapshot, tenancy, problems, written } = await loadSnapshot('explain', values, surroundings);
    const namespace = values.namespace ?? 'default';
    const source = known(parseAsked(first));
    const near = narrowed(snapshot, [source.end, asked.end], namespace, tenancy);
    const parties = createParties(near.namespaces, near.workloads, tenancy);
    const from = known(findEnd(source.end, namespace, snapshot, parties, tenancy.settings), problems);
    const to = known(findEnd(asked.end, namespace, snapshot, parties, tenancy.settings), problems);
    const portOf = asked.port === undefined ? undefined : known(portsAt(asked.port, to));
    const readings = readingsOf(tenancy.settings.plugin, snapshot.policies);
    const worlds = readings.map((reading) => createWorld(near, parties, tenancy.settings, reading));
    const layer7Of = createLayer7(snapshot, tenancy.settings);
    const explanations = worlds.map((world) => explain(world, from, to, portOf, layer7Of));
    if (explanations.every(({ answers }) => answers.length === 0))
      throw new CannotStart(
        `${printable(from.name)} is one pod, and no policy decides about a pod with itself: name another end`,
        2,
      );
    // Without a port there is no telling which is wanted, and a policy for all of them is never a good one.
    const blocked =
      portOf && explanations.flatMap(({ answers }) => answers).find(({ open, asked }) => !sameSet(open, asked));
    const unreadAbout = createUnread(snapshot, parties, tenancy.settings, readings);
    const context = { snapshot, worlds, tenancy, now: Date.now() };
    const report = {
      from,
      to,
      port: asked.port === undefined ? '' : `${asked.port.port}/${asked.port.protocol}`,
      explanations,
      remedies: blocked === undefined ? [] : remediesFor(blocked, from, to, context),
      notes: [
        ...(portOf === undefined ? ['give a port, such as :443, to see what would open it'] : []),
        ...from.notes,
        ...to.notes,
      ],
      unread: unreadAbout({ from: from.parties, to: to.parties }),
      problems,
    };
    const by = { command: 'explain', written, settings: tenancy.settings };
    for (const line of printed(report, values.output, by)) surroundings.print(line);
    if (!isUnderstood(report)) return 2;
    return worstOf(explanations) === 'open' ? 0 : 1;
  },
});

function printed(report: ExplainReport, format: (typeof formats)[number], by: SaidBy): readonly string[] {
  switch (format) {
    case 'table':
    case 'wide':
      return explainText(report, format === 'wide').map(printable);
    case 'json':
    case 'yaml':
      return [explainDocument(report, format)];
    default:
      return printedSaid(format, saidByExplain(report), by);
  }
}

/**
 * @param problems what could not be read: it may be why something is not found
 * @throws CannotStart with code 2
 */
function known<Value extends object>(found: Value | Unknown, problems: readonly string[] = []): Value {
  if ('unknown' in found) throw new CannotStart([printable(found.unknown), ...problems].join('\n'), 2);
  return found;
}
