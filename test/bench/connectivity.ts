/**
 * `npm run bench:connectivity`: from objects in memory to the matrix of tenants in both directions with ports, each cluster in a process of
 * its own, the first run of it. Prints wall-clock time, time of the processor, and memory with the objects. Ends with 1 when a bound is broken.
 *
 *   issue    10,000 namespaces of 1,000 tenants, 100,000 pods (Deployments of five replicas), 50,000 policies
 *   scale    25,000 namespaces, 100,000 pods, 75,000 policies: as Antrea's test of scale makes them
 *   growth   the first at a tenth of the size
 */
import { spawnSync } from 'node:child_process';
import { matrixOf } from '../../src/connectivity/matrix.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { byTheBook } from '../../src/connectivity/readings.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import type { JsonMap } from '../../src/kubernetes/json.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';

const tenantLabel = 'bulkhead.dev/tenant';
const most = { issue: { ms: 1500, megabytes: 400 }, scale: { ms: 1500, megabytes: Number.POSITIVE_INFINITY } };
/** Of the exponent, from a tenth of the pods to all. */
const mostGrowth = 1.2;

function namespaceOf(name: string, labels: Record<string, string>): JsonMap {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function podOf(namespace: string, name: string, labels: Record<string, string>, number: number): JsonMap {
  const ip = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const ports = [{ name: 'http', containerPort: 8080 }];
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels } },
    ...{ spec: { containers: [{ ports }] }, status: { podIPs: [{ ip }] } },
  };
}

function policyOf(namespace: string, name: string, spec: JsonMap): JsonMap {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name }, spec };
}

/** Five policies in each namespace: what the baseline has, and what a tenant writes. */
function issue(namespaces: number, tenants: number): JsonMap[] {
  const objects: JsonMap[] = [];
  const both = ['Ingress', 'Egress'];
  for (let index = 0; index < namespaces; index++) {
    const name = `namespace-${index}`;
    const own = { matchLabels: { [tenantLabel]: `tenant-${index % tenants}` } };
    const next = { matchLabels: { [tenantLabel]: `tenant-${(index + 1) % tenants}` } };
    const last = { matchLabels: { [tenantLabel]: `tenant-${(index - 1 + tenants) % tenants}` } };
    const dns = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    };
    const [web, db] = [{ matchLabels: { app: 'web' } }, { matchLabels: { app: 'db' } }];
    objects.push(
      namespaceOf(name, { [tenantLabel]: `tenant-${index % tenants}`, env: index % 2 === 0 ? 'prod' : 'dev' }),
      policyOf(name, 'default-deny', { podSelector: {}, policyTypes: both }),
      policyOf(name, 'allow-within', {
        ...{ podSelector: {}, policyTypes: both },
        ...{ ingress: [{ from: [{ namespaceSelector: own }] }], egress: [{ to: [{ namespaceSelector: own }] }] },
      }),
      policyOf(name, 'allow-dns', {
        ...{ podSelector: {}, policyTypes: ['Egress'] },
        egress: [{ to: [dns], ports: [{ protocol: 'UDP', port: 53 }] }],
      }),
      policyOf(name, 'db', {
        ...{ podSelector: db, policyTypes: ['Ingress'] },
        ingress: [
          {
            from: [{ podSelector: web }, { namespaceSelector: next, podSelector: web }],
            ports: [{ protocol: 'TCP', port: 5432 }, { port: 'http' }],
          },
        ],
      }),
      policyOf(name, 'web', {
        ...{ podSelector: web, policyTypes: ['Egress'] },
        egress: [
          { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }], ports: [{ port: 443 }] },
          { to: [{ namespaceSelector: last }], ports: [{ port: 5432 }] },
        ],
      }),
    );
    for (let pod = 0; pod < 10; pod++)
      objects.push(
        podOf(
          ...([name, `pod-${pod}`] as const),
          { app: pod < 5 ? 'web' : 'db', 'pod-template-hash': pod < 5 ? '6d4cf56db6' : '7f9c8d5b4' },
          index * 10 + pod,
        ),
      );
  }
  objects.push(namespaceOf('kube-system', {}), podOf('kube-system', 'dns', { 'k8s-app': 'kube-dns' }, 1 << 20));
  return objects;
}

function scale(namespaces: number): JsonMap[] {
  const objects: JsonMap[] = [];
  for (let index = 0; index < namespaces; index++) {
    const name = `namespace-${index}`;
    objects.push(namespaceOf(name, { app: name }));
    objects.push(policyOf(name, 'default-deny-all', { podSelector: {}, policyTypes: ['Ingress'] }));
    for (const which of [1, 2]) {
      const labels = { [`app-${which}`]: `scale-${which}` };
      const selector = { matchLabels: labels };
      const ingress = [{ from: [{ podSelector: selector }] }];
      objects.push(policyOf(name, `np-${which}`, { podSelector: selector, policyTypes: ['Ingress'], ingress }));
      for (const pod of [0, 1]) objects.push(podOf(name, `pod-${which}-${pod}`, labels, index * 4 + which * 2 + pod));
    }
  }
  return objects;
}

const clusters: Readonly<Record<string, () => JsonMap[]>> = {
  issue: () => issue(10_000, 1_000),
  growth: () => issue(1_000, 100),
  scale: () => scale(25_000),
};

interface Measured {
  readonly ms: number;
  /** Of the processor, collection of garbage in other threads included. */
  readonly cpu: number;
  readonly megabytes: number;
  readonly phases: Readonly<Record<'read' | 'parties' | 'world' | 'matrix', number>>;
  readonly classes: number;
  readonly cells: number;
}

function measure(objects: readonly JsonMap[]): Measured {
  const tenancy = createTenancy(defaultSettings, []);
  const cpu = process.cpuUsage();
  const times = [performance.now()];
  const lap = (): void => {
    times.push(performance.now());
  };
  const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
  lap();
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  lap();
  const world = createWorld(snapshot, parties, tenancy.settings, byTheBook);
  lap();
  const { cells } = matrixOf(world);
  lap();
  const { user, system } = process.cpuUsage(cpu);
  const phase = (index: number) => Math.round((times[index + 1] ?? 0) - (times[index] ?? 0));
  return {
    ms: Math.round((times.at(-1) ?? 0) - (times[0] ?? 0)),
    cpu: Math.round((user + system) / 1000),
    megabytes: Math.round(process.memoryUsage().rss / 1e6),
    phases: { read: phase(0), parties: phase(1), world: phase(2), matrix: phase(3) },
    ...{ classes: parties.classes.length, cells: cells.length },
  };
}

const [child, name = ''] = process.argv.slice(2);
if (child === '--in-process') process.stdout.write(JSON.stringify(measure(clusters[name]?.() ?? [])));
else {
  const runs = Number(child ?? 3);
  const best = (which: string): Measured => {
    const all = Array.from({ length: runs }, (): Measured => {
      const { stdout } = spawnSync(process.execPath, [import.meta.filename, '--in-process', which], {
        encoding: 'utf8',
      });
      return JSON.parse(stdout);
    });
    all.sort((one, other) => one.ms - other.ms);
    const [first] = all;
    if (first === undefined) throw new Error('no run');
    const { ms, cpu, megabytes, phases, classes, cells } = first;
    const text = Object.entries(phases).map(([phase, time]) => `${phase} ${time}`);
    process.stdout.write(
      `${which}: ${ms} ms (best of ${runs}; processor ${cpu} ms; ${text.join(', ')}), ${megabytes} MB, ${classes} classes, ${cells} cells\n`,
    );
    return first;
  };
  const [large, other, small] = [best('issue'), best('scale'), best('growth')];
  const exponent = Math.log10(large.ms / small.ms);
  process.stdout.write(`growth: n^${exponent.toFixed(2)} from 10,000 to 100,000 pods\n`);
  const broken =
    large.ms > most.issue.ms ||
    large.megabytes > most.issue.megabytes ||
    other.ms > most.scale.ms ||
    exponent > mostGrowth;
  if (broken) process.stdout.write(`a bound is broken: 1,500 ms, 400 MB, n^${mostGrowth}\n`);
  process.exitCode = broken ? 1 : 0;
}
