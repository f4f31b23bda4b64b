/**
 * Follows YAML files and takes over each good state of them.
 *
 * By looking, not by fs.watch: a ConfigMap volume changes by a symbolic link being switched, editors replace files, network file
 * systems tell nothing, and each of them loses a watch in its own way. A look costs one stat for each file. A new state counts
 * when two looks in a row saw the same, so that a file that is being written, or a folder half way between two versions, is
 * never taken for what was meant.
 */
import type { Loaded, Problem } from '../tenancy/problem.ts';
import { digest, fingerprint, type ReadFiles, readFiles } from './read-files.ts';

export interface Follower<Value> {
  /** A new state is in force. Also when the files are as they were before a bad state. */
  readonly onChange: (value: Value, warnings: readonly Problem[]) => void;
  /** A new state is bad and not in force; once for each state. */
  readonly onProblems: (problems: readonly Problem[]) => void;
  /** Milliseconds between two looks; a change is in force after at most two of them. */
  readonly intervalMilliseconds?: number;
}

export interface Watch<Value> {
  /** The last good state. */
  current(): Value;
  /** Looks now; what the timer does. Looks never overlap: one that is under way is waited for. */
  look(): Promise<void>;
  /** No callback is called any more. */
  stop(): void;
}

/**
 * The problems of the first state, or a watch that follows from then on. Never rejects.
 * @param paths files, or folders of files; undefined: nothing, in its place
 * @param load what the texts of all paths, in their order, come to
 */
export async function watchFiles<Value>(
  paths: readonly (string | undefined)[],
  load: (texts: readonly ReadFiles[]) => Loaded<Value>,
  { onChange, onProblems, intervalMilliseconds = 2000 }: Follower<Value>,
): Promise<Loaded<Watch<Value>>> {
  const read = () => Promise.all(paths.map(readFiles));
  const state = () => fingerprint(paths.filter((path) => path !== undefined));
  // The state before reading: what changes while it is read differs at the first look.
  let taken = await state();
  let texts = await read();
  const first = load(texts);
  if (!first.ok) return first;

  let current = first.value;
  let contents = digest(texts);
  let seen = taken;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  const takeOver = async () => {
    const now = await state();
    const settled = now === seen;
    seen = now;
    if (now === taken || !settled) return;
    texts = await read();
    if (stopped || (await state()) !== now) return;
    taken = now;
    const found = digest(texts);
    if (found === contents) return;
    contents = found;
    const loaded = load(texts);
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
  const watch: Watch<Value> = {
    current: () => current,
    look,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
  return { ok: true, value: watch, warnings: first.warnings };
}
