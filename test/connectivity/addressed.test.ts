/** Pods by their addresses, of which some are given twice. */
import t from 'tap';
import { addressedIn } from '../../src/connectivity/addressed.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import { intersect } from '../../src/kubernetes/ip-set.ts';
import { randomFrom } from '../engines/random.ts';
import { namespace, worldOf } from './worlds.ts';

const random = randomFrom(1);
const ip = () => (random.below(6) === 0 ? `2001:db8::${random.below(9) + 1}` : `10.0.0.${random.below(24)}`);

t.test('the pods with an address in a range are found, whatever other pods have', async (t) => {
  let found = 0;
  for (let round = 0; round < 300; round++) {
    const pods = Array.from({ length: 1 + random.below(12) }, (_, index) => ({
      ...{ apiVersion: 'v1', kind: 'Pod', spec: {} },
      metadata: { namespace: 'one', name: `pod-${index}`, labels: { class: String(random.below(5)) } },
      status: { podIPs: Array.from({ length: random.below(3) }, () => ({ ip: ip() })) },
    }));
    const { parties } = worldOf([namespace('one'), ...pods]);
    for (const range of ['10.0.0.0/28', '10.0.0.8/30', '10.0.0.5/32', '0.0.0.0/0', '2001:db8::4/126', '::/0'].map(
      knownRange,
    )) {
      const expected = parties.classes.filter(({ addresses }) => intersect(addresses, [range]).length > 0);
      const listed = new Set(addressedIn(range, parties.addressed));
      found += listed.size;
      t.ok(listed.symmetricDifference(new Set(expected)).size === 0, `round ${round}`);
    }
    const bare = parties.classes.filter(({ addresses }) => addresses.length === 0);
    t.strictSame(parties.unaddressed, bare);
  }
  t.ok(found > 1000);
});
