/** Labels that only the platform writes (trustedNamespaceLabels), on a real API server: the router of OpenShift (test/field). */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';
import { guard } from './guarded-cluster.ts';

const key = 'policy-group.network.openshift.io/ingress';
const older = 'network.openshift.io/policy-group';

await clusterTest(
  'the router of OpenShift is let in by its label, and nobody else gets it (NP-24)',
  async (t, plane) => {
    const folder = join(plane.directory, 'router');
    cpSync('test/field/openshift-router', folder, { recursive: true });
    const config = join(folder, 'settings.yaml');
    const policy = (file: string) => readFileSync(join(folder, 'objects', file), 'utf8');
    const [router, groups, byOlder] = [
      '01-from-the-router.yaml',
      '02-from-every-policy-group.yaml',
      '03-by-the-older-label.yaml',
    ].map(policy);

    // Before Bulkhead is there, a namespace of a tenant has the label.
    const early = await plane.kubectl(plane.adminKubeconfig, ['apply', '-f', join(folder, 'namespaces')]);
    t.match(early, { code: 0 });
    t.match(await plane.kubectl(plane.adminKubeconfig, ['label', 'namespace', 'south-data', `${key}=`]), { code: 0 });

    const cluster = await guard(plane, join(folder, 'tenants'), plane.adminKubeconfig, { config });
    t.teardown(() => cluster.stop());
    const nina = await plane.kubeconfigFor({ user: 'nina', groups: ['north-developers'] });
    const sam = await plane.kubeconfigFor({ user: 'sam', groups: ['south-developers'] });
    const labeller = await plane.kubeconfigFor({
      user: 'system:serviceaccount:openshift-infra:labeller',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:openshift-infra'],
    });
    const apply = (text = '') => plane.kubectl(nina, ['apply', '-f', '-'], { stdin: text });
    const label = (kubeconfig: string, name: string, ...pairs: readonly string[]) =>
      plane.kubectl(kubeconfig, ['label', '--overwrite', 'namespace', name, ...pairs]);
    const platform = await cluster.kubeconfig('platform');

    const doubtful = /selects by the label policy-group\.network\.openshift\.io\/ingress, which proves nothing while/;
    t.match(await apply(router), { code: 1, stderr: doubtful }, 'the label proves nothing while a tenant has it');
    t.match(await label(platform, 'south-data', `${key}-`), { code: 0 }, 'the platform takes it away');
    await eventually('then the policy of the manual is admitted', async () => (await apply(router)).code === 0);

    const every =
      /matches every namespace of the platform with the label policy-group\.network\.openshift\.io\/ingress, whatever/;
    t.match(await apply(groups), { code: 1, stderr: every }, 'any value is refused');
    t.match(await apply(groups), { stderr: /write a listed value in matchLabels: policy-group.*: ""/ });
    t.match(
      await apply(byOlder),
      { code: 1, stderr: /matches namespaces of every tenant/ },
      'a label that is not listed',
    );

    const refused = { code: 1, stderr: /reserved-labels|foreign-namespace/ };
    t.match(await label(sam, 'south-data', `${key}=`), refused, 'a tenant cannot write it');
    t.match(await label(labeller, 'south-data', 'example.com/team=blue'), { code: 0 }, 'a writer writes its key');
    t.match(await label(labeller, 'south-data', `${key}=`), refused, 'and not this one');
    const kept = { code: 1, stderr: /trusted-labels/ };
    t.match(await label(platform, 'south-data', `${key}=`), kept, 'the platform cannot either');
    t.match(await label(platform, 'default', `${key}=`), kept, 'nor on another namespace of its own');
    t.match(await label(platform, 'default', `${key}=spare`), { code: 0 }, 'where another value proves nothing');

    // Now the settings shall list a label that a namespace of a tenant has.
    t.match(await label(platform, 'south-data', `${older}=ingress`), { code: 0 }, 'not listed yet');
    const problems = async () => /^bulkhead_tenancy_reload_problems (\d+)$/m.exec(await cluster.metrics())?.[1];
    const listed = `    - key: ${older}\n      values:\n        - { value: ingress, namespaces: [openshift-ingress] }\n`;
    writeFileSync(config, `${readFileSync(config, 'utf8')}${listed}`);
    await eventually('the settings are refused', async () => (await problems()) === '1');
    t.match(await apply(byOlder), { code: 1, stderr: /matches namespaces of every tenant/ }, 'they are not in force');
    t.match(await apply(router), { code: 0 }, 'those before are');
    t.match(await label(platform, 'south-data', `${older}-`), { code: 0 });
    await eventually('they come into force when it is gone', async () => (await problems()) === '0');
    t.match(await apply(byOlder), { code: 0 });
  },
);
