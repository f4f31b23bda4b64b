/** Rules as they may stand in a cluster, held against what it serves and what Bulkhead must be asked about. */
import t from 'tap';
import { expectedRules } from '../../src/configuration/expected-rules.ts';
import { apiVersionsOf, compareRules, type Served } from '../../src/configuration/rule-comparison.ts';
import type { ConfigurationName, Rule } from '../../src/configuration/webhook-configuration.ts';
import { policyGroupNames } from '../../src/tenancy/policy-groups.ts';

const namespaced = (...verbs: string[]) => ({ namespaced: true, verbs });
const cluster = (...verbs: string[]) => ({ namespaced: false, verbs });
const all = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** As Kubernetes 1.36 serves them. */
const served: Served = new Map([
  [
    'v1',
    new Map([
      ['namespaces', cluster(...all.filter((verb) => verb !== 'deletecollection'))],
      ['namespaces/finalize', cluster('update')],
      ['namespaces/status', cluster('get', 'patch', 'update')],
      ['pods', namespaced(...all)],
      ['pods/binding', namespaced('create')],
      ['bindings', namespaced('create')],
    ]),
  ],
  ['bulkhead.dev/v1alpha1', undefined],
]);

const rule = (resources: readonly string[], operations: readonly string[], changes: Partial<Rule> = {}): Rule => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  resources,
  operations,
  scope: 'Cluster',
  ...changes,
});

function configuration(rules: readonly Rule[], name: ConfigurationName) {
  return { name, webhooks: [{ rules }] };
}

const found = (rules: readonly Rule[], name: ConfigurationName = 'mutating/bulkhead-namespaces') =>
  compareRules([configuration(rules, name)], served);

const one = rule(['namespaces'], ['CREATE']);
const at = 'mutating/bulkhead-namespaces: webhooks[0].rules[1]';

t.test('rules that can never match', async (t) => {
  const rows: readonly [what: string, rule: Rule, unknown: readonly string[]][] = [
    ['a status that is there', rule(['namespaces/status'], ['UPDATE']), []],
    [
      'a misspelt subresource (CVE-2026-55636)',
      rule(['namespaces', 'namespace/finalize'], ['UPDATE']),
      [
        `${at}.resources[1] is namespace/finalize, which the API server does not serve; perhaps namespaces/finalize is meant`,
      ],
    ],
    [
      'a name that is like no other',
      rule(['widgets'], ['UPDATE']),
      [`${at}.resources[0] is widgets, which the API server does not serve`],
    ],
    [
      'a kind in place of a resource',
      rule(['Namespace'], ['UPDATE']),
      [`${at}.resources[0] is Namespace, which the API server does not serve; perhaps namespaces is meant`],
    ],
    ['the wrong scope', rule(['pods'], ['CREATE']), [`${at}.scope is Cluster, and pods is Namespaced`]],
    ['any scope', rule(['pods'], ['CREATE'], { scope: '*' }), []],
    [
      'an operation that a subresource does not have',
      rule(['namespaces/finalize'], ['UPDATE', 'CREATE']),
      [`${at}.operations[1] is CREATE, which namespaces/finalize does not have`],
    ],
    ['CONNECT and *, which are more than verbs', rule(['namespaces'], ['CONNECT', '*']), []],
    ['wildcards', rule(['*', 'pods/*', '*/*'], ['UPDATE']), []],
    ['a group of which nothing is known', rule(['*'], ['UPDATE'], { apiGroups: ['*'] }), []],
  ];
  for (const [what, added, unknown] of rows) t.strictSame(found([one, added]).unknown, unknown, what);
});

t.test('a version that is not served', async (t) => {
  const versions = new Map([...served, ['v2', undefined]]);
  const { unknown } = compareRules(
    [configuration([one, rule(['namespaces'], ['UPDATE'], { apiVersions: ['v2'] })], 'mutating/bulkhead-namespaces')],
    versions,
  );
  t.strictSame(unknown, [`${at}.resources[0] is namespaces of v2, which the API server does not serve`]);
});

t.test('what not every cluster has is no mistake', async (t) => {
  const tenants = rule(['tenants', 'tenants/status'], ['UPDATE'], {
    apiGroups: ['bulkhead.dev'],
    apiVersions: ['v1alpha1'],
  });
  const { unknown, absent } = found([one, tenants, rule(['pods/resize'], ['UPDATE'], { scope: 'Namespaced' })]);
  t.strictSame(unknown, []);
  t.strictSame(
    absent,
    ['bulkhead.dev/v1alpha1/tenants', 'bulkhead.dev/v1alpha1/tenants/status', 'v1/pods/resize'].map(
      (resource) => `mutating/bulkhead-namespaces: ${resource} is not served`,
    ),
  );
});

t.test('what nobody asks about', async (t) => {
  const rules = expectedRules['validating/bulkhead-namespaces'].map(({ resource, scope, operations }) => {
    const [group, version, ...plural] = /^v\d/.test(resource) ? ['', ...resource.split('/')] : resource.split('/');
    return { apiGroups: [group ?? ''], apiVersions: [version ?? ''], resources: [plural.join('/')], operations, scope };
  });
  const missing = (these: readonly Rule[]) => found(these, 'validating/bulkhead-namespaces').missing;
  const said = (text: string) => [`validating/bulkhead-namespaces: no rule sends ${text}`];
  t.strictSame(missing(rules), [], 'the rules of the manifests are complete');
  t.strictSame(
    missing(rules.filter(({ resources }) => resources[0] !== 'namespaces/finalize')),
    said('UPDATE of v1/namespaces/finalize'),
  );
  t.strictSame(
    missing(rules.map((each) => (each.resources[0] === 'namespaces' ? { ...each, operations: ['UPDATE'] } : each))),
    said('CREATE, DELETE of v1/namespaces'),
  );
  t.strictSame(
    missing(rules.map((each) => (each.resources[0] === 'tenants' ? { ...each, scope: 'Namespaced' } : each))),
    said('CREATE, UPDATE, DELETE of bulkhead.dev/v1alpha1/tenants'),
  );
  const [, version] = ['', 'v1'];
  const wide = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], scope: '*' };
  t.strictSame(missing([{ ...wide, resources: ['*/*'] }]), [], 'wildcards ask about everything');
  const unread = { ...wide, apiGroups: [...policyGroupNames], resources: ['*/*'] };
  t.strictSame(missing([{ ...wide, resources: ['*', 'namespaces/*', '*/status'] }, unread]), []);
  t.equal(missing([{ ...wide, resources: ['*'] }, unread]).length, 4, 'but one star alone about no subresource');
  t.equal(
    missing([{ ...wide, apiVersions: [version ?? ''], resources: ['*/*'] }, unread]).length,
    4,
    'and one version about no other',
  );
  t.strictSame(
    missing(rules.filter(({ apiGroups }) => apiGroups[0] !== 'cilium.io')),
    said('CREATE, UPDATE of cilium.io/*/*/*'),
    'one group of network policy that is left out',
  );
});

t.test('what is asked of discovery', async (t) => {
  const rules = [
    one,
    rule(['*'], ['*'], { apiGroups: ['*'] }),
    rule(['jobs'], ['*'], { apiGroups: ['batch', 'apps'] }),
  ];
  t.strictSame([...apiVersionsOf([configuration(rules, 'validating/bulkhead')])], ['v1', 'batch/v1', 'apps/v1']);
});
