/** What the largest policy costs that is still examined, and one far above that, in this process. */

import {
  limits as istioLimits,
  readAuthorizationPolicy,
} from '../../src/kinds/istio-authorization-policy/read-policy.ts';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import { judgeBorder } from '../../src/reach/border.ts';
import { limits as calicoLimits, readCalicoPolicy } from '../../src/reach/dialects/calico/policy.ts';
import { limits as ciliumLimits, readCiliumPolicy } from '../../src/reach/dialects/cilium/policy.ts';
import { readNetworkPolicy } from '../../src/reach/dialects/network-policy.ts';
import { limits } from '../../src/reach/dialects/network-policy-rule.ts';
import type { Border } from '../../src/reach/violation.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { settings } from '../reach/world.ts';
import { median } from './median.ts';

/** V8 compiles in the first ones, and a webhook runs for weeks. */
const warmUp = 25;
const rounds = 25;

/** Ranges that touch nowhere, so that none can be joined. */
function network(index: number): string {
  return `20.${index >> 7}.${(index & 127) * 2}`;
}

function granted(count: number): Border {
  const egressRanges = Array.from({ length: count }, (_, index) => {
    const range = parseCidr(`${network(index)}.0/24`);
    if (!range.ok) throw new Error(range.reason);
    return range.value;
  });
  const acme = undeclaredTenant('acme');
  const tenant = { ...acme, network: { ...acme.network, egressRanges } };
  return { tenant, tenancy: createTenancy(settings, [tenant]), namespace: 'acme-web', now: 0 };
}

function policy(peers: number, exceptsOfEach: number): string {
  const to = Array.from({ length: peers }, (_, index) => ({
    ipBlock: {
      cidr: `${network(index)}.0/24`,
      except: Array.from({ length: exceptsOfEach }, (_, part) => `${network(index)}.${part * 8}/29`),
    },
  }));
  return JSON.stringify({ spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to }] } });
}

/** Milliseconds of processor time, the median; the parsing of JSON is not in it. */
function timeOf(
  text: string,
  border: Border,
  read = readNetworkPolicy,
): { readonly milliseconds: number; readonly least: number; readonly verdicts: number } {
  const times: number[] = [];
  let verdicts = 0;
  for (let round = -warmUp; round < rounds; round++) {
    const object = JSON.parse(text);
    const before = process.cpuUsage();
    verdicts = judgeBorder(read(object), border).length;
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) times.push((user + system) / 1000);
  }
  return { milliseconds: median(times), least: Math.min(...times), verdicts };
}

/** As many rules, peers, ports and labels as are examined, half of the rules with selectors and half with ranges. */
function ciliumPolicy(): string {
  const labels = (index: number) =>
    Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`k8s:example.com/label-${at}-${index % 50}`, `value-${index}`]),
    );
  const rules = Array.from({ length: ciliumLimits.rules / 2 }, (_, index) => [
    {
      toEndpoints: [
        { matchLabels: { [`k8s:io.cilium.k8s.namespace.labels.${settings.tenantLabel}`]: 'acme', ...labels(index) } },
      ],
      toPorts: [{ ports: Array.from({ length: 5 }, (_, at) => ({ port: String(1000 + at * 10), protocol: 'TCP' })) }],
    },
    {
      toCIDRSet: [
        {
          cidr: `${network(index)}.0/24`,
          except: Array.from({ length: 5 }, (_, part) => `${network(index)}.${part * 8}/29`),
        },
        { cidr: `${network(index)}.128/25` },
      ],
      toPorts: [{ ports: Array.from({ length: 5 }, (_, at) => ({ port: String(1000 + at * 10), protocol: 'TCP' })) }],
    },
  ]);
  return JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { endpointSelector: {}, egress: rules.flat() } });
}

/** The same in the language of Calico: half of the rules with selectors, and half with nets. */
function calicoPolicy(): string {
  const rule = (destination: object) => ({
    ...{ action: 'Allow', protocol: 'TCP' },
    destination: { ...destination, ports: Array.from({ length: 5 }, (_, at) => 1000 + at * 10) },
  });
  const egress = Array.from({ length: calicoLimits.rules / 2 }, (_, index) => [
    rule({
      namespaceSelector: `${settings.tenantLabel} == "acme" && (has(example.com/label-${index % 50}) || team != "t${index}")`,
    }),
    rule({
      nets: [`${network(index)}.0/25`, `${network(index)}.128/25`],
      notNets: [`${network(index)}.8/29`],
    }),
  ]);
  return JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { selector: 'all()', egress: egress.flat() } });
}

/** 1,000 rules, 1.4 MiB: more than is examined, with texts that are long. */
function beyondIstio(): string {
  const long = (start: string, end = '') => start + 'x'.repeat(440 - start.length - end.length) + end;
  const rules = Array.from({ length: 1000 }, (_, index) => ({
    from: [
      {
        source: {
          principals: [long(`cluster.local/ns/a${index}`, '*'), long(`*z${index}`, '/sa/web'), long(`*${index}`, '*')],
        },
      },
    ],
  }));
  return JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { rules } });
}

/** As many rules, callers and ports as are examined, each by a name of an account, and half of the rules with ranges besides. */
function istioPolicy(): string {
  const callers = istioLimits.peers / istioLimits.rules;
  const rules = Array.from({ length: istioLimits.rules }, (_, index) => ({
    from: [
      {
        source: {
          principals: Array.from({ length: callers }, (_, at) => `cluster.local/ns/acme-web/sa/account-${index}-${at}`),
          ...(index % 2 === 0 && { ipBlocks: [`${network(index)}.0/24`], notIpBlocks: [`${network(index)}.8/29`] }),
        },
      },
    ],
    to: [{ operation: { ports: Array.from({ length: 4 }, (_, at) => String(1000 + at * 10)), paths: ['/orders/*'] } }],
    when: [{ key: 'source.namespace', values: ['acme-web'] }],
  }));
  return JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { rules } });
}

/** AuthorizationPolicies that are dear to judge: texts with a star that are long, that nearly match, or that have several fields each. */
export function hostilePolicies(): ReadonlyMap<string, string> {
  const many = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, at) => text(at));
  const long = (length: number) => 'a'.repeat(length);
  const named = many(10, (at) => `foreign${at}`);
  const accounts = (length: number) => many(10, (at) => `cluster.local/ns/foreign/sa/${long(length)}${at}*`);
  const ends = (count: number, length: number) => [...many(count, (at) => `*${long(length)}z${at}`), '*'];
  const sources: Readonly<Record<string, object>> = {
    'names, and 62 texts that leave nearly all out': {
      namespaces: named,
      notNamespaces: many(62, (at) => `*f*o*r*e*z${at}`),
    },
    'beginnings of accounts, and 62 ends': { principals: accounts(60), notPrincipals: ends(61, 30) },
    'long beginnings of accounts, and 15 long ends': { principals: accounts(200), notPrincipals: ends(14, 150) },
    'long beginnings of accounts': { principals: accounts(200) },
    'three fields with stars': {
      ...{ namespaces: many(16, () => `${long(30)}*`), principals: many(9, () => `*${long(40)}/sa/web`) },
      trustDomains: many(10, () => '*'),
    },
  };
  const rules = (source: object) => Array.from({ length: istioLimits.rules }, () => ({ from: [{ source }] }));
  return new Map(
    Object.entries(sources).map(([says, source]) => [
      says,
      JSON.stringify({ metadata: { namespace: 'acme-web' }, spec: { rules: rules(source) } }),
    ]),
  );
}

/** How many times what the largest NetworkPolicy costs that is admitted: each of the hostile ones, by the least of all rounds. */
export function compareHostile(): ReadonlyMap<string, number> {
  const border = granted(limits.peers);
  const largest = timeOf(policy(limits.peers, limits.excepts / limits.peers), border).least;
  return new Map(
    [...hostilePolicies()].map(([says, text]) => [says, timeOf(text, border, readAuthorizationPolicy).least / largest]),
  );
}

/** One with as many peers and exceptions as are examined, of a tenant with as many granted ranges; and one with ten times as many. */
export function measureLargestPolicy(): {
  readonly examined: number;
  readonly beyond: number;
  readonly cilium: number;
  readonly calico: number;
  /** An AuthorizationPolicy that is admitted, and one that goes beyond the limits. */
  readonly istio: number;
  readonly beyondIstio: number;
  /** The dearest of the hostile ones. */
  readonly hostileIstio: number;
} {
  const border = granted(limits.peers);
  const examined = timeOf(policy(limits.peers, limits.excepts / limits.peers), border);
  const beyond = timeOf(policy(10 * limits.peers, limits.excepts / limits.peers), border);
  if (examined.verdicts !== 0) throw new Error('the largest policy was not admitted');
  if (beyond.verdicts !== 1) throw new Error('a policy beyond the limits was not refused');
  const cilium = timeOf(ciliumPolicy(), border, readCiliumPolicy);
  if (cilium.verdicts !== 0) throw new Error('the largest policy of Cilium was not admitted');
  const calico = timeOf(calicoPolicy(), border, readCalicoPolicy);
  if (calico.verdicts !== 0) throw new Error('the largest policy of Calico was not admitted');
  const istio = timeOf(istioPolicy(), border, readAuthorizationPolicy);
  if (istio.verdicts !== 0) throw new Error('the largest AuthorizationPolicy was not admitted');
  const hostile = [...hostilePolicies().values()].map(
    (text) => timeOf(text, border, readAuthorizationPolicy).milliseconds,
  );
  const refused = timeOf(beyondIstio(), border, readAuthorizationPolicy);
  if (refused.verdicts === 0) throw new Error('an AuthorizationPolicy beyond the limits was not refused');
  return {
    ...{ examined: examined.milliseconds, beyond: beyond.milliseconds },
    ...{ cilium: cilium.milliseconds, calico: calico.milliseconds },
    ...{ istio: istio.milliseconds, beyondIstio: refused.milliseconds },
    hostileIstio: Math.max(...hostile),
  };
}
