import t from 'tap';
import { vouchedPods } from '../../src/commands/audit-vouched.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { range, settings, tcp, tenant } from '../reach/world.ts';

const open = { ports: [tcp(5432)], direction: 'egress' as const, expires: undefined, notAssignedToPods: true };
const vouched = ['10.244.3.7/32', '2001:db8:42::7/128'].map((address) => ({ address: range(address), ...open }));
const find = vouchedPods(createTenancy(settings, [tenant('north', { vouched }), tenant('south')]));
const pod = (spec: object, ...addresses: readonly unknown[]) => ({ spec, status: { podIPs: addresses } });

t.test('a pod that has a vouched address is found, with the grant', async (t) => {
  t.same(find(pod({}, { ip: '10.244.3.7' }, { ip: '2001:db8:42::7' })), [
    'has the address 10.244.3.7, which network.vouched[0] of tenant north opens',
    'has the address 2001:db8:42::7, which network.vouched[1] of tenant north opens',
  ]);
});

t.test('so is one in a range of nodes', async (t) => {
  const nodes = { ...open, direction: 'ingress' as const, address: range('192.168.0.0/24') };
  const among = vouchedPods(createTenancy(settings, [tenant('north', { vouched: [nodes] })]));
  const said = ['has the address 192.168.0.9, which network.vouched[0] of tenant north opens'];
  t.same(among(pod({}, { ip: '192.168.0.9' }, { ip: '192.168.1.9' })), said);
  t.same(among(pod({ hostNetwork: true }, { ip: '192.168.0.9' })), []);
});

t.test('no other pod is', async (t) => {
  t.same(find(pod({}, { ip: '10.244.3.8' })), []);
  t.same(find(pod({ hostNetwork: true }, { ip: '10.244.3.7' })), [], 'on the network of its node');
  for (const odd of [pod({}), pod({}, 7, {}, { ip: '' }, { ip: 'here' }), {}, { status: { podIPs: 7 } }])
    t.same(find(odd), []);
});
