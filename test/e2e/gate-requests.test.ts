/** Gates on which members of two tenants agree by themselves, on a real API server: what opens, what shuts, and who tries to get around it. */
import type { Test } from 'tap';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane, Output } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';
import {
  type GuardedCluster,
  guard,
  installTenantResource,
  type PersonName,
  settingsWithGateRequests,
  tenantObjects,
} from './guarded-cluster.ts';

const label = 'bulkhead.dev/tenant';
const apiVersion = 'bulkhead.dev/v1alpha1';
const month = 30 * 24 * 3_600_000;

interface Written {
  readonly tenant: string;
  readonly direction: 'ingress' | 'egress';
  readonly name?: string;
  readonly ports?: readonly number[];
  /** Milliseconds from now. */
  readonly lasts?: number;
}

function request(namespace: string, { name = 'gate', lasts = month, ports = [443], ...rest }: Written): string {
  const spec = { ...rest, ports: ports.map((port) => ({ port })), expires: new Date(Date.now() + lasts).toISOString() };
  return JSON.stringify({ apiVersion, kind: 'GateRequest', metadata: { name, namespace }, spec });
}

function policyTo(tenant: string, port = 443, name = `to-${tenant}`, namespace = 'acme-web'): string {
  const peer = { namespaceSelector: { matchLabels: { [label]: tenant } } };
  const spec = { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [peer], ports: [{ port }] }] };
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec,
  });
}

interface Stage {
  readonly cluster: GuardedCluster;
  apply(person: PersonName, text: string, ...options: string[]): Promise<Output>;
  /** Whether alice could write the policy now. */
  isOpen(port?: number): Promise<boolean>;
  /** `STATUS REASON` of a condition. */
  condition(object: string, type: string): Promise<string>;
}

async function stage(t: Test, plane: ControlPlane): Promise<Stage> {
  const config = await settingsWithGateRequests(plane);
  const cluster = await guard(plane, tenantObjects, plane.adminKubeconfig, { config });
  t.teardown(async () => {
    const kinds = 'gaterequests,networkpolicies';
    await plane.kubectl(plane.adminKubeconfig, ['delete', kinds, '--all', '--all-namespaces', '--wait=false']);
    await cluster.stop();
  });
  const apply: Stage['apply'] = (person, text, ...options) =>
    cluster.kubectl(person, ['apply', '-f', '-', ...options], text);
  const applied = async (person: PersonName, object: object) => {
    const { code, stderr } = await apply(person, JSON.stringify(object));
    if (code !== 0) throw new Error(stderr);
  };
  for (const name of ['acme', 'beta', 'gamma']) {
    const spec = { members: [{ kind: 'Group', name: `${name}-developers` }] };
    await applied('platform', { apiVersion, kind: 'Tenant', metadata: { name }, spec });
  }
  for (const [name, tenant] of [
    ['acme-web', 'acme'],
    ['acme-db', 'acme'],
    ['beta-data', 'beta'],
    ['gamma-lab', 'gamma'],
  ] as const) {
    const metadata = { name, labels: { [label]: tenant } };
    await eventually(`${name} is there`, async () => {
      const { code } = await apply('platform', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata }));
      return code === 0;
    });
  }
  return {
    cluster,
    apply,
    isOpen: async (port) => (await apply('alice', policyTo('beta', port, 'another'), '--dry-run=server')).code === 0,
    async condition(object, type) {
      const path = `{.status.conditions[?(@.type=="${type}")].status} {.status.conditions[?(@.type=="${type}")].reason}`;
      return (await cluster.kubectl('platform', ['get', ...object.split(' '), `-o=jsonpath=${path}`])).stdout;
    },
  };
}

await clusterTest('GateRequests', async (t, plane) => {
  await installTenantResource(plane);
  await t.test('whoever edits a namespace writes its requests, by the example of RBAC', (t) => byRoles(t, plane));
  await t.test('two tenants agree on a gate by themselves', (t) => agreed(t, plane));
  await t.test('a tenant that wants out finds no way in a GateRequest', (t) => evaded(t, plane));
});

async function agreed(t: Test, plane: ControlPlane): Promise<void> {
  const { cluster, apply, isOpen, condition } = await stage(t, plane);
  const becomes = (object: string, type: string, wanted: string) =>
    eventually(`${object} is ${wanted}`, async () => (await condition(object, type)) === wanted);

  const before = await apply('alice', policyTo('beta'));
  t.match(before, { code: 1, stderr: /acme declares no gate for egress with it/ }, 'nothing is agreed');
  const first = await apply('alice', request('acme-web', { tenant: 'beta', direction: 'egress', ports: [443, 5432] }));
  t.match(first, { code: 0, stderr: /Warning: gate-request: spec\.tenant has no request that mirrors this one/ });
  await becomes('gaterequest gate -n acme-web', 'Ready', 'False HalfOpen');
  await becomes('tenant acme', 'GatesOpen', 'False HalfOpen');
  const half = await apply('alice', policyTo('beta'));
  t.match(
    half,
    {
      code: 1,
      stderr:
        /no GateRequest of that tenant mirrors the one of acme for egress on 443\/TCP; for example .*\n {4}fix: have members of tenant "beta" write a GateRequest/,
    },
    'one half opens nothing',
  );

  const second = await apply('bob', request('beta-data', { tenant: 'acme', direction: 'ingress' }));
  t.match(second, { code: 0, stderr: '' }, 'the mirror is taken without a warning');
  await eventually('the policy is admitted', async () => (await apply('alice', policyTo('beta'))).code === 0);
  t.match(
    await apply('alice', policyTo('beta', 5432, 'other')),
    { code: 1 },
    'not on a port that one side alone names',
  );
  await becomes('gaterequest gate -n acme-web', 'Ready', 'True Open');
  await becomes('gaterequest gate -n beta-data', 'Ready', 'True Open');
  await becomes('tenant acme', 'GatesOpen', 'True Open');
  await becomes('tenant beta', 'GatesOpen', 'True Open');
  const row = await cluster.kubectl('alice', ['get', 'gaterequests', '-n', 'acme-web']);
  t.match(
    row.stdout,
    /^NAME +TENANT +DIRECTION +EXPIRES +OPEN +READY +WHY\ngate +beta +egress +\S+ +\["443\/TCP"\] +True +Open\n$/,
  );
  const tenants = await cluster.kubectl('platform', ['get', 'tenants']);
  t.match(tenants.stdout, /^NAME +.*GATES +READY.*\nacme .* Open +True/, 'the column of the tenants');
  const labelled = await cluster.kubectl('alice', ['get', 'gaterequests', '-A', '-l', `${label}=acme`, '-o', 'name']);
  t.equal(labelled.stdout, 'gaterequest.bulkhead.dev/gate\n', 'a request has the label of its tenant');

  t.match(await cluster.kubectl('bob', ['delete', 'gaterequest', 'gate', '-n', 'beta-data']), { code: 0 });
  await eventually('GAT-04: without the mirror it is shut', async () => !(await isOpen()));
  await becomes('tenant beta', 'GatesOpen', ' ');
  await eventually('the stored policy is reported', async () =>
    /^bulkhead_policies_noncompliant\{mode="enforce"\} 1$/m.test(await cluster.metrics()),
  );

  const lasts = 12_000;
  const ends = Date.now() + lasts;
  const short = await apply('bob', request('beta-data', { tenant: 'acme', direction: 'ingress', lasts }));
  t.match(short, { code: 0, stderr: /spec\.expires is within a week/ });
  await eventually('it is open again', () => isOpen());
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ends - Date.now()) + 100));
  t.notOk(await isOpen(), 'GAT-04: it is shut to the moment');
  await becomes('gaterequest gate -n acme-web', 'Ready', 'False Expired');
  await becomes('tenant acme', 'GatesOpen', 'False Expired');
}

async function evaded(t: Test, plane: ControlPlane): Promise<void> {
  const { cluster, apply, isOpen, condition } = await stage(t, plane);
  const settled = () => new Promise((resolve) => setTimeout(resolve, 1_500));
  const toBeta = { tenant: 'beta', direction: 'egress' } as const;
  const fromAcme = { tenant: 'acme', direction: 'ingress' } as const;
  t.match(await apply('alice', request('acme-web', toBeta)), { code: 0 });

  t.match(
    await apply('alice', request('beta-data', fromAcme)),
    { code: 1, stderr: /would be written by alice, who acts for another tenant and not for beta/ },
    'GAT-01: the mirror in a namespace of the other, with rights that RBAC gave by mistake',
  );
  t.match(
    await apply('alice', request('acme-db', fromAcme)),
    { code: 1, stderr: /is the tenant of the namespace itself/ },
    'GAT-01: the mirror by itself',
  );
  const forged = JSON.parse(request('acme-db', { tenant: 'gamma', direction: 'ingress' }));
  forged.metadata.labels = { [label]: 'beta' };
  t.match(
    await apply('alice', JSON.stringify(forged)),
    { code: 1, stderr: /is not the tenant that owns the namespace/ },
    'GAT-01: a forged label',
  );
  t.match(await apply('platform', request('gamma-lab', fromAcme)), { code: 0 });
  await settled();
  t.notOk(await isOpen(), 'GAT-02: the mirror of a third tenant');
  t.match(
    await apply('alice', request('acme-web', { ...toBeta, ports: [22] })),
    { code: 1, stderr: /is 22\/TCP, which tenants may not open to each other by themselves/ },
    'GAT-05: a port that the platform does not list',
  );
  const status = ['patch', 'gaterequest', 'gate', '-n', 'acme-web', '--subresource=status', '--type=merge'];
  t.match(
    await cluster.kubectl('alice', [...status, '-p', '{"status":{"ports":["22/TCP"]}}']),
    { code: 1, stderr: /Bulkhead alone writes the status/ },
    'a status of its own',
  );
  const about = async (tenant: string) => {
    const { stderr } = await apply(
      'alice',
      request('acme-db', { tenant, direction: 'egress', name: 'spy' }),
      '--dry-run=server',
    );
    return stderr.replaceAll(tenant, 'X');
  };
  t.match(await about('beta'), /has no request that mirrors this one/);
  t.equal(await about('beta'), await about('nosuch'), 'GAT-07: which tenants there are');

  const planted = request('acme-db', { tenant: 'gamma', direction: 'egress', name: 'planted' });
  t.match(await apply('alice', planted), { code: 0 });
  const fromBeta = request('gamma-lab', { tenant: 'beta', direction: 'ingress', name: 'from-beta' });
  t.match(await apply('platform', fromBeta), { code: 0 });
  const move = ['label', 'namespace', 'acme-db', `${label}=beta`, '--overwrite'];
  t.match(await plane.kubectl(plane.adminKubeconfig, move), { code: 0 }, 'the platform moves a namespace');
  await eventually(
    'GAT-03: what acme asked for there is void',
    async () => (await condition('gaterequest planted -n acme-db', 'Ready')) === 'False OtherTenant',
  );
  const mirror = () => condition('gaterequest from-beta -n gamma-lab', 'Ready');
  // Each request gets its status by a write of its own.
  await eventually('the other request has a status', async () => (await mirror()) !== '');
  t.equal(await mirror(), 'False HalfOpen', 'GAT-03: and speaks not for beta');

  t.match(await apply('bob', request('beta-data', fromAcme)), { code: 0 });
  await eventually('it opens', () => isOpen());
  t.match(
    await cluster.kubectl('bob', [
      'patch',
      'gaterequest',
      'gate',
      '-n',
      'beta-data',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["example.org/stays"]}}',
    ]),
    { code: 0 },
  );
  t.match(await cluster.kubectl('bob', ['delete', 'namespace', 'beta-data', '--wait=false']), { code: 0 });
  await eventually('GAT-03: a request does not outlive its namespace', async () => !(await isOpen()));
  const held = await cluster.kubectl('platform', ['get', 'gaterequest', 'gate', '-n', 'beta-data', '-o', 'name']);
  t.match(held, { code: 0 }, 'although a finalizer holds it');

  let taken = 0;
  await eventually('GAT-06: as many are taken as count', async () => {
    const { code, stderr } = await apply(
      'platform',
      request('gamma-lab', { tenant: `t${taken}`, direction: 'egress', name: `many-${taken}` }),
    );
    if (code === 0) taken++;
    else t.match(stderr, /namespace gamma-lab has (1[6-9]|2\d) GateRequests already/);
    return code !== 0;
  });
  // Two are there already, and those of the last seconds may not be known yet.
  t.ok(taken >= 14 && taken <= 25, `${taken} more were taken`);
}

async function byRoles(t: Test, plane: ControlPlane): Promise<void> {
  const kubectl = (...command: string[]) => plane.kubectl(plane.adminKubeconfig, command);
  t.match(await kubectl('apply', '-f', 'manifests/examples/gate-requests.yaml'), { code: 0 });
  t.match(await kubectl('create', 'namespace', 'acme-web'), { code: 0 });
  for (const role of ['edit', 'view'])
    t.match(
      await kubectl('create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}or`, '-n', 'acme-web'),
      { code: 0 },
    );
  const may = async (user: string, verb: string, resource: string, namespace = 'acme-web', ...more: string[]) =>
    (await kubectl('auth', 'can-i', verb, resource, `--as=${user}`, '-n', namespace, ...more)).stdout.trim();
  await eventually('the roles are aggregated', async () => (await may('editor', 'create', 'gaterequests')) === 'yes');
  t.equal(await may('editor', 'delete', 'gaterequests'), 'yes');
  t.equal(await may('editor', 'patch', 'gaterequests', 'acme-web', '--subresource=status'), 'no');
  t.equal(await may('editor', 'create', 'gaterequests', 'default'), 'no');
  t.equal(await may('viewor', 'get', 'gaterequests'), 'yes');
  t.equal(await may('viewor', 'create', 'gaterequests'), 'no');
}
