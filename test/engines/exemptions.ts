/**
 * Random exemptions, key profiles and pods, and when an exemption holds as docs/exemptions.md says it: written a second time, on the
 * documents, so that it shares no code with src/checks/exemption.ts.
 */
import fc from 'fast-check';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import { byNamespace } from '../../src/exemptions/load-exemptions.ts';
import { parseExemption } from '../../src/exemptions/parse-exemption.ts';
import { knownMeshes, knownPlugins } from '../../src/keys/key-group.ts';
import type { UserInfo } from '../../src/kubernetes/user.ts';
import type { Exemptions } from '../../src/tenancy/exemption.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import type { World } from '../reach/evaluator.ts';
import { keysOfPods, reserved } from './keys.ts';

export interface WrittenExemption {
  readonly tenant: string;
  readonly namespace: string;
  readonly checks: readonly string[];
  readonly match: {
    readonly kinds?: readonly string[];
    readonly names?: readonly string[];
    readonly owner?: string;
    readonly serviceAccounts?: readonly string[];
    readonly images?: readonly string[];
    readonly requesters?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly expires: string;
}

/** What a world has beside what decides its flows. */
export interface Rollout {
  readonly exemptions: readonly WrittenExemption[];
  readonly profile: NonNullable<World['profile']>;
}

export type RolledWorld = World & Rollout;

/** Names under which each policy is written. */
export const names = ['asked', 'other'] as const;
const replicaSets = 'system:serviceaccount:kube-system:replicaset-controller';
/** Who writes: a developer, and one of those on call. */
export const users: readonly UserInfo[] = [
  { username: 'alice', groups: ['system:authenticated'] },
  { username: 'ona', groups: ['on-call', 'system:authenticated'] },
];
const controller: UserInfo = { username: replicaSets, groups: ['system:authenticated'] };

const list = (...items: readonly string[]) => fc.subarray([...items], { minLength: 1 });
const named = list(...names, 'vpn-0');
const kinds = fc.constantFrom(['Pod'], ['NetworkPolicy'], ['Pod', 'NetworkPolicy']);
const requesters = fc.subarray(
  [
    { kind: 'Group', name: 'on-call' },
    { kind: 'User', name: 'alice' },
  ],
  { minLength: 1 },
);
const aboutAny = fc.oneof(
  fc.record({ names: named, requesters, kinds }, { requiredKeys: ['names'] }),
  fc.record({ names: named, requesters, kinds }, { requiredKeys: ['requesters'] }),
);
const aboutPods = fc
  .record(
    {
      images: list('r.example/vpn', 'r.example/vpn:1', 'r.example/evil', 'r.example'),
      serviceAccounts: list('default', 'vpn'),
      owner: fc.constantFrom('Deployment/vpn', 'StatefulSet/vpn'),
      names: named,
      kinds: fc.constantFrom(['Pod'], ['Pod', 'NetworkPolicy']),
    },
    { requiredKeys: [] },
  )
  .filter(({ images, serviceAccounts, owner }) => (images ?? serviceAccounts ?? owner) !== undefined);
const anImage = fc.constantFrom('r.example/vpn', 'r.example/evil').map((image) => ({ images: [image] }));
/** Those that the policies and pods of the search offend most, and any. */
const checks = fc.oneof(
  list('cross-tenant-ingress', 'cross-tenant-egress', 'ip-block'),
  fc.constantFrom(['cross-tenant-ingress', 'cross-tenant-egress', 'ip-block'], ['ip-block'], ['cross-tenant-egress']),
  list('host-network', 'network-capabilities', 'reserved-labels'),
  fc.constantFrom(['host-network', 'network-capabilities', 'reserved-labels'], ['network-capabilities']),
  fc.subarray([...exemptableChecks], { minLength: 1 }),
);

export const rollout: fc.Arbitrary<(world: World) => RolledWorld> = fc
  .record({
    exemptions: fc.array(
      fc.record({
        tenant: fc.constantFrom('acme', 'acme', 'acme', 'acme', 'acme', 'beta', 'nobody'),
        namespace: fc.constantFrom('own', 'own', 'own', 'own', 'own', 'acme-db', 'beta-db'),
        checks,
        match: fc.oneof<fc.Arbitrary<WrittenExemption['match']>[]>(aboutAny, aboutAny, aboutPods, aboutPods, anImage),
        expires: fc.constantFrom(
          ...['2027-01-01T00:00:01Z', '2026-12-31T23:30:00-01:00', '2030-01-01T00:00:00Z'],
          ...['2027-01-01T00:00:00Z', '2026-12-31T23:59:59Z'],
        ),
      }),
      { maxLength: 12 },
    ),
    profile: fc.record(
      { plugin: fc.constantFrom(...knownPlugins), mesh: fc.constantFrom(...knownMeshes), reserved },
      { requiredKeys: [] },
    ),
  })
  .map(({ exemptions, profile }) => (world) => ({
    ...world,
    profile,
    exemptions: exemptions.map((one) => ({
      ...one,
      namespace: one.namespace === 'own' ? world.namespace : one.namespace,
    })),
  }));

export function exemptionDocuments({ exemptions }: Rollout): readonly unknown[] {
  return exemptions.map((spec, index) => ({
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Exemption',
    metadata: { name: `exemption-${index}` },
    spec: { ...spec, reason: 'drawn at random', owner: 'search' },
  }));
}

export function exemptionsOf(world: Rollout): Exemptions {
  return byNamespace(
    exemptionDocuments(world).map((value) => {
      const loaded = parseExemption({ value, locate: unlined('search') });
      if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join('; '));
      return loaded.value;
    }),
  );
}

export interface WrittenPod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly { readonly kind: string; readonly name: string; readonly controller: boolean }[];
  };
  readonly spec: {
    readonly hostNetwork: boolean;
    readonly serviceAccountName?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
}

/** The metadata that tenants write. */
type Keys = Pick<WrittenPod['metadata'], 'labels' | 'annotations'>;

/** An object that is to be created in the namespace of the world. */
export interface Sent {
  readonly kind: 'Pod' | 'NetworkPolicy' | 'CiliumNetworkPolicy' | 'CalicoNetworkPolicy' | 'AuthorizationPolicy';
  readonly name: string;
  readonly user: UserInfo;
  /** Of a pod. */
  readonly pod?: WrittenPod;
  /** The stored metadata: the pod is changed and not created. */
  readonly before?: Keys;
  /** The name of a Deployment: the pod is its template. */
  readonly deployment?: string;
}

export interface SentPod extends Sent {
  readonly pod: WrittenPod;
}

const someKeys = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...keysOfPods), fc.constantFrom('x', 'y'), { maxKeys: 2 }) },
);
const image = fc.constantFrom('r.example/vpn:1', 'r.example/vpn', 'r.example/vpn-evil:1', 'r.example/evil:1');
const drop = { capabilities: { drop: ['ALL'] } };
const securityContext = fc.constantFrom(drop, drop, drop, {}, { privileged: true });

export const sentPod: fc.Arbitrary<SentPod> = fc
  .record({
    name: fc.constantFrom(...names, 'vpn-0'),
    user: fc.constantFrom(...users, controller),
    labels: someKeys,
    annotations: someKeys,
    ownerReferences: fc.subarray(
      [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'vpn-5d8bc', uid: 'u', controller: true },
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'evil-5d8bc', uid: 'v', controller: false },
      ],
      { maxLength: 2 },
    ),
    hostNetwork: fc.constantFrom(false, false, true),
    account: fc.record({ serviceAccountName: fc.constantFrom('default', 'vpn') }, { requiredKeys: [] }),
    containers: fc.array(fc.record({ image, securityContext }), { minLength: 1, maxLength: 2 }),
    way: fc.constantFrom('create', 'create', 'update', 'template'),
    before: fc.record({ labels: someKeys, annotations: someKeys }),
  })
  .map(({ name, user, labels, annotations, ownerReferences, hostNetwork, account, containers, way, before }) => ({
    kind: 'Pod',
    name,
    user,
    ...(way === 'update' && { before }),
    ...(way === 'template' && { deployment: name === 'vpn-0' ? 'vpn' : name }),
    pod: {
      metadata: { name, labels, annotations, ownerReferences },
      spec: {
        hostNetwork,
        ...account,
        containers: containers.map((container, index) => ({ name: `c${index}`, ...container })),
      },
    },
  }));

/** Whether one exemption covers all that a check finds there: docs/exemptions.md, line by line. */
export function isExempted(check: string, paths: readonly string[], sent: Sent, world: RolledWorld): boolean {
  const { kind, name, user, pod, before, deployment } = sent;
  const isTemplate = deployment !== undefined;
  return world.exemptions.some(({ tenant, namespace, checks, match, expires }) => {
    if (tenant !== world.tenant || namespace !== world.namespace || !checks.includes(check)) return false;
    if (Date.parse(expires) <= world.now) return false;
    const { kinds, requesters, serviceAccounts, owner, images } = match;
    if (kinds && !kinds.includes(kind)) return false;
    // Neither is known of the pods that come of a template.
    if (isTemplate && (match.names || requesters)) return false;
    if (match.names && !match.names.includes(name)) return false;
    if (requesters && !requesters.some((one) => [user.username, ...user.groups].includes(one.name))) return false;
    if (!(serviceAccounts || owner || images)) return true;
    if (pod === undefined) return false;
    const { containers, serviceAccountName = 'default' } = pod.spec;
    if (serviceAccounts && !serviceAccounts.includes(serviceAccountName)) return false;
    const isOfReplicaSet = pod.metadata.ownerReferences.some((one) => one.controller && one.name === 'vpn-5d8bc');
    const isMadeForIt = isOfReplicaSet && user.username === replicaSets && before === undefined;
    if (owner && !(isTemplate ? owner === `Deployment/${deployment}` : owner === 'Deployment/vpn' && isMadeForIt))
      return false;
    const isMeant = (of: string) => images?.some((one) => of === one || of.startsWith(`${one}:`));
    const violating = containers.filter((_, index) => {
      const concerns = paths.filter((path) => path.startsWith(`spec.containers[${index}]`));
      return concerns.length > 0 || paths.some((path) => !path.startsWith('spec.containers['));
    });
    return !images || violating.every((container) => isMeant(container.image));
  });
}
