/** `bulkhead explain`: who reaches whom, why, and what would change it. From files; test/e2e/explain.test.ts asks a cluster. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { findEnd } from '../../src/connectivity/endpoints.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { tenancyOf } from './stored-cluster.ts';

const example = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml', '--tenants', 'manifests/overlays/example/tenants'],
  ...['-f', 'docs/examples/application'],
];

async function run(args: readonly string[], base = example, input = '') {
  const lines: string[] = [];
  const surroundings = {
    print: (line: string) => void lines.push(...line.split('\n')),
    environment: {},
    input: new Blob([input]).stream(),
  };
  try {
    const code = await runCommandLine(['explain', ...base, ...args], surroundings);
    return { code, lines, error: '' };
  } catch (error) {
    if (error instanceof CannotStart) return { code: error.code, lines, error: error.message };
    throw error;
  }
}

const toDatabase = ['-f', 'manifests/examples/objects/policy-to-beta-database.yaml'];

t.test('blocked: it names what isolates the pod, and gives a policy that mends it', async (t) => {
  const { code, lines } = await run(['acme-web/front', 'beta-data/database:5432']);
  t.equal(code, 1);
  t.strictSame(lines.slice(0, 8), [
    'Deployment acme-web/front -> StatefulSet beta-data/database on 5432/TCP: blocked',
    '',
    '  leaving acme-web: blocked',
    '    no rule allows it, and it is isolated by NetworkPolicy acme-web/bulkhead-default-deny and 2 more',
    '  entering beta-data: open',
    '    NetworkPolicy beta-data/database-from-acme spec.ingress[0].from[0].namespaceSelector allows it',
    '',
    'To let it leave acme-web, add a policy for egress on 5432/TCP; the gate between acme and beta is there:',
  ]);
  const file = join(t.testdir({}), 'added.yaml');
  await writeFile(file, lines.slice(9).join('\n'));
  const after = await run(['-f', file, 'acme-web/front', 'beta-data/database:5432']);
  t.equal(after.code, 0, 'with that policy the connection is open');
  t.equal(after.lines[0], 'Deployment acme-web/front -> StatefulSet beta-data/database on 5432/TCP: open');
  const lint = await runCommandLine(['lint', ...example.slice(0, 4), file], { print: () => {}, environment: {} });
  t.equal(lint, 0, 'and the webhook admits it');
});

t.test('what a policy alone cannot mend, it says in the words of the denial', async (t) => {
  const { lines } = await run(['acme-web/front', 'beta-data/cache:6379']);
  t.match(
    lines.join('\n'),
    /Bulkhead would refuse it today:\n {2}matches namespaces of tenant "beta", and the gate of acme/,
  );
  t.equal(lines.filter((line) => line.startsWith('To let it')).length, 2, 'for both sides');
});

t.test('ends are workloads, Services, namespaces, tenants, addresses and names', async (t) => {
  const first = async (...args: readonly string[]) => (await run(args)).lines[0];
  t.equal(
    await first(...toDatabase, 'acme-web/front', 'svc/beta-data/database:5432'),
    'Deployment acme-web/front -> Service beta-data/database on 5432/TCP: open',
  );
  t.equal(
    await first(...toDatabase, 'acme-web/front', 'svc/beta-data/database:sql'),
    'Deployment acme-web/front -> Service beta-data/database on sql/TCP: open',
  );
  t.equal(
    await first('-n', 'acme-web', 'deploy/acme-web/front', 'front:http'),
    'Deployment acme-web/front -> Deployment acme-web/front on http/TCP: open',
  );
  t.equal(await first('ns/acme-web', 'tenant/beta'), 'namespace acme-web -> tenant beta: blocked');
  t.equal(
    await first('acme-web/front', '203.0.113.7:443'),
    'Deployment acme-web/front -> the address 203.0.113.7 on 443/TCP: blocked',
  );
  t.equal(
    await first('acme-web/front', '[2001:db8::1]:443'),
    'Deployment acme-web/front -> the address 2001:db8::1 on 443/TCP: blocked',
  );
  t.equal(
    await first('acme-web/front', 'api.partner.example:443'),
    'Deployment acme-web/front -> the DNS name api.partner.example on 443/TCP: blocked',
  );
  t.equal(
    await first('internet', 'acme-web/front:8080'),
    'the internet -> Deployment acme-web/front on 8080/TCP: blocked',
  );
  t.equal(
    await first('--no-baseline', 'internet', 'acme-web/front:8080'),
    'the internet -> Deployment acme-web/front on 8080/TCP: open',
    'nothing isolates it without the baseline',
  );
});

t.test('who is not there is said, with who is', async (t) => {
  const failing = async (...args: readonly string[]) => {
    const { code, error } = await run(args);
    t.equal(code, 2);
    return error;
  };
  t.equal(
    await failing('acme-web/nix', 'beta-data/cache'),
    'nothing is called nix in the namespace acme-web, which has deployment/acme-web/front',
  );
  t.equal(await failing('nowhere/nix', 'beta-data/cache'), 'there is no namespace nowhere');
  t.equal(
    await failing('acme-web/front', 'svc/acme-web/front:81'),
    'Service acme-web/front has no port 81/TCP; it has 80/TCP',
  );
  t.equal(
    await failing('acme-web/front', 'beta-data/cache:70000'),
    '70000 is not a port: ports are numbers from 1 to 65535',
  );
  t.match(await failing('acme-web/front', 'beta-data/cache:80/ICMP'), /is not a port: write 443, 53\/UDP/);
  t.equal(await failing('acme-web/front', 'tenant/gamma'), 'tenant gamma has no pods on the pod network');
  t.match(await failing('-f', '/nowhere.yaml', 'a/b', 'c/d'), /\/nowhere\.yaml/);
  await t.rejects(run(['acme-web/front']), /explain takes two ends/);
  await t.rejects(run(['a', 'b', 'c']), /explain takes two ends/);
});

t.test('a URL is taught to be written as a host and a port', async (t) => {
  const rows = {
    'http://x:80': 'x:80',
    'https://api.partner.example/orders?a=b': 'api.partner.example:443',
    'HTTP://web': 'web:80',
    'wss://api.partner.example': 'api.partner.example:443',
    'postgres://user:s3cret@db.beta-data.svc/main': 'db.beta-data.svc:5432',
    'postgres://user:s3cret@db.beta-data.svc:6432/?password=s3cret': 'db.beta-data.svc:6432',
    'postgres://user:a/s3cret@db.beta-data.svc/main': 'HOST:PORT',
    'amqp://user:p@s3cret@mq.acme-db:s3cret': 'mq.acme-db:PORT',
    'mysql://db.acme-db/x': 'db.acme-db:PORT',
    'https://[2001:db8::1]/': '[2001:db8::1]:443',
    'redis://[2001:db8::1]/': '[2001:db8::1]:PORT',
    'http:///': 'HOST:80',
  };
  for (const [url, instead] of Object.entries(rows))
    for (const ends of [
      ['acme-web/front', url],
      [url, 'acme-web/front:8080'],
    ]) {
      const { code, error } = await run(ends);
      t.equal(code, 2);
      const scheme = url.slice(0, url.indexOf(':'));
      t.equal(error, `${scheme}://… is a URL: write the host and the port alone, as in ${instead}`);
      t.notMatch(error, 's3cret');
    }
});

t.test('where a named port decides, the answer says what the pod calls its ports', async (t) => {
  const lacking = await run(['acme-web/front', 'beta-data/database:nix']);
  t.strictSame(lacking.lines.slice(1, 4), [
    '',
    '  StatefulSet beta-data/database has no port of that name: it has sql (5432/TCP)',
  ]);
  const policy = (ports: readonly (string | number)[]) =>
    namespaced(
      'NetworkPolicy',
      'by-name',
      { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: ports.map((port) => ({ port })) }] },
      'networking.k8s.io/v1',
    );
  const says = async (...ports: readonly (string | number)[]) =>
    (await run(['-f', await folderOf(t, [policy(ports)]), 'internet', 'acme-web/front:9999'])).lines.join('\n');
  const rule = 'NetworkPolicy acme-web/by-name spec.ingress[0]';
  t.match(await says('http'), `${rule} allows it on 8080/TCP alone, as Deployment acme-web/front calls it http/TCP`);
  t.match(
    await says('grpc'),
    `${rule} allows it on grpc/TCP alone, and Deployment acme-web/front has no port of that name`,
  );
  t.match(
    await says('grpc', 9090),
    `${rule} allows it on 9090/TCP, grpc/TCP alone, and Deployment acme-web/front has no port grpc/TCP\n`,
  );
  t.match(await says('http', 9090), `${rule} allows it on 9090/TCP, http/TCP (8080/TCP) alone\n`);
  t.match(
    await says('http', 'grpc'),
    `${rule} allows it on http/TCP (8080/TCP), grpc/TCP alone, and Deployment acme-web/front has no port grpc/TCP\n`,
  );
});

t.test('-o wide says which rules would allow it, had no denial decided', async (t) => {
  const both = { endpointSelector: {}, egress: [{ toEntities: ['all'] }], egressDeny: [{ toEntities: ['cluster'] }] };
  const folder = await folderOf(t, [namespaced('CiliumNetworkPolicy', 'both', both, 'cilium.io/v2')]);
  const { lines } = await run(['-o', 'wide', '-f', folder, 'acme-web/front', 'beta-data/database:5432']);
  const text = lines.join('\n');
  t.match(text, /CiliumNetworkPolicy acme-web\/both spec\.egressDeny\[0\]\S* denies it$/m);
  t.match(text, /CiliumNetworkPolicy acme-web\/both spec\.egress\[0\]\S* allows it, but the denial decides$/m);
  t.notMatch(text, 'allows it too');
});

t.test('-o wide names every policy that isolates a side, and every rule that lets it through', async (t) => {
  const own = (name: string) =>
    namespaced(
      'NetworkPolicy',
      name,
      { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 8080 }] }] },
      'networking.k8s.io/v1',
    );
  const args = ['-f', await folderOf(t, [own('one'), own('two')]), 'internet', 'acme-web/front:8080'];
  const baseline = 'NetworkPolicy acme-web/bulkhead-default-deny';
  const narrow = await run(args);
  t.notMatch(narrow.lines.join('\n'), 'acme-web/two');
  const wide = await run(['-o', 'wide', ...args]);
  t.equal(wide.lines[3], '    NetworkPolicy acme-web/one spec.ingress[0] allows it');
  t.equal(wide.lines[4], '    NetworkPolicy acme-web/two spec.ingress[0] allows it too');
  t.match(wide.lines[5], /^ {4}it is isolated by NetworkPolicy acme-web\/one, NetworkPolicy acme-web\/two, /);
  t.match(wide.lines[5], baseline);
  const blocked = await run(['-o', 'wide', 'acme-web/front', 'beta-data/database:5432']);
  t.match(
    blocked.lines[3],
    /^ {4}no rule allows it, and it is isolated by NetworkPolicy .*, NetworkPolicy .*, NetworkPolicy /,
  );
  t.notMatch(blocked.lines[3], / more$/);
});

t.test('what is proposed for the internet leaves out what is inside, and is admitted where the grant is', async (t) => {
  const refused = await run(['acme-web/front', 'internet:443']);
  t.match(refused.lines.join('\n'), /an entry of network\.egress of acme with cidr: internet\./);
  const manifest = refused.lines.slice(refused.lines.indexOf('apiVersion: networking.k8s.io/v1')).join('\n');
  const { egress } = parse(manifest).spec;
  t.match(egress[0].to, [{ ipBlock: { cidr: '0.0.0.0/0' } }]);
  t.ok(egress[0].to[0].ipBlock.except.includes('10.0.0.0/8'));

  const tenants = t.testdir({
    'acme.yaml': JSON.stringify({
      ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' } },
      spec: {
        ...{ members: [{ kind: 'User', name: 'alice' }], namespaces: { prefix: 'acme-' } },
        network: { egress: [{ cidr: 'internet', ports: [{ protocol: 'TCP', port: 443 }] }] },
      },
    }),
  });
  const granted = [...example.slice(0, 2), '--tenants', tenants, '-f', 'docs/examples/application'];
  const { lines } = await run(['acme-web/front', 'internet:443'], granted);
  t.match(lines.join('\n'), /^To let it leave acme-web, add a policy for egress on 443\/TCP:$/m);
  const file = join(t.testdirName, '..', 'internet.yaml');
  await writeFile(file, lines.slice(lines.indexOf('apiVersion: networking.k8s.io/v1')).join('\n'));
  t.equal((await run(['-f', file, 'acme-web/front', 'internet:443'], granted)).code, 0, 'it helps');
});

const namespaced = (kind: string, name: string, spec: object, apiVersion: string): object => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'acme-web' },
  spec,
});

async function folderOf(t: Test, objects: readonly object[]): Promise<string> {
  const folder = join(t.testdir({}), 'objects');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'all.yaml'), objects.map((one) => JSON.stringify(one)).join('\n---\n'));
  return folder;
}

t.test('where engines differ, each reading is told, and what is open in one counts', async (t) => {
  const folder = await folderOf(t, [
    namespaced(
      'NetworkPolicy',
      'untyped',
      { podSelector: {}, policyTypes: ['Egress'], ingress: [{}] },
      'networking.k8s.io/v1',
    ),
  ]);
  const { lines, code } = await run(['-f', folder, 'beta-data/cache', 'acme-web/front:8080']);
  t.equal(code, 1, 'beta may not leave');
  t.match(lines, ['By the book: Deployment beta-data/cache -> Deployment acme-web/front on 8080/TCP: blocked']);
  t.ok(
    lines.includes(
      '    NetworkPolicy acme-web/untyped spec.ingress[0] allows it, although policyTypes leaves that direction out',
    ),
  );
});

t.test('the internet is what no rule names by itself', async (t) => {
  const egress = (name: string, cidr: string, except: readonly string[] = []) =>
    namespaced(
      'NetworkPolicy',
      name,
      {
        podSelector: {},
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr, except } }], ports: [{ port: 443 }] }],
      },
      'networking.k8s.io/v1',
    );
  const first = async (policy: object) =>
    (await run(['-f', await folderOf(t, [policy]), 'acme-web/front', 'internet:443'])).lines[0];
  t.match(await first(egress('partner', '203.0.113.0/24')), /: blocked$/);
  t.match(await first(egress('wide', '1.0.0.0/8')), /: blocked$/);
  t.match(await first(egress('all', '0.0.0.0/0', ['10.0.0.0/8', '1.1.1.1/32'])), /: open$/);
});

t.test('explain asks about each piece of the internet, for each address family of the cluster', async (t) => {
  const acme = {
    ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' } },
    spec: {
      ...{ members: [{ kind: 'User', name: 'alice' }], namespaces: { prefix: 'acme-' } },
      network: { egress: [{ cidr: 'internet', ports: [{ protocol: 'TCP', port: 443 }] }] },
    },
  };
  const asked = async (ipFamilies: readonly string[], ...cidrs: readonly string[]) => {
    const config = join(t.testdir({}), 'bulkhead.yaml');
    const v4 = { podCIDRs: ['10.244.0.0/16'], serviceCIDRs: ['10.96.0.0/12'], nodeCIDRs: ['192.168.0.0/16'] };
    const v6 = { podCIDRs: ['fd00:10::/56'], serviceCIDRs: ['fd00:20::/112'], nodeCIDRs: ['fd00:30::/64'] };
    const of = (field: keyof typeof v4) => [
      ...(ipFamilies.includes('IPv4') ? v4[field] : []),
      ...(ipFamilies.includes('IPv6') ? v6[field] : []),
    ];
    const network = {
      ipFamilies,
      ...{ podCIDRs: of('podCIDRs'), serviceCIDRs: of('serviceCIDRs'), nodeCIDRs: of('nodeCIDRs') },
    };
    const settings = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Settings', spec: { network } };
    const to = cidrs.map((cidr) => ({ ipBlock: { cidr } }));
    const egress = [{ to, ports: [{ port: 443 }] }];
    const spec = { podSelector: {}, policyTypes: ['Egress'], ...(to.length > 0 && { egress }) };
    const policy = namespaced('NetworkPolicy', 'out', spec, 'networking.k8s.io/v1');
    const file = join(t.testdirName, 'objects.yaml');
    const tenants = join(t.testdirName, 'acme.yaml');
    await writeFile(tenants, JSON.stringify(acme));
    await writeFile(config, JSON.stringify(settings));
    await writeFile(file, JSON.stringify(policy));
    const base = ['--config', config, '--tenants', tenants, ...example.slice(4), '--no-baseline', '-f', file];
    const { lines, error } = await run(['acme-web/front', 'internet:443'], base);
    t.equal(error, '');
    const manifest = lines.slice(lines.indexOf('apiVersion: networking.k8s.io/v1'));
    const end = manifest.findIndex((line) => line.startsWith('Note: '));
    return { lines, manifest: manifest.slice(0, end < 0 ? undefined : end).join('\n') };
  };
  const both = ['IPv4', 'IPv6'];
  const verdict = ({ lines }: { readonly lines: readonly string[] }) => lines[0]?.split(': ').at(-1);
  const blocks = ({ manifest }: { readonly manifest: string }) =>
    parse(manifest).spec.egress[0].to.map(({ ipBlock }: { ipBlock: { cidr: string } }) => ipBlock.cidr);

  t.equal(verdict(await asked(both, '0.0.0.0/0', '::/0')), 'open');
  for (const [families, cidr] of [
    [both, '0.0.0.0/0'],
    [both, '::/0'],
    [['IPv4'], '128.0.0.0/1'],
    [['IPv6'], '2000::/4'],
  ] as const)
    t.equal(verdict(await asked(families, cidr)), 'partly open', cidr);
  t.equal(verdict(await asked(['IPv6'], '::/0')), 'open', 'there are no IPv4 addresses');
  t.equal(verdict(await asked(['IPv6'], '0.0.0.0/0')), 'blocked');
  t.equal(verdict(await asked(both, '2001:db8::/32', '203.0.113.0/24')), 'blocked', 'places are no internet');

  const half = (await asked(['IPv4'], '128.0.0.0/1')).lines.join('\n');
  t.match(half, /^ {2}\S+ acme-web\/front -> the internet \(128\.\S+\)( \(and \d+ more\))?: open on 443\/TCP$/m);
  t.match(half, /^ {2}\S+ acme-web\/front -> the internet \(0\.\S+\)( \(and \d+ more\))?: blocked$/m);

  t.strictSame(blocks(await asked(both)), ['0.0.0.0/0', '::/0']);
  const proposed = await asked(['IPv6']);
  t.strictSame(blocks(proposed), ['::/0']);
  t.notMatch(proposed.lines.join('\n'), 'refuse', 'and it is within the grant');
  t.strictSame(blocks(await asked(['IPv4'])), ['0.0.0.0/0']);

  const many = Array.from({ length: 2000 }, (_, at) => `${(0x2000 + at).toString(16)}::/15`).filter(
    (_, at) => at % 4 === 0,
  );
  const cutUp = await asked(['IPv6'], ...many);
  t.equal(verdict(cutUp), 'partly open');
  t.match(
    cutUp.lines.at(-1),
    /^Note: policies cut the internet into many pieces, and the \d+ smallest are left out\.$/,
  );
});

t.test('a denial is named, and no policy is proposed against it', async (t) => {
  const deny = {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'no-databases' },
    spec: {
      tier: 'Admin',
      priority: 10,
      subject: { namespaces: {} },
      egress: [
        {
          action: 'Deny',
          to: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'database' } } } }],
        },
      ],
    },
  };
  const { lines } = await run([
    ...toDatabase,
    '-f',
    await folderOf(t, [deny]),
    'acme-web/front',
    'beta-data/database:5432',
  ]);
  t.ok(lines.includes('    ClusterNetworkPolicy no-databases spec.egress[0].to[0] denies it'));
  t.equal(
    lines.at(-1),
    'To let it leave acme-web: ClusterNetworkPolicy no-databases spec.egress[0].to[0] denies it, and a NetworkPolicy does not change that. The platform has to narrow or remove that rule.',
  );
});

t.test('a policy is proposed only where it helps', async (t) => {
  const withPolicies = async (policies: readonly object[], ...args: readonly string[]) => {
    const { lines } = await run(['-f', await folderOf(t, policies), ...args]);
    return lines;
  };
  const calico = (kind: string, name: string, spec: object, namespace?: string) => ({
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec,
  });
  const ends = ['acme-web/front', 'beta-data/database:5432'];
  const remedies = (lines: readonly string[]) => lines.filter((line) => line.startsWith('To let it'));
  const hasManifest = (lines: readonly string[]) => lines.some((line) => line.startsWith('kind:'));

  const tier = calico('Tier', 'security', { order: 100 });
  const closing = calico('GlobalNetworkPolicy', 'security.out', {
    ...{ tier: 'security', selector: 'app == "web"', types: ['Egress'] },
    egress: [{ action: 'Allow', destination: { nets: ['192.0.2.0/24'] } }],
  });
  const inTier = await withPolicies([tier, closing], ...ends);
  t.match(remedies(inTier), [
    /^To let it leave acme-web: the tier security isolates it by GlobalNetworkPolicy security\.out, and comes before .* The platform has to allow it there/,
  ]);
  t.notOk(hasManifest(inTier), 'a policy in a later tier is not asked');

  const denying = calico(
    'NetworkPolicy',
    'default.late',
    {
      ...{ order: 2000, selector: 'all()', types: ['Egress'], egress: [{ action: 'Deny' }] },
    },
    'acme-web',
  );
  const after = await withPolicies([denying], '--no-baseline', ...ends);
  t.match(remedies(after), [/^To let it leave acme-web, add a policy/], 'NetworkPolicies come before order 2000');
  t.ok(hasManifest(after));

  const cilium = namespaced(
    'CiliumNetworkPolicy',
    'no',
    { endpointSelector: {}, egressDeny: [{ toEntities: ['cluster'] }] },
    'cilium.io/v2',
  );
  const denied = await withPolicies([cilium], ...ends);
  t.match(remedies(denied), [
    /CiliumNetworkPolicy acme-web\/no spec\.egressDeny\[0\]\S* denies it, and a NetworkPolicy does not change that\. Narrow or remove that rule\./,
  ]);
  t.notOk(hasManifest(denied));

  const baseline = {
    ...{ apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name: 'base' } },
    spec: {
      tier: 'Baseline',
      priority: 1,
      subject: { namespaces: {} },
      egress: [{ action: 'Deny', to: [{ namespaces: {} }] }],
    },
  };
  const last = await withPolicies([baseline], '--no-baseline', ...ends);
  t.match(remedies(last), [/add a policy .*It isolates these pods for egress, so allow what else they need too:$/]);

  const onNode = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'agent', namespace: 'beta-data', labels: { app: 'agent' } } },
    spec: { hostNetwork: true },
  };
  const toNode = await withPolicies([onNode], 'acme-web/front', 'beta-data/agent:80');
  t.match(remedies(toNode), [/Pod beta-data\/agent is on the network of a node, .* Ask the platform for it/]);
  t.notOk(hasManifest(toNode));
});

t.test('a node is named by no NetworkPolicy, and its labels are not read', async (t) => {
  const { lines } = await run(['acme-web/front', 'node:443']);
  t.match(lines.join('\n'), /^To let it leave acme-web: no NetworkPolicy selects nodes\. Ask the platform for it: /m);
  t.notMatch(lines.join('\n'), 'is on the network of a node');
  const egressDeny = [{ toNodes: [{ matchLabels: { role: 'db' } }] }];
  const spec = { endpointSelector: {}, egress: [{ toEntities: ['all'] }], egressDeny };
  const folder = await folderOf(t, [namespaced('CiliumNetworkPolicy', 'nodes', spec, 'cilium.io/v2')]);
  const open = await run(['-f', folder, '--no-baseline', 'acme-web/front', 'node:443']);
  t.match(open.lines[0], /: open/);
  t.equal(
    open.lines.at(-1),
    'Note: labels of nodes are not read, so a rule that allows some nodes allows all here, and a denial of some denies none.',
  );
});

t.test('a proposal does not have the name of a policy that is there', async (t) => {
  const own = (name: string) =>
    namespaced('NetworkPolicy', name, { podSelector: { matchLabels: { app: 'other' } } }, 'networking.k8s.io/v1');
  const folder = await folderOf(t, [own('front-to-database'), own('front-to-database-2')]);
  const { lines } = await run(['-f', folder, 'acme-web/front', 'beta-data/database:5432']);
  t.ok(lines.includes('  name: front-to-database-3'), lines.join('\n'));
});

t.test('JSON and YAML say the same, and what is not understood is noted', async (t) => {
  const odd = namespaced(
    'CiliumNetworkPolicy',
    'odd',
    { endpointSelector: {}, egress: [{ toGroups: [{ aws: {} }] }] },
    'cilium.io/v2',
  );
  const args = ['-f', await folderOf(t, [odd]), 'acme-web/front', 'beta-data/database:5432'];
  const json = JSON.parse((await run([...args, '-o', 'json'])).lines.join('\n'));
  t.strictSame(parse((await run([...args, '-o', 'yaml'])).lines.join('\n')), json);
  t.match(json, {
    from: 'Deployment acme-web/front',
    port: '5432/TCP',
    verdict: 'blocked',
    readings: [{ reading: 'Cilium', verdict: 'blocked', pairs: [{ pairs: 1, open: 'no port' }] }],
    isUnderstood: false,
    unread: [{ policy: 'CiliumNetworkPolicy acme-web/odd', field: 'spec.egress[0].toGroups[0]', reason: /^takes/ }],
    notes: [],
  });
});

t.test('an answer that rests on what is not understood says so, and ends with 2', async (t) => {
  const says = async (policies: readonly object[], ...args: readonly string[]) => {
    const ends = args.length > 0 ? args : [...toDatabase, 'acme-web/front', 'beta-data/database:5432'];
    return await run(['-f', await folderOf(t, policies), ...ends]);
  };
  const cilium = (name: string, spec: object, kind = 'CiliumNetworkPolicy') =>
    namespaced(kind, name, { endpointSelector: {}, ...spec }, 'cilium.io/v2');
  const title = 'Deployment acme-web/front -> StatefulSet beta-data/database on 5432/TCP: ';
  const egress = [{ toGroups: [{ aws: {} }] }];

  const allowing = await says([cilium('odd', { egress })], 'acme-web/front', 'beta-data/database:5432');
  t.equal(allowing.code, 2);
  t.equal(allowing.lines[0], `${title}blocked, as far as it is understood`);
  t.match(
    allowing.lines.join('\n'),
    /\nNot understood, so more .*:\n {2}CiliumNetworkPolicy acme-web\/odd spec\.egress\[0\]/,
  );

  const denying = await says([cilium('no', { egressDeny: egress })]);
  t.equal(denying.code, 2);
  t.equal(denying.lines[0], `${title}open, as far as it is understood`);
  t.match(denying.lines.join('\n'), / {2}CiliumNetworkPolicy acme-web\/no spec\.egressDeny\[0\]\.toGroups\[0\]: takes/);

  const wide = { apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy', metadata: { name: 'wide' } };
  const clusterwide = await says([{ ...wide, specs: [{ endpointSelector: {}, egressDeny: egress }] }]);
  t.match(clusterwide.lines.join('\n'), /NetworkPolicy wide specs\[0\]\.egressDeny\[0\]\.toGroups\[0\]: takes/);

  const elsewhere = { endpointSelector: { matchLabels: { app: 'other' } }, egressDeny: egress };
  for (const [why, spec] of [
    ['about other pods', elsewhere],
    ['about the other direction', { ingressDeny: [{ fromGroups: [{ aws: {} }] }] }],
  ] as const)
    t.equal((await says([cilium('no', spec)])).lines[0], `${title}open`, `a part ${why} changes nothing`);

  const nodes = {
    ...{ apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name: 'nodes' } },
    spec: {
      ...{ tier: 'Admin', priority: 1, subject: { namespaces: {} } },
      egress: [{ action: 'Deny', to: [{ nodes: {} }] }],
    },
  };
  t.match((await says([nodes])).lines, [`${title}open, as far as it is understood`], 'denials of nodes are not read');
});

t.test('the field of a denial of Cilium is where it is written', async (t) => {
  const to = [{ toEndpoints: [{ matchLabels: { app: 'database', 'io.kubernetes.pod.namespace': 'beta-data' } }] }];
  const deny = namespaced('CiliumNetworkPolicy', 'no', { endpointSelector: {}, egressDeny: to }, 'cilium.io/v2');
  const { lines } = await run([
    '-f',
    await folderOf(t, [deny]),
    ...toDatabase,
    'acme-web/front',
    'beta-data/database:5432',
  ]);
  t.match(lines.join('\n'), /CiliumNetworkPolicy acme-web\/no spec\.egressDeny\[0\]\.toEndpoints\[0\]\S* denies it/);
});

t.test('pods without labels get no policy that would be for the whole namespace', async (t) => {
  const bare = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace: 'beta-data' }, spec: {} };
  const { lines } = await run(['-f', await folderOf(t, [bare]), 'acme-web/front', 'beta-data/bare:80']);
  t.match(lines.join('\n'), /pods without labels of their own, so no policy can name them alone/);
  t.notOk(
    lines.some((line) => line.startsWith('kind:')),
    'nothing is proposed',
  );
});

t.test('an end that is not found is said with the files that could not be read', async (t) => {
  const folder = t.testdir({
    'cyclic.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: &a { name: web, namespace: other, labels: *a }\nspec: {}\n',
  });
  const { code, error } = await run(['-f', folder, 'other/web', 'acme-web/front:80']);
  t.equal(code, 2);
  t.match(error, /^there is no namespace other\n\S*cyclic\.yaml:3:\d+: nests more than 64 levels deep/);
});

t.test('control characters in names do not reach the terminal', async (t) => {
  const { error } = await run(['acme-web/\u001b[31mfront', 'beta-data/cache']);
  t.notOk(error.includes('\u001b'), error);
});

t.test('one pod with itself is no question for policies', async (t) => {
  const alone = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'alone', namespace: 'acme-web', labels: { app: 'alone' } },
  };
  const file = await folderOf(t, [alone]);
  const { code, error } = await run(['-f', file, 'acme-web/alone', 'acme-web/alone:80']);
  t.equal(code, 2);
  t.match(error, /alone is one pod, and no policy decides about a pod with itself/);
});

t.test('a selector of Calico matches the addresses of a NetworkSet', async (t) => {
  const file = join(t.testdir({}), 'sets.yaml');
  const calico = (kind: string, namespace: string, name: string, labels: object, spec: object) => ({
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: { ...(namespace !== '' && { namespace }), name, labels },
    spec,
  });
  const destination = { selector: 'partner == "yes"', namespaceSelector: 'all()' };
  const out = { selector: 'all()', order: 1, types: ['Egress'], egress: [{ action: 'Allow', destination }] };
  const write = async (...objects: readonly object[]) => {
    await writeFile(file, objects.map((one) => JSON.stringify(one)).join('\n---\n'));
    return await run(['-f', file, 'acme-web/front', '203.0.113.7:443']);
  };
  const rule = calico('NetworkPolicy', 'acme-web', 'out', {}, out);
  const nets = { nets: ['203.0.113.0/24'] };
  const { code, lines } = await write(rule, calico('NetworkSet', 'acme-api', 'partner', { partner: 'yes' }, nets));
  t.equal(code, 0);
  t.match(lines.join('\n'), /NetworkPolicy acme-web\/out spec.egress\[0\].destination allows it/);
  const global = await write(rule, calico('GlobalNetworkSet', '', 'partner', { partner: 'yes' }, nets));
  t.equal(global.code, 1, 'all() is about namespaces');
  const odd = await write(rule, calico('NetworkSet', 'acme-api', 'partner', {}, { nets: ['203.0.113.0/33'] }));
  t.equal(odd.code, 2);
  t.match(odd.lines.join('\n'), /NetworkSet acme-api\/partner spec.nets\[0\]/);
});

const istio = (kind: string, place: string, spec: object) => {
  const [namespace, name] = place.split('/');
  return { apiVersion: 'security.istio.io/v1', kind, metadata: { namespace, name }, spec };
};
const inMesh = (name: string, tenant: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'istio-injection': 'enabled', 'bulkhead.dev/tenant': tenant } },
});

t.test('a policy of a mesh blocks what network policies let through', async (t) => {
  const file = join(t.testdir({}), 'mesh.yaml');
  const ends = [...toDatabase, '-f', file, 'acme-web/front', 'beta-data/database:5432'];
  const write = async (...objects: readonly object[]) => {
    const all = [inMesh('acme-web', 'acme'), inMesh('beta-data', 'beta'), ...objects];
    await writeFile(file, all.map((one) => JSON.stringify(one)).join('\n---\n'));
  };
  await write(istio('AuthorizationPolicy', 'beta-data/nobody', {}));
  const { code, lines } = await run(ends);
  t.equal(code, 1);
  t.strictSame(lines, [
    'Deployment acme-web/front -> StatefulSet beta-data/database on 5432/TCP: blocked at layer 7',
    '',
    '  leaving acme-web: open',
    '    NetworkPolicy acme-web/to-beta-database spec.egress[0].to[0].namespaceSelector allows it',
    '  entering beta-data: open',
    '    NetworkPolicy beta-data/database-from-acme spec.ingress[0].from[0].namespaceSelector allows it',
    '  layer 7 of beta-data: blocked',
    '    AuthorizationPolicy beta-data/nobody allows no caller, as it has no rules',
    '',
    'To let it through at layer 7: Add a rule with source.namespaces: [acme-web] and operation.ports: ["5432"] to AuthorizationPolicy beta-data/nobody. Ask bulkhead lint whether Bulkhead admits it.',
  ]);
  const document = JSON.parse((await run(['-o', 'json', ...ends])).lines.join('\n'));
  t.equal(document.verdict, 'blocked');
  t.match(document.readings[0].pairs[0].layer7, {
    open: 'all/UDP, all/SCTP',
    decisions: [{ says: 'allows none', policy: 'AuthorizationPolicy beta-data/nobody' }],
  });

  const rule = { from: [{ source: { namespaces: ['acme-web'] } }], to: [{ operation: { methods: ['GET'] } }] };
  await write(istio('AuthorizationPolicy', 'beta-data/reads', { rules: [rule] }));
  const some = await run(ends);
  t.equal(some.code, 0);
  t.match(some.lines[0], /: open, for requests that match at layer 7$/);
  t.match(
    some.lines.join('\n'),
    /AuthorizationPolicy beta-data\/reads spec.rules\[0\] allows it, for requests with mutual TLS; methods GET \(as TCP, it allows nothing\)/,
  );

  const gets = { action: 'DENY', rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };
  await write(istio('AuthorizationPolicy', 'beta-data/gets', gets));
  t.match(
    (await run(ends)).lines.join('\n'),
    /denies it, for requests with methods GET \(as TCP, without the fields of HTTP\)/,
  );

  const nobody = istio('AuthorizationPolicy', 'beta-data/nobody', {});
  await write(nobody, istio('PeerAuthentication', 'beta-data/off', { mtls: { mode: 'DISABLE' } }));
  const off = await run(ends);
  t.match(
    off.lines.at(-1),
    /Take both ends into the mesh with mutual TLS first, as the caller has no identity\. Add a rule/,
  );

  await writeFile(file, JSON.stringify(nobody));
  const perhaps = await run(ends);
  t.equal(perhaps.code, 0);
  t.match(perhaps.lines[0], /: open, and blocked at layer 7 where the called pods are in the mesh$/);
  t.match(perhaps.lines.join('\n'), /layer 7 of beta-data: blocked where the pods are in the mesh/);

  await write(istio('AuthorizationPolicy', 'beta-data/denies', { action: 'DENY', rules: [{}] }));
  const denied = await run(ends);
  t.equal(denied.code, 1);
  t.match(denied.lines.at(-1), /Narrow or remove spec.rules\[0\] of AuthorizationPolicy beta-data\/denies\.$/);
});

t.test('mutual TLS keeps callers out who are outside of the mesh', async (t) => {
  const file = join(t.testdir({}), 'strict.yaml');
  const outside = { ...inMesh('acme-web', 'acme') };
  outside.metadata.labels['istio-injection'] = 'disabled';
  const objects = [
    outside,
    inMesh('beta-data', 'beta'),
    istio('PeerAuthentication', 'beta-data/default', { mtls: { mode: 'STRICT' } }),
  ];
  await writeFile(file, objects.map((one) => JSON.stringify(one)).join('\n---\n'));
  const { code, lines } = await run([...toDatabase, '-f', file, 'acme-web/front', 'beta-data/database:5432']);
  t.equal(code, 1);
  t.match(
    lines.join('\n'),
    /PeerAuthentication beta-data\/default demands mutual TLS, and the caller is outside of the mesh/,
  );
});

t.test('rules of Cilium for some requests are said, also in JSON', async (t) => {
  const file = join(t.testdir({}), 'http.yaml');
  const toPorts = [
    { ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/orders' }] } },
    { ports: [{ port: '5432', protocol: 'TCP' }] },
  ];
  const rule = { toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'acme-web' } }], toPorts };
  const policy = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { namespace: 'lab', name: 'out' },
    spec: { endpointSelector: {}, egress: [rule] },
  };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'lab', name: 'probe', labels: { app: 'probe' } },
    spec: {},
  };
  const target = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'lab2', name: 'web', labels: { app: 'web' } },
    spec: {},
  };
  rule.toEndpoints = [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'lab2' } }];
  await writeFile(file, [policy, pod, target].map((one) => JSON.stringify(one)).join('\n---\n'));
  const http = await run(['-f', file, 'lab/probe', 'lab2/web:80']);
  t.match(http.lines[0], /: open, for requests that match at layer 7$/);
  t.match(
    http.lines.join('\n'),
    /CiliumNetworkPolicy lab\/out spec.egress\[0\].toEndpoints\[0\] allows it, for GET \/orders alone/,
  );
  const sql = await run(['-f', file, 'lab/probe', 'lab2/web:5432']);
  t.match(sql.lines[0], /: open$/);
  const document = JSON.parse((await run(['-o', 'json', '-f', file, 'lab/probe', 'lab2/web:80'])).lines.join('\n'));
  t.match(document.readings[0].pairs[0], {
    onlyForSomeRequests: '80/TCP',
    sides: [{ decisions: [{ layer7: ['GET /orders'] }] }],
  });
});

t.test('a Service is known by its name in the DNS', async (t) => {
  const services = ['database', 'elsewhere'].map((name) => ({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'beta-data', name } },
    spec: { selector: { app: name === 'database' ? name : 'nothing' }, ports: [{ port: 5432 }] },
  }));
  const items = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: services });
  const base = [...example, ...toDatabase, '-f', join(t.testdir({ 'services.json': items }), 'services.json')];
  const by = (name: string) => run(['acme-web/front', `${name}:5432`], base);
  const { code, lines } = await by('service/beta-data/database');
  t.match(lines[0], /-> Service beta-data\/database on 5432\/TCP: /);
  for (const name of [
    'database.beta-data',
    'database.beta-data.svc',
    'Database.beta-data.svc.cluster.local',
    'database.beta-data.svc.cluster.local.',
  ])
    t.strictSame(await by(name), { code, lines, error: '' }, name);
  for (const name of ['databas.beta-data.svc', 'database.gone.svc.cluster.local', 'elsewhere.beta-data'])
    t.match(await by(name), { code: 2, error: /database|namespace gone|selects no pod/ }, name);
  t.match((await by('api.example')).lines[0], /the DNS name api\.example/, 'another name is one of the internet');
});

t.test('a pod of a cluster is known by its own name, and a CronJob by those of its Jobs', (t) => {
  const pod = (name: string, kind: string, maker: string, labels: object = {}, spec: object = {}) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', spec },
    metadata: { namespace: 'acme-web', name, labels, ownerReferences: [{ kind, name: maker, controller: true }] },
  });
  const tenancy = tenancyOf({ tenants: { acme: { members: [{ kind: 'User', name: 'alice' }] } } });
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme' } } },
    pod('web-5d4f8c-x7k2p', 'ReplicaSet', 'web-5d4f8c', { app: 'web', 'pod-template-hash': '5d4f8c' }),
    pod('db-0', 'StatefulSet', 'db', { app: 'db' }),
    pod('backup-29384756-x7k2p', 'Job', 'backup-29384756', { app: 'backup' }),
    pod('agent-x7k2p', 'DaemonSet', 'agent', { app: 'agent' }, { hostNetwork: true }),
  ];
  const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const cases: Readonly<Record<string, string>> = {
    'pod/acme-web/web-5d4f8c-x7k2p': 'Deployment acme-web/web',
    'acme-web/web-5d4f8c-x7k2p': 'Deployment acme-web/web',
    'pod/acme-web/db-0': 'StatefulSet acme-web/db',
    'pod/acme-web/backup-29384756-x7k2p': 'Job acme-web/backup-29384756',
    'cronjob/acme-web/backup': 'Job acme-web/backup-29384756',
    'acme-web/backup': 'Job acme-web/backup-29384756',
    'pod/acme-web/agent-x7k2p': 'DaemonSet acme-web/agent',
    'pod/acme-web/web-0': '',
    'deployment/acme-web/web-5d4f8c-x7k2p': '',
    'pod/acme-web/web': '',
  };
  for (const [asked, expected] of Object.entries(cases)) {
    const found = findEnd(asked, 'default', snapshot, parties, tenancy.settings);
    t.equal('unknown' in found ? '' : found.name, expected, asked);
  }
  t.end();
});
