/** What explain, audit and replay found, as findings for tools. */
import type { PairAnswer } from '../connectivity/explain.ts';
import { nameOfParty, pathText } from '../connectivity/explain.ts';
import type { Layer7Says } from '../connectivity/layer7/layer7.ts';
import { intersectionOf } from '../connectivity/port-set.ts';
import { portsText, sameSet } from '../connectivity/port-text.ts';
import { refText } from '../connectivity/snapshot.ts';
import type { Picture } from '../picture/picture.ts';
import { type AuditReport, nothingChecked, olderBackstop } from '../report/audit-report.ts';
import { type AuditResult, rejectedIn } from '../report/audit-result.ts';
import type { ExplainReport } from '../report/explain-report.ts';
import type { ReplayReport } from '../report/replay-report.ts';
import type { Place } from './held-objects.ts';
import { notUnderstood, type Said } from './tool-formats.ts';

/** Of the pairs that are blocked, each that has other rules. */
export function saidByExplain(report: ExplainReport): readonly Said[] {
  const { from, to, explanations, remedies, unread, problems } = report;
  const fix = remedies.flatMap(({ says }) => says).join(' ') || 'see what blocks it with bulkhead explain';
  const blocked = explanations
    .flatMap(({ answers }) => answers)
    .filter(({ open, asked }) => asked.length === 0 || !sameSet(open, asked))
    .map((answer): Said => {
      const { object, path } = blockerOf(answer);
      const ends = `${nameOfParty(answer.from, from)} -> ${nameOfParty(answer.to, to)}`;
      const open = answer.open.length === 0 ? '' : `, and open on ${portsText(answer.open)}`;
      return {
        ...{ check: 'blocked-connection', severity: 'error', object, path, fix },
        ...{ headline: 'blocks a connection', reason: `${ends} is blocked on ${askedText(answer)}${open}` },
      };
    });
  return [...blocked, ...notUnderstood(unread, problems)];
}

function askedText({ asked }: PairAnswer): string {
  return asked.length === 0 ? 'a port of a name that the pod does not have' : portsText(asked);
}

const closes: ReadonlySet<Layer7Says> = new Set(['denies', 'demands', 'leaves out', 'allows none', 'reads no HTTP']);

/** What denies it first: the rule, or a policy that isolates. */
function blockerOf({ asked, sides, layer7 }: PairAnswer): { readonly object: string; readonly path: string } {
  for (const { decisions } of sides)
    for (const { action, step, stage } of decisions) {
      if (action !== 'deny') continue;
      if (step !== undefined) return { object: refText(step.policy.ref), path: pathText(step) };
      const [first] = stage?.closedBy ?? [];
      if (first !== undefined) return { object: refText(first.ref), path: 'spec' };
    }
  const closing = layer7?.steps.filter(
    ({ says, policy, ports }) =>
      policy !== undefined && closes.has(says) && (asked.length === 0 || intersectionOf(ports, asked).length > 0),
  );
  // What closes it for some requests alone comes second, as others would still get through.
  const step = closing?.find(({ conditions }) => conditions.length === 0) ?? closing?.[0];
  return step?.policy === undefined ? { object: '', path: '' } : { object: refText(step.policy), path: step.path };
}

const platform = '(platform)';

/** At the first of these that a file holds. */
function placed(places: readonly Place[]): Pick<Said, 'object' | 'path' | 'otherwise'> {
  const [first = { object: '', path: '' }, ...otherwise] = places;
  return { ...first, otherwise };
}

/** One that exists, as `Deployment acme-web/front`. */
const workload = (name: string): readonly Place[] =>
  /^[^\s/]+ [^\s/]+\/[^\s/]+$/.test(name) ? [{ object: name, path: '' }] : [];

export function saidByAudit(result: AuditResult): readonly Said[] {
  const { report, problems, connectivity } = result;
  const { crossings, namespaces, outside, layers, selectNothing, openNothing } = connectivity;
  const border = 'agree on a gate, list a shared service, or narrow the rules';
  return [
    ...rejectedIn(result).flatMap(({ check, names, path, fix, always, mode }) =>
      names.map(
        (object): Said => ({
          ...{ check, severity: always || mode === 'enforce' ? 'error' : 'warning', object, path, fix },
          ...{ headline: 'would be rejected', reason: 'would be rejected if it were written now' },
        }),
      ),
    ),
    ...(report === undefined ? [] : saidOfSurvey(report, connectivity)),
    ...crossings
      .filter(({ violation }) => violation !== '')
      .map(
        ({ from, to, violation, example, openedBy = [] }): Said => ({
          ...{ check: 'ungranted-crossing', severity: 'error', fix: border },
          ...placed([
            ...openedBy.map(({ policy, path }) => ({ object: policy, path })),
            ...[example.to, example.from].flatMap(workload),
          ]),
          headline: 'no grant covers a crossing',
          reason: [
            `${from} reaches ${to} on ${violation}, for example ${example.from} to ${example.to}`,
            openedBy.length === 0
              ? 'no policy isolates either for this direction'
              : `opened by ${openedBy.map(({ policy, path }) => `${policy} ${path}`).join(' and ')}`,
          ].join(', '),
        }),
      ),
    ...namespaces
      .filter(({ tenant, open }) => tenant !== platform && open.ingress + open.egress > 0)
      .map(
        ({ name, pods, open }): Said => ({
          ...{ check: 'not-isolated', severity: 'error', object: `Namespace ${name}`, path: '' },
          headline: 'has pods that no policy isolates',
          reason: `no policy isolates ${open.ingress} of ${pods} pods for ingress, and ${open.egress} for egress`,
          fix: 'add a default-deny policy for both directions',
        }),
      ),
    ...outside
      .filter(({ tenant, state }) => tenant !== platform && state === 'not granted')
      .map(
        ({ tenant, direction, addresses, ports, example }): Said => ({
          ...{ check: 'ungranted-addresses', severity: 'error', ...placed(workload(example)) },
          headline: 'no grant covers addresses outside',
          reason: `${tenant} has ${direction} open on ${ports} for ${addresses}, for example ${example}`,
          fix: 'grant the addresses in network.egress of the Tenant, or narrow the rules',
        }),
      ),
    ...layers.map(
      ({ check, object, path, reason, fix }): Said => ({
        ...{ check, severity: 'hint', object, path, reason, fix, headline: 'contradicts another layer' },
      }),
    ),
    ...selectNothing.map((object) => idle('selects-nothing', object, 'selects no pods')),
    ...openNothing.map((object) => idle('opens-nothing', object, 'opens nothing, as none of its peers exist')),
    ...notUnderstood(connectivity.unread, [...(report?.problems ?? []), ...(report?.unread ?? []), ...problems]),
  ];
}

/** What is wrong in the cluster beside objects that would be rejected. */
function saidOfSurvey(report: AuditReport, { namespaces }: Picture): readonly Said[] {
  const error = (check: string, object: string, headline: string, reason: string, fix: string): Said => ({
    ...{ check, severity: 'error', object, path: '', headline, reason, fix },
  });
  const known = new Set(namespaces.filter(({ open }) => open.ingress + open.egress > 0).map(({ name }) => name));
  return [
    ...report.cutOff
      .filter(({ namespace }) => !known.has(namespace))
      .map(({ namespace, losing, pods }) => {
        const reason = `no policy of its baseline or its own isolates ${losing} of ${pods} pods`;
        const fix = 'add policies for what the pods need before the baseline cuts it off';
        return error('not-isolated', `Namespace ${namespace}`, 'has pods that no policy isolates', reason, fix);
      }),
    ...report.planted.map((reason) => {
      const [kind = '', name = ''] = reason.split(' ', 2);
      const object = kind === 'namespace' ? `Namespace ${name}` : `${kind} ${name}`;
      return error('planted', object, 'is not what it seems', reason, 'look at it before you enforce');
    }),
    ...(report.namespaces === 0
      ? [error('nothing-checked', '', 'nothing was checked', nothingChecked(report), 'label the namespaces of tenants')]
      : []),
    ...(report.backstop === 'older' && report.scope === undefined
      ? [error('older-backstop', '', 'the backstop is older', olderBackstop, 'apply the output of bulkhead backstop')]
      : []),
  ];
}

function idle(check: string, object: string, reason: string): Said {
  const fix = 'correct the selectors, or remove the policy';
  return { check, severity: 'hint', object, path: '', headline: 'has no effect', reason, fix };
}

export function saidByReplay({ dropped, unused, unread, unreadFiles, problems }: ReplayReport): readonly Said[] {
  return [
    ...dropped.map(
      ({ from, to, port, flows, because }): Said => ({
        ...{
          check: 'dropped-flow',
          severity: 'error',
          object: '',
          path: '',
          headline: 'drops flows that were allowed',
        },
        reason: `${from} -> ${to} on ${port} would be dropped, in ${flows} flows${because === '' ? '' : `: ${because}`}`,
        fix: 'allow the flow, or accept that it ends',
      }),
    ),
    ...unused.map(
      ({ policy, path, ports, isWhole }): Said => ({
        ...{ check: 'unused-rule', severity: 'hint', object: policy, path, headline: 'has a rule that no flow used' },
        reason: isWhole ? 'no flow used the rule' : `no flow used ${ports.join(', ')}`,
        fix: 'remove what is not needed',
      }),
    ),
    ...notUnderstood(unread, [...problems, ...unreadFiles.map(({ file, reason }) => `${file} ${reason}`)]),
  ];
}
