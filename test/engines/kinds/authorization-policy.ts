/** AuthorizationPolicy of Istio: every field of a source and a condition, and the ways to write an identity that nearly is the tenant's. */
import fc from 'fast-check';
import { istioAuthorizationPolicy as kind } from '../../../src/kinds/istio-authorization-policy/istio-authorization-policy.ts';
import { once } from '../../../src/kubernetes/once.ts';
import { judgeBorder, type PeerVerdict } from '../../../src/reach/border.ts';
import { callerWithoutIdentity } from '../../../src/reach/identity-peer.ts';
import { nameLabel, type World } from '../../reach/evaluator.ts';
import { readBlock } from '../../reach/evaluator-addresses.ts';
import { readWitness } from '../../reach/read-witness.ts';
import { smallBlock } from '../../reach/search-worlds.ts';
import type { PolicyKind, ReadWitness } from '../kind.ts';
import { addressParty, type Candidate, edgesOf, isForeignOn, pod, subjectsOf, wires } from '../parties.ts';
import { randomFrom } from '../random.ts';

type Texts = readonly string[] | null;

export interface Source {
  readonly principals?: Texts;
  readonly notPrincipals?: Texts;
  readonly namespaces?: Texts;
  readonly notNamespaces?: Texts;
  readonly serviceAccounts?: Texts;
  readonly notServiceAccounts?: Texts;
  readonly trustDomains?: Texts;
  readonly notTrustDomains?: Texts;
  readonly requestPrincipals?: Texts;
  readonly notRequestPrincipals?: Texts;
  readonly ipBlocks?: Texts;
  readonly notIpBlocks?: Texts;
  readonly remoteIpBlocks?: Texts;
  readonly notRemoteIpBlocks?: Texts;
}

interface Condition {
  readonly key: string;
  readonly values?: Texts;
  readonly notValues?: Texts;
}

export interface Rule {
  readonly from?: readonly { readonly source?: Source | null }[] | null;
  readonly to?: readonly { readonly operation?: Readonly<Record<string, Texts>> | null }[] | null;
  readonly when?: readonly Condition[] | null;
}

export interface AuthorizationSpec {
  readonly action?: string;
  readonly dryRun?: string;
  readonly rules?: readonly Rule[] | null;
}

const own = 'OWN';
/** OWN is the namespace of the policy. */
const names = [
  own,
  own,
  own,
  'acme-web',
  'acme-db',
  'beta-db',
  'web',
  'shop',
  'kube-system',
  'infra',
  'sa',
  'ns',
  'be',
];
const name = fc.constantFrom(...names);
const account = fc.constantFrom('default', 'default', 'web', 'a.b');
const domain = fc.constantFrom('cluster.local', 'cluster.local', 'cluster.local', '*', 'other.td');
const whole = fc
  .tuple(domain, fc.constantFrom('ns', 'ns', 'ns', 'ns', 'sa'), name, fc.constantFrom('sa', 'sa', 'sa', 'ns'), account)
  .map((parts) => parts.join('/'));

/** A text, or what is left of it on one side of a star. */
function cut(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.constantFrom('whole', 'whole', 'start', 'start', 'end', 'middle', 'both'), fc.nat(40), fc.nat(40))
    .map(([text, how, at, to]) => {
      // Most cuts stand beside a slash or a hyphen.
      const places = [...text].flatMap((one, index) => (/[/-]/.test(one) ? [index, index + 1] : []));
      const place = (number: number) =>
        number % 3 === 0 ? number % (text.length + 1) : (places[number % Math.max(1, places.length)] ?? 1);
      const [a, b] = [place(at), place(to)];
      if (how === 'start') return `${text.slice(0, a)}*`;
      if (how === 'end') return `*${text.slice(a)}`;
      if (how === 'middle') return `${text.slice(0, Math.min(a, b))}*${text.slice(Math.max(a, b))}`;
      return how === 'both' ? `*${text.slice(Math.min(a, b), Math.max(a, b))}*` : text;
    })
    .map((text) => (text === '' || text === '**' ? '*' : text));
}

/** What is nearly the tenant's. */
const nearly = fc.constantFrom(
  ...['cluster.local/ns/OWN*', 'cluster.local/ns/OWN/*', 'cluster.local/ns/OWN/sa/*', 'cluster.local/ns/acme-*'],
  ...['*/ns/OWN/sa/web', '*/sa/web', '*/sa/default', '*OWN/sa/web', '*web/sa/default', 'cluster.local/*', '*'],
  ...[
    'clus*/ns/web/sa/default',
    'clus*/ns/beta-db/sa/*',
    '*cal/ns/OWN/sa/web',
    '*cal/ns/web/sa/*',
    'clus*/ns/OWN/sa/web',
  ],
  ...['*/ns/OWN/*', '*/ns/web/*', 'cluster.local/ns/*/sa/web', 'cluster.local/ns/OWN', '*/ns/acme.web/sa/web'],
);
const principal = fc.oneof({ weight: 3, arbitrary: cut(whole) }, { weight: 2, arbitrary: nearly });
const namespace = fc.oneof(
  { weight: 3, arbitrary: name },
  { weight: 3, arbitrary: cut(name) },
  { weight: 1, arbitrary: fc.constantFrom('*', 'acme-*', 'acme*', '*-web', 'a*b', 'w*a', '*a', 's*', 'acme-web*') },
);
const serviceAccount = fc.oneof(
  account,
  fc.tuple(name, account).map((parts) => parts.join('/')),
);
const trustDomain = fc.constantFrom('cluster.local', '*', '*.local', 'cluster*', 'other.td');
const block = fc.oneof(
  smallBlock,
  fc.constantFrom('0.0.0.0/0', '::/0', '203.0.113.7', '198.51.100.0/24', '10.244.0.0/16', '203.0.113.0/24'),
);
const token = fc.constantFrom('*', 'issuer/subject', 'issuer/*');
const list = (of: fc.Arbitrary<string>): fc.Arbitrary<Texts> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.array(of, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.constantFrom<Texts>([], null) },
  );

const someOf = (fields: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<Source> =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([field, of]) => [field, list(of)])), { requiredKeys: [] });
const identities = { principals: principal, namespaces: namespace, serviceAccounts: serviceAccount };
const left = { notPrincipals: principal, notNamespaces: namespace, notServiceAccounts: serviceAccount };
/** Most sources have one field: with every field at once nothing is left. */
const source: fc.Arbitrary<Source> = fc.oneof(
  { weight: 4, arbitrary: list(namespace).map((namespaces) => ({ namespaces })) },
  { weight: 4, arbitrary: list(principal).map((principals) => ({ principals })) },
  { weight: 2, arbitrary: list(serviceAccount).map((serviceAccounts) => ({ serviceAccounts })) },
  { weight: 2, arbitrary: someOf({ ipBlocks: block, notIpBlocks: block }) },
  { weight: 2, arbitrary: someOf({ ...identities, trustDomains: trustDomain }) },
  { weight: 1, arbitrary: someOf({ namespaces: namespace, ...left, notTrustDomains: trustDomain }) },
  { weight: 1, arbitrary: someOf({ requestPrincipals: token, notRequestPrincipals: token, namespaces: namespace }) },
  {
    weight: 1,
    arbitrary: someOf({ remoteIpBlocks: block, notRemoteIpBlocks: block, ipBlocks: block, namespaces: namespace }),
  },
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  ...(
    [
      ['source.namespace', namespace],
      ['source.principal', principal],
      ['source.serviceAccount', serviceAccount],
      ['source.trustDomain', trustDomain],
      ['source.ip', block],
      ['remote.ip', block],
      ['request.auth.principal', token],
      ['request.headers[x]', token],
      ['destination.port', fc.constantFrom('1', '2', '3', '4')],
      ['destination.ip', block],
    ] as const
  ).map(([key, of]) =>
    fc.record({ key: fc.constant(key), values: list(of), notValues: list(of) }, { requiredKeys: ['key'] }),
  ),
);
const port = fc.constantFrom('1', '2', '3', '4', '53', '02', '0', '65535');
const operation = fc.record(
  {
    ports: list(port),
    methods: list(fc.constantFrom('GET', 'POST')),
    paths: list(fc.constant('/a*')),
    hosts: list(fc.constant('a')),
  },
  { requiredKeys: [] },
);
const leftPorts = fc.tuple(operation, list(port)).map(([one, notPorts]) => ({ ...one, notPorts }));
const optional = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: null, freq: 10 });
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    from: optional(
      fc.array(fc.record({ source: optional(source) }, { requiredKeys: ['source'] }), { minLength: 0, maxLength: 2 }),
    ),
    to: optional(
      fc.array(fc.record({ operation: optional(fc.oneof({ weight: 5, arbitrary: operation }, leftPorts)) }), {
        maxLength: 2,
      }),
    ),
    when: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, optional(fc.array(condition, { maxLength: 2 }))),
  },
  { requiredKeys: ['from'] },
);

/** One field alone, in which one text is nearly the tenant's: a judge with a bug is found out by few of them. */
export const plainSpecs: PolicyKind<AuthorizationSpec>['specs'] = fc
  .oneof(
    ...[...Array<fc.Arbitrary<Source>>(3).fill(nearly.map((one) => ({ principals: [one] })))],
    namespace.map((one) => ({ namespaces: [one] })),
    serviceAccount.map((one) => ({ serviceAccounts: [one] })),
    fc.tuple(namespace, token).map(([one, left]) => ({ requestPrincipals: [left], notNamespaces: [one] })),
    fc.tuple(block, block).map(([one, other]) => ({ ipBlocks: [one], notIpBlocks: [other] })),
    fc.tuple(namespace, namespace).map(([one, other]) => ({ namespaces: [one], notNamespaces: [other] })),
    fc.tuple(namespace, block).map(([one, other]) => ({ namespaces: [one], remoteIpBlocks: [other] })),
  )
  .map(
    (source) =>
      ({ namespace }: World): AuthorizationSpec =>
        JSON.parse(JSON.stringify({ rules: [{ from: [{ source }] }] }).replaceAll(own, namespace)),
  );

const specs: PolicyKind<AuthorizationSpec>['specs'] = fc
  .record(
    {
      action: fc.constantFrom(...Array<string>(9).fill('ALLOW'), 'DENY', 'AUDIT'),
      dryRun: fc.constantFrom('true', 'T', '1', 'yes', 'false', 'tRUE', ''),
      rules: fc.oneof({ weight: 9, arbitrary: fc.array(rule, { minLength: 1, maxLength: 2 }) }, fc.constant([])),
    },
    { requiredKeys: ['rules'] },
  )
  .map((spec) => ({ namespace, tenants, tenant }: World): AuthorizationSpec => {
    const text = JSON.stringify(spec).replaceAll(own, namespace);
    const { dryRun, rules, ...drawn }: AuthorizationSpec = JSON.parse(text);
    const [first] = rules ?? [];
    const gates =
      tenants.find(({ name }) => name === tenant)?.gates.filter(({ direction }) => direction === 'ingress') ?? [];
    const [open] = gates[0]?.ports ?? [];
    const isPartner = JSON.stringify(first ?? {}).includes('beta-db') && typeof open?.port === 'number';
    const agreed = isPartner
      ? [{ ...first, to: [{ operation: { ports: [String(open.port)] } }] }, ...(rules ?? []).slice(1)]
      : rules;
    return {
      ...drawn,
      ...(dryRun !== undefined && text.length % 8 === 0 && { dryRun }),
      ...(agreed && { rules: agreed }),
    };
  });

function objectOf({ dryRun, ...spec }: AuthorizationSpec, { namespace }: Pick<World, 'namespace'>) {
  const annotations = dryRun === undefined ? {} : { 'istio.io/dry-run': dryRun };
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'asked', namespace, annotations },
    spec,
  };
}

function judge(spec: AuthorizationSpec, border: Parameters<typeof judgeBorder>[1]): readonly PeerVerdict[] {
  return judgeBorder(kind.read(JSON.parse(JSON.stringify(objectOf(spec, border)))), border);
}

/** What a caller is beside a pod. */
interface Caller {
  readonly account?: string;
  readonly domain?: string;
  readonly plain?: true;
  readonly address?: string;
}

/** In a namespace that another tenant has reserved, that tenant's pods are: a name is nobody else's then. */
function isPossible({ party }: Candidate, { tenants, tenantLabel }: World): boolean {
  if (party?.kind !== 'pod') return true;
  const name = party.namespace.get(nameLabel) ?? '';
  const holder = tenants.find(
    ({ prefix, prefixes = [], names = [] }) =>
      names.includes(name) || [prefix, ...prefixes].some((one) => one !== undefined && name.startsWith(one)),
  );
  return holder === undefined || holder.name === 'acme' || party.namespace.get(tenantLabel) === holder.name;
}

const podsOfWorlds = once((_: World) => new Map<string, readonly Candidate[]>());

/** One pod for each owner that the namespace may have, and for the labels by which shared services are told. */
function podsNamed(name: string, world: World): readonly Candidate[] {
  const known = podsOfWorlds(world).get(name);
  if (known !== undefined) return known;
  const { tenantLabel, tenants } = world;
  const owners = [undefined, 'nobody', ...tenants.flatMap((one) => (one.name === world.tenant ? [] : [one.name]))];
  const pods = owners.flatMap((owner) => {
    const labels = new Map([[nameLabel, name], ...(owner === undefined ? [] : [[tenantLabel, owner] as const])]);
    return labelsOfPods.flatMap((ofPod) => {
      const made = pod(labels, ofPod, world, []);
      return made !== undefined && isPossible(made, world) ? [made] : [];
    });
  });
  podsOfWorlds(world).set(name, pods);
  return pods;
}

function callsAs({ account, domain, plain, address }: Caller): (one: Candidate) => Candidate {
  const more = {
    ...(account && { serviceAccount: account }),
    ...(domain && { trustDomain: domain }),
    ...(plain && { plain }),
    ...(address && { address }),
  };
  return (one) => ('pod' in one.asked ? { ...one, asked: { pod: { ...one.asked.pod, ...more } } } : one);
}

/** Shared services are told by them; an identity says nothing of them. */
const labelsOfPods: readonly ReadonlyMap<string, string>[] = [
  {},
  { app: 'x' },
  { app: 'y' },
  { app: 'y', role: 'x' },
].map((labels) => new Map(Object.entries(labels)));

const unmentioned = 'zz-unmentioned';
const isFilled = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

const around: PolicyKind<AuthorizationSpec>['around'] = (spec, world, random) => {
  const texts = [...JSON.stringify(spec).matchAll(/"([^"]+)"/g)].map(([, text = '']) => text);
  const parts = texts.flatMap((text) => text.split('/'));
  const filled = parts.flatMap((part) => ['', 'x', '2', 'a-'].map((filler) => part.replaceAll('*', filler)));
  const mentioned = [...new Set([...filled, 'ns', 'sa', 'acme-web2', 'beta-db', unmentioned])].filter((one) =>
    isFilled.test(one),
  );
  const accounts = ['default', 'web', 'a.b', ...parts.filter((part) => isFilled.test(part))];
  const pods = random.some(mentioned, 14).flatMap((name) => {
    const pods = podsNamed(name, world);
    return [
      ...random.some(pods, 5).map(callsAs({ account: 'default' })),
      ...random.some(pods, 2).map(callsAs({ account: random.pick(['web', 'web', 'default', ...accounts]) })),
      ...random.some(pods, 1).map(callsAs({ plain: true })),
    ];
  });
  const blocks = texts.flatMap((text) =>
    /[.:]/.test(text) ? (readBlock(text.includes('/') ? text : `${text}/32`) ?? []) : [],
  );
  return [...random.some(pods, 40), ...random.some(edgesOf(blocks), 8).map(addressParty)];
};

function witness(
  { path, reason, witness: sentence = '' }: PeerVerdict,
  spec: AuthorizationSpec,
  world: World,
): ReadWitness {
  const direction = 'ingress';
  if (reason.includes('CVE-2026-39350')) return { unasked: 'only earlier versions read it so' };
  const [, at] = /^spec\.rules\[(\d+)\]/.exec(path) ?? [];
  const [rule] = (spec.rules ?? []).slice(Number(at));
  if (rule === undefined) return { unread: `${path} is no place in the policy` };
  const ports = JSON.stringify([rule.to, rule.when]);
  if (/notPorts|destination\.port/.test(ports)) return { unasked: 'some of the ports are taken away' };
  const [, account, name, domain, address] =
    /^a pod with the service account (\S+) in the namespace (\S+?)(?: of the trust domain (\S+?))?(?: at the address (\S+?)(?:,.*)?)?$/.exec(
      sentence,
    ) ?? [];
  if (account !== undefined && name !== undefined) {
    const texts = [...JSON.stringify(rule).matchAll(/"([^"]+)"/g)].map(([, text = '']) => text);
    if (texts.some((text) => isOfOldVersions(text, name))) return { unasked: 'only earlier versions read it so' };
    const caller = { account, ...(domain && { domain }), ...(address && { address }) };
    // Of another trust domain: whatever the name is, it is of no namespace here.
    if (domain !== undefined) {
      const asked = {
        namespace: name,
        namespaceLabels: {},
        labels: {},
        address: address ?? '169.254.77.7',
        ports: [],
        serviceAccount: account,
        trustDomain: domain,
      };
      return { direction, candidates: [{ asked: { pod: asked }, party: undefined }] };
    }
    return found(podsNamed(name, world).map(callsAs(caller)), sentence, world);
  }
  if (sentence === callerWithoutIdentity)
    return found(podsNamed(unmentioned, world).map(callsAs({ plain: true })), sentence, world);
  const read = readWitness(sentence);
  if (read === undefined || read.party.kind !== 'address') return { unread: sentence };
  return found([addressParty(read.spelling ?? read.party.address)], sentence, world);
}

/** A dot in the namespace was any character, and no name of a namespace has one. */
function isOfOldVersions(principal: string, name: string): boolean {
  const namespace = principal.startsWith('*') ? (principal.split('/').at(-3) ?? '') : '';
  return (
    namespace.includes('.') && [...namespace].reverse().every((one, at) => /[.*]/.test(one) || one === name.at(-1 - at))
  );
}

function found(candidates: readonly Candidate[], sentence: string, world: World): ReadWitness {
  const foreign = candidates.filter((one) => wires.some((wire) => isForeignOn(one, wire, 'ingress', world)));
  return foreign.length > 0
    ? { direction: 'ingress', candidates: foreign }
    : { unread: `nobody foreign is ${sentence}` };
}

export const authorizationPolicy: PolicyKind<AuthorizationSpec> = {
  kind: 'AuthorizationPolicy',
  specs,
  objectOf,
  judge,
  subjects: (_, world) => [subjectsOf(world, randomFrom(1)).slice(0, 1)],
  around,
  isAbout: (direction, protocol) => direction === 'ingress' && protocol === 'TCP',
  isPossible,
  witness,
};
