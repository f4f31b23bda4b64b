import t from 'tap';
import { lastManagerOf } from '../../src/reconcile/field-manager.ts';

const at = (seconds: number) => `2026-11-21T00:00:0${seconds}Z`;
const own = { manager: 'bulkhead', operation: 'Apply', time: at(3) };
const rows: readonly [sentence: string, managedFields: unknown, manager: string | undefined][] = [
  ['the newest', [{ manager: 'kubectl-edit', time: at(4) }, own], 'kubectl-edit'],
  ['Bulkhead, when it was the last', [{ manager: 'kubectl-edit', time: at(2) }, own], 'bulkhead'],
  ['of one second the other', [own, { manager: 'kubectl-edit', time: at(3) }], 'kubectl-edit'],
  ['of one second the other, in any order', [{ manager: 'kubectl-edit', time: at(3) }, own], 'kubectl-edit'],
  ['not who writes the status', [{ manager: 'quota', subresource: 'status', time: at(9) }, own], 'bulkhead'],
  ['nobody where nothing is said', undefined, undefined],
  ['nobody where it makes no sense', [null, 'x', { manager: 1, time: at(1) }, { manager: 'x' }], undefined],
];
for (const [sentence, managedFields, manager] of rows)
  t.equal(lastManagerOf({ metadata: { managedFields } }), manager, sentence);
t.equal(lastManagerOf({}), undefined);
