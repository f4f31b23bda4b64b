/**
 * Random policies that Bulkhead admits, many at once, and the connections that they open to real packets.
 * `npm run packets -- [--policies 2000] [--seed 1]`: prints the seed, its progress, and the first connections that are not agreed, with
 * the policy that opens them. Ends with 1 when there are any.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import tap from 'tap';
import { stringify } from 'yaml';
import type { World, WrittenSpec } from '../reach/evaluator.ts';
import { policy as anyPolicy } from '../reach/search-policies.ts';
import { soakInNetwork } from '../soak/soak-network.ts';
import { namespaces, type TenantName } from './cast.ts';
import { type Connection, inWords, isGuarded, violations, worldOf } from './judge.ts';
import { type Connections, findLab, type Lab, type Policy, startLab } from './lab.ts';

/** Policies written before packets are sent, over all guarded namespaces. About a third of them are admitted. */
const atOnce = 90;

/** Counts over a search. */
export interface Tally {
  written: number;
  /** Refused by Bulkhead, not by the API server's own validation. */
  refused: number;
  admitted: number;
  /** Connections that the baseline alone does not open. */
  opened: number;
  /** Of them, connections with another tenant or the platform. */
  agreed: number;
  /** Of them, connections with addresses outside. */
  outside: number;
}

export function emptyTally(): Tally {
  return { written: 0, refused: 0, admitted: 0, opened: 0, agreed: 0, outside: 0 };
}

export function summary({ written, refused, admitted, opened, agreed, outside }: Tally): string {
  const crossing = `${agreed} between tenants by agreement, ${outside} with addresses outside`;
  return `${written} policies, ${refused} refused, ${admitted} admitted; they opened ${opened} connections: ${crossing}`;
}

interface Candidate {
  readonly tenant: TenantName;
  readonly policy: Policy;
}

/**
 * The first connections that are not agreed, with the policies to blame; undefined when there are none.
 *
 * @param policies how many are admitted, at least
 * @param tally is added to
 */
export async function searchPackets(
  lab: Lab,
  { policies, seed }: { readonly policies: number; readonly seed: number },
  tally: Tally,
  report: (line: string) => void = () => {},
): Promise<string | undefined> {
  const baseline = await lab.connections();
  const goal = tally.admitted + policies;
  for (let round = 0; tally.admitted < goal; round++) {
    const admitted = await writeAll(lab, candidates(seed, round), tally);
    const connections = await lab.connections();
    count(connections, baseline, tally);
    const found = violations(connections.values());
    if (found.length > 0) {
      const culprits = await narrow(lab, admitted, found);
      return `seed ${seed}, round ${round}\n${found.join('\n')}\n${culprits.map(({ policy }) => stringify(policy)).join('---\n')}`;
    }
    await lab.remove(admitted.map(({ policy }) => policy));
    report(summary(tally));
  }
  return undefined;
}

function candidates(seed: number, round: number): Candidate[] {
  const guarded = namespaces.filter((one) => one.guarded);
  return fc.sample(anyPolicy, { numRuns: atOnce, seed: seed + round }).flatMap((write, index) => {
    const { name: namespace, tenant } = guarded[index % guarded.length] ?? {};
    if (namespace === undefined || tenant === undefined) return [];
    const metadata = { name: `random-${index}`, namespace };
    return [{ tenant, policy: { metadata, spec: writtenBy(tenant, namespace, write) } }];
  });
}

/** The generator writes policies of acme. For another tenant, the two swap names before and after. */
function writtenBy(tenant: TenantName, namespace: string, write: (world: World) => WrittenSpec): WrittenSpec {
  const swap = <Value>(value: Value): Value => {
    const text = JSON.stringify(value).replaceAll(/acme|beta|gamma/g, (name) =>
      name === 'acme' ? tenant : name === tenant ? 'acme' : name,
    );
    return JSON.parse(text) as Value;
  };
  return swap(write(swap(worldOf(tenant, namespace))));
}

async function writeAll(lab: Lab, written: readonly Candidate[], tally: Tally): Promise<Candidate[]> {
  const answers = await Promise.all(written.map(({ tenant, policy }) => lab.write(tenant, policy)));
  tally.written += written.length;
  tally.refused += answers.filter(({ status }) => status === 403).length;
  const admitted = written.filter((_, index) => answers[index]?.status === 201);
  tally.admitted += admitted.length;
  return admitted;
}

function count(connections: Connections, baseline: Connections, tally: Tally): void {
  const opened = [...connections].flatMap(([words, connection]) => (baseline.has(words) ? [] : [connection]));
  tally.opened += opened.length;
  tally.agreed += opened.filter(isBetweenTenants).length;
  tally.outside += opened.filter(({ from, to }) => from.kind === 'outside' || to.kind === 'outside').length;
}

function isBetweenTenants({ from, to }: Connection): boolean {
  if (from.kind !== 'pod' || to.kind !== 'pod') return false;
  return from.namespace.tenant !== to.namespace.tenant && (isGuarded(from) || isGuarded(to));
}

/** Halves the policies as long as one half opens a found connection by itself. All of them have been written. */
async function narrow(
  lab: Lab,
  written: readonly Candidate[],
  found: readonly string[],
): Promise<readonly Candidate[]> {
  await lab.remove(written.map(({ policy }) => policy));
  let suspects = written;
  while (suspects.length > 1) {
    const half = suspects.slice(0, suspects.length / 2);
    await Promise.all(half.map(({ tenant, policy }) => lab.write(tenant, policy)));
    const opened = await lab.connections((connection) => found.includes(inWords(connection)));
    await lab.remove(half.map(({ policy }) => policy));
    suspects = opened.size > 0 ? half : suspects.slice(suspects.length / 2);
  }
  return suspects;
}

if (import.meta.main) {
  // The helper that starts Bulkhead imports tap, whose time-out is for tests.
  tap.setTimeout(0);
  const { values } = parseArgs({ options: { policies: { type: 'string' }, seed: { type: 'string' } } });
  const policies = Number(values.policies ?? 2_000);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isInteger(policies) || policies < 1 || !Number.isInteger(seed)) {
    throw new Error('--policies and --seed are whole numbers, and there is at least one policy');
  }
  const kubeRouter = await findLab();
  if ('missing' in kubeRouter) throw new Error(kubeRouter.missing);
  await soakInNetwork(import.meta.url, async (plane) => {
    const print = (line: string) => process.stdout.write(`${line}\n`);
    print(`seed ${seed}`);
    const lab = await startLab(plane, kubeRouter);
    try {
      const counterexample = await searchPackets(lab, { policies, seed }, emptyTally(), print);
      if (counterexample === undefined) print('every connection between tenants is agreed');
      else {
        print(counterexample);
        process.exitCode = 1;
      }
    } finally {
      await lab.stop();
    }
  });
}
