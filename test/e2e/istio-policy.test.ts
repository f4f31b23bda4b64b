/** A tenant's policies of Istio with the real definitions and a real kubectl: every way to write one. */
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { guard } from './guarded-cluster.ts';

const policy = (name: string, spec: object, namespace = 'acme-web', version = 'v1') => ({
  apiVersion: `security.istio.io/${version}`,
  kind: 'AuthorizationPolicy',
  metadata: { name, namespace },
  spec,
});
const from = (...sources: object[]) => ({ rules: [{ from: sources.map((source) => ({ source })) }] });
const own = policy('own', from({ namespaces: ['acme-web'] }));
const patched = (patch: object) => [
  ...['-n', 'acme-web', 'patch', 'authorizationpolicies', 'own', '--type=merge', '-p'],
  JSON.stringify(patch),
];

await networkKindsTest('AuthorizationPolicies of a tenant', async (t, plane) => {
  const cluster = await guard(plane);
  t.teardown(() => cluster.stop());
  const [alice, bob, platform] = await Promise.all(
    (['alice', 'bob', 'platform'] as const).map((one) => cluster.kubeconfig(one)),
  );
  const kubectl = (words: readonly string[], object?: object, kubeconfig = alice) =>
    plane.kubectl(kubeconfig ?? '', words, object === undefined ? {} : { stdin: JSON.stringify(object) });
  const create = ['create', '-f', '-'];
  for (const [name, person] of [
    ['acme-web', alice],
    ['acme-db', alice],
    ['beta-data', bob],
  ] as const)
    t.match(await kubectl(create, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, person), { code: 0 });

  await t.test('one inside the tenant is created, in both versions', async (t) => {
    t.match(await kubectl(create, own), { code: 0, stderr: '' });
    const older = policy('older', from({ principals: ['cluster.local/ns/acme-db/*'] }), 'acme-web', 'v1beta1');
    t.match(await kubectl(create, older), { code: 0, stderr: '' });
  });

  await t.test(
    'SVC-11: one that lets others in is refused with a witness and a fix, and created once mended',
    async (t) => {
      const { code, stderr } = await kubectl(create, policy('open', { rules: [{}] }));
      t.equal(code, 1);
      t.match(stderr, 'denied the request: AuthorizationPolicy acme-web/open: allows traffic from other tenants');
      t.match(stderr, 'names no caller, so it allows every identity, and callers without one');
      t.match(stderr, 'for example a caller without an identity, such as a pod outside the mesh');
      t.match(stderr, 'fix: write namespaces: ["acme-web"] in a source of its from');
      t.match(await kubectl(create, policy('open', from({ namespaces: ['acme-web'] }))), { code: 0, stderr: '' });
    },
  );

  await t.test('every text that can match an identity of others is refused', async (t) => {
    const rows: readonly (readonly [source: object, says: string])[] = [
      [{ principals: ['cluster.local/ns/acm*'] }, 'spec.rules[0].from[0].source.principals[0]'],
      [{ principals: ['*/sa/web'] }, 'a pod with the service account web in the namespace not-acme'],
      [{ principals: ['clus*/ns/beta-data/sa/web'] }, 'names the namespace beta-data'],
      [{ principals: ['other.example/ns/acme-web/sa/web'] }, 'names the trust domain "other.example"'],
      [{ namespaces: ['*'] }, 'matches namespaces of other tenants, including ones created later'],
      [{ namespaces: ['beta-data'] }, 'names the namespace beta-data, but that name is not reserved for acme'],
      [{ namespaces: ['kube-system'] }, "which is the platform's"],
      [{ serviceAccounts: ['beta-data/web'] }, 'names the namespace beta-data'],
      [{ notNamespaces: ['beta-data'] }, 'only leaves callers out'],
      [{ requestPrincipals: ['*'] }, 'names no caller'],
      [{ remoteIpBlocks: ['203.0.113.0/24'] }, 'names no caller'],
      [{ ipBlocks: ['0.0.0.0/0'] }, 'covers addresses of the pod network'],
    ];
    for (const [source, says] of rows) {
      const { code, stderr } = await kubectl(create, policy('tried', from(source)));
      t.equal(code, 1, JSON.stringify(source));
      t.match(stderr, says);
    }
    t.match(await kubectl(create, policy('tried', { rules: [{ from: [] }] })), { code: 1, stderr: /names no caller/ });
    const custom = { action: 'CUSTOM', provider: { name: 'login' }, rules: [{}] };
    t.match(await kubectl(create, policy('tried', custom)), { code: 1, stderr: /the provider "login"/ });
  });

  await t.test('a gate admits the namespaces of its tenant on its ports', async (t) => {
    const fromAcme = (port: string) =>
      policy(
        'from-acme',
        { rules: [{ from: [{ source: { namespaces: ['acme-web'] } }], to: [{ operation: { ports: [port] } }] }] },
        'beta-data',
      );
    const { code, stderr } = await kubectl(create, fromAcme('80'), bob);
    t.equal(code, 1);
    t.match(stderr, 'names the namespace acme-web of tenant "acme", and the gate of beta does not open 80/TCP');
    t.match(stderr, 'fix: list only ports that the gate opens, by number: 5432/TCP');
    t.match(await kubectl(create, fromAcme('5432'), bob), { code: 0, stderr: '' });
  });

  await t.test('a shared service is let in by its service account, on its port', async (t) => {
    const ingress = (account: string, port: string) => ({
      rules: [
        {
          from: [{ source: { principals: [`cluster.local/ns/ingress-nginx/sa/${account}`] } }],
          to: [{ operation: { ports: [port] } }],
        },
      ],
    });
    t.match(await kubectl(create, policy('ingress', ingress('default', '8080'))), {
      ...{ code: 1, stderr: /more of the namespace ingress-nginx than its shared service ingress/ },
    });
    t.match(await kubectl(create, policy('ingress', ingress('ingress-nginx', '9090'))), {
      ...{ code: 1, stderr: /opens 9090\/TCP, and the shared service ingress is open on its own ports alone/ },
    });
    t.match(await kubectl(create, policy('ingress', ingress('ingress-nginx', '8080'))), { code: 0, stderr: '' });
  });

  await t.test('a dry run says the same', async (t) => {
    const server = ['create', '--dry-run=server', '-f', '-'];
    t.match(await kubectl(server, policy('try', { rules: [{}] })), { code: 1 });
    t.match(await kubectl(server, policy('try', {})), { code: 0, stderr: '' });
  });

  await t.test('what an update adds is judged', async (t) => {
    t.match(await kubectl(patched({ spec: { rules: [{}] } })), { code: 1, stderr: /names no caller/ });
    t.match(await kubectl(patched({ metadata: { annotations: { note: 'read' } } })), { code: 0, stderr: '' });
    const dryRun = { metadata: { annotations: { 'istio.io/dry-run': 'true' } }, spec: { rules: [{}] } };
    t.match(await kubectl(patched(dryRun)), { code: 0, stderr: '' });
    const enforced = { metadata: { annotations: { 'istio.io/dry-run': 'no' } } };
    t.match(await kubectl(patched(enforced)), { code: 1, stderr: /names no caller/ }, 'a dry-run that ends');
  });

  await t.test('server-side apply is judged', async (t) => {
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
    t.match(await kubectl(apply, policy('open', from({ namespaces: ['*'] }))), { code: 1, stderr: /other tenants/ });
    t.match(await kubectl(apply, policy('open', from({ namespaces: ['acme-db'] }))), { code: 0 });
  });

  await t.test('the platform writes what it likes in its own namespaces', async (t) => {
    t.match(await kubectl(create, policy('mesh-wide', { rules: [{}] }, 'default'), platform), { code: 0, stderr: '' });
  });

  const mtls = (spec: object, name = 'default', namespace = 'acme-web') => ({
    ...policy(name, spec, namespace),
    kind: 'PeerAuthentication',
  });
  const web = { matchLabels: { app: 'web' } };

  await t.test('I26: a PeerAuthentication keeps mutual TLS, for each port as well', async (t) => {
    const loose = { code: 1, stderr: /acme must keep STRICT, and PERMISSIVE also takes callers by plain text/ };
    t.match(await kubectl(create, mtls({ mtls: { mode: 'PERMISSIVE' } })), loose);
    const ofPort = { selector: web, mtls: { mode: 'STRICT' }, portLevelMtls: { 8080: { mode: 'PERMISSIVE' } } };
    t.match(await kubectl(create, mtls(ofPort, 'web')), loose);
    t.match((await kubectl(create, mtls(ofPort, 'web'))).stderr, 'spec.portLevelMtls[8080].mode');
    const none = { code: 1, stderr: /DISABLE takes plain text alone/ };
    t.match(await kubectl(create, mtls({ mtls: { mode: 'DISABLE' } })), none);
    t.match(
      await kubectl(create, { ...mtls({ mtls: { mode: 'DISABLE' } }), apiVersion: 'security.istio.io/v1beta1' }),
      none,
    );
    t.match(await kubectl(create, mtls({ mtls: { mode: 'permissive' } })), { code: 1, stderr: /Unsupported value/ });
    t.match(await kubectl(create, mtls({ mtls: { mode: 'STRICT' } })), { code: 0, stderr: '' });
    t.match(await kubectl(create, mtls({ selector: web, mtls: { mode: 'UNSET' } }, 'web')), { code: 0, stderr: '' });
    const change = (mode: string) => [
      '-n',
      'acme-web',
      'patch',
      'peerauthentications',
      'default',
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { mtls: { mode } } }),
    ];
    t.match(await kubectl(change('PERMISSIVE')), loose);
    t.match(await kubectl(change('DISABLE'), undefined, platform), { code: 0, stderr: '' }, 'the platform may');
    t.match(await kubectl(['-n', 'acme-web', 'label', 'peerauthentications', 'default', 'team=web']), {
      code: 0,
      stderr: '',
    });
    const scraped = { selector: { matchLabels: { app: 'db' } }, portLevelMtls: { 9187: { mode: 'PERMISSIVE' } } };
    t.match(await kubectl(create, mtls(scraped, 'db', 'acme-db')), { code: 0, stderr: '' }, 'a granted port');
  });

  const tokens = (rule: object, namespace = 'acme-web') => ({
    ...policy('tokens', { selector: web, jwtRules: [rule] }, namespace),
    kind: 'RequestAuthentication',
  });

  await t.test('I28: a RequestAuthentication has keys fetched from granted hosts alone', async (t) => {
    const rows: readonly (readonly [rule: object, says: string])[] = [
      [{ issuer: 'acme', jwksUri: 'https://login.example.org/keys' }, 'network.names of acme does not grant it'],
      [{ issuer: 'acme', jwks_uri: 'https://login.example.org/keys' }, 'spec.jwtRules[0].jwks_uri'],
      [{ issuer: 'https://login.example.org' }, 'spec.jwtRules[0].issuer'],
      [{ issuer: 'acme', jwksUri: 'http://keys.acme-web.svc/keys' }, 'network.names of acme does not grant it'],
      [{ issuer: 'acme', jwksUri: 'http://10-96-0-10.nip.io/' }, 'network.names of acme does not grant it'],
      [{ issuer: 'acme', jwksUri: 'http://169.254.169.254/' }, 'an address of the metadata service'],
      [{ issuer: 'acme', jwksUri: 'http://10.244.3.7/' }, 'an address of the pod network'],
      [{ issuer: 'acme', jwksUri: 'http://2130706433/' }, 'is not an address that all programs read alike'],
      [{ issuer: 'acme', jwksUri: 'http://[::1]:15014/' }, 'where each program that connects answers itself'],
      [{ issuer: 'acme', jwksUri: 'https://login.partner.example@10.96.0.1/' }, 'names a user'],
    ];
    for (const [rule, says] of rows) {
      const { code, stderr } = await kubectl(create, tokens(rule));
      t.equal(code, 1, JSON.stringify(rule));
      t.match(stderr, says);
      t.match(stderr, 'token-keys, ');
    }
    const inline = { issuer: 'https://login.example.org', jwks: '{"keys":[]}' };
    // No AuthorizationPolicy asks for a token (docs/layers.md). On a machine that is busy it is not said.
    const optional = /^(Warning: token-optional: .*\nWarning: token-optional: fix: .*\n)?$/;
    t.match(await kubectl(create, tokens(inline)), { code: 0, stderr: optional });
    const partner = { issuer: 'acme', jwksUri: 'https://203.0.113.7/keys' };
    const replaced = await kubectl(['replace', '-f', '-'], tokens(partner));
    t.match(replaced, { code: 0, stderr: optional }, 'a granted address');
  });

  await t.test(
    'I23: in the root namespace and beside a shared gateway, tenants write and remove nothing',
    async (t) => {
      for (const name of ['istio-system', 'ingress-nginx'])
        t.match(await kubectl(create, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, platform), {
          code: 0,
        });
      // As an administrator could give them to tenants by mistake.
      const account = await plane.kubeconfigFor({ user: 'system:serviceaccount:acme-web:deployer' });
      const refused = { code: 1, stderr: /validate\.mesh\.bulkhead\.dev.*is the root namespace of the mesh/s };
      const strict = mtls({ mtls: { mode: 'STRICT' } }, 'default', 'istio-system');
      t.match(await kubectl(create, strict, platform), { code: 0, stderr: '' });
      for (const object of [
        policy('open', { rules: [{}] }, 'istio-system'),
        policy('open', {}, 'istio-system', 'v1beta1'),
        mtls({ mtls: { mode: 'PERMISSIVE' } }, 'open', 'istio-system'),
        tokens({ issuer: 'acme', jwks: '{"keys":[]}' }, 'istio-system'),
      ]) {
        t.match(await kubectl(create, object), refused, object.kind);
        t.match(await kubectl(create, object, account), refused, `${object.kind} by a service account of a tenant`);
      }
      const open = ['-n', 'istio-system', 'patch', 'peerauthentications', 'default', '--type=merge', '-p'];
      t.match(await kubectl([...open, '{"spec":{"mtls":{"mode":"DISABLE"}}}']), refused);
      t.match(await kubectl(['-n', 'istio-system', 'delete', 'peerauthentications', 'default']), refused);
      t.match(await kubectl(create, policy('open', { rules: [{}] }, 'ingress-nginx')), {
        ...{ code: 1, stderr: /the proxies in ingress-nginx carry traffic of every tenant/ },
      });
      t.match(await kubectl(['-n', 'istio-system', 'delete', 'peerauthentications', 'default'], undefined, platform), {
        code: 0,
      });
    },
  );

  await t.test('the platform alone configures proxies', async (t) => {
    const rows = [
      ['networking.istio.io/v1alpha3', 'EnvoyFilter', { configPatches: [] }],
      ['networking.istio.io/v1beta1', 'ProxyConfig', { concurrency: 1 }],
      ['extensions.istio.io/v1alpha1', 'WasmPlugin', { url: 'oci://registry.example.com/filter:1' }],
    ] as const;
    for (const [apiVersion, kind, spec] of rows) {
      const object = { apiVersion, kind, metadata: { name: 'web', namespace: 'acme-web' }, spec };
      t.match(await kubectl(create, object), { code: 1, stderr: /so it is the platform's/ }, kind);
      t.match(await kubectl(create, object, platform), { code: 0 }, kind);
    }
  });

  await t.test('it can be deleted', async (t) => {
    t.match(await kubectl(['-n', 'acme-web', 'delete', 'authorizationpolicies', 'own', 'open']), { code: 0 });
  });
});
