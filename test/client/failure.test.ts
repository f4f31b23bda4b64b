/** What a failure says in a log line or an Event. */
import t from 'tap';
import { broken, describe, statusFailure } from '../../src/client/failure.ts';

t.test('the path that nobody guesses is never told', async (t) => {
  const path = '0123456789abcdef'.repeat(3);
  const url = `https://bulkhead.bulkhead-system.svc:443/${path}/validate?timeout=5s`;
  for (const failure of [
    broken(new Error(`failed calling webhook: Post "${url}": EOF`)),
    statusFailure({ code: 500, message: `failed to call webhook: Post "${url}": context deadline exceeded` }, 500),
    statusFailure({ code: 422, message: `clientConfig.service.path: Invalid value: "/${path}/mutate": no` }, 422),
  ]) {
    t.notMatch(describe(failure), path);
    t.match(describe(failure), '/***/', 'and that there was one is');
  }
  t.match(describe(statusFailure({ message: `/api/v1/namespaces/${path}/pods` }, 404)), path, 'other names stay');
});
