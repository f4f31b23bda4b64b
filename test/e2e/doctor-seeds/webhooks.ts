import { listedControllers, notByListedControllers } from '../../../src/backstop/service-conditions.ts';
import { namespaceSelector } from '../../../src/kinds/selected-namespaces.ts';
import type { DoctoredCluster, Json } from '../doctored-cluster.ts';
import { crds, mutating, type Seed, untilServed, validating } from './seed.ts';

export interface Webhook {
  name: string;
  clientConfig: { url: string; caBundle?: string };
  failurePolicy: string;
  matchPolicy: string;
  reinvocationPolicy: string;
  namespaceSelector: { matchExpressions: Json[] };
  objectSelector: Json;
  matchConditions?: Json[];
  rules: { resources: string[]; operations: string[] }[];
}

/** Changes the first webhook of a configuration. */
export const webhook = (path: string, change: (webhook: Webhook) => void) => (cluster: DoctoredCluster) =>
  cluster.changed(path, ({ webhooks: [first] }: { webhooks: Webhook[] }) => first && change(first));
const injector =
  (resources: readonly string[], group: string, more: Json = {}) =>
  (cluster: DoctoredCluster) =>
    cluster.made([
      mutating,
      {
        metadata: { name: 'injector' },
        webhooks: [
          {
            ...{ name: 'inject.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None' },
            ...{ failurePolicy: 'Ignore', clientConfig: { url: 'https://localhost:1/inject' } },
            rules: [{ apiGroups: [group], apiVersions: ['v1'], resources, operations: ['CREATE'], scope: '*' }],
            namespaceSelector: { matchLabels: { never: 'selected' } },
            ...more,
          },
        ],
      },
    ]);

const balancer = { kind: 'ServiceAccount', namespace: 'metallb-system', name: 'controller' } as const;
const pool = 'metallb.io/ip-allocated-from-pool';
const leavesOut =
  (controller: typeof balancer, ...annotations: readonly string[]) =>
  (cluster: DoctoredCluster) =>
    cluster.changed(`${validating}/bulkhead`, ({ webhooks }: { webhooks: Webhook[] }) =>
      webhooks
        .find(({ name }) => name === 'validate.services.bulkhead.dev')
        ?.matchConditions?.push({
          name: listedControllers,
          expression: notByListedControllers([controller], annotations),
        }),
    );
/** As kustomize merges a list without a merge key. */
const leavesOutAlone = (cluster: DoctoredCluster) =>
  cluster.changed(`${validating}/bulkhead`, ({ webhooks }: { webhooks: Webhook[] }) => {
    for (const one of webhooks)
      if (one.name === 'validate.services.bulkhead.dev')
        one.matchConditions = [{ name: listedControllers, expression: notByListedControllers([balancer], [pool]) }];
  });
const listsBalancer: Seed['settings'] = ({ network }) =>
  Object.assign(network?.services as Json, { controllers: [balancer] });

export const webhooks: readonly Seed[] = [
  {
    wrong: 'a configuration is gone',
    ids: ['webhook-missing'],
    make: (cluster) => cluster.removed(`${validating}/bulkhead-workloads`),
  },
  {
    wrong: 'failurePolicy Ignore',
    ids: ['webhook-fail-open'],
    make: webhook(`${validating}/bulkhead`, (one) => {
      one.failurePolicy = 'Ignore';
    }),
  },
  {
    wrong: 'a resource that no rule names',
    ids: ['webhook-rule-missing'],
    says: /no rule sends CREATE of v1\/pods/,
    make: webhook(`${mutating}/bulkhead`, ({ rules }) => {
      rules.splice(0, 1);
    }),
  },
  {
    wrong: 'namespace/finalize in place of namespaces/finalize (TEN-05)',
    ids: ['webhook-rule-missing', 'webhook-rule-unknown'],
    says: /perhaps namespaces\/finalize is meant/,
    make: webhook(`${validating}/bulkhead-namespaces`, ({ rules }) => {
      for (const rule of rules)
        rule.resources = rule.resources.map((one) => (one === 'namespaces/finalize' ? 'namespace/finalize' : one));
    }),
  },
  {
    wrong: 'a version of a judged resource that no rule names',
    ids: ['webhook-version-unnamed'],
    async make(cluster) {
      const versions = (answer: string) => answer.includes('"v1beta1"');
      const undo = await cluster.changed(`${crds}/tenants.bulkhead.dev`, ({ spec }: { spec: { versions: Json[] } }) => {
        spec.versions.push({ ...spec.versions[0], name: 'v1beta1', storage: false });
      });
      await untilServed(cluster, '/apis/bulkhead.dev', versions);
      await untilServed(cluster, '/apis/bulkhead.dev/v1beta1', (text) => text.includes('"tenants"'));
      return async () => {
        await undo();
        await untilServed(cluster, '/apis/bulkhead.dev', (text) => !versions(text));
      };
    },
  },
  {
    wrong: 'a selector that leaves out namespaces',
    ids: ['webhook-selector'],
    make: webhook(`${validating}/bulkhead`, ({ namespaceSelector }) => {
      namespaceSelector.matchExpressions.push({ key: 'team', operator: 'NotIn', values: ['acme'] });
    }),
  },
  {
    wrong: 'a selector that leaves out the root namespace of the mesh',
    ids: ['webhook-selector'],
    says: /validate\.mesh\.bulkhead\.dev/,
    async make(cluster) {
      return await cluster.changed(
        `${validating}/bulkhead`,
        ({ webhooks }: { webhooks: { name: string; namespaceSelector: object }[] }) => {
          for (const one of webhooks)
            if (one.name === 'validate.mesh.bulkhead.dev')
              one.namespaceSelector = namespaceSelector('bulkhead.dev/tenant');
        },
      );
    },
  },
  {
    wrong: 'an objectSelector (ADM-05)',
    ids: ['webhook-object-selector'],
    make: webhook(`${validating}/bulkhead`, (one) => {
      one.objectSelector = { matchExpressions: [{ key: 'ignore', operator: 'DoesNotExist' }] };
    }),
  },
  {
    wrong: 'matchPolicy Exact (ADM-07)',
    ids: ['webhook-match-policy'],
    make: webhook(`${validating}/bulkhead-namespaces`, (one) => {
      one.matchPolicy = 'Exact';
    }),
  },
  {
    wrong: 'a match condition on who sends it (ADM-09)',
    ids: ['webhook-match-conditions'],
    make: webhook(`${validating}/bulkhead-namespaces`, (one) => {
      const [first] = one.matchConditions ?? [];
      // The name alone is no proof.
      if (first !== undefined) first.expression = '!request.userInfo.username.startsWith("system:")';
    }),
  },
  {
    wrong: 'nothing: an overlay leaves out a controller of the settings (docs/neighbours.md)',
    ids: [],
    make: leavesOut(balancer, pool),
    settings: listsBalancer,
  },
  {
    wrong: 'an overlay leaves out an annotation that a check reads',
    ids: ['webhook-match-conditions'],
    make: leavesOut(balancer, pool, 'metallb.io/loadBalancerIPs'),
    settings: listsBalancer,
  },
  {
    wrong: 'an overlay leaves out a controller that the settings do not name',
    ids: ['webhook-match-conditions'],
    make: leavesOut(balancer, pool),
  },
  {
    wrong: 'an overlay whose merge replaces the installed conditions',
    ids: ['webhook-condition-missing'],
    says: /its match condition not-by-controllers-of-services is missing/,
    make: leavesOutAlone,
    settings: listsBalancer,
  },
  {
    wrong: 'a webhook that somebody else answers',
    ids: ['webhook-address'],
    make: webhook(`${mutating}/bulkhead-namespaces`, ({ clientConfig }) => {
      clientConfig.url = 'https://localhost:1/mutate';
      delete clientConfig.caBundle;
    }),
  },
  {
    wrong: 'an endpoint of Bulkhead that admits',
    ids: ['webhook-address'],
    says: /its path does not end in \/validate/,
    make: webhook(`${validating}/bulkhead`, ({ clientConfig }) => {
      clientConfig.url = clientConfig.url.replace('/validate', '/warn');
    }),
  },
  {
    wrong: 'reinvocationPolicy Never (ADM-12)',
    ids: ['webhook-reinvocation'],
    make: webhook(`${mutating}/bulkhead`, (one) => {
      one.reinvocationPolicy = 'Never';
    }),
  },
  {
    wrong: 'a later webhook changes policies',
    ids: ['webhook-mutates-later'],
    // The API server calls Bulkhead once more after it: Gatekeeper, in every cluster that mutates by it.
    says: /"severity":"note"/,
    make: injector(['*'], 'networking.k8s.io'),
  },
  {
    wrong: 'a later webhook has the last word on policies',
    ids: ['webhook-mutates-later'],
    says: /"severity":"warning"/,
    make: injector(['*'], 'networking.k8s.io', { reinvocationPolicy: 'IfNeeded' }),
  },
  { wrong: 'a later webhook changes pods', ids: ['webhook-injects-later'], make: injector(['pods'], '') },
];
