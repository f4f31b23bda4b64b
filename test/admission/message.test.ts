import fc from 'fast-check';
import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import { denialText, plainDenial, warningTexts } from '../../src/admission/message.ts';
import { catalogue } from '../../src/checks/catalogue.ts';
import { ofSettings, ofTenant, type Ways } from '../../src/checks/grants.ts';
import type { Judged } from '../../src/checks/judge.ts';
import { networkPolicyResource } from '../../src/kinds/network-policy/network-policy.ts';
import type { KubernetesObject, StringMap } from '../../src/kubernetes/objects.ts';
import type { AdmissionRequest } from '../../src/kubernetes/review.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import { createTenancy, type Requester } from '../../src/tenancy/tenancy.ts';
import type { Gate, Mode, Tenant } from '../../src/tenancy/tenant.ts';
import { cast } from '../fixtures/cast.ts';
import { warningsIn } from '../fixtures/denial.ts';
import { type Sent, submit } from '../fixtures/review.ts';
import { createWorld, settings, tenantLabel } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const owner = tenancy.ownerByLabels({ [tenantLabel]: 'acme' });
const alice = tenancy.requester(cast['acme developer'], undefined);
const bob = tenancy.requester(cast['beta developer'], undefined);
const acme = { owner, requester: alice, tenancy };
const platform = { owner: 'platform', requester: alice, tenancy } as const;

function requestFor(name: string, generateName?: string): AdmissionRequest {
  const object = { metadata: { name, ...(generateName !== undefined && { generateName }) } };
  return {
    family: 'policy',
    kind: 'NetworkPolicy',
    resource: networkPolicyResource,
    uid: '1',
    operation: 'CREATE',
    subresource: '',
    name,
    namespace: 'acme-web',
    user: cast['acme developer'],
    dryRun: false,
    object,
    oldObject: undefined,
  };
}

type Told = Omit<Judged, 'headline' | 'refuses' | 'refusesInEnforce'>;

const open: Told = {
  check: 'cross-tenant-ingress',
  path: 'spec.ingress[0].from[1].namespaceSelector',
  reason: 'matches namespaces of every tenant',
  witness: 'one with the label bulkhead.dev/tenant=not-acme',
  fix: 'add bulkhead.dev/tenant: acme to its matchLabels',
};

function judgedOf(told: Told): Judged {
  return { ...told, headline: 'allows traffic from other tenants', refuses: true, refusesInEnforce: true };
}

const refusesPods = ({ refuses }: Judged) => (refuses ? ' refuses the pods' : '');

t.test('a refusal says what, where, why, for example what, and how to fix it', async (t) => {
  const plain: Told = {
    check: 'ip-block',
    path: 'spec.egress[0]',
    reason: 'covers addresses',
    fix: 'leave them out',
  };
  t.equal(
    denialText(requestFor('open'), acme, [judgedOf(open), judgedOf(plain)]),
    `NetworkPolicy acme-web/open: allows traffic from other tenants (tenant acme, hard isolation)

  spec.ingress[0].from[1].namespaceSelector
    matches namespaces of every tenant; for example one with the label bulkhead.dev/tenant=not-acme
    fix: add bulkhead.dev/tenant: acme to its matchLabels
    cross-tenant-ingress, docs/checks/cross-tenant-ingress.md

  spec.egress[0]
    covers addresses
    fix: leave them out
    ip-block, docs/checks/ip-block.md

2 findings`,
  );
});

const nothingGranted: Ways = { grants: [], exemption: true };

t.test('the last line of a refusal says what the platform can do', async (t) => {
  const textOf = (found: readonly Partial<Judged>[], facts = acme, request = requestFor('open')) => {
    const [first, ...rest] = found.map((one) => ({ ...judgedOf(open), ...one }));
    if (first === undefined) throw new Error('nothing refuses');
    return denialText(request, facts, [first, ...rest])
      .split('\n')
      .at(-1);
  };
  const grants = [...ofTenant('network.names', 'network.hosts'), ...ofSettings('pods.sysctls')];
  t.equal(textOf([{}]), '1 finding', 'nothing of an identity');
  t.equal(
    textOf([{ ways: nothingGranted }]),
    'If you need this, the platform team can write an Exemption from cross-tenant-ingress: docs/exemptions.md',
  );
  t.equal(
    textOf([{ ways: { grants, exemption: true } }]),
    'If you need this, the platform team can grant it with network.names or network.hosts of tenant acme, or with pods.sysctls of the settings, or write an Exemption from cross-tenant-ingress: docs/exemptions.md',
  );
  t.equal(
    textOf([{ ways: { grants, exemption: false } }]),
    'If you need this, the platform team can grant it with network.names or network.hosts of tenant acme, or with pods.sysctls of the settings',
  );
  const named = { fix: 'write less, or ask the platform to list it in network.hosts of acme' };
  t.equal(
    textOf([{ ways: { grants, exemption: true }, ...named }]),
    'If you need this, the platform team can write an Exemption from cross-tenant-ingress: docs/exemptions.md',
    'not the grant that the fix names',
  );
  t.equal(textOf([{ ways: { grants, exemption: false }, ...named }]), '1 finding', 'nor a line without anything');
  const several = ['a', 'b', 'c', 'd', 'e', 'e'].map((check) => ({ check, ways: nothingGranted }));
  t.equal(
    textOf(several),
    'If you need this, the platform team can write an Exemption from a, b, c, d and 1 more: docs/exemptions.md',
    'one line for all, each check once',
  );
  t.equal(textOf([{}, ...several]), '7 findings', 'no line where it would still be refused');
  t.equal(
    textOf(
      [{ ways: { grants: ofTenant('network.names'), exemption: false } }],
      { ...acme, requester: bob },
      {
        ...requestFor('acme-web'),
        family: 'namespace',
        kind: 'Namespace',
        object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web' } },
        oldObject: undefined,
      },
    ),
    'If you need this, the platform team can grant it with network.names of its tenant',
    'whose a namespace is, is not told',
  );
  const published = { ...acme, tenancy: createTenancy({ ...settings, docsURL: 'https://wiki.example' }, []) };
  const many = Array.from({ length: 60 }, () => ({ ways: nothingGranted }));
  t.match(textOf(many), /^If you need this/, 'also where findings find no room');
  t.match(textOf([{ ways: nothingGranted }], published), /: https:\/\/wiki\.example\/exemptions\.md$/);
});

t.test('a refusal links to the pages where the settings say that they are published', async (t) => {
  const pageFor = (docsURL: string) => {
    const facts = { ...acme, tenancy: createTenancy({ ...settings, docsURL }, []) };
    return denialText(requestFor('open'), facts, [judgedOf(open)])
      .split('\n')
      .find((line) => line.startsWith(`    ${open.check}, `));
  };
  t.equal(
    pageFor('https://wiki.example/bulkhead'),
    '    cross-tenant-ingress, https://wiki.example/bulkhead/checks/cross-tenant-ingress.md',
  );
  t.equal(pageFor('guides/bulkhead'), '    cross-tenant-ingress, guides/bulkhead/checks/cross-tenant-ingress.md');
});

t.test('in a namespace of the platform there is no tenant to name', async (t) => {
  const [header] = denialText(requestFor('open'), platform, [judgedOf(open)]).split('\n');
  t.equal(header, 'NetworkPolicy acme-web/open: allows traffic from other tenants');
});

t.test('whose a namespace is, is told to its own tenant and to the platform', async (t) => {
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web' } };
  const request: AdmissionRequest = {
    ...requestFor('acme-web'),
    family: 'namespace',
    kind: 'Namespace',
    object,
    oldObject: undefined,
  };
  const headerFor = (requester: Requester) =>
    denialText(request, { owner, requester, tenancy }, [judgedOf(open)]).split('\n')[0];
  t.equal(headerFor(alice), 'Namespace acme-web: allows traffic from other tenants (tenant acme, hard isolation)');
  t.equal(headerFor(bob), 'Namespace acme-web: allows traffic from other tenants');
});

t.test('a name that is still to be generated ends in a star', async (t) => {
  const [header] = denialText(requestFor('', 'open-'), platform, [judgedOf(open)]).split('\n');
  t.equal(header, 'NetworkPolicy acme-web/open-*: allows traffic from other tenants');
  t.equal(
    plainDenial(requestFor('open'), 'cannot be judged now', 'try again'),
    'NetworkPolicy acme-web/open: cannot be judged now\n  fix: try again',
  );
});

/** Text as hostile as a user may write into a name, key or value. */
const hostile = fc.string({ unit: 'binary', maxLength: 2000 });
const anyFinding: fc.Arbitrary<Told> = fc.record({
  check: fc.constantFrom('cross-tenant-ingress', 'ip-block'),
  path: hostile,
  reason: hostile,
  witness: hostile,
  fix: hostile,
});

t.test('a refusal stays within 4 KB, whatever is in it, and counts what it leaves out', async (t) => {
  const worst = '\u202e'.repeat(2000);
  const finding = { ...open, path: worst, reason: worst, witness: worst, fix: worst };
  const longestURL = { ...settings, docsURL: `https://${'d'.repeat(120)}` };
  const facts = { ...acme, tenancy: createTenancy(longestURL, []) };
  const headline = catalogue.reduce(
    (longest, one) => (one.headline.length > longest.length ? one.headline : longest),
    '',
  );
  const longest = denialText(requestFor(worst), facts, [{ ...judgedOf(finding), headline, ways: nothingGranted }]);
  t.ok(Buffer.byteLength(longest) <= 4096, 'one finding that is as long as can be', {
    bytes: Buffer.byteLength(longest),
  });
  t.equal(longest.split('\n').at(-1), '1 finding', 'without the last line, for which there is no room');
  let told = 0;
  fc.assert(
    fc.property(fc.array(anyFinding, { minLength: 1, maxLength: 60 }), hostile, (findings, name) => {
      const [first, ...rest] = findings.map((one) => ({ ...judgedOf(one), ways: nothingGranted }));
      if (first === undefined) return;
      const text = denialText(requestFor(name), acme, [first, ...rest]);
      t.ok(Buffer.byteLength(text) <= 4096, 'at most 4 KB', { bytes: Buffer.byteLength(text) });
      const lines = text.split('\n');
      if (lines.at(-1)?.startsWith('If you need this')) {
        lines.pop();
        told++;
      }
      const shown = text.split('docs/checks/').length - 1;
      const hidden = findings.length - shown;
      const count = `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`;
      t.equal(lines.at(-1), hidden === 0 ? count : `${count}, ${hidden} of them not shown`);
      t.ok(shown >= 1, 'the gravest is always shown');
    }),
    { numRuns: 100 },
  );
  t.ok(told > 50, 'the last line has its room beside findings', { told });
});

t.test('no control character, line break or mark of direction reaches a terminal (SRV-13)', async (t) => {
  const forbidden = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;
  const evil = 'a\u001b[2Jb\u202ec\u2066d\r\ne\u2028f\u0000g\u200bh\u009b';
  const finding = { ...open, path: evil, reason: evil, witness: evil, fix: evil };
  const text = denialText(requestFor(evil), acme, [judgedOf(finding)]);
  t.notMatch(text, forbidden, 'in a refusal');
  t.equal(text.split('\n').length, 8, 'and no line is added');
  t.match(text, 'a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFD\uFFFDe\uFFFDf\uFFFDg\uFFFDh\uFFFD', 'each is shown as unprintable');
  for (const line of warningTexts([judgedOf(finding)], refusesPods)) {
    t.notMatch(line, forbidden, 'in a warning');
    t.notMatch(line, '\n', 'and it is one line');
  }
  t.notMatch(plainDenial(requestFor('open'), evil, evil).replace('\n  fix:', ''), /[\n\p{Cc}\p{Cf}]/u);
  fc.assert(
    fc.property(anyFinding, (finding) => {
      t.notMatch(denialText(requestFor('open'), acme, [judgedOf(finding)]), forbidden);
    }),
    { numRuns: 100 },
  );
});

t.test('warnings are at most 8 lines of 120 characters, or of 256 where a fix stands alone', async (t) => {
  fc.assert(
    fc.property(fc.array(anyFinding, { maxLength: 30 }), (findings) => {
      const lines = warningTexts(findings.map(judgedOf), refusesPods);
      t.ok(lines.length <= 8, 'few');
      t.ok(
        lines.every(
          (line) => line.length <= (/^[a-z-]+: (?:fix:|or|else) /.test(line) ? 256 : 120) && line.isWellFormed(),
        ),
        'short and whole',
      );
    }),
    { numRuns: 100 },
  );
});

t.test('a fix that is too long for one line goes on in a second at one of its ways, and no further', async (t) => {
  const lines = (fix: string) => warningTexts([judgedOf({ ...open, fix })], refusesPods).slice(1);
  const ways = (count: number) =>
    Array.from({ length: count }, (_, index) => `do what is number ${index}`).join(', or ');
  t.equal(lines(ways(9)).length, 1, 'short enough');
  const [first, second, ...more] = lines(ways(16));
  t.match(first, /^cross-tenant-ingress: fix: do what is number 0, or .* number \d+$/);
  t.match(second, /^cross-tenant-ingress: or do what is number \d+.* number 15$/);
  t.strictSame(more, []);
  t.strictSame(
    lines(ways(200)).map((line) => line.length <= 256 && /\d$|\.\.\.$/.test(line)),
    [true, true],
  );
  t.match(lines('x'.repeat(300)), [/\.\.\.$/], 'one way alone');
});

t.test('no finding is warned about without its whole fix, and the others are counted', async (t) => {
  const text = fc.stringMatching(/^[a-z ]{1,150}$/);
  const some = fc.record({ check: fc.constantFrom('ip-block', 'dead-rule'), path: text, reason: text });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(some, fc.constantFrom('a'.repeat(9), 'b'.repeat(220))), { maxLength: 30 }),
      (rows) => {
        const findings = rows.map(([row, fix]): Told => ({ ...row, fix }));
        const lines = warningTexts(findings.map(judgedOf), refusesPods);
        const last = /^not shown: (\d+) of (\d+) findings$/.exec(lines.at(-1) ?? '');
        const read = warningsIn(last === null ? lines : lines.slice(0, -1));
        t.strictSame(
          read.map(({ fix }) => fix),
          findings.slice(0, read.length).map(({ fix }) => fix),
        );
        t.equal(Number(last?.[1] ?? 0), findings.length - read.length);
        t.ok(read.length >= Math.min(findings.length, 3), 'as many as there is room for');
      },
    ),
    { numRuns: 100 },
  );
});

t.test('a warning says whether the pods of a workload will be refused', async (t) => {
  t.strictSame(warningTexts([judgedOf(open), { ...judgedOf(open), refuses: false }], refusesPods), [
    'cross-tenant-ingress refuses the pods: spec.ingress[0].from[1].namespaceSelector matches namespaces of every tenant',
    'cross-tenant-ingress: spec.ingress[0].from[1].namespaceSelector matches namespaces of every tenant',
    'cross-tenant-ingress: fix: add bulkhead.dev/tenant: acme to its matchLabels',
  ]);
  const short = { ...open, path: 'spec.ingress[0]', fix: 'name a tenant' };
  t.strictSame(warningTexts([judgedOf(short)], refusesPods), [
    'cross-tenant-ingress refuses the pods: spec.ingress[0] matches namespaces of every tenant; fix: name a tenant',
  ]);
});

/** Tenants beside acme, whose names nobody of acme is to learn; their prefixes are another matter. */
const others = fc
  .uniqueArray(fc.stringMatching(/^[g-z]{6}$/), { minLength: 1, maxLength: 4 })
  .chain((names) =>
    fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.boolean(), fc.boolean(), fc.boolean()))),
  );
const selector = fc.record(
  {
    matchLabels: fc.dictionary(
      fc.constantFrom('app', 'env', 'kubernetes.io/metadata.name'),
      fc.constantFrom('a', 'p0-x'),
    ),
    matchExpressions: fc.array(
      fc.record({
        key: fc.constantFrom(tenantLabel, 'env'),
        operator: fc.constantFrom('Exists', 'DoesNotExist', 'In', 'NotIn'),
        values: fc.constantFrom(undefined, ['acme'], ['nobody']),
      }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);
const block = fc
  .constantFrom('0.0.0.0/0', '10.0.0.0/8', '198.51.100.0/24', '::/0')
  .map((cidr) => ({ ipBlock: { cidr } }));
const peer = fc.oneof(
  selector.map((namespaceSelector) => ({ namespaceSelector })),
  block,
);
/** @param secret the label of a namespace that somebody else owns */
function requestsOf(secret: string): fc.Arbitrary<Sent> {
  const user = cast['acme developer'];
  const creation: fc.Arbitrary<KubernetesObject> = fc.oneof(
    fc.constantFrom('p0-shop', 'p1-shop', 'acme-shop', 'shop', 'kube-shop').map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })),
    fc.array(peer, { maxLength: 3 }).map((peers) => {
      const policyTypes = ['Ingress', 'Egress'];
      const spec = { podSelector: {}, policyTypes, ingress: [{ from: peers }], egress: [{ to: peers }] };
      const metadata = { name: 'web', namespace: 'acme-web' };
      return Object.assign({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata }, { spec });
    }),
  );
  const namespace = (labels: StringMap) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'p0-x', labels },
  });
  const oldObject = namespace({ [tenantLabel]: secret });
  const labels = fc.constantFrom<StringMap>({}, { [tenantLabel]: 'acme' }, { app: 'web' });
  return fc.oneof(
    creation.map((object): Sent => ({ user, operation: 'CREATE', object })),
    labels.map((labels): Sent => ({ user, operation: 'UPDATE', object: namespace(labels), oldObject })),
    fc.constant<Sent>({ user, operation: 'DELETE', oldObject }),
  );
}

t.test('a tenant never learns the name of another', async (t) => {
  const template = tenancy.tenants.get('acme');
  if (template === undefined) throw new Error('the world has no acme');
  let refused = 0;
  const scene = others.chain((rows) => fc.tuple(fc.constant(rows), requestsOf(rows[0]?.[0] ?? '')));
  const property = fc.asyncProperty(scene, fc.constantFrom<Mode>('enforce', 'warn'), async ([rows, sent], mode) => {
    const towards: Gate = { tenant: 'acme', direction: 'ingress', ports: [], expires: undefined };
    const declared = rows.map(
      ([name, gate, reserved, limited], index): Tenant => ({
        ...template,
        name,
        members: [{ kind: 'Group', name: `${name}-developers` }],
        reserved: reservedIn({ namespaces: reserved ? { prefix: `p${index}-` } : {} }),
        limit: limited ? 0 : undefined,
        network: { ...template.network, gates: gate ? [towards, { ...towards, direction: 'egress' }] : [] },
      }),
    );
    const own: Tenant = { ...template, mode, network: { ...template.network, gates: [] } };
    const world = createTenancy(settings, [own, ...declared]);
    const review = createAdmission({ tenancy: () => world, namespaces, onDefect: (error) => t.fail(`${error}`) });
    const { status, warnings = [] } = await submit(review, sent);
    if (status !== undefined) refused++;
    const told = [status?.message ?? '', ...warnings].join('\n');
    return rows.every(([name]) => !told.includes(name));
  });
  await t.resolves(fc.assert(property, { numRuns: 500 }));
  t.ok(refused > 100, 'many of them were refusals');
});
