/** Tenant and Exemption objects while tenants are read from files: what is said about them. */
import t from 'tap';
import { exemptionDocument } from '../../src/checks/exemption-document.ts';
import { tenantDocument } from '../../src/checks/tenant-document.ts';
import { tenantInUse } from '../../src/checks/tenant-in-use.ts';
import type { ExemptionRequest, Operation, TenantRequest } from '../../src/kubernetes/review.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { settings, tenant } from '../baseline/samples.ts';

const declared = createTenancy(settings([]), [tenant({ within: 'none' })]);
const platform = { username: 'root', platform: true, tenants: [] };
const facts = (home: 'files' | 'objects') => ({
  ...{ tenancy: { ...declared, home }, requester: platform, owner: 'platform' as const, now: 0 },
  ...{ namespacesOwned: 3, namesOwned: new Set<string>(), namesOfOthers: [] },
  namespaceOf: () => ({ tenant: 'acme' }),
});
const written = (operation: Operation, name: string) => ({
  ...{ operation, uid: 'uid', subresource: '', name, namespace: '', user: { username: 'root', groups: [] } },
  ...{ dryRun: false, oldObject: undefined },
});
const apiVersion = 'bulkhead.dev/v1alpha1';
const tenantRequest = (name: string, spec: object, operation: Operation = 'CREATE'): TenantRequest => ({
  ...{ family: 'tenant', kind: 'Tenant', ...written(operation, name) },
  object: { apiVersion, kind: 'Tenant', metadata: { name }, spec },
});
const exemptionRequest = (name: string, spec: object): ExemptionRequest => ({
  ...{ family: 'exemption', kind: 'Exemption', ...written('CREATE', name) },
  object: { apiVersion, kind: 'Exemption', metadata: { name }, spec },
});
const exemption = {
  ...{ tenant: 'acme', namespace: 'acme-web', checks: ['host-path'], match: { names: ['a'] } },
  ...{ reason: 'why', owner: 'net', expires: '2029-06-01T00:00:00Z' },
};

t.test('a good document is admitted with a warning while files are in force', async (t) => {
  const omega = tenantRequest('omega', {});
  t.strictSame(tenantDocument.tenant?.(omega, facts('objects')), []);
  t.strictSame(tenantDocument.tenant?.(omega, facts('files')), [
    {
      path: 'metadata.name',
      reason: 'has no effect: tenants are read from files here',
      fix: 'write it into the files of --tenants, or start Bulkhead without --tenants',
      protects: 'intent',
    },
  ]);
  const one = exemptionRequest('one', exemption);
  t.match(exemptionDocument.exemption?.(one, facts('files')), [
    { reason: 'has no effect: exemptions are read from files here', protects: 'intent' },
  ]);
});

t.test('a bad one is refused all the same, as it would be in force later', async (t) => {
  const [finding] = tenantDocument.tenant?.(tenantRequest('omega', { mode: 'loud' }), facts('files')) ?? [];
  t.match(finding, { path: 'spec.mode', reason: /loud/ });
  t.notHas(finding, 'protects');
});

t.test('an object that has no effect can be deleted', async (t) => {
  const acme = tenantRequest('acme', {}, 'DELETE');
  t.equal(tenantInUse.tenant?.(acme, facts('objects')).length, 1);
  t.strictSame(tenantInUse.tenant?.(acme, facts('files')), []);
});
