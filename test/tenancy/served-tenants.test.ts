import t from 'tap';
import { formatPort } from '../../src/kubernetes/port-range.ts';
import { portsOf } from '../../src/tenancy/served-tenants.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { range, tcp } from '../reach/world.ts';

const base: SharedService = { name: 'api', direction: 'egress', ports: [], addresses: [] };
const endpoints = [{ address: range('10.96.0.1/32'), ports: [tcp(443)] }];
const said = (service: Partial<SharedService>) => portsOf({ ...base, ...service }).map(formatPort);

t.test('a service is open on its ports where it has pods or addresses, and on those of its endpoints', async (t) => {
  t.same(said({ endpoints }), ['443/TCP'], 'endpoints alone are no service on every port');
  t.same(said({ namespace: 'kube-system', podSelector: {} }), ['all/TCP', 'all/UDP', 'all/SCTP']);
  t.same(said({ addresses: [range('10.96.0.1/32')], ports: [tcp(80)], endpoints }), ['80/TCP', '443/TCP']);
});
