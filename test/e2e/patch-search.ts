/**
 * Searches for an object that Bulkhead's patches harm: one that the API server takes without Bulkhead and not with it although
 * no check refuses it, or stores otherwise than it was sent but for the tenant label, or changes once more when it comes again.
 * `npm run patches -- [--objects 20000] [--seed 1]`: prints what was seen, and every object that shows such a thing; ends with 1
 * when there is one.
 */
import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import tap from 'tap';
import { catalogue } from '../../src/checks/catalogue.ts';
import { isMap, type JsonMap } from '../../src/kubernetes/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { Operation } from '../../src/kubernetes/review.ts';
import type { Answer } from '../apiserver/api-request.ts';
import { type ControlPlane, startControlPlane, type User } from '../apiserver/control-plane.ts';
import { responseOf, reviewOf } from '../fixtures/review.ts';
import { parseExactly } from './exact-json.ts';
import { guard } from './guarded-cluster.ts';
import { at, labelOf, selectorPlaces, settled, takeLabel } from './patched-objects.ts';
import { mended, type OpenApi, objectsOf } from './schema-objects.ts';

interface Kind {
  readonly kind: 'Namespace' | 'Pod' | 'NetworkPolicy';
  readonly apiVersion: string;
  readonly definition: string;
  path(namespace: string): string;
}

const kinds: readonly Kind[] = [
  { kind: 'Namespace', apiVersion: 'v1', definition: 'io.k8s.api.core.v1.Namespace', path: () => '/api/v1/namespaces' },
  {
    kind: 'Pod',
    apiVersion: 'v1',
    definition: 'io.k8s.api.core.v1.Pod',
    path: (namespace) => `/api/v1/namespaces/${namespace}/pods`,
  },
  {
    kind: 'NetworkPolicy',
    apiVersion: 'networking.k8s.io/v1',
    definition: 'io.k8s.api.networking.v1.NetworkPolicy',
    path: (namespace) => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
  },
];

/** Both are in manifests/examples: one with hard isolation, one with soft, neither with a quota, which would ask more of pods. */
const tenants: readonly { readonly name: string; readonly member: User; readonly isNarrowed: boolean }[] = [
  { name: 'beta', member: { user: 'bob', groups: ['beta-developers'] }, isNarrowed: false },
  { name: 'gamma', member: { user: 'gina', groups: ['gamma-developers'] }, isNarrowed: true },
];

/** They refuse a wrong label; where there is none, the patch adds the right one. */
const labelChecks = new Set(['foreign-namespace', 'pod-tenant-label', 'policy-tenant-label']);

interface Sent {
  readonly kind: Kind;
  readonly tenant: (typeof tenants)[number];
  readonly object: JsonMap;
  /** Of the API server alone. */
  readonly alone: Answer;
}

export interface Tally {
  /** By kind: objects sent, taken by the API server alone, refused by a check, and taken with Bulkhead. */
  readonly counts: Record<Kind['kind'], { sent: number; alone: number; refused: number; taken: number }>;
  /** Checks that refused something, and how often. */
  readonly checks: Map<string, number>;
  /** Labels put on objects, and put into the selectors of policies. */
  labelled: number;
  narrowed: number;
  /** Objects taken that have a key `__proto__` or `constructor`, or a number that JavaScript would round. */
  hostile: Record<'__proto__' | 'constructor' | '9007199254740993', number>;
}

/**
 * @param plane without Bulkhead, which is started there after everything has been sent once
 * @param objects of each kind, for each of two tenants
 * @returns what was seen, and a text for each object that shows a harm
 */
export async function searchPatches(plane: ControlPlane, objects: number, seed: number) {
  const tally: Tally = {
    counts: { Namespace: zeros(), Pod: zeros(), NetworkPolicy: zeros() },
    checks: new Map(),
    labelled: 0,
    narrowed: 0,
    hostile: { ['__proto__']: 0, constructor: 0, '9007199254740993': 0 },
  };
  for (const { name } of tenants) {
    const labels = { 'bulkhead.dev/tenant': name };
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name: `${name}-one`, labels } });
  }
  const all: Sent[] = [];
  for (const kind of kinds) {
    const path = kind.apiVersion === 'v1' ? 'api/v1' : `apis/${kind.apiVersion}`;
    const { body } = await plane.request('GET', `/openapi/v3/${path}`);
    for (const [index, tenant] of tenants.entries())
      all.push(...(await sendAlone(plane, kind, tenant, body as OpenApi, objects, seed * 2 + index)));
  }

  const cluster = await guard(plane);
  const harms: string[] = [];
  try {
    const mutate = await mutatorOf(plane);
    for (const tenant of tenants) {
      const kubeconfig = await plane.kubeconfigFor(tenant.member);
      for (const sent of all.filter((one) => one.tenant === tenant)) {
        const harm = await harmOf(sent, await post(plane, sent.kind, sent, kubeconfig), mutate, tally);
        if (harm !== undefined) harms.push(`${harm} (seed ${seed})\n${JSON.stringify(sent.object)}`);
      }
    }
  } finally {
    await cluster.stop();
  }
  return { tally, harms };
}

const zeros = () => ({ sent: 0, alone: 0, refused: 0, taken: 0 });

/** Sends random objects, each mended until the API server takes it, or there is nothing to mend. */
async function sendAlone(
  plane: ControlPlane,
  kind: Kind,
  tenant: Sent['tenant'],
  document: OpenApi,
  count: number,
  seed: number,
): Promise<Sent[]> {
  const arbitrary = fc.record({ object: objectsOf(document, kind.definition), isGenerated: fc.boolean() });
  const sent: Sent[] = [];
  for (const [index, { object: random, isGenerated }] of fc.sample(arbitrary, { numRuns: count, seed }).entries()) {
    const name = isGenerated
      ? { name: '', generateName: `${tenant.name}-made-` }
      : { name: `${tenant.name}-n${index}`, generateName: null };
    const namespace = kind.kind === 'Namespace' ? {} : { namespace: `${tenant.name}-one` };
    const metadata = { ...(isMap(random.metadata) && random.metadata), ...name, ...namespace };
    const object = { ...random, apiVersion: kind.apiVersion, kind: kind.kind, metadata };
    let alone = await post(plane, kind, { tenant, object });
    for (let attempt = 0; attempt < 12 && alone.status === 422; attempt++) {
      const { causes = [] } = (alone.body as { details?: { causes?: { field: string }[] } }).details ?? {};
      const paths = causes.map(({ field }) => field);
      if (paths.some((path) => path === 'spec') || !mended(object, paths)) break;
      alone = await post(plane, kind, { tenant, object });
    }
    sent.push({ kind, tenant, object, alone });
  }
  return sent;
}

function post(
  plane: ControlPlane,
  kind: Kind,
  { tenant, object }: Pick<Sent, 'tenant' | 'object'>,
  kubeconfig = plane.adminKubeconfig,
): Promise<Answer> {
  return plane.request('POST', `${kind.path(`${tenant.name}-one`)}?dryRun=All`, object, { kubeconfig });
}

/** What is wrong about the answer that Bulkhead had a part in. */
async function harmOf(
  { kind: { kind }, tenant, object, alone }: Sent,
  guarded: Answer,
  mutate: Mutate,
  tally: Tally,
): Promise<string | undefined> {
  const count = tally.counts[kind];
  count.sent += 1;
  if (alone.status !== 201) {
    return guarded.status === 201 ? `taken, which the API server alone refuses: ${alone.text}` : undefined;
  }
  count.alone += 1;
  if (guarded.status !== 201) {
    const checks = catalogue.filter(({ id }) => guarded.text.includes(`docs/checks/${id}.md`));
    for (const { id } of checks) tally.checks.set(id, (tally.checks.get(id) ?? 0) + 1);
    count.refused += 1;
    const isUnlabelled = labelOf(at(object, ['metadata', 'labels'])) === undefined;
    if (isUnlabelled && checks.some(({ id }) => labelChecks.has(id))) return `refused without a label: ${guarded.text}`;
    const isNamed = guarded.status === 403 && checks.some(({ protects }) => protects !== 'intent');
    return isNamed ? undefined : `refused by no check: ${guarded.text}`;
  }
  count.taken += 1;
  for (const word of Object.keys(tally.hostile) as (keyof Tally['hostile'])[]) {
    if (new RegExp(`"?${word}"?[:,}\\]]`).test(alone.text)) tally.hostile[word] += 1;
  }

  const before = parseExactly(alone.text) as KubernetesObject;
  const after = parseExactly(guarded.text) as KubernetesObject;
  const again = parseExactly(guarded.text) as KubernetesObject;
  if (takeLabel(at(before, ['metadata']), at(after, ['metadata']), 'labels', tenant.name)) tally.labelled += 1;
  else if (labelOf(after.metadata?.labels) === undefined) return `stored without its label: ${guarded.text}`;
  if (kind === 'NetworkPolicy' && tenant.isNarrowed) {
    for (const place of selectorPlaces(before)) {
      if (takeLabel(at(before, place), at(after, place), 'matchLabels', tenant.name)) tally.narrowed += 1;
    }
  }
  const expected = settled(before, object);
  const found = settled(after, object);
  if (found !== expected) return `stored otherwise than sent\nwith Bulkhead    ${found}\nwithout Bulkhead ${expected}`;

  const user = { username: tenant.member.user, groups: [...(tenant.member.groups ?? []), 'system:authenticated'] };
  const { name = '' } = again.metadata ?? {};
  const unlabelled = parseExactly(alone.text) as KubernetesObject;
  for (const [operation, oldObject] of [
    ['CREATE', undefined],
    ['UPDATE', { ...unlabelled, metadata: { ...unlabelled.metadata, name } }],
  ] as const) {
    const { allowed, patch } = await mutate({ user, operation, object: again, oldObject, name });
    if (!allowed) return `mutated, and refused by the same endpoint at the next ${operation}`;
    if (patch !== undefined) return `changed again by ${operation}: ${Buffer.from(patch, 'base64')}`;
  }
  return undefined;
}

type Mutate = (sent: {
  user: { username: string; groups: readonly string[] };
  operation: Operation;
  object: KubernetesObject;
  oldObject: KubernetesObject | undefined;
  name: string;
}) => Promise<ReturnType<typeof responseOf>>;

/** Asks the mutating webhook itself, at the address under which the API server knows it. */
async function mutatorOf(plane: ControlPlane): Promise<Mutate> {
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/bulkhead';
  const url = String(at((await plane.request('GET', path)).body, ['webhooks', 0, 'clientConfig', 'url']));
  const ca = await readFile(`${plane.directory}/certificates/ca.crt`);
  return (sent) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const outgoing = httpsRequest(url, { method: 'POST', ca, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject).on('end', () => resolve(responseOf(text)));
      });
      outgoing.on('error', reject).end(JSON.stringify(reviewOf(sent)));
    });
}

export function summary({ counts, checks, labelled, narrowed, hostile }: Tally): string {
  const lines = Object.entries(counts).map(
    ([kind, { sent, alone, refused, taken }]) =>
      `${kind}: ${sent} sent, ${alone} taken by the API server alone, ${refused} of them refused by a check, ${taken} taken`,
  );
  const refusals = [...checks].map(([id, count]) => `${id} ${count}`).join(', ');
  return [...lines, `${labelled} labelled, ${narrowed} narrowed, ${JSON.stringify(hostile)}`, refusals].join('\n');
}

if (import.meta.main) {
  // What makes a plane for tests brings the clock of the tests with it.
  tap.setTimeout(0);
  const { values } = parseArgs({
    options: { objects: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
  });
  const plane = await startControlPlane({ controllers: false });
  try {
    const each = Math.ceil(Number(values.objects) / kinds.length / tenants.length);
    const { tally, harms } = await searchPatches(plane, each, Number(values.seed));
    process.stdout.write(`${[summary(tally), ...harms].join('\n')}\n`);
    if (harms.length > 0) process.exitCode = 1;
  } finally {
    await plane.stop();
  }
}
