/** How the path of the webhook is replaced, and what a registration is to name meanwhile. */
import t from 'tap';
import { newPath, nextPaths, type PathFacts, type Paths, pathIn, pathToName } from '../../src/certificates/paths.ts';

const overlap = 15 * 60_000;
const limits = { overlap, pathLifetime: 24 * 3_600_000 };
const [path, before, other] = [newPath(), newPath(), newPath()];

/** @param named by each registration, for so long */
function facts(named: ReadonlyMap<string, number>, more: Partial<PathFacts> = {}): PathFacts {
  const pathNamedFor = (one: string) => (named.size === 1 ? named.get(one) : undefined);
  return { observed: { paths: [...named.keys()], pathNamedFor }, pathKnownFor: 0, pathFound: false, ...more };
}

t.test('a path is replaced after a day, or an overlap after it was found', async (t) => {
  const only: Paths = { path, previousPaths: [] };
  const named = new Map([[path, Number.POSITIVE_INFINITY]]);
  for (const [what, more, replaced] of [
    ['just made', {}, false],
    ['almost a day old', { pathKnownFor: limits.pathLifetime - 1 }, false],
    ['a day old', { pathKnownFor: limits.pathLifetime }, true],
    ['found at the start', { pathFound: true, pathKnownFor: overlap - 1 }, false],
    ['found at the start, an overlap ago', { pathFound: true, pathKnownFor: overlap }, true],
  ] as const) {
    const next = nextPaths(only, facts(named, more), limits);
    if (!replaced) t.equal(next, undefined, what);
    else {
      t.strictSame(next?.paths.previousPaths, [path], `${what}: it is still answered`);
      t.match(next?.paths.path, /^[0-9a-f]{48}$/);
      t.not(next?.paths.path, path);
    }
  }
});

t.test('the one before is answered until nobody calls it', async (t) => {
  const both: Paths = { path, previousPaths: [before] };
  const done = { path, previousPaths: [] };
  const step = (named: ReadonlyMap<string, number>, pathKnownFor: number) =>
    nextPaths(both, facts(named, { pathKnownFor, pathFound: true }), limits)?.paths;
  t.equal(step(new Map([[before, overlap]]), overlap), undefined, 'it is named');
  t.equal(step(new Map([[path, overlap - 1]]), overlap), undefined, 'not for long enough');
  const byBoth = new Map([path, before].map((one) => [one, overlap]));
  t.equal(step(byBoth, overlap), undefined, 'not by all');
  t.equal(step(new Map([[path, overlap]]), overlap - 1), undefined, 'replicas may not have learned of it');
  t.strictSame(step(new Map([[path, overlap]]), overlap), done);
  t.strictSame(step(new Map(), overlap), done, 'nothing is registered');
  t.equal(step(new Map(), 0), undefined);
});

t.test('what API servers call is answered, whoever has written it', async (t) => {
  for (const named of ['', other])
    t.strictSame(
      nextPaths({ path, previousPaths: [before] }, facts(new Map([[named, 0]]), { pathKnownFor: overlap }), limits)
        ?.paths,
      { path, previousPaths: [named, before] },
    );
});

t.test('a registration is led from one path to the next', async (t) => {
  const both: Paths = { path, previousPaths: [before] };
  for (const [what, named, byOthers, hasPropagated, expected] of [
    ['it names nothing, and nobody does: late API servers call the one before', undefined, [], false, before],
    ['it names nothing, nobody does, and every replica knows the new one', undefined, [], true, path],
    ['it names nothing, and others the one before', undefined, [before], false, before],
    ['it names nothing, and others already the new one', undefined, [before, path], false, path],
    ['the one before, and not every replica knows the new one', before, [before], false, before],
    ['the one before, and every replica knows the new one', before, [before], true, path],
    ['the new one', path, [path], false, path],
    ['one that the Secret does not know yet', other, [other], true, other],
  ] as const)
    t.equal(pathToName(both, named, byOthers, hasPropagated), expected, what);
});

t.test('a path is read from a URL as it was written', async (t) => {
  for (const [url, expected] of [
    ['/validate', ''],
    [`/${path}/validate`, path],
    [`/${path}/mutate`, undefined],
    [`/${path}0/${path}/validate`, undefined],
    ['/elsewhere/validate', undefined],
    ['/', undefined],
    ['', undefined],
    ['x/validate', undefined],
    [`${path}/validate`, undefined],
  ] as const)
    t.equal(pathIn(url, 'validate'), expected, url);
});
