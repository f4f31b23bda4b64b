/** The requesters that may write each address of a pod, key by key and field by field (POD-20, POD-22). */
import t from 'tap';
import { addressAnnotations, addressFields } from '../../src/checks/pod-addresses.ts';
import type { Pod } from '../../src/kubernetes/objects.ts';
import type { UserInfo } from '../../src/kubernetes/user.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { findingsIn } from '../fixtures/denial.ts';
import { createReview, type Sent, validate } from '../fixtures/review.ts';
import { createWorld } from '../fixtures/world.ts';

const { tenancy, namespaces } = createWorld();
const review = createReview(tenancy, namespaces);

function pod(annotations: Pod['metadata'] = {}, status: Pod['status'] = {}, nodeName: string | null = 'node-1'): Pod {
  const labels = { 'bulkhead.dev/tenant': 'acme' };
  const metadata = { name: 'web', namespace: 'acme-web', labels, ...annotations };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName, containers: [{ name: 'main' }] }, status };
}

/** The paths that pod-addresses refuses; anything else that is found is a failure. */
async function refused(sent: Sent): Promise<readonly string[]> {
  const { status } = await validate(review, sent);
  const found = findingsIn(status?.message ?? '');
  return found.map(({ check, path }) => (check === 'pod-addresses' ? path : `${check}: ${path}`));
}

const writers: readonly Role[] = ['kubelet of node-1', 'network plugin', 'controller', 'platform admin'];
const others: readonly Role[] = [
  'acme developer',
  'beta developer',
  'stranger',
  'service account in acme-web',
  'scheduler',
  'scheduler of the platform',
  'scheduler of somebody else',
  'kubelet of node-2',
];
const ofEks = new Set(['vpc.amazonaws.com/pod-eni', 'vpc.amazonaws.com/PrivateIPv4Address']);

t.test('annotations', async (t) => {
  for (const key of addressAnnotations.keys()) {
    const path = `metadata.annotations[${key}]`;
    const [without, one, other] = [pod({ annotations: { note: 'x' } }), annotated('1.1.1.1'), annotated('2.2.2.2')];
    for (const [role, user] of Object.entries(cast))
      if (role !== 'platform admin' && !role.startsWith('scheduler'))
        for (const value of ['1.1.1.1', ''])
          t.strictSame(
            (await refused({ user, operation: 'CREATE', object: annotated(value, null) })).filter(
              (each) => each === path,
            ),
            [path],
            `${role} does not create a pod with ${key}: ${JSON.stringify(value)}`,
          );
    const changes = [
      ['sets', one, without],
      ['changes', other, one],
      ['removes', without, one],
      ['empties', annotated(''), one],
    ] as const;
    for (const subresource of ['', 'status', 'resize', 'ephemeralcontainers']) {
      for (const [verb, object, oldObject] of changes) {
        const asks = (role: Role) => refused({ user: cast[role], operation: 'UPDATE', subresource, object, oldObject });
        for (const role of writers) t.strictSame(await asks(role), [], `${role} ${verb} ${key} by pods/${subresource}`);
        for (const role of others) t.strictSame(await asks(role), [path], `${role} may not: ${verb} ${key}`);
        t.strictSame(await asks('resource controller of EKS'), ofEks.has(key) ? [] : [path], `EKS ${verb} ${key}`);
      }
      const [object, oldObject] = [annotated('1.1.1.1'), one];
      t.strictSame(await refused({ user: cast.stranger, operation: 'UPDATE', subresource, object, oldObject }), []);
    }

    function annotated(value: string, node: string | null = 'node-1'): Pod {
      return pod({ annotations: { note: 'x', [key]: value } }, {}, node);
    }
  }
});

t.test('fields of the status', async (t) => {
  const rows = {
    podIP: ['10.0.0.1', '10.0.0.2'],
    podIPs: [[{ ip: '10.0.0.1' }], [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }]],
    hostIP: ['10.1.0.1', '10.1.0.2'],
    hostIPs: [[{ ip: '10.1.0.1' }], [{ ip: 'fd00::1' }, { ip: '10.1.0.1' }]],
  } as const;
  t.strictSame(Object.keys(rows), addressFields, 'all of them');
  for (const field of addressFields) {
    const path = `status.${field}`;
    const [one, other] = rows[field].map((value) => pod({}, { [field]: value }));
    for (const [verb, object, oldObject] of [
      ['sets', one, pod()],
      ['changes', other, one],
      ['removes', pod(), one],
      ['nulls', pod({}, { [field]: null }), one],
    ] as const) {
      const asks = (user: UserInfo) => refused({ user, operation: 'UPDATE', subresource: 'status', object, oldObject });
      for (const role of ['kubelet of node-1', 'platform admin'] as const)
        t.strictSame(await asks(cast[role]), [], `${role} ${verb} ${field}`);
      for (const role of [...others, 'network plugin', 'controller', 'resource controller of EKS'] as const)
        t.strictSame(await asks(cast[role]), [path], `${role} may not: ${verb} ${field}`);
      for (const username of ['system:node:', 'system:node', 'system:node:node-1 ', 'SYSTEM:NODE:node-1', 'node-1'])
        t.strictSame(await asks({ username, groups: ['system:nodes'] }), [path], `ADM-18: ${username}`);
    }
    for (const [object, oldObject] of [
      [one, one],
      [pod({}, { [field]: null }), pod()],
      [pod({}, { [field]: field.endsWith('s') ? [] : '' }), pod({}, null)],
    ])
      t.strictSame(
        await refused({ user: cast['acme developer'], operation: 'UPDATE', subresource: 'status', object, oldObject }),
        [],
        `${field} stays as it is`,
      );
  }
  const [object, oldObject] = [pod({}, { podIP: '10.0.0.1' }, null), pod({}, {}, null)];
  for (const username of ['system:node:', 'system:node:null', 'system:node:undefined'])
    t.strictSame(
      await refused({ user: { username, groups: [] }, operation: 'UPDATE', subresource: 'status', object, oldObject }),
      ['status.podIP'],
      `a pod without a node has no own node:  ${username}`,
    );
});
