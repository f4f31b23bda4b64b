/**
 * `npm run bench:lint`: how long `bulkhead lint` takes, from the start of the process to its end: for one file with a finding, and for
 * 1,000 files of three documents each, of which 100 have one. What is started is `dist`. Ends with 1 when a bound is broken.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './median.ts';

const most = { oneFile: 400, thousandFiles: 2000 };
const runs = 7;
const files = 1000;

const project = join(import.meta.dirname, '../..');
const example = join(project, 'manifests/overlays/example');

function textOf(index: number): string {
  const [name, namespace] = [`web-${index}`, `acme-${index % 50}`];
  const peer = index % 10 === 0 ? '{}' : '{ matchLabels: { bulkhead.dev/tenant: acme, app: client } }';
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: { app.kubernetes.io/name: web }
spec:
  replicas: 2
  selector:
    matchLabels: { app: ${name} }
  template:
    metadata:
      labels: { app: ${name} }
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.0
          ports: [{ containerPort: 8080 }]
          resources:
            requests: { cpu: 100m, memory: 128Mi }
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  selector: { app: ${name} }
  ports: [{ port: 80, targetPort: 8080 }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  podSelector: { matchLabels: { app: ${name} } }
  ingress:
    - from:
        - namespaceSelector: ${peer}
      ports: [{ port: 8080 }]
`;
}

/** Milliseconds from the start of the process to its end. */
function lint(path: string, errors: number): number {
  const words = ['--config', join(example, 'bulkhead.yaml'), '--tenants', join(example, 'tenants'), '-o', 'json', path];
  const began = performance.now();
  const { status, stdout } = spawnSync(process.execPath, [join(project, 'dist/main.js'), 'lint', ...words], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const took = performance.now() - began;
  const { findings } = JSON.parse(stdout);
  const found = findings.filter(({ severity }: { severity: string }) => severity === 'error').length;
  if (status !== 1 || found !== errors) throw new Error(`${path}: ${found} errors, not ${errors}`);
  return took;
}

const folder = await mkdtemp(join(tmpdir(), 'bulkhead-lint-'));
try {
  for (let index = 0; index < files; index++) await writeFile(join(folder, `${index}.yaml`), textOf(index));
  const cases = [
    { says: 'one file', path: join(folder, '0.yaml'), errors: 1, bound: most.oneFile },
    { says: `${files} files of three documents`, path: folder, errors: files / 10, bound: most.thousandFiles },
  ];
  for (const { says, path, errors, bound } of cases) {
    const times = Array.from({ length: runs }, () => lint(path, errors));
    const [middle, least] = [median(times), Math.min(...times)];
    const isTooMuch = middle > bound;
    if (isTooMuch) process.exitCode = 1;
    process.stdout.write(
      `${says}: median ${middle.toFixed(0)} ms of ${runs}, least ${least.toFixed(0)} ms; at most ${bound} ms${isTooMuch ? ': TOO MUCH' : ''}\n`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}
