/** What is installed beside the registrations: that the parts fit together, and how little they may do (R9, R10). */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { command as serve } from '../../src/commands/serve.ts';
import { webhookLimits } from '../../src/server/webhook-limits.ts';
import { builtInIdentities } from '../../src/tenancy/default-settings.ts';
import { all, kinds, only } from './base.ts';

const { metadata: deployment, spec } = only('Deployment');
const pod = spec.template;
const [container] = pod.spec.containers;
const portOf = (name: string) => container.ports.find((port) => port.name === name)?.containerPort;

t.test('the base holds these objects', async (t) => {
  t.strictSame([...kinds].sort(), [
    'ClusterRole',
    'ClusterRoleBinding',
    'Deployment',
    'MutatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
    'Namespace',
    'Namespace',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'ResourceQuota',
    'ResourceQuota',
    'Service',
    'ServiceAccount',
    'ValidatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
  ]);
});

t.test('the way from the API server to the process', async (t) => {
  t.equal(
    portOf('webhook'),
    Number(serve.options.port.default),
    'the container listens where serve listens by default',
  );
  t.equal(portOf('health'), Number(serve.options['health-port'].default));
  t.equal(portOf('metrics'), Number(serve.options['metrics-port'].default));
  t.notOk(
    container.args.some((argument) => /^--[a-z-]*port\b/.test(argument)),
    'and is not told another port',
  );
  const service = only('Service');
  for (const { metadata, webhooks } of [
    ...all('MutatingWebhookConfiguration'),
    ...all('ValidatingWebhookConfiguration'),
  ]) {
    for (const { clientConfig } of webhooks) {
      const { name, namespace, port } = clientConfig.service;
      t.strictSame(
        { name, namespace, port },
        { ...service.metadata, port: service.spec.ports[0]?.port },
        `${metadata.name} calls the Service`,
      );
    }
  }
  t.equal(service.spec.ports[0]?.targetPort, 'webhook', 'the Service leads to the port of that name');
  t.strictSame(service.spec.selector, pod.metadata.labels, 'of these pods');
});

t.test('the network policy of Bulkhead itself', async (t) => {
  const policy = only('NetworkPolicy');
  t.strictSame(policy.spec.podSelector.matchLabels, pod.metadata.labels);
  t.equal(policy.metadata.namespace, deployment.namespace);
  t.strictSame(policy.spec.policyTypes, ['Ingress', 'Egress']);
  t.strictSame(
    policy.spec.ingress,
    [{ ports: [{ protocol: 'TCP', port: portOf('webhook') }] }],
    'it lets the API server in on the port of the pod, not of the Service, and on no other; no label of a pod opens more (R9, SRV-03)',
  );
  t.strictSame(
    policy.spec.egress,
    [{ ports: [443, 6443, 8443].map((port) => ({ protocol: 'TCP', port })) }],
    'it lets Bulkhead out to the API server',
  );
});

t.test('what Bulkhead may do in the cluster', async (t) => {
  const writes = ['create', 'patch', 'update', 'delete'];
  const registrations = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  t.strictSame(
    only('ClusterRole').rules,
    [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
      {
        apiGroups: [''],
        resources: ['namespaces'],
        resourceNames: ['kube-public', 'bulkhead-probe'],
        verbs: ['patch'],
      },
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
      { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list', 'watch', ...writes] },
      { apiGroups: ['cilium.io'], resources: ['ciliumnetworkpolicies'], verbs: ['list'] },
      { apiGroups: ['projectcalico.org'], resources: ['networkpolicies'], verbs: ['list'] },
      { apiGroups: ['crd.projectcalico.org'], resources: ['networkpolicies'], verbs: ['list'] },
      { apiGroups: ['projectcalico.org'], resources: ['stagednetworkpolicies'], verbs: ['list'] },
      { apiGroups: ['crd.projectcalico.org'], resources: ['stagednetworkpolicies'], verbs: ['list'] },
      { apiGroups: ['projectcalico.org'], resources: ['stagedkubernetesnetworkpolicies'], verbs: ['list'] },
      { apiGroups: ['crd.projectcalico.org'], resources: ['stagedkubernetesnetworkpolicies'], verbs: ['list'] },
      { apiGroups: ['projectcalico.org'], resources: ['networksets'], verbs: ['list'] },
      { apiGroups: ['crd.projectcalico.org'], resources: ['networksets'], verbs: ['list'] },
      { apiGroups: ['security.istio.io'], resources: ['authorizationpolicies'], verbs: ['list'] },
      { apiGroups: [''], resources: ['resourcequotas'], verbs: ['list', 'watch', ...writes] },
      { apiGroups: ['bulkhead.dev'], resources: ['tenants'], verbs: ['list', 'watch'] },
      { apiGroups: ['bulkhead.dev'], resources: ['tenants/status'], verbs: ['patch'] },
      { apiGroups: ['bulkhead.dev'], resources: ['exemptions'], verbs: ['list', 'watch'] },
      { apiGroups: ['bulkhead.dev'], resources: ['exemptions/status'], verbs: ['patch'] },
      { apiGroups: ['bulkhead.dev'], resources: ['gaterequests'], verbs: ['list', 'watch'] },
      { apiGroups: ['bulkhead.dev'], resources: ['gaterequests/status'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: [''], resources: ['limitranges'], verbs: ['list', 'watch', ...writes] },
      {
        apiGroups: ['security.istio.io'],
        resources: ['peerauthentications', 'requestauthentications'],
        verbs: ['list'],
      },
      { apiGroups: [''], resources: ['services'], verbs: ['list'] },
      {
        apiGroups: ['policy.networking.k8s.io'],
        resources: ['clusternetworkpolicies', 'adminnetworkpolicies'],
        verbs: ['list'],
      },
      { apiGroups: ['admissionregistration.k8s.io'], resources: registrations, verbs: ['list', 'watch'] },
      ...(['Mutating', 'Validating'] as const).map((kind) => ({
        apiGroups: ['admissionregistration.k8s.io'],
        resources: [`${kind.toLowerCase()}webhookconfigurations`],
        resourceNames: all(`${kind}WebhookConfiguration`)
          .map(({ metadata }) => metadata.name)
          .sort(),
        verbs: ['patch'],
      })),
    ],
    'and nothing else (TEN-06)',
  );
  const account = only('ServiceAccount').metadata;
  t.equal(pod.spec.serviceAccountName, account.name);
  t.strictSame(only('ClusterRoleBinding').subjects, [{ kind: 'ServiceAccount', ...account }]);
  t.strictSame(only('ClusterRoleBinding').roleRef, {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: only('ClusterRole').metadata.name,
  });
  t.strictSame(
    builtInIdentities.filter(({ kind }) => kind === 'ServiceAccount'),
    [{ kind: 'ServiceAccount', ...account }],
    'that account may change the policies that Bulkhead manages',
  );
});

t.test('the pods', async (t) => {
  t.equal(spec.replicas, 2);
  t.equal(only('PodDisruptionBudget').spec.minAvailable, spec.replicas - 1, 'one may be away at a time (R10)');
  t.strictSame(only('PodDisruptionBudget').spec.selector.matchLabels, pod.metadata.labels);
  t.match(
    pod.spec.topologySpreadConstraints[0],
    { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
    'two do not die with one node',
  );
  t.equal(pod.spec.priorityClassName, 'system-cluster-critical');
  const ending = webhookLimits.drainMilliseconds + webhookLimits.closeMilliseconds;
  t.ok(pod.spec.terminationGracePeriodSeconds * 1_000 > ending, 'a drain comes to its end before it is killed');
  t.match(container.readinessProbe, { httpGet: { path: '/readyz', port: 'health' } });
  t.match(container.livenessProbe, { httpGet: { path: '/livez', port: 'health' } });
  const { periodSeconds, failureThreshold = 3 } = container.livenessProbe;
  t.ok(periodSeconds * failureThreshold <= 30, 'one that hangs is started again within half a minute');
});

t.test('the restricted Pod Security Standard', async (t) => {
  const { name, labels = {} } =
    all('Namespace').find(({ metadata }) => metadata.name === deployment.namespace)?.metadata ?? {};
  t.equal(name, deployment.namespace);
  t.equal(labels['pod-security.kubernetes.io/enforce'], 'restricted', 'is enforced on the namespace');
  t.match(pod.spec.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  t.strictSame(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

t.test('the image', async (t) => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const [last = ''] = dockerfile.split(/^(?=FROM )/m).slice(-1);
  const { version, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.equal(container.image, `bulkhead:${version}`, 'has the version of the package');
  t.match(dockerfile, `docker build --tag ${container.image} .`);
  t.match(
    last,
    `USER ${pod.spec.securityContext.runAsUser}:${pod.spec.securityContext.runAsGroup}\n`,
    'runs as nobody',
  );
  t.match(last, `EXPOSE ${container.ports.map(({ containerPort }) => containerPort).join(' ')}\n`);
  t.match(last, new RegExp(`^ENTRYPOINT \\["node", ("--[a-z-]+=\\d+", )*"/app/${bin.bulkhead}"\\]$`, 'm'));
  t.notMatch(last, /^RUN /m, 'nothing is run in the image that is shipped');
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  const admitted = [...readFileSync('.dockerignore', 'utf8').matchAll(/^!(.+)$/gm)].map(([, path]) => path);
  t.strictSame([...new Set(copied)].sort(), admitted.sort(), 'the builder is sent what is copied, and nothing else');
});
