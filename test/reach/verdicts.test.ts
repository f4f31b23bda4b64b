import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import type { PeerVerdict } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/objection.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { judge, protect, settings, tenant } from './world.ts';

interface Case {
  readonly id: string;
  readonly engine: string;
  readonly input: unknown;
  readonly verdict: string;
  readonly why: string;
}

const { cases }: { cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('./verdicts.json', import.meta.url), 'utf8'),
);

/** The world that verdicts.json assumes; the metadata address behind NAT64 is the IPv4 one. */
const acme = tenant('acme', {}, 'acme-');
const world: Border = {
  tenant: acme,
  namespace: 'acme-dev',
  now: 0,
  tenancy: createTenancy(
    {
      ...settings,
      tenantLabel: 'tenant',
      sharedServices: [],
      protectedRanges: [
        protect('podCIDR', '10.244.0.0/16'),
        protect('podCIDR6', '2001:db8:42::/56'),
        protect('serviceCIDR', '10.96.0.0/12'),
        protect('nodeCIDR', '192.168.0.0/20'),
        protect('imds', '169.254.169.254/32'),
        protect('imds6', 'fd00:ec2::254/128'),
        protect('imds', '64:ff9b::a9fe:a9fe/128'),
      ],
    },
    [acme, tenant('beta', {}, 'beta-')],
  ),
};

/** What is not asked yet. */
const later: Readonly<Record<string, string>> = {
  K43: 'whether several podSelectors select every pod is not asked while the closed door is one policy of its own',
  K44: 'as K43',
  K46: 'whether two selectors overlap is not asked: every peer is judged alone',
  K47: 'as K46',
};

const spec: Readonly<Record<string, (input: unknown) => unknown>> = {
  'k8s.namespaceSelector': (input) => ({ ingress: [{ from: [{ namespaceSelector: input }] }] }),
  'k8s.peer': (input) => ({ ingress: [{ from: [input] }] }),
  'k8s.rule': (input) => ({ ingress: [input] }),
  'k8s.spec': (input) => input,
  'k8s.ports': (input) => ({ ingress: [{ from: [{ podSelector: {} }], ...Object(input) }] }),
  'k8s-on-cilium': (input) => ({ ingress: [{ from: [input] }] }),
  ipBlock: (input) => ({ ingress: [{ from: Array.isArray(input) ? input.map((ipBlock) => ({ ipBlock })) : [] }] }),
};

t.test('the worked verdicts on NetworkPolicies hold', (t) => {
  const judged = new Set<string>();
  for (const { id, engine, input, verdict, why } of cases) {
    const build = spec[engine];
    if (Object.hasOwn(later, id)) continue;
    judged.add(id);
    if (engine === 'ipBlock.strict') {
      t.notOk(typeof input === 'string' && parseCidr(input).ok, `${id} ${verdict}: ${String(input)}`);
      continue;
    }
    if (build === undefined) {
      t.fail(`${id}: no way to build a policy for ${engine}`);
      continue;
    }
    const verdicts = judge(build(input), world);
    const worst = ['invalid', 'escapes', 'unproven', 'nothing'].find((one) =>
      verdicts.some(({ verdict }) => verdict === one),
    );
    t.equal((worst ?? 'contained').toUpperCase(), expected(id, verdict), `${id} ${verdict}: ${why}`);
    if (verdict.startsWith('HITS') && worst === 'escapes') {
      const hits = verdict.slice('HITS '.length).replace('nat64imds', 'imds').split(',');
      t.match(touched(verdicts), new Set(hits), `${id} touches ${verdict}`);
      // What IPv6 embeds of IPv4 is touched too, beyond what the case lists.
      if (!id.match(/^C1[347]$/)) t.same(touched(verdicts), new Set(hits), `${id} touches nothing else`);
    }
  }
  t.equal(judged.size + Object.keys(later).length, cases.length, 'every case is judged or put off with a reason');
  t.end();
});

/** Where the verdict says what a lenient reader would see, the strict one says that the text is no range. */
function expected(id: string, verdict: string): string {
  if (['C10', 'C11', 'C22'].includes(id)) return 'INVALID';
  // Which tenants another cluster has is not known here.
  if (id === 'L26') return 'UNPROVEN';
  if (verdict.startsWith('HITS')) return 'ESCAPES';
  return verdict === 'CLEAR' ? 'CONTAINED' : verdict;
}

function touched(verdicts: readonly PeerVerdict[]): ReadonlySet<string> {
  const lists = verdicts.map(({ reason }) => /^covers addresses of the (.*)$/.exec(reason)?.[1] ?? '');
  return new Set(lists.flatMap((list) => list.split(/, | and /)));
}
