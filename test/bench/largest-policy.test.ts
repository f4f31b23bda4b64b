/** What policies cost at most that are made to be dear, held against the largest NetworkPolicy that is admitted: on any machine. */
import t from 'tap';
import { compareHostile } from './largest-policy.ts';

t.test('no AuthorizationPolicy is much dearer than the largest NetworkPolicy', async (t) => {
  for (const [says, times] of compareHostile()) t.ok(times < 15, `${says}: ${times.toFixed(2)} times`);
});
