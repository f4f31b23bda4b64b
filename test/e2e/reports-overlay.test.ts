/** The component of the reports, as kubectl builds it into the example: its pod starts as those of the Deployment do. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { command } from '../../src/commands/audit.ts';

const built = async (folder: string, overlay: string, component: string) => {
  const at = (path: string) => relative(folder, path);
  await mkdir(folder, { recursive: true });
  const kustomization = {
    ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
    resources: [at(`manifests/overlays/${overlay}`)],
    components: ['roles', component].map((name) => at(`manifests/components/${name}`)),
    images: [{ name: 'bulkhead', newName: 'registry.example.com/bulkhead', newTag: '9.9.9' }],
  };
  await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  return parseAllDocuments((await promisify(execFile)('kubectl', ['kustomize', folder])).stdout).map((one) =>
    one.toJS(),
  );
};

for (const [overlay, component] of [
  ['example', 'reports'],
  ['objects', 'reports-of-objects'],
] as const)
  t.test(`the pod of the CronJob of ${component} in the overlay ${overlay}`, async (t) => {
    const objects = await built(t.testdir(), overlay, component);
    const find = (kind: string, name: string) =>
      objects.find((one) => one.kind === kind && one.metadata.name === name) ?? t.fail(`no ${kind} ${name}`);
    const pod = find('CronJob', 'bulkhead-reports').spec.jobTemplate.spec.template.spec;
    const deployed = find('Deployment', 'bulkhead').spec.template.spec;
    const [own, served] = [pod.containers[0], deployed.containers[0]];
    t.equal(own.image, 'registry.example.com/bulkhead:9.9.9');
    t.equal(own.image, served.image, 'one image');
    const [name, ...flags] = own.args;
    t.equal(name, 'audit');
    for (const flag of flags) {
      const [option = ''] = flag.slice(2).split('=');
      t.ok(option in command.options, flag);
      if (flag.includes('=')) t.ok(served.args.includes(flag), `${flag}, as the Deployment has it`);
    }
    t.equal(own.args.includes('--tenants=/etc/bulkhead/tenants'), component === 'reports');
    t.strictSame(
      own.volumeMounts.map((one: { name: string }) => one.name).sort(),
      pod.volumes.map((one: { name: string }) => one.name).sort(),
    );
    for (const volume of pod.volumes) find('ConfigMap', volume.configMap.name);
    t.equal(find('ServiceAccount', pod.serviceAccountName).metadata.namespace, 'bulkhead-system');
    const roles = objects.filter(
      ({ kind, subjects }) =>
        kind === 'ClusterRoleBinding' && subjects.some((one: { name: string }) => one.name === pod.serviceAccountName),
    );
    t.strictSame(roles.map(({ roleRef }) => roleRef.name).sort(), ['bulkhead-auditor', 'bulkhead-reports']);
    for (const { roleRef } of roles) find('ClusterRole', roleRef.name);
  });
