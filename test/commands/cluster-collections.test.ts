/** Which collections of a cluster a snapshot is made of. */
import t from 'tap';
import type { DecodedObject } from '../../src/client/decode.ts';
import { objectsIn } from '../../src/commands/snapshot-source.ts';
import type { ClusterReader } from '../../src/facts/cluster-reader.ts';

/** It serves one group of addresses at each of these paths. */
function serving(...served: readonly string[]): Pick<ClusterReader, 'eachServed'> {
  return {
    async eachServed(paths, tell) {
      const path = paths.find((one) => served.includes(one));
      if (path === undefined) return;
      const object = { metadata: { name: path.split('/')[3] }, spec: { externalCIDRs: ['203.0.113.0/24'] } };
      tell({ object } as unknown as DecodedObject);
    },
  };
}

t.test('CiliumCIDRGroups are listed in the newest version that is served', async (t) => {
  const [v2, v2alpha1] = ['v2', 'v2alpha1'].map((one) => `/apis/cilium.io/${one}/ciliumcidrgroups`) as [string, string];
  const listed = async (...paths: readonly string[]) =>
    (await objectsIn(serving(...paths) as ClusterReader, [])).map(({ kind, metadata }) => ({ kind, metadata }));
  t.strictSame(await listed(v2alpha1), [{ kind: 'CiliumCIDRGroup', metadata: { name: 'v2alpha1' } }]);
  t.strictSame(await listed(v2alpha1, v2), [{ kind: 'CiliumCIDRGroup', metadata: { name: 'v2' } }]);
  t.strictSame(await listed(), []);
});
