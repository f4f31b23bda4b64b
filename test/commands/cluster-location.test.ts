/** Where no cluster can be read, a command has no answer: it ends with 2, as 1 is one. */
import t from 'tap';
import { locationOf } from '../../src/commands/cluster-location.ts';

const nothing = { kubeconfig: undefined, context: undefined };

t.test('without a cluster, a command that reads one ends with 2', async (t) => {
  const rows = [
    [nothing, {}, 'audit needs a cluster to look at: give --kubeconfig FILE'],
    [
      nothing,
      { KUBECONFIG: '/one:/other' },
      '$KUBECONFIG names several files, and audit reads one: give --kubeconfig FILE',
    ],
    [
      { ...nothing, context: 'other' },
      { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' },
      '--context goes with a kubeconfig: give --kubeconfig FILE',
    ],
  ] as const;
  for (const [values, environment, message] of rows)
    t.throws(() => locationOf('audit', values, environment), { code: 2, message }, message);
  t.match(locationOf('audit', { kubeconfig: '/one', context: 'other' }, {}), { kind: 'kubeconfig', context: 'other' });
});
