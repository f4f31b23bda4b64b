/**
 * Follows the files of a tenancy and takes over each good state of them.
 *
 * By looking, not by fs.watch: a ConfigMap volume changes by a symbolic link being switched, editors replace files, network file
 * systems tell nothing, and each of them loses a watch in its own way. A look costs one stat for each file. A new state counts
 * when two looks in a row saw the same, so that a file that is being written, or a folder half way between two versions, is
 * never taken for what was meant.
 */
import type { Loaded, Problem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { digest, fingerprint } from './read-files.ts';
import { readTenancyFiles, type TenancyFiles, tenancyOf } from './read-tenancy.ts';

export interface WatchTenancyOptions extends TenancyFiles {
  /** A new state is in force. Also when the files are as they were before a bad state. */
  readonly onChange: (tenancy: Tenancy, warnings: readonly Problem[]) => void;
  /** A new state is bad and not in force; once for each state. */
  readonly onProblems: (problems: readonly Problem[]) => void;
  /** Milliseconds between two looks; a change is in force after at most two of them. */
  readonly intervalMilliseconds?: number;
}

export interface TenancyWatch {
  /** The last good state. */
  current(): Tenancy;
  /** Looks now; what the timer does. Looks never overlap: one that is under way is waited for. */
  look(): Promise<void>;
  /** No callback is called any more. */
  stop(): void;
}

/** The problems of the first state, or a watch that follows from then on. Never rejects. */
export async function watchTenancy(options: WatchTenancyOptions): Promise<Loaded<TenancyWatch>> {
  const { onChange, onProblems, intervalMilliseconds = 2000 } = options;
  const paths = [options.tenants, options.config].filter((path) => path !== undefined);
  // The state before reading: what changes while it is read differs at the first look.
  let taken = await fingerprint(paths);
  let texts = await readTenancyFiles(options);
  const first = tenancyOf(texts, options, Date.now());
  if (!first.ok) return first;

  let current = first.value;
  let contents = digest([texts.tenants, texts.config]);
  let seen = taken;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  const takeOver = async () => {
    const state = await fingerprint(paths);
    const settled = state === seen;
    seen = state;
    if (state === taken || !settled) return;
    texts = await readTenancyFiles(options);
    if (stopped || (await fingerprint(paths)) !== state) return;
    taken = state;
    const read = digest([texts.tenants, texts.config]);
    if (read === contents) return;
    contents = read;
    const loaded = tenancyOf(texts, options, Date.now());
    if (stopped) return;
    if (!loaded.ok) {
      onProblems(loaded.problems);
      return;
    }
    current = loaded.value;
    onChange(current, loaded.warnings);
  };
  const look = () => {
    looking ??= takeOver().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const lookLater = () => {
    timer = setTimeout(async () => {
      await look();
      if (!stopped) lookLater();
    }, intervalMilliseconds).unref();
  };
  lookLater();
  const watch: TenancyWatch = {
    current: () => current,
    look,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
  return { ok: true, value: watch, warnings: first.warnings };
}
