/** Cases from the field (test/field), applied to a real API server: the right answer to each object. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { guard } from './guarded-cluster.ts';

interface Applied {
  readonly code: number | null;
  readonly stderr: string;
}

/** Applies the objects of a case, each as the person that its first line names. File name -> what kubectl said. */
async function applyCase(plane: ControlPlane, folder: string): Promise<ReadonlyMap<string, Applied>> {
  const applied = new Map<string, Applied>();
  for (const file of readdirSync(join(folder, 'objects')).sort()) {
    const text = readFileSync(join(folder, 'objects', file), 'utf8');
    const [, user = '', groups = ''] = /^# as: (\S+) \[([^\]]*)\]/.exec(text) ?? [];
    const kubeconfig = await plane.kubeconfigFor({ user, groups: groups.split(', ') });
    applied.set(file, await plane.kubectl(kubeconfig, ['apply', '-f', '-'], { stdin: text }));
  }
  return applied;
}

await clusterTest('a family that the settings do not list is unproven (IP-01)', async (t, plane) => {
  const folder = 'test/field/ipv6-not-listed';
  const config = join(folder, 'settings.yaml');
  const loaded = parseSettings({ value: parse(readFileSync(config, 'utf8')), locate: unlined(config) });
  t.match(loaded, { ok: true, warnings: [{ path: 'spec.network', reason: /^lists no IPv6 range/ }] }, 'loading warns');
  const cluster = await guard(plane, join(folder, 'tenants'), plane.adminKubeconfig, { config });
  t.teardown(() => cluster.stop());
  const namespaces = ['apply', '-f', join(folder, 'namespaces')];
  t.match(await cluster.kubectl('platform', namespaces), { code: 0 }, 'the namespaces are there');

  const refused = await applyCase(plane, folder);
  t.equal(refused.size, 2);
  for (const [file, { code, stderr }] of refused) {
    t.equal(code, 1, file);
    t.match(stderr, /do not list its IPv6 pod, service and node ranges/, `${file}: says why`);
  }
});
