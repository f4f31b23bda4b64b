/** `bulkhead lint`: where network policies and policies of a mesh contradict each other, with the places of both sides. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { LintFinding } from '../../src/report/lint-report.ts';

const settings = `apiVersion: bulkhead.dev/v1alpha1
kind: Settings
spec:
  istio: {}
  network: { podCIDRs: [10.0.0.0/16], serviceCIDRs: [10.1.0.0/16], nodeCIDRs: [10.2.0.0/16], ipFamilies: [IPv4] }
`;
const tenant = `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: acme }
spec:
  mode: enforce
  members: [{ kind: User, name: alice }]
  namespaces: { names: [acme-web, acme-db] }
  network: { within: none }
`;

async function lint(t: Test, texts: readonly string[]) {
  const folder = t.testdir();
  await mkdir(join(folder, 'tenants'));
  await mkdir(join(folder, 'manifests'));
  await writeFile(join(folder, 'settings.yaml'), settings);
  await writeFile(join(folder, 'tenants/acme.yaml'), tenant);
  for (const [index, text] of texts.entries()) await writeFile(join(folder, `manifests/${index}.yaml`), text);
  const printed: string[] = [];
  const words = ['lint', '--config', join(folder, 'settings.yaml'), '--tenants', join(folder, 'tenants')];
  const code = await runCommandLine([...words, join(folder, 'manifests'), '-o', 'json'], {
    print: (line) => void printed.push(line),
    environment: {},
    input: new Blob([]).stream(),
  });
  const { findings } = JSON.parse(printed.join('\n')) as { readonly findings: readonly LintFinding[] };
  const own = findings.filter(({ docs }) => docs.includes('layers.md'));
  /** The file, and the text there. */
  const placed = (file: string, line: number, column: number): string => {
    const index = Number(file.slice(join(folder, 'manifests/').length).replace('.yaml', ''));
    return `${index} ${texts[index]?.split('\n')[line - 1]?.slice(column - 1, column + 11)}`;
  };
  const lines = own.map(({ check, severity, file, line, column, object, path, reason }) => {
    const [, other = '', ...at] = /; other side: (.*?)(?:, (\S+):(\d+):(\d+))?$/.exec(reason) ?? [];
    const otherAt = at[0] === undefined ? '' : ` at ${placed(at[0], Number(at[1]), Number(at[2]))}`;
    return `${severity} ${check} at ${placed(file, line, column)}: ${object} ${path} | ${other}${otherAt}`;
  });
  return { code, findings, own, lines };
}

const deployment = (namespace: string, app: string, labels = '') => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${app}, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: ${app} } }
  template:
    metadata: { labels: { app: ${app}${labels} } }
    spec: { containers: [{ name: ${app}, image: ${app} }] }
---
`;
const apps = deployment('acme-web', 'web') + deployment('acme-db', 'db');
const authorization = (spec: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: db, namespace: acme-db }
spec: ${spec}
`;
const selector = 'selector: { matchLabels: { app: db } }';
const webCalls = (to = '') =>
  authorization(`{ ${selector}, rules: [{ from: [{ source: { namespaces: [acme-web] } }]${to} }] }`);
const onPort = (port: number) => webCalls(`, to: [{ operation: { ports: ["${port}"] } }]`);
const network = (ports: string, pods = 'matchLabels: { app: db }') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: to-db, namespace: acme-db }
spec:
  podSelector: { ${pods} }
  policyTypes: [Ingress]
  ingress:
  - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: acme-web } } }]
    ports: [${ports}]
`;
const port = (number: number) => `{ protocol: TCP, port: ${number} }`;
const service = (number: number, target: number) => `apiVersion: v1
kind: Service
metadata: { name: db, namespace: acme-db }
spec: { selector: { app: db }, ports: [{ port: ${number}, targetPort: ${target} }] }
`;
const calico = (method: string) => `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: { name: http, namespace: acme-db }
spec:
  selector: app == "db"
  types: [Ingress]
  ingress:
  - { action: Allow, protocol: TCP, source: { namespaceSelector: kubernetes.io/metadata.name == "acme-web" }, http: { methods: [${method}] } }
`;
const tls = (mode: string) => `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: acme-db }
spec: { mtls: { mode: ${mode} } }
`;
const deny = authorization(
  `{ ${selector}, action: DENY, rules: [{ from: [{ source: { namespaces: [acme-web] } }] }] }`,
);
const jwt = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt, namespace: acme-db }
spec: { ${selector}, jwtRules: [{ issuer: acme, jwks: "{}" }] }
`;
const users = authorization(
  `{ ${selector}, rules: [{ from: [{ source: { requestPrincipals: ["*"], namespaces: [acme-web] } }] }] }`,
);

const source = 'spec.rules[0].from[0].source.namespaces[0]';
const peer = 'spec.ingress[0].from[0].namespaceSelector';

interface Row {
  readonly says: string;
  readonly contradicts: readonly string[];
  readonly found: readonly string[];
  readonly agrees: readonly string[];
}
const rows: readonly Row[] = [
  {
    says: 'l7-dead',
    contradicts: [onPort(5432), network(port(80))],
    found: [
      `hint l7-dead at 1 acme-web] } : AuthorizationPolicy acme-db/db ${source} | NetworkPolicy acme-db/to-db isolates them for ingress (spec.ingress[0].ports) at 2 ports: [{ pr`,
    ],
    agrees: [onPort(5432), network(port(5432))],
  },
  {
    says: 'l4-unguarded',
    contradicts: [deployment('acme-db', 'cache'), onPort(5432), network(port(5432), '')],
    found: [
      `hint l4-unguarded at 3 namespaceSel: NetworkPolicy acme-db/to-db ${peer} | Deployment cache is selected by none of AuthorizationPolicy acme-db/db (spec.selector) at 2 selector: { `,
    ],
    agrees: [deployment('acme-db', 'cache'), onPort(5432), network(port(5432))],
  },
  {
    says: 'port-mismatch',
    contradicts: [onPort(80), service(80, 5432), network(`${port(80)}, ${port(5432)}`)],
    found: [
      `hint port-mismatch at 1 acme-web] } : AuthorizationPolicy acme-db/db ${source} | Service acme-db/db (spec.ports[0].targetPort) at 2 5432 }] }`,
      `hint port-mismatch at 3 namespaceSel: NetworkPolicy acme-db/to-db ${peer} | Service acme-db/db (spec.ports[0].targetPort) at 2 5432 }] }`,
    ],
    agrees: [onPort(5432), service(80, 5432), network(port(5432))],
  },
  {
    says: 'outside-the-mesh',
    contradicts: [
      deployment('acme-db', 'old', ', team: db, sidecar.istio.io/inject: "false"'),
      authorization('{ selector: { matchLabels: { team: db } } }'),
    ],
    found: [
      'hint outside-the-mesh at 2 selector: { : AuthorizationPolicy acme-db/db spec.selector | Deployment old (spec.template.metadata.labels) at 1 labels: { ap',
    ],
    agrees: [deployment('acme-db', 'old', ', team: db'), authorization('{ selector: { matchLabels: { team: db } } }')],
  },
  {
    says: 'calico-http',
    contradicts: [webCalls(', to: [{ operation: { methods: [GET] } }]'), calico('POST')],
    found: [
      'hint calico-http at 2 source: { na: NetworkPolicy acme-db/http spec.ingress[0].source | AuthorizationPolicy acme-db/db (spec.rules[0].to[0].operation.methods) at 1 methods: [GE',
    ],
    agrees: [webCalls(', to: [{ operation: { methods: [GET] } }]'), calico('GET, POST')],
  },
  {
    says: 'permissive-hole',
    contradicts: [deny, tls('PERMISSIVE')],
    found: [
      `hint permissive-hole at 1 namespaces: : AuthorizationPolicy acme-db/db spec.rules[0].from[0].source.namespaces | PeerAuthentication acme-db/default spec.mtls.mode is PERMISSIVE at 2 PERMISSIVE }`,
    ],
    agrees: [deny, tls('STRICT')],
  },
  {
    says: 'token-optional',
    contradicts: [jwt, webCalls()],
    found: [
      'hint token-optional at 1 jwtRules: [{: RequestAuthentication acme-db/jwt spec.jwtRules | AuthorizationPolicy acme-db/db asks for none (spec.rules) at 2 rules: [{ fr',
    ],
    agrees: [jwt, users],
  },
];

for (const { says, contradicts, found, agrees } of rows)
  t.test(`${says}: the contradiction is a hint at both sides, and the consistent pair is silent`, async (t) => {
    const { lines, own } = await lint(t, [apps, ...contradicts]);
    t.strictSame(lines, found);
    for (const { fix, docs, check } of own) {
      t.not(fix, '');
      t.ok(docs.endsWith(`layers.md#${check}`), docs);
    }
    t.strictSame((await lint(t, [apps, ...agrees])).lines, []);
  });

t.test('a hint ends with 0', async (t) => {
  const { code, findings } = await lint(t, [apps, onPort(5432), network(port(80))]);
  t.strictSame(
    findings.map(({ severity, check }) => `${severity} ${check}`),
    ['hint l7-dead'],
  );
  t.equal(code, 0);
});

t.test('one side alone says nothing', async (t) => {
  const one: readonly (readonly string[])[] = [
    [onPort(5432)],
    [network(port(80))],
    [tls('PERMISSIVE')],
    [calico('POST')],
    [jwt],
    [deny],
    [deny, jwt.replace('acme-db', 'acme-web')],
    // Without pods it is not known whom the policies are about.
    [onPort(5432), network(port(80))],
  ];
  for (const texts of one) t.strictSame((await lint(t, texts)).lines, []);
  for (const texts of one.slice(0, 5)) t.strictSame((await lint(t, [apps, ...texts])).lines, []);
});

t.test('what the baseline of Bulkhead closes, policies elsewhere may open', async (t) => {
  const other = network(port(80), 'matchLabels: { app: other }');
  t.strictSame((await lint(t, [apps, onPort(5432), other])).lines, []);
});
