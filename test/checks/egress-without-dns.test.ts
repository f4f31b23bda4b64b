import t from 'tap';
import { createAdmission } from '../../src/admission/admission.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import type { SharedService } from '../../src/tenancy/settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { warningsIn } from '../fixtures/denial.ts';
import { submit } from '../fixtures/review.ts';
import { createWorld, settings } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld('enforce');
const spec = {
  podSelector: {},
  policyTypes: ['Egress'],
  egress: [{ to: [{ podSelector: { matchLabels: { app: 'database' } } }], ports: [{ port: 5432 }] }],
};
const policy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'database', namespace: 'acme-web' },
};

function service(direction: SharedService['direction'], ...ports: PortRange[]): SharedService {
  return { name: 'shared', direction, namespace: 'kube-system', podSelector: {}, ports, addresses: [] };
}

const port = (number: number): PortRange => ({ protocol: 'UDP', first: number, last: number });

t.test('in mode enforce it is told where the baseline opens no DNS', async (t) => {
  const rows: readonly [what: string, sharedServices: readonly SharedService[], told: boolean][] = [
    ['no shared service', [], true],
    ['another shared service', [service('egress', port(514))], true],
    ['a name server that reaches tenants, but is not reached', [service('ingress', port(53))], true],
    ['a name server', [service('egress', port(514), port(53))], false],
    ['the name server of OpenShift', [service('egress', port(5353))], false],
    ['a service with every port', [service('egress')], false],
  ];
  for (const [what, sharedServices, told] of rows) {
    const world = createTenancy({ ...settings, sharedServices }, [...tenancy.tenants.values()]);
    const review = createAdmission({ tenancy: () => world, namespaces, onDefect: (error) => t.fail(`${error}`) });
    const object = Object.assign({}, policy, { spec });
    const { allowed, warnings = [] } = await submit(review, {
      user: cast['acme developer'],
      operation: 'CREATE',
      object,
    });
    t.ok(allowed, `${what}: it is admitted`);
    const own = warningsIn(warnings).filter((warning) => warning.told.startsWith('egress-without-dns: '));
    t.equal(own.length, told ? 1 : 0, what);
  }
});
