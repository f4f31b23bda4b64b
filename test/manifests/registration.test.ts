/**
 * Which requests the API server sends, and what it does when it cannot. A gap here is a way around every check, so each
 * invariant (R1 to R7) is held literally.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { generatedFiles } from '../../manifests/base/generated-files.ts';
import { phases } from '../../src/admission/decision.ts';
import { understoodResources } from '../../src/admission/decode.ts';
import { managedPrefix } from '../../src/baseline/managed.ts';
import { namespaceControllers } from '../../src/checks/namespace-finalize.ts';
import { addressFields } from '../../src/checks/pod-addresses.ts';
import { countsOfBaseline } from '../../src/checks/quota-on-baseline.ts';
import { expectedRules } from '../../src/configuration/expected-rules.ts';
import { configurationNames, endpointOf } from '../../src/configuration/webhook-configuration.ts';
import { builtInNamespaces, builtInPrefixes } from '../../src/tenancy/default-settings.ts';
import { builtInAgents } from '../../src/tenancy/network-agents.ts';
import { agentsWriteIn, policyGroups } from '../../src/tenancy/policy-groups.ts';
import { nameOf } from '../../src/tenancy/subjects.ts';
import { all, only, type Webhook, type WebhookConfiguration } from './base.ts';

const mutating = all('MutatingWebhookConfiguration');
/** The first word of the name, by which Bulkhead writes the path. */
const phaseOf = ({ webhooks: [webhook] }: WebhookConfiguration): string | undefined => webhook.name.split('.')[0];
const validating = all('ValidatingWebhookConfiguration').filter((one) => phaseOf(one) === 'validate');
const warning = all('ValidatingWebhookConfiguration').filter((one) => phaseOf(one) !== 'validate');

/** The webhook for what no entry of the table reads. */
const unread = 'validate.network.bulkhead.dev';
const ofRoutes = 'validate.routes.bulkhead.dev';
const ofRights = 'warn.rights.bulkhead.dev';
const ofServices = 'validate.services.bulkhead.dev';
const ofMesh = 'validate.mesh.bulkhead.dev';
const ofUnread = validating.flatMap(({ webhooks }) => webhooks).filter(({ name }) => name === unread);

/** Resource, as `understoodResources` writes it -> operations, in the order of the webhooks; without those that no entry reads. */
function registered(configurations: readonly WebhookConfiguration[]): Record<string, readonly string[]> {
  const found: Record<string, readonly string[]> = {};
  for (const { webhooks } of configurations) {
    const others = webhooks.filter(({ name }) => name !== unread && name !== ofMesh);
    for (const { apiGroups, apiVersions, resources, operations } of others.flatMap(({ rules }) => rules)) {
      for (const group of apiGroups) {
        for (const version of apiVersions) {
          for (const resource of resources) {
            const name = `${group === '' ? '' : `${group}/`}${version}/${resource}`;
            const before = found[name] ?? [];
            if (before.some((one) => operations.includes(one))) throw new Error(`${name} would be asked about twice`);
            found[name] = [...before, ...operations];
          }
        }
      }
    }
  }
  return found;
}

t.test('the committed files are made from the table of kinds', async (t) => {
  for (const { file, text } of generatedFiles())
    t.equal(readFileSync(file, 'utf8'), text, `${file}: run npm run manifests`);
});

t.test('what is registered is what is understood', async (t) => {
  t.strictSame(
    Object.keys(registered([...validating, ...warning])).sort(),
    [...understoodResources].sort(),
    'every resource that is understood is sent to validate or warn, and no other (R2)',
  );
  for (const resource of Object.keys(registered(mutating)))
    t.ok(understoodResources.includes(resource), `mutate understands ${resource}`);
});

t.test('operations', async (t) => {
  t.strictSame(
    registered(validating),
    {
      'v1/namespaces': ['CREATE', 'UPDATE', 'DELETE'],
      'v1/namespaces/status': ['UPDATE'],
      'v1/namespaces/finalize': ['UPDATE'],
      'v1/pods': ['CREATE', 'UPDATE'],
      'v1/pods/status': ['UPDATE'],
      'v1/pods/ephemeralcontainers': ['UPDATE'],
      'v1/pods/resize': ['UPDATE'],
      'v1/pods/binding': ['CREATE'],
      'v1/bindings': ['CREATE'],
      'networking.k8s.io/v1/networkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'cilium.io/v2/ciliumnetworkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'projectcalico.org/v3/networkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'crd.projectcalico.org/v1/networkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'projectcalico.org/v3/stagednetworkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'crd.projectcalico.org/v1/stagednetworkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'projectcalico.org/v3/stagedkubernetesnetworkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'crd.projectcalico.org/v1/stagedkubernetesnetworkpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'projectcalico.org/v3/networksets': ['CREATE', 'UPDATE', 'DELETE'],
      'crd.projectcalico.org/v1/networksets': ['CREATE', 'UPDATE', 'DELETE'],
      'v1/services': ['CREATE', 'UPDATE', 'DELETE'],
      'v1/services/status': ['UPDATE'],
      'v1/endpoints': ['CREATE', 'UPDATE'],
      'discovery.k8s.io/v1/endpointslices': ['CREATE', 'UPDATE'],
      'networking.k8s.io/v1/ingresses': ['CREATE', 'UPDATE'],
      'networking.k8s.io/v1/ingresses/status': ['UPDATE'],
      'gateway.networking.k8s.io/v1/gateways': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1beta1/gateways': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/listenersets': ['CREATE', 'UPDATE'],
      // They are only warned of.
      'rbac.authorization.k8s.io/v1/roles': ['CREATE', 'UPDATE'],
      'rbac.authorization.k8s.io/v1/rolebindings': ['CREATE', 'UPDATE'],
      'gateway.networking.x-k8s.io/v1alpha1/xlistenersets': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/httproutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1beta1/httproutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/grpcroutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1alpha2/grpcroutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/tlsroutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1alpha3/tlsroutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1alpha2/tlsroutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/tcproutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1alpha2/tcproutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/udproutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1alpha2/udproutes': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1/referencegrants': ['CREATE', 'UPDATE'],
      'gateway.networking.k8s.io/v1beta1/referencegrants': ['CREATE', 'UPDATE'],
      'security.istio.io/v1/authorizationpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'security.istio.io/v1beta1/authorizationpolicies': ['CREATE', 'UPDATE', 'DELETE'],
      'v1/resourcequotas': ['CREATE', 'UPDATE', 'DELETE'],
      'v1/resourcequotas/status': ['UPDATE'],
      'bulkhead.dev/v1alpha1/tenants': ['CREATE', 'UPDATE', 'DELETE'],
      'bulkhead.dev/v1alpha1/tenants/status': ['UPDATE'],
      'bulkhead.dev/v1alpha1/exemptions': ['CREATE', 'UPDATE', 'DELETE'],
      'bulkhead.dev/v1alpha1/exemptions/status': ['UPDATE'],
      'bulkhead.dev/v1alpha1/gaterequests': ['CREATE', 'UPDATE'],
      'bulkhead.dev/v1alpha1/gaterequests/status': ['UPDATE'],
    },
    'validate is asked about every way to write (ADM-01, ADM-02, ADM-08)',
  );
  t.strictSame(
    registered(mutating),
    {
      'v1/namespaces': ['CREATE'],
      'v1/pods': ['CREATE', 'UPDATE'],
      'networking.k8s.io/v1/networkpolicies': ['CREATE', 'UPDATE'],
      'cilium.io/v2/ciliumnetworkpolicies': ['CREATE', 'UPDATE'],
      'projectcalico.org/v3/networkpolicies': ['CREATE', 'UPDATE'],
      'crd.projectcalico.org/v1/networkpolicies': ['CREATE', 'UPDATE'],
      'projectcalico.org/v3/stagednetworkpolicies': ['CREATE', 'UPDATE'],
      'crd.projectcalico.org/v1/stagednetworkpolicies': ['CREATE', 'UPDATE'],
      'projectcalico.org/v3/stagedkubernetesnetworkpolicies': ['CREATE', 'UPDATE'],
      'crd.projectcalico.org/v1/stagedkubernetesnetworkpolicies': ['CREATE', 'UPDATE'],
      'projectcalico.org/v3/networksets': ['CREATE', 'UPDATE'],
      'crd.projectcalico.org/v1/networksets': ['CREATE', 'UPDATE'],
      'security.istio.io/v1/authorizationpolicies': ['CREATE', 'UPDATE'],
      'security.istio.io/v1beta1/authorizationpolicies': ['CREATE', 'UPDATE'],
      'bulkhead.dev/v1alpha1/gaterequests': ['CREATE', 'UPDATE'],
    },
    'mutate is asked where a label may be missing',
  );
  const writes = ['CREATE', 'UPDATE'];
  t.strictSame(
    registered(warning),
    {
      'apps/v1/deployments': writes,
      'apps/v1/statefulsets': writes,
      'apps/v1/daemonsets': writes,
      'apps/v1/replicasets': writes,
      'batch/v1/jobs': writes,
      'batch/v1/cronjobs': writes,
      'v1/replicationcontrollers': writes,
    },
    'warn is asked where a template is written: not about status, scale or deletion',
  );
});

t.test('what no entry of the table reads is sent, of every group that carries network policy', async (t) => {
  t.strictSame(
    ofUnread.map(({ rules }) => rules),
    // In the order of the files.
    ['Cluster', 'Namespaced'].map((scope) => [
      {
        apiGroups: policyGroups.map(({ group }) => group),
        apiVersions: ['*'],
        resources: ['*/*'],
        operations: ['CREATE', 'UPDATE'],
        scope,
      },
    ]),
    'in every version, with every subresource (ADM-01, ADM-07)',
  );
  for (const { matchConditions = [] } of ofUnread) {
    const texts = matchConditions
      .filter(({ name }) => name !== 'not-read')
      .map(({ expression }) => expression.replaceAll(/\s+/g, ' '));
    for (const text of texts)
      t.match(
        text,
        /^!\(request\.userInfo\.username in \[[^\]]+\] && \(\(.* == "status" && request\.resource\.group in \[[^\]]+\]\)( \|\| \(request\.resource\.group == "[^"]+" && request\.resource\.resource in \[[^\]]+\]\))*\)\)$/,
        'a whole user name counts only with the group and the exact resource or a status (ADM-09, ADM-18)',
      );
    for (const { subjects, groups } of builtInAgents)
      for (const subject of subjects) {
        const own = texts.filter((text) => text.includes(`"${nameOf(subject)}"`));
        t.equal(own.length, 1, `${nameOf(subject)} stands in one condition`);
        for (const group of groups) {
          t.ok(own[0]?.includes(`"${group}"`), `${nameOf(subject)} writes every status of ${group}`);
          for (const resource of agentsWriteIn(group)) t.ok(own[0]?.includes(`"${resource}"`), resource);
        }
      }
    const named = texts.flatMap((text) => [...text.matchAll(/system:serviceaccount:([^:"]+):[^"]+/g)]);
    for (const [, namespace = ''] of named)
      t.ok(
        builtInNamespaces.includes(namespace) || builtInPrefixes.some((prefix) => namespace.startsWith(prefix)),
        `no tenant can create ${namespace}, whose accounts pass by`,
      );
  }
});

t.test('in the namespaces of the mesh, everything of Istio but the status is sent', async (t) => {
  const rules = validating.flatMap(({ webhooks }) => webhooks.filter(({ name }) => name === ofMesh));
  t.strictSame(
    rules.map((one) => one.rules),
    [
      [
        {
          apiGroups: ['networking.istio.io', 'security.istio.io', 'extensions.istio.io'],
          apiVersions: ['*'],
          resources: ['*'],
          operations: ['CREATE', 'UPDATE', 'DELETE'],
          scope: 'Namespaced',
        },
      ],
    ],
  );
});

t.test('what serve compares the rules of the cluster with', async (t) => {
  const lines = (
    rules: readonly { readonly resource: string; readonly scope: string; readonly operations: readonly string[] }[],
  ) => rules.map(({ resource, scope, operations }) => `${resource} ${scope} ${operations}`).sort();
  for (const [phase, configurations] of [
    ['mutating', mutating],
    ['validating', [...validating, ...warning]],
  ] as const) {
    for (const configuration of configurations) {
      const wild = configuration.webhooks
        .filter((one) => one.name === unread || one.name === ofMesh)
        .flatMap(({ rules }) => rules)
        .flatMap(({ apiGroups, resources, operations, scope }) =>
          apiGroups.map((group) => ({ resource: `${group}/*/${resources}`, operations, scope })),
        );
      const rules = configuration.webhooks.flatMap((webhook) => webhook.rules);
      const scopeOf = (resource: string) =>
        rules.find(({ resources }) => resources.some((one) => resource.endsWith(`/${one}`)))?.scope ?? '';
      const found = Object.entries(registered([configuration])).map(([resource, operations]) => ({
        resource,
        operations,
        scope: scopeOf(resource),
      }));
      const name = `${phase}/${configuration.metadata.name}`;
      const expected = Object.entries(expectedRules).find(([key]) => key === name)?.[1] ?? [];
      t.strictSame(lines(expected), lines([...found, ...wild]), `${name} is expected as it is installed`);
    }
  }
  t.equal(Object.keys(expectedRules).length, mutating.length + validating.length + warning.length, 'and no other');
});

t.test('the registration for warnings stops nobody', async (t) => {
  const [configuration, ...others] = warning;
  if (configuration === undefined || others.length > 0) throw new Error(`there are ${others.length + 1}`);
  const [{ rules, namespaceSelector, matchConditions, ...rest }, ...more] = configuration.webhooks;
  t.strictSame(more, []);
  t.strictSame(rest, {
    name: 'warn.bulkhead.dev',
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { namespace: 'bulkhead-system', name: 'bulkhead', port: 443 } },
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    timeoutSeconds: 2,
    matchPolicy: 'Equivalent',
  });
  const named = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'bulkhead-system'] };
  t.strictSame(namespaceSelector, { matchExpressions: [named] }, 'it asks in every namespace but two');
  t.strictSame(
    matchConditions?.map(({ name }) => name),
    ['template-changes', 'nobodys-child'],
  );
  for (const { scope } of rules) t.equal(scope, 'Namespaced');
});

t.test('Bulkhead completes every registration of the base, and no other', async (t) => {
  t.strictSame(
    [...configurationNames].sort(),
    [...mutating, ...validating, ...warning]
      .map(({ kind, metadata }) => `${kind.replace('WebhookConfiguration', '').toLowerCase()}/${metadata.name}`)
      .sort(),
  );
  for (const { webhooks } of [...mutating, ...validating, ...warning])
    for (const { name } of webhooks)
      t.ok(
        phases.some((phase) => phase === endpointOf({ name })),
        name,
      );
});

t.test('every registration', async (t) => {
  for (const [configurations, phase] of [
    [mutating, 'mutate'],
    [validating, 'validate'],
  ] as const) {
    t.equal(configurations.length, 2, `${phase}: for Namespaces, and for what is inside them`);
    for (const { metadata, webhooks } of configurations) {
      const [name, filtered] = [`${phase}.bulkhead.dev`, `${phase}.filtered.bulkhead.dev`];
      t.strictSame(
        webhooks.map((webhook) => webhook.name),
        [
          ...(metadata.name === 'bulkhead' ? [name, filtered] : [name]),
          ...(phase === 'validate' ? [unread] : []),
          ...(phase === 'validate' && metadata.name === 'bulkhead' ? [ofServices, ofRoutes, ofRights, ofMesh] : []),
        ],
        `${metadata.name} holds nothing else`,
      );
      t.strictSame(
        metadata.annotations,
        { 'admissions.enforcer/disabled': 'true' },
        'to which AKS adds no selector that exempts by a label',
      );
      for (const { name, rules, namespaceSelector: _, matchConditions, ...rest } of webhooks) {
        if (metadata.name === 'bulkhead')
          t.equal(
            matchConditions !== undefined,
            name === filtered || name === unread || name === ofServices || name === ofRoutes,
            `${name}: what is always sent is sent without a look at it`,
          );
        t.strictSame(
          rest,
          {
            admissionReviewVersions: ['v1'],
            clientConfig: {
              service: { namespace: 'bulkhead-system', name: 'bulkhead', port: 443 },
            },
            sideEffects: 'None',
            failurePolicy: 'Ignore',
            timeoutSeconds: name === ofRights ? 2 : 5,
            matchPolicy: 'Equivalent',
            ...(phase === 'mutate' && { reinvocationPolicy: 'IfNeeded' }),
          },
          `${name} of ${metadata.name} begins open, has no objectSelector (ADM-05) and speaks v1 alone (R1, R6, R7)`,
        );
        for (const { scope, resources } of name === unread || name === ofMesh ? [] : rules) {
          const cluster = resources.every((resource) =>
            ['namespaces', 'tenants', 'exemptions'].includes(resource.split('/')[0] ?? ''),
          );
          t.equal(scope, cluster ? 'Cluster' : 'Namespaced', `the scope of ${resources} is its own`);
        }
      }
    }
  }
});

function isClusterScoped({ rules }: Webhook): boolean {
  return rules.some(({ scope }) => scope === 'Cluster');
}

t.test('exemptions', async (t) => {
  const webhooks = [...mutating, ...validating].flatMap((configuration) => configuration.webhooks);
  for (const webhook of webhooks.filter(isClusterScoped)) {
    t.equal(webhook.namespaceSelector, undefined, `${webhook.name} exempts no Namespace by its labels (R3)`);
  }
  const exempt = ['kube-system', only('Deployment').metadata.namespace ?? ''];
  for (const webhook of webhooks.filter((one) => !isClusterScoped(one))) {
    t.strictSame(
      webhook.namespaceSelector,
      { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: exempt }] },
      `${webhook.name} leaves out by a label that no tenant can change (R3), and no tenant whatever the tenant label is`,
    );
  }
  for (const name of exempt)
    t.ok(builtInNamespaces.includes(name), `no tenant can create ${name}, which nobody would look into`);
});

t.test('match conditions', async (t) => {
  const conditions = [...mutating, ...validating]
    .flatMap(({ webhooks }) => webhooks)
    // Above, as literally.
    .filter(({ name }) => name !== unread)
    .flatMap(
      (webhook) =>
        webhook.matchConditions?.map(({ name, expression }) => ({
          webhook,
          name,
          expression: expression.replaceAll(/\s+/g, ' '),
        })) ?? [],
    );
  t.strictSame(
    conditions.map(({ webhook, name }) => `${webhook.name}: ${name}`),
    [
      'mutate.filtered.bulkhead.dev: pod-update-changes-what-is-guarded',
      'validate.bulkhead.dev: update-changes-what-is-guarded',
      'validate.bulkhead.dev: not-the-end-of-a-namespace',
      'validate.filtered.bulkhead.dev: status-changes-metadata-addresses-or-limits',
      'validate.filtered.bulkhead.dev: binding-by-others-or-with-metadata',
      'validate.filtered.bulkhead.dev: pod-update-changes-what-is-guarded',
      'validate.filtered.bulkhead.dev: deletes-what-is-managed',
      `${ofServices}: not-by-controllers-of-services`,
      `${ofServices}: changes-what-leads-traffic`,
      `${ofServices}: orphans-when-deleted`,
      `${ofRoutes}: changes-what-routes-say`,
    ],
  );
  /** What a condition may look at: which request it is, and what it changes. Who asks, only one name compared as a whole, and as one thing among others (ADM-09); of a pod's addresses, the name of its node. */
  const allowed = new Set(
    ['metadata.?labels', 'metadata.?annotations', 'metadata.?ownerReferences', 'metadata.?finalizers']
      .concat('metadata.?managedFields', '?status.?hard', '?status.?used', '?spec.?finalizers')
      .flatMap((field) => [`object.${field}.orValue`, `oldObject.${field}.orValue`])
      .concat('object.status.used', 'oldObject.status.used', 'object.?status.?hard', 'oldObject.?status.?hard')
      .concat(
        addressFields.flatMap((field) => [`object.?status.?${field}.orValue`, `oldObject.?status.?${field}.orValue`]),
      )
      .concat('object.?spec', 'oldObject.?spec', 'oldObject.metadata.name.startsWith', 'request.operation')
      .concat('request.kind.kind', 'request.name.startsWith', 'request.?subResource.orValue'),
  );
  /** Of Services and their endpoints: who writes them for the cluster, by whole names, what leads traffic, and what a delete leaves. */
  const aboutServices: Readonly<Record<string, readonly string[]>> = {
    'not-by-controllers-of-services': ['request.userInfo.username'],
    'changes-what-leads-traffic': ['subsets', 'endpoints', 'ports', 'addressType', 'status.?loadBalancer'].flatMap(
      (field) => [`object.?${field}`, `oldObject.?${field}`],
    ),
    'orphans-when-deleted': [
      'dyn',
      'request',
      'options.?propagationPolicy.orValue',
      'options.?orphanDependents.orValue',
      'false',
    ],
  };
  const ofTheEnd = new Set(['request.userInfo.username', 'oldObject.metadata.?deletionTimestamp.hasValue']);
  const words = new Set([
    'in',
    'all',
    'exists',
    'one',
    'one.?subresource.hasValue',
    'one.?fieldsV1.orValue',
    'name',
    'key',
    'key.startsWith',
    'orValue',
    'size',
    'quantity',
    'compareTo',
  ]);
  const whoAsks = 'request.userInfo.username != "system:kube-scheduler"';
  const ownNode =
    'oldObject.?spec.?nodeName.orValue("") == "" || request.userInfo.username != "system:node:" + oldObject.spec.nodeName';
  for (const { name, expression } of conditions) {
    const looksAt =
      expression
        .replace(whoAsks, '')
        .replace(ownNode, '')
        .replaceAll(/"[^"]*"/g, '')
        .match(/[A-Za-z_]\w*(?:\.\??\w+)*/g) ?? [];
    for (const path of new Set(looksAt)) {
      const may =
        allowed.has(path) ||
        (name === 'not-the-end-of-a-namespace' && ofTheEnd.has(path)) ||
        aboutServices[name]?.includes(path);
      if (!words.has(path)) t.ok(may, `${name} may look at ${path} (R4)`);
    }
  }
  const expressionOf = (wanted: string) => conditions.findLast(({ name }) => name === wanted)?.expression ?? '';
  t.match(
    expressionOf('status-changes-metadata-addresses-or-limits'),
    `request.name.startsWith("${managedPrefix}")`,
    'which quotas are managed is told as the check tells it',
  );
  t.match(expressionOf('deletes-what-is-managed'), `oldObject.metadata.name.startsWith("${managedPrefix}")`);
  t.ok(
    expressionOf('status-changes-metadata-addresses-or-limits').includes(`&& (${ownNode}) && (`),
    "a pod's own node is recognized by its whole name, and by nothing else",
  );
  const counts = [...countsOfBaseline.keys()].map((name) => `"${name}"`).join(',');
  t.ok(
    expressionOf('status-changes-metadata-addresses-or-limits').includes(`[${counts}]`),
    `${counts}: what could keep the baseline out is told so too`,
  );
  const names = [...namespaceControllers].map((name) => `"${name}"`).join(',');
  const end = expressionOf('not-the-end-of-a-namespace');
  t.ok(end.includes(`request.userInfo.username in [${names}]`), 'who ends a namespace is told as the check tells it');
  t.notMatch(end, '||', 'and must do so beside everything else that is said there (ADM-09)');
});
