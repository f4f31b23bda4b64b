/** Patterns of DNS names, held against regular expressions as Cilium makes them of a pattern. */
import fc from 'fast-check';
import t from 'tap';
import { containsPattern, type DnsPattern, isNarrowName, parsePattern } from '../../src/kubernetes/dns-pattern.ts';

/** pkg/fqdn/matchpattern, ToAnchoredRegexp. */
function matcherOf(pattern: string): RegExp {
  const text = pattern.toLowerCase();
  if (/^[*]+[.]?$/.test(text)) return /^([-a-z0-9_]+[.])+$/;
  const full = text.endsWith('.') ? text : `${text}.`;
  const escaped = full
    .replaceAll('.', '[.]')
    .replace(/^[*]{2,}\[\.\]/, '(C+([.]C+)*)[.]')
    .replaceAll(/(?<![)C])[*]+/g, 'C*')
    .replaceAll('C', '[-a-z0-9_]');
  return new RegExp(`^${escaped}$`);
}

function read(text: string): DnsPattern {
  const pattern = parsePattern(text);
  if (pattern === undefined) throw new Error(`${text} is no pattern`);
  return pattern;
}

t.test('what is granted', async (t) => {
  const rows: readonly [granted: string, asked: string, contained: boolean][] = [
    ['api.partner.example', 'api.partner.example', true],
    ['api.partner.example', 'API.Partner.Example.', true],
    ['api.partner.example', 'www.partner.example', false],
    ['api.partner.example', '*.partner.example', false],
    ['*.partner.example', 'api.partner.example', true],
    ['*.partner.example', 'a*.partner.example', true],
    ['*.partner.example', 'a.b.partner.example', false],
    ['*.partner.example', 'partner.example', false],
    ['*.partner.example', '**.partner.example', false],
    ['*.partner.example', '*', false],
    ['**.partner.example', 'a.b.partner.example', true],
    ['**.partner.example', '**.b.partner.example', true],
    ['**.partner.example', 'partner.example', false],
    ['**.partner.example', 'notpartner.example', false],
    ['api-*.partner.example', 'api-1.partner.example', true],
    ['api-*.partner.example', 'api*.partner.example', false],
    ['a*a.example.org', 'a.example.org', false],
    ['*', 'anything.at.all', true],
    ['*', '**.x', true],
  ];
  for (const [granted, asked, contained] of rows)
    t.equal(
      containsPattern(read(granted), read(asked)),
      contained,
      `${granted} ${contained ? 'has' : 'lacks'} ${asked}`,
    );
});

t.test('what is no pattern', async (t) => {
  for (const text of ['', '.', 'a..b', 'a b', 'a/b', 'ä.example', 'x'.repeat(256), '.example.org'])
    t.equal(parsePattern(text), undefined, JSON.stringify(text));
});

t.test('what a platform may grant', async (t) => {
  for (const text of ['example.org', '*.example.org', '**.a.example.org', 'a*.b.c'])
    t.ok(isNarrowName(read(text)), text);
  for (const text of ['*', '**', 'org', '*.org', '**.org', '*.o*.org']) t.notOk(isNarrowName(read(text)), text);
});

t.test('a pattern that is contained matches nothing more, as Cilium matches', async (t) => {
  const letters = fc.constantFrom('a', 'b', '*', '-');
  const label = fc.string({ unit: letters, minLength: 1, maxLength: 3 });
  const pattern = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));
  const name = fc
    .array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((labels) => `${labels.join('.')}.`);
  let contained = 0;
  let matched = 0;
  fc.assert(
    fc.property(pattern, pattern, fc.array(name, { minLength: 8, maxLength: 8 }), (outer, inner, names) => {
      const [one, other] = [parsePattern(outer), parsePattern(inner)];
      if (one === undefined || other === undefined || !containsPattern(one, other)) return true;
      contained++;
      return names.every((text) => {
        if (!matcherOf(inner).test(text)) return true;
        matched++;
        return matcherOf(outer).test(text);
      });
    }),
    { numRuns: 20_000 },
  );
  t.ok(contained > 500 && matched > 200, `${contained} contained, ${matched} names matched`);
});
