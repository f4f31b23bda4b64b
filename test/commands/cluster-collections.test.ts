/** Which collections of a cluster a snapshot is made of. */
import t from 'tap';
import { decodeObject } from '../../src/client/decode.ts';
import { objectsIn } from '../../src/commands/snapshot-source.ts';
import type { ClusterReader } from '../../src/facts/cluster-reader.ts';
import { valueAt } from '../../src/kubernetes/json.ts';

/** It serves one group of addresses at each of these paths. */
function serving(...served: readonly string[]): Pick<ClusterReader, 'eachServed'> {
  return {
    async eachServed(paths, tell) {
      const path = paths.find((one) => served.includes(one));
      if (path === undefined) return;
      const metadata = { name: path.split('/')[3], uid: '1', resourceVersion: '1' };
      const object = decodeObject({ metadata, spec: { externalCIDRs: ['203.0.113.0/24'] } });
      if (object !== undefined) tell(object);
    },
  };
}

t.test('CiliumCIDRGroups are listed in the newest version that is served', async (t) => {
  const [v2, v2alpha1] = ['v2', 'v2alpha1'].map((one) => `/apis/cilium.io/${one}/ciliumcidrgroups`) as [string, string];
  const listed = async (...paths: readonly string[]) =>
    (await objectsIn(serving(...paths) as ClusterReader, [])).map(({ kind, metadata }) => ({
      kind,
      name: valueAt(metadata, 'name'),
    }));
  t.strictSame(await listed(v2alpha1), [{ kind: 'CiliumCIDRGroup', name: 'v2alpha1' }]);
  t.strictSame(await listed(v2alpha1, v2), [{ kind: 'CiliumCIDRGroup', name: 'v2' }]);
  t.strictSame(await listed(), []);
});
