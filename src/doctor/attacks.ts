/**
 * The ten attacks of the self-test. Each needs no more than what the ClusterRole `edit` gives, and passes Pod Security at its level
 * restricted, so that Bulkhead alone refuses it.
 */
import { defaultDenyName } from '../baseline/baseline.ts';

export interface Attack {
  /** Of test/attacks/README.md. */
  readonly id: string;
  readonly attack: string;
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: object;
  /** The checks that may refuse it. */
  readonly checks: readonly string[];
}

const name = 'doctor-self-test';
const elsewhere = 'somebody-else';
/** In a range for documentation (RFC 5737), which no cluster uses. */
const nameServer = '192.0.2.53';

export function attacksOn(namespace: string, tenantLabel: string): readonly Attack[] {
  const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const policy = (id: string, attack: string, spec: object, ...checks: string[]): Attack => ({
    ...{ id, attack, method: 'POST', path: policies, checks },
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name },
      spec: { podSelector: {}, ...spec },
    },
  });
  const pod = (id: string, attack: string, spec: object, metadata: object, ...checks: string[]): Attack => ({
    ...{ id, attack, method: 'POST', path: pods, checks },
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { ...harmless, ...spec } },
  });
  const egressTo = (cidr: string) => ({ policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr } }] }] });
  const open = { ingress: [{}] };
  return [
    policy('NP-01', 'a policy lets in everybody', { policyTypes: ['Ingress'], ...open }, 'cross-tenant-ingress'),
    policy('NP-06', 'a policy opens egress to every address', egressTo('0.0.0.0/0'), 'ip-block'),
    policy('NP-07', 'a policy opens egress to the metadata service', egressTo('169.254.169.254/32'), 'ip-block'),
    policy(
      'NP-21',
      'a rule in a direction that policyTypes leaves out',
      { policyTypes: ['Egress'], ...open },
      'cross-tenant-ingress',
    ),
    {
      ...{ id: 'NP-12', attack: `the policy ${defaultDenyName} is changed`, method: 'PATCH' },
      ...{ path: `${policies}/${defaultDenyName}`, body: { spec: open }, checks: ['managed-policy'] },
    },
    pod(
      'POD-05',
      'a pod asks another name server',
      { dnsPolicy: 'None', dnsConfig: { nameservers: [nameServer] } },
      {},
      'name-servers',
    ),
    pod(
      'POD-06',
      'a pod has the label of another tenant',
      {},
      { labels: { [tenantLabel]: elsewhere } },
      'pod-tenant-label',
    ),
    pod(
      ...(['POD-07', 'an annotation puts a pod into another network'] as const),
      {},
      { annotations: { 'k8s.v1.cni.cncf.io/networks': `${elsewhere}/network` } },
      'reserved-labels',
    ),
    pod('POD-09', 'a pod chooses its node', { nodeName: elsewhere }, {}, 'chosen-node'),
    pod('POD-24', 'a pod tolerates every taint', { tolerations: [{ operator: 'Exists' }] }, {}, 'tolerations'),
  ];
}

/** A pod that Pod Security admits at every level. */
const harmless = {
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'main',
      image: 'registry.invalid/nothing:1',
      resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
};
