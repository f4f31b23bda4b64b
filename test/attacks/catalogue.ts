/** Known attacks. Their ids are permanent. Where each is tested, README.md says, which is written by `npm run attacks`. */

export interface Attack {
  readonly attack: string;
  /** Must be blocked, and be tested. */
  readonly must?: true;
  /** Of what must be blocked: why the API server takes no part. */
  readonly alone?: string;
  /** Why nothing tests it. */
  readonly untested?: string;
}

export const attacks: Readonly<Record<string, Attack>> = {
  'ADM-01': { attack: 'Labels and annotations are written through a subresource', must: true },
  'ADM-02': { attack: 'A Binding writes labels and annotations to the pod it binds', must: true },
  'ADM-03': { attack: 'A namespace exempts itself by a label in the same request', must: true },
  'ADM-04': { attack: 'A generated name, and a forged name label, hide a reserved prefix', must: true },
  'ADM-05': { attack: 'An objectSelector lets the sender opt out', must: true },
  'ADM-06': { attack: 'Input that breaks the webhook opens a door that fails open', must: true },
  'ADM-07': {
    attack: 'Another API version or group passes by the rules',
    must: true,
    alone: 'it serves these kinds in one version of one group',
  },
  'ADM-08': { attack: 'What is created well is updated badly', must: true },
  'ADM-09': { attack: 'A match condition on what the sender chooses exempts him', must: true },
  'ADM-10': {
    attack: 'The configuration of the webhook itself is removed or altered',
    untested: 'left to RBAC: admission webhooks are never asked about their own configuration',
  },
  'ADM-11': { attack: 'An object that is being deleted is not judged any more', must: true },
  'ADM-12': { attack: 'A later mutation undoes what the first put in', must: true },
  'ADM-13': { attack: 'A dry run has effects, or another verdict', must: true },
  'ADM-14': {
    attack: 'An answer is taken for another, or patches where it must not',
    must: true,
    alone: 'it is about the answers, whoever asks',
  },
  'ADM-15': { attack: 'The request and its object name different namespaces', must: true },
  'ADM-16': { attack: 'A collection delete carries no name', must: true },
  'ADM-17': { attack: 'The garbage collector deletes what hangs on a bait', must: true },
  'ADM-18': { attack: 'An identity is compared loosely, or a controller is trusted by name', must: true },
  'ADM-19': { attack: 'Virtual resources, for which no webhook is called', untested: 'nothing is decided by them' },
  'ADM-20': { attack: 'A pod claims to mirror a static one', must: true },
  'ADM-21': {
    attack: 'A decision trusts the stored object',
    must: true,
    untested:
      'the labels of a stored namespace are trusted on purpose; test/checks/tenant-label-frozen.test.ts has the invariant that makes them so',
  },
  'ADM-22': { attack: 'What was wrong before may stay, and grows', must: true },
  'TEN-01': { attack: 'A service account detaches its namespace from the tenant', must: true },
  'TEN-02': { attack: 'A namespace without an owner is adopted', must: true },
  'TEN-03': { attack: 'A check without an owner to ask falls through to yes', must: true },
  'TEN-04': { attack: 'System namespaces are left out of the rules', must: true },
  'TEN-05': { attack: 'The first fix forgets a subresource, the second misspells it', must: true },
  'TEN-06': { attack: 'A controller with great power applies what a tenant wrote' },
  'TEN-07': {
    attack: 'A broken pattern in the configuration stops everything',
    untested: 'no pattern of anybody is evaluated',
  },
  'TEN-08': { attack: 'A list of forbidden keys is searched wrongly', must: true },
  'TEN-09': { attack: "A free label on a namespace matches another's policy", must: true },
  'TEN-10': { attack: "A tenant's own policies are taken for managed ones", must: true },
  'TEN-11': { attack: 'Identities in a proxy before the API server', untested: 'there is no such proxy here' },
  'TEN-12': {
    attack: 'Two owners of one name are taken for one',
    must: true,
    untested: 'a tenant is named by its cluster-scoped resource; an identity by uid is not built',
  },
  'TEN-13': { attack: 'An annotation moves a namespace to another project' },
  'TEN-14': { attack: 'A resource of the same name in another group', must: true },
  'TEN-15': { attack: 'A label places a namespace in the hierarchy of another', must: true },
  'TEN-16': { attack: 'Status is written without being judged' },
  'TEN-17': { attack: 'A deployment tool reaches where it should not' },
  'TEN-18': { attack: "Subresources are cut, or pods pass for a virtual machine's" },
  'TEN-19': { attack: 'A namespace loosens its Pod Security level', must: true },
  'TEN-20': { attack: 'Annotations of a namespace draw its pods elsewhere', must: true },
  'TEN-21': { attack: 'Labels and annotations of a namespace switch the network', must: true },
  'NP-01': { attack: 'A rule without peers', must: true },
  'NP-02': { attack: 'An empty namespaceSelector', must: true },
  'NP-03': { attack: 'Two list items where one was meant', must: true },
  'NP-04': { attack: 'Operators that match the others', must: true },
  'NP-05': { attack: 'A label that everybody may set', must: true },
  'NP-06': { attack: 'An ipBlock over pods, services or nodes', must: true },
  'NP-07': { attack: 'Metadata services and kubelets by address', must: true },
  'NP-08': { attack: 'Addresses that parsers read differently', must: true },
  'NP-09': { attack: 'A named port is what the receiver makes of it', must: true },
  'NP-10': { attack: 'A range of all ports', must: true },
  'NP-11': { attack: 'policyTypes left out, and rules that are never read', must: true },
  'NP-12': { attack: 'A managed policy is edited, deleted or recreated', must: true },
  'NP-13': { attack: 'A slip of the indentation', must: true },
  'NP-14': { attack: 'A policy too large to be judged', must: true },
  'NP-15': { attack: 'A peer in the same namespace, which is fine' },
  'NP-16': { attack: 'DNS as a way out', must: true },
  'NP-17': {
    attack: 'A namespace that is relabelled later widens old policies',
    must: true,
    untested:
      'no proof depends on a label that a tenant may change; an audit that proves stored policies anew is not built',
  },
  'NP-18': { attack: 'Other kinds of policy open what this one closes' },
  'NP-19': { attack: 'Traffic that policies cannot express', untested: 'outside what admission can see' },
  'NP-20': { attack: 'Labels and annotations on a policy that a network plugin reads', must: true },
  'POD-01': { attack: 'The network of the node', must: true },
  'POD-02': { attack: 'Ports of the node', must: true },
  'POD-03': { attack: 'Namespaces and files of the node, privilege and capabilities', must: true },
  'POD-04': { attack: 'Kernel settings of the network', must: true },
  'POD-05': { attack: 'Another name server', must: true },
  'POD-06': { attack: 'Labels that a network plugin takes for an identity', must: true },
  'POD-07': { attack: 'Annotations that give a pod another address or network', must: true },
  'POD-08': { attack: 'Annotations by which a pod leaves the mesh', must: true },
  'POD-09': { attack: "A node of the pod's own choice", must: true },
  'POD-10': { attack: 'Labels that change after creation', must: true },
  'POD-11': { attack: 'Ephemeral containers', must: true },
  'POD-12': { attack: 'Service accounts with power in the mesh', untested: 'left to RBAC' },
  'POD-13': { attack: 'Keys that break the parser' },
  'POD-14': { attack: 'Volumes that reach the node', untested: 'left to Pod Security Admission' },
  'POD-15': { attack: "Host names of the pod's own choice, which fool only itself", untested: 'allowed' },
  'POD-16': { attack: 'A pod that starts before its namespace is closed', must: true },
  'POD-17': { attack: 'Another runtime class', must: true },
  'SRV-01': {
    attack: 'A forged review from inside the cluster',
    must: true,
    alone: 'it is about those who ask in its stead',
  },
  'SRV-02': {
    attack: 'A redirect leads the API server elsewhere',
    must: true,
    alone: 'it is about what no answer may be',
  },
  'SRV-03': { attack: 'Who may reach the webhook' },
  'SRV-04': { attack: 'Huge and deep bodies', must: true, alone: 'it is about those who ask in its stead' },
  'SRV-05': { attack: 'Keys such as __proto__', must: true },
  'SRV-06': { attack: 'Inherited names such as constructor', must: true },
  'SRV-07': { attack: 'Content types that are read differently', must: true, alone: 'it sends one content type' },
  'SRV-08': {
    attack: 'Keys that stand twice',
    untested: 'the API server writes each once; of a forged review the last counts',
  },
  'SRV-09': { attack: 'Keys with ~ and / in a patch', must: true },
  'SRV-10': { attack: 'Patterns that take for ever', must: true, untested: 'no pattern of anybody is evaluated' },
  'SRV-11': { attack: 'TLS and HTTP/2 bring the process down' },
  'SRV-12': {
    attack: 'Certificates that expire, or rotate with a gap',
    must: true,
    alone: 'a server is asked while its certificate is replaced',
  },
  'SRV-13': { attack: 'Control characters in logs and messages' },
  'SRV-14': { attack: 'The libraries behind the client', untested: 'for the audit of the dependencies' },
  'SRV-15': { attack: 'Metrics and health beside the webhook' },
  'SRV-16': { attack: 'A webhook that triggers itself', untested: 'nothing is written on the way of a request' },
  'SVC-01': {
    attack: 'Endpoints of a Service that point at foreign pods',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-02': {
    attack: 'External addresses of a Service, and its status',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-03': {
    attack: 'Ports of the nodes, opened by a Service',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-04': {
    attack: 'A family of addresses mistaken in a list of allowed ones',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-05': {
    attack: 'A Service that is an alias for a foreign name',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-06': {
    attack: 'Annotations of a Service that reach other clusters and clouds',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-07': {
    attack: 'Hosts and snippets of an Ingress',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-08': {
    attack: 'Routes and grants of the Gateway API',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-09': {
    attack: 'Policies of Cilium',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-10': {
    attack: 'Policies of Calico, in two groups',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-11': {
    attack: 'Policies and routes of Istio',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-12': {
    attack: 'Policies for the whole cluster',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-13': {
    attack: 'Attachments of pods to other networks',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-14': {
    attack: 'Services exported to other clusters, tokens for other audiences',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-15': {
    attack: 'Role bindings for foreigners',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-16': {
    attack: 'Tunnels through the API server into pods',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
  'SVC-17': {
    attack: 'Conversion webhooks and aggregated APIs',
    untested: 'out of scope: only Namespaces, Pods, NetworkPolicies and quotas are judged',
  },
};
