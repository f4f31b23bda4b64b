/** What texts of an AuthorizationPolicy match, and that its reader takes whatever is written. */
import fc from 'fast-check';
import t from 'tap';
import { istioAuthorizationPolicy as kind } from '../../src/kinds/istio-authorization-policy/istio-authorization-policy.ts';
import {
  accountPattern,
  namespacePattern,
  principalPattern,
} from '../../src/kinds/istio-authorization-policy/language.ts';
import { isJudged } from '../../src/kinds/policy-kind.ts';
import type { Policy } from '../../src/kubernetes/objects.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import { matchesGlob, wordsIn } from '../../src/reach/identity/glob.ts';
import type { IdentityPattern } from '../../src/reach/identity/pattern.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';

const namespaces = (pattern: IdentityPattern | undefined) => pattern?.products.map(({ namespace }) => namespace);

t.test('principals', async (t) => {
  const rows: readonly (readonly [text: string, namespaces: readonly string[] | undefined])[] = [
    ['cluster.local/ns/acme-web/sa/web', ['acme-web']],
    ['cluster.local/ns/acme-web/*', ['acme-web']],
    ['cluster.local/ns/acme-web/s*', ['acme-web']],
    ['cluster.local/ns/acme-web/x*', []],
    ['cluster.local/ns/acme*', ['acme*']],
    ['cluster.local/n*', ['*']],
    ['cluster.local/x*', []],
    ['*', ['*']],
    ['*/sa/web', ['*']],
    ['*-web/sa/web', ['*-web']],
    ['*/ns/acme-web/sa/web', ['acme-web']],
    ['*ns/acme-web/sa/web', ['acme-web']],
    ['*/ns/acme-web/*', []],
    ['*/ns/acme-web', []],
    ['acme-web', []],
    ['cluster.local/ns/*/sa/web', []],
    ['clus*/ns/web/sa/web', ['web']],
    ['clus*/ns/web/sa/*', ['web']],
    ['clus*ter*/ns/web/sa/web', []],
    ['*cal/ns/web/sa/*', undefined],
    ['*/ns/acme.web/sa/web', ['acme?web']],
    ['*/ns/acme-web.sa/web', undefined],
    ['*/ns/(acme|beta)/sa/web', undefined],
  ];
  for (const [text, expected] of rows) t.strictSame(namespaces(principalPattern(text)), expected, text);
});

t.test('namespaces', async (t) => {
  const rows: readonly (readonly [text: string, namespaces: readonly string[] | undefined])[] = [
    ['acme-web', ['acme-web']],
    ['acme-*', ['acme-*']],
    ['x*a', ['x*a', 'x*']],
    ['x**sa', ['x*sa', 'x*']],
    ['sa', ['sa', 'ns']],
    ['acme.web', undefined],
    ['acme|beta', undefined],
    ['acme/sa', undefined],
  ];
  for (const [text, expected] of rows) t.strictSame(namespaces(namespacePattern(text)), expected, text);
});

t.test('serviceAccounts', async (t) => {
  t.match(accountPattern('web', 'acme-web'), { products: [{ namespace: 'acme-web', account: 'web' }] });
  t.match(accountPattern('beta/web', 'acme-web'), { products: [{ namespace: 'beta', account: 'web' }] });
  t.ok(accountPattern('a.b', 'acme-web')?.doubt, 'a dot');
  for (const text of ['*', 'a/b/c', '/web', 'acme/']) t.equal(accountPattern(text, 'acme-web'), undefined, text);
});

t.test('globs match as an expression does, and words are matched', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '?'), maxLength: 8 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(glob, text, (glob, text) => {
        const naive = (g: string, s: string): boolean => {
          if (g === '') return s === '';
          if (g[0] === '*') return naive(g.slice(1), s) || (s !== '' && naive(g, s.slice(1)));
          return s !== '' && (g[0] === '?' || g[0] === s[0]) && naive(g.slice(1), s.slice(1));
        };
        return matchesGlob(glob, text) === naive(glob, text);
      }),
    ),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(glob, glob, (one, other) =>
        wordsIn([one, other]).every((word) => matchesGlob(one, word) && matchesGlob(other, word)),
      ),
    ),
  );
});

const tenant = undeclaredTenant('acme');
const border = { tenant, namespace: 'acme-web', tenancy: createTenancy(defaultSettings, [tenant]), now: 0 };

t.test('whatever is written is read and judged, and nothing throws', async (t) => {
  const anything = fc.jsonValue({ maxDepth: 3 });
  const field = fc.constantFrom(
    'from',
    'to',
    'when',
    'source',
    'operation',
    'principals',
    'namespaces',
    'ports',
    'key',
    'values',
    'ipBlocks',
  );
  const nested = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      anything,
      fc.dictionary(field, tie('tree'), { maxKeys: 3 }),
      fc.array(tie('tree'), { maxLength: 3 }),
    ),
  })).tree;
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.oneof(anything, fc.record({ rules: fc.array(nested), action: anything }, { requiredKeys: [] })),
        (spec) => {
          const policy: Policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web' }, spec }));
          kind.worded(judgeBorder(kind.read(policy), border), border);
        },
      ),
    ),
  );
});

t.test('it is judged where the settings have a section istio', async (t) => {
  const request = { resource: 'security.istio.io/v1/authorizationpolicies' };
  t.notOk(isJudged(request, defaultSettings));
  const mesh = { rootNamespace: 'istio-system', trustDomains: new Set(['cluster.local']), providers: [] };
  const istio = {
    ...mesh,
    mtls: 'strict',
    mtlsGrants: [],
    domain: 'cluster.local',
    defaultExportTo: ['*'],
    ambient: false,
  } as const;
  t.ok(isJudged(request, { ...defaultSettings, istio }));
});

t.test('NP-14: what takes too long to prove is not proven', async (t) => {
  const texts = (count: number, write: (index: number) => string) =>
    Array.from({ length: count }, (_, at) => write(at));
  // Each is a few alternatives, and those of all fields are put together.
  const alternatives = texts(400, (index) => `a${index}*${'b-'.repeat(40)}*s*a*`);
  const when = texts(3, (index) => `*${index}*s*a*`).map((one) => ({ key: 'source.namespace', values: [one] }));
  const leftOut = texts(2000, (index) => `*${index}*`);
  const rows: readonly (readonly [says: string, rule: object, verdicts: readonly (readonly [string, RegExp])[]])[] = [
    [
      'texts of several alternatives, and conditions that are some too',
      { from: [{ source: { namespaces: alternatives } }], when },
      [['unproven', /beyond the 1500 peers of one policy/]],
    ],
    [
      'long lists of whom to leave out, beside long lists of others',
      { from: [{ source: { namespaces: texts(200, (index) => `${index}a*`), notPrincipals: leftOut } }] },
      [['unproven', /beyond the 1500 peers of one policy/]],
    ],
    [
      'a long list of whom to leave out',
      { from: [{ source: { namespaces: ['b*'], notPrincipals: leftOut.slice(0, 500), notNamespaces: ['*'] } }] },
      [['unproven', /what it leaves out proves nothing/]],
    ],
    ['as many names as people write', { from: [{ source: { namespaces: texts(1490, () => 'acme-web') } }] }, []],
  ];
  for (const [says, rule, verdicts] of rows) {
    const policy: Policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { rules: [rule] } }));
    const found = judgeBorder(kind.read(policy), border);
    t.equal(found.length, verdicts.length, says);
    for (const [index, [verdict, reason]] of verdicts.entries()) t.match(found[index], { verdict, reason }, says);
  }
});

t.test('whom the own namespace is plainly', async (t) => {
  const source = (one: object, when: readonly object[] = []) => ({ rules: [{ from: [{ source: one }], when }] });
  const inOwn = { key: 'source.namespace', values: ['acme-web'] };
  const rows: readonly (readonly [says: string, spec: object, verdict: string | undefined])[] = [
    ['its name', source({ namespaces: ['acme-web'] }), undefined],
    ['its name in a condition', { rules: [{ when: [inOwn] }] }, undefined],
    ['its accounts, and the name', source({ principals: ['cluster.local/ns/acme-web/sa/web'] }, [inOwn]), undefined],
    ['any account of any name, where the name is asked, too', source({ principals: ['*/sa/web'] }, [inOwn]), undefined],
    ['of another trust domain', source({ principals: ['other/ns/acme-web/sa/web'] }), 'escapes'],
    ['of an account that cannot be', source({ principals: ['cluster.local/ns/acme-web/sa/Web'] }), 'nothing'],
    ['of another namespace in a condition', source({ principals: ['*/ns/beta/sa/web'] }, [inOwn]), 'nothing'],
    ['with a dot in an account', source({ serviceAccounts: ['a.b'] }), 'escapes'],
    ['with a dot, and the name', source({ namespaces: ['acme-web'], serviceAccounts: ['a.b'] }), 'escapes'],
    ['by a trust domain alone', source({ trustDomains: ['cluster.local'] }), 'escapes'],
    [
      'by the name and a trust domain',
      source({ namespaces: ['acme-web'], trustDomains: ['cluster.local'] }),
      undefined,
    ],
    ['by ends of names that contradict each other', source({ namespaces: ['acme-web', '*-db'] }), 'escapes'],
  ];
  for (const [says, spec, verdict] of rows) {
    const policy: Policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web' }, spec }));
    t.equal(judgeBorder(kind.read(policy), border)[0]?.verdict, verdict, says);
  }
});

t.test('of another trust domain, the example is one that every version of Istio lets in', async (t) => {
  const source = { principals: ['elsewhere.example/ns/acme-web*'], serviceAccounts: ['a.b'] };
  const spec = { rules: [{ from: [{ source }] }] };
  const policy: Policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web' }, spec }));
  t.match(judgeBorder(kind.read(policy), border), [
    {
      reason: /^names the trust domain "elsewhere.example"/,
      witness: 'a pod with the service account a.b in the namespace acme-web of the trust domain elsewhere.example',
    },
  ]);
});

t.test('the beginning of a trust domain means those of the mesh, so nobody of another is an example', async (t) => {
  const source = { principals: ['other.*/ns/somebody/sa/default'], trustDomains: ['other.example'] };
  const policy: Policy = JSON.parse(
    JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { rules: [{ from: [{ source }] }] } }),
  );
  const found = judgeBorder(kind.read(policy), border);
  t.match(found, [{ verdict: 'unproven', reason: /names the namespace somebody, but/ }]);
  t.notMatch(found[0]?.reason, /what it leaves out/, 'it leaves out nothing');
});

t.test(
  'a namespace that several shared services have together is not proven, and nobody in it is an example',
  async (t) => {
    const [service] = defaultSettings.sharedServices;
    if (service === undefined) throw new Error('no service is built in');
    const part = (name: string, operator: 'Exists' | 'DoesNotExist'): SharedService => ({
      ...service,
      ...{ name, namespace: 'edge', direction: 'ingress', ports: [], offer: 'policy' },
      podSelector: { matchExpressions: [{ key: 'app', operator }] },
    });
    const verdictWith = (...sharedServices: SharedService[]) => {
      const platform = { ...defaultSettings.platform, namespaces: new Set(['edge']) };
      const tenancy = createTenancy({ ...defaultSettings, platform, sharedServices }, [tenant]);
      const spec = { rules: [{ from: [{ source: { namespaces: ['edge'] } }] }] };
      const policy: Policy = JSON.parse(JSON.stringify({ metadata: { namespace: 'acme-web' }, spec }));
      return judgeBorder(kind.read(policy), { ...border, tenancy })[0]?.verdict;
    };
    t.equal(verdictWith(part('one', 'Exists')), 'escapes');
    t.equal(verdictWith(part('one', 'Exists'), part('other', 'DoesNotExist')), 'unproven');
  },
);
