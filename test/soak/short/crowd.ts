/** The short form of beside-crowd.ts. */
import { privateNetworkTest } from '../../apiserver/private-network.ts';
import { describeCrowd, measureCrowd, missedCrowd } from '../beside-crowd.ts';
import { guardService } from '../guarded-service.ts';
import { routing } from '../soak-network.ts';

await privateNetworkTest(
  import.meta.url,
  'pods are created beside a crowd of policies, and beside slow senders (SRV-17)',
  async (t, plane) => {
    const service = await guardService(plane, { probe: { periodSeconds: 0.2, failureThreshold: 2 } });
    t.teardown(() => service.stop());
    const options = { seconds: 4, perSecond: 5, policies: 20, senders: 420, policiesAfter: 0, crowdBefore: 0 };
    const result = await measureCrowd(service, options);
    t.same(missedCrowd(result, options), [], describeCrowd(result));
    t.same(service.replicas.wrong, []);
  },
  { apiServerFlags: [routing], controllers: false },
);
