/** A tenant that may have as many namespaces as it likes. Its members are those of group `acme-developers`. */
export const tenant = `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: acme }
spec:
  members: [{ kind: Group, name: acme-developers }]
  namespaces:
    prefix: acme-
    # Of something that no pod counts for: nobody fills in the status of a quota where no controllers run, and without it a quota
    # of pods lets none in.
    resourceQuota: { hard: { services: "100" } }
`;

/** Another tenant beside it, with namespaces and members of its own. */
export const neighbour = `apiVersion: bulkhead.dev/v1alpha1
kind: Tenant
metadata: { name: beta }
spec:
  members: [{ kind: Group, name: beta-developers }]
  namespaces: { prefix: beta- }
`;
