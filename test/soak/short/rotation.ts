/** The short form of rotation.ts: it asks nothing of the phases in which the kills come. */
import { privateNetworkTest } from '../../apiserver/private-network.ts';
import { guardService } from '../guarded-service.ts';
import { lightLoad } from '../rollout.ts';
import { certificateArguments, describeRotation, missedRotation, rotate } from '../rotation.ts';
import { routing } from '../soak-network.ts';

await privateNetworkTest(
  import.meta.url,
  'authorities are rotated under load, and replicas die meanwhile',
  async (t, plane) => {
    const probe = { periodSeconds: 0.2, failureThreshold: 2 };
    const service = await guardService(plane, { probe, certificateArguments });
    t.teardown(() => service.stop());
    const result = await rotate(service, 2, lightLoad);
    t.same(missedRotation(result, 2), [], describeRotation(result));
  },
  { apiServerFlags: [routing], controllers: false },
);
