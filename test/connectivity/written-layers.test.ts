/**
 * A contradiction that is shown as a policy is written, by policies and Services alone, is one for every pod that there could be: the comparison
 * by pods (audit) finds it for each of them. Random policies, in a small world that has every pod.
 */
import fc from 'fast-check';
import t from 'tap';
import { layersOf } from '../../src/connectivity/layers/layers.ts';
import { layersOfWritten, type WrittenPolicy } from '../../src/connectivity/layers/written.ts';
import { readMesh } from '../../src/connectivity/mesh.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { readingsOf } from '../../src/connectivity/readings.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import { createWorld as createCases } from '../fixtures/world.ts';

const { tenancy } = createCases();
const own = 'acme-db';
const callers = 'acme-web';

type Labels = Readonly<Record<string, string>>;
const values = [undefined, 'a', 'b'] as const;
/** Every pod, as far as the policies can tell. */
const every: readonly Labels[] = values.flatMap((app) =>
  values.map((tier) => ({ ...(app !== undefined && { app }), ...(tier !== undefined && { tier }) })),
);
const pod = (namespace: string, labels: Labels, index: number) => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name: `pod-${index}`, namespace, labels },
  spec: { containers: [] },
});

const labels = fc.constantFrom<Labels>({}, { app: 'a' }, { app: 'b' }, { tier: 'a' }, { app: 'a', tier: 'b' });
const selector = fc.oneof(
  labels.map((matchLabels) => ({ matchLabels })),
  fc
    .record({
      key: fc.constantFrom('app', 'tier'),
      operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
      value: fc.constantFrom('a', 'b'),
    })
    .map(({ key, operator, value }) => ({
      matchExpressions: [{ key, operator, ...(operator.endsWith('In') && { values: [value] }) }],
    })),
);
const namespace = fc.constantFrom(own, callers);
const port = fc.constantFrom(80, 5432, 15008);
const peer = fc.oneof(
  namespace.map((name) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })),
  selector.map((podSelector) => ({ podSelector })),
  fc.tuple(namespace, selector).map(([name, podSelector]) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
    podSelector,
  })),
  fc.constant({ ipBlock: { cidr: '10.0.0.0/8' } }),
);
const network = fc
  .record({
    podSelector: selector,
    ingress: fc.array(
      fc.record({
        from: fc.array(peer, { maxLength: 2 }),
        ports: fc.array(
          port.map((one) => ({ port: one })),
          { maxLength: 2 },
        ),
      }),
      { maxLength: 2 },
    ),
  })
  .map((spec) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    spec: { ...spec, policyTypes: ['Ingress'] },
  }));
const calico = fc
  .record({
    selector: fc.constantFrom(
      'all()',
      'app == "a"',
      'app == "a" || tier == "b"',
      '!has(tier)',
      'app != "a" && has(tier)',
    ),
    methods: fc.subarray(['GET', 'POST'], { minLength: 1 }),
    action: fc.constantFrom('Allow', 'Deny', 'Pass'),
    source: fc.constantFrom(
      {},
      { selector: 'app == "b"' },
      { namespaceSelector: 'kubernetes.io/metadata.name == "acme-web"' },
    ),
  })
  .map(({ selector: text, methods, action, source }) => ({
    ...{ apiVersion: 'projectcalico.org/v3', kind: 'NetworkPolicy' },
    spec: {
      ...{ selector: text, types: ['Ingress'] },
      ingress: [{ action, protocol: 'TCP', source, ...(action === 'Allow' && { http: { methods } }) }],
    },
  }));
const source = fc.oneof(
  namespace.map((name) => ({ namespaces: [name] })),
  namespace.map((name) => ({ notNamespaces: [name] })),
  fc.constant({ requestPrincipals: ['*'] }),
  fc.constant({ notPrincipals: ['*'] }),
);
const authorization = fc
  .record({
    matchLabels: labels,
    action: fc.constantFrom('ALLOW', 'ALLOW', 'DENY'),
    sources: fc.array(source, { maxLength: 2 }),
    ports: fc.array(port.map(String), { maxLength: 1 }),
    methods: fc.subarray(['GET', 'POST']),
    isOfMesh: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  })
  .map(({ matchLabels, action, sources, ports, methods, isOfMesh }) => ({
    ...{ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' },
    ...(isOfMesh && { metadata: { namespace: 'istio-system' } }),
    spec: {
      action,
      selector: { matchLabels },
      rules: [
        {
          ...(sources.length > 0 && { from: sources.map((one) => ({ source: one })) }),
          ...(ports.length + methods.length > 0 && {
            to: [{ operation: { ...(ports.length > 0 && { ports }), ...(methods.length > 0 && { methods }) } }],
          }),
        },
      ],
    },
  }));
const mutualTls = fc
  .record({ matchLabels: labels, mode: fc.constantFrom('STRICT', 'PERMISSIVE', 'UNSET', 'DISABLE') })
  .map(({ matchLabels, mode }) => ({
    ...{ apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication' },
    spec: { ...(Object.keys(matchLabels).length > 0 && { selector: { matchLabels } }), mtls: { mode } },
  }));
const tokens = labels.map((matchLabels) => ({
  ...{ apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication' },
  spec: { selector: { matchLabels }, jwtRules: [{ issuer: 'x' }] },
}));
const service = fc.tuple(labels, port, port).map(([given, number, targetPort]) => ({
  ...{ apiVersion: 'v1', kind: 'Service' },
  spec: { selector: given, ports: [{ port: number, targetPort }] },
}));
const mode = fc.constantFrom<Labels>(
  {},
  { 'istio.io/dataplane-mode': 'ambient' },
  { 'istio-injection': 'enabled' },
  { 'istio-injection': 'disabled' },
);
const worlds = fc.record({
  objects: fc.array(fc.oneof(network, network, calico, authorization, authorization, mutualTls, tokens, service), {
    minLength: 2,
    maxLength: 7,
  }),
  modes: fc.tuple(mode, mode),
  plugin: fc.constantFrom(undefined, 'calico' as const, 'cilium' as const),
});

t.test('what is shown as a policy is written, the comparison by pods finds for every pod', async (t) => {
  const seen = new Map<string, number>();
  const run = ({ objects, modes, plugin }: typeof worlds extends fc.Arbitrary<infer World> ? World : never): void => {
    const named = objects.map((one, index) => ({
      ...one,
      metadata: { namespace: own, ...Reflect.get(one, 'metadata'), name: `o${index}` },
    }));
    const spaces = [own, callers].map((name, index) => ({
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: {
        name,
        labels: { 'bulkhead.dev/tenant': 'acme', 'kubernetes.io/metadata.name': name, ...modes[index] },
      },
    }));
    const settings = { ...tenancy.settings, plugin };
    const snapshotWith = (pods: readonly object[]) =>
      readSnapshot(JSON.parse(JSON.stringify([...spaces, ...named, ...pods])), tenancy, {
        hasPods: true,
        withBaseline: false,
      });
    const found = (pods: readonly object[]): ReadonlySet<string> => {
      const snapshot = snapshotWith(pods);
      const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
      const views = readingsOf(plugin, snapshot.policies).map((reading) =>
        createWorld(snapshot, parties, settings, reading),
      );
      return new Set(
        layersOf(snapshot, views, settings).map(({ check, object, path }) => `${check} ${object} ${path}`),
      );
    };
    const { policies, mesh: written = [], services } = snapshotWith([]);
    const mesh = readMesh(written);
    const labelsOf = (name: string) => new Map(Object.entries(spaces[name === own ? 0 : 1]?.metadata.labels ?? {}));
    const around = {
      ...{ namespace: own, labels: labelsOf(own), policies, mesh, services, root: 'istio-system' },
      readings: readingsOf(plugin, policies),
      callerOf: (name: string) => ({ name, labels: labelsOf(name) }),
    };
    const all: readonly WrittenPolicy[] = [
      ...policies.map((policy) => ({ kind: 'network', policy }) as const),
      ...mesh.authorizations
        .filter(({ ref }) => ref.namespace === own)
        .map((policy) => ({ kind: 'authorization', policy }) as const),
      ...mesh.peerAuthentications.map((policy) => ({ kind: 'mutual-tls', policy }) as const),
      ...mesh.requestAuthentications.map((policy) => ({ kind: 'tokens', policy }) as const),
    ];
    const shown = all.flatMap((one) => layersOfWritten(one, { ...around, budget: { steps: 100_000 } }) ?? []);
    if (shown.length === 0) return;
    const others = every.map((one, index) => pod(callers, one, index));
    const byPod = every.map((one) => [one, found([...others, pod(own, one, 99)])] as const);
    for (const { check, object, path } of shown) {
      seen.set(check, (seen.get(check) ?? 0) + 1);
      // Which pods it is about, the object says.
      const about = named.find(({ metadata }) => object.endsWith(`/${metadata.name}`));
      for (const [one, findings] of byPod) {
        if (!isSelected(about, one)) continue;
        const lines = [
          `${check} ${object} ${path}`,
          ...(check === 'l7-dead' ? [`port-mismatch ${object} ${path}`] : []),
        ];
        if (!lines.some((line) => findings.has(line)))
          throw new Error(
            `${lines[0]} does not hold for a pod with ${JSON.stringify(one)}: ${[...findings].join('; ')}`,
          );
      }
    }
  };
  fc.assert(fc.property(worlds, run), { numRuns: 1500, seed: 22 });
  t.ok(seen.size >= 6, JSON.stringify([...seen]));
  t.comment(JSON.stringify([...seen]));
});

/** For the kinds of the test; of a policy of Calico every pod that one policy of Istio may share with it is looked at by its own check. */
function isSelected(object: unknown, labels: Labels): boolean {
  const spec: { readonly [field: string]: unknown } = Reflect.get(object as object, 'spec');
  if (typeof spec.selector === 'string') return false;
  const given = (spec.podSelector ?? spec.selector ?? {}) as {
    readonly matchLabels?: Labels;
    readonly matchExpressions?: readonly {
      readonly key: string;
      readonly operator: string;
      readonly values?: readonly string[];
    }[];
  };
  return (
    Object.entries(given.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (given.matchExpressions ?? []).every(({ key, operator, values: listed = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return operator === 'In'
        ? value !== undefined && listed.includes(value)
        : value === undefined || !listed.includes(value);
    })
  );
}
