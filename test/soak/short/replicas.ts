/** The short forms of the measurements in test/soak that need replicas behind a Service: nothing is asked of the speed. */
import { privateNetworkTest } from '../../apiserver/private-network.ts';
import { namespace } from '../../bench/scenarios.ts';
import { describeApiServer, measureApiServer, missedApiServer, untilIsolated } from '../api-server.ts';
import { guardService } from '../guarded-service.ts';
import { describeIdle, idle, idleThrough, missedIdle, missedThrough } from '../idle.ts';
import { describeLoss, lose, missedLoss } from '../loss.ts';
import { describeRollout, lightLoad, missedRollout, rollOut } from '../rollout.ts';
import { routing } from '../soak-network.ts';

await privateNetworkTest(
  import.meta.url,
  'replicas are lost, replaced, left idle and compared',
  async (t, plane) => {
    const service = await guardService(plane, { probe: { periodSeconds: 0.2, failureThreshold: 2 } });
    t.teardown(() => service.stop());

    await t.test('a rollout', async (t) => {
      const result = await rollOut(service, { restarts: 1, pauseSeconds: 1, waitForDrains: false, load: lightLoad });
      t.same(missedRollout(result, 1), [], describeRollout(result));
    });
    await t.test('a loss', async (t) => {
      const options = { kills: 1, hangSeconds: 3 };
      const result = await lose(service, options);
      // A machine that does other things besides is late by itself, and one kill may find nothing in flight.
      const late = /later than a second|took|nobody got through|was not noticed|no kill was noticed/;
      const missed = missedLoss(result, options).filter((one) => !late.test(one));
      t.same(missed, [], describeLoss(result));
    });
    await t.test('idle connections', async (t) => {
      const known = { metadata: { name: namespace, labels: { 'bulkhead.dev/tenant': 'acme' } } };
      t.match(await plane.request('POST', '/api/v1/namespaces', known), { status: 201 });
      const options = { connections: 20, requests: 40, shortest: 0.1, longest: 2, clientIdle: 1.5 };
      const [replica] = service.replicas.ready();
      const target = { host: replica?.address ?? '', port: 9443, caBundle: service.authority.certificate };
      const result = await idle(target, options);
      const through = await idleThrough(plane, service.kubeconfig, [1]);
      t.same([...missedIdle(result, options), ...missedThrough(through)], [], describeIdle(result, through));
    });
    await t.test('a comparison', async (t) => {
      await untilIsolated(service);
      const result = await measureApiServer(service, { rounds: 1, perSecond: 20, blockSeconds: 2 });
      t.same([...missedApiServer(result), ...result.wrong], [], describeApiServer(result));
    });
    t.same(service.replicas.wrong, []);
  },
  { apiServerFlags: [routing], controllers: false },
);
