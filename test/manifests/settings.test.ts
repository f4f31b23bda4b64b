/** The files that become ConfigMaps: Bulkhead can start with those of the base, and the example overlay forgets none. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readTenancy } from '../../src/files/read-tenancy.ts';

t.test('the base starts with the built-in settings and no tenant', async (t) => {
  const loaded = await readTenancy({ tenants: t.testdir({}), config: 'manifests/base/bulkhead.yaml' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ reason }) => reason).join('\n'));
  t.match(
    loaded.warnings.map(({ path, reason }) => `${path} ${reason}`),
    [
      /^spec.network.podCIDRs is missing/,
      /^spec.network.serviceCIDRs is missing/,
      /^spec.network.nodeCIDRs is missing/,
    ],
    'and says what a real cluster must add',
  );
  t.equal(loaded.value.tenants.size, 0);
});

t.test('the example overlay installs every example tenant', async (t) => {
  const { configMapGenerator } = parse(readFileSync('manifests/overlays/example/kustomization.yaml', 'utf8'));
  const files: readonly string[] = configMapGenerator.find(
    ({ name }: { readonly name: string }) => name === 'bulkhead-tenants',
  ).files;
  t.strictSame(
    files.map((file) => basename(file)),
    globSync('manifests/overlays/example/tenants/*.yaml')
      .map((file) => basename(file))
      .sort(),
  );
});
