import t from 'tap';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { misplacedKeys, misplacedLabels } from '../../src/tenancy/trusted-labels.ts';
import { documentIn, problemLines } from './documents.ts';

const labels = (list: string, more = '') =>
  documentIn(`apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec: { ${more}trustedNamespaceLabels: [${list}] }`);
const group = '{ key: example.com/group, values: [{ value: "", namespaces: [edge] }] }';
const robot = '{ kind: ServiceAccount, namespace: tools, name: robot }';

function settingsOf(document: ReturnType<typeof documentIn>): Settings {
  const parsed = parseSettings(document);
  if (!parsed.ok) throw new Error(problemLines(parsed).join('\n'));
  return parsed.value;
}

t.test('a listed key is reserved on namespaces, and its namespaces are the platform’s', async (t) => {
  const { reservedNamespaceKeys, reservedPodKeys, platform, trustedLabels } = settingsOf(labels(group));
  t.match(reservedNamespaceKeys[0], { entry: 'example.com/group', protects: 'identity', settings: [] });
  t.notOk(reservedPodKeys.some(({ entry }) => entry === 'example.com/group'));
  t.ok(platform.namespaces.has('edge'));
  t.same(trustedLabels, new Map([['example.com/group', new Map([['', new Set(['edge'])]])]]));
  const released = settingsOf(
    labels(
      group.replace('example.com/group', 'policy-group.network.openshift.io/ingress'),
      'reserved: { released: [policy-group.network.openshift.io/] }, ',
    ),
  );
  const { namespaceKeys } = createTenancy(released, []).reserved;
  t.match(namespaceKeys.reserving('policy-group.network.openshift.io/ingress'), { protects: 'identity' });
  t.equal(
    namespaceKeys.reserving('policy-group.network.openshift.io/other'),
    undefined,
    'only the beginning is released',
  );
});

const rows: readonly (readonly [sentence: string, document: ReturnType<typeof documentIn>, ...problems: string[]])[] = [
  [
    'a key stands there once, and each value too',
    labels(
      `${group}, { key: example.com/group, values: [{ value: a, namespaces: [edge] }, { value: a, namespaces: [edge] }] }`,
    ),
    'trustedNamespaceLabels[1].key: "example.com/group" is there twice; merge the two',
    'trustedNamespaceLabels[1].values[1].value: "a" is there twice; merge the two',
  ],
  [
    'what says whose a namespace is has rules of its own',
    labels(
      ['bulkhead.dev/tenant', 'bulkhead.dev/other', 'kubernetes.io/metadata.name']
        .map((key) => group.replace('example.com/group', key))
        .join(', '),
    ),
    ...['bulkhead.dev/tenant', 'bulkhead.dev/other', 'kubernetes.io/metadata.name'].map(
      (key, index) =>
        `trustedNamespaceLabels[${index}].key: "${key}" says whose a namespace is or what it is called; leave it out: it proves that already`,
    ),
  ],
  [
    'nothing gives it to tenants',
    labels(
      group.replace('example.com/group', 'istio-injection'),
      'reserved: { released: [istio-injection], allowedValues: [{ key: istio-injection, values: [x] }] }, ',
    ),
    'trustedNamespaceLabels[0].key: "istio-injection" is under reserved.released too, and then tenants could write it; remove it there',
    'trustedNamespaceLabels[0].key: "istio-injection" is under reserved.allowedValues too, and then tenants could write it; remove it there',
  ],
  [
    'nothing grants it to writers and provisioners',
    labels(
      group,
      `platform: { namespaceWriters: [{ subjects: [${robot}], keys: [example.com/group, example.com/] }], provisioners: [{ name: a, subjects: [${robot}], keys: [example.com/group], tenantFrom: { annotation: example.com/group } }] }, `,
    ),
    'platform.namespaceWriters[0].keys[0]: "example.com/group" says which namespaces others let in, and cannot be granted; leave it out',
    'platform.namespaceWriters[0].keys[1]: "example.com/" covers example.com/group, which says which namespaces others let in, and cannot be granted; name each key whole',
    'platform.provisioners[0].keys[0]: "example.com/group" says which namespaces others let in, and cannot be granted; leave it out',
    'platform.provisioners[0].tenantFrom.annotation: example.com/group is written by Bulkhead or the API server, not by a provisioner; name the annotation in which the provisioner writes who asked for the namespace',
  ],
  [
    'a value is one that a label can have, and names somebody',
    labels(
      '{ key: example.com/group, values: [{ value: "-", namespaces: [] }] }, { key: example.com/other, values: [] }',
    ),
    'trustedNamespaceLabels[0].values[0].value: "-" is not a label value: at most 63 letters, digits and inner hyphens, underscores and dots, or empty',
    'trustedNamespaceLabels[0].values[0].namespaces: lists nothing; list at least one',
    'trustedNamespaceLabels[1].values: lists nothing; list at least one',
  ],
];

t.test('settings that cannot be relied on', async (t) => {
  for (const [sentence, document, ...problems] of rows) {
    const said = problemLines(parseSettings(document)).map((line) => line.replace(/^t\.yaml:\d+:\d+: spec\./, ''));
    t.strictSame(said, problems, sentence);
  }
});

t.test('which namespaces must not have it', async (t) => {
  const settings = settingsOf(labels(group));
  const keysOn = (name: string, has: Readonly<Record<string, string>>) =>
    misplacedKeys({ name, labels: has }, settings);
  t.same(keysOn('edge', { 'example.com/group': '' }), []);
  t.same(keysOn('other', { 'example.com/group': 'x' }), [], 'a value that is not listed proves nothing');
  t.same(keysOn('other', { 'example.com/group': '' }), ['example.com/group']);
  t.same(keysOn('edge', { 'example.com/group': 'x', 'bulkhead.dev/tenant': 'acme' }), ['example.com/group']);
  t.same(keysOn('other', {}), []);
  t.same(misplacedKeys({ name: 'other', labels: { 'example.com/group': '' } }, defaultSettings), []);
});

t.test('settings are refused beside such a namespace, which is named', async (t) => {
  const settings = settingsOf(labels(group));
  const has = { 'example.com/group': '' };
  const namespaces = [
    { name: 'edge', labels: has },
    { name: 'web', labels: { ...has, 'bulkhead.dev/tenant': 'acme' } },
    { name: 'spare', labels: has },
  ];
  t.strictSame(misplacedLabels(settings, namespaces).map(formatProblem), [
    'settings: spec.trustedNamespaceLabels[0].key: namespace spare (and 1 more) has "example.com/group", and the settings do not list it for that value; remove it (kubectl label namespace spare example.com/group-), or, for a namespace of the platform, list the name under the value in trustedNamespaceLabels',
  ]);
  t.same(misplacedLabels(settings, namespaces.slice(0, 1)), []);
  t.same(misplacedLabels(settings, namespaces, settings), [], 'what is misplaced already refuses no other change');
  t.equal(misplacedLabels(settings, namespaces, defaultSettings).length, 1);
});
