/** Policies that tenants write in the packet lab, and the exact connections that each opens beside the baseline. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { scenes as story } from '../../src/commands/scenes.ts';
import type { TenantName } from './cast.ts';
import type { Policy } from './lab.ts';

export interface Scene {
  readonly says: string;
  readonly policies: readonly { readonly tenant: TenantName; readonly policy: Policy }[];
  /** Connections in words, as judge.ts writes them. */
  readonly opens: readonly string[];
}

export interface Refusal {
  readonly says: string;
  readonly tenant: TenantName;
  readonly policy: Policy;
  /** The direction that it opens, seen from its pods. */
  readonly direction: 'ingress' | 'egress';
}

function policy(namespace: string, name: string, spec: object): Policy {
  return { metadata: { name, namespace }, spec };
}

const tenantIs = (tenant: TenantName) => ({ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': tenant } } });
const from = (peers: readonly object[], ports?: readonly object[], podSelector: object = {}) => ({
  podSelector,
  policyTypes: ['Ingress'],
  ingress: [{ from: peers, ...(ports && { ports }) }],
});
const to = (peers: readonly object[], ports?: readonly object[], podSelector: object = {}) => ({
  podSelector,
  policyTypes: ['Egress'],
  egress: [{ to: peers, ...(ports && { ports }) }],
});

/** The connections that the policies of the README's story open, by file. */
const opensInTheStory: Readonly<Record<string, readonly string[]>> = {
  // The baseline leaves everything open within acme.
  'policy-within-acme': [],
  // Only beta-open accepts it: no other namespace of beta has its half.
  'policy-to-beta-database': ['acme-web/web -> beta-open/open TCP 5432'],
  'policy-to-a-partner': ['acme-web/web -> partner in the excepted range TCP 443'],
};

/** The policies that the story has refused, by file, and the direction that each would open. */
const refusedInTheStory: Readonly<Record<string, 'ingress' | 'egress'>> = {
  'policy-open': 'ingress',
  'policy-to-beta-cache': 'egress',
  'policy-to-the-internet': 'egress',
};

interface StoryPolicy {
  readonly says: string;
  readonly file: string;
  readonly policy: Policy;
}

function inTheStory(end: 'admitted' | 'refused'): readonly StoryPolicy[] {
  return story.flatMap(({ tells, command: [verb, , path = ''], ends }) => {
    const [, file] = /\/(policy-[^/]*)\.yaml$/.exec(path) ?? [];
    if (verb !== 'apply' || file === undefined || ends !== end) return [];
    return [{ says: `the README's story: ${tells}`, file, policy: parse(readFileSync(path, 'utf8')) as Policy }];
  });
}

function row<Value>(table: Readonly<Record<string, Value>>, file: string): Value {
  const found = Object.hasOwn(table, file) ? table[file] : undefined;
  if (found === undefined) throw new Error(`scenes.ts has no row for ${file}`);
  return found;
}

const databaseHalf = policy('beta-data', 'from-acme', from([tenantIs('acme')], [{ port: 5432 }]));
const gate = policy('acme-web', 'to-beta', to([tenantIs('beta')], [{ port: 5432 }], { matchLabels: { app: 'web' } }));

export const scenes: readonly Scene[] = [
  ...inTheStory('admitted').map(
    ({ says, file, policy }): Scene => ({
      says,
      policies: [{ tenant: 'acme', policy }],
      opens: row(opensInTheStory, file),
    }),
  ),
  {
    says: 'one half of a gate: only acme-open gets in, whose egress is open',
    policies: [{ tenant: 'beta', policy: databaseHalf }],
    opens: ['acme-open/open -> beta-data/database TCP 5432'],
  },
  {
    says: 'both halves of a gate: its port, no other port or protocol, and no connection back',
    policies: [
      { tenant: 'acme', policy: gate },
      { tenant: 'beta', policy: databaseHalf },
    ],
    opens: [
      'acme-web/web -> beta-data/database TCP 5432',
      'acme-web/web -> beta-open/open TCP 5432',
      'acme-open/open -> beta-data/database TCP 5432',
    ],
  },
  {
    says: 'shared services in policies of tenants: no more than the baseline',
    policies: [
      {
        tenant: 'acme',
        policy: policy(
          'acme-web',
          'dns',
          to(
            [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
                podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
              },
            ],
            [{ port: 53 }, { protocol: 'UDP', port: 53 }],
          ),
        ),
      },
      {
        tenant: 'beta',
        policy: policy(
          'beta-data',
          'ingress-controller',
          from(
            [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } },
                podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx' } },
              },
            ],
            [{ port: 8080 }],
          ),
        ),
      },
    ],
    opens: [],
  },
  {
    says: 'granted addresses with an exception, on the way out',
    policies: [
      {
        tenant: 'acme',
        policy: policy(
          'acme-db',
          'partner',
          to([{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.64/26'] } }], [{ port: 443 }]),
        ),
      },
    ],
    opens: ['acme-db/x -> partner TCP 443'],
  },
  {
    says: 'addresses outside with an exception, on the way in',
    policies: [
      {
        tenant: 'beta',
        policy: policy(
          'beta-data',
          'partner',
          from(
            [{ ipBlock: { cidr: '203.0.113.0/24', except: ['203.0.113.64/26'] } }],
            [{ protocol: 'UDP', port: 443 }],
          ),
        ),
      },
    ],
    opens: ['partner -> beta-data/database UDP 443'],
  },
  {
    says: 'named ports: the port with that name, of each destination',
    policies: [
      { tenant: 'beta', policy: policy('beta-data', 'http', from([tenantIs('beta')], [{ port: 'http' }])) },
      { tenant: 'beta', policy: policy('beta-db', 'http', to([tenantIs('beta')], [{ port: 'http' }])) },
    ],
    opens: [
      'beta-db/y -> beta-data/database TCP 8080',
      'beta-db/y -> beta-open/open TCP 6379',
      'beta-open/open -> beta-data/database TCP 8080',
    ],
  },
  {
    says: 'ranges of ports: the ports that both ends allow',
    policies: [
      { tenant: 'beta', policy: policy('beta-data', 'range', from([tenantIs('beta')], [{ port: 1, endPort: 3 }])) },
      { tenant: 'beta', policy: policy('beta-db', 'range', to([tenantIs('beta')], [{ port: 2, endPort: 4 }])) },
    ],
    opens: [
      ...[2, 3].map((port) => `beta-db/y -> beta-data/database TCP ${port}`),
      ...[2, 3, 4].map((port) => `beta-db/y -> beta-open/open TCP ${port}`),
      ...[1, 2, 3].map((port) => `beta-open/open -> beta-data/database TCP ${port}`),
    ],
  },
];

/** For a tenant with soft isolation: namespaces of other tenants have this label, too. */
export const tooWide = policy('gamma-lab', 'too-wide', from([{ namespaceSelector: { matchLabels: { env: 'x' } } }]));
export const refusals: readonly Refusal[] = [
  ...inTheStory('refused').map(
    ({ says, file, policy }): Refusal => ({ says, tenant: 'acme', policy, direction: row(refusedInTheStory, file) }),
  ),
  {
    says: 'a rule without peers',
    tenant: 'beta',
    policy: policy('beta-db', 'all-peers', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] }),
    direction: 'ingress',
  },
  {
    says: 'a label that any namespace may have',
    tenant: 'beta',
    policy: policy('beta-data', 'label', from([{ namespaceSelector: { matchLabels: { env: 'x' } } }], [{ port: 2 }])),
    direction: 'ingress',
  },
  {
    says: 'the policy that soft isolation narrows, not narrowed',
    tenant: 'acme',
    policy: policy('acme-db', 'too-wide', tooWide.spec as object),
    direction: 'ingress',
  },
  {
    says: 'every tenant but one',
    tenant: 'acme',
    policy: policy(
      'acme-db',
      'not-gamma',
      from([
        {
          namespaceSelector: {
            matchExpressions: [{ key: 'bulkhead.dev/tenant', operator: 'NotIn', values: ['gamma'] }],
          },
        },
      ]),
    ),
    direction: 'ingress',
  },
  {
    says: 'a name that is not reserved',
    tenant: 'acme',
    policy: policy(
      'acme-db',
      'shop',
      to(
        [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }],
        [{ protocol: 'UDP', port: 3 }],
      ),
    ),
    direction: 'egress',
  },
  {
    says: 'the metadata service',
    tenant: 'beta',
    policy: policy('beta-db', 'metadata', to([{ ipBlock: { cidr: '169.254.169.254/32' } }], [{ port: 443 }])),
    direction: 'egress',
  },
  {
    says: 'addresses of the cluster, on the way in',
    tenant: 'acme',
    policy: policy('acme-web', 'cluster', from([{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.96.0.0/12'] } }])),
    direction: 'ingress',
  },
];
