/** What the check reserved-devices rests on: a quota of the API server refuses claims of a device class, whoever makes them (POD-26). */
import { clusterTest } from '../apiserver/cluster-test.ts';
import { eventually } from '../soak/observer.ts';

const quotas = '/api/v1/namespaces/acme-web/resourcequotas';
const claims = '/apis/resource.k8s.io/v1/namespaces/acme-web/resourceclaims';
const none = 'nic.deviceclass.resource.k8s.io/devices';

await clusterTest('a quota of none keeps a device class from a namespace, and no other class', async (t, plane) => {
  const post = (path: string, body: object) => plane.request('POST', path, body);
  const claim = (name: string, ...requests: object[]) =>
    post(claims, { metadata: { name }, spec: { devices: { requests } } });
  t.match(await post('/api/v1/namespaces', { metadata: { name: 'acme-web' } }), { status: 201 });
  t.match(await post(quotas, { metadata: { name: 'bulkhead-quota' }, spec: { hard: { [none]: '0' } } }), {
    status: 201,
  });
  await eventually('the quota is counted', async () =>
    (await plane.request('GET', `${quotas}/bulkhead-quota`)).text.includes('"used"'),
  );
  const refused = { status: 403, text: /exceeded quota: bulkhead-quota/ };
  const first = { name: 'nic', deviceClassName: 'nic' };
  const gpu = { name: 'gpu', exactly: { deviceClassName: 'gpu' } };
  t.match(await claim('one', { name: 'nic', exactly: { deviceClassName: 'nic' } }), refused, 'exactly one');
  t.match(
    await claim('all', { name: 'nic', exactly: { deviceClassName: 'nic', allocationMode: 'All' } }),
    refused,
    'all',
  );
  t.match(await claim('beside', gpu, { name: 'nic', exactly: { deviceClassName: 'nic' } }), refused, 'beside another');
  t.match(
    await claim('or', { name: 'any', firstAvailable: [{ name: 'gpu', deviceClassName: 'gpu' }, first] }),
    refused,
    'or',
  );
  t.match(await claim('gpu', gpu), { status: 201 }, 'another class');
});
