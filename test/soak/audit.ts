/**
 * How much memory `bulkhead audit` takes in a cluster with 20,000 pods, of which each would be rejected.
 *
 *   memory   at its peak at most 64 MiB more than with 200 pods: it reads page by page, and keeps the names, labels and ports of pods
 *
 * Prints its figures and ends with 1 when one of them is missed. `node test/soak/audit.ts`, half a minute. `--pods N` for another number.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { imageFlags } from './image-flags.ts';
import { say } from './observer.ts';

export interface Audited {
  readonly pods: number;
  /** As the report counts them. */
  readonly found: number;
  /** Of all lists. */
  readonly bytes: number;
  /** Resident, in bytes. */
  readonly peak: number;
  readonly milliseconds: number;
}

export interface AuditResult {
  readonly small: Audited;
  readonly large: Audited;
}

export const auditLimits = { bytesMore: 64 * 1024 * 1024 };

/** What should have been otherwise. Without limits nothing is asked of memory. */
export function missedAudit({ small, large }: AuditResult, limits?: typeof auditLimits): string[] {
  const missed = [small, large].flatMap(({ pods, found }) =>
    found === pods && pods > 0 ? [] : [`${found} of ${pods} pods were found`],
  );
  if (limits !== undefined && !(large.peak - small.peak <= limits.bytesMore)) missed.push('it takes too much memory');
  return missed;
}

async function audit(pods: number): Promise<Audited> {
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-audit-'));
  const server = fork(join(import.meta.dirname, 'audited-cluster.ts'), [String(pods)]);
  try {
    const [{ url }] = (await once(server, 'message')) as [{ url: string }];
    const kubeconfig = join(directory, 'kubeconfig');
    const cluster = {
      clusters: [{ name: 'a', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'a', user: {} }],
    };
    const context = { contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }], 'current-context': 'a' };
    await writeFile(kubeconfig, JSON.stringify({ ...cluster, ...context }));
    const flags = [
      '--kubeconfig',
      kubeconfig,
      '--tenants',
      'manifests/overlays/example/tenants',
      '--config',
      'manifests/overlays/example/bulkhead.yaml',
    ];
    const child = fork(join(import.meta.dirname, 'audit-child.ts'), flags, { execArgv: await imageFlags() });
    const [{ report, ...used }] = (await Promise.race([once(child, 'message'), ended(child)])) as [
      Pick<Audited, 'peak' | 'milliseconds'> & { report: string },
    ];
    const { rejected } = JSON.parse(report) as { rejected: { check: string; count: number }[] };
    const found = rejected.find(({ check }) => check === 'host-namespaces')?.count ?? 0;
    server.send('bytes?');
    const [{ bytes }] = (await once(server, 'message')) as [{ bytes: number }];
    return { pods, found, bytes, ...used };
  } finally {
    server.kill();
    await rm(directory, { recursive: true });
  }
}

/** @throws when the process ends without a message */
async function ended(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit');
  throw new Error(`the audit ended with ${code}`);
}

/** One after the other, so that neither takes anything from the other. */
export async function measureAudit(few: number, many: number): Promise<AuditResult> {
  return { small: await audit(few), large: await audit(many) };
}

export function describeAudit({ small, large }: AuditResult): string {
  const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return [small, large]
    .map(
      ({ pods, bytes, peak, milliseconds }) =>
        `${pods} pods, lists of ${mebibytes(bytes)}: at most ${mebibytes(peak)} resident, ${(milliseconds / 1000).toFixed(1)} s`,
    )
    .join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { pods: { type: 'string', default: '20000' } } });
  const result = await measureAudit(200, Number(values.pods));
  say(describeAudit(result));
  const missed = missedAudit(result, auditLimits);
  for (const one of missed) say(one);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
