/** What is written down is what is read: any tenant, printed as YAML or JSON and parsed again. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { parsePattern } from '../../src/kubernetes/dns-pattern.ts';
import { formatRange, type IpRange } from '../../src/kubernetes/ip-range.ts';
import type { PortRange } from '../../src/kubernetes/port-range.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { formatProblem } from '../../src/tenancy/problem.ts';
import { reservedIn } from '../../src/tenancy/reserved-names.ts';
import type { Gate, Subject, Tenant } from '../../src/tenancy/tenant.ts';
import { documents } from './documents.ts';

/** As the parser makes them: with the prototype of every object. */
const plain = { noNullPrototype: true };
const label = fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,20}[a-z0-9])?$/).filter((name) => name !== 'platform');
const person = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .filter((name) => name === name.trim() && !/^system:|\*|\p{Cc}/u.test(name));
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({ kind: fc.constantFrom('User' as const, 'Group' as const), name: person }, plain),
  // Namespaces of the platform: those of nobody are refused.
  fc.record(
    { kind: fc.constant('ServiceAccount' as const), namespace: label.map((name) => `kube-${name}`), name: label },
    plain,
  ),
);
/** Blocks of documentation addresses (RFC 5737, RFC 3849): outside of every cluster. */
const range: fc.Arbitrary<IpRange> = fc.oneof(
  fc
    .tuple(fc.bigInt(0n, 255n), fc.integer({ min: 0, max: 8 }))
    .map(([host, bits]) => block(4, 0xcb007100n | host, bits)),
  fc
    .tuple(fc.bigInt(0n, (1n << 96n) - 1n), fc.integer({ min: 0, max: 96 }))
    .map(([host, bits]) => block(6, (0x20010db8n << 96n) | host, bits)),
);
function block(family: 4 | 6, address: bigint, bits: number): IpRange {
  const first = (address >> BigInt(bits)) << BigInt(bits);
  return { family, first, last: first | ((1n << BigInt(bits)) - 1n) };
}
const port = fc
  .tuple(
    fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
    fc.integer({ min: 1, max: 65535 }),
    fc.integer({ min: 1, max: 65535 }),
  )
  .map(([protocol, one, other]) => ({ protocol, first: Math.min(one, other), last: Math.max(one, other) }));
const time = fc.option(
  fc.date({ min: new Date('2027-01-01Z'), max: new Date('2099-01-01Z'), noInvalidDate: true }).map(Number),
  { nil: undefined },
);
const pattern = fc
  .constantFrom(...['api.example.org', '*.example.org', '**.example.org', 'a*b.c.d'])
  .map((text) => parsePattern(text) ?? { text, labels: [], deep: false });
const vouched = fc.record(
  {
    address: range.map(({ family, first }): IpRange => ({ family, first, last: first })),
    ports: fc.array(
      port.filter(({ first, last }) => last - first < 65534),
      { minLength: 1, maxLength: 3 },
    ),
    direction: fc.constantFrom('ingress' as const, 'egress' as const),
    expires: time,
    notAssignedToPods: fc.constant(true),
  },
  plain,
);
const gate = (own: string): fc.Arbitrary<Gate> =>
  fc.record(
    {
      tenant: label.filter((name) => name !== own),
      direction: fc.constantFrom('ingress' as const, 'egress' as const),
      ports: fc.array(port, { maxLength: 3 }),
      expires: time,
    },
    plain,
  );
const tenant: fc.Arbitrary<Tenant> = label.chain((name) =>
  fc.record(
    {
      name: fc.constant(name),
      labels: fc
        .dictionary(fc.constantFrom('team', 'tier'), fc.constantFrom('a', 'b'), { noNullPrototype: true })
        .map((labels) => new Map(Object.entries(labels))),
      mode: fc.constantFrom('enforce' as const, 'warn' as const, 'audit' as const),
      isolation: fc.constantFrom('hard' as const, 'soft' as const),
      members: fc.array(subject, { maxLength: 4 }),
      // Distinct names give prefixes of one length, of which none is another or covers it: no character of a name is 00 in hexadecimal.
      reserved: fc
        .constantFrom<string[]>(['prefix'], ['prefix', 'prefixes', 'names'], ['prefixes', 'names'], [])
        .map((fields) => {
          const unique = `t${Buffer.from(name).toString('hex').padEnd(44, '0')}`;
          return reservedIn({
            namespaces: {
              ...(fields.includes('prefix') && { prefix: `${unique}-` }),
              ...(fields.includes('prefixes') && { prefixes: [`${unique}x-`, `${unique}y-`] }),
              ...(fields.includes('names') && { names: [`${unique}z`, `${unique}x-in-the-prefix`] }),
            },
          });
        }),
      limit: fc.option(fc.nat(), { nil: undefined }),
      resourceQuota: fc.option(
        fc
          .dictionary(
            fc.constantFrom('pods', 'requests.cpu', 'count/jobs.batch', 'limits.memory'),
            fc.constantFrom('0', '40', '500m', '1.5Gi', '2e3'),
            { noNullPrototype: true },
          )
          .map((hard) => ({ hard })),
        { nil: undefined },
      ),
      network: fc.record(
        {
          within: fc.constantFrom('none' as const, 'namespace' as const, 'tenant' as const),
          egressRanges: fc.array(range, { maxLength: 3 }),
          egress: fc.array(
            fc.record(
              {
                cidr: fc.oneof(range, fc.constant('internet' as const)),
                except: fc.constant([]),
                ports: fc.array(port, { maxLength: 3 }),
              },
              plain,
            ),
            { maxLength: 3 },
          ),
          vouched: fc.array(vouched, { maxLength: 3 }),
          names: fc.uniqueArray(pattern, { maxLength: 3 }),
          gates: fc.uniqueArray(gate(name), {
            maxLength: 3,
            selector: ({ tenant, direction }) => `${tenant} ${direction}`,
          }),
        },
        plain,
      ),
    },
    plain,
  ),
);

function printedPort({ protocol, first, last }: PortRange): unknown {
  return { protocol, port: first, endPort: last };
}

function writtenNames(reserved: Tenant['reserved']): Record<string, unknown> {
  const written: Record<string, string | string[]> = {};
  for (const [name, [, , field = '', index]] of reserved)
    if (index === undefined) written[field] = name;
    else written[field] = [...(written[field] ?? []), name];
  return written;
}

/** The document a person would write for it; what has its default is left out at random by the caller's choice of fields. */
function printed({ name, labels, reserved, limit, resourceQuota, network, ...rest }: Tenant): unknown {
  return {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name, ...(labels.size > 0 && { labels: Object.fromEntries(labels) }) },
    spec: {
      ...rest,
      namespaces: {
        ...writtenNames(reserved),
        ...(limit !== undefined && { limit }),
        ...(resourceQuota && { resourceQuota }),
      },
      network: {
        within: network.within,
        egressCIDRs: network.egressRanges.map(formatRange),
        egress: network.egress.map(({ cidr, except, ports }) => ({
          cidr: cidr === 'internet' ? cidr : formatRange(cidr),
          except: except.map(formatRange),
          ports: ports.map(printedPort),
        })),
        vouched: network.vouched.map(({ address, ports, expires, ...vouched }) => ({
          ...vouched,
          cidr: formatRange(address),
          ports: ports.map(printedPort),
          reason: 'a database',
          ...(expires !== undefined && { expires: new Date(expires).toISOString() }),
        })),
        names: network.names.map(({ text }) => text),
        gates: network.gates.map(({ ports, expires, ...gate }) => ({
          ...gate,
          ports: ports.map(printedPort),
          ...(expires !== undefined && { expires: new Date(expires).toISOString() }),
        })),
      },
    },
  };
}

t.test('tenants that are printed are read back as they were', async (t) => {
  const some = fc.uniqueArray(tenant, { maxLength: 5, selector: ({ name }) => name });
  const property = fc.property(some, fc.boolean(), (tenants, json) => {
    const text = tenants
      .map((one) =>
        json ? JSON.stringify(printed(one), undefined, 1) : stringify(printed(one), { aliasDuplicateObjects: false }),
      )
      .join('\n---\n');
    const loaded = loadTenancy(undefined, documents(text), 0);
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const order = tenants.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    deepStrictEqual([...loaded.value.tenants.values()], order);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }));
});
