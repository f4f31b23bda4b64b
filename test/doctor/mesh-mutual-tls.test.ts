import t from 'tap';
import type { Examination, Found } from '../../src/doctor/check.ts';
import { meshMutualTls } from '../../src/doctor/mesh-mutual-tls.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { MutualTls } from '../../src/tenancy/istio-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';

const path = (version: string) => `/apis/security.istio.io/${version}/namespaces/mesh/peerauthentications`;
const policy = (created: string, mode?: string, app?: string) => ({
  metadata: { creationTimestamp: created },
  spec: { ...(mode && { mtls: { mode } }), ...(app && { selector: { matchLabels: { app } } }) },
});

async function look(items: unknown, mtls: MutualTls | undefined, version = 'v1'): Promise<readonly Found[]> {
  const istio = mtls && {
    ...{
      rootNamespace: 'mesh',
      trustDomains: new Set(['cluster.local']),
      providers: [],
      mtlsGrants: [],
      domain: 'cluster.local',
      defaultExportTo: ['*'],
      ambient: false,
      mtls,
    },
  };
  const findings: Found[] = [];
  const examination: Pick<Examination, 'tenancy' | 'get' | 'found'> = {
    tenancy: createTenancy({ ...defaultSettings, istio }, []),
    get: async (asked) => (asked === path(version) ? { items } : undefined),
    found: (_, found) => void findings.push(found),
  };
  await meshMutualTls.look(examination as Examination);
  return findings;
}

const permissive = [
  {
    where: 'namespace mesh',
    why: 'the mode of the mesh is PERMISSIVE, and istio.mtls is strict',
  },
] as const;

t.test('the mode of the mesh is compared with that of the settings', async (t) => {
  t.strictSame(await look([], 'strict'), permissive, 'without any policy');
  t.strictSame(await look([], 'permissive'), []);
  t.strictSame(await look([policy('2026-01-01T00:00:00Z', 'STRICT')], 'strict'), []);
  t.strictSame(await look([policy('2026-01-01T00:00:00Z', 'PERMISSIVE')], 'strict'), permissive);
  t.strictSame(await look([policy('2026-01-01T00:00:00Z', 'PERMISSIVE')], 'strict', 'v1beta1'), permissive);
  t.strictSame(await look([policy('2026-01-01T00:00:00Z')], 'strict'), permissive, 'a policy that says nothing');
  t.match(await look([policy('2026-01-01T00:00:00Z', 'DISABLE')], 'permissive'), [{ why: /DISABLE/ }]);
  t.strictSame(await look([policy('2026-01-01T00:00:00Z', 'STRICT')], 'permissive'), [
    {
      where: 'namespace mesh',
      why: 'the mode of the mesh is STRICT, and istio.mtls is permissive',
    },
  ]);
});

t.test('the oldest policy without selector counts', async (t) => {
  const strict = policy('2026-02-01T00:00:00Z', 'STRICT');
  t.strictSame(await look([strict, policy('2026-01-01T00:00:00Z', 'PERMISSIVE')], 'strict'), permissive);
  t.strictSame(await look([policy('2026-03-01T00:00:00Z', 'PERMISSIVE'), strict], 'strict'), []);
  t.strictSame(await look([policy('2026-01-01T00:00:00Z', 'STRICT', 'istiod')], 'strict'), permissive, 'one workload');
});

t.test('nothing is said without the section or the kind', async (t) => {
  t.strictSame(await look([], undefined), []);
  t.strictSame(await look(undefined, 'strict'), []);
});
