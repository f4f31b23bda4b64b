import { X509Certificate } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { unreadConditions } from '../../src/backstop/unread-conditions.ts';
import { issueAuthority } from '../../src/certificates/issue-certificate.ts';
import { broken, statusFailure } from '../../src/client/failure.ts';
import { attacksOn } from '../../src/doctor/attacks.ts';
import { findExpiry } from '../../src/doctor/certificates.ts';
import { checks, findingKinds } from '../../src/doctor/checks.ts';
import { skewText } from '../../src/doctor/clock.ts';
import { installedPrograms } from '../../src/doctor/installed.ts';
import { conditionLine, installedConditions } from '../../src/doctor/narrowed-webhooks.ts';
import { isK3s, whyNot } from '../../src/doctor/network-plugin.ts';
import { programs } from '../../src/doctor/programs.ts';
import { createJudge } from '../../src/doctor/ranges.ts';
import { outcomeOf } from '../../src/doctor/self-test.ts';
import { parseVersion } from '../../src/doctor/version.ts';
import { builtInAgents } from '../../src/tenancy/network-agents.ts';
import { range } from '../reach/world.ts';

t.test('ids are words, and meaning and fix are sentences without a full stop', async (t) => {
  for (const [id, { meaning, fix }] of findingKinds()) {
    t.match(id, /^[a-z]+(-[a-z]+)+$/, id);
    for (const text of [meaning, fix]) t.notMatch(text, /\.$|\|/, `${id}: ${text}`);
    t.match(fix, /^[a-z]/, `${id}: the fix begins with a verb`);
  }
  t.equal(new Set(checks.map(({ about }) => about)).size, checks.length);
});

t.test('the match conditions are those of the manifests', async (t) => {
  const lines = globSync('manifests/base/webhooks-*.yaml').flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document) => {
      const { kind, metadata, webhooks } = document.toJS();
      const phase = kind === 'MutatingWebhookConfiguration' ? 'mutating' : 'validating';
      return webhooks.flatMap(({ name, matchConditions = [] }: { name: string; matchConditions?: Condition[] }) =>
        matchConditions.map((one) => conditionLine(`${phase}/${metadata.name}`, name, one.name, one.expression)),
      );
    }),
  );
  const { unread, others } = Object.groupBy(lines, (line) =>
    line.includes(' validate.network.') ? 'unread' : 'others',
  );
  t.same([...installedConditions].sort(), others?.sort(), 'put these lines into narrowed-webhooks.ts');
  const made = ['validating/bulkhead', 'validating/bulkhead-namespaces'].flatMap((configuration) =>
    unreadConditions(builtInAgents).map(({ name, expression }) =>
      conditionLine(configuration, 'validate.network.bulkhead.dev', name, expression),
    ),
  );
  t.same(unread?.sort(), made.sort(), 'those for unread kinds are made anew');
});

interface Condition {
  readonly name: string;
  readonly expression: string;
}

t.test('a skew of the clock is said from half a minute on', async (t) => {
  for (const skew of [0, 30_000, -30_000]) t.equal(skewText(skew), undefined);
  t.equal(skewText(31_000), 'its clock is 31 s ahead of that of the API server');
  t.equal(skewText(-3_600_000), 'its clock is 3600 s behind that of the API server');
});

t.test('one certificate that is valid is enough', async (t) => {
  const now = Date.parse('2027-01-01T00:00:00Z');
  const [hour, day] = [3_600_000, 86_400_000];
  const certificate = (lifetime: number, at = now) => new X509Certificate(issueAuthority(at, lifetime).certificate);
  const found = (...list: X509Certificate[]) => {
    const ids: string[] = [];
    findExpiry('here', list, (id) => ids.push(id), now);
    return ids;
  };
  t.same(found(certificate(30 * day)), []);
  t.same(found(certificate(day)), ['certificate-expires-soon']);
  t.same(found(certificate(-hour / 2)), ['certificate-expired']);
  t.same(found(certificate(-hour / 2), certificate(30 * day)), []);
  t.same(found(certificate(30 * day, now + 2 * day)), ['certificate-expired'], 'not valid yet');
});

t.test('addresses outside the listed ranges are found, the first of them by name', async (t) => {
  const listed = (name: string, text: string) => ({ name, text, range: range(text), kind: 'cluster' as const });
  const settings = {
    protectedRanges: [listed('pod network', '10.244.0.0/16'), listed('node network', 'fd00:1::/64')],
    unlistedFamilies: [4] as const,
  };
  const judge = createJudge(settings);
  judge.see('pod network', ['10.244.3.0/24', '10.244.255.255'], 'in');
  judge.see('node network', ['fd00:1::9'], 'in');
  t.same(judge.judged(), []);
  for (let index = 0; index < 9; index++) judge.see('pod network', [`10.245.0.${index}`], `Pod ${index}`);
  judge.see('pod network', ['10.244.0.0/15', 'not an address\u001b'], 'Node odd');
  judge.see('node network', ['192.168.0.1'], 'Node one');
  judge.see('pod network', ['fd00:2::1'], 'Pod six');
  t.match(judge.judged(), [
    ['range-pod-missing', /^Pod 0: 10\.245\.0\.0; .* and 6 more$/, 'no range of network.podCIDRs covers it'],
    ['range-family-missing', 'Node one: 192.168.0.1', /no IPv4 range, so every IPv4 ipBlock of a tenant is rejected/],
    ['range-family-missing', 'Pod six: fd00:2::1', /no IPv6 range, and network\.ipFamilies leaves IPv6 out/],
  ]);
});

t.test('a program counts where the platform runs it', async (t) => {
  const set = (namespace: string, image: string) => ({
    metadata: { namespace, name: 'cilium', uid: '', resourceVersion: '' },
    object: {
      spec: { template: { spec: { containers: [{ name: 'agent', image, command: ['run'], args: ['--on=1', 7] }] } } },
    },
  });
  const found = await installedPrograms(
    {
      async list(_, tell) {
        for (const namespace of ['kube-system', 'acme-web', 'anywhere', 'unknown', 'cilium'])
          tell(set(namespace, 'cilium/cilium:v1.2.3'));
        return true;
      },
      isPlatform: (name) => name === 'kube-system',
      ownerOf: (name) => (name === 'unknown' || name === 'acme-web' ? undefined : 'platform'),
    },
    'DaemonSet',
  );
  t.same(
    found?.programs.map(({ where }) => where),
    ['DaemonSet kube-system/cilium', 'DaemonSet cilium/cilium'],
  );
  t.same(found?.impostors, ['DaemonSet acme-web/cilium', 'DaemonSet unknown/cilium']);
  t.same(found?.programs[0]?.containers, new Map([['agent', ['run', '--on=1', '7']]]));
});

t.test('only what Bulkhead refuses for the right reason counts as refused', async (t) => {
  const [attack] = attacksOn('acme-web', 'bulkhead.dev/tenant');
  if (attack === undefined) throw new Error('there is none');
  const answer = (code: number, message: string) => outcomeOf(attack, statusFailure({ code, message }, code), ' (why)');
  const denied = 'admission webhook "validate.bulkhead.dev" denied the request: NetworkPolicy acme-web/x: ';
  t.match(answer(403, `${denied}allows traffic from other tenants (tenant acme)`), { outcome: 'refused' });
  t.match(outcomeOf(attack, { ok: true, body: {} }, ' (why)'), { outcome: 'admitted', answer: /admit it \(why\)$/ });
  for (const [code, message] of [
    [403, 'networkpolicies is forbidden: User "alice" cannot create resource'],
    [403, `${denied}is managed by Bulkhead`],
    [503, `${denied}allows traffic from other tenants`],
    [403, 'admission webhook "validate.bulkhead.dev.evil" denied the request: allows traffic from other tenants'],
    [403, `no: ${denied}allows traffic from other tenants`],
    [403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest": allows traffic from other tenants'],
    [500, 'Internal error occurred: failed calling webhook "validate.bulkhead.dev"'],
    [404, 'namespaces "acme-web" not found'],
  ] as const)
    t.match(answer(code, message), { outcome: 'untried' }, message);
  t.match(outcomeOf(attack, broken(new Error('refused\u001b[2J')), ''), {
    outcome: 'untried',
    answer: /refused\uFFFD\[2J$/,
  });
  const backstop = `ValidatingAdmissionPolicy 'bulkhead-host-network' with binding 'bulkhead-host-network' denied request: no`;
  t.match(answer(422, `pods "x" is forbidden: ${backstop}`), { outcome: 'refused' });
});

t.test('which plugin enforces NetworkPolicies', async (t) => {
  const why = (name: string, tag = 'v1.0.0', containers: Readonly<Record<string, readonly string[]>> = {}) => {
    const program = programs.find((one) => one.name === name);
    if (program === undefined) throw new Error(name);
    const shown = { tag, version: parseVersion(tag), containers: new Map(Object.entries(containers)) };
    return whyNot({ program, where: 'here', namespace: 'kube-system', nodes: undefined, ...shown });
  };
  for (const name of ['cilium', 'calico-node', 'canal', 'antrea-agent', 'ovnkube-node'])
    t.equal(why(name), undefined, name);
  t.match(why('kube-flannel-ds'), /^flannel enforces no NetworkPolicy/);
  t.match(why('kube-multus-ds'), /^Multus enforces no NetworkPolicy/);
  t.match(why('aws-node', 'v1.20.0', { 'aws-node': [] }), /only with the container aws-eks-nodeagent, which it lacks/);
  const eks = (...words: string[]) => why('aws-node', 'v1.20.0', { 'aws-node': [], 'aws-eks-nodeagent': words });
  // Amazon EKS always installs the agent, and leaves it off.
  t.match(
    eks('--enable-ipv6=false', '--enable-network-policy=false'),
    /needs the argument --enable-network-policy=true/,
  );
  t.match(eks(), /needs the argument --enable-network-policy=true/);
  t.match(
    eks('--enable-network-policy=true', '--enable-network-policy=false'),
    /needs the argument/,
    'the last counts',
  );
  t.match(eks('--enable-network-policy=$(ENABLED)'), /needs the argument/);
  for (const on of ['--enable-network-policy=true', '--enable-network-policy']) t.equal(eks(on), undefined, on);
  t.match(why('weave-net', 'v2.8.1', { weave: [] }), /only with the container weave-npc/);
  t.equal(why('weave-net', 'v2.8.1', { weave: [], 'weave-npc': [] }), undefined);
  t.equal(why('kube-router', 'v2.8.0', { 'kube-router': ['--run-router=true'] }), undefined);
  t.match(
    why('kube-router', 'v2.8.0', { 'kube-router': ['--run-firewall=false'] }),
    /needs the argument --run-firewall=true/,
  );
  t.match(why('kindnet', 'v20240513-cd2ac642'), /from version 20240813 on, and this is v20240513-cd2ac642/);
  t.match(why('kindnet', 'latest'), /and this is latest/);
  t.equal(why('kindnet', 'v20250512-df8de77b'), undefined);
  for (const [version, is] of [
    ['v1.34.1+k3s1', true],
    ['v1.34.1+rke2r1', false],
    ['v1.34.1', false],
    ['not v1.34.1+k3s1', false],
    [undefined, false],
  ] as const)
    t.equal(isK3s(version), is, String(version));
});
