/**
 * What a schema cannot say of a Tenant and one object can, in the Common Expression Language of the API server. Everything here
 * the parser refuses as well; an API server that knows it says so at once, to everybody, and also while Bulkhead is away.
 * Source: kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", validation rules.
 */

/** One of apiextensions.k8s.io/v1 ValidationRule. */
export interface ValidationRule {
  /** True of what is right. `self` is the value at the place. */
  readonly rule: string;
  readonly message: string;
  /** The field that it is about, below the place; the place itself when left out. */
  readonly fieldPath?: string;
}

/** Whether `self` is a user or a group, whose name stands for itself. */
const named = "self.kind != 'ServiceAccount'";

/** By place: the path of a field, `[]` for the items of a list, empty for the whole object. */
export type Rules = Readonly<Record<string, readonly ValidationRule[]>>;

/** One of User, Group and ServiceAccount, as tenancy/parse-subject.ts reads it. */
export const subjectRules: readonly ValidationRule[] = [
  {
    rule: `${named} ? !has(self.namespace) : has(self.namespace)`,
    message: 'a ServiceAccount is known by its namespace and its name; a User or Group lives in no namespace',
  },
  {
    rule: "!(self.name in ['system:authenticated', 'system:unauthenticated', 'system:serviceaccounts', 'system:anonymous'])",
    message: 'is everybody; list those who are meant',
  },
  {
    rule: `!(${named} && self.name.contains('*'))`,
    message: 'looks like a pattern, and names are compared exactly; list each name, or a group',
  },
  {
    rule: "!(self.kind == 'User' && self.name.startsWith('system:serviceaccount:'))",
    message: 'is a service account; write kind: ServiceAccount with its namespace and name',
  },
];

/** A time, as tenancy/parse-time.ts reads it. */
export const timeRules: readonly ValidationRule[] = [
  {
    rule: "self.matches('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$')",
    message: 'is not a time as in RFC 3339, such as 2027-01-31T00:00:00Z',
  },
];

/** A port by number, as kubernetes/port-range.ts reads it. */
export const portRules: readonly ValidationRule[] = [
  {
    rule: '!has(self.endPort) || (has(self.port) && self.port <= self.endPort)',
    message: 'endPort is the last port of a range that begins at port',
  },
];

export const tenantRules: Rules = {
  '': [
    {
      rule: "self.metadata.name != 'platform'",
      message: 'platform means the team that runs the cluster, also in logs and metrics; choose another name',
      fieldPath: '.metadata.name',
    },
    {
      rule: '!has(self.spec.network) || !has(self.spec.network.gates) || self.spec.network.gates.all(gate, gate.tenant != self.metadata.name)',
      message: 'one leads to the tenant itself; what is open inside the tenant is spec.network.within',
      fieldPath: '.spec.network.gates',
    },
  ],
  'spec.members[]': [
    ...subjectRules,
    {
      rule: `!(${named} && self.name.startsWith('system:') && !self.name.startsWith('system:serviceaccount') && !(self.name in ['system:authenticated', 'system:unauthenticated', 'system:anonymous']))`,
      message: 'is part of Kubernetes itself and works for every tenant; list those who are meant',
    },
  ],
  'spec.namespaces': [
    {
      rule: '!has(self.enforcePrefix) || !self.enforcePrefix || has(self.prefix) || (has(self.prefixes) && self.prefixes.size() > 0) || (has(self.names) && self.names.size() > 0)',
      message:
        'lets members create no namespace, as no prefix and no name is reserved for the tenant; list prefixes or names, or write limit: 0 instead',
      fieldPath: '.enforcePrefix',
    },
  ],
  'spec.network.gates': [
    {
      rule: 'self.all(one, self.exists_one(other, one.tenant == other.tenant && one.direction == other.direction && has(one.ports) == has(other.ports) && (!has(one.ports) || one.ports == other.ports)))',
      message: 'opens the same twice; keep one of the gates',
    },
  ],
  'spec.network.gates[].expires': timeRules,
  'spec.network.gates[].ports[]': portRules,
};
