/** `diff -f`, `replay`, `lint` and `audit` over a cluster that a real API server serves. */
import { CannotStart } from '../../src/commands/cannot-start.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';

const configuration = [
  ...['--config', 'manifests/overlays/example/bulkhead.yaml'],
  ...['--tenants', 'manifests/overlays/example/tenants'],
];

const objects = `
apiVersion: v1
kind: Namespace
metadata: { name: acme-web, labels: { bulkhead.dev/tenant: acme } }
---
apiVersion: v1
kind: Namespace
metadata: { name: beta-data, labels: { bulkhead.dev/tenant: beta } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: acme-web }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: beta-data }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: in, namespace: beta-data }
spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: 5432 }] }] }
`;
const pod = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    serviceAccountName: 'default',
    automountServiceAccountToken: false,
    containers: [{ name: 'main', image: 'example.org/main' }],
  },
});
const apiVersionOf = (kind: string) => (kind.endsWith('Job') ? 'batch/v1' : 'apps/v1');
/** One that makes such pods. */
const made = (kind: string, name: string, labels: object) => {
  const restartPolicy = kind.endsWith('Job') ? 'Never' : 'Always';
  const template = { metadata: { labels }, spec: { ...pod('', name).spec, restartPolicy } };
  const selector = kind.endsWith('Job') ? {} : { selector: { matchLabels: labels }, replicas: 1 };
  return {
    ...{ apiVersion: apiVersionOf(kind), kind, metadata: { name, namespace: 'acme-web' } },
    spec:
      kind === 'CronJob' ? { schedule: '0 0 * * *', jobTemplate: { spec: { template } } } : { ...selector, template },
  };
};
const out = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: out, namespace: acme-web }
spec: { podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { bulkhead.dev/tenant: beta } } }] }] }
`;

await clusterTest('a change is compared with the cluster, and flows are replayed against it', async (t, plane) => {
  const applied = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', '-'], { stdin: objects });
  t.equal(applied.code, 0, applied.stderr);
  for (const [namespace, name] of [
    ['acme-web', 'web'],
    ['beta-data', 'db'],
  ] as const) {
    const account = { metadata: { name: 'default' } };
    await plane.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
    const { status } = await plane.request('POST', `/api/v1/namespaces/${namespace}/pods`, pod(namespace, name));
    t.equal(status, 201, name);
  }
  const inCluster = ['--kubeconfig', plane.adminKubeconfig];
  const run = async (args: readonly string[], input: string, where: readonly string[] = inCluster) => {
    const lines: string[] = [];
    const surroundings = {
      print: (line: string) => void lines.push(line),
      environment: {},
      input: new Blob([input]).stream(),
    };
    try {
      const all = [...args, ...configuration, ...where, '-o', 'json'];
      return { code: await runCommandLine(all, surroundings), report: JSON.parse(lines.join('\n')) };
    } catch (error) {
      if (error instanceof CannotStart) return { code: error.code, report: error.message };
      throw error;
    }
  };

  const { code, report } = await run(['diff', '-f', '-'], out);
  t.equal(code, 1, JSON.stringify(report));
  t.match(
    report.changes.filter(({ to }: { to: { members: string[] } }) => to.members.includes('beta-data/Pod/db')),
    [
      {
        isCrossing: true,
        from: { tenant: 'acme', members: ['acme-web/Pod/web'] },
        ports: ['5432/TCP'],
        causes: [{ policies: ['NetworkPolicy acme-web/out'], file: '<stdin>', line: 5 }],
      },
    ],
  );
  const unchanged = await run(['diff', '-f', '-'], objects);
  t.match(unchanged, { code: 0, report: { changes: [], workloads: 2 } });

  const flows = 'source_namespace,source,destination_namespace,destination,port\nacme-web,web,beta-data,db,5432\n';
  t.match(await run(['replay', '-'], flows), {
    code: 1,
    report: {
      dropped: [{ from: 'acme-web/Pod/web', to: 'beta-data/Pod/db', because: /egress: NetworkPolicy acme-web\/deny/ }],
      unused: [],
    },
  });

  const errors = ({ report }: { report: { findings: { severity: string }[] } }) =>
    report.findings.filter(({ severity }) => severity !== 'hint');
  const linted = await run(['lint'], '');
  t.equal(linted.code, 1, JSON.stringify(linted.report));
  t.match(errors(linted), [
    {
      ...{ check: 'cross-tenant-ingress', severity: 'error', object: 'NetworkPolicy beta-data/in' },
      ...{ apiVersion: 'networking.k8s.io/v1', file: '<cluster>', line: 0, path: /^spec\.ingress\[0\]/ },
    },
  ]);
  const { code: codeOfFile, report: ofFile } = await run(['audit', '-f', '-'], objects, []);
  t.equal(codeOfFile, 1, 'a file of the same objects');
  const { report: ofCluster } = await run(['audit'], '');
  t.strictSame(ofFile.rejected, ofCluster.rejected);
  t.match(ofCluster.rejected, [{ check: 'cross-tenant-ingress', names: ['NetworkPolicy beta-data/in'] }]);

  for (const scope of [
    ['-n', 'acme-web'],
    ['-l', 'app=web'],
  ]) {
    t.match(await run(['lint', ...scope], ''), { code: 0, report: { findings: [] } }, scope.join(' '));
    const audited = await run(['audit', ...scope], '');
    t.match(audited.report, { rejected: [], connectivity: { namespaces: [{ name: 'acme-web' }] } });
    t.equal((await run(['replay', '-', ...scope], flows)).code, 1);
    t.equal((await run(['diff', '-f', '-', ...scope], out)).code, 1);
  }
  t.match(await run(['lint', '-n', 'beta-data'], ''), { code: 1 });
  t.match(await run(['lint', '-n', 'kube-system', '-A'], ''), { code: 1 });
  t.equal((await run(['replay', '-', '-n', 'kube-system'], flows)).code, 0, 'neither end is there');
  t.match(await run(['lint', '-n', 'none'], ''), { code: 2, report: /^there is no namespace none in what was read/ });

  // Controllers make a pod of a Job that is named as that of a CronJob, and one of a ReplicaSet that is named as that of a Deployment.
  const job = made('Job', 'backup-29391234', { app: 'backup' });
  const replicas = made('ReplicaSet', 'shop-5d4f', { app: 'shop', 'pod-template-hash': '5d4f' });
  t.equal((await plane.request('POST', '/apis/batch/v1/namespaces/acme-web/jobs', job)).status, 201);
  t.equal((await plane.request('POST', '/apis/apps/v1/namespaces/acme-web/replicasets', replicas)).status, 201);
  await eventually('both have a pod', async () => {
    const { body } = await plane.request('GET', '/api/v1/namespaces/acme-web/pods');
    return (body as { readonly items: readonly object[] }).items.length === 3;
  });
  const makers = [made('CronJob', 'backup', { app: 'backup' }), made('Deployment', 'shop', { app: 'shop' })];
  const same = await run(['diff', '-f', '-'], makers.map((one) => JSON.stringify(one)).join('\n---\n'));
  t.match(same, { code: 0, report: { changes: [], workloads: 4 } }, 'they are the same workloads in files');
});
