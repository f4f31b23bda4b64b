import t from 'tap';
import { type Budget, compareWithBudget, readBudget } from './budget.ts';

t.test('the budget is kept, or it is said by which request it is not', async (t) => {
  const written = await readBudget();
  const times = (factor: number): Budget => ({
    ...written,
    instructions: Object.fromEntries(Object.entries(written.instructions).map(([name, one]) => [name, one * factor])),
  });
  t.equal(compareWithBudget(written, written).kept, true);
  t.equal(compareWithBudget(times(1.019), written).kept, true, 'what one run differs from another');
  const dearer = compareWithBudget(times(1.021), written);
  t.equal(dearer.kept, false, 'more than two hundredths above');
  t.match(dearer.lines, [/^Pod mutate, 8 KB .*\+2\.10 % .*: BROKEN$/, /^NetworkPolicy validate, 2 KB .*: BROKEN$/]);
  const cheaper = compareWithBudget(times(0.9), written);
  t.equal(cheaper.kept, true);
  t.match(cheaper.lines[0], /kept; cheaper: npm run bench -- --update$/, 'what is gained is to be written down');
  t.equal(compareWithBudget(times(3), times(3)).kept, false, 'the bound holds, whatever was written down');
  t.equal(compareWithBudget(written, { ...written, instructions: {} }).kept, false, 'what is missing is not kept');
  t.equal(compareWithBudget(written, { ...written, node: '1.0.0' }).kept, false, 'nor what another Node counted');
  const elsewhere = { ...written, architecture: 'other' };
  t.equal(compareWithBudget(times(1.2), elsewhere).kept, true, 'on another architecture only the bounds count');
});
