import tap, { type Test } from 'tap';
import { type Binaries, findBinaries } from './binaries.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import type { Missing } from './go-program.ts';

export interface ClusterTestOptions extends Omit<ControlPlaneOptions, 'binaries' | 'data'> {
  /** Gives the folder with which the control plane starts, for example `storedNetworkDefinitions`. */
  readonly stored?: (binaries: Binaries) => Promise<string>;
}
type Run = (t: Test, plane: ControlPlane) => Promise<void>;

/**
 * A tap test with a control plane of its own, which is stopped when the test ends. Where there can be none, the test is
 * skipped with the reason; in a CI run (`CI` is set) it fails instead.
 *
 * @example
 * await clusterTest('an empty cluster has the system namespaces', async (t, plane) => {
 *   const { stdout } = await plane.kubectl(plane.adminKubeconfig, ['get', 'namespaces']);
 *   t.match(stdout, 'kube-system');
 * });
 */
export async function clusterTest(
  name: string,
  run: Run,
  { stored, ...options }: ClusterTestOptions = {},
): Promise<void> {
  const found = await foundOrSkip(name, async () => {
    const binaries = await findBinaries();
    if ('missing' in binaries) return binaries;
    return { binaries, ...(stored && { data: await stored(binaries) }) };
  });
  if (found === undefined) return;
  await tap.test(name, async (t) => {
    const plane = await startControlPlane({ ...found, ...options });
    t.teardown(() => plane.stop());
    await run(t, plane);
  });
}

/** The binaries, for tests that start control planes themselves. */
export function binariesOrSkip(name: string): Promise<Binaries | undefined> {
  return foundOrSkip(name, findBinaries);
}

/**
 * What a test needs; without it a skipped (in CI: failed) test of this name is reported. Building takes minutes the first time, and
 * the clock of the tests stands still for as long.
 */
export async function foundOrSkip<Found extends object>(
  name: string,
  find: () => Promise<Found | Missing>,
): Promise<Found | undefined> {
  tap.setTimeout(0);
  const found = await find();
  // tap hands its --timeout, in seconds, to every test file in this variable.
  tap.setTimeout(Number(process.env.TAP_TIMEOUT || 120) * 1_000);
  if (!('missing' in found)) return found;
  skipOrFail(name, found.missing);
  return undefined;
}

/** Reports a test that cannot run here: skipped on a person's machine, failed in CI, where nobody would notice a skip. */
export function skipOrFail(name: string, reason: string): void {
  if (process.env.CI) tap.fail(`${name}: ${reason}`);
  else tap.pass(name, { skip: reason });
}
