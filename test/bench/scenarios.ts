/** The reviews that are measured: whole HTTP bodies as the API server sends them, and what a right answer to each is. */
import type { Phase } from '../../src/admission/decision.ts';
import { prefixOf } from '../../src/certificates/paths.ts';

export interface Scenario {
  readonly name: string;
  readonly phase: Phase;
  readonly body: Buffer;
  /** What the bare server answers: as long as what Bulkhead answers. */
  readonly response: Readonly<Record<string, unknown>>;
  /** @returns what is wrong with an answer of Bulkhead; undefined when it is right */
  mistake(response: Readonly<Record<string, unknown>>): string | undefined;
}

export const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';
export const namespace = 'acme-web';
/** As long as those that Bulkhead makes. */
export const path = 'b1'.repeat(24);

const metadata = (name: string, labels: Record<string, string>) => ({
  name,
  namespace,
  uid: 'b5b0c1d2-3e4f-4a5b-8c6d-7e8f9a0b1c2d',
  creationTimestamp: '2026-11-20T10:00:00Z',
  labels,
});

/** A review of this size in bytes; an annotation is what makes it so long. */
function review(size: number, kind: object, resource: object, object: { metadata: object }, user: object): Buffer {
  const text = (filling: string): string =>
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid,
        kind,
        resource,
        requestKind: kind,
        requestResource: resource,
        name: 'web',
        namespace,
        operation: 'CREATE',
        userInfo: user,
        object: { ...object, metadata: { ...object.metadata, annotations: { 'example.com/notes': filling } } },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' },
      },
    });
  const body = Buffer.from(text('x'.repeat(Math.max(0, size - Buffer.byteLength(text(''))))));
  if (body.length !== size)
    throw new Error(`the review has ${body.length} bytes without any filling, which is more than ${size}`);
  return body;
}

function container(index: number): object {
  return {
    name: `web-${index}`,
    image: `registry.example.com/acme/web-${index}:1.27.${index}`,
    ports: [{ name: 'http', containerPort: 8080 + index, protocol: 'TCP' }],
    env: [
      { name: 'DATABASE_HOST', value: `database-${index}.acme-data.svc` },
      { name: 'POD_ADDRESS', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
    ],
    resources: { limits: { cpu: '500m', memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    livenessProbe: {
      httpGet: { path: '/livez', port: 8080, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
  };
}

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: metadata('web', { app: 'web', 'pod-template-hash': '5d4f8c7b9' }),
  spec: {
    volumes: [
      {
        name: 'token',
        projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }], defaultMode: 420 },
      },
    ],
    containers: Array.from({ length: 7 }, (_, index) => container(index)),
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: 'default',
    securityContext: {},
    schedulerName: 'default-scheduler',
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
  },
  status: {},
};

const ours = { 'bulkhead.dev/tenant': 'acme' };
const policy = {
  kind: 'NetworkPolicy',
  apiVersion: 'networking.k8s.io/v1',
  metadata: metadata('web', { app: 'web', ...ours }),
  spec: {
    podSelector: { matchLabels: { app: 'web' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: ours },
            podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['proxy', 'web'] }] },
          },
          { podSelector: { matchLabels: { app: 'worker' } } },
        ],
        ports: [{ protocol: 'TCP', port: 8080 }],
      },
    ],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { ...ours, stage: 'production' } },
            podSelector: { matchLabels: { app: 'database' } },
          },
          {
            namespaceSelector: { matchExpressions: [{ key: 'bulkhead.dev/tenant', operator: 'In', values: ['acme'] }] },
          },
        ],
        ports: [{ protocol: 'TCP', port: 5432 }],
      },
    ],
  },
};

const patch = [{ op: 'add', path: '/metadata/labels/bulkhead.dev~1tenant', value: 'acme' }];
const encodedPatch = Buffer.from(JSON.stringify(patch)).toString('base64');

export const podMutate: Scenario = {
  name: 'Pod mutate, 8 KB',
  phase: 'mutate',
  body: review(8192, { group: '', version: 'v1', kind: 'Pod' }, { group: '', version: 'v1', resource: 'pods' }, pod, {
    username: 'system:serviceaccount:kube-system:replicaset-controller',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
  }),
  response: { allowed: true, patchType: 'JSONPatch', patch: encodedPatch },
  mistake: ({ patch }) => (patch === encodedPatch ? undefined : 'the pod did not get the label of its tenant'),
};

export const policyValidate: Scenario = {
  name: 'NetworkPolicy validate, 2 KB',
  phase: 'validate',
  body: review(
    2048,
    { group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy' },
    { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' },
    policy,
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings, patch }) =>
    allowed === true && warnings === undefined && patch === undefined
      ? undefined
      : 'the policy was not simply admitted',
};

const tenantKey = 'k8s:io.cilium.k8s.namespace.labels.bulkhead.dev/tenant';

const ciliumPolicy = {
  kind: 'CiliumNetworkPolicy',
  apiVersion: 'cilium.io/v2',
  metadata: metadata('web', { app: 'web', ...ours }),
  spec: {
    endpointSelector: { matchLabels: { app: 'web' } },
    ingress: [
      {
        fromEndpoints: [
          {
            matchLabels: { [tenantKey]: 'acme' },
            matchExpressions: [{ key: 'app', operator: 'In', values: ['proxy', 'web'] }],
          },
          { matchLabels: { app: 'worker' } },
        ],
        toPorts: [
          { ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/orders' }] } },
        ],
      },
    ],
    egress: [
      {
        toEndpoints: [
          { matchLabels: { [tenantKey]: 'acme', 'k8s:app': 'database' } },
          { matchExpressions: [{ key: tenantKey, operator: 'In', values: ['acme'] }] },
        ],
        toPorts: [{ ports: [{ port: '5432', protocol: 'TCP' }] }],
      },
    ],
  },
};

export const ciliumValidate: Scenario = {
  name: 'CiliumNetworkPolicy validate, 2 KB',
  phase: 'validate',
  body: review(
    2048,
    { group: 'cilium.io', version: 'v2', kind: 'CiliumNetworkPolicy' },
    { group: 'cilium.io', version: 'v2', resource: 'ciliumnetworkpolicies' },
    ciliumPolicy,
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings }) =>
    allowed === true && warnings === undefined ? undefined : 'the policy was not simply admitted',
};

const ownTenant = 'bulkhead.dev/tenant == "acme"';
const onPort = (port: number) => ({ protocol: 'TCP', destination: { ports: [port] } });

const calicoPolicy = {
  kind: 'NetworkPolicy',
  apiVersion: 'projectcalico.org/v3',
  metadata: metadata('web', { app: 'web', ...ours }),
  spec: {
    tier: 'default',
    order: 100,
    selector: 'app == "web"',
    types: ['Ingress', 'Egress'],
    ingress: [
      {
        action: 'Allow',
        ...onPort(8080),
        source: { namespaceSelector: ownTenant, selector: 'app in {"proxy", "web"}' },
        http: { methods: ['GET'], paths: [{ exact: '/orders' }] },
      },
      { action: 'Allow', ...onPort(8080), source: { selector: 'app == "worker"' } },
    ],
    egress: [
      {
        action: 'Allow',
        protocol: 'TCP',
        destination: { namespaceSelector: ownTenant, selector: 'app == "database"', ports: [5432] },
      },
      {
        action: 'Allow',
        protocol: 'TCP',
        destination: { namespaceSelector: 'bulkhead.dev/tenant in {"acme"}', ports: [5432] },
      },
    ],
  },
};

export const calicoValidate: Scenario = {
  name: 'Calico NetworkPolicy validate, 2 KB',
  phase: 'validate',
  body: review(
    2048,
    { group: 'projectcalico.org', version: 'v3', kind: 'NetworkPolicy' },
    { group: 'projectcalico.org', version: 'v3', resource: 'networkpolicies' },
    calicoPolicy,
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings }) =>
    allowed === true && warnings === undefined ? undefined : 'the policy was not simply admitted',
};

const fromAcme = (port: string) => ({
  from: [
    { source: { namespaces: ['acme-web'] } },
    {
      source: {
        principals: ['cluster.local/ns/acme-web/sa/proxy', '*/ns/acme-web/sa/web', 'cluster.local/ns/acme-web/*'],
      },
    },
    { source: { serviceAccounts: ['worker', 'acme-web/worker'] } },
  ],
  to: [{ operation: { ports: [port], methods: ['GET'], paths: ['/orders', '/orders/*'] } }],
});

const istioPolicy = {
  kind: 'AuthorizationPolicy',
  apiVersion: 'security.istio.io/v1',
  metadata: metadata('web', { app: 'web', ...ours }),
  spec: {
    action: 'ALLOW',
    selector: { matchLabels: { app: 'web' } },
    rules: [fromAcme('8080'), { ...fromAcme('9090'), when: [{ key: 'source.namespace', values: ['acme-web'] }] }],
  },
};

export const istioValidate: Scenario = {
  name: 'AuthorizationPolicy validate, 2 KB',
  phase: 'validate',
  body: review(
    2048,
    { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' },
    { group: 'security.istio.io', version: 'v1', resource: 'authorizationpolicies' },
    istioPolicy,
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings }) =>
    allowed === true && warnings === undefined ? undefined : 'the policy was not simply admitted',
};

const service = {
  kind: 'Service',
  apiVersion: 'v1',
  metadata: metadata('web', { app: 'web' }),
  spec: {
    type: 'ClusterIP',
    selector: { app: 'web' },
    clusterIP: '10.96.17.4',
    clusterIPs: ['10.96.17.4'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
    sessionAffinity: 'None',
    ports: [
      { name: 'http', protocol: 'TCP', port: 80, targetPort: 8080, appProtocol: 'http' },
      { name: 'metrics', protocol: 'TCP', port: 9090, targetPort: 'metrics' },
    ],
  },
  status: { loadBalancer: {} },
};

export const serviceValidate: Scenario = {
  name: 'Service validate, 2 KB',
  phase: 'validate',
  body: review(
    2048,
    { group: '', version: 'v1', kind: 'Service' },
    { group: '', version: 'v1', resource: 'services' },
    service,
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings }) =>
    allowed === true && warnings === undefined ? undefined : 'the Service was not simply admitted',
};

const strong = { capabilities: { add: ['NET_ADMIN'] } };

const exemptedPod = {
  ...pod,
  metadata: metadata('web', { app: 'web', ...ours }),
  spec: { ...pod.spec, containers: [...pod.spec.containers.slice(1), { ...container(0), securityContext: strong }] },
};

/** A pod that is admitted by an exemption alone. */
export const podExempted: Scenario = {
  name: 'Pod exempted, 8 KB',
  phase: 'validate',
  body: review(
    8192,
    { group: '', version: 'v1', kind: 'Pod' },
    { group: '', version: 'v1', resource: 'pods' },
    exemptedPod,
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings }) =>
    allowed === true && warnings === undefined ? undefined : 'the pod was not simply admitted',
};

const block = (cidr: string) => ({ ipBlock: { cidr } });

/** A policy that is admitted by a range, a shared service at an address, and a vouched address. */
export const policyGranted: Scenario = {
  name: 'NetworkPolicy granted, 2 KB',
  phase: 'validate',
  body: review(
    2048,
    { group: 'networking.k8s.io', version: 'v1', kind: 'NetworkPolicy' },
    { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' },
    {
      ...policy,
      ...{
        spec: {
          podSelector: { matchLabels: { app: 'web' } },
          policyTypes: ['Egress'],
          egress: [
            { to: [block('203.0.0.0/28'), block('203.0.0.32/28')], ports: [{ protocol: 'TCP', port: 443 }] },
            { to: [block('10.96.0.1/32')], ports: [{ protocol: 'TCP', port: 443 }] },
            { to: [block('10.128.0.1/32')], ports: [{ protocol: 'TCP', port: 5432 }] },
          ],
        },
      },
    },
    { username: 'alice', groups: ['acme-developers', 'system:authenticated'] },
  ),
  response: { allowed: true },
  mistake: ({ allowed, warnings }) =>
    allowed === true && warnings === undefined ? undefined : 'the policy was not simply admitted',
};

export const scenarios: readonly Scenario[] = [
  podMutate,
  policyValidate,
  ciliumValidate,
  calicoValidate,
  istioValidate,
  serviceValidate,
];

/**
 * What comes after the host in the URL by which the API server asks.
 * @param own empty: of one that has no path of its own
 */
export function targetOf({ phase }: Scenario, own = path): string {
  return `${prefixOf(own)}/${phase}?timeout=5s`;
}
