/**
 * Advisories of network plugins and meshes by which isolation breaks. Others, such as those about availability, are left out.
 * A row is added with its source, never from memory alone.
 */

/** When the list was last compared with its sources. */
export const advisoriesAsOf = '2026-11-29';

export interface Advisory {
  readonly id: string;
  /** Of programs.ts. */
  readonly program: string;
  /** What gets through, after "in these versions". */
  readonly effect: string;
  /** Each from the first affected version to the first fixed one. `from` left out: every version before. */
  readonly affected: readonly { readonly from?: string; readonly fixed: string }[];
  readonly source: string;
}

export const knownAdvisories: readonly Advisory[] = [
  {
    ...{ id: 'CVE-2026-56743', program: 'Cilium' },
    effect: 'with a clusterName, an ipBlock of a NetworkPolicy also lets in the other pods of its namespace',
    affected: [{ from: '1.19.0', fixed: '1.19.5' }],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-fm8w-2m5w-9j7r',
  },
  {
    ...{ id: 'CVE-2026-53935', program: 'Cilium' },
    effect: 'a CiliumLocalRedirectPolicy with an addressMatcher takes over traffic to the cluster IP of any Service',
    affected: [{ fixed: '1.17.16' }, { from: '1.18.2', fixed: '1.18.10' }, { from: '1.19.0', fixed: '1.19.4' }],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-q6h5-q3q6-f87x',
  },
  {
    ...{ id: 'CVE-2026-33726', program: 'Cilium' },
    effect:
      'traffic to an L7 Service on the same node passes by ingress policies, with routes per endpoint and without BPF host routing',
    affected: [{ fixed: '1.17.14' }, { from: '1.18.0', fixed: '1.18.8' }, { from: '1.19.0', fixed: '1.19.2' }],
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2026-33726',
  },
  {
    ...{ id: 'CVE-2025-64715', program: 'Cilium' },
    effect: 'a CiliumNetworkPolicy whose toGroups match nothing allows all egress',
    affected: [{ fixed: '1.16.17' }, { from: '1.17.0', fixed: '1.17.10' }, { from: '1.18.0', fixed: '1.18.4' }],
    source: 'https://github.com/advisories/GHSA-38pp-6gcp-rqvm',
  },
  {
    ...{ id: 'CVE-2025-30163', program: 'Cilium' },
    effect: 'policies about nodes also let in pods that share the labels of the nodes',
    affected: [
      { from: '1.16.0', fixed: '1.16.8' },
      { from: '1.17.0', fixed: '1.17.2' },
    ],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-c6pf-2v8j-96mc',
  },
  {
    ...{ id: 'CVE-2024-28248', program: 'Cilium' },
    effect: 'HTTP policies are not applied to all traffic',
    affected: [
      { from: '1.13.9', fixed: '1.13.13' },
      { from: '1.14.0', fixed: '1.14.8' },
      { from: '1.15.0', fixed: '1.15.2' },
    ],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-68mj-9pjq-mc85',
  },
  {
    ...{ id: 'CVE-2024-52529', program: 'Cilium' },
    effect: 'HTTP policies are not applied to ports inside a range of ports that another policy allows',
    affected: [{ from: '1.16.0', fixed: '1.16.4' }],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-xg58-75qf-9r67',
  },
  {
    ...{ id: 'CVE-2024-47825', program: 'Cilium' },
    effect: 'a rule that denies a range may be ignored where another policy names a part of it',
    affected: [
      { from: '1.14.0', fixed: '1.14.16' },
      { from: '1.15.0', fixed: '1.15.10' },
    ],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-3wwx-63fv-pfq6',
  },
  {
    ...{ id: 'CVE-2023-41333', program: 'Cilium' },
    effect: 'a CiliumNetworkPolicy with a crafted endpointSelector applies to pods of all namespaces',
    affected: [{ fixed: '1.12.14' }, { from: '1.13.0', fixed: '1.13.7' }, { from: '1.14.0', fixed: '1.14.2' }],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-4xp2-w642-7mcx',
  },
  {
    ...{ id: 'CVE-2023-27595', program: 'Cilium' },
    effect: 'no policy is enforced for a short time while Cilium starts',
    affected: [{ from: '1.13.0', fixed: '1.13.1' }],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-r5x6-w42p-jhpp',
  },
  {
    ...{ id: 'CVE-2023-39347', program: 'Cilium' },
    effect: 'labels of a pod make Cilium take it for one of another namespace',
    affected: [{ fixed: '1.12.14' }, { from: '1.13.0', fixed: '1.13.7' }, { from: '1.14.0', fixed: '1.14.2' }],
    source: 'https://github.com/cilium/cilium/security/advisories/GHSA-gj2r-phwg-6rww',
  },
  {
    ...{ id: 'CVE-2022-28224', program: 'Calico' },
    effect: 'an annotation of a pod draws the traffic of other addresses to it',
    affected: [{ fixed: '3.20.5' }, { from: '3.21.0', fixed: '3.21.5' }, { from: '3.22.0', fixed: '3.22.2' }],
    source: 'https://www.tigera.io/security-bulletins-tta-2022-001/',
  },
  {
    ...{ id: 'CVE-2026-25804', program: 'Antrea' },
    effect: 'with many Antrea policies a rule of lower priority wins over one of higher priority',
    affected: [{ fixed: '2.3.2' }, { from: '2.4.0', fixed: '2.4.3' }],
    source: 'https://github.com/advisories/GHSA-86x4-wp9f-wrr9',
  },
  {
    ...{ id: 'CVE-2026-32254', program: 'kube-router' },
    effect: 'the external IPs of a Service take over traffic to addresses of others',
    affected: [{ fixed: '2.8.0' }],
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2026-32254',
  },
  {
    ...{ id: 'CVE-2026-39350', program: 'Istio' },
    effect: 'a dot in the name of a service account stands for any character in AuthorizationPolicies',
    affected: [
      { from: '1.25.0', fixed: '1.27.9' },
      { from: '1.28.0', fixed: '1.28.6' },
      { from: '1.29.0', fixed: '1.29.2' },
    ],
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2026-39350',
  },
  {
    ...{ id: 'CVE-2026-31838', program: 'Istio' },
    effect: 'AuthorizationPolicies about headers read one of several values',
    affected: [{ fixed: '1.27.8' }, { from: '1.28.0', fixed: '1.28.5' }, { from: '1.29.0', fixed: '1.29.1' }],
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2026-31838',
  },
];
