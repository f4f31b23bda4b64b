import t from 'tap';
import { networkPolicyResource } from '../../src/kinds/network-policy/network-policy.ts';
import { field } from '../../src/kubernetes/field-path.ts';
import type { KubernetesObject, StringMap } from '../../src/kubernetes/objects.ts';
import type { AdmissionRequest, Operation } from '../../src/kubernetes/review.ts';
import { tenantLabel as mutation } from '../../src/mutations/tenant-label.ts';
import type { Owner } from '../../src/tenancy/tenancy.ts';
import { cast } from '../fixtures/cast.ts';
import { createWorld, tenantLabel } from '../fixtures/world.ts';

const { tenancy } = createWorld();
const acme = tenancy.ownerByLabels({ [tenantLabel]: 'acme' });
const intent = { labels: field(field(undefined, 'metadata'), 'labels'), key: tenantLabel, value: 'acme' };

const kinds = {
  Namespace: { family: 'namespace', kind: 'Namespace' },
  NetworkPolicy: { family: 'policy', kind: 'NetworkPolicy', resource: networkPolicyResource },
  Pod: { family: 'pod', kind: 'Pod' },
} as const;

function request(
  kind: keyof typeof kinds,
  operation: Operation,
  { labels, subresource = '' }: { labels?: StringMap | null; subresource?: string } = {},
): AdmissionRequest {
  const object: KubernetesObject = { kind, metadata: labels === undefined ? {} : { labels } };
  const rest = { uid: '1', name: 'web', namespace: 'acme-web', user: cast['acme developer'], dryRun: false };
  return { ...kinds[kind], operation, subresource, object, oldObject: undefined, ...rest };
}

t.test('what a tenant owns gets its label, where there is none', async (t) => {
  const rows: readonly [sentence: string, request: AdmissionRequest, owner: Owner, labelled: boolean][] = [
    ['a new namespace', request('Namespace', 'CREATE'), acme, true],
    ['a new pod', request('Pod', 'CREATE'), acme, true],
    ['a new policy', request('NetworkPolicy', 'CREATE'), acme, true],
    ['with labels of its own', request('Pod', 'CREATE', { labels: { app: 'web' } }), acme, true],
    ['with labels that are null', request('Pod', 'CREATE', { labels: null }), acme, true],
    ['a pod of old that is updated', request('Pod', 'UPDATE'), acme, true],
    ['a policy whose label an update removes', request('NetworkPolicy', 'UPDATE'), acme, true],
    [
      'a namespace whose label an update removes: that is refused, not undone',
      request('Namespace', 'UPDATE'),
      acme,
      false,
    ],
    ['the right label', request('Pod', 'CREATE', { labels: { [tenantLabel]: 'acme' } }), acme, false],
    [
      'a wrong label: that is refused, not mended',
      request('Pod', 'CREATE', { labels: { [tenantLabel]: 'beta' } }),
      acme,
      false,
    ],
    ['an empty label', request('Pod', 'CREATE', { labels: { [tenantLabel]: '' } }), acme, false],
    ['what belongs to the platform', request('Pod', 'CREATE'), 'platform', false],
    ['a delete', request('Pod', 'DELETE'), acme, false],
    ['a status', request('Pod', 'UPDATE', { subresource: 'status' }), acme, false],
    ['a Binding', request('Pod', 'CREATE', { subresource: 'binding' }), acme, false],
    ['a namespace that is finalized', request('Namespace', 'UPDATE', { subresource: 'finalize' }), acme, false],
  ];
  for (const [sentence, asked, owner, labelled] of rows) {
    t.strictSame(mutation(asked, { owner, tenancy }), labelled ? intent : undefined, sentence);
  }
});
